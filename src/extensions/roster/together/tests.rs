//! Two rosters as one. What comes of it for clients is in the tests of the contact center.

use super::*;
use crate::extensions::testing::House;

/// A decision that is refused, or that wants nothing, changes nothing; one that fails in one roster fails in both.
#[tokio::test]
async fn both_rosters_are_written_or_neither() {
    let house = House::new(&["romeo"]).await;
    let services = house.router.services();
    let jid = |name: &str| BareJid::new(&format!("{name}@localhost")).unwrap();
    let (own, other) = (jid("romeo"), jid("nobody"));
    let pair = Pair {
        own: &own,
        other: &other,
        wish: Wish::Told,
    };
    let refused = together(services, pair, |found| {
        assert!(found.own.item.is_none() && !found.other.full);
        Err("no")
    });
    assert_eq!(Box::pin(refused).await.unwrap(), Err("no"));
    let nothing = together(services, pair, |_| Ok::<_, ()>([None, None]));
    assert_eq!(Box::pin(nothing).await.unwrap(), Ok(false));
    let put = |contact: &BareJid| Some(Write::Put(RosterItem::new(contact.clone())));
    let half = together(services, pair, |_| Ok::<_, ()>([put(&other), put(&own)]));
    assert!(Box::pin(half).await.is_err());
    let found = services.store.rosters().find(&own, &other).await;
    assert_eq!(found.unwrap(), None);
}
