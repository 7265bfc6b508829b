//! Personal contacts in the way of clients that know nothing of us.

use super::{give_profile, items, with};
use crate::contact_center::testing::Floor;
use crate::domain::chat_profile::{ChatProfile, InstantMessaging};
use crate::extensions::testing::Client;

async fn tell(client: &mut Client, kind: &str, to: &str) {
    let presence = format!("<presence type='{kind}' to='{to}@localhost'/>");
    client.send(&presence).await;
}

/// S0-18, S0-20: what any client does when it adds somebody.
#[tokio::test]
async fn a_subscription_between_agents_is_mutual_at_once() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let mut juliet = floor.online("juliet/balcony").await;
    let named = "<item jid='juliet@localhost' name='Jule'/>";
    romeo
        .send(&format!(
            "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>{named}</query></iq>"
        ))
        .await;
    romeo.received();
    tell(&mut romeo, "subscribe", "juliet").await;
    assert_eq!(
        romeo.heard(),
        [
            "subscribed juliet@localhost",
            "push <item jid='juliet@localhost' name='Jule' subscription='both'/>",
            "available juliet@localhost/balcony",
        ]
    );
    assert_eq!(
        juliet.heard(),
        [
            "push <item jid='romeo@localhost' subscription='both'><group>Personal Contacts</group></item>",
            "available romeo@localhost/orchard",
        ]
    );
    // What many clients send next changes nothing, and disturbs nobody.
    tell(&mut juliet, "subscribe", "romeo").await;
    tell(&mut juliet, "subscribed", "romeo").await;
    tell(&mut romeo, "subscribed", "juliet").await;
    assert_eq!(romeo.heard(), [""; 0]);
}

/// S0-19, S0-20: whichever way the one ends it, it is over for both.
#[tokio::test]
async fn the_end_of_one_side_is_the_end_of_both() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let mut juliet = floor.online("juliet/balcony").await;
    let removal = "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>\
                   <item jid='juliet@localhost' subscription='remove'/></query></iq>";
    for end in [
        removal,
        "<presence type='unsubscribe' to='juliet@localhost'/>",
        "<presence type='unsubscribed' to='juliet@localhost'/>",
    ] {
        tell(&mut romeo, "subscribe", "juliet").await;
        romeo.received();
        juliet.received();
        romeo.send(end).await;
        let heard = romeo.heard();
        let pushed = "push <item jid='juliet@localhost' subscription='remove'/>".to_owned();
        assert!(heard.contains(&pushed), "{heard:?}");
        assert_eq!(
            juliet.heard(),
            [
                "push <item jid='romeo@localhost' subscription='remove'/>",
                "unavailable romeo@localhost/orchard",
            ],
            "{end}"
        );
        assert_eq!(items(&mut romeo).await, "");
    }
    romeo.send(removal).await;
    assert_eq!(romeo.heard(), ["error r item-not-found"]);
}

/// Where a rule of personal contacts does not hold, RFC 6121 §3 goes its way.
#[tokio::test]
async fn who_is_no_colleague_is_asked_as_ever() {
    let people = ["romeo", "peter:member", "tybalt:member"];
    let floor = Floor::new(&people).await;
    let mut tybalt = floor.online("tybalt/x").await;
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block>";
    tybalt
        .send(&format!("<iq type='set' id='b'>{block}</iq>"))
        .await;
    let mut romeo = floor.online("romeo/orchard").await;
    for other in ["peter", "tybalt", "nobody"] {
        tell(&mut romeo, "subscribe", other).await;
        let push =
            format!("push <item jid='{other}@localhost' subscription='none' ask='subscribe'/>");
        assert_eq!(romeo.heard(), [push]);
    }
    // Neither is the removal of a member's contact anybody else's business.
    let mut peter = floor.online("peter/x").await;
    tell(&mut peter, "subscribed", "romeo").await;
    tell(&mut peter, "subscribe", "romeo").await;
    tell(&mut romeo, "subscribed", "peter").await;
    peter.received();
    let removal = "<item jid='romeo@localhost' subscription='remove'/>";
    peter
        .send(&format!(
            "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>{removal}</query></iq>"
        ))
        .await;
    assert!(
        items(&mut romeo)
            .await
            .contains("<item jid='peter@localhost' subscription='none'/>")
    );
}

/// S0-10, S0-12, S0-18: who has no instant messages is no contact, and a plain client reads why, whichever of the two it is; nothing
/// is left in any roster. Who blocks somebody looks like that, as XEP-0191 §8 wants it.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn who_has_no_instant_messages_cannot_be_added_and_the_client_is_told_why() {
    let people = ["romeo", "juliet", "mute", "numb", "tybalt"];
    let floor = Floor::new(&people).await;
    let mut tybalt = floor.online("tybalt/x").await;
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block>";
    tybalt
        .send(&format!("<iq type='set' id='b'>{block}</iq>"))
        .await;
    tybalt.disconnect().await;
    let off = ChatProfile {
        instant_messaging: InstantMessaging::Disabled,
        ..ChatProfile::default()
    };
    give_profile(&floor, "mute", &off).await;
    let right = [("jid", "numb@localhost"), ("right", "instant-message")];
    floor.operate("right take", &right).await;
    for (asks, other, expected) in [
        (
            "romeo",
            "mute",
            (
                "not-allowed",
                "im-disabled-for-them",
                "Instant messaging is switched off for this colleague.",
            ),
        ),
        (
            "romeo",
            "tybalt",
            (
                "not-allowed",
                "im-disabled-for-them",
                "Instant messaging is switched off for this colleague.",
            ),
        ),
        (
            "mute",
            "juliet",
            (
                "forbidden",
                "im-disabled-for-you",
                "Instant messaging is switched off in your chat profile.",
            ),
        ),
        (
            "romeo",
            "numb",
            (
                "not-allowed",
                "im-not-theirs",
                "This colleague does not have the right to instant messages.",
            ),
        ),
        (
            "numb",
            "juliet",
            (
                "forbidden",
                "im-not-yours",
                "You do not have the right to instant messages.",
            ),
        ),
    ] {
        let mut client = floor.online(&format!("{asks}/x")).await;
        let mut asked = floor.online(&format!("{other}/y")).await;
        asked.received();
        client.received();
        tell(&mut client, "subscribe", other).await;
        let told = client.received_xml();
        let (condition, code, text) = expected;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("<presence ") && told[0].contains("type='error'"),
            "{told:?}"
        );
        assert!(
            told[0].contains(&format!("from='{other}@localhost'")),
            "{told:?}"
        );
        for part in [
            format!("<{condition} "),
            format!("<{code} "),
            format!(">{text}</text>"),
        ] {
            assert!(told[0].contains(&part), "{part} {told:?}");
        }
        assert_eq!(asked.heard(), [""; 0]);
        for client in [client, asked] {
            let mut client = client;
            assert_eq!(items(&mut client).await, "", "{asks} {other}");
            client.disconnect().await;
        }
    }
}

#[tokio::test]
async fn the_operator_can_leave_it_to_the_agents() {
    let config = with(|config| config.contact_center.mutual_contacts = false);
    let floor = Box::pin(Floor::configured(&["romeo", "juliet"], config)).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let mut juliet = floor.online("juliet/balcony").await;
    tell(&mut romeo, "subscribe", "juliet").await;
    assert_eq!(juliet.heard(), ["subscribe romeo@localhost"]);
    assert_eq!(
        romeo.heard(),
        ["push <item jid='juliet@localhost' subscription='none' ask='subscribe'/>"]
    );
}

/// Two who were asked before they became agents: the old requests are answered by it, on both sides.
#[tokio::test]
async fn requests_of_before_are_answered_by_it() {
    let floor = Floor::new(&["romeo:member", "juliet"]).await;
    let mut romeo = floor.online("romeo/orchard").await;
    tell(&mut romeo, "subscribe", "juliet").await;
    let store = &floor.house.router.services().store;
    let jid = |name: &str| crate::proto::BareJid::new(&format!("{name}@localhost")).unwrap();
    let (own, other) = (jid("romeo"), jid("juliet"));
    let agent = crate::domain::rights::Role::Agent;
    assert!(store.accounts().set_role(&own, agent).await.unwrap());
    romeo.received();
    let mut juliet = floor.online("juliet/balcony").await;
    tell(&mut juliet, "subscribe", "romeo").await;
    assert_eq!(
        romeo.heard(),
        [
            "subscribed juliet@localhost",
            "push <item jid='juliet@localhost' subscription='both'/>",
            "available juliet@localhost/balcony",
        ]
    );
    let requests = store.subscription_requests();
    assert!(!requests.contains(&other, &own).await.unwrap());
}
