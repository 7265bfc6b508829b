//! `[s2s]`: exchanging stanzas with other servers (RFC 6120 §2.5.3).

use std::net::SocketAddr;
use std::path::PathBuf;

use super::address::Domain;
use super::section::section;
use super::units::{Bytes, Seconds};
use super::value::{Scalar, quoted};

section! {
    /// Other servers. Switched off, nothing leaves this server and nobody comes in: messages are
    /// exchanged by its own accounts only. Switched on, TLS is required, and the certificate of
    /// the other server must be valid for its domain; connections of others are taken at
    /// `[listen]` s2s and s2s_direct_tls.
    pub struct S2s {
        /// Whether stanzas are exchanged with other servers.
        enabled: bool = false;
        /// With which domains only; none here means with all. "*.example.org" is every domain
        /// below example.org, and not example.org itself.
        allow: Vec<DomainPattern> = Vec::new();
        /// With which domains not, even when `allow` has them.
        deny: Vec<DomainPattern> = Vec::new();
        /// A PEM file of the authorities that certificates of other servers are verified
        /// against; "" for those of the operating system.
        authorities: OptionalPath = OptionalPath(None);
        /// Whether a server whose certificate is not valid may prove by a connection back to its
        /// domain that it is who it says (XEP-0220). As secure as DNS is; for peers that cannot
        /// have a certificate, or whose server refuses ours for EXTERNAL: ejabberd 23.01 does when it is for
        /// servers only (serverAuth), as public authorities issue them.
        dialback: bool = false;
        /// Whether TLS is required. Without it everybody on the way reads along and may change
        /// what is said; without TLS a server can be known by `dialback` only.
        require_tls: bool = true;
        /// The name server that is asked for other domains, as address:port; "" for those of
        /// the operating system.
        name_server: OptionalAddress = OptionalAddress(None);
        /// How long one attempt to connect to one address may take, and each step after it: TLS,
        /// an answer of the other server. All steps together may take three times as long.
        connect_seconds: Seconds = Seconds::new(20), in Seconds::new(1)..=Seconds::new(300);
        /// How many stanzas may wait for one domain. More come back to their senders.
        queue_stanzas_max: u32 = 1_024, in 16..=1_000_000;
        /// How many bytes may wait for one domain. Not less than `[c2s]` stanza_bytes_max.
        queue_bytes_max: Bytes = Bytes::mib(4), in Bytes::kib(64)..=Bytes::mib(1024);
        /// After how long without a stanza a stream to another server is closed; the next
        /// stanza opens another.
        idle_seconds: Seconds = Seconds::new(600), in Seconds::new(5)..=Seconds::new(86_400);
        /// For how long a domain that could not be reached is not tried again, after the first
        /// failure; doubled with each further one. Stanzas for it come back meanwhile.
        backoff_seconds_min: Seconds = Seconds::new(5), in Seconds::new(0)..=Seconds::new(3600);
        /// For how long at most.
        backoff_seconds_max: Seconds = Seconds::new(300), in Seconds::new(1)..=Seconds::new(86_400);
        /// How many streams there may be with other servers, in each direction.
        streams_max: u32 = 10_000, in 1..=1_000_000;
        /// How many connections one address may hold.
        connections_per_address_max: u32 = 200, in 1..=1_000_000;
        /// How large one stanza of another server may be.
        stanza_bytes_max: Bytes = Bytes::kib(512), in Bytes::kib(16)..=Bytes::mib(64);
        /// How many bytes a second one stream may bring in the long run; more is read later.
        bytes_per_second_max: Bytes = Bytes::mib(4), in Bytes::kib(1)..=Bytes::mib(1024);
    }
}

/// A domain, or every domain below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainPattern {
    /// That domain.
    Exactly(Domain),
    /// Those below it, at any depth.
    Below(Domain),
}

impl DomainPattern {
    /// Whether a prepared domain is meant.
    #[must_use]
    pub fn matches(&self, domain: &str) -> bool {
        match self {
            Self::Exactly(own) => own.as_str() == domain,
            Self::Below(parent) => domain
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

impl Scalar for DomainPattern {
    fn expected() -> String {
        "a domain such as \"example.org\" or \"*.example.org\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(parent) => Domain::parse(parent).map(Self::Below),
            None if text.contains('*') => None,
            None => Domain::parse(text).map(Self::Exactly),
        }
    }

    fn to_toml(&self) -> String {
        match self {
            Self::Exactly(domain) => quoted(domain.as_str()),
            Self::Below(parent) => quoted(&format!("*.{parent}")),
        }
    }
}

/// A file, or "" for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionalPath(pub Option<PathBuf>);

impl Scalar for OptionalPath {
    fn expected() -> String {
        "a path, or \"\" for none".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self((!text.is_empty()).then(|| PathBuf::from(text))))
    }

    fn to_toml(&self) -> String {
        let path = self.0.as_ref();
        quoted(&path.map(|it| it.display().to_string()).unwrap_or_default())
    }
}

/// An address with a port, or "" for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalAddress(pub Option<SocketAddr>);

impl Scalar for OptionalAddress {
    fn expected() -> String {
        "\"address:port\", or \"\" for none".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        Some(Self(Some(text.parse().ok()?)))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0.map(|it| it.to_string()).unwrap_or_default())
    }
}

impl S2s {
    /// Whether the lists let stanzas be exchanged with a prepared domain.
    #[must_use]
    pub fn permits(&self, domain: &str) -> bool {
        let listed = |list: &[DomainPattern]| list.iter().any(|it| it.matches(domain));
        (self.allow.is_empty() || listed(&self.allow)) && !listed(&self.deny)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<DomainPattern> {
        let patterns = texts.iter().map(|text| DomainPattern::from_text(text));
        patterns.collect::<Option<_>>().unwrap()
    }

    #[test]
    fn the_lists_say_with_whom_stanzas_are_exchanged() {
        for (allow, deny, domain, expected) in [
            (&[][..], &[][..], "a.example", true),
            (&["a.example"], &[], "a.example", true),
            (&["A.example"], &[], "b.example", false),
            (&["*.example"], &[], "a.b.example", true),
            (&["*.example"], &[], "example", false),
            (&["*.example"], &[], "anexample", false),
            (&[], &["*.example"], "a.example", false),
            (&["*.example"], &["b.example"], "b.example", false),
            (&["*.example"], &["b.example"], "a.b.example", true),
        ] {
            let s2s = S2s {
                allow: patterns(allow),
                deny: patterns(deny),
                ..S2s::default()
            };
            assert_eq!(s2s.permits(domain), expected, "{allow:?} {deny:?} {domain}");
        }
    }

    #[test]
    fn a_star_stands_before_a_dot_only() {
        for text in ["*", "a.*", "*example", "*.", "a.*.example"] {
            assert_eq!(DomainPattern::from_text(text), None, "{text}");
        }
    }
}
