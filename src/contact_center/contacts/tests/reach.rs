//! Reaching colleagues, for agents and for components.

use std::sync::Arc;

use super::super::reach::NS;
use super::{about, agent, code, give_card, give_profile, with};
use crate::config::{Component, ComponentRole};
use crate::contact_center::testing::{CENTER, Floor, ask, command};
use crate::domain::chat_profile::{ChatProfile, Means, PresenceDisplay};
use crate::extensions::testing::Client;
use crate::hooks::{Ahead, At, Iq, IqAnswer};
use crate::proto::IqType;
use crate::xml::{Limits, document, write};

const CARD: &str = "<FN>Juliet</FN><TEL><NUMBER>+49 30 12345678</NUMBER></TEL>\
                    <EMAIL><USERID>juliet@mail.example</USERID></EMAIL>";

async fn reach(client: &mut Client, colleague: &str) -> String {
    about(client, "get", NS, "reach", colleague).await
}

async fn by(client: &mut Client, means: &str) -> String {
    let request = format!("<contact-by xmlns='{NS}' colleague='juliet' means='{means}'/>");
    ask(client, "set", &request).await
}

/// S0-3, S0-4, S0-5, S0-17, S0-22, S0-23, S0-24, S0-25: each means opens a dialogue of its own, by its link.
/// Online and ready, all four means are open, with their addresses.
#[tokio::test]
async fn a_ready_colleague_can_be_reached_by_four_means_without_being_a_contact() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut juliet = agent(&floor, "juliet/balcony").await;
    give_card(&mut juliet, CARD).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let answer = reach(&mut romeo, "juliet").await;
    let expected = "<reach xmlns='urn:parlour:reach:0' jid='juliet@localhost' view='online'>\
        <means name='instant-message' uri='xmpp:juliet@localhost?message'/>\
        <means name='telephone' uri='tel:+493012345678'/>\
        <means name='email' uri='mailto:juliet@mail.example'/>\
        <means name='context' uri='xmpp:juliet@localhost'/></reach>";
    assert!(answer.contains(expected), "{answer}");
    for (means, uri) in [
        ("instant-message", "xmpp:juliet@localhost?message"),
        ("telephone", "tel:+493012345678"),
        ("email", "mailto:juliet@mail.example"),
        ("context", "xmpp:juliet@localhost"),
    ] {
        let answer = by(&mut romeo, means).await;
        let expected = format!("jid='juliet@localhost' means='{means}' uri='{uri}'/>");
        assert!(answer.contains(&expected), "{answer}");
    }
    let fields = [("colleague", "juliet@localhost"), ("means", "telephone")];
    let answer = command(&mut romeo, "urn:parlour:reach:0#contact-by", &fields).await;
    assert!(answer.contains("Call tel:+493012345678"), "{answer}");
    let fields = [("colleague", "juliet@localhost")];
    let answer = command(&mut romeo, "urn:parlour:reach:0#reach", &fields).await;
    assert!(
        answer.contains("<value>mailto:juliet@mail.example</value>"),
        "{answer}"
    );
}

/// S0-10, S0-22: what needs a right needs it of both; telephone and e-mail need none.
#[tokio::test]
async fn who_has_no_right_cannot_be_reached_by_what_needs_it() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut juliet = agent(&floor, "juliet/balcony").await;
    give_card(&mut juliet, CARD).await;
    let mut romeo = floor.online("romeo/orchard").await;
    for (whose, right, means, refused) in [
        (
            "juliet",
            "instant-message",
            "instant-message",
            "im-not-theirs",
        ),
        ("juliet", "context", "context", "means-not-theirs"),
        (
            "romeo",
            "instant-message",
            "instant-message",
            "im-not-yours",
        ),
        ("romeo", "context", "context", "means-not-yours"),
    ] {
        let whose = format!("{whose}@localhost");
        let taken = [("jid", whose.as_str()), ("right", right)];
        floor.operate("right take", &taken).await;
        let answer = reach(&mut romeo, "juliet").await;
        let expected = format!("<means name='{means}'><refused code='{refused}'>");
        assert!(answer.contains(&expected), "{answer}");
        assert_eq!(answer.matches("<refused ").count(), 1, "{answer}");
        assert_eq!(code(&by(&mut romeo, means).await), refused);
        floor.operate("right reset", &taken).await;
    }
    let answer = reach(&mut romeo, "juliet").await;
    assert!(!answer.contains("<refused "), "{answer}");
}

/// S0-15, S0-21, S0-22: a row for each reason why a colleague cannot be reached.
#[tokio::test]
async fn who_is_not_online_and_ready_cannot_be_reached_and_why() {
    let people = ["romeo", "juliet", "hidden", "blocker", "peter:member"];
    let floor = Floor::new(&people).await;
    let hidden = ChatProfile {
        presence: PresenceDisplay::Hidden,
        means: [Means::Email].into(),
        ..ChatProfile::default()
    };
    give_profile(&floor, "hidden", &hidden).await;
    let _hidden = agent(&floor, "hidden/x").await;
    let mut blocker = agent(&floor, "blocker/x").await;
    let block = |who: &str| {
        format!(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{who}@localhost'/></block></iq>"
        )
    };
    blocker.send(&block("romeo")).await;
    let mut romeo = floor.online("romeo/orchard").await;
    for (colleague, expected) in [
        ("romeo", "oneself"),
        ("juliet@example.org", "other-host"),
        ("nobody", "no-account"),
        ("peter", "no-agent"),
    ] {
        assert_eq!(code(&reach(&mut romeo, colleague).await), expected);
    }
    for (colleague, refused) in [
        ("juliet", "colleague-offline"),
        ("hidden", "presence-hidden"),
        ("blocker", "colleague-offline"),
    ] {
        let answer = reach(&mut romeo, colleague).await;
        let refusals = answer
            .matches(&format!("<refused code='{refused}'>"))
            .count();
        assert!(
            refusals == 4 && answer.contains("view='offline'"),
            "{answer}"
        );
    }
    assert_eq!(code(&by(&mut romeo, "email").await), "colleague-offline");
    let mut juliet = agent(&floor, "juliet/balcony").await;
    assert_eq!(code(&by(&mut romeo, "email").await), "no-address");
    assert_eq!(code(&by(&mut romeo, "pigeon").await), "field-malformed");
    let lunch = "<not-ready xmlns='urn:parlour:agent:0' reason='lunch'/>";
    ask(&mut juliet, "set", lunch).await;
    assert_eq!(
        code(&by(&mut romeo, "instant-message").await),
        "colleague-not-ready"
    );
    romeo.send(&block("juliet")).await;
    romeo.received();
    assert_eq!(
        code(&by(&mut romeo, "instant-message").await),
        "blocked-by-you"
    );
    let mut peter = floor.online("peter/x").await;
    assert_eq!(code(&reach(&mut peter, "juliet").await), "right-missing");
}

/// S0-3, S0-4: the other kind of vCard counts, too, where everybody may read it (XEP-0292).
#[tokio::test]
async fn addresses_come_from_a_vcard4_that_is_open() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut juliet = agent(&floor, "juliet/balcony").await;
    let publish = |access: &str| {
        format!(
            "<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
             <publish node='urn:ietf:params:xml:ns:vcard-4.0'><item id='current'>\
             <vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><tel><uri>tel:+49-30-12345678</uri></tel></vcard>\
             </item></publish><publish-options><x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>\
             <field var='pubsub#access_model'><value>{access}</value></field></x></publish-options></pubsub></iq>"
        )
    };
    let mut romeo = floor.online("romeo/orchard").await;
    juliet.send(&publish("presence")).await;
    assert_eq!(code(&by(&mut romeo, "telephone").await), "no-address");
    let delete = "<iq type='set' id='d'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>\
                  <delete node='urn:ietf:params:xml:ns:vcard-4.0'/></pubsub></iq>";
    juliet.send(delete).await;
    juliet.send(&publish("open")).await;
    let answer = by(&mut romeo, "telephone").await;
    assert!(answer.contains("uri='tel:+493012345678'"), "{answer}");
}

/// Asks as a component would.
async fn as_component(floor: &Floor, from: &str, payload: &str) -> IqAnswer {
    let services = floor.house.router.services();
    let iq = Iq {
        from: from.parse().unwrap(),
        to: CENTER.parse().unwrap(),
        at: At::Service,
        kind: IqType::Get,
        id: "c".into(),
        lang: None,
        payload: document(payload.as_bytes(), &Limits::STORED).unwrap(),
        session: None,
        ahead: Ahead::default(),
        services: Arc::clone(services),
    };
    let service = services.hooks.find_service(CENTER).unwrap();
    Arc::clone(service).request(iq).await.unwrap()
}

/// S0-17: a CRM asks how colleagues can be reached; no other component, and nothing else.
#[tokio::test]
async fn a_component_of_a_crm_may_ask_how_a_colleague_can_be_reached() {
    let component = |domain: &str, role| Component {
        domain: crate::config::Domain::parse(domain).unwrap(),
        role,
        ..Component::default()
    };
    let config = with(|config| {
        config.components = vec![
            component("crm.example", ComponentRole::Crm),
            component("pbx.example", ComponentRole::Connector),
        ];
    });
    let floor = Box::pin(Floor::configured(&["juliet", "peter:member"], config)).await;
    let mut juliet = agent(&floor, "juliet/balcony").await;
    give_card(&mut juliet, CARD).await;
    let ask = |colleague: &str| format!("<reach xmlns='{NS}' colleague='{colleague}'/>");
    let answer = as_component(&floor, "crm.example", &ask("juliet@localhost")).await;
    let mut xml = Vec::new();
    write::element(&mut xml, &answer.unwrap().unwrap(), "");
    let xml = String::from_utf8(xml).unwrap();
    assert!(
        xml.contains("view='online'") && xml.contains("uri='xmpp:juliet@localhost?message'"),
        "{xml}"
    );
    let search = "<search xmlns='urn:parlour:directory:0'><text>jul</text></search>";
    for (from, payload, expected) in [
        ("crm.example", ask("nobody@localhost"), "no-account"),
        ("crm.example", ask("peter@localhost"), "no-agent"),
        ("crm.example", ask("juliet@example.org"), "no-account"),
        ("crm.example", ask(""), "field-malformed"),
        ("crm.example", search.to_owned(), "stranger"),
        ("pbx.example", ask("juliet@localhost"), "stranger"),
        ("elsewhere.example", ask("juliet@localhost"), "stranger"),
    ] {
        let error = as_component(&floor, from, &payload).await.unwrap_err();
        assert_eq!(
            error.application.unwrap().name(),
            expected,
            "{from} {payload}"
        );
    }
}
