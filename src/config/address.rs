//! Where to listen, and the names that are served.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use jid::{BareJid, DomainPart};

use super::value::{Scalar, quoted};

/// An address and port to listen on: `127.0.0.1:5222`, `[::]:5222`.
///
/// A listener of IPv6 takes IPv6 only, so that `0.0.0.0` and `[::]` can stand side by side
/// whatever the machine's default is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenAddress(pub SocketAddr);

impl ListenAddress {
    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }

    /// Whether a machine without IPv6 passes over the address instead of failing: it is
    /// `[::]`, which means "on IPv6 too" and is part of the defaults.
    #[must_use]
    pub fn may_be_absent(self) -> bool {
        matches!(self.0.ip(), IpAddr::V6(ip) if ip.is_unspecified())
    }

    /// For this machine only.
    pub(super) fn on_loopback(port: u16) -> Vec<Self> {
        vec![Self(([127, 0, 0, 1], port).into())]
    }

    /// All addresses of the machine, IPv4 and IPv6.
    pub(super) fn everywhere(port: u16) -> Vec<Self> {
        vec![Self(([0; 4], port).into()), Self(([0_u16; 8], port).into())]
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Scalar for ListenAddress {
    fn expected() -> String {
        "\"address:port\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    fn to_toml(&self) -> String {
        quoted(&self.0.to_string())
    }
}

/// A domainpart (RFC 7622 §3.2), prepared: two that are equal compare equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(DomainPart);

impl Domain {
    /// Prepares a domainpart; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let part = DomainPart::new(text).ok()?;
        Some(Self(part.into_owned()))
    }

    /// The domain of a server that was told none: this machine, for trying it out.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a constant, covered by the tests of the defaults"
    )]
    pub fn localhost() -> Self {
        Self::parse("localhost").expect("localhost is a domain")
    }

    /// The prepared text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address of the domain itself.
    #[must_use]
    pub fn to_jid(&self) -> BareJid {
        BareJid::from_parts(None, &self.0)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scalar for Domain {
    fn expected() -> String {
        "a domain such as \"example.org\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn to_toml(&self) -> String {
        quoted(self.as_str())
    }
}

/// An address at which people are reached: a URI of `mailto`, `xmpp`, `tel`, `https` or
/// `http` (XEP-0157 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactAddress(String);

impl ContactAddress {
    /// The URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for ContactAddress {
    fn expected() -> String {
        "a URI such as \"mailto:abuse@example.org\" or \"xmpp:admin@example.org\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let known = ["mailto", "xmpp", "tel", "https", "http"];
        let graphic = rest.chars().all(|c| !c.is_whitespace() && !c.is_control());
        (known.contains(&scheme) && graphic && !rest.is_empty()).then(|| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}
