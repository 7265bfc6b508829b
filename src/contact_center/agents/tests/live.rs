//! Supervisors are told of changes as they happen (XEP-0060).

use std::time::Duration;

use super::*;
use crate::contact_center::settings::ACCOUNT_GRANTS;
use crate::domain::rights::{AccountGrants, Role};

const NODE: &str = "urn:parlour:agent:0#agents";

async fn pubsub(client: &mut Client, kind: &str, request: &str) -> String {
    let ns = "http://jabber.org/protocol/pubsub";
    ask(
        client,
        kind,
        &format!("<pubsub xmlns='{ns}'>{request}</pubsub>"),
    )
    .await
}

pub(super) async fn subscribe(client: &mut Client, jid: &str) -> String {
    let request = format!("<subscribe node='{NODE}' jid='{jid}'/>");
    pubsub(client, "set", &request).await
}

async fn set_role(floor: &Floor, name: &str, role: Role) {
    let jid = BareJid::new(&format!("{name}@localhost")).unwrap();
    let store = &floor.house.router.services().store;
    assert!(store.accounts().set_role(&jid, role).await.unwrap());
}

/// S0-13: nobody has to ask again and again.
#[tokio::test]
async fn who_has_subscribed_is_told_of_each_change_until_the_right_is_gone() {
    let floor = Floor::new(&["romeo", "paris:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut paris = floor.online("paris/desk").await;
    own(&mut romeo, "login").await;
    let answer = subscribe(&mut paris, "paris@localhost/desk").await;
    assert!(
        answer.contains(&format!(
            "<subscription node='{NODE}' jid='paris@localhost/desk' subscription='subscribed'/>"
        )),
        "{answer}"
    );
    not_ready(&mut romeo, "lunch").await;
    let heard = until(&mut paris, "reason='lunch'").await;
    let event = heard.last().unwrap();
    assert!(
        event.contains("from='center.localhost' to='paris@localhost/desk' type='headline'")
            && event.contains(&format!(
                "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{NODE}'>\
                 <item id='romeo@localhost'><agent xmlns='{NS}' jid='romeo@localhost' \
                 state='not-ready' reason='lunch'"
            )),
        "{event}"
    );
    // What the server has been told survives it.
    start_again(&floor).await;
    own(&mut romeo, "ready").await;
    until(&mut paris, "state='available'").await;

    set_role(&floor, "paris", Role::Agent).await;
    not_ready(&mut romeo, "meeting").await;
    let heard = until(&mut paris, "subscription='none'").await.concat();
    assert!(!heard.contains("reason='meeting'"), "{heard}");
    let answer = pubsub(&mut paris, "get", "<subscriptions/>").await;
    assert!(!answer.contains("<subscription "), "{answer}");
}

#[tokio::test]
async fn subscriptions_are_listed_and_end_sections_5_6_and_6_2() {
    let floor = Floor::new(&["paris:supervisor", "tybalt:supervisor"]).await;
    let mut paris = floor.online("paris/desk").await;
    let mut tybalt = floor.online("tybalt/desk").await;
    subscribe(&mut paris, "paris@localhost").await;
    subscribe(&mut paris, "paris@localhost").await;
    subscribe(&mut paris, "paris@localhost/desk").await;
    let listed = pubsub(&mut paris, "get", "<subscriptions/>").await;
    assert_eq!(listed.matches("<subscription ").count(), 2, "{listed}");
    let listed = pubsub(
        &mut tybalt,
        "get",
        &format!("<subscriptions node='{NODE}'/>"),
    )
    .await;
    assert_eq!(listed.matches("<subscription ").count(), 0, "{listed}");
    let end = format!("<unsubscribe node='{NODE}' jid='paris@localhost/desk'/>");
    let answer = pubsub(&mut tybalt, "set", &end).await;
    assert!(answer.contains("<forbidden "), "{answer}");
    let answer = pubsub(&mut paris, "set", &end).await;
    assert!(answer.contains("subscription='none'"), "{answer}");
    let answer = pubsub(&mut paris, "set", &end).await;
    assert!(answer.contains("<not-subscribed "), "{answer}");
    let listed = pubsub(&mut paris, "get", "<subscriptions/>").await;
    assert_eq!(listed.matches("<subscription ").count(), 1, "{listed}");
    for number in 0..19 {
        subscribe(&mut paris, &format!("paris@localhost/{number}")).await;
    }
    let answer = subscribe(&mut paris, "paris@localhost/one-more").await;
    assert!(answer.contains("<too-many-subscriptions "), "{answer}");
}

#[tokio::test]
async fn the_items_are_the_agents_section_6_5() {
    let floor = Floor::new(&["romeo", "juliet", "paris:supervisor"]).await;
    let mut paris = floor.online("paris/desk").await;
    for name in ["romeo/desk", "juliet/desk"] {
        let mut agent = floor.online(name).await;
        own(&mut agent, "login").await;
        std::mem::forget(agent);
    }
    let items = |inside: &str| format!("<items node='{NODE}'>{inside}</items>");
    let answer = pubsub(&mut paris, "get", &items("")).await;
    assert!(
        answer.contains("<item id='juliet@localhost'><agent xmlns='urn:parlour:agent:0' jid='juliet@localhost' state='available'")
            && answer.contains("<item id='romeo@localhost'>")
            && !answer.contains("<count>"),
        "{answer}"
    );
    let answer = pubsub(&mut paris, "get", &items("<item id='romeo@localhost'/>")).await;
    assert!(!answer.contains("juliet"), "{answer}");
    let answer = pubsub(&mut paris, "get", &items("<item id='nobody@localhost'/>")).await;
    assert!(answer.contains("<item-not-found "), "{answer}");
    let newest = format!("<items node='{NODE}' max_items='1'/>");
    let answer = pubsub(&mut paris, "get", &newest).await;
    assert!(
        answer.contains("<count>2</count>") && answer.matches("<item ").count() == 1,
        "{answer}"
    );
}

#[tokio::test]
async fn what_the_node_cannot_do_is_refused() {
    let floor = Floor::new(&["romeo", "paris:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut paris = floor.online("paris/desk").await;
    for request in [
        format!("<subscribe node='{NODE}' jid='romeo@localhost'/>"),
        format!("<items node='{NODE}'/>"),
    ] {
        let kind = if request.starts_with("<s") {
            "set"
        } else {
            "get"
        };
        let answer = pubsub(&mut romeo, kind, &request).await;
        assert!(answer.contains("<right-missing "), "{answer}");
    }
    for (kind, request, error) in [
        ("set", format!("<subscribe node='{NODE}'/>"), "jid-required"),
        (
            "set",
            format!("<subscribe node='{NODE}' jid='romeo@localhost'/>"),
            "invalid-jid",
        ),
        (
            "set",
            "<subscribe jid='paris@localhost'/>".to_owned(),
            "nodeid-required",
        ),
        (
            "set",
            "<subscribe node='x' jid='paris@localhost'/>".to_owned(),
            "item-not-found",
        ),
        ("set", format!("<publish node='{NODE}'/>"), "unsupported"),
        ("set", format!("<items node='{NODE}'/>"), "bad-request"),
        ("get", "<dance/>".to_owned(), "bad-request"),
        ("get", String::new(), "bad-request"),
        (
            "get",
            format!("<items node='{NODE}' max_items='many'/>"),
            "bad-request",
        ),
    ] {
        let answer = pubsub(&mut paris, kind, &request).await;
        assert!(
            answer.contains(&format!("<{error} ")),
            "{request}: {answer}"
        );
    }
}

#[tokio::test]
async fn the_node_is_found_by_those_who_may_subscribe_xep_0030() {
    let floor = Floor::new(&["romeo", "paris:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut paris = floor.online("paris/desk").await;
    let disco = "http://jabber.org/protocol/disco";
    let items = format!("<query xmlns='{disco}#items'/>");
    let node = format!("<item jid='{CENTER}' node='{NODE}'");
    assert!(ask(&mut paris, "get", &items).await.contains(&node));
    assert!(!ask(&mut romeo, "get", &items).await.contains(NODE));
    let info = format!("<query xmlns='{disco}#info' node='{NODE}'/>");
    let answer = ask(&mut paris, "get", &info).await;
    assert!(answer.contains("category='pubsub' type='leaf'"), "{answer}");
    assert!(
        ask(&mut romeo, "get", &info)
            .await
            .contains("<right-missing ")
    );
    let info = format!("<query xmlns='{disco}#info'/>");
    let answer = ask(&mut romeo, "get", &info).await;
    assert!(
        answer.contains("http://jabber.org/protocol/pubsub#subscribe"),
        "{answer}"
    );
}

/// An account that is removed is taken off the list, and who subscribed for a session alone is told nothing behind its end.
#[tokio::test]
async fn removed_agents_are_retracted_and_ended_sessions_are_told_nothing() {
    let floor = Floor::new(&["romeo", "paris:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut paris = floor.online("paris/desk").await;
    let mut phone = floor.online("paris/phone").await;
    for (client, jid) in [
        (&mut paris, "paris@localhost/desk"),
        (&mut phone, "paris@localhost/phone"),
    ] {
        subscribe(client, jid).await;
    }
    own(&mut romeo, "login").await;
    until(&mut paris, "state='available'").await;
    phone.disconnect().await;
    let listed = pubsub(&mut paris, "get", "<subscriptions/>").await;
    assert_eq!(listed.matches("<subscription ").count(), 1, "{listed}");
    assert!(listed.contains("jid='paris@localhost/desk'"), "{listed}");
    let gone = BareJid::new("romeo@localhost").unwrap();
    let services = floor.house.router.services();
    services.store.accounts().remove(&gone).await.unwrap();
    services.hooks.run_removed(&gone, services).await;
    let retract = format!("<items node='{NODE}'><retract id='romeo@localhost'/></items>");
    until(&mut paris, &retract).await;
    let items = pubsub(&mut paris, "get", &format!("<items node='{NODE}'/>")).await;
    assert!(!items.contains("romeo"), "{items}");
    // Sessions of an earlier run of the server are over.
    paris.disconnect().await;
    let mut paris = floor.online("paris/desk").await;
    let listed = pubsub(&mut paris, "get", "<subscriptions/>").await;
    assert!(!listed.contains("<subscription "), "{listed}");
}

/// What could not be told, since the database did not say to whom, is told later.
#[tokio::test]
async fn what_could_not_be_told_is_told_later() {
    let floor = Floor::new(&["romeo", "paris:supervisor"]).await;
    let (center, _) = floor.inside();
    let mut romeo = floor.online("romeo/desk").await;
    let mut paris = floor.online("paris/desk").await;
    subscribe(&mut paris, "paris@localhost").await;
    own(&mut romeo, "login").await;
    until(&mut paris, "state='available'").await;
    let grants = AccountGrants::default();
    floor
        .set(ACCOUNT_GRANTS, "paris@localhost", 1, &"nonsense")
        .await;
    not_ready(&mut romeo, "lunch").await;
    for untold in [false, true] {
        let waiting = async {
            while center.agents.live.is_untold() != untold {
                tokio::task::yield_now().await;
            }
        };
        let waiting = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(waiting.is_ok(), "{untold}");
    }
    floor
        .set(ACCOUNT_GRANTS, "paris@localhost", 2, &grants)
        .await;
    until(&mut paris, "reason='lunch'").await;
}
