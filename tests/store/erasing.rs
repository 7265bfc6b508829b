//! A customer is erased: afterwards nothing in the whole database tells of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlour::admin::{Actor, Operator, Outcome, Refusal, perform};
use parlour::clock::Clock;
use parlour::config::Config;
use parlour::domain::activity::{Activity, Note, Subject};
use parlour::domain::customer::{Command, Customer, Profile, decide};
use parlour::domain::follow_up::{FollowUp, Plan, Source, SourceKind};
use parlour::domain::ids::AgentId;
use parlour::domain::im_session::{ImSession, Phase};
use parlour::domain::interaction::{Direction, Interaction, Leg, Line, Medium, Participant, Role};
use parlour::domain::message_stream::{Attachment, Message, Stream, attachment::FileType};
use parlour::store::{
    Limits, Listing, NewAttachment, NewUpload, Outgoing, RecordChange, RecordWrite, RecordsWritten,
    Reserved, STREAMS_ABOUT, Snapshot, SnapshotRow, Store, StoreError, TakenOver, UploadFiles,
    UploadId, UploadLimits, Value, customer_change,
};
use serde::Serialize;

use crate::{NOW, Place, account, jid, on_both};

on_both! {
    nothing_tells_of_a_customer_who_is_erased,
    nobody_is_erased_while_somebody_deals_with_them,
    a_customer_whose_other_half_is_gone_is_erased_by_its_own_name,
}

const HOST: &str = "localhost";
/// What must not be found afterwards, wherever it stood.
const SECRETS: &[&str] = &[
    "Zsofia",
    "zsofia",
    "Quillfeather",
    "quillfeather",
    "4930777",
    "a text of hers",
    "très privé.png",
    "crm-4711",
    "c-own",
    "c-merged",
];

pub(crate) struct Office {
    operator: Operator,
    pub(crate) folder: tempfile::TempDir,
}

impl Office {
    pub(crate) async fn new(place: &Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "data_dir = '{}'\n[[host]]\ndomain = 'localhost'\n",
            folder.path().display()
        );
        let config = Config::parse("test.toml", &text, std::iter::empty()).unwrap();
        let store = place.open().await;
        account(&store, "romeo@localhost").await;
        Self {
            operator: Operator::stopped(store, Clock::manual(NOW), Arc::new(config)),
            folder,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.operator.store
    }

    async fn perform(&self, name: &str, given: &[(&str, &str)]) -> Result<Outcome, Refusal> {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let given = given.iter().map(own).collect();
        Box::pin(perform(
            &self.operator,
            &Actor::command_line(None),
            name,
            &given,
        ))
        .await
    }

    async fn write(&self, write: RecordWrite) {
        let written = self.store().records().write(write).await.unwrap();
        assert_eq!(written, RecordsWritten::Done);
    }

    async fn customer(&self, id: &str, name: &str, telephones: &[&str]) -> Customer {
        let fresh = Customer::new(id.parse().unwrap(), HOST.to_owned());
        let profile = Profile {
            name: name.to_owned(),
            telephones: telephones.iter().map(|it| (*it).to_owned()).collect(),
            emails: vec![format!("{id}@quillfeather.example")],
            crm_id: Some(format!("crm-4711-{id}")),
            ..Profile::default()
        };
        let events = decide(&fresh, Command::Create(profile), NOW).unwrap();
        let (made, change) = customer_change(&fresh, &events).unwrap();
        self.change(change).await;
        made
    }

    async fn change(&self, change: RecordChange) {
        let changes = vec![change];
        self.write(RecordWrite {
            changes,
            ..RecordWrite::default()
        })
        .await;
    }

    /// A record with one event, which says the same, in that list.
    pub(crate) async fn record(
        &self,
        kind: &'static str,
        id: &str,
        it: &impl Serialize,
        list: &'static str,
    ) {
        let snapshot: Arc<str> = serde_json::to_string(it).unwrap().into();
        let owner = match list {
            STREAMS_ABOUT | "customer" => format!("{HOST} c-own"),
            _ => HOST.to_owned(),
        };
        let listing = Listing { list, owner };
        self.change(RecordChange {
            kind,
            id: id.into(),
            read: 0,
            version: 1,
            events: vec![Arc::clone(&snapshot)],
            snapshot,
            due: None,
            listings: Some(vec![listing]),
        })
        .await;
    }

    async fn interaction(&self, id: &str, address: &str, customer: Option<&str>, line: Line) {
        let interaction = Interaction {
            id: id.parse().unwrap(),
            version: 1,
            connector: "bot.localhost".to_owned(),
            medium: Medium::Voice,
            direction: Direction::Inbound,
            address: address.to_owned(),
            queue: None,
            customer: customer.map(|it| it.parse().unwrap()),
            data: [("name".to_owned(), "Zsofia".to_owned())].into(),
            line,
            participants: vec![Participant {
                agent: romeo(),
                role: Role::Primary,
                leg: Leg::Done,
                offered_at: NOW,
                connected_at: Some(NOW),
                left_at: Some(NOW),
                invite: None,
            }],
            request: None,
            interrupted: false,
            lost_until: None,
            put_off: 0,
            word: None,
            began_at: Some(NOW),
        };
        self.record("interaction", id, &interaction, "going-on")
            .await;
        let activity = Activity {
            id: format!("a-{id}").parse().unwrap(),
            version: 1,
            subject: Some(Subject {
                interaction: id.parse().unwrap(),
                agent: romeo(),
                role: Role::Primary,
                medium: Medium::Voice,
                direction: Direction::Inbound,
                address: address.to_owned(),
                customer: customer.map(|it| it.parse().unwrap()),
                name: "Call with Zsofia".to_owned(),
            }),
            created_at: Some(NOW),
            connected_at: Some(NOW),
            closed_at: Some(NOW),
            finished_at: Some(NOW),
            notes: vec![Note {
                at: NOW,
                language: None,
                text: "a text of hers".to_owned(),
            }],
            wrap_up: Some("sold".to_owned()),
        };
        let of = format!("a-{id}");
        self.record("activity", &of, &activity, "customer").await;
    }

    /// The customer, one that became part of it, and all that agents write of them.
    pub(crate) async fn fill(&self) {
        let own = self
            .customer("c-own", "Zsofia Quillfeather", &["+4930777"])
            .await;
        let merged = self.customer("c-merged", "Zsofia Q", &["+4930888"]).await;
        let into = Command::MergeInto {
            read: merged.version,
            other: own.id.clone(),
        };
        let events = decide(&merged, into, NOW).unwrap();
        self.change(customer_change(&merged, &events).unwrap().1)
            .await;
        let over = Line::Over { at: NOW };
        self.interaction("i1", "+4930777", Some("c-own"), over)
            .await;
        self.interaction("i2", "c-merged@Quillfeather.example", None, over)
            .await;
        let follow_up = FollowUp {
            version: 1,
            source: Some(Source {
                kind: SourceKind::InteractionRecord,
                id: "i1".to_owned(),
            }),
            author: Some(romeo()),
            plan: Some(Plan {
                transaction_type: "call".to_owned(),
                title: "Call Zsofia".to_owned(),
                customer: Some("c-merged".parse().unwrap()),
                start: None,
                end: None,
                due: None,
                reason: None,
                responsible: romeo(),
            }),
            notes: vec![],
            ..FollowUp::new("f1".parse().unwrap())
        };
        self.record("follow-up", "f1", &follow_up, "customer").await;
        let session = ImSession {
            id: "m1".parse().unwrap(),
            version: 1,
            inviter: romeo(),
            invitee: romeo(),
            about: Some("i2".parse().unwrap()),
            phase: Phase::Ended {
                since: NOW,
                at: NOW,
            },
            invited_at: Some(NOW),
            entries: 1,
            inviter_done: true,
            invitee_done: true,
        };
        self.record("im-session", "m1", &session, "over").await;
        self.stream().await;
        let stanza = b"<message><body>Zsofia</body><x customer='c-own'/></message>".to_vec();
        self.write(RecordWrite {
            outbox: vec![Outgoing {
                id: "o1".to_owned(),
                stanza: stanza.into(),
            }],
            ..RecordWrite::default()
        })
        .await;
    }

    /// One with a file.
    async fn stream(&self) {
        let mut stream = Stream::new("s1".parse().unwrap());
        stream.version = 1;
        stream.customer = Some("c-own".parse().unwrap());
        stream.title = "About Zsofia".to_owned();
        let slot = UploadId::random();
        stream.messages.push(Message {
            id: "t1".parse().unwrap(),
            author: romeo(),
            at: NOW,
            text: "a text of hers".to_owned(),
            attachments: vec![Attachment {
                name: "très privé.png".to_owned(),
                file_type: FileType::Png,
                bytes: 5,
                slot: slot.as_str().to_owned(),
            }],
            earlier: vec![],
        });
        self.record("message-stream", "s1", &stream, STREAMS_ABOUT)
            .await;
        self.record("message-stream-readers", "s1", &"romeo", "unread")
            .await;
        let files = UploadFiles::of_attachments(self.folder.path());
        let mut partial = files.begin(&slot).await.unwrap();
        partial.write(b"hello").await.unwrap();
        partial.keep().await.unwrap();
        let owner = jid("romeo@localhost");
        let new = NewUpload {
            id: slot.clone(),
            owner: owner.clone(),
            token_hash: vec![1; 32],
            file_name: "très privé.png".to_owned(),
            media_type: None,
            size: 5,
            created_at: NOW,
            put_until: NOW,
            expires_at: None,
        };
        let limits = UploadLimits {
            account_bytes_max: 100,
            day_bytes_max: 100,
            day_files_max: 10,
            transfer_seconds_max: 60,
        };
        let granted = self.store().uploads().reserve(&new, &limits).await.unwrap();
        assert_eq!(granted, Reserved::Granted);
        assert!(self.store().uploads().stored(&slot, NOW).await.unwrap());
        let taking = NewAttachment {
            id: slot,
            owner,
            host: HOST.to_owned(),
            stream: "s1".to_owned(),
            media_type: "image/png",
            at: NOW,
        };
        let taken = self.store().attachments().take(&taking, 100).await.unwrap();
        assert_eq!(taken, TakenOver::Done);
    }

    fn files(&self) -> usize {
        let mut count = 0;
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => count += 1,
                }
            }
        }
        count
    }
}

pub(crate) fn romeo() -> AgentId {
    "romeo@localhost".parse().unwrap()
}

/// The rows of all tables but the audit trail, as text.
async fn everything(place: &Place) -> BTreeMap<String, String> {
    let snapshot = Snapshot::begin(&place.location, &Limits::default()).await;
    let mut snapshot = snapshot.unwrap().unwrap();
    let mut found = BTreeMap::new();
    for table in snapshot.tables() {
        let mut text = String::new();
        let take = async |rows: Vec<SnapshotRow>| -> Result<(), StoreError> {
            for value in rows.iter().flatten() {
                match value {
                    Value::Text(it) => text.push_str(it),
                    Value::Bytes(it) => text.push_str(&String::from_utf8_lossy(it)),
                    Value::Null | Value::Integer(_) | Value::Boolean(_) => {}
                }
                text.push('\n');
            }
            Ok(())
        };
        snapshot.rows(&table, take).await.unwrap();
        found.insert(table.name.clone(), text);
    }
    found
}

/// Words of customers stand in lists in hexadecimal digits.
fn hex(text: &str) -> String {
    text.bytes().map(|it| format!("{it:02x}")).collect()
}

async fn told_by(place: &Place) -> Vec<String> {
    let mut told = Vec::new();
    for (table, text) in everything(place).await {
        for secret in SECRETS {
            // The trail names customers by their ids.
            let in_trail = table == "audit" && secret.starts_with("c-");
            if !in_trail && (text.contains(secret) || text.contains(&hex(secret))) {
                told.push(format!("{table}: {secret}"));
            }
        }
    }
    told
}

#[expect(clippy::too_many_lines, reason = "all that is kept of one customer")]
async fn nothing_tells_of_a_customer_who_is_erased(place: Place) {
    let office = Office::new(&place).await;
    office.fill().await;
    // Somebody else, who has the second number, too.
    office.customer("other", "Ann", &["+4930888"]).await;
    let over = Line::Over { at: NOW };
    office
        .interaction("i3", "+4930888", Some("other"), over)
        .await;
    office.interaction("i4", "+4930888", None, over).await;
    assert!(told_by(&place).await.len() > 10);
    let id = [("id", "c-own")];
    let shown = office.perform("customer disclose", &id).await.unwrap();
    let records = &shown.data["records"];
    for (kind, count) in [
        ("customer", 2),
        ("interaction", 2),
        ("activity", 2),
        ("follow-up", 1),
        ("message-stream", 1),
        ("im-session", 1),
    ] {
        assert_eq!(records[kind].as_array().unwrap().len(), count, "{kind}");
    }
    let all = records.to_string();
    for part in ["a text of hers", "très privé.png", "+4930777", "\"events\""] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(!shown.text.contains("Zsofia"), "{}", shown.text);
    let refused = office.perform("customer erase", &id).await;
    assert!(
        matches!(refused, Err(Refusal::NotAcceptable(_))),
        "{refused:?}"
    );
    let sure = [("id", "c-own"), ("confirm", "true")];
    let done = office.perform("customer erase", &sure).await.unwrap();
    let erased = &done.data["erased"];
    assert_eq!(
        (
            erased["customer"].as_u64(),
            erased["message-stream"].as_u64()
        ),
        (Some(2), Some(1))
    );
    assert_eq!((done.data["files"].as_u64(), office.files()), (Some(1), 0));
    // What is there of it is that of the other one, and of a call of which nobody knows whose it was.
    let records = office.store().records();
    for kept in ["i3", "i4"] {
        let found = records.find("interaction", kept).await.unwrap().unwrap();
        assert!(found.snapshot.contains("+4930888"));
        for kind in ["interaction", "activity"] {
            let id = if kind == "activity" {
                format!("a-{kept}")
            } else {
                kept.to_owned()
            };
            assert!(records.remove(kind, &id).await.unwrap());
        }
    }
    assert!(records.remove("customer", "other").await.unwrap());
    assert_eq!(told_by(&place).await, Vec::<String>::new());
    // Who worked when stays, and a CRM learns of it.
    let stored = records.find("activity", "a-i1").await.unwrap().unwrap();
    let activity: Activity = serde_json::from_str(&stored.snapshot).unwrap();
    assert_eq!((stored.version, activity.version), (2, 2));
    assert_eq!(activity.wrap_up.as_deref(), Some("sold"));
    let subject = activity.subject.unwrap();
    assert_eq!(
        (subject.agent, subject.customer, subject.address.as_str()),
        (romeo(), None, "erased")
    );
    let journal = office.store().journals();
    let entries = journal.after("activity localhost", 0, 10).await.unwrap();
    let mut changed: Vec<&str> = entries.iter().map(|it| it.id.as_str()).collect();
    changed.sort_unstable();
    assert_eq!(changed, ["a-i1", "a-i2"]);
    let again = office.perform("customer erase", &sure).await;
    assert!(matches!(again, Err(Refusal::NotFound(_))), "{again:?}");
    if let Some(file) = place.file() {
        // SQLite overwrites what is deleted, and its log is cleared.
        office.store().close().await;
        for path in [file.clone(), file.with_extension("sqlite-wal")] {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            for secret in ["Quillfeather", "a text of hers", "4930777"] {
                assert!(!text.contains(secret), "{}: {secret}", path.display());
            }
        }
    }
}

async fn nobody_is_erased_while_somebody_deals_with_them(place: Place) {
    let office = Office::new(&place).await;
    office.fill().await;
    office
        .interaction("i5", "+4930777", None, Line::Connected)
        .await;
    for (id, confirm) in [("c-own", "true"), ("c-merged", "true")] {
        let given = [("id", id), ("confirm", confirm)];
        let refused = office.perform("customer erase", &given).await;
        assert!(
            matches!(refused, Err(Refusal::Conflict(_))),
            "{id}: {refused:?}"
        );
    }
    let found = office
        .store()
        .customers()
        .find(HOST, "c-own")
        .await
        .unwrap();
    assert!(found.is_some());
    let unknown = office
        .perform("customer disclose", &[("id", "nobody")])
        .await;
    assert!(matches!(unknown, Err(Refusal::NotFound(_))), "{unknown:?}");
    let wrong = [("id", "c-own"), ("after", "x")];
    let refused = office.perform("customer disclose", &wrong).await;
    assert!(matches!(refused, Err(Refusal::Usage(_))), "{refused:?}");
    let after = [("id", "c-own"), ("after", "follow-up/f1")];
    let rest = office.perform("customer disclose", &after).await.unwrap();
    let records = rest.data["records"].as_object().unwrap();
    assert!(records.get("customer").is_none());
    assert_eq!(records["follow-up"].as_array().unwrap().len(), 0);
    assert_eq!(records["message-stream"].as_array().unwrap().len(), 1);
}

/// It became part of another at the moment at which that one was erased.
async fn a_customer_whose_other_half_is_gone_is_erased_by_its_own_name(place: Place) {
    let office = Office::new(&place).await;
    let half = office.customer("half", "Ann", &["+4930999"]).await;
    let into = Command::MergeInto {
        read: half.version,
        other: "gone".parse().unwrap(),
    };
    let events = decide(&half, into, NOW).unwrap();
    office
        .change(customer_change(&half, &events).unwrap().1)
        .await;
    let sure = [("id", "half"), ("confirm", "true")];
    let done = office.perform("customer erase", &sure).await.unwrap();
    assert_eq!(done.data["erased"]["customer"].as_u64(), Some(1));
    let again = office.perform("customer erase", &sure).await;
    assert!(matches!(again, Err(Refusal::NotFound(_))), "{again:?}");
}
