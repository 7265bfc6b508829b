use super::*;
use crate::extensions::testing::House;
use crate::proto::BareJid;
use crate::proto::common::forms::{Form, FormType};
use crate::store::{Applied, RosterItem, RosterWrite, Subscription};

const COMMANDS: &str = "urn:example:commands";

/// The extension beside one that contributes all that can be contributed.
fn all(hooks: &mut Hooks, config: &Arc<Config>) {
    register(hooks, config);
    hooks.feature(&[At::Host], "urn:example:love");
    hooks.disco_form(At::Host, |host| {
        let form = Form::new(FormType::Result).form_type("urn:example:form");
        (host.as_str() == "localhost").then_some(form)
    });
    hooks.disco_node(&[At::Host], |ask| async move {
        Ok((ask.node.as_deref() == Some(COMMANDS)).then(|| Info {
            identities: vec![Identity::new("automation", "command-list", "Commands")],
            ..Info::default()
        }))
    });
    hooks.disco_items(&[At::Host], |ask| async move {
        let item = Item {
            jid: ask.iq.to.clone().into(),
            node: Some("add".to_owned()),
            name: Some("Add".to_owned()),
        };
        Ok((ask.node.as_deref() == Some(COMMANDS)).then(|| vec![item]))
    });
}

/// Juliet lets Romeo see her presence, and nobody lets Paris.
async fn verona() -> House {
    let house = House::with(&["romeo", "juliet", "paris"], all).await;
    let item = RosterItem {
        subscription: Subscription::From,
        ..RosterItem::new(BareJid::new("romeo@localhost").unwrap())
    };
    let owner = BareJid::new("juliet@localhost").unwrap();
    let put = RosterWrite::Put { owner, item };
    let services = house.router.services();
    let applied = services
        .store
        .rosters()
        .apply(&[put], 10, services.clock.now())
        .await;
    assert!(matches!(applied, Ok(Applied::Done(_))));
    house
}

async fn ask(house: &House, asker: &str, to: &str, what: &str, node: &str) -> String {
    let mut client = house.client(&format!("{asker}/orchard"));
    let to = if to.is_empty() {
        String::new()
    } else {
        format!("to='{to}'")
    };
    let node = if node.is_empty() {
        String::new()
    } else {
        format!("node='{node}'")
    };
    let ns = format!("http://jabber.org/protocol/disco#{what}");
    client
        .send(&format!(
            "<iq type='get' id='d' {to}><query xmlns='{ns}' {node}/></iq>"
        ))
        .await;
    let heard = client.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    heard.concat()
}

#[tokio::test]
async fn a_host_says_what_it_is_and_can_do() {
    let house = verona().await;
    let told = ask(&house, "romeo", "localhost", "info", "").await;
    for part in [
        "<identity category='server' type='im' name='Parlour'/>",
        "<feature var='http://jabber.org/protocol/disco#info'/>",
        "<feature var='http://jabber.org/protocol/disco#items'/>",
        "<feature var='urn:example:love'/>",
        "<x xmlns='jabber:x:data' type='result'>",
        "urn:example:form",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let empty = "result d <query xmlns='http://jabber.org/protocol/disco#items'/>";
    assert_eq!(ask(&house, "romeo", "localhost", "items", "").await, empty);
}

#[tokio::test]
async fn an_account_is_shown_to_itself_and_to_those_who_see_its_presence() {
    let house = verona().await;
    let registered = "<identity category='account' type='registered'/>";
    for (asker, to) in [
        ("romeo", ""),
        ("romeo", "romeo@localhost"),
        ("romeo", "juliet@localhost"),
    ] {
        let told = ask(&house, asker, to, "info", "").await;
        assert!(told.contains(registered), "{asker} {to}: {told}");
        assert!(!told.contains("urn:example:love"), "{told}");
    }
    // §8: a stranger cannot tell an account from none; the node makes no difference.
    for (asker, to) in [
        ("paris", "juliet@localhost"),
        ("juliet", "romeo@localhost"),
        ("paris", "nobody@localhost"),
    ] {
        for node in ["", "urn:example:none"] {
            let info = ask(&house, asker, to, "info", node).await;
            assert_eq!(info, "error d service-unavailable", "{asker} {to}");
            let items = ask(&house, asker, to, "items", node).await;
            assert!(
                items.starts_with("result d <query") && !items.contains("<item"),
                "{items}"
            );
        }
    }
}

#[tokio::test]
async fn available_resources_are_items_of_the_account() {
    let house = verona().await;
    let juliet = house.client("juliet/balcony");
    let items = ask(&house, "romeo", "juliet@localhost", "items", "").await;
    assert!(!items.contains("<item"), "{items}");
    let presence = crate::proto::Stanza::presence(crate::proto::PresenceType::Available);
    juliet.session.publish(Some((Arc::new(presence), -1)));
    let items = ask(&house, "romeo", "juliet@localhost", "items", "").await;
    assert!(
        items.contains("<item jid='juliet@localhost/balcony'/>"),
        "{items}"
    );
    let items = ask(&house, "paris", "juliet@localhost", "items", "").await;
    assert!(!items.contains("<item"), "{items}");
}

#[tokio::test]
async fn nodes_are_those_of_providers() {
    let house = verona().await;
    let info = ask(&house, "romeo", "localhost", "info", COMMANDS).await;
    assert_eq!(
        info,
        format!(
            "result d <query xmlns='http://jabber.org/protocol/disco#info' node='{COMMANDS}'>\
             <identity category='automation' type='command-list' name='Commands'/></query>"
        )
    );
    let items = ask(&house, "romeo", "localhost", "items", COMMANDS).await;
    assert!(
        items.contains("<item jid='localhost' node='add' name='Add'/>"),
        "{items}"
    );
    for (to, what) in [
        ("localhost", "info"),
        ("localhost", "items"),
        ("romeo@localhost", "info"),
        ("romeo@localhost", "items"),
        ("juliet@localhost", "info"),
    ] {
        let told = ask(&house, "romeo", to, what, "urn:example:none").await;
        assert_eq!(told, "error d item-not-found", "{to} {what}");
    }
    // A node of the host is none of an account.
    let told = ask(&house, "romeo", "", "info", COMMANDS).await;
    assert_eq!(told, "error d item-not-found");
}

#[tokio::test]
async fn every_extension_together_makes_one_answer() {
    let house = House::new(&["romeo"]).await;
    let told = ask(&house, "romeo", "localhost", "info", "").await;
    for feature in [
        ns::CAPS,
        ns::CAPS2,
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::LAST_ACTIVITY,
        ns::PING,
        ns::PRIVATE,
        ns::TIME,
        ns::VCARD,
        ns::VERSION,
        "msgoffline",
    ] {
        let feature = format!("<feature var='{feature}'/>");
        assert_eq!(told.matches(&feature).count(), 1, "{feature} in {told}");
    }
}
