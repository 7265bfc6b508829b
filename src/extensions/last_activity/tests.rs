use super::*;
use crate::extensions::testing::{Client, House};
use crate::proto::BareJid;
use crate::store::{Applied, RosterItem, RosterWrite, Subscription};

async fn verona() -> House {
    let house = House::new(&["romeo", "juliet", "paris"]).await;
    let services = house.router.services();
    let item = RosterItem {
        subscription: Subscription::Both,
        ..RosterItem::new(BareJid::new("romeo@localhost").unwrap())
    };
    let owner = BareJid::new("juliet@localhost").unwrap();
    let put = RosterWrite::Put { owner, item };
    let applied = services
        .store
        .rosters()
        .apply(&[put], 10, services.clock.now())
        .await;
    assert!(matches!(applied, Ok(Applied::Done(_))));
    house
}

/// A session that is available.
async fn available(house: &House, name: &str) -> Client {
    let mut client = house.client(name);
    client.send("<presence/>").await;
    client
}

async fn ask(house: &House, asker: &str, to: &str) -> String {
    let mut client = house.client(&format!("{asker}/orchard"));
    client
        .send(&format!(
            "<iq type='get' id='l' to='{to}'><query xmlns='jabber:iq:last'/></iq>"
        ))
        .await;
    client.heard().concat()
}

fn seconds(seconds: i64) -> String {
    format!("result l <query xmlns='jabber:iq:last' seconds='{seconds}'/>")
}

#[tokio::test]
async fn a_host_says_how_long_it_is_up() {
    let house = House::with(&["romeo"], register).await;
    // The database, which keeps time of its own, is not needed from here on.
    tokio::time::pause();
    let before = ask(&house, "romeo", "localhost").await;
    tokio::time::advance(std::time::Duration::from_secs(90)).await;
    let after = ask(&house, "romeo", "localhost").await;
    let up = |answer: &str| -> i64 {
        let rest = answer.split_once("seconds='").unwrap().1;
        rest.split_once('\'').unwrap().0.parse().unwrap()
    };
    assert_eq!(up(&after) - up(&before), 90, "{before} {after}");
}

#[tokio::test]
async fn only_those_who_see_the_presence_are_told() {
    let house = verona().await;
    let _juliet = available(&house, "juliet/balcony").await;
    let _romeo = available(&house, "romeo/garden").await;
    assert_eq!(ask(&house, "romeo", "juliet@localhost").await, seconds(0));
    assert_eq!(ask(&house, "romeo", "romeo@localhost").await, seconds(0));
    for to in ["juliet@localhost", "romeo@localhost", "nobody@localhost"] {
        assert_eq!(ask(&house, "paris", to).await, "error l forbidden", "{to}");
    }
}

#[tokio::test]
async fn an_account_that_left_is_away_since_its_last_session_with_its_last_words() {
    let house = verona().await;
    assert_eq!(
        ask(&house, "romeo", "juliet@localhost").await,
        "error l item-not-found"
    );

    let mut balcony = available(&house, "juliet/balcony").await;
    let chamber = house.client("juliet/chamber");
    chamber.disconnect().await;
    house.clock.advance_seconds(60);
    assert_eq!(ask(&house, "romeo", "juliet@localhost").await, seconds(0));

    balcony
        .send("<presence type='unavailable' to='paris@localhost'><status>No</status></presence>")
        .await;
    balcony
        .send("<presence type='unavailable'><status>Heading home</status></presence>")
        .await;
    balcony.disconnect().await;
    house.clock.advance_seconds(903);
    let told = ask(&house, "romeo", "juliet@localhost").await;
    assert_eq!(
        told,
        "result l <query xmlns='jabber:iq:last' seconds='903'>Heading home</query>"
    );

    // Words before another presence are not the last ones.
    let mut balcony = available(&house, "juliet/balcony").await;
    balcony
        .send("<presence type='unavailable'><status>Back soon</status></presence>")
        .await;
    balcony.send("<presence/>").await;
    balcony.disconnect().await;
    assert_eq!(ask(&house, "romeo", "juliet@localhost").await, seconds(0));
}

#[tokio::test]
async fn long_last_words_are_cut() {
    let house = verona().await;
    let mut juliet = available(&house, "juliet/balcony").await;
    let long = "\u{E9}".repeat(STATUS_CHARS_MAX + 1);
    juliet
        .send(&format!(
            "<presence type='unavailable'><status>{long}</status></presence>"
        ))
        .await;
    juliet.disconnect().await;
    let told = ask(&house, "romeo", "juliet@localhost").await;
    assert_eq!(told.matches('\u{E9}').count(), STATUS_CHARS_MAX);
}

#[tokio::test]
async fn who_is_connected_without_presence_is_away() {
    let house = verona().await;
    let mut juliet = available(&house, "juliet/balcony").await;
    juliet
        .send("<presence type='unavailable'><status>Good night</status></presence>")
        .await;
    assert_eq!(
        ask(&house, "romeo", "juliet@localhost").await,
        "result l <query xmlns='jabber:iq:last' seconds='0'>Good night</query>"
    );
    house.clock.advance_seconds(5);
    juliet.disconnect().await;
    let told = "result l <query xmlns='jabber:iq:last' seconds='5'>Good night</query>";
    assert_eq!(ask(&house, "romeo", "juliet@localhost").await, told);
    // One that never said that it is there changes nothing.
    house.client("juliet/chamber").disconnect().await;
    assert_eq!(ask(&house, "romeo", "juliet@localhost").await, told);
}
