//! Accounts: made, changed, removed.

use super::*;
use crate::store::{RosterItem, RosterWrite, Subscription};

/// Name, arguments, what becomes of it, and what is said.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const OPERATIONS: &[Case] = &[
    (
        "account add",
        &[("jid", "ann@example.org"), ("password", "p")],
        "done",
        "ann@example.org is made, with the role member",
    ),
    (
        "account add",
        &[("jid", "ANN@example.org"), ("password", "p")],
        "conflict",
        "an account ann@example.org already",
    ),
    (
        "account add",
        &[("jid", "ann"), ("password", "p")],
        "usage",
        "did you mean ann@example.org?",
    ),
    (
        "account add",
        &[("jid", "localhost"), ("password", "p")],
        "usage",
        "is a host",
    ),
    (
        "account add",
        &[("jid", "ann@else.where"), ("password", "p")],
        "usage",
        "the hosts are: example.org, localhost",
    ),
    (
        "account add",
        &[("jid", "ann@example.org/desk"), ("password", "p")],
        "usage",
        "has a resource",
    ),
    (
        "account add",
        &[("jid", "a b@example.org"), ("password", "p")],
        "usage",
        "is no address",
    ),
    (
        "account add",
        &[("jid", "bob@example.org")],
        "usage",
        "password is missing",
    ),
    (
        "account add",
        &[("jid", "bob@example.org"), ("password", "")],
        "not acceptable",
        "empty",
    ),
    (
        "account add",
        &[("jid", "bob@example.org"), ("password", "\u{7}")],
        "not acceptable",
        "SASLprep",
    ),
    (
        "account add",
        &[
            ("jid", "bob@example.org"),
            ("password", "p"),
            ("role", "boss"),
        ],
        "usage",
        "the roles are",
    ),
    (
        "account add",
        &[
            ("jid", "bob@example.org"),
            ("password", "p"),
            ("colour", "red"),
        ],
        "usage",
        "no argument \"colour\"",
    ),
    (
        "account add",
        &[
            ("jid", "bob@localhost"),
            ("password", "p"),
            ("role", "agent"),
            ("name", "Bob B"),
        ],
        "done",
        "agent",
    ),
    (
        "account role",
        &[("jid", "bob@localhost"), ("role", "supervisor")],
        "done",
        "supervisor",
    ),
    (
        "account disable",
        &[("jid", "bob@localhost")],
        "done",
        "disabled",
    ),
    (
        "account list",
        &[("host", "localhost")],
        "done",
        "bob@localhost  supervisor  disabled",
    ),
    ("account list", &[], "done", "2 in all"),
    (
        "account list",
        &[("after", "ann@example.org")],
        "done",
        "1 in all",
    ),
    (
        "account list",
        &[("host", "else.where")],
        "usage",
        "not served here",
    ),
    (
        "account enable",
        &[("jid", "bob@localhost")],
        "done",
        "may log in",
    ),
    (
        "account passwd",
        &[("jid", "bob@localhost"), ("password", "new")],
        "done",
        "changed",
    ),
    (
        "account passwd",
        &[("jid", "eve@localhost"), ("password", "new")],
        "not found",
        "no account eve@localhost",
    ),
    (
        "account passwd",
        &[
            ("jid", "bob@localhost"),
            ("password", "p"),
            ("end-sessions", "maybe"),
        ],
        "usage",
        "neither true nor false",
    ),
    (
        "account remove",
        &[("jid", "eve@localhost")],
        "not found",
        "no account eve@localhost",
    ),
    (
        "account disable",
        &[("jid", "eve@localhost")],
        "not found",
        "eve",
    ),
    (
        "account enable",
        &[("jid", "eve@localhost")],
        "not found",
        "eve",
    ),
    (
        "account role",
        &[("jid", "eve@localhost"), ("role", "agent")],
        "not found",
        "eve",
    ),
    ("session list", &[], "not running", "not running"),
    (
        "session end",
        &[("jid", "bob@localhost/x")],
        "not running",
        "not running",
    ),
    ("account rename", &[], "usage", "no operation"),
];

#[tokio::test]
async fn operations_do_what_they_say_or_say_why_not() {
    let office = Office::new().await;
    for (name, given, kind, says) in OPERATIONS {
        let done = office.perform(name, given).await;
        let (found, text) = told(&done);
        assert_eq!(found, *kind, "{name} {given:?}: {text}");
        assert!(text.contains(says), "{name} {given:?}: {text}");
    }
    let store = &office.operator.store;
    let login = store
        .credentials()
        .strongest(&jid("bob@localhost"))
        .await
        .unwrap()
        .unwrap();
    assert!(login.keys.unwrap().verify_password("new"));
    let vcard = store
        .vcards()
        .find(&jid("bob@localhost"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        vcard.xml,
        b"<vCard xmlns='vcard-temp'><FN>Bob B</FN></vCard>"
    );
}

#[tokio::test]
async fn nobody_stays_subscribed_to_a_removed_account() {
    let office = Office::new().await;
    let (gone, holder) = (jid("gone@localhost"), jid("ann@localhost"));
    for name in [&gone, &holder] {
        office.add(name.as_str()).await;
    }
    let rosters = office.operator.store.rosters();
    let item = RosterItem {
        name: Some("Friend".to_owned()),
        subscription: Subscription::Both,
        approved: true,
        ..RosterItem::new(gone.clone())
    };
    let write = RosterWrite::Put {
        owner: holder.clone(),
        item,
    };
    let _applied = rosters.apply(&[write], 10, NOW).await.unwrap();
    office
        .perform("account remove", &[("jid", gone.as_str())])
        .await
        .unwrap();
    let left = rosters.find(&holder, &gone).await.unwrap().unwrap();
    assert_eq!(left.name.as_deref(), Some("Friend"));
    assert_eq!(
        (left.subscription, left.ask, left.approved),
        (Subscription::None, false, false)
    );
}

/// Also of a removal that was interrupted before this was cleared: it can be repeated.
#[tokio::test]
async fn nothing_is_left_for_who_gets_the_name_of_a_removed_account() {
    let office = Office::new().await;
    let gone = jid("gone@localhost");
    let right = [("jid", gone.as_str()), ("right", "customer-erase")];
    let given = async || {
        let records = office.operator.store.records();
        let found = records.find(ACCOUNT_GRANTS, gone.as_str()).await;
        found.unwrap().is_some()
    };
    for interrupted in [false, true] {
        office.add(gone.as_str()).await;
        office.perform("right give", &right).await.unwrap();
        assert!(given().await);
        if interrupted {
            let accounts = office.operator.store.accounts();
            accounts.remove(&gone).await.unwrap().unwrap();
            assert!(given().await);
        }
        let name = [("jid", gone.as_str())];
        let again = office.perform("account remove", &name).await;
        assert_eq!(again.is_ok(), !interrupted);
        assert!(!given().await, "{interrupted}");
    }
}

#[tokio::test]
async fn the_last_administrator_stays_unless_it_is_forced() {
    let office = Office::new().await;
    for name in ["ann@localhost", "bob@example.org"] {
        let given = [("jid", name), ("password", "p"), ("role", "administrator")];
        office.perform("account add", &given).await.unwrap();
    }
    let ann = ("jid", "ann@localhost");
    office.perform("account disable", &[ann]).await.unwrap();
    // Who is disabled administers nothing.
    let bob = ("jid", "bob@example.org");
    for (name, given) in [
        ("account remove", &[bob][..]),
        ("account disable", &[bob]),
        ("account role", &[bob, ("role", "agent")]),
    ] {
        let done = office.perform(name, given).await;
        assert_eq!(told(&done).0, "not acceptable", "{name}");
    }
    let owner = jid(bob.1);
    let removal = perform_own(&office.operator, &owner, "account remove", Given::new());
    assert_eq!(told(&removal.await).0, "not acceptable");
    let forced = [bob, ("role", "agent"), ("force", "true")];
    office.perform("account role", &forced).await.unwrap();
    office.perform("account remove", &[bob]).await.unwrap();
}

#[tokio::test]
async fn several_are_done_one_after_the_other_until_one_is_refused() {
    let office = Office::new().await;
    for name in ["ann@localhost", "bob@localhost", "carl@localhost"] {
        office.add(name).await;
    }
    let both = [("jid", "ann@localhost\nbob@localhost")];
    let done = office.perform("account disable", &both).await.unwrap();
    assert_eq!(done.values("jid"), ["ann@localhost", "bob@localhost"]);
    let given = [("jid", "ann@localhost\neve@localhost\ncarl@localhost")];
    let (kind, text) = told(&office.perform("account remove", &given).await);
    assert_eq!(kind, "not found");
    assert!(
        text.contains("ann@localhost is removed") && text.contains("eve"),
        "{text}"
    );
    let accounts = office.operator.store.accounts();
    assert!(
        accounts
            .find(&jid("ann@localhost"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        accounts
            .find(&jid("carl@localhost"))
            .await
            .unwrap()
            .is_some()
    );
    let none = office.perform("account remove", &[("jid", " \n")]).await;
    assert_eq!(told(&none).0, "usage");
}

#[tokio::test]
async fn what_is_known_of_a_person_goes_into_the_vcard() {
    let office = Office::new().await;
    let given = [
        ("jid", "ann@localhost"),
        ("password", "p"),
        ("given-name", "Ann"),
        ("surname", "Lee"),
        ("email", "ann@mail.example"),
    ];
    office.perform("account add", &given).await.unwrap();
    let vcards = office.operator.store.vcards();
    let vcard = vcards.find(&jid("ann@localhost")).await.unwrap().unwrap();
    let xml = String::from_utf8(vcard.xml).unwrap();
    for part in [
        "<FN>Ann Lee</FN>",
        "<N><FAMILY>Lee</FAMILY><GIVEN>Ann</GIVEN></N>",
        "<USERID>ann@mail.example</USERID>",
    ] {
        assert!(xml.contains(part), "{xml}");
    }
}
