use super::{ROOM, cave, configure, enter, say, told};
use crate::extensions::testing::Client;
use crate::proto::BareJid;

/// The stanzas that the room's archive has.
async fn archived(client: &mut Client) -> Vec<String> {
    client.received();
    client
        .send(&format!(
            "<iq type='set' id='q' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>"
        ))
        .await;
    let received = client.received_xml();
    let results = received.into_iter().filter(|xml| xml.contains("<result "));
    results.collect()
}

#[tokio::test]
async fn a_room_has_an_archive_as_long_as_it_exists() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    say(&mut juliet, "one").await;
    assert_eq!(archived(&mut juliet).await.len(), 1);
    let services = house.router.services();
    let room = BareJid::new(ROOM).unwrap();
    let archive = services.store.archive();
    juliet.disconnect().await;
    archive.settle().await.unwrap();
    assert!(Box::pin(archive.ends(&room)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_new_room_has_nothing_of_an_older_one_of_its_name() {
    let (house, _juliet) = cave(&["juliet", "romeo"]).await;
    let services = house.router.services();
    let archive = services.store.archive();
    // As when the server was killed while the room was there.
    let left = crate::store::NewArchived {
        owner: BareJid::new("other@rooms.localhost").unwrap(),
        with: "juliet@localhost".parse().unwrap(),
        stanza: "<message xmlns='jabber:client'><body>old</body></message>".into(),
        words: Vec::new(),
    };
    let begun = archive.append(left, services.clock.now());
    begun.written.await.unwrap();
    let mut romeo = house.client("romeo/orchard");
    let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
    romeo
        .send(&format!(
            "<presence to='other@rooms.localhost/Romy'>{x}</presence>"
        ))
        .await;
    romeo.received();
    romeo
        .send(
            "<iq type='set' id='q' to='other@rooms.localhost'><query xmlns='urn:xmpp:mam:2'/></iq>",
        )
        .await;
    let answer = romeo.received_xml().concat();
    assert!(
        answer.contains("<fin ") && !answer.contains("old"),
        "{answer}"
    );
}

#[tokio::test]
async fn what_is_announced_is_what_is_kept() {
    let (_house, mut juliet) = cave(&["juliet"]).await;
    let ask = format!(
        "<iq type='get' id='d' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    );
    for (logging, announced) in [("1", true), ("0", false)] {
        configure(&mut juliet, &[("roomconfig_enablelogging", logging)]).await;
        juliet.received();
        juliet.send(&ask).await;
        let info = juliet.received_xml().concat();
        assert!(info.contains("'urn:xmpp:sid:0'"), "{info}");
        assert_eq!(info.contains("'urn:xmpp:mam:2'"), announced, "{info}");
    }
    juliet
        .send(&format!(
            "<iq type='set' id='q' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>"
        ))
        .await;
    assert_eq!(told(&mut juliet), ["iq error service-unavailable"]);
}

#[tokio::test]
async fn a_room_keeps_what_accounts_keep() {
    let (_house, mut juliet) = cave(&["juliet"]).await;
    for (inside, kept) in [
        ("<body>x</body>", true),
        ("<encrypted xmlns='eu.siacs.conversations.axolotl'/>", true),
        ("<invite xmlns='urn:xmpp:call-invites:0' id='c'/>", true),
        (
            "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
            false,
        ),
        ("<body>x</body><no-store xmlns='urn:xmpp:hints'/>", false),
        (
            "<body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/>",
            false,
        ),
    ] {
        let before = archived(&mut juliet).await.len();
        juliet
            .send(&format!(
                "<message to='{ROOM}' type='groupchat'>{inside}</message>"
            ))
            .await;
        let more = archived(&mut juliet).await.len() - before;
        assert_eq!(more, usize::from(kept), "{inside}");
    }
}

#[tokio::test]
async fn who_comes_back_finds_the_archive_of_a_room_that_was_not_empty() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    say(&mut juliet, "one").await;
    romeo.disconnect().await;
    say(&mut juliet, "two").await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    assert_eq!(archived(&mut romeo).await.len(), 2);
}
