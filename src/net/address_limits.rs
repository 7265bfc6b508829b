//! What one network address may do before anybody has logged in: how many connections at
//! once, how many of them not logged in, how many new ones a second, and how soon it may try
//! another password.
//!
//! An IPv6 address counts by its /64, which is what a single subscriber is given; otherwise
//! one machine had 2^64 addresses. IPv4 addresses written as IPv6 count as IPv4.
//!
//! Loopback is exempt by default (`[c2s] limit_loopback`), from rate and counts: proxies, gateways
//! and load generators connect from there, each for many people, and whoever can open a
//! local socket already has better means against this machine. Time comes in as an
//! argument; nothing here waits, logs or knows of sockets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The limits. Zero in a count means one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. An office of several hundred people behind one address is
    /// ordinary in contact centers, and each may have two clients.
    pub connections_max: u32,
    /// Of these, how many that are not logged in yet: the cheap attack is to connect and wait.
    pub negotiations_max: u32,
    /// New connections a second, in the long run.
    pub connections_per_second: u32,
    /// New connections at one blow: everybody of that office, after the link came back.
    pub connections_burst: u32,
    /// Failed authentications that cost nothing; people mistype.
    pub failures_free: u32,
    /// One failure is forgiven after this time.
    pub failure_forgiven_after: Duration,
    /// The delay after the first failure that costs; doubled by each further one.
    pub failure_delay: Duration,
    /// The longest delay. Short, for it also meets the honest ones behind that address.
    pub failure_delay_max: Duration,
    /// Whether loopback addresses are limited as others are.
    pub loopback: Loopback,
}

/// How loopback addresses are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// No limits.
    Exempt,
    /// As any other address.
    Limited,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_000,
            negotiations_max: 1_000,
            connections_per_second: 50,
            connections_burst: 500,
            failures_free: 10,
            failure_forgiven_after: Duration::from_secs(30),
            failure_delay: Duration::from_millis(250),
            failure_delay_max: Duration::from_secs(15),
            loopback: Loopback::Exempt,
        }
    }
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// As many connections as allowed are open.
    #[error("too many connections from this address")]
    TooMany,
    /// As many as allowed are logging in.
    #[error("too many logins under way from this address")]
    TooManyNegotiations,
    /// They come too fast; the next is welcome after the given time.
    #[error("connections from this address come too fast")]
    TooFast(Duration),
}

/// Addresses whose recent doings are remembered. Beyond it the longest silent are
/// forgotten, half of them at a time; about 5 MB when full.
pub const ADDRESSES_MAX: usize = 65_536;

/// The doings of all addresses. Clones share them.
#[derive(Clone, Debug)]
pub struct AddressLimits {
    limits: Arc<Limits>,
    addresses: Arc<Mutex<Addresses>>,
}

/// An open connection; dropping it gives the place back.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct ConnectionSlot {
    _counted: Option<Counted>,
}

/// A connection that is not logged in yet; to be dropped when it is, or is gone.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct NegotiationPlace {
    _counted: Option<Counted>,
}

/// One of the counted; absent for an exempt address.
#[derive(Debug)]
struct Counted {
    addresses: Arc<Mutex<Addresses>>,
    key: IpAddr,
    of: fn(&mut Addresses) -> &mut Counts,
}

type Counts = HashMap<IpAddr, u32>;

impl AddressLimits {
    /// Nobody has connected yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits: Arc::new(limits),
            addresses: Arc::default(),
        }
    }

    /// Asks for a connection from `address`. A refused attempt costs the address nothing.
    ///
    /// # Errors
    /// When a limit is reached; see [`Refusal`].
    pub fn connect(
        &self,
        address: IpAddr,
        now: Instant,
    ) -> Result<(ConnectionSlot, NegotiationPlace), Refusal> {
        let Some(key) = self.key(address) else {
            let (slot, place) = (None, None);
            return Ok((
                ConnectionSlot { _counted: slot },
                NegotiationPlace { _counted: place },
            ));
        };
        let mut addresses = lock(&self.addresses);
        let count = |counts: &Counts| counts.get(&key).copied().unwrap_or(0);
        if count(&addresses.open) >= self.limits.connections_max.max(1) {
            return Err(Refusal::TooMany);
        }
        if count(&addresses.negotiating) >= self.limits.negotiations_max.max(1) {
            return Err(Refusal::TooManyNegotiations);
        }
        addresses
            .recent
            .entry(key, now)
            .take_token(&self.limits, now)?;
        *addresses.open.entry(key).or_default() += 1;
        *addresses.negotiating.entry(key).or_default() += 1;
        let counted = |of| Counted {
            addresses: Arc::clone(&self.addresses),
            key,
            of,
        };
        Ok((
            ConnectionSlot {
                _counted: Some(counted(|addresses| &mut addresses.open)),
            },
            NegotiationPlace {
                _counted: Some(counted(|addresses| &mut addresses.negotiating)),
            },
        ))
    }

    /// Takes note of a wrong password and says how long the answer should be kept back.
    pub fn authentication_failed(&self, address: IpAddr, now: Instant) -> Duration {
        let Some(key) = self.key(address) else {
            return Duration::ZERO;
        };
        let mut addresses = lock(&self.addresses);
        let doings = addresses.recent.entry(key, now);
        doings.forgive(&self.limits, now);
        doings.failures = doings.failures.saturating_add(1);
        doings.delay(&self.limits)
    }

    /// How long an attempt to authenticate from `address` should wait now; zero for most.
    #[must_use]
    pub fn authentication_delay(&self, address: IpAddr, now: Instant) -> Duration {
        let Some(key) = self.key(address) else {
            return Duration::ZERO;
        };
        let mut addresses = lock(&self.addresses);
        let Some(doings) = addresses.recent.find(&key) else {
            return Duration::ZERO;
        };
        doings.forgive(&self.limits, now);
        doings.delay(&self.limits)
    }

    /// Open connections of limited addresses, for the metrics.
    #[must_use]
    pub fn open(&self) -> u64 {
        lock(&self.addresses)
            .open
            .values()
            .copied()
            .map(u64::from)
            .sum()
    }

    fn key(&self, address: IpAddr) -> Option<IpAddr> {
        let address = address.to_canonical();
        if self.limits.loopback == Loopback::Exempt && address.is_loopback() {
            return None;
        }
        Some(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & PREFIX_64).into(),
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut addresses = lock(&self.addresses);
        let counts = (self.of)(&mut addresses);
        match counts.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.remove(&self.key);
            }
        }
    }
}

/// Nothing done under the lock can panic half-way; were it so, the counts would still serve.
fn lock(addresses: &Mutex<Addresses>) -> MutexGuard<'_, Addresses> {
    addresses.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
struct Addresses {
    /// Never evicted: each entry stands for a connection, which is what bounds it.
    open: Counts,
    /// Those of `open` that are not logged in.
    negotiating: Counts,
    recent: Recent,
}

/// The recent doings in two generations. When the younger is full the older is dropped and
/// the younger takes its place; whoever does something moves to the younger. So the
/// silent are forgotten first and no call ever searches the table.
#[derive(Debug, Default)]
struct Recent {
    younger: HashMap<IpAddr, Doings>,
    older: HashMap<IpAddr, Doings>,
}

impl Recent {
    fn entry(&mut self, key: IpAddr, now: Instant) -> &mut Doings {
        if !self.younger.contains_key(&key) && self.younger.len() >= ADDRESSES_MAX / 2 {
            self.older = std::mem::take(&mut self.younger);
        }
        let older = &mut self.older;
        self.younger
            .entry(key)
            .or_insert_with(|| older.remove(&key).unwrap_or_else(|| Doings::new(now)))
    }

    fn find(&mut self, key: &IpAddr) -> Option<&mut Doings> {
        match self.younger.get_mut(key) {
            Some(doings) => Some(doings),
            None => self.older.get_mut(key),
        }
    }
}

#[derive(Debug)]
struct Doings {
    /// The token bucket as one moment (the "generic cell rate algorithm"): when the bucket
    /// will be full again.
    full_at: Instant,
    failures: u32,
    /// Up to when failures have been forgiven.
    forgiven_until: Instant,
}

impl Doings {
    const fn new(now: Instant) -> Self {
        Self {
            full_at: now,
            failures: 0,
            forgiven_until: now,
        }
    }

    fn take_token(&mut self, limits: &Limits, now: Instant) -> Result<(), Refusal> {
        let interval = Duration::from_secs(1) / limits.connections_per_second.max(1);
        let tolerated = interval * (limits.connections_burst.max(1) - 1);
        let full_at = self.full_at.max(now);
        let debt = full_at.duration_since(now);
        if debt > tolerated {
            return Err(Refusal::TooFast(debt - tolerated));
        }
        self.full_at = full_at + interval;
        Ok(())
    }

    fn forgive(&mut self, limits: &Limits, now: Instant) {
        let period = limits.failure_forgiven_after.max(Duration::from_millis(1));
        let passed = now.saturating_duration_since(self.forgiven_until);
        let forgiven = u32::try_from(passed.as_nanos() / period.as_nanos()).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_sub(forgiven);
        self.forgiven_until = if self.failures == 0 {
            now
        } else {
            // What is left of the running period goes on counting.
            self.forgiven_until + period.saturating_mul(forgiven)
        };
    }

    fn delay(&self, limits: &Limits) -> Duration {
        match self.failures.checked_sub(limits.failures_free) {
            None | Some(0) => Duration::ZERO,
            Some(costly) => limits
                .failure_delay
                .saturating_mul(2_u32.saturating_pow(costly - 1))
                .min(limits.failure_delay_max),
        }
    }
}

const PREFIX_64: u128 = u128::MAX << 64;

#[cfg(test)]
mod tests;
