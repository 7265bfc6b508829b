//! `[auth.ldap]`: people who are kept in a directory.

use std::net::IpAddr;
use std::path::PathBuf;

use super::address::Domain;
use super::auth::GivenRole;
use super::section::{section, words};
use super::units::Seconds;
use super::value::{Scalar, quoted};
use crate::observe::Secret;

section! {
    /// A directory (LDAP, Active Directory) that knows the people and checks their passwords; asked
    /// when `[auth]` sources has "ldap". An account comes into being with the first login, has no
    /// password here, and stays when the person leaves the directory: it can then be removed, or
    /// disabled, which keeps out even who is in the directory.
    pub struct Ldap {
        /// The servers, the preferred first: ldaps://ldap.example.org, or ldap:// with starttls.
        /// Without TLS only at an address of this machine. One that does not answer is left alone
        /// for half a minute.
        urls: Vec<LdapUrl> = Vec::new();
        /// Whether connections to ldap:// begin TLS before anything is said.
        starttls: bool = true;
        /// The authorities whose certificates the servers may show, PEM. Empty: those that this
        /// machine trusts. The certificate has to name the server as its URL does.
        ca: Option<PathBuf> = None;
        /// How it is told who somebody is: "search" looks the person up with the account of bind_dn and
        /// then asks for the password of what was found; "bind" makes the name from a template.
        mode: LdapMode = LdapMode::Search;
        /// Mode "bind": the name to bind as, "uid={user},ou=people,dc=example,dc=org" or
        /// "{user}@{domain}". {user} is what stands before the @ of the account, {domain} what stands
        /// behind it.
        user_dn: String = String::new();
        /// Mode "search": who searches.
        bind_dn: String = String::new();
        /// Mode "search": the password that goes with bind_dn.
        bind_password: Option<Secret<String>> = None;
        /// Below what people are searched; needed for "search". With "bind" and empty, what is known
        /// of a person is read from the name that user_dn makes.
        base: String = String::new();
        /// Which entry is the person's; must fit one. For Active Directory, people who may log in:
        /// "(&(sAMAccountName={user})(!(userAccountControl:1.2.840.113556.1.4.803:=2)))".
        filter: String = "(uid={user})".to_owned();
        /// The attribute that holds the name for people, written into the vCard of a new account.
        name_attribute: String = "displayName".to_owned();
        /// The attribute of a person that lists the groups, as Active Directory and OpenLDAP's overlay
        /// have it.
        groups_attribute: String = "memberOf".to_owned();
        /// Where groups are searched instead; empty for not at all.
        groups_base: String = String::new();
        /// Which groups are the person's, where they are searched; {dn} is the person's name in the
        /// directory.
        groups_filter: String = "(|(member={dn})(uniqueMember={dn})(memberUid={user}))".to_owned();
        /// The hosts whose people these are; empty for all.
        hosts: Vec<Domain> = Vec::new();
        /// Mode "search": whether who logs in with a token of `[fast]` or a certificate has to be in
        /// the directory still. A login then needs the directory, though not the password; that the
        /// password was changed there ends no token.
        check_tokens: bool = true;
        /// How many connections are held at most.
        connections_max: u32 = 8, in 1..=256;
        /// How long a server may take to connect, and for each answer. Several may follow each other
        /// within `[c2s]` negotiation_timeout_seconds.
        timeout_seconds: Seconds = Seconds::new(5), in Seconds::new(1)..=Seconds::new(60);
    }
    arrays {
        roles: GroupRole as "role" = Vec::new(), requires &["group", "role"];
    }
}

section! {
    /// The role of a group's people, set at each login. The highest counts; who is in none of the groups is
    /// a member. Without any such table roles are given by hand.
    pub struct GroupRole {
        /// The name of the group in the directory: "cn=supervisors,ou=groups,dc=example,dc=org".
        group: String = String::new();
        /// The role.
        role: GivenRole = GivenRole::Agent;
    }
}

words! {
    /// How it is told who somebody is in a directory.
    pub enum LdapMode {
        /// The name is made from a template.
        Bind = "bind",
        /// The name is searched.
        Search = "search",
    }
}

/// `ldaps://ldap.example.org:636`, without anything behind the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapUrl {
    text: String,
    has_tls: bool,
    loopback: bool,
}

impl LdapUrl {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether TLS begins with the first byte.
    #[must_use]
    pub const fn has_tls(&self) -> bool {
        self.has_tls
    }

    /// Whether it leads to this machine, by address and not by a name that others decide on.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl Scalar for LdapUrl {
    fn expected() -> String {
        "a URL such as \"ldaps://ldap.example.org\" or \"ldap://127.0.0.1:389\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let has_tls = match scheme {
            "ldap" => false,
            "ldaps" => true,
            _ => return None,
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        // An IPv6 address cannot be checked against a certificate by the library.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let good_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if host.is_empty() || !host.bytes().all(plain) || !good_port {
            return None;
        }
        let address = host.parse::<IpAddr>();
        Some(Self {
            text: format!("{scheme}://{authority}"),
            has_tls,
            loopback: host == "localhost" || address.is_ok_and(|address| address.is_loopback()),
        })
    }

    fn to_toml(&self) -> String {
        quoted(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (text, read) in [
            ("ldaps://ldap.example.org", Some((true, false))),
            ("ldap://ldap.example.org:1389/", Some((false, false))),
            ("ldap://127.0.0.1:389", Some((false, true))),
            ("ldap://localhost", Some((false, true))),
            ("ldap://localhost.example.org", Some((false, false))),
            ("ldapi:///run/slapd", None),
            ("http://ldap.example.org", None),
            ("ldap://", None),
            ("ldap://:389", None),
            ("ldap://a:0", None),
            ("ldap://a:70000", None),
            ("ldap://a/dc=example", None),
            ("ldap://user:password@a", None),
            ("ldap.example.org", None),
        ] {
            let url = LdapUrl::from_text(text);
            let found = url.map(|url| (url.has_tls(), url.is_loopback()));
            assert_eq!(found, read, "{text}");
        }
    }
}
