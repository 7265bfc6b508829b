//! Dialogues as clients have them.

mod operations;
mod tables;

use crate::domain::rights::Role;
use crate::extensions::testing::{Client, House};
use crate::extensions::{commands, disco};
use crate::proto::BareJid;

const ADMIN: &str = "http://jabber.org/protocol/admin#";

async fn house() -> House {
    let house = House::with(&["chief", "ann", "bob"], |hooks, config| {
        commands::register(hooks, config);
        disco::register(hooks, config);
    })
    .await;
    let accounts = house.router.services().store.accounts();
    let chief = BareJid::new("chief@localhost").unwrap();
    assert!(
        accounts
            .set_role(&chief, Role::Administrator)
            .await
            .unwrap()
    );
    house
}

async fn command(client: &mut Client, attributes: &str, payload: &str) -> String {
    let ns = "http://jabber.org/protocol/commands";
    client
        .send(&format!(
            "<iq type='set' id='c' to='localhost'><command xmlns='{ns}' {attributes}>{payload}</command></iq>"
        ))
        .await;
    client.received_xml().concat()
}

fn session_id(answer: &str) -> String {
    let (_, rest) = answer.split_once("sessionid=").unwrap();
    let quote = rest.chars().next().unwrap();
    rest.split(quote).nth(1).unwrap().to_owned()
}

fn submit(fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"))
        .collect();
    format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>")
}

/// Begins `node` and answers its form with `fields`.
async fn fill(client: &mut Client, node: &str, fields: &[(&str, &str)]) -> String {
    let begun = command(client, &format!("node='{node}' action='execute'"), "").await;
    assert!(begun.contains("status='executing'"), "{begun}");
    let id = session_id(&begun);
    command(
        client,
        &format!("node='{node}' sessionid='{id}'"),
        &submit(fields),
    )
    .await
}

#[tokio::test]
async fn only_what_the_role_allows_is_listed() {
    let house = house().await;
    for (who, admin) in [("chief/a", true), ("ann/a", false)] {
        let mut client = house.client(who);
        client
            .send(
                "<iq type='get' id='d' to='localhost'><query \
                 xmlns='http://jabber.org/protocol/disco#items' \
                 node='http://jabber.org/protocol/commands'/></iq>",
            )
            .await;
        let items = client.received_xml().concat();
        assert!(items.contains("change-own-password"), "{items}");
        assert_eq!(items.contains("#add-user"), admin, "{items}");
        client
            .send(&format!(
                "<iq type='get' id='d' to='localhost'><query \
                 xmlns='http://jabber.org/protocol/disco#info' node='{ADMIN}add-user'/></iq>"
            ))
            .await;
        let info = client.received_xml().concat();
        assert_eq!(info.contains("command-node"), admin, "{info}");
        assert_eq!(info.contains("<forbidden"), !admin, "{info}");
    }
}

#[tokio::test]
async fn an_administrator_adds_disables_and_deletes_users() {
    let house = house().await;
    let mut chief = house.client("chief/a");
    let carl = BareJid::new("carl@localhost").unwrap();
    let accounts = house.router.services().store.accounts();

    let fields = [
        ("FORM_TYPE", "http://jabber.org/protocol/admin"),
        ("accountjid", "carl@localhost"),
        ("password", "secret"),
        ("password-verify", "secret"),
        ("given_name", "Carl"),
    ];
    let done = fill(&mut chief, &format!("{ADMIN}add-user"), &fields).await;
    assert!(done.contains("status='completed'"), "{done}");
    let account = accounts.find(&carl).await.unwrap().unwrap();
    assert_eq!(account.role, Role::Member);
    let again = fill(&mut chief, &format!("{ADMIN}add-user"), &fields).await;
    assert!(again.contains("<conflict"), "{again}");

    let those = [("accountjids", "carl@localhost")];
    for (node, enabled) in [("disable-user", false), ("reenable-user", true)] {
        let done = fill(&mut chief, &format!("{ADMIN}{node}"), &those).await;
        assert!(done.contains("status='completed'"), "{done}");
        assert_eq!(
            accounts.find(&carl).await.unwrap().unwrap().enabled,
            enabled
        );
    }
    let listed = fill(
        &mut chief,
        &format!("{ADMIN}get-registered-users-list"),
        &[],
    )
    .await;
    for jid in ["ann", "bob", "carl", "chief"] {
        assert!(
            listed.contains(&format!("<value>{jid}@localhost</value>")),
            "{listed}"
        );
    }
    let done = fill(&mut chief, &format!("{ADMIN}delete-user"), &those).await;
    assert!(done.contains("status='completed'"), "{done}");
    assert_eq!(accounts.find(&carl).await.unwrap(), None);
    let done = fill(&mut chief, &format!("{ADMIN}delete-user"), &those).await;
    assert!(done.contains("<item-not-found"), "{done}");
}

#[tokio::test]
async fn everybody_changes_the_own_password_and_nobody_elses() {
    let house = house().await;
    let mut ann = house.client("ann/a");
    let fields = [("password", "new"), ("password-verify", "new")];
    let done = fill(&mut ann, "change-own-password", &fields).await;
    assert!(done.contains("status='completed'"), "{done}");
    let ann_jid = BareJid::new("ann@localhost").unwrap();
    let login = house
        .router
        .services()
        .store
        .credentials()
        .strongest(&ann_jid)
        .await;
    let keys = login.unwrap().unwrap().keys.unwrap();
    assert!(keys.verify_password("new"));

    let differing = [("password", "new"), ("password-verify", "other")];
    let refused = fill(&mut ann, "change-own-password", &differing).await;
    assert!(refused.contains("<not-acceptable"), "{refused}");
    let node = format!("node='{ADMIN}change-user-password'");
    let refused = command(&mut ann, &node, "").await;
    assert!(
        refused.contains("<forbidden") && refused.contains("type='cancel'"),
        "{refused}"
    );
}

#[tokio::test]
async fn wrong_turns_are_refused_as_section_4_4_says() {
    let house = house().await;
    let (mut ann, mut bob) = (house.client("ann/a"), house.client("bob/b"));
    let node = "node='change-own-password'";
    let begun = command(&mut ann, node, "").await;
    assert!(
        begun.contains("<actions execute='complete'><complete/></actions>"),
        "{begun}"
    );
    let id = session_id(&begun);
    let form = submit(&[("password", "p"), ("password-verify", "p")]);
    let at = |id: &str, action: &str| format!("{node} sessionid='{id}' action='{action}'");
    for (attributes, payload, says) in [
        ("node='no-such'".to_owned(), "", "<item-not-found"),
        (format!("{node} action='cancel'"), "", "<bad-action"),
        (at(&id, "jump"), "", "<malformed-action"),
        (at(&id, "next"), form.as_str(), "<bad-action"),
        (at(&id, "prev"), form.as_str(), "<bad-action"),
        (at("none", "complete"), form.as_str(), "<bad-sessionid"),
        (at(&id, "complete"), "", "<bad-payload"),
        (
            at(&id, "complete"),
            &submit(&[("password", "p")]),
            "<bad-payload",
        ),
    ] {
        let answer = command(&mut ann, &attributes, payload).await;
        assert!(answer.contains(says), "{attributes}: {answer}");
    }
    // Somebody else's.
    let answer = command(&mut bob, &at(&id, "complete"), &form).await;
    assert!(answer.contains("<bad-sessionid"), "{answer}");
    // What was refused can be put right, once.
    let answer = command(&mut ann, &at(&id, "complete"), &form).await;
    assert!(answer.contains("status='completed'"), "{answer}");
    let answer = command(&mut ann, &at(&id, "complete"), &form).await;
    assert!(
        answer.contains("<session-expired") && answer.contains("<not-allowed"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_dialogue_is_canceled_or_runs_out() {
    let house = house().await;
    let mut ann = house.client("ann/a");
    let node = "node='change-own-password'";
    let begun = command(&mut ann, node, "").await;
    let first = format!("{node} sessionid='{}'", session_id(&begun));
    let answer = command(&mut ann, &format!("{first} action='cancel'"), "").await;
    assert!(answer.contains("status='canceled'"), "{answer}");

    let begun = command(&mut ann, node, "").await;
    let second = format!("{node} sessionid='{}'", session_id(&begun));
    house.clock.advance_seconds(15 * 60);
    let form = submit(&[("password", "p"), ("password-verify", "p")]);
    for attributes in [first, second] {
        let answer = command(&mut ann, &attributes, &form).await;
        assert!(answer.contains("<session-expired"), "{answer}");
    }
}

#[tokio::test]
async fn sessions_of_users_are_ended() {
    let house = house().await;
    let mut chief = house.client("chief/a");
    let ann = house.client("ann/a");
    let online = fill(&mut chief, &format!("{ADMIN}get-online-users-list"), &[]).await;
    assert!(online.contains("<value>ann@localhost</value>"), "{online}");
    let those = [("accountjids", "ann@localhost/a")];
    let done = fill(&mut chief, &format!("{ADMIN}end-user-session"), &those).await;
    assert!(done.contains("status='completed'"), "{done}");
    let error = ann.session.until_ended().await;
    assert_eq!(
        error.condition,
        crate::proto::StreamCondition::PolicyViolation
    );
}
