use super::*;
use crate::extensions::testing::{Client, House, NOW, written};
use crate::proto::PresenceType;

const DAY_SECONDS: i64 = 86_400;

/// At most three messages for an account, for two days.
fn small(hooks: &mut Hooks, _config: &Arc<Config>) {
    let file = "[offline]\nmessages_per_account_max = 3\nexpire_days = 2";
    let config = Config::parse("test", file, std::iter::empty()).unwrap();
    register(hooks, &Arc::new(config));
}

fn juliet() -> BareJid {
    BareJid::new("juliet@localhost").unwrap()
}

async fn send(client: &mut Client, attributes: &str, inside: &str) -> Vec<String> {
    let head = format!("to='juliet@localhost' id='m' {attributes}");
    client
        .send(&format!("<message {head}>{inside}</message>"))
        .await;
    client.received_xml()
}

async fn kept(house: &House) -> u64 {
    house
        .router
        .services()
        .store
        .offline_messages()
        .count(&juliet())
        .await
        .unwrap()
}

/// What the session's task does when the session becomes available, one page of it.
async fn next(house: &House, client: &Client) -> Vec<String> {
    let presence = Stanza::presence(PresenceType::Available);
    client.session.publish(Some((Arc::new(presence), 0)));
    let services = house.router.services();
    let page = services.hooks.next_backlog(&client.session, services).await;
    page.iter().map(written).collect()
}

#[tokio::test]
async fn a_kept_message_comes_once_as_it_was_sent_with_the_time_of_its_arrival() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    for body in ["one", "two"] {
        let heard = send(&mut romeo, "type='chat'", &format!("<body>{body}</body>")).await;
        assert!(heard.is_empty(), "{heard:?}");
    }
    house.clock.advance_seconds(3600);
    let balcony = house.client("juliet/balcony");
    let page = next(&house, &balcony).await;
    let expected = |body: &str| {
        format!(
            "<message from='romeo@localhost/orchard' to='juliet@localhost' type='chat' id='m'>\
             <body>{body}</body>\
             <delay xmlns='urn:xmpp:delay' from='localhost' stamp='{NOW}'/></message>"
        )
    };
    assert_eq!(page, [expected("one"), expected("two")]);
    // Until the page is known to be written, it is there.
    assert_eq!(kept(&house).await, 2);
    assert!(next(&house, &balcony).await.is_empty());
    assert_eq!(kept(&house).await, 0);
    assert!(next(&house, &balcony).await.is_empty());
}

#[tokio::test]
async fn what_is_kept_follows_section_3() {
    const STATE: &str = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    const NO_STORE: &str = "<no-store xmlns='urn:xmpp:hints'/>";
    const COPY: &str = "<no-permanent-store xmlns='urn:xmpp:hints'/>";
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    let mut all = 0;
    for (kind, inside, keeps, returns) in [
        ("", "<body>hi</body>".to_owned(), true, false),
        ("normal", "<body>hi</body>".to_owned(), true, false),
        ("chat", "<body>hi</body>".to_owned(), true, false),
        ("chat", format!("<body>hi</body>{STATE}"), true, false),
        ("chat", format!("<body>hi</body>{COPY}"), true, false),
        (
            "chat",
            "<received xmlns='urn:xmpp:receipts' id='1'/>".to_owned(),
            true,
            false,
        ),
        ("", "<subject>hi</subject>".to_owned(), true, false),
        ("chat", STATE.to_owned(), false, false),
        (
            "chat",
            format!("{STATE}<thread>t</thread>{NO_STORE}"),
            false,
            false,
        ),
        ("chat", String::new(), false, false),
        ("chat", format!("<body>hi</body>{NO_STORE}"), false, true),
        ("groupchat", "<body>hi</body>".to_owned(), false, true),
        ("headline", "<body>hi</body>".to_owned(), false, false),
        ("error", "<body>hi</body>".to_owned(), false, false),
    ] {
        let attribute = if kind.is_empty() {
            String::new()
        } else {
            format!("type='{kind}'")
        };
        let heard = send(&mut romeo, &attribute, &inside).await;
        let returned = heard.concat().contains("<service-unavailable ");
        assert_eq!(returned, returns, "{kind} {inside}: {heard:?}");
        all += u64::from(keeps);
        assert_eq!(kept(&house).await, all, "{kind} {inside}");
    }
}

#[tokio::test]
async fn only_messages_of_the_right_types_have_another_fate_than_return() {
    use MessageType::{Chat, Error, Groupchat, Headline, Normal};
    let romeo = BareJid::new("romeo@localhost").unwrap();
    let body = crate::xml::Element::new(ns::CLIENT, "body").text("hi");
    for (kind, expected) in [
        (Chat, Fate::Keep),
        (Normal, Fate::Keep),
        (Error, Fate::Return),
        (Groupchat, Fate::Return),
        (Headline, Fate::Return),
    ] {
        assert_eq!(
            fate(&Stanza::message(kind).child(&body), &romeo),
            expected,
            "{kind:?}"
        );
    }
    let presence = Stanza::presence(PresenceType::Available);
    assert_eq!(fate(&presence, &romeo), Fate::Return);
}

#[tokio::test]
async fn the_sender_is_told_when_the_mailbox_is_full_or_nobody_is_there() {
    let house = House::with(&["romeo", "juliet"], small).await;
    let mut romeo = house.client("romeo/orchard");
    for _ in 0..3 {
        assert!(send(&mut romeo, "", "<body>hi</body>").await.is_empty());
    }
    let heard = send(&mut romeo, "", "<body>hi</body>").await.concat();
    assert!(
        heard.contains("type='error'") && heard.contains("<service-unavailable "),
        "{heard}"
    );
    assert_eq!(kept(&house).await, 3);
    romeo
        .send("<message to='nobody@localhost'><body>hi</body></message>")
        .await;
    assert!(
        romeo
            .received_xml()
            .concat()
            .contains("<service-unavailable ")
    );
}

#[tokio::test]
async fn pages_go_to_one_of_two_sessions_that_come_at_once() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    for number in 0..PAGE + 10 {
        send(&mut romeo, "", &format!("<body>{number}</body>")).await;
    }
    let balcony = house.client("juliet/balcony");
    let chamber = house.client("juliet/chamber");
    let first = next(&house, &balcony).await;
    assert_eq!(first.len(), 50);
    assert!(next(&house, &chamber).await.is_empty());
    let second = next(&house, &balcony).await;
    assert_eq!(second.len(), 10);
    let all = first.iter().chain(&second).enumerate();
    for (number, message) in all {
        assert!(
            message.contains(&format!("<body>{number}</body>")),
            "{message}"
        );
    }
    assert!(next(&house, &chamber).await.is_empty());
    assert!(next(&house, &balcony).await.is_empty());
    assert_eq!(kept(&house).await, 0);
    // The turn is over.
    balcony.session.publish(None);
    chamber.session.publish(None);
    send(&mut romeo, "", "<body>hi</body>").await;
    assert_eq!(next(&house, &chamber).await.len(), 1);
}

#[tokio::test]
async fn a_page_that_was_not_known_to_be_written_comes_again() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    send(&mut romeo, "", "<body>hi</body>").await;
    // A session that ends.
    let balcony = house.client("juliet/balcony");
    let _chamber = house.client("juliet/chamber");
    assert_eq!(next(&house, &balcony).await.len(), 1);
    balcony.disconnect().await;
    let garden = house.client("juliet/garden");
    assert_eq!(next(&house, &garden).await.len(), 1);
    // A session that is replaced, and whose task works still.
    let newer = house.client("juliet/garden");
    assert_eq!(next(&house, &newer).await.len(), 1);
    assert!(next(&house, &garden).await.is_empty());
    garden.disconnect().await;
    assert_eq!(kept(&house).await, 1);
    assert!(next(&house, &newer).await.is_empty());
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn expired_messages_are_deleted_and_not_given() {
    let house = House::with(&["romeo", "juliet"], small).await;
    let services = house.router.services();
    let mut romeo = house.client("romeo/orchard");
    send(&mut romeo, "", "<body>old</body>").await;
    house.clock.advance_seconds(DAY_SECONDS + 1);
    send(&mut romeo, "", "<body>new</body>").await;
    house.clock.advance_seconds(DAY_SECONDS);
    let balcony = house.client("juliet/balcony");
    let page = next(&house, &balcony).await;
    assert_eq!(page.len(), 1);
    assert!(page[0].contains("<body>new</body>"), "{page:?}");
    assert!(next(&house, &balcony).await.is_empty());
    balcony.disconnect().await;
    services.hooks.run_daily(services).await;
    assert_eq!(kept(&house).await, 0);

    send(&mut romeo, "", "<body>old</body>").await;
    house.clock.advance_seconds(2 * DAY_SECONDS);
    services.hooks.run_daily(services).await;
    assert_eq!(kept(&house).await, 1, "not older than two days");
    house.clock.advance_seconds(1);
    services.hooks.run_daily(services).await;
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn a_stamp_that_claims_to_be_the_hosts_is_taken_away() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    let stamp =
        |from: &str| format!("<delay xmlns='urn:xmpp:delay'{from} stamp='2002-09-10T23:08:25Z'/>");
    let (ours, others) = (stamp(" from='localhost'"), stamp(" from='example.com'"));
    send(
        &mut romeo,
        "",
        &format!("<body>hi</body>{ours}{others}{}", stamp("")),
    )
    .await;
    let balcony = house.client("juliet/balcony");
    let page = next(&house, &balcony).await.concat();
    assert!(!page.contains(&ours), "{page}");
    assert!(
        page.contains(&others) && page.contains(&stamp("")),
        "{page}"
    );
}

#[tokio::test]
async fn a_message_written_while_a_session_came_is_given_to_it() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let services = house.router.services();
    let mut balcony = house.client("juliet/balcony");
    assert!(next(&house, &balcony).await.is_empty());
    let undelivered = late(&house);
    // The router decided while nobody was there.
    assert!(services.hooks.run_undelivered(&undelivered).await);
    let heard = balcony.received_xml().concat();
    assert!(
        heard.contains("<body>hi</body>") && heard.contains("<delay "),
        "{heard}"
    );
    assert_eq!(kept(&house).await, 1, "until it is known to be written");
    assert!(next(&house, &balcony).await.is_empty());
    assert_eq!(kept(&house).await, 0);

    // A session that is being given what was kept finds it by itself.
    balcony.session.publish(None);
    assert!(services.hooks.run_undelivered(&undelivered).await);
    assert_eq!(next(&house, &balcony).await.len(), 1);
    assert!(services.hooks.run_undelivered(&undelivered).await);
    assert!(balcony.received_xml().is_empty());
    assert_eq!(next(&house, &balcony).await.len(), 1);
    assert!(next(&house, &balcony).await.is_empty());
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn a_turn_does_not_end_over_a_message_that_was_just_written() {
    let house = House::with(&["juliet"], register).await;
    let session = house.client("juliet/balcony").session;
    let giving = Giving::of(&session);
    assert!(giving.note_handed(1, || {}));
    assert_eq!(giving.claim(&session, || vec![1]), Some(Vec::new()));
    assert!(!giving.note_handed(2, || panic!("it is found in the turn")));
    assert!(!giving.give(&session, Vec::new()), "it looks again");
    assert!(giving.give(&session, Vec::new()));
    assert!(giving.note_handed(3, || {}), "the turn is over");
}

#[tokio::test]
async fn what_cannot_be_read_stands_before_nobody() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let messages = house.router.services().store.offline_messages();
    for _ in 0..PAGE {
        let appended = messages
            .append(&juliet(), Bytes::from_static(b"<x"), NOW, 1000)
            .await;
        assert!(matches!(appended, Ok(Appended::Stored(_))));
    }
    let mut romeo = house.client("romeo/orchard");
    send(&mut romeo, "", "<body>hi</body>").await;
    let balcony = house.client("juliet/balcony");
    assert_eq!(next(&house, &balcony).await.len(), 1);
    assert!(next(&house, &balcony).await.is_empty());
    assert_eq!(kept(&house).await, 0);
}

/// A message that the router found nobody for, offered when somebody may have come.
fn late(house: &House) -> Undelivered {
    let body = crate::xml::Element::new(ns::CLIENT, "body").text("hi");
    Undelivered {
        account: juliet(),
        stanza: Arc::new(Stanza::message(MessageType::Chat).to(juliet()).child(&body)),
        services: Arc::clone(house.router.services()),
    }
}

fn publish(client: &Client, priority: i8) {
    let presence = Stanza::presence(PresenceType::Available);
    client.session.publish(Some((Arc::new(presence), priority)));
}

/// The session ends before it wrote what lay in its mailbox.
async fn end_unwritten(house: &House, client: Client) {
    house.router.registry().unbind(&client.session);
    for mail in client.session.close_mailbox() {
        house.router.keep(&mail).await;
    }
    client.disconnect().await;
}

#[tokio::test]
async fn what_is_kept_between_presence_and_backlog_comes_once() {
    let house = House::with(&["juliet"], register).await;
    let services = house.router.services();
    let mut balcony = house.client("juliet/balcony");
    publish(&balcony, 0);
    assert!(services.hooks.run_undelivered(&late(&house)).await);
    assert!(next(&house, &balcony).await.is_empty());
    assert_eq!(kept(&house).await, 1, "it is not written yet");
    assert_eq!(balcony.received().len(), 1);
    assert!(next(&house, &balcony).await.is_empty());
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn what_was_handed_over_is_deleted_when_the_session_ends() {
    let house = House::with(&["juliet"], register).await;
    let services = house.router.services();
    let mut balcony = house.client("juliet/balcony");
    publish(&balcony, 0);
    assert!(services.hooks.run_undelivered(&late(&house)).await);
    assert_eq!(balcony.received().len(), 1);
    balcony.disconnect().await;
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn what_was_handed_over_and_came_back_is_kept_once() {
    let house = House::with(&["juliet"], register).await;
    let services = house.router.services();
    let balcony = house.client("juliet/balcony");
    publish(&balcony, 0);
    assert!(services.hooks.run_undelivered(&late(&house)).await);
    // Another session comes while it lies in the mailbox of the first.
    let mut chamber = house.client("juliet/chamber");
    assert!(next(&house, &chamber).await.is_empty());
    end_unwritten(&house, balcony).await;
    assert_eq!(chamber.received().len(), 1);
    assert_eq!(kept(&house).await, 1);
    chamber.disconnect().await;
    assert_eq!(kept(&house).await, 0);

    let garden = house.client("juliet/garden");
    publish(&garden, 0);
    assert!(services.hooks.run_undelivered(&late(&house)).await);
    end_unwritten(&house, garden).await;
    assert_eq!(kept(&house).await, 1);
    let orchard = house.client("juliet/orchard");
    assert_eq!(next(&house, &orchard).await.len(), 1);
    assert!(next(&house, &orchard).await.is_empty());
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn a_session_that_is_ending_is_passed_over() {
    let house = House::with(&["juliet"], register).await;
    let services = house.router.services();
    let mut balcony = house.client("juliet/balcony");
    let mut chamber = house.client("juliet/chamber");
    publish(&balcony, 0);
    publish(&chamber, 5);
    let reset = crate::proto::StreamCondition::Reset;
    chamber.session.end(reset.into());
    assert!(services.hooks.run_undelivered(&late(&house)).await);
    assert_eq!(balcony.received().len(), 1);
    assert!(chamber.received().is_empty());
}

#[tokio::test]
async fn what_several_sessions_were_sent_is_kept_when_none_of_them_wrote_it() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    let phone = house.client("juliet/phone");
    let mut laptop = house.client("juliet/laptop");
    publish(&phone, 0);
    publish(&laptop, 0);
    send(&mut romeo, "type='chat'", "<body>hi</body>").await;
    end_unwritten(&house, phone).await;
    assert_eq!(kept(&house).await, 0, "the laptop has it");
    assert_eq!(laptop.received().len(), 1);

    let phone = house.client("juliet/phone");
    publish(&phone, 0);
    send(&mut romeo, "type='chat'", "<body>hi</body>").await;
    end_unwritten(&house, phone).await;
    end_unwritten(&house, laptop).await;
    assert_eq!(kept(&house).await, 1, "once for both");
}

/// A session that waits for its client (XEP-0198) keeps nothing from the others.
#[tokio::test]
async fn a_session_without_connection_has_no_turn() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    send(&mut romeo, "", "<body>hi</body>").await;
    let phone = house.client("juliet/phone");
    assert_eq!(next(&house, &phone).await.len(), 1);
    phone.session.set_connected(false);
    let laptop = house.client("juliet/laptop");
    assert_eq!(next(&house, &laptop).await.len(), 1);
    // Back again, it has lost its turn, and what it was given does not count as written.
    phone.session.set_connected(true);
    assert!(next(&house, &phone).await.is_empty());
    assert_eq!(kept(&house).await, 1);
    laptop.session.set_connected(false);
    assert_eq!(next(&house, &phone).await.len(), 1);
    assert_eq!(kept(&house).await, 1);
    assert!(next(&house, &phone).await.is_empty());
    assert_eq!(kept(&house).await, 0);
}

#[tokio::test]
async fn a_session_that_ends_in_its_turn_leaves_the_rest_to_another() {
    let house = House::with(&["romeo", "juliet"], register).await;
    let mut romeo = house.client("romeo/orchard");
    send(&mut romeo, "", "<body>hi</body>").await;
    let phone = house.client("juliet/phone");
    let [silent, waiting, laptop] =
        ["silent", "waiting", "laptop"].map(|name| house.client(&format!("juliet/{name}")));
    publish(&silent, -1);
    publish(&waiting, 9);
    waiting.session.set_connected(false);
    assert_eq!(next(&house, &phone).await.len(), 1);
    assert!(next(&house, &laptop).await.is_empty());
    phone.disconnect().await;
    assert!(!silent.session.take_backlog_offer());
    assert!(!waiting.session.take_backlog_offer());
    let mail = futures_util::FutureExt::now_or_never(laptop.session.mail());
    assert_eq!(mail.map(|mail| mail.len()), Some(0));
    assert!(laptop.session.take_backlog_offer());
    assert_eq!(next(&house, &laptop).await.len(), 1);
    assert!(next(&house, &laptop).await.is_empty());
    // One that has no turn leaves nothing.
    silent.disconnect().await;
    assert!(!laptop.session.take_backlog_offer());
}
