//! Message streams: what everybody reads and what is for one become one list, by date in both directions.

use parlour::domain::ids::{AgentId, CustomerId};
use parlour::domain::message_stream::{
    Command, Facts, Properties, Recipients, Stream, Written, apply, decide,
};
use parlour::domain::rights::{AccountGrants, Role, RoleGrants, effective};
use parlour::store::{
    ListOrder, RecordChange, RecordWrite, RecordsWritten, STREAM, STREAMS_ABOUT, Store, StreamList,
    StreamReader, stream_listings,
};

use crate::{NOW, Place};

crate::on_both!(
    both_lists_become_one_by_date,
    a_search_that_finds_little_stops_and_goes_on,
    what_is_not_seen_is_passed_over_and_names_no_place,
    what_is_deleted_is_in_no_list,
);

fn agent(name: &str) -> AgentId {
    format!("{name}@one.example").parse().unwrap()
}

/// What comes of commands by somebody who may do everything.
fn after(mut stream: Stream, command: Command) -> Stream {
    let (roles, own) = (RoleGrants::default(), AccountGrants::default());
    let rights = effective(Role::Administrator, &roles, &own);
    let facts = Facts {
        rights: &rights,
        since: NOW,
        tags: &[],
        strangers: &std::collections::BTreeSet::new(),
        attachment_bytes_max: 0,
    };
    for event in decide(&stream, command, NOW, &facts).unwrap() {
        apply(&mut stream, &event);
    }
    stream
}

fn made(id: &str, title: &str, recipients: Recipients) -> Stream {
    let command = Command::Create {
        by: agent("ann"),
        customer: "c".parse().unwrap(),
        title: title.to_owned(),
        message: Written {
            id: "m".parse().unwrap(),
            text: "Text".to_owned(),
            attachments: vec![],
        },
        properties: Properties {
            recipients,
            ..Properties::default()
        },
        tags: [].into(),
    };
    after(Stream::new(id.parse().unwrap()), command)
}

fn only(name: &str) -> Recipients {
    Recipients::Some([agent(name)].into())
}

async fn put(store: &Store, read: u64, stream: &Stream) {
    let number = |version: u64| i64::try_from(version).unwrap();
    let change = RecordChange {
        kind: STREAM,
        id: stream.id.to_string().into(),
        read: number(read),
        version: number(stream.version),
        snapshot: serde_json::to_string(stream).unwrap().into(),
        events: vec![],
        due: None,
        listings: Some(stream_listings(stream)),
    };
    let write = RecordWrite {
        changes: vec![change],
        ..RecordWrite::default()
    };
    let written = store.records().write(write).await.unwrap();
    assert_eq!(written, RecordsWritten::Done);
}

/// The ids that are found, whether that is all, and the last one that was looked at.
async fn found(
    store: &Store,
    (host, reader): (&str, &str),
    list: StreamList,
    from: Option<&str>,
    (order, max): (ListOrder, usize),
    meant: impl Fn(&Stream) -> bool,
) -> (Vec<String>, bool, Option<String>) {
    let (customer, agent): (CustomerId, _) = ("c".parse().unwrap(), agent(reader));
    let reader = StreamReader {
        host,
        customer: &customer,
        agent: &agent,
    };
    let streams = store.message_streams();
    let found = streams.find(
        reader,
        &list,
        from,
        (order, max),
        (|_: &Stream| true, meant),
    );
    let found = found.await.unwrap();
    let ids = found.streams.iter().map(|it| it.id.to_string());
    (ids.collect(), found.complete, found.last)
}

#[expect(clippy::too_many_lines, reason = "a table")]
async fn both_lists_become_one_by_date(place: Place) {
    let store = place.open().await;
    for (id, title, recipients) in [
        ("s1", "Printer", Recipients::All),
        ("s2", "Printer", only("bob")),
        ("s3", "Paper", Recipients::All),
        ("s4", "Paper", only("eve")),
        ("s5", "Printing", Recipients::All),
    ] {
        put(&store, 0, &made(id, title, recipients)).await;
    }
    let (up, down) = (ListOrder::Ascending, ListOrder::Descending);
    let beginning = |it: &str| StreamList::Beginning(it.to_owned());
    for (reader, list, from, order, max, expected, complete) in [
        (
            "bob",
            StreamList::All,
            None,
            up,
            9,
            &["s1", "s2", "s3", "s5"][..],
            true,
        ),
        (
            "eve",
            StreamList::All,
            None,
            down,
            9,
            &["s5", "s4", "s3", "s1"],
            true,
        ),
        (
            "ann",
            StreamList::All,
            None,
            down,
            5,
            &["s5", "s4", "s3", "s2", "s1"],
            true,
        ),
        ("bob", StreamList::All, None, down, 2, &["s5", "s3"], false),
        (
            "bob",
            StreamList::All,
            Some("s3"),
            down,
            2,
            &["s2", "s1"],
            true,
        ),
        ("bob", StreamList::All, Some("s3"), up, 2, &["s5"], true),
        ("joe", beginning("pri"), None, up, 9, &["s1", "s5"], true),
        ("joe", beginning("printe"), None, up, 9, &["s1"], true),
        ("joe", StreamList::Completed, None, up, 9, &[], true),
        (
            "joe",
            StreamList::Open,
            None,
            up,
            9,
            &["s1", "s3", "s5"],
            true,
        ),
    ] {
        let place = ("one.example", reader);
        let (ids, all, _) = found(&store, place, list, from, (order, max), |_| true).await;
        assert_eq!(
            (ids.as_slice(), all),
            (&*strings(expected), complete),
            "{reader}"
        );
    }
    let place = ("two.example", "bob");
    let elsewhere = found(&store, place, StreamList::All, None, (up, 9), |_| true).await;
    assert_eq!(elsewhere, (vec![], true, None));
}

fn strings(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|it| (*it).to_owned()).collect()
}

async fn a_search_that_finds_little_stops_and_goes_on(place: Place) {
    let store = place.open().await;
    for n in 0..510 {
        let stream = made(&format!("s{n:04}"), "Same", Recipients::All);
        put(&store, 0, &stream).await;
    }
    let last = |it: &Stream| it.id.as_str() == "s0509";
    let (place, order) = (("one.example", "bob"), (ListOrder::Ascending, 9));
    let first = found(&store, place, StreamList::All, None, order, last).await;
    assert_eq!(first, (vec![], false, Some("s0499".to_owned())));
    let next = found(&store, place, StreamList::All, Some("s0499"), order, last).await;
    assert_eq!(next, (strings(&["s0509"]), true, Some("s0509".to_owned())));
}

/// What names somebody else who had the reader's name before is in its list: it is passed over, however much it is.
async fn what_is_not_seen_is_passed_over_and_names_no_place(place: Place) {
    let store = place.open().await;
    for n in 0..505 {
        let stream = made(&format!("s{n:04}"), "Same", only("bob"));
        put(&store, 0, &stream).await;
    }
    let (customer, agent): (CustomerId, _) = ("c".parse().unwrap(), agent("bob"));
    let reader = StreamReader {
        host: "one.example",
        customer: &customer,
        agent: &agent,
    };
    for (seen, last) in [
        ("s0003", Some("s0003")),
        ("s0504", Some("s0504")),
        ("none", None),
    ] {
        let looks = (|it: &Stream| it.id.as_str() == seen, |_: &Stream| false);
        let order = (ListOrder::Ascending, 9);
        let streams = store.message_streams();
        let found = streams.find(reader, &StreamList::All, None, order, looks);
        let found = found.await.unwrap();
        assert_eq!((found.streams.len(), found.complete), (0, true));
        assert_eq!(found.last.as_deref(), last);
    }
}

async fn what_is_deleted_is_in_no_list(place: Place) {
    let store = place.open().await;
    let before = made("s1", "Printer", Recipients::All);
    put(&store, 0, &before).await;
    let records = store.records();
    let about = (STREAMS_ABOUT, "one.example c");
    assert_eq!(records.count(STREAM, about).await.unwrap(), 1);
    let delete = Command::Delete {
        by: agent("ann"),
        read: None,
        confirmed: true,
    };
    put(&store, 1, &after(before, delete)).await;
    assert_eq!(records.count(STREAM, about).await.unwrap(), 0);
    let (place, order) = (("one.example", "ann"), (ListOrder::Ascending, 9));
    for list in [
        StreamList::All,
        StreamList::Open,
        StreamList::Beginning("pri".to_owned()),
    ] {
        let left = found(&store, place, list, None, order, |_| true).await;
        assert_eq!(left, (vec![], true, None));
    }
    store.clear_log().await.unwrap();
}
