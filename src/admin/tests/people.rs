//! Lists, numbers, and what is looked up about people.

use super::*;
use crate::proto::common::forms::ITEMS_MAX;

#[tokio::test]
async fn numbers_and_lists_tell_the_same() {
    let office = Office::new().await;
    for name in ["ann@localhost", "bob@localhost", "carl@example.org"] {
        office.add(name).await;
    }
    office
        .perform("account disable", &[("jid", "bob@localhost")])
        .await
        .unwrap();
    for (state, given, accounts) in [
        (
            "registered",
            &[][..],
            &["carl@example.org", "ann@localhost", "bob@localhost"][..],
        ),
        (
            "registered",
            &[("host", "localhost")],
            &["ann@localhost", "bob@localhost"],
        ),
        ("disabled", &[], &["bob@localhost"]),
    ] {
        let list = office
            .perform(&format!("account list-{state}"), given)
            .await
            .unwrap();
        assert_eq!(list.values("accounts"), accounts);
        let count = office
            .perform(&format!("account count-{state}"), given)
            .await
            .unwrap();
        assert_eq!(count.values("count"), [accounts.len().to_string()]);
    }
    for (state, kind) in [("online", "not running"), ("active", "not running")] {
        let done = office.perform(&format!("account list-{state}"), &[]).await;
        assert_eq!(told(&done).0, kind);
    }
    let some = office
        .perform("account list-registered", &[("max-items", "3")])
        .await;
    assert_eq!(told(&some).0, "usage");
}

#[tokio::test]
async fn who_was_never_here_has_no_last_login() {
    let office = Office::new().await;
    office.add("ann@localhost").await;
    let ann = [("jid", "ann@localhost")];
    let never = office.perform("account last-login", &ann).await.unwrap();
    assert!(never.data["last_login"].is_null());
    assert!(never.values("last_login").is_empty());
    let stats = office.perform("account stats", &ann).await.unwrap();
    assert_eq!(stats.values("roster_size"), ["0"]);
    for name in ["account roster", "account last-login", "account stats"] {
        let nobody = office.perform(name, &[("jid", "eve@localhost")]).await;
        assert_eq!(told(&nobody).0, "not found", "{name}");
    }
}

#[tokio::test]
async fn the_list_of_administrators_is_replaced_as_a_whole() {
    let office = Office::new().await;
    for name in ["ann@localhost", "bob@localhost", "carl@example.org"] {
        office.add(name).await;
    }
    for (set, kind) in [
        ("ann@localhost\nbob@localhost", "done"),
        ("carl@example.org\neve@localhost", "not found"),
        ("", "usage"),
        ("bob@localhost\ncarl@example.org", "done"),
    ] {
        let done = office.perform("admin set", &[("jid", set)]).await;
        assert_eq!(told(&done).0, kind, "{set}: {done:?}");
    }
    let list = office.perform("admin list", &[]).await.unwrap();
    assert_eq!(
        list.values("administrators"),
        ["carl@example.org", "bob@localhost"]
    );
}

/// By form a list goes on where its table ends, and not where that of the command line would.
#[tokio::test]
async fn a_list_by_form_goes_on_behind_its_last_row() {
    let office = Office::new().await;
    let accounts = office.operator.store.accounts();
    for at in 0..=ITEMS_MAX {
        let jid = jid(&format!("a{at:04}@localhost"));
        accounts.create(&jid, Role::Member, &[], NOW).await.unwrap();
    }
    let all = office.perform("account list", &[]).await.unwrap();
    assert_eq!(all.table.unwrap().rows.len(), ITEMS_MAX + 1);
    let from = "chief@localhost/desk".parse().unwrap();
    let by = Actor::account(&office.operator.config, &from, Role::Administrator, None);
    let list = async |given: &[(&str, &str)]| {
        let given = texts(given);
        let done = perform(&office.operator, &by, "account list", &given);
        Box::pin(done).await.unwrap()
    };
    let first = list(&[]).await;
    assert_eq!(first.table.unwrap().rows.len(), ITEMS_MAX);
    assert_eq!(first.data["next_after"], "a0999@localhost");
    let rest = list(&[("after", "a0999@localhost")]).await;
    assert_eq!(rest.table.unwrap().rows.len(), 1);
    assert_eq!(rest.data["next_after"], serde_json::Value::Null);
}
