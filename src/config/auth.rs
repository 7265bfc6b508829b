//! `[auth]`: logging in.

use super::ldap::Ldap;
use super::oauth::Oauth;
use super::section::{section, words};

section! {
    /// Passwords and logging in (RFC 6120 §6).
    pub struct Auth {
        /// Who knows the people that log in: "local" for accounts with a password of their own here,
        /// "ldap" for a directory (`[auth.ldap]`), "oauth" for signed tokens (`[auth.oauth]`). They are
        /// asked in this order, and the first that knows the account decides; SCRAM always means the
        /// password here. "local" first keeps its accounts usable while the others are down. Whatever
        /// the order, an account stays with who had it first: with a password here, or with the
        /// source of its first login. Whom another source knows by that name is refused, which the
        /// log tells, until an administrator removes the account; so keep `[registration]` closed
        /// where a directory gives the names.
        sources: Vec<AuthSource> = vec![AuthSource::Local];
        /// How often a password is hashed when it is set (SCRAM's iteration count). RFC 7677 §4
        /// asks for at least 4096. The client computes it at its first login, a script in a
        /// browser or an old telephone in tenths of a second at 10,000; the server stores the
        /// result.
        scram_iterations: u32 = 10_000, in 4096..=1_000_000;
        /// How many tries one connection has (RFC 6120 §6.4.5: at least 2, at most 5).
        attempts_max: u32 = 3, in 2..=5;
        /// Whether the mechanism PLAIN is offered, under TLS only (without TLS on a loopback
        /// address if `[c2s]` require_tls is false). Old clients and scripts know no other.
        plain: bool = true;
        /// Whether SCRAM-SHA-1 is offered besides the stronger SCRAM-SHA-256 and -512. Many
        /// clients know no stronger one.
        scram_sha_1: bool = true;
    }
    tables {
        ldap: Ldap;
        oauth: Oauth;
    }
}

words! {
    /// Who knows the people that log in.
    pub enum AuthSource {
        /// The store: accounts with keys of their own.
        Local = "local",
        /// A directory.
        Ldap = "ldap",
        /// Whoever signs tokens.
        Oauth = "oauth",
    }
}

words! {
    /// The role that somebody has by what a directory or a token says.
    pub enum GivenRole {
        /// Talks to others.
        Member = "member",
        /// Takes interactions with customers.
        Agent = "agent",
        /// Sees and steers the agents' work.
        Supervisor = "supervisor",
        /// Operates the server.
        Administrator = "administrator",
    }
}

impl Auth {
    /// Whether the source is asked at all.
    #[must_use]
    pub fn asks(&self, source: AuthSource) -> bool {
        self.sources.contains(&source)
    }
}
