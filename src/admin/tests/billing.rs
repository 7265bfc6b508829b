//! Minutes that are billed.

use std::collections::BTreeSet;

use super::center::AT;
use super::*;
use crate::domain::customer::{self, Customer, Profile};
use crate::domain::ids::{MessageId, StreamId};
use crate::domain::message_stream::{Event, Properties, Stream, Written, apply};
use crate::domain::rights::Right;
use crate::store::{
    RecordChange, RecordWrite, RecordsWritten, STREAM, billable_listing, customer_change,
};

const DAY: i64 = 86_400;

/// A stream of somebody about a customer, so many days behind the beginning.
fn stream(day: i64, (author, about): (&str, &str), tags: &[&str], minutes: Option<u32>) -> Stream {
    let at = NOW.plus_seconds(day * DAY);
    let mut stream = Stream::new(StreamId::made(at));
    let created = Event::Created {
        at,
        by: author.parse().unwrap(),
        customer: about.parse().unwrap(),
        title: "Work".to_owned(),
        message: Written {
            id: MessageId::made(at),
            text: "Done.".to_owned(),
            attachments: vec![],
        },
        properties: Properties {
            minutes,
            billable: true,
            ..Properties::default()
        },
        tags: tags
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<BTreeSet<_>>(),
    };
    apply(&mut stream, &created);
    stream
}

async fn write(office: &Office, change: RecordChange) {
    let write = RecordWrite {
        changes: vec![change],
        ..RecordWrite::default()
    };
    let written = office.operator.store.records().write(write).await.unwrap();
    assert_eq!(written, RecordsWritten::Done);
}

async fn keep(office: &Office, stream: &Stream) {
    let change = RecordChange {
        kind: STREAM,
        id: stream.id.to_string().into(),
        read: 0,
        version: 1,
        snapshot: serde_json::to_string(stream).unwrap().into(),
        events: vec![],
        due: None,
        listings: Some(billable_listing(stream).into_iter().collect()),
    };
    write(office, change).await;
}

async fn known(office: &Office, id: &str, name: &str) {
    let fresh = Customer::new(id.parse().unwrap(), "localhost".to_owned());
    let profile = Profile {
        name: name.to_owned(),
        ..Profile::default()
    };
    let events = customer::decide(&fresh, customer::Command::Create(profile), NOW).unwrap();
    let (_, change) = customer_change(&fresh, &events).unwrap();
    write(office, change).await;
}

/// An office with six streams of three days, of which five are billed here.
async fn busy() -> Office {
    let office = Office::new().await;
    for (name, availability) in [
        ("Consulting", "message-billable"),
        ("Repair", "message\nmessage-billable"),
        ("Private", "message"),
    ] {
        let given = [AT, ("name", name), ("availability", availability)];
        office.perform("tag put", &given).await.unwrap();
    }
    known(&office, "c1", "Mary, \"the\" Example").await;
    let ann = ("ann@localhost", "c1");
    keep(&office, &stream(0, ann, &["Consulting"], Some(10))).await;
    keep(
        &office,
        &stream(0, ann, &["Consulting", "Private"], Some(20)),
    )
    .await;
    keep(
        &office,
        &stream(1, ann, &["Consulting", "Repair"], Some(30)),
    )
    .await;
    let bob = ("bob@localhost", "c2");
    keep(&office, &stream(1, bob, &["Repair"], Some(0))).await;
    keep(&office, &stream(2, bob, &["Repair"], Some(7))).await;
    keep(&office, &stream(2, bob, &["Repair"], None)).await;
    keep(
        &office,
        &stream(2, ("eve@example.org", "c2"), &["Repair"], Some(99)),
    )
    .await;
    office
}

/// S4-22, S4-23: minutes by customer, tag, agent and period, as a table, as CSV and for programs.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn minutes_are_added_up_by_what_is_asked_for() {
    let office = busy().await;
    let report = async |given: &[(&str, &str)]| {
        let given = [&[AT], given].concat();
        let done = office.perform("billing report", &given).await.unwrap();
        let rows = done.table.unwrap().rows;
        let rows: Vec<String> = rows.iter().map(|row| row.join("|")).collect();
        (rows, done.data["minutes"].as_u64().unwrap())
    };
    let mary = "Mary, \"the\" Example|c1";
    let (rows, minutes) = report(&[]).await;
    let expected = [
        "|c2|Repair|bob@localhost|2|7".to_owned(),
        format!("{mary}|Consulting|ann@localhost|3|60"),
        format!("{mary}|Repair|ann@localhost|1|30"),
    ];
    assert_eq!((rows.as_slice(), minutes), (&expected[..], 67));
    // The first day is 2026-09-21; of a day as the last one all is meant.
    for (given, expected, total) in [
        (
            &[("by", "customer")][..],
            vec!["|c2|2|7".to_owned(), format!("{mary}|3|60")],
            67,
        ),
        (
            &[("by", "agent")],
            vec![
                "ann@localhost|3|60".to_owned(),
                "bob@localhost|2|7".to_owned(),
            ],
            67,
        ),
        (
            &[("by", "tag")],
            vec!["Consulting|3|60".to_owned(), "Repair|3|37".to_owned()],
            67,
        ),
        (
            &[("by", "day\nagent"), ("from", "2026-09-22")],
            vec![
                "ann@localhost|2026-09-22|1|30".to_owned(),
                "bob@localhost|2026-09-22|1|0".to_owned(),
                "bob@localhost|2026-09-23|1|7".to_owned(),
            ],
            37,
        ),
        (
            &[
                ("by", "day"),
                ("from", "2026-09-21"),
                ("until", "2026-09-22"),
            ],
            vec!["2026-09-21|2|30".to_owned(), "2026-09-22|2|30".to_owned()],
            60,
        ),
        (
            &[("by", "day"), ("until", "2026-09-22T14:13:20Z")],
            vec!["2026-09-21|2|30".to_owned()],
            30,
        ),
        (&[("by", "day"), ("from", "2026-09-24")], vec![], 0),
    ] {
        assert_eq!(report(given).await, (expected, total), "{given:?}");
    }
    let given = [AT, ("format", "csv"), ("by", "customer")];
    let csv = office.perform("billing report", &given).await.unwrap();
    assert_eq!(
        csv.text,
        "customer,customer_id,messages,minutes\n,c2,2,7\n\"Mary, \"\"the\"\" Example\",c1,3,60\n"
    );
    for (name, bad) in [("from", "yesterday"), ("until", "2026-02-30"), ("from", "")] {
        let done = office.perform("billing report", &[AT, (name, bad)]).await;
        let (kind, text) = told(&done);
        assert!(kind == "usage" && text.contains("a day such as"), "{text}");
    }
    let crosswise = [AT, ("from", "2026-09-23"), ("until", "2026-09-22")];
    let done = office.perform("billing report", &crosswise).await;
    let (kind, text) = told(&done);
    assert!(
        kind == "usage" && text.contains("behind the last"),
        "{text}"
    );
    // The other host has its own.
    let other = [("host", "example.org"), ("by", "agent")];
    let done = office.perform("billing report", &other).await.unwrap();
    assert_eq!(done.data["minutes"], 99);
}

/// A customer who turned out to be another is billed as that one, and what is off the list of tags still counts.
#[tokio::test]
async fn what_was_merged_or_removed_still_counts() {
    let office = busy().await;
    for tag in ["Repair", "Consulting"] {
        let given = [AT, ("name", tag)];
        office.perform("tag remove", &given).await.unwrap();
    }
    known(&office, "c3", "Company").await;
    let services = &office.operator.store;
    let c1 = services.customers().find("localhost", "c1").await.unwrap();
    let c1 = c1.unwrap();
    let into = customer::Command::MergeInto {
        read: c1.version,
        other: "c3".parse().unwrap(),
    };
    let events = customer::decide(&c1, into, NOW).unwrap();
    write(&office, customer_change(&c1, &events).unwrap().1).await;
    let given = [AT, ("by", "customer\ntag")];
    let done = office.perform("billing report", &given).await.unwrap();
    let rows: Vec<String> = done
        .table
        .unwrap()
        .rows
        .iter()
        .map(|it| it.join("|"))
        .collect();
    assert_eq!(
        rows,
        [
            "|c2|Repair|2|7",
            "Company|c3|Consulting|3|60",
            "Company|c3|Private|1|20",
            "Company|c3|Repair|1|30",
        ]
    );
    assert_eq!(done.data["minutes"], 67);
}

/// Supervisors have the right as long as nobody says otherwise, agents have not.
#[tokio::test]
async fn who_reads_the_report_needs_the_right() {
    let office = busy().await;
    office.add("sue@localhost").await;
    let from: crate::proto::Jid = "sue@localhost/desk".parse().unwrap();
    for (role, expected) in [(Role::Agent, "forbidden"), (Role::Supervisor, "done")] {
        let rights = rights_of(&office.operator.store, from.bare(), role)
            .await
            .unwrap();
        assert_eq!(rights.has(Right::BillingReport), expected == "done");
        let actor = Actor::account(&office.operator.config, &from, role, None).with_rights(rights);
        let operator = &office.operator;
        let done = Box::pin(perform(operator, &actor, "billing report", &texts(&[AT]))).await;
        assert_eq!(told(&done).0, expected);
    }
    let trail = office
        .perform("audit list", &[("operation", "billing report")])
        .await;
    assert_eq!(
        told(&trail).1.matches("sue@localhost").count(),
        2,
        "{trail:?}"
    );
}
