//! Tables that have more rows than a form takes.

use super::operations::full_house;
use super::*;
use crate::domain::ids::{MessageId, StreamId};
use crate::domain::message_stream::{Event, Properties, Stream, Written, apply};
use crate::extensions::testing::NOW;
use crate::proto::common::forms::ITEMS_MAX;
use crate::store::{RecordChange, RecordWrite, RecordsWritten, STREAM, billable_listing};

const BILLING: &str = "urn:parlour:admin:0#billing-report";

/// A minute that was billed, of that author.
fn billed(author: &str) -> RecordChange {
    let mut stream = Stream::new(StreamId::made(NOW));
    let created = Event::Created {
        at: NOW,
        by: author.parse().unwrap(),
        customer: "c1".parse().unwrap(),
        title: "Work".to_owned(),
        message: Written {
            id: MessageId::made(NOW),
            text: "Done.".to_owned(),
            attachments: vec![],
        },
        properties: Properties {
            minutes: Some(1),
            billable: true,
            ..Properties::default()
        },
        tags: std::iter::once("Work".to_owned()).collect(),
    };
    apply(&mut stream, &created);
    RecordChange {
        kind: STREAM,
        id: stream.id.to_string().into(),
        read: 0,
        version: 1,
        snapshot: serde_json::to_string(&stream).unwrap().into(),
        events: vec![],
        due: None,
        listings: Some(billable_listing(&stream).into_iter().collect()),
    }
}

/// A row for each author, whose names have so many letters before their numbers.
async fn write(house: &House, letters: usize, authors: std::ops::Range<usize>) {
    let name = |it: usize| format!("{}{it}@localhost", "a".repeat(letters));
    for part in authors.collect::<Vec<_>>().chunks(100) {
        let write = RecordWrite {
            changes: part.iter().map(|it| billed(&name(*it))).collect(),
            ..RecordWrite::default()
        };
        let records = house.router.services().store.records();
        assert_eq!(records.write(write).await.unwrap(), RecordsWritten::Done);
    }
}

async fn report(client: &mut Client, format: &str) -> String {
    fill(client, BILLING, &[("by", "agent"), ("format", format)]).await
}

/// XEP-0050 §4.3: what is left out is warned of, and how to have it.
#[tokio::test]
async fn a_table_that_is_cut_says_so_and_where_all_of_it_is() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    write(&house, 1, 0..ITEMS_MAX).await;
    let whole = report(&mut chief, "table").await;
    assert_eq!(whole.matches("<item>").count(), ITEMS_MAX);
    assert!(whole.contains("<note type='info'>1000 minutes of 1000 messages in all.</note>"));
    write(&house, 1, ITEMS_MAX..ITEMS_MAX + 1).await;
    let cut = report(&mut chief, "table").await;
    assert_eq!(cut.matches("<item>").count(), ITEMS_MAX);
    let note = "<note type='warn'>1001 minutes of 1001 messages in all.\n\
                These are the first 1000 of 1001 rows. All of them come with the format csv, or on the command line: \
                parlour billing report.</note>";
    assert!(cut.contains(note), "{cut}");
    let csv = report(&mut chief, "csv").await;
    assert_eq!(csv.matches("@localhost,1,1").count(), ITEMS_MAX + 1);
}

/// What does not fit into a stanza is refused, for a part of a file looks like all of it; the form can be filled in anew.
#[tokio::test]
async fn a_file_is_no_longer_than_a_stanza_may_be() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    write(&house, 300, 0..ITEMS_MAX + 1).await;
    let cut = report(&mut chief, "table").await;
    let how = "rows. Fill in more of the form for fewer of them; all come on the command line: parlour billing report.";
    assert!(cut.contains(how) && !cut.contains("csv"), "{cut}");
    let begun = command(&mut chief, &format!("node='{BILLING}'"), "").await;
    let at = format!("node='{BILLING}' sessionid='{}'", session_id(&begun));
    let csv = submit(&[("by", "agent"), ("format", "csv")]);
    let refused = command(&mut chief, &at, &csv).await;
    for part in ["<not-acceptable", "262144 bytes", "parlour billing report"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let by_tag = submit(&[("by", "tag"), ("format", "csv")]);
    let done = command(&mut chief, &at, &by_tag).await;
    assert!(
        done.contains("tag,messages,minutes\nWork,1001,1001</note>"),
        "{done}"
    );
}
