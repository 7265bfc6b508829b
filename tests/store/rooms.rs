//! Rooms (XEP-0045) and what accounts are in them.

use parlour::store::{RoomAffiliation, RoomRecord};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    a_room_is_stored_with_what_has_changed,
    rooms_are_listed_in_pages,
    an_account_that_goes_is_nothing_in_any_room,
);

fn room(name: &str) -> RoomRecord {
    RoomRecord {
        jid: jid(&format!("{name}@rooms.example.com")),
        creator: jid("alice@example.com"),
        created_at: NOW,
        config: b"<x/>".to_vec(),
        subject: None,
        vcard: None,
        hats: None,
    }
}

fn affiliation(account: &str, affiliation: &str, nick: Option<&str>) -> RoomAffiliation {
    RoomAffiliation {
        jid: jid(account),
        affiliation: affiliation.to_owned(),
        nick: nick.map(str::to_owned),
        reason: None,
        hats: None,
    }
}

async fn a_room_is_stored_with_what_has_changed(place: Place) {
    let store = place.open().await;
    let rooms = store.rooms();
    let mut cave = room("cave");
    let alice = affiliation("alice@example.com", "owner", None);
    // No account of this server.
    let bob = affiliation("bob@example.net", "member", Some("Bob"));
    let both = [alice.clone(), bob.clone()].map(|it| (it.jid.clone(), Some(it)));
    rooms.put(&cave, &both).await.unwrap();
    assert_eq!(rooms.page("").await.unwrap(), [cave.clone()]);
    assert_eq!(
        rooms.affiliations(&cave.jid).await.unwrap(),
        [alice, bob.clone()]
    );
    cave.config = b"<y/>".to_vec();
    cave.subject = Some(b"<message/>".to_vec());
    cave.vcard = Some(b"<vCard/>".to_vec());
    cave.hats = Some(b"<hats/>".to_vec());
    let outcast = RoomAffiliation {
        hats: Some("urn:hat".to_owned()),
        ..affiliation("bob@example.net", "outcast", None)
    };
    let changed = [
        (jid("alice@example.com"), None),
        (bob.jid, Some(outcast.clone())),
        (jid("nobody@example.com"), None),
    ];
    rooms.put(&cave, &changed).await.unwrap();
    assert_eq!(rooms.page("").await.unwrap(), [cave.clone()]);
    assert_eq!(rooms.affiliations(&cave.jid).await.unwrap(), [outcast]);
    rooms.remove(&cave.jid).await.unwrap();
    rooms.remove(&cave.jid).await.unwrap();
    assert_eq!(rooms.page("").await.unwrap(), []);
    assert_eq!(rooms.affiliations(&cave.jid).await.unwrap(), []);
}

async fn rooms_are_listed_in_pages(place: Place) {
    let store = place.open().await;
    let rooms = store.rooms();
    for name in ["c", "a", "b"] {
        rooms.put(&room(name), &[]).await.unwrap();
    }
    let names = |page: Vec<RoomRecord>| -> Vec<String> {
        page.iter().map(|room| room.jid.to_string()).collect()
    };
    assert_eq!(
        names(rooms.page("").await.unwrap()),
        [
            "a@rooms.example.com",
            "b@rooms.example.com",
            "c@rooms.example.com"
        ]
    );
    assert_eq!(
        names(rooms.page("b@rooms.example.com").await.unwrap()),
        ["c@rooms.example.com"]
    );
}

async fn an_account_that_goes_is_nothing_in_any_room(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let rooms = store.rooms();
    let bob = affiliation("bob@example.com", "member", None);
    for name in ["a", "b"] {
        let owner = affiliation("alice@example.com", "owner", Some("Alice"));
        let both = [owner, bob.clone()].map(|it| (it.jid.clone(), Some(it)));
        rooms.put(&room(name), &both).await.unwrap();
    }
    let _gone = store.accounts().remove(&alice).await.unwrap();
    for name in ["a", "b"] {
        let left = rooms.affiliations(&room(name).jid).await.unwrap();
        assert_eq!(left, std::slice::from_ref(&bob));
    }
}
