//! Operations as tables: what is given, and what comes out or is refused.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::control::{self, ControlError, ControlSocket};
use super::*;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::proto::BareJid;
use crate::store::{Limits, Location, RosterItem, RosterWrite, Store, Subscription};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

struct Office {
    operator: Operator,
    folder: tempfile::TempDir,
}

impl Office {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Location::Sqlite(folder.path().join("parlour.db"));
        let store = Store::open(&file, &Limits::default()).await.unwrap();
        let text = "[[host]]\ndomain = 'example.org'\n[[host]]\ndomain = 'localhost'\n[auth]\nscram_iterations = 4096\n";
        let config = Config::parse("test.toml", text, std::iter::empty()).unwrap();
        Self {
            operator: Operator::stopped(store, Clock::manual(NOW), Arc::new(config)),
            folder,
        }
    }

    async fn perform(&self, name: &str, given: &[(&str, &str)]) -> Result<Outcome, Refusal> {
        perform(&self.operator, Role::Administrator, name, &texts(given)).await
    }

    async fn add(&self, jid: &str) {
        let given = [("jid", jid), ("password", "secret")];
        self.perform("account add", &given).await.unwrap();
    }
}

fn texts(given: &[(&str, &str)]) -> Given {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    given.iter().map(own).collect()
}

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

/// The kind of the outcome, and a part of its text.
fn told(done: &Result<Outcome, Refusal>) -> (&'static str, String) {
    match done {
        Ok(outcome) => ("done", outcome.text.clone()),
        Err(refusal) => {
            let kind = match refusal {
                Refusal::Usage(_) => "usage",
                Refusal::Forbidden(_) => "forbidden",
                Refusal::NotAllowed(_) => "not allowed",
                Refusal::NotFound(_) => "not found",
                Refusal::Conflict(_) => "conflict",
                Refusal::NotAcceptable(_) => "not acceptable",
                Refusal::NotRunning(_) => "not running",
                Refusal::Failed(_) => "failed",
            };
            (kind, refusal.to_string())
        }
    }
}

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
async fn a_role_that_does_not_suffice_is_refused_before_anything_is_read() {
    let office = Office::new().await;
    for role in [Role::Member, Role::Agent, Role::Supervisor] {
        for operation in operations() {
            let done = perform(&office.operator, role, operation.name, &Given::new()).await;
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

const BAD_TABLES: &[(&str, &[&str])] = &[
    ("", &["no column jid"]),
    ("jid\na@localhost\n", &["line 1", "no column password"]),
    ("jid,password,colour\n", &["unknown column \"colour\""]),
    ("jid,password,jid\n", &["the column jid is there twice"]),
    (
        "jid,password\na@localhost,p\nb@localhost,p\nA@localhost,q\n",
        &["line 4: a@localhost stands in line 2 already"],
    ),
    (
        "jid,password\na@localhost,p\nthere@localhost,p\n",
        &["line 3: there is an account there@localhost"],
    ),
    (
        "jid,password\na@localhost,\nb,p\n,p\n",
        &[
            "line 2: no password",
            "line 3: \"b\" has no domain",
            "line 4: no jid",
        ],
    ),
    (
        "jid,password,role\na@localhost,p,boss\n",
        &["line 2: \"boss\" is no role"],
    ),
    (
        "jid,password\na@localhost,p,q\n",
        &["line 2: more cells than columns"],
    ),
    (
        "jid,password\na@localhost,p\nb@localhost,\u{7}\n",
        &["line 3: the password holds"],
    ),
];

#[tokio::test]
async fn a_table_makes_all_its_accounts_or_none() {
    let office = Office::new().await;
    office.add("there@localhost").await;
    for (table, says) in BAD_TABLES {
        let done = office.perform("account import", &[("file", table)]).await;
        let (kind, text) = told(&done);
        assert_eq!(kind, "not acceptable", "{table}: {text}");
        for says in *says {
            assert!(text.contains(says), "{table}: {text}");
        }
        let left = office
            .operator
            .store
            .accounts()
            .count("localhost")
            .await
            .unwrap();
        assert_eq!(left, 1, "{table}");
    }

    let table =
        "\u{FEFF}Jid,Password,Role,Name\r\na@localhost,\"p,q\",agent,Änne\r\nb@localhost, x ,,\r\n";
    let done = office
        .perform("account import", &[("file", table)])
        .await
        .unwrap();
    assert_eq!(done.data["made"], 2);
    let semicolons = "jid;password\nc@localhost;p\n";
    office
        .perform("account import", &[("file", semicolons)])
        .await
        .unwrap();
    let store = &office.operator.store;
    for (name, password, role) in [
        ("a@localhost", "p,q", Role::Agent),
        ("b@localhost", " x ", Role::Member),
        ("c@localhost", "p", Role::Member),
    ] {
        let login = store
            .credentials()
            .strongest(&jid(name))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(login.role, role, "{name}");
        assert!(login.keys.unwrap().verify_password(password), "{name}");
    }
}

#[tokio::test]
async fn the_control_socket_carries_operations() {
    let office = Office::new().await;
    let folder = office.folder.path();
    let given = texts(&[("jid", "ann@localhost"), ("password", "p")]);
    let none = control::request(folder, "account add", &given)
        .await
        .unwrap();
    assert!(none.is_none(), "nobody serves");

    let socket = ControlSocket::bind(folder).unwrap();
    assert!(matches!(
        ControlSocket::bind(folder),
        Err(ControlError::InUse(_))
    ));
    let stop = CancellationToken::new();
    let tasks = tokio_util::task::TaskTracker::new();
    let serving = tasks.spawn(socket.serve(office.operator.clone(), stop.clone()));

    assert!(control::is_running(folder).await.unwrap());
    let made = control::request(folder, "account add", &given)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(made.unwrap().data["jid"], "ann@localhost");
    let again = control::request(folder, "account add", &given)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        again,
        Err(Refusal::Conflict(
            "there is an account ann@localhost already".to_owned()
        ))
    );
    let answer = raw(
        folder,
        b"{\"operation\":\"account add\",\"password\":\"secret\"}\n",
    )
    .await;
    assert!(
        answer.contains("\"usage\"") && !answer.contains("secret"),
        "{answer}"
    );
    let answer = raw(folder, b"no json\n").await;
    assert!(answer.contains("\"usage\""), "{answer}");

    stop.cancel();
    serving.await.unwrap();
    assert!(!folder.join(control::FILE).exists());
    assert!(!control::is_running(folder).await.unwrap());
    // What a server left that was killed is no hindrance.
    drop(std::os::unix::net::UnixListener::bind(folder.join(control::FILE)).unwrap());
    assert!(!control::is_running(folder).await.unwrap());
    ControlSocket::bind(folder).unwrap();
}

async fn raw(folder: &std::path::Path, request: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::UnixStream::connect(folder.join(control::FILE))
        .await
        .unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
