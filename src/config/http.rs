//! `[http]`: what is served to browsers and through proxies.

use std::fmt;
use std::net::IpAddr;

use super::section::section;
use super::units::Seconds;
use super::value::{Scalar, quoted};

section! {
    /// XMPP inside of HTTP: WebSocket (RFC 7395), BOSH (XEP-0124, XEP-0206), and the documents
    /// that say where they are (XEP-0156). Served where `[listen]` has http or https.
    pub struct Http {
        /// Where clients reach the server's HTTP, as a URL without a path, when that is not
        /// https://DOMAIN:PORT of `[listen]` https: behind a proxy, most often.
        public_url: Option<PublicUrl> = None;
        /// The path of WebSocket.
        websocket_path: UrlPath = UrlPath::of("/xmpp-websocket");
        /// The path of BOSH.
        bosh_path: UrlPath = UrlPath::of("/http-bind");
        /// Networks of proxies that end TLS before `[listen]` http, and whose X-Forwarded-For is
        /// believed: the limits by address are for whom they speak for, not for them. Others
        /// may not log in there without TLS while `[c2s]` require_tls is true.
        trusted_proxies: Vec<Network> = Network::loopback();
        /// From where `/metrics` may be read. `/healthz` and `/readyz` tell so little that anybody may.
        operator_networks: Vec<Network> = Network::loopback();
        /// From which web pages browsers may connect: origins such as
        /// `https://chat.example.org`, or "*" for any.
        origins: Vec<WebOrigin> = vec![WebOrigin::any()];
        /// How long a request may take to arrive: its head, its body, and the pause before it
        /// on a connection that stays open.
        request_seconds: Seconds = Seconds::new(30), in Seconds::new(1)..=Seconds::new(600);
        /// After how long of silence on a WebSocket it is pinged. Many proxies close what is
        /// silent for 60 seconds.
        websocket_ping_seconds: Seconds = Seconds::new(45),
            in Seconds::new(1)..=Seconds::new(3600);
        /// The longest that a request of BOSH is held when there is nothing to say; the same 60
        /// seconds are the reason.
        bosh_wait_seconds_max: Seconds = Seconds::new(50), in Seconds::new(1)..=Seconds::new(600);
        /// How long a client of BOSH may be without a request before its session ends.
        bosh_inactivity_seconds: Seconds = Seconds::new(60),
            in Seconds::new(1)..=Seconds::new(600);
        /// The longest pause that a client of BOSH may ask for (XEP-0124 §10).
        bosh_pause_seconds_max: Seconds = Seconds::new(120),
            in Seconds::new(1)..=Seconds::new(3600);
        /// How close empty requests of BOSH may follow each other (XEP-0124 §11).
        bosh_polling_seconds: Seconds = Seconds::new(5), in Seconds::new(1)..=Seconds::new(60);
        /// How many sessions of BOSH there may be at once, logged in or not.
        bosh_sessions_max: u32 = 10_000, in 1..=1_000_000;
    }
}

/// `https://chat.example.org:8443`, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for PublicUrl {
    fn expected() -> String {
        "a URL without a path such as \"https://chat.example.org\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (scheme, authority) = text.split_once("://")?;
        (["https", "http"].contains(&scheme) && is_authority(authority))
            .then(|| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

/// The path of a URL: `/xmpp-websocket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlPath(String);

impl UrlPath {
    fn of(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The path; it begins with a slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for UrlPath {
    fn expected() -> String {
        "a path of letters, digits, \"-\", \"_\", \".\" and \"/\", such as \"/xmpp-websocket\""
            .to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let parts = rest.split('/');
        parts
            .clone()
            .all(|part| {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                !part.is_empty() && part.chars().all(plain)
            })
            .then(|| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

/// An origin of web pages (RFC 6454 §6.2), or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// Every page.
    #[must_use]
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// Whether it stands for every page.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == "*"
    }

    /// As a browser names it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for WebOrigin {
    fn expected() -> String {
        "an origin such as \"https://chat.example.org\", or \"*\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let fits = match text.split_once("://") {
            Some((scheme, authority)) => !scheme.is_empty() && is_authority(authority),
            None => text == "*",
        };
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

fn is_authority(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    !text.is_empty() && text.chars().all(fits)
}

/// Addresses that begin alike: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The addresses of this machine.
    fn loopback() -> Vec<Self> {
        ["127.0.0.0/8", "::1"]
            .into_iter()
            .filter_map(Self::from_text)
            .collect()
    }

    /// Whether the address is one of these. An IPv4 address written as IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let begin = |bits: u128, width: u8| {
            bits.checked_shr(u32::from(width.saturating_sub(self.prefix)))
                .unwrap_or(0)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                begin(u32::from(own).into(), 32) == begin(u32::from(other).into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                begin(own.into(), 128) == begin(other.into(), 128)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Scalar for Network {
    fn expected() -> String {
        "an address or a network such as \"10.0.0.0/8\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= whole)?,
            None => whole,
        };
        Some(Self { address, prefix })
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_alike() {
        for (network, address, inside) in [
            ("127.0.0.0/8", "127.1.2.3", true),
            ("127.0.0.0/8", "128.0.0.1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
        ] {
            let network = Network::from_text(network).unwrap();
            let address = address.parse().unwrap();
            assert_eq!(network.contains(address), inside, "{network} {address}");
        }
        for wrong in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/-1", "1/2/3"] {
            assert_eq!(Network::from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_url_path_or_origin_is_refused() {
        for wrong in ["", "x", "//", "/a//b", "/{a}", "/a?b", "/a b"] {
            assert_eq!(UrlPath::from_text(wrong), None, "{wrong}");
        }
        for wrong in [
            "",
            "chat.example",
            "ftp://a",
            "https://a/b",
            "https://a b",
            "https://",
        ] {
            assert_eq!(PublicUrl::from_text(wrong), None, "{wrong}");
        }
        for wrong in ["", "**", "chat.example", "https://a/b", "://a"] {
            assert_eq!(WebOrigin::from_text(wrong), None, "{wrong}");
        }
        let url = PublicUrl::from_text("https://a.example:8443/").unwrap();
        assert_eq!(url.as_str(), "https://a.example:8443");
    }
}
