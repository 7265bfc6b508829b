use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::{ROOM, admin, cave, configure, enter, say, told};
use crate::extensions::muc::room::Room;
use crate::extensions::muc::rooms::Rooms;
use crate::extensions::testing::{Client, House};
use crate::proto::BareJid;

const STAYS: (&str, &str) = ("roomconfig_persistentroom", "1");

/// The room as a server that starts on the same database has it.
pub(super) async fn restart(house: &House) -> Arc<Room> {
    let services = house.router.services();
    let host = BareJid::new("localhost").unwrap();
    let domain = BareJid::new("rooms.localhost").unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let rooms = Rooms::new(domain, host, &services.config, &count);
    rooms.ready(services).await.unwrap();
    let room = rooms.find(&BareJid::new(ROOM).unwrap()).unwrap();
    rooms.recall(&room, services).await.unwrap();
    room
}

fn register(inside: &str) -> String {
    format!(
        "<iq type='set' id='r' to='{ROOM}'><query xmlns='jabber:iq:register'>{inside}</query></iq>"
    )
}

fn nickname(nick: &str) -> String {
    register(&format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='muc#register_roomnick'><value>{nick}</value></field></x>"
    ))
}

/// What an owner hears when asking for a list.
async fn listed(owner: &mut Client, affiliation: &str) -> String {
    owner.received();
    admin(
        owner,
        "get",
        &format!("<item affiliation='{affiliation}'/>"),
    )
    .await;
    owner.received_xml().concat()
}

#[tokio::test]
async fn a_removed_account_leaves_nothing_to_the_next_of_its_name() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    configure(&mut juliet, &[STAYS, ("roomconfig_membersonly", "1")]).await;
    let items = "<item affiliation='admin' jid='romeo@localhost' nick='Romy'/><item affiliation='member' jid='nurse@localhost'/>";
    admin(&mut juliet, "set", items).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    let services = house.router.services();
    let gone = BareJid::new("romeo@localhost").unwrap();
    let removed = services.store.accounts().remove(&gone).await.unwrap();
    assert!(removed.is_some());
    services.hooks.run_removed(&gone, services).await;
    assert_eq!(
        told(&mut juliet),
        ["presence unavailable /Romy none/none romeo@localhost/orchard"]
    );
    assert!(!listed(&mut juliet, "admin").await.contains("romeo"));
    assert!(listed(&mut juliet, "member").await.contains("nurse"));
    let again = restart(&house).await;
    let known: Vec<String> = again
        .lock()
        .associates
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(known, ["juliet@localhost", "nurse@localhost"]);
    let mut next = house.client("romeo/orchard");
    enter(&mut next, "Romy").await;
    assert_eq!(
        told(&mut next),
        ["presence error /Romy registration-required"]
    );
}

#[tokio::test]
async fn what_the_database_does_not_take_does_not_happen() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let fields = [STAYS, ("roomconfig_changesubject", "1")];
    configure(&mut juliet, &fields).await;
    admin(
        &mut juliet,
        "set",
        "<item affiliation='member' jid='romeo@localhost'/>",
    )
    .await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    house.router.services().store.close().await;
    let refused = "error internal-server-error";
    for items in [
        "<item affiliation='owner' jid='romeo@localhost'/>",
        "<item affiliation='outcast' jid='romeo@localhost'/>",
        "<item affiliation='member' jid='nurse@localhost'/>",
    ] {
        juliet.received();
        admin(&mut juliet, "set", items).await;
        assert_eq!(told(&mut juliet), [format!("iq {refused}")], "{items}");
        assert_eq!(told(&mut romeo), [""; 0], "{items}");
    }
    let fields = [
        STAYS,
        ("roomconfig_whois", "anyone"),
        ("roomconfig_roomname", "New"),
    ];
    configure(&mut juliet, &fields).await;
    assert_eq!(told(&mut juliet), [format!("iq {refused}")]);
    configure(&mut juliet, &[("roomconfig_persistentroom", "0")]).await;
    assert_eq!(told(&mut juliet), [format!("iq {refused}")]);
    let subject = format!("<message to='{ROOM}' type='groupchat'><subject>New</subject></message>");
    juliet.send(&subject).await;
    assert_eq!(told(&mut juliet), [format!("message {refused}")]);
    romeo.send(&nickname("Montague")).await;
    assert_eq!(told(&mut romeo), [format!("iq {refused}")]);
    let destroy = "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>";
    juliet
        .send(&format!("<iq type='set' id='o' to='{ROOM}'>{destroy}</iq>"))
        .await;
    assert_eq!(told(&mut juliet), [format!("iq {refused}")]);
    assert_eq!(told(&mut romeo), [""; 0]);
    let room = listed(&mut juliet, "member").await + &listed(&mut juliet, "owner").await;
    assert!(
        room.contains("romeo@localhost") && !room.contains("nurse"),
        "{room}"
    );
    assert!(!room.contains("Montague"), "{room}");
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    juliet
        .send(&format!("<iq type='get' id='d' to='{ROOM}'>{info}</iq>"))
        .await;
    let info = juliet.received_xml().concat();
    assert!(
        info.contains("muc_persistent") && info.contains("muc_semianonymous"),
        "{info}"
    );
    assert!(!info.contains("New"), "{info}");
}

#[tokio::test]
async fn a_room_that_does_not_stay_needs_no_database() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    house.router.services().store.close().await;
    let item = "<item affiliation='admin' jid='romeo@localhost'/>";
    admin(&mut juliet, "set", item).await;
    assert_eq!(
        told(&mut romeo),
        ["presence /Romy admin/moderator romeo@localhost/orchard 110"]
    );
}

#[tokio::test]
async fn when_the_server_stops_everybody_hears_its_own_end() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    let services = house.router.services();
    services.hooks.run_stopping(services).await;
    assert_eq!(
        told(&mut juliet),
        ["presence unavailable /Jule owner/none 110 332"]
    );
    assert_eq!(
        told(&mut romeo),
        ["presence unavailable /Romy none/none 110 332"]
    );
    romeo.disconnect().await;
    assert_eq!(told(&mut juliet), [""; 0]);
}

#[tokio::test]
async fn a_flood_is_refused_beyond_the_pace_and_delays_nobody_else() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/chamber");
    enter(&mut romeo, "Romy").await;
    enter(&mut nurse, "Nurse").await;
    for client in [&mut juliet, &mut romeo, &mut nurse] {
        client.received();
    }
    let limits = &house.router.services().config.rooms;
    // One stanza went for entering.
    let burst = usize::try_from(limits.stanzas_burst_max).unwrap() - 1;
    let rate = usize::try_from(limits.stanzas_per_second_max).unwrap();
    for round in [burst, rate] {
        for number in 0..round + 20 {
            say(&mut romeo, &number.to_string()).await;
            juliet.received();
            // Who talks to each other privately waits for nothing and is refused nothing.
            nurse
                .send(&format!(
                    "<message to='juliet@localhost/balcony' type='chat' id='p{number}'><body>psst</body></message>"
                ))
                .await;
            let private = juliet.received_xml().concat();
            assert!(private.contains("<body>psst</body>"), "{number} {private}");
        }
        let heard = told(&mut romeo);
        let own = heard
            .iter()
            .filter(|it| it.starts_with("message groupchat"));
        assert_eq!(own.count(), round);
        let refused = heard
            .iter()
            .filter(|it| **it == "message error resource-constraint");
        assert_eq!(refused.count(), 20);
        let others = told(&mut nurse);
        assert_eq!(others.len(), round, "{others:?}");
        house.clock.advance_seconds(1);
    }
}
