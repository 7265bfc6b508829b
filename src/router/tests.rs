//! What a stanza on its way takes of the heap.

use std::sync::Arc;

use super::Replies;
use crate::extensions::testing::House;
use crate::hooks::Effects;
use crate::proto::{MessageType, Stanza};

/// What an allocator has at hand for a thread ends at about a kilobyte: what is larger is looked for.
const AT_HAND: usize = 1_024;

#[tokio::test]
async fn no_stanza_on_its_way_takes_more_than_what_is_at_hand() {
    let house = House::with(&["romeo"], |_, _| {}).await;
    let romeo = house.client("romeo/desk");
    let router = Arc::clone(&house.router);
    let mut replies = Replies::default();
    let mail = || Arc::new(Stanza::message(MessageType::Chat));
    let submit = size_of_val(&router.submit(&romeo.session, mail()));
    let carry_out = size_of_val(&*router.carry_out(Effects::default(), &mut replies));
    let dispatch = size_of_val(&router.dispatch(mail(), &mut replies));
    let iq = size_of_val(&router.iq(mail(), None, &mut replies));
    for (what, size) in [
        ("submit", submit),
        ("carry_out", carry_out),
        ("dispatch", dispatch),
        ("iq", iq),
    ] {
        assert!(size <= AT_HAND, "{what}: {size}");
    }
}
