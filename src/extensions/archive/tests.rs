use super::*;
use crate::config::Config;
use crate::extensions::stanza_id;
use crate::extensions::testing::{Client, House};
use crate::proto::{BareJid, Kind, MessageType, Stanza};
use crate::xml::Element;

const FORM: &str = "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>";

/// What a query gave.
#[derive(Debug, Default, PartialEq)]
struct Given {
    ids: Vec<String>,
    bodies: Vec<String>,
    complete: bool,
    first: Option<String>,
    last: Option<String>,
    count: Option<String>,
    /// The error condition, in place of all of it.
    error: Option<String>,
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"))
        .collect();
    format!("<x xmlns='jabber:x:data' type='submit'>{FORM}{fields}</x>")
}

fn set(inside: &str) -> String {
    format!("<set xmlns='http://jabber.org/protocol/rsm'>{inside}</set>")
}

async fn query(client: &mut Client, inside: &str) -> Given {
    client
        .send(&format!(
            "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2' queryid='&lt;f27'>{inside}</query></iq>"
        ))
        .await;
    given(client)
}

fn given(client: &mut Client) -> Given {
    let mut given = Given::default();
    let received = client.received();
    let (answer, results) = received.split_last().unwrap();
    for result in results {
        let xml = result
            .find(ns::MAM, "result")
            .unwrap()
            .to_element("")
            .unwrap();
        assert_eq!(xml.attribute("queryid"), Some("<f27"));
        assert_eq!(
            result.from,
            Some(client.session.jid().bare().clone().into())
        );
        assert_eq!(result.to, Some(client.session.address()));
        let forwarded = xml.find(ns::FORWARD, "forwarded").unwrap();
        assert!(forwarded.find(ns::DELAY, "delay").is_some());
        let message = forwarded.find(ns::CLIENT, "message").unwrap();
        given.ids.push(xml.attribute("id").unwrap().to_owned());
        given
            .bodies
            .push(message.child_text(ns::CLIENT, "body").unwrap_or_default());
    }
    match answer.kind {
        Kind::Iq(crate::proto::IqType::Result) => {
            let fin = answer.find(ns::MAM, "fin").unwrap().to_element("").unwrap();
            let set = fin.find(ns::RSM, "set").unwrap();
            given.complete = fin.attribute("complete") == Some("true");
            given.first = set.child_text(ns::RSM, "first");
            given.last = set.child_text(ns::RSM, "last");
            given.count = set.child_text(ns::RSM, "count");
        }
        _ => {
            let error = answer
                .find(ns::CLIENT, "error")
                .unwrap()
                .to_element("")
                .unwrap();
            given.error = error.children().next().map(|child| child.name().to_owned());
        }
    }
    given
}

async fn say(client: &mut Client, to: &str, body: &str) {
    let message = format!("<message type='chat' to='{to}'><body>{body}</body></message>");
    client.send(&message).await;
}

/// Romeo and Juliet, online.
async fn verona(house: &House) -> (Client, Client) {
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    for client in [&mut romeo, &mut juliet] {
        client.send("<presence/>").await;
        client.received();
    }
    (romeo, juliet)
}

#[tokio::test]
async fn both_sides_have_the_message_under_the_id_that_the_recipient_sees() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    say(&mut romeo, "juliet@localhost", "Hi").await;
    let got = juliet.received();
    let account = juliet.session.jid().bare().clone();
    let id = stanza_id::find(&got[0], &account).unwrap();
    assert_eq!(got.len(), 1);
    let hers = query(&mut juliet, "").await;
    assert_eq!((hers.ids, hers.complete), (vec![id.clone()], true));
    assert_eq!(
        (hers.first, hers.last),
        (Some(id.clone()), Some(id.clone()))
    );
    let his = query(&mut romeo, "").await;
    assert_eq!(his.bodies, ["Hi"]);
    assert_ne!(his.ids, [id]);
}

#[tokio::test]
async fn a_false_stanza_id_of_the_account_is_removed_xep_0359_section_3() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    let ids = "<stanza-id xmlns='urn:xmpp:sid:0' by='JULIET@localhost' id='false'/>\
        <stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.localhost' id='theirs'/>\
        <origin-id xmlns='urn:xmpp:sid:0' id='origin'/>";
    for body in ["<body>Hi</body>", ""] {
        let message = format!("<message type='chat' to='juliet@localhost'>{body}{ids}</message>");
        romeo.send(&message).await;
        let got = juliet.received_xml().concat();
        assert!(!got.contains("'false'"), "{got}");
        assert!(
            got.contains("id='theirs'") && got.contains("id='origin'"),
            "{got}"
        );
        assert_eq!(
            got.contains("by='juliet@localhost'"),
            !body.is_empty(),
            "{got}"
        );
    }
}

#[tokio::test]
async fn a_message_to_oneself_is_archived_once() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    romeo.send("<presence/>").await;
    say(&mut romeo, "romeo@localhost", "note").await;
    romeo.received();
    assert_eq!(query(&mut romeo, "").await.bodies, ["note"]);
    let own = query(&mut romeo, &form(&[("with", "romeo@localhost")])).await;
    assert_eq!(own.bodies, ["note"]);
}

#[tokio::test]
async fn messages_for_somebody_offline_or_nobody_are_archived_where_they_belong() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    // Without presence: what romeo prefers is not known yet.
    say(&mut romeo, "juliet@localhost", "1").await;
    say(&mut romeo, "nobody@localhost", "2").await;
    assert_eq!(romeo.received().len(), 1, "nobody is not there");
    assert_eq!(query(&mut romeo, "").await.bodies, ["1", "2"]);
    let store = &house.router.services().store;
    let nobody = BareJid::new("nobody@localhost").unwrap();
    assert_eq!(store.archive().ends(&nobody).await.unwrap(), None);
    let mut juliet = house.client("juliet/balcony");
    assert_eq!(query(&mut juliet, "").await.bodies, ["1"]);
}

#[tokio::test]
async fn what_the_archive_gave_is_not_given_as_offline_message_section_5_1_1() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    for n in 0..4 {
        say(&mut romeo, "juliet@localhost", &n.to_string()).await;
    }
    let mut juliet = house.client("juliet/balcony");
    let seen = query(&mut juliet, &set("<max>3</max>")).await;
    assert_eq!(seen.bodies, ["0", "1", "2"]);
    juliet.send("<presence/>").await;
    let account = juliet.session.jid().bare().clone();
    let offline: Vec<_> = juliet
        .received()
        .into_iter()
        .filter(|stanza| matches!(stanza.kind, Kind::Message(_)))
        .collect();
    assert_eq!(offline.len(), 1);
    let rest = query(
        &mut juliet,
        &set(&format!("<after>{}</after>", seen.ids[2])),
    )
    .await;
    assert_eq!(
        stanza_id::find(&offline[0], &account).as_ref(),
        rest.ids.first()
    );
    // A client that asks for nothing gets all of it.
    juliet.disconnect().await;
    say(&mut romeo, "juliet@localhost", "4").await;
    let mut juliet = house.client("juliet/window");
    juliet.send("<presence/>").await;
    let bodies = juliet.received_xml().concat();
    assert_eq!(bodies.matches("<body>").count(), 1, "{bodies}");
}

#[tokio::test]
async fn pages_go_both_ways_and_are_bounded() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    for n in 0..60 {
        say(&mut romeo, "juliet@localhost", &n.to_string()).await;
        juliet.received();
    }
    let all = query(&mut juliet, &set("<max>999999999999</max>")).await;
    assert_eq!((all.bodies.len(), all.complete), (60, true));
    let page = query(&mut juliet, "").await;
    assert_eq!(
        (page.ids.as_slice(), page.complete),
        (&all.ids[..50], false)
    );
    let id = &all.ids[30];
    for (rsm, expected, complete) in [
        (format!("<max>4</max><after>{id}</after>"), 31..35, false),
        (format!("<max>4</max><before>{id}</before>"), 26..30, false),
        (format!("<after>{id}</after>"), 31..60, true),
        (format!("<before>{id}</before>"), 0..30, true),
        ("<max>2</max><before/>".to_owned(), 58..60, false),
        ("<max>2</max>".to_owned(), 0..2, false),
    ] {
        let page = query(&mut juliet, &set(&rsm)).await;
        assert_eq!(page.ids, all.ids[expected.clone()], "{rsm}");
        assert_eq!(page.complete, complete, "{rsm}");
        assert_eq!(page.first.as_ref(), Some(&all.ids[expected.start]));
        let flipped = query(&mut juliet, &format!("{}<flip-page/>", set(&rsm))).await;
        let mut back = flipped.ids.clone();
        back.reverse();
        assert_eq!(back, page.ids);
        assert_eq!((flipped.first, flipped.last), (page.first, page.last));
    }
    let count = query(&mut juliet, &set("<max>0</max>")).await;
    assert_eq!((count.count.as_deref(), count.ids.len()), (Some("60"), 0));
    assert!(!count.complete);
}

#[tokio::test]
async fn fields_narrow_a_query_down_section_4_1() {
    let house = House::new(&["romeo", "juliet", "nurse"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    let mut nurse = house.client("nurse/house");
    let now = house.clock.now();
    say(&mut romeo, "juliet@localhost", "0 Grüße").await;
    house.clock.advance_seconds(60);
    say(&mut nurse, "juliet@localhost/balcony", "1").await;
    house.clock.advance_seconds(60);
    say(&mut juliet, "romeo@localhost/orchard", "2 grusse an alle").await;
    juliet.received();
    let all = query(&mut juliet, "").await;
    assert_eq!(all.bodies.len(), 3);
    let at = |seconds| now.plus_seconds(seconds).to_string();
    let full_text = "{urn:xmpp:fulltext:0}fulltext";
    let (first, third) = (all.ids[0].as_str(), all.ids[2].as_str());
    for (fields, expected) in [
        (&[("with", "romeo@localhost")][..], vec![0, 2]),
        (&[("with", "romeo@localhost/orchard")], vec![0, 2]),
        (&[("with", "nurse@localhost/other")], vec![]),
        (&[("with", "juliet@localhost")], vec![]),
        (&[("with", "")], vec![0, 1, 2]),
        (&[("start", &at(60))], vec![1, 2]),
        (&[("end", &at(60))], vec![0, 1]),
        (
            &[
                ("start", &at(1)),
                ("end", &at(61)),
                ("with", "nurse@localhost"),
            ],
            vec![1],
        ),
        (&[("start", "9999-12-01T00:00:00Z")], vec![]),
        (&[("end", "0001-01-01T00:00:00Z")], vec![]),
        (&[("after-id", first)], vec![1, 2]),
        (&[("before-id", third)], vec![0, 1]),
        (&[("after-id", first), ("before-id", third)], vec![1]),
        (&[("ids", third)], vec![2]),
        (&[("include-groupchat", "true")], vec![0, 1, 2]),
        (&[(full_text, "GRÜSSE")], vec![0, 2]),
        (&[(full_text, "alle grüße")], vec![2]),
        (&[(full_text, "grüße"), ("start", &at(1))], vec![2]),
        (&[(full_text, "!?")], vec![]),
        (&[(full_text, "")], vec![0, 1, 2]),
    ] {
        let found = query(&mut juliet, &form(fields)).await;
        let expected: Vec<_> = expected
            .into_iter()
            .map(|n: usize| all.ids[n].clone())
            .collect();
        assert_eq!((found.ids, found.complete), (expected, true), "{fields:?}");
    }
    let two = format!(
        "<x xmlns='jabber:x:data' type='submit'>{FORM}<field var='ids'><value>{third}</value><value>{first}</value></field></x>"
    );
    assert_eq!(query(&mut juliet, &two).await.ids, [first, third]);
}

#[tokio::test]
async fn wrong_queries_are_refused_for_their_reason() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    say(&mut romeo, "juliet@localhost", "Hi").await;
    juliet.received();
    let unknown = "019a9c6e-0000-7000-8000-000000000000";
    let theirs = query(&mut romeo, "").await.ids[0].clone();
    let untyped =
        "<x xmlns='jabber:x:data' type='submit'><field var='with'><value>a@b</value></field></x>";
    let many: String = (0..300)
        .map(|_| format!("<value>{unknown}</value>"))
        .collect();
    let many =
        format!("<x xmlns='jabber:x:data' type='submit'>{FORM}<field var='ids'>{many}</field></x>");
    for (inside, expected) in [
        (form(&[("start", "yesterday")]), "bad-request"),
        (form(&[("end", "2010-13-01T00:00:00Z")]), "bad-request"),
        (form(&[("with", "@")]), "bad-request"),
        (form(&[("include-groupchat", "perhaps")]), "bad-request"),
        (form(&[("color", "red")]), "feature-not-implemented"),
        (form(&[("after-id", unknown)]), "item-not-found"),
        (form(&[("before-id", "x")]), "item-not-found"),
        (form(&[("ids", unknown)]), "item-not-found"),
        (form(&[("after-id", &theirs)]), "item-not-found"),
        (set(&format!("<after>{unknown}</after>")), "item-not-found"),
        (set("<before>28482-98726-73623</before>"), "item-not-found"),
        (set("<index>5</index>"), "feature-not-implemented"),
        (set("<max>-1</max>"), "bad-request"),
        (set("<max>many</max>"), "bad-request"),
        (untyped.to_owned(), "bad-request"),
        (untyped.replace("submit", "form"), "bad-request"),
        (
            form(&[]).replace("urn:xmpp:mam:2", "urn:xmpp:mam:1"),
            "bad-request",
        ),
        (many, "policy-violation"),
    ] {
        let refused = query(&mut juliet, &inside).await;
        assert_eq!(refused.error.as_deref(), Some(expected), "{inside}");
        assert!(refused.ids.is_empty());
    }
    for (kind, to, payload, expected) in [
        ("set", "romeo@localhost", "query", "error q forbidden"),
        ("get", "romeo@localhost", "query", "error q forbidden"),
        ("get", "romeo@localhost", "metadata", "error q forbidden"),
        ("get", "romeo@localhost", "prefs", "error q forbidden"),
        ("set", "romeo@localhost", "prefs", "error q forbidden"),
        ("set", "nobody@localhost", "query", "error q forbidden"),
        ("set", "localhost", "query", "error q service-unavailable"),
        (
            "set",
            "juliet@localhost",
            "metadata",
            "error q service-unavailable",
        ),
    ] {
        let iq =
            format!("<iq type='{kind}' id='q' to='{to}'><{payload} xmlns='urn:xmpp:mam:2'/></iq>");
        juliet.send(&iq).await;
        assert_eq!(juliet.heard(), [expected], "{kind} {to} {payload}");
    }
}

#[tokio::test]
async fn the_fields_and_the_ends_of_the_archive_are_told() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    let ask = "<iq type='get' id='m'><metadata xmlns='urn:xmpp:mam:2'/></iq>";
    juliet.send(ask).await;
    assert_eq!(
        juliet.heard(),
        ["result m <metadata xmlns='urn:xmpp:mam:2'/>"]
    );
    say(&mut romeo, "juliet@localhost", "1").await;
    house.clock.advance_seconds(1);
    say(&mut romeo, "juliet@localhost", "2").await;
    juliet.received();
    let all = query(&mut juliet, "").await;
    juliet.send(ask).await;
    let expected = format!(
        "result m <metadata xmlns='urn:xmpp:mam:2'>\
        <start id='{}' timestamp='2026-09-21T14:13:20Z'/><end id='{}' timestamp='2026-09-21T14:13:21Z'/></metadata>",
        all.ids[0], all.ids[1]
    );
    assert_eq!(juliet.heard(), [expected]);
    juliet
        .send("<iq type='get' id='f'><query xmlns='urn:xmpp:mam:2'/></iq>")
        .await;
    let fields = juliet.heard().concat();
    for field in [
        "<field var='with' type='jid-single'/>",
        "<field var='start' type='text-single'/>",
        "<field var='ids' type='list-multi'><validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate></field>",
        "<field var='{urn:xmpp:fulltext:0}fulltext' type='text-single'/>",
    ] {
        assert!(fields.contains(field), "{field} in {fields}");
    }
}

#[tokio::test]
async fn old_messages_are_forgotten_by_configuration() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    for n in 0..3 {
        say(&mut romeo, "juliet@localhost", &n.to_string()).await;
        house.clock.advance_seconds(86_400);
    }
    juliet.received();
    let days = |text: &str| {
        let services = house.router.services();
        let config = Config::parse("test", text, std::iter::empty()).unwrap();
        Arc::new(crate::hooks::Services {
            store: services.store.clone(),
            clock: services.clock.clone(),
            config: Arc::new(config),
            hosts: services.hosts.clone(),
            hooks: Arc::clone(&services.hooks),
            router: std::sync::Weak::clone(&services.router),
            gateways: Vec::new(),
            peers: Arc::default(),
            requests: crate::hooks::Requests::default(),
        })
    };
    for (config, expected) in [
        ("", &["0", "1", "2"][..]),
        ("[archive]\nkeep_days = 2", &["1", "2"]),
        ("[archive]\nmessages_max = 1", &["2"]),
    ] {
        retention::forget(days(config)).await;
        assert_eq!(query(&mut juliet, "").await.bodies, expected, "{config}");
        assert_eq!(query(&mut romeo, "").await.bodies, expected, "{config}");
    }
}

#[tokio::test]
async fn messages_of_no_account_and_groupchat_are_in_no_archive() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    for message in [
        "<message to='juliet@localhost/balcony' type='groupchat'><body>no</body></message>",
        "<message to='juliet@localhost' type='headline'><body>no</body></message>",
        "<message to='juliet@localhost/balcony' type='error'><body>no</body></message>",
        "<message to='juliet@localhost' type='chat'><body>no</body><no-store xmlns='urn:xmpp:hints'/></message>",
        "<message to='juliet@localhost' type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
    ] {
        romeo.send(message).await;
        let got = juliet.received_xml().concat();
        assert!(!got.contains("stanza-id"), "{got}");
    }
    assert_eq!(query(&mut juliet, "").await.bodies, [""; 0]);
    assert_eq!(query(&mut romeo, "").await.bodies, [""; 0]);
}

#[test]
fn results_are_spliced_as_they_would_be_written() {
    let message =
        Stanza::message(MessageType::Chat).child(&Element::new(ns::CLIENT, "body").text("a & <b>"));
    let (from, id) = (
        BareJid::new("a@b").unwrap(),
        "019a9c6e-0000-7000-8000-000000000000",
    );
    let envelope = page::Envelope::new(&from, &"a@b/c".parse().unwrap(), Some("'x"));
    let spliced = envelope.around(id.parse().unwrap(), &message.to_document());
    let result = spliced
        .find(ns::MAM, "result")
        .unwrap()
        .to_element("")
        .unwrap();
    assert_eq!(result.attribute("queryid"), Some("'x"));
    assert_eq!(result.attribute("id"), Some(id));
    let forwarded = result.find(ns::FORWARD, "forwarded").unwrap();
    let inner = forwarded.find(ns::CLIENT, "message").unwrap();
    assert_eq!(
        inner.child_text(ns::CLIENT, "body").as_deref(),
        Some("a & <b>")
    );
}

mod bounds;
mod preferences;
