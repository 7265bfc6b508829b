//! `[auth]`: logging in.

use super::section::section;

section! {
    /// Passwords and logging in (RFC 6120 §6).
    pub struct Auth {
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
}
