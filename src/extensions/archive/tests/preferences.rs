//! XEP-0441: what an account prefers.

use super::{query, say, verona};
use crate::extensions::testing::House;

#[tokio::test]
async fn preferences_are_applied_at_once_xep_0441() {
    let house = House::new(&["romeo", "juliet", "nurse"]).await;
    let (mut romeo, mut juliet) = verona(&house).await;
    let mut nurse = house.client("nurse/house");
    let prefs = |default: &str, always: &str, never: &str| {
        let list = |jid: &str| match jid {
            "" => String::new(),
            jid => format!("<jid>{jid}</jid>"),
        };
        format!(
            "<prefs xmlns='urn:xmpp:mam:2' default='{default}'><always>{}</always><never>{}</never></prefs>",
            list(always),
            list(never)
        )
    };
    let mut expected: Vec<String> = Vec::new();
    juliet
        .send("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>")
        .await;
    juliet.received();
    for (n, (default, always, never, romeos, nurses)) in [
        ("always", "", "", true, true),
        ("never", "", "", false, false),
        ("roster", "", "", false, true),
        ("never", "romeo@localhost", "", true, false),
        ("always", "", "nurse@localhost/house", true, false),
        (
            "roster",
            "romeo@localhost/orchard",
            "nurse@localhost",
            true,
            false,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let prefs = prefs(default, always, never);
        let shown = prefs
            .replace("<always></always>", "<always/>")
            .replace("<never></never>", "<never/>");
        juliet
            .send(&format!("<iq type='set' id='p'>{prefs}</iq>"))
            .await;
        assert_eq!(juliet.heard(), [format!("result p {shown}")]);
        juliet
            .send("<iq type='get' id='g'><prefs xmlns='urn:xmpp:mam:2'/></iq>")
            .await;
        assert_eq!(juliet.heard(), [format!("result g {shown}")]);
        for (client, archived) in [(&mut romeo, romeos), (&mut nurse, nurses)] {
            let body = format!("{n} {}", client.session.jid());
            say(client, "juliet@localhost", &body).await;
            let got = juliet.received_xml();
            assert_eq!(got.len(), 1, "delivered once, archived or not");
            assert_eq!(got[0].contains("<stanza-id"), archived, "{prefs} {got:?}");
            if archived {
                expected.push(body);
            }
        }
    }
    assert_eq!(query(&mut juliet, "").await.bodies, expected);
}

#[tokio::test]
async fn wrong_preferences_change_nothing() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let many: String = (0..501)
        .map(|n| format!("<jid>u{n}@example.org</jid>"))
        .collect();
    for (prefs, expected) in [
        ("<prefs xmlns='urn:xmpp:mam:2'/>".to_owned(), "bad-request"),
        (
            "<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>".to_owned(),
            "bad-request",
        ),
        (
            "<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>@</jid></always></prefs>"
                .to_owned(),
            "bad-request",
        ),
        (
            format!("<prefs xmlns='urn:xmpp:mam:2' default='never'><never>{many}</never></prefs>"),
            "resource-constraint",
        ),
    ] {
        romeo
            .send(&format!("<iq type='set' id='p'>{prefs}</iq>"))
            .await;
        assert_eq!(romeo.heard(), [format!("error p {expected}")], "{prefs}");
    }
    romeo
        .send("<iq type='get' id='g'><prefs xmlns='urn:xmpp:mam:2'/></iq>")
        .await;
    let unchanged =
        "result g <prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>";
    assert_eq!(romeo.heard(), [unchanged]);
}

#[tokio::test]
async fn a_preference_holds_for_who_is_offline() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    let prefs = "<prefs xmlns='urn:xmpp:mam:2' default='never'/>";
    juliet
        .send(&format!("<iq type='set' id='p'>{prefs}</iq>"))
        .await;
    juliet.disconnect().await;
    let mut romeo = house.client("romeo/orchard");
    say(&mut romeo, "juliet@localhost", "Hi").await;
    let mut juliet = house.client("juliet/balcony");
    assert_eq!(query(&mut juliet, "").await.bodies, [""; 0]);
    juliet.send("<presence/>").await;
    let got = juliet.received_xml().concat();
    assert!(
        got.contains("<body>Hi</body>") && !got.contains("stanza-id"),
        "{got}"
    );
}
