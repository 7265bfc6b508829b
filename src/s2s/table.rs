//! All links, and room for more of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::dialback::Pair;
use super::link::Link;
use crate::peer::QueueLimits;

/// The links of all pairs of domains.
#[derive(Debug)]
pub(super) struct Table {
    links: Mutex<HashMap<Pair, Arc<Link>>>,
    max: usize,
    limits: QueueLimits,
}

impl Table {
    pub(super) fn new(max: usize, limits: QueueLimits) -> Self {
        Self {
            links: Mutex::default(),
            max,
            limits,
        }
    }

    /// The link of a pair; a new one when there is none and room for it.
    pub(super) fn link(&self, pair: &Pair, now: Instant) -> Option<Arc<Link>> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(pair) {
            return Some(Arc::clone(link));
        }
        if links.len() >= self.max && !make_room(&mut links, self.max, now) {
            return None;
        }
        let link = Arc::new(Link::new(pair.clone(), self.limits));
        links.insert(pair.clone(), Arc::clone(&link));
        Some(link)
    }
}

/// Forgets links with nothing in them; when there are none, the one whose domain would be tried again
/// soonest. Domains that do not exist cannot keep those out that do.
fn make_room(links: &mut HashMap<Pair, Arc<Link>>, max: usize, now: Instant) -> bool {
    links.retain(|_, link| !link.is_forgettable(now));
    if links.len() >= max {
        let waiting = links.values().filter_map(|link| {
            let until = link.backs_off_until()?;
            Some((until, &link.pair))
        });
        let soonest = waiting.min_by_key(|(until, _)| *until);
        let Some(pair) = soonest.map(|(_, pair)| pair.clone()) else {
            return false;
        };
        links.remove(&pair);
    }
    links.len() < max
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::proto::{Condition, MessageType, Stanza};

    fn pair(remote: &str) -> Pair {
        Pair {
            local: "a.example".to_owned(),
            remote: remote.to_owned(),
        }
    }

    fn fails(link: &Arc<Link>, until: Instant) {
        let claim = link.claim().unwrap();
        link.failed(Condition::RemoteServerTimeout.into(), |_| until);
        claim.forget();
    }

    #[test]
    fn domains_that_fail_do_not_keep_others_out() {
        let limits = QueueLimits {
            stanzas_max: 2,
            bytes_max: usize::MAX,
        };
        let table = Table::new(3, limits);
        let now = Instant::now();
        let soon = now + Duration::from_secs(5);
        let link = |remote: &str| table.link(&pair(remote), now);
        let used = link("used.example").unwrap();
        let claim = used.claim().unwrap();
        let late = link("late.example").unwrap();
        fails(&late, soon + Duration::from_secs(5));
        fails(&link("soon.example").unwrap(), soon);
        let busy = link("new.example").expect("room of the one that is tried soonest");
        assert!(Arc::ptr_eq(&late, &link("late.example").unwrap()));
        let message = Arc::new(Stanza::message(MessageType::Chat));
        let (_, sends) = busy.put(message, now).unwrap();
        // The other that fails goes as well; those in use stay.
        assert!(link("soon.example").is_some());
        let third = link("soon.example").unwrap();
        let held = third.claim().unwrap();
        assert!(link("more.example").is_none());
        assert!(Arc::ptr_eq(&used, &link("used.example").unwrap()));
        drop((claim, sends, held));
        assert!(link("more.example").is_some());
        assert!(Arc::ptr_eq(&busy, &link("new.example").unwrap()));
    }
}
