//! The roster through a router and a database.

use super::{Write, Writing};
use crate::extensions::testing::{Client, House, NOW};
use crate::proto::BareJid;
use crate::store::{RosterItem, RosterWrite};

const GET: &str = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>";

async fn set(client: &mut Client, id: &str, item: &str) {
    let set =
        format!("<iq type='set' id='{id}'><query xmlns='jabber:iq:roster'>{item}</query></iq>");
    client.send(&set).await;
}

async fn get_since(client: &mut Client, ver: &str) {
    let get = format!("<iq type='get' id='get'><query xmlns='jabber:iq:roster' ver='{ver}'/></iq>");
    client.send(&get).await;
}

/// The version in the one stanza that the client was sent.
fn version(client: &mut Client) -> String {
    let received = client.received_xml().concat();
    let (_, version) = received.rsplit_once("ver='").unwrap();
    version.split_once('\'').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_push_goes_to_interested_resources_only_section_2_1_6() {
    let house = House::new(&["romeo"]).await;
    let (mut orchard, mut street, mut phone) = (
        house.client("romeo/orchard"),
        house.client("romeo/street"),
        house.client("romeo/phone"),
    );
    orchard.send(GET).await;
    street.send(GET).await;
    assert_eq!(
        orchard.heard(),
        ["result get <query xmlns='jabber:iq:roster' ver='0'/>"]
    );
    street.received();

    set(
        &mut orchard,
        "s1",
        "<item jid='nurse@localhost' name='N'><group>G</group></item>",
    )
    .await;
    let item =
        "push <item jid='nurse@localhost' name='N' subscription='none'><group>G</group></item>";
    assert_eq!(orchard.heard(), ["result s1", item]);
    let pushed = street.received_xml().concat();
    assert!(
        pushed.starts_with("<iq to='romeo@localhost/street' type='set' id='"),
        "{pushed}"
    );
    assert_eq!(phone.heard(), [""; 0]);

    set(
        &mut phone,
        "s2",
        "<item jid='nurse@localhost' subscription='remove'/>",
    )
    .await;
    assert_eq!(phone.heard(), ["result s2"]);
    let removed = "push <item jid='nurse@localhost' subscription='remove'/>";
    assert_eq!(orchard.heard(), [removed]);
    assert_eq!(street.heard(), [removed]);
    orchard.send(GET).await;
    let empty = orchard.received_xml().concat();
    assert!(
        empty.ends_with("'/></iq>") && !empty.contains("<item"),
        "{empty}"
    );
}

#[tokio::test]
async fn a_client_that_was_away_is_told_the_changes_section_2_6() {
    let house = House::new(&["romeo"]).await;
    let mut orchard = house.client("romeo/orchard");
    set(&mut orchard, "s1", "<item jid='a@localhost'/>").await;
    orchard.received();
    get_since(&mut orchard, "").await;
    let first = version(&mut orchard);
    get_since(&mut orchard, &first).await;
    assert_eq!(orchard.heard(), ["result get"]);

    let mut street = house.client("romeo/street");
    set(&mut street, "s2", "<item jid='b@localhost'/>").await;
    set(
        &mut street,
        "s3",
        "<item jid='a@localhost' subscription='remove'/>",
    )
    .await;
    let mut phone = house.client("romeo/phone");
    get_since(&mut phone, &first).await;
    assert_eq!(
        phone.heard(),
        [
            "result get",
            "push <item jid='b@localhost' subscription='none'/>",
            "push <item jid='a@localhost' subscription='remove'/>",
        ]
    );
    for unknown in ["7", "x", "99999999999999999"] {
        get_since(&mut phone, unknown).await;
        let whole = phone.heard().concat();
        assert!(
            whole.contains("<item jid='b@localhost' subscription='none'/></query>"),
            "{whole}"
        );
    }
    // Too many changes to be told one by one.
    for number in 0..=super::CHANGES_TOLD_MAX {
        set(
            &mut street,
            "s",
            &format!("<item jid='c{number}@localhost'/>"),
        )
        .await;
    }
    phone.received();
    get_since(&mut phone, &first).await;
    assert_eq!(phone.received_xml().len(), 1);
}

#[tokio::test]
async fn the_roster_in_memory_is_the_one_that_is_stored() {
    let house = House::new(&["romeo"]).await;
    let mut orchard = house.client("romeo/orchard");
    orchard.send(GET).await;
    for item in [
        "<item jid='c@localhost'/>",
        "<item jid='a@localhost' name='A'/>",
        "<item jid='b@localhost'/>",
        "<item jid='c@localhost' subscription='remove'/>",
        "<item jid='b@localhost' name='B'/>",
    ] {
        set(&mut orchard, "s", item).await;
    }
    orchard.received();
    orchard.send(GET).await;
    let in_memory = orchard.heard();
    orchard.disconnect().await;
    let mut street = house.client("romeo/street");
    street.send(GET).await;
    assert_eq!(street.heard(), in_memory);
    assert!(in_memory.concat().ends_with(
        "'><item jid='a@localhost' name='A' subscription='none'/>\
         <item jid='b@localhost' name='B' subscription='none'/></query>"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn devices_that_change_the_roster_at_once_get_pushes_in_the_order_of_versions() {
    let house = House::new(&["romeo"]).await;
    let mut watcher = house.client("romeo/watcher");
    watcher.send(GET).await;
    watcher.received();
    let mut devices = tokio::task::JoinSet::new();
    for number in 0..8 {
        let mut device = house.client(&format!("romeo/{number}"));
        devices.spawn(async move {
            set(
                &mut device,
                "s",
                &format!("<item jid='c{number}@localhost'/>"),
            )
            .await;
            set(&mut device, "s", "<item jid='same@localhost'/>").await;
            device.heard()
        });
    }
    for heard in devices.join_all().await {
        assert_eq!(heard, ["result s", "result s"]);
    }
    let pushes = watcher.received_xml();
    let version = |push: &String| {
        let (_, version) = push.split_once("ver='").unwrap();
        version.split_once('\'').unwrap().0.to_owned()
    };
    let versions: Vec<String> = pushes.iter().map(version).collect();
    assert_eq!(versions.len(), 16);
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

#[tokio::test]
async fn an_item_that_another_node_changed_meanwhile_is_not_overwritten() {
    let house = House::new(&["romeo"]).await;
    let (owner, contact): (BareJid, BareJid) = (
        "romeo@localhost".parse().unwrap(),
        "nurse@localhost".parse().unwrap(),
    );
    let services = house.router.services();
    let mut writing = Writing::begin(services, &owner).await;
    assert_eq!(writing.find(&contact).await.unwrap(), None);
    let put = RosterWrite::Put {
        owner: owner.clone(),
        item: RosterItem::new(contact.clone()),
    };
    let _ = services
        .store
        .rosters()
        .apply(&[put], 10, NOW)
        .await
        .unwrap();
    let late = Write::Put(RosterItem::new(contact.clone()));
    assert_eq!(writing.write(late).await.unwrap(), None);
    let found = writing.find(&contact).await.unwrap().unwrap();
    assert!(writing.write(Write::Put(found)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_roster_that_was_loaded_during_a_change_is_told_of_it() {
    let house = House::new(&["romeo"]).await;
    let (owner, contact): (BareJid, BareJid) = (
        "romeo@localhost".parse().unwrap(),
        "nurse@localhost".parse().unwrap(),
    );
    // The turn begins while the account is offline.
    let mut writing = Writing::begin(house.router.services(), &owner).await;
    let mut romeo = house.client("romeo/orchard");
    romeo.send(GET).await;
    romeo.received();
    let change = writing
        .write(Write::Put(RosterItem::new(contact)))
        .await
        .unwrap()
        .unwrap();
    writing.tell(&change);
    let item = "<item jid='nurse@localhost' subscription='none'/>";
    assert_eq!(romeo.heard(), [format!("push {item}")]);
    drop(writing);
    romeo.send(GET).await;
    assert!(romeo.heard().concat().contains(item));
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut orchard = house.client("romeo/orchard");
    for (item, condition) in [
        (
            "<item jid='nurse@localhost' subscription='remove'/>",
            "item-not-found",
        ),
        ("<item jid='romeo@localhost'/>", "not-allowed"),
        ("", "bad-request"),
    ] {
        set(&mut orchard, "s1", item).await;
        assert_eq!(orchard.heard(), [format!("error s1 {condition}")]);
    }
    orchard
        .send("<iq type='get' id='r1' to='juliet@localhost'><query xmlns='jabber:iq:roster'/></iq>")
        .await;
    assert_eq!(orchard.heard(), ["error r1 forbidden"]);
    orchard.send("<iq type='set' id='r2' to='juliet@localhost'><query xmlns='jabber:iq:roster'><item jid='romeo@localhost'/></query></iq>").await;
    assert_eq!(orchard.heard(), ["error r2 forbidden"]);
    orchard.send(GET).await;
    assert_eq!(
        orchard.heard(),
        ["result get <query xmlns='jabber:iq:roster' ver='0'/>"]
    );
}
