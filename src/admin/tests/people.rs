//! Lists, numbers, and what is looked up about people.

use super::*;

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
