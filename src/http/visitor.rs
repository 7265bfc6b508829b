//! Who stands behind a request: its connection, or, where a trusted proxy speaks for it, whom
//! the proxy names.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use tokio::time::Instant;

use crate::config::{Http, Network};
use crate::net::address_limits::{AddressLimits, ConnectionSlot, NegotiationPlace, Refusal};
use crate::session::web::Carriage;

/// The places that a connection was given by the limits for its address.
pub type Places = (ConnectionSlot, NegotiationPlace);

/// The connection of a request; handlers find it among the request's extensions.
#[derive(Clone, Debug)]
pub struct Visitor {
    peer: IpAddr,
    tls: bool,
    /// Taken by the first session that begins on the connection, so that it is not counted twice.
    places: Arc<Mutex<Option<Places>>>,
}

/// Whom a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address.
    pub address: IpAddr,
    /// Whether TLS protects the way to it: ours, or that of a proxy that is trusted to end it.
    pub encrypted: bool,
}

impl Client {
    /// What a session is told of it.
    pub(super) const fn carriage(self) -> Carriage {
        if self.encrypted {
            Carriage::Encrypted
        } else {
            Carriage::Open
        }
    }
}

impl Visitor {
    pub(super) fn new(peer: IpAddr, tls: bool, places: Places) -> Self {
        Self {
            peer,
            tls,
            places: Arc::new(Mutex::new(Some(places))),
        }
    }

    /// The client behind a request with these headers.
    #[must_use]
    pub fn client(&self, headers: &HeaderMap, config: &Http) -> Client {
        let proxies = &config.trusted_proxies;
        if !is_one_of(proxies, self.peer) {
            return Client {
                address: self.peer,
                encrypted: self.tls,
            };
        }
        Client {
            address: forwarded(headers, proxies).unwrap_or(self.peer),
            encrypted: true,
        }
    }

    /// Asks for the places of a session of `client`.
    ///
    /// # Errors
    /// When the limits for its address are reached.
    pub fn admit(&self, client: Client, limits: &AddressLimits) -> Result<Places, Refusal> {
        if client.address == self.peer {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(places) = places.take() {
                return Ok(places);
            }
        }
        limits.connect(client.address, Instant::now().into_std())
    }
}

fn is_one_of(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The last address of X-Forwarded-For that is not itself a proxy's: each proxy adds whom it
/// talked to at the end, and what stands before the first trusted one may be invented.
fn forwarded(headers: &HeaderMap, proxies: &[Network]) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let addresses = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    let mut last = None;
    for address in addresses {
        let Ok(address) = address.trim().parse::<IpAddr>() else {
            break;
        };
        last = Some(address.to_canonical());
        if !is_one_of(proxies, address) {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::address_limits::Limits;

    fn visitor(peer: &str, tls: bool) -> Visitor {
        let limits = AddressLimits::new(Limits::default());
        let peer = peer.parse().unwrap();
        let places = limits.connect(peer, Instant::now().into_std()).unwrap();
        Visitor::new(peer, tls, places)
    }

    #[test]
    fn only_a_trusted_proxy_says_who_is_behind_it() {
        let config = Http::default();
        for (peer, tls, forwarded, address, encrypted) in [
            ("203.0.113.9", true, None, "203.0.113.9", true),
            ("203.0.113.9", false, None, "203.0.113.9", false),
            (
                "203.0.113.9",
                false,
                Some("198.51.100.1"),
                "203.0.113.9",
                false,
            ),
            ("127.0.0.1", false, None, "127.0.0.1", true),
            (
                "127.0.0.1",
                false,
                Some("198.51.100.1"),
                "198.51.100.1",
                true,
            ),
            (
                "127.0.0.1",
                false,
                Some("192.0.2.66, 198.51.100.1"),
                "198.51.100.1",
                true,
            ),
            (
                "127.0.0.1",
                false,
                Some("198.51.100.1, 127.0.0.2"),
                "198.51.100.1",
                true,
            ),
            (
                "127.0.0.1",
                false,
                Some("198.51.100.1, nonsense"),
                "127.0.0.1",
                true,
            ),
            ("::1", false, Some("2001:db8::1"), "2001:db8::1", true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(forwarded) = forwarded {
                headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            }
            let client = visitor(peer, tls).client(&headers, &config);
            let address = address.parse().unwrap();
            assert_eq!(
                client,
                Client { address, encrypted },
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn the_first_session_of_a_connection_is_not_counted_twice() {
        let limits = AddressLimits::new(Limits {
            connections_max: 1,
            ..Limits::default()
        });
        let peer: IpAddr = "203.0.113.9".parse().unwrap();
        let places = limits.connect(peer, Instant::now().into_std()).unwrap();
        let visitor = Visitor::new(peer, true, places);
        let client = Client {
            address: peer,
            encrypted: true,
        };
        let first = visitor.admit(client, &limits);
        assert!(first.is_ok());
        assert_eq!(
            visitor.admit(client, &limits).unwrap_err(),
            Refusal::TooMany
        );
        drop(first);
        assert!(visitor.admit(client, &limits).is_ok());
    }
}
