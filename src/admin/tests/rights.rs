//! Who may have what done, and how far it reaches.

use super::*;
use crate::proto::Jid;

#[tokio::test]
async fn a_role_that_does_not_suffice_is_refused_before_anything_is_read() {
    let office = Office::new().await;
    for role in [Role::Member, Role::Agent, Role::Supervisor] {
        let from = Jid::parse("ann@localhost/a").unwrap();
        let by = Actor::account(&office.operator.config, &from, role, None);
        for operation in operations() {
            let done = perform(&office.operator, &by, operation.name, &Given::new()).await;
            assert_eq!(told(&done).0, "forbidden", "{}", operation.name);
        }
    }
    let owner = jid("ann@localhost");
    let own = perform_own(&office.operator, &owner, "account disable", Given::new()).await;
    assert_eq!(told(&own).0, "forbidden");
}

#[tokio::test]
async fn the_owner_cannot_name_another_account() {
    let office = Office::new().await;
    for name in ["ann@localhost", "bob@localhost"] {
        office.add(name).await;
    }
    let given = texts(&[("jid", "bob@localhost")]);
    let owner = jid("ann@localhost");
    perform_own(&office.operator, &owner, "account remove", given)
        .await
        .unwrap();
    let accounts = office.operator.store.accounts();
    assert_eq!(accounts.find(&owner).await.unwrap(), None);
    assert!(
        accounts
            .find(&jid("bob@localhost"))
            .await
            .unwrap()
            .is_some()
    );
}

fn administrator(office: &Office, jid: &str) -> Actor {
    let config = &office.operator.config;
    Actor::account(config, &Jid::parse(jid).unwrap(), Role::Administrator, None)
}

#[tokio::test]
async fn an_administrator_of_one_host_of_several_stays_within_it() {
    let office = Office::new().await;
    for name in ["ann@localhost", "bob@example.org"] {
        office.add(name).await;
    }
    let by = administrator(&office, "chief@localhost/desk");
    for (name, given, kind) in [
        ("account disable", &[("jid", "ann@localhost")][..], "done"),
        (
            "account disable",
            &[("jid", "bob@example.org")],
            "forbidden",
        ),
        (
            "account add",
            &[("jid", "x@example.org"), ("password", "p")],
            "forbidden",
        ),
        (
            "account import",
            &[("file", "jid,password\nx@example.org,p\n")],
            "not acceptable",
        ),
        ("account list", &[("host", "example.org")], "forbidden"),
        (
            "session list",
            &[("account", "bob@example.org")],
            "forbidden",
        ),
        ("invite create", &[("host", "example.org")], "forbidden"),
        ("admin set", &[("jid", "bob@example.org")], "forbidden"),
        ("blacklist set", &[("jid", "far.example")], "forbidden"),
        ("server shutdown", &[], "forbidden"),
        ("log set", &[("level", "debug")], "forbidden"),
    ] {
        let done = perform(&office.operator, &by, name, &texts(given)).await;
        assert_eq!(told(&done).0, kind, "{name} {given:?}: {done:?}");
    }
    let listed = perform(&office.operator, &by, "account list", &Given::new()).await;
    assert_eq!(listed.unwrap().values("accounts"), ["ann@localhost"]);
    let counted = perform(
        &office.operator,
        &by,
        "account count-registered",
        &Given::new(),
    )
    .await;
    assert_eq!(counted.unwrap().data["count"], 1);
    // What was done to the other host is nothing to this one's administrator.
    let trail = perform(&office.operator, &by, "audit list", &Given::new())
        .await
        .unwrap();
    let entries = trail.data["entries"].as_array().unwrap().clone();
    assert!(
        entries
            .iter()
            .any(|entry| entry["target"] == "ann@localhost"),
        "{entries:?}"
    );
    let other = |entry: &serde_json::Value| {
        entry["target"] == "bob@example.org" && entry["actor"] == "command line"
    };
    assert!(!entries.iter().any(other), "{entries:?}");
}

#[tokio::test]
async fn who_is_named_or_alone_administers_the_whole_server() {
    let office = Office::new().await;
    let one = "[[host]]\ndomain = 'localhost'\n";
    let two = format!("{one}[[host]]\ndomain = 'example.org'\n");
    let named = format!("{two}[admin]\nserver_administrators = ['chief@localhost']\n");
    for (text, allowed) in [(one, true), (&two, false), (&named, true)] {
        let config = Config::parse("test.toml", text, std::iter::empty()).unwrap();
        let from = Jid::parse("chief@localhost/desk").unwrap();
        for (role, able) in [(Role::Administrator, allowed), (Role::Supervisor, false)] {
            let by = Actor::account(&config, &from, role, None);
            let done = perform(&office.operator, &by, "whitelist list", &Given::new()).await;
            assert_eq!(done.is_ok(), able, "{text} {role}");
        }
    }
}
