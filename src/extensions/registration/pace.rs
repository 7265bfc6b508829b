//! How often one address may make an account: a token bucket each.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::clock::Timestamp;

/// Accounts that an address may make at once: a family, a small office.
const BURST: i64 = 5;

/// After how long it may make one more.
const SECONDS_EACH: i64 = 600;

/// Addresses that are remembered. With more than this in the time of a whole bucket, somebody
/// has a botnet and nobody else is let in.
const ADDRESSES_MAX: usize = 10_000;

/// The buckets, kept as the moment from which each would be full.
#[derive(Debug, Default)]
pub(super) struct Pace(HashMap<IpAddr, Timestamp>);

impl Pace {
    /// Whether the address may make an account now; counts it if so.
    pub(super) fn admit(&mut self, peer: IpAddr, now: Timestamp) -> bool {
        let peer = network(peer);
        if self.0.len() >= ADDRESSES_MAX {
            self.0.retain(|_, full_at| *full_at > now);
            if self.0.len() >= ADDRESSES_MAX && !self.0.contains_key(&peer) {
                return false;
            }
        }
        let full_at = self.0.get(&peer).copied().unwrap_or(now).max(now);
        let after = full_at.plus_seconds(SECONDS_EACH);
        if after.seconds_since(now) > BURST * SECONDS_EACH {
            return false;
        }
        self.0.insert(peer, after);
        true
    }
}

/// Who has one IPv6 address has the 2^64 beside it.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & (u128::MAX << 64)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_makes_five_accounts_and_then_one_in_ten_minutes() {
        let mut pace = Pace::default();
        let start = Timestamp::from_micros(1_790_000_000_000_000);
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..5 {
            assert!(pace.admit(here, start));
        }
        assert!(!pace.admit(here, start));
        assert!(pace.admit(there, start));
        assert!(!pace.admit(here, start.plus_seconds(599)));
        assert!(pace.admit(here, start.plus_seconds(600)));
        assert!(!pace.admit(here, start.plus_seconds(600)));
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let mut pace = Pace::default();
        let start = Timestamp::from_micros(0);
        for last in 0..5_u16 {
            assert!(pace.admit(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]), start));
        }
        assert!(!pace.admit(IpAddr::from([0x2001, 0xdb8, 0, 0, 9, 9, 9, 9]), start));
        assert!(pace.admit(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, 0]), start));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut pace = Pace::default();
        let start = Timestamp::from_micros(0);
        let bits =
            |at: usize| IpAddr::from((0x0A00_0000 + u32::try_from(at).unwrap()).to_be_bytes());
        for at in 0..ADDRESSES_MAX {
            assert!(pace.admit(bits(at), start));
        }
        assert!(!pace.admit(bits(ADDRESSES_MAX), start));
        assert!(pace.admit(bits(ADDRESSES_MAX), start.plus_seconds(601)));
    }
}
