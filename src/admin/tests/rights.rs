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

/// An office of these hosts, with administrators of the whole server on the second.
async fn office_of(hosts: [&str; 2]) -> Office {
    let mut office = Office::new().await;
    let [first, second] = hosts;
    let text = format!(
        "[[host]]\ndomain = '{first}'\n[[host]]\ndomain = '{second}'\n[auth]\nscram_iterations = 4096\n\
         [admin]\nserver_administrators = ['chief@{second}', 'later@{second}']\n"
    );
    let config = Config::parse("test.toml", &text, std::iter::empty()).unwrap();
    office.operator.config = Arc::new(config);
    office
}

#[tokio::test]
async fn who_administers_one_host_becomes_nobody_who_administers_all() {
    let office = office_of(["example.org", "localhost"]).await;
    for name in ["chief@localhost", "host@localhost", "ann@localhost"] {
        office.add(name).await;
    }
    for name in ["chief@localhost", "host@localhost"] {
        let given = [("jid", name), ("role", "administrator")];
        office.perform("account role", &given).await.unwrap();
    }
    let by = administrator(&office, "host@localhost/desk");
    let chief = ("jid", "chief@localhost");
    let later = ("jid", "later@localhost");
    let table = "jid,password,role\nlater@localhost,p,administrator\n";
    for (name, given, kind) in [
        (
            "account passwd",
            &[chief, ("password", "p")][..],
            "forbidden",
        ),
        ("account remove", &[chief], "forbidden"),
        ("account disable", &[chief], "forbidden"),
        ("session end", &[chief], "forbidden"),
        (
            "session end",
            &[("jid", "chief@localhost/desk")],
            "forbidden",
        ),
        ("session end", &[("jid", "ann@localhost")], "not running"),
        ("account role", &[chief, ("role", "member")], "forbidden"),
        ("account add", &[later, ("password", "p")], "forbidden"),
        ("invite create", &[("account", later.1)], "forbidden"),
        ("account import", &[("file", table)], "not acceptable"),
        (
            "admin set",
            &[("jid", "host@localhost\nchief@localhost")],
            "forbidden",
        ),
        (
            "admin set",
            &[("jid", "host@localhost\nann@localhost")],
            "done",
        ),
    ] {
        let done = perform(&office.operator, &by, name, &texts(given)).await;
        assert_eq!(told(&done).0, kind, "{name} {given:?}: {done:?}");
    }
    let accounts = office.operator.store.accounts();
    let found = accounts.find(&jid(chief.1)).await.unwrap().unwrap();
    assert_eq!((found.role, found.enabled), (Role::Administrator, true));
    assert_eq!(accounts.find(&jid(later.1)).await.unwrap(), None);
    // One of them does.
    let by = administrator(&office, "chief@localhost/desk");
    let given = texts(&[later, ("password", "p")]);
    perform(&office.operator, &by, "account add", &given)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_below_two_hosts_belongs_to_the_longer() {
    for hosts in [["example", "a.example"], ["a.example", "example"]] {
        let office = office_of(hosts).await;
        office.add("boss@example").await;
        let outer = administrator(&office, "boss@example/desk");
        let inner = administrator(&office, "boss@a.example/desk");
        for (domain, of_outer, of_inner) in [
            ("rooms.a.example", false, true),
            ("a.example", false, true),
            ("rooms.example", true, false),
            ("example", true, false),
            ("ba.example", true, false),
            ("notexample", false, false),
        ] {
            let config = &office.operator.config;
            let reached = |by: &Actor| by.reach.includes_service_of(config, domain);
            assert_eq!(
                (reached(&outer), reached(&inner)),
                (of_outer, of_inner),
                "{domain}"
            );
        }
        let given = [("room", "hall@rooms.a.example"), ("owner", "boss@example")];
        for (name, given) in [("room create", &given[..]), ("room destroy", &given[..1])] {
            let done = perform(&office.operator, &outer, name, &texts(given)).await;
            assert_eq!(told(&done).0, "forbidden", "{name}: {done:?}");
            let done = perform(
                &office.operator,
                &inner,
                "room destroy",
                &texts(&given[..1]),
            )
            .await;
            assert_eq!(told(&done).0, "not running", "{name}: {done:?}");
        }
        // Both attempts are filed under the host of the room.
        let seen = async |by: &Actor| {
            let trail = perform(&office.operator, by, "audit list", &Given::new()).await;
            let entries = trail.unwrap().data["entries"].as_array().unwrap().clone();
            let rooms = entries.iter().filter(|it| it["target"] == given[0].1);
            rooms.count()
        };
        assert_eq!((seen(&inner).await, seen(&outer).await), (4, 0));
    }
}
