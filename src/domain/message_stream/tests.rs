//! The rules of streams as tables.

mod writes;

use super::*;
use crate::domain::rights::{AccountGrants, Grant, Right, Role, RoleGrants, effective};

/// What the files of one stream may have here.
const BYTES_MAX: u64 = 10_000;

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn id(name: &str) -> AgentId {
    format!("{name}@h").parse().unwrap()
}

fn rights_of(given: &[Right]) -> Rights {
    let mut grants = AccountGrants::default();
    for right in given {
        grants.set(*right, Some(Grant::Given));
    }
    effective(Role::Agent, &RoleGrants::default(), &grants)
}

fn all_rights() -> Rights {
    rights_of(Right::ALL)
}

fn written(which: &str, text: &str) -> Written {
    Written {
        id: which.parse().unwrap(),
        text: text.to_owned(),
        attachments: vec![],
    }
}

fn tags(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn only(names: &[&str]) -> Recipients {
    Recipients::Some(names.iter().map(|name| id(name)).collect())
}

fn create(title: &str, text: &str, properties: Properties, names: &[&str]) -> Command {
    Command::Create {
        by: id("ann"),
        customer: "c".parse().unwrap(),
        title: title.to_owned(),
        message: written("m0", text),
        properties,
        tags: tags(names),
    }
}

fn decided(stream: &Stream, command: Command, rights: &Rights) -> Result<Vec<Event>, Rejection> {
    let tag = |name: &str, availability: &[Availability]| Tag {
        name: name.to_owned(),
        availability: availability.iter().copied().collect(),
    };
    let known = [
        tag("urgent", &[Availability::Message]),
        tag("paid", &[Availability::MessageBillable]),
        tag("orders", &[]),
    ];
    let facts = Facts {
        rights,
        since: START,
        tags: &known,
        strangers: &BTreeSet::new(),
        attachment_bytes_max: BYTES_MAX,
    };
    decide(stream, command, START, &facts)
}

fn after(commands: &[Command]) -> Stream {
    let mut stream = Stream::new("s".parse().unwrap());
    let mut log = vec![];
    for command in commands {
        for event in decided(&stream, command.clone(), &all_rights()).unwrap() {
            apply(&mut stream, &event);
            log.push(event);
        }
    }
    let json = serde_json::to_string(&log).unwrap();
    let mut replayed = Stream::new("s".parse().unwrap());
    for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
        apply(&mut replayed, &event);
    }
    assert_eq!(replayed, stream);
    stream
}

fn made(recipients: Recipients) -> Stream {
    let properties = Properties {
        recipients,
        ..Properties::default()
    };
    after(&[create("Call", "She called.", properties, &[])])
}

/// S4-15, S4-17 to S4-19, S4-22 to S4-24, S4-6, S4-7.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_does_not_go_together_is_not_created() {
    let with = |change: fn(&mut Properties)| {
        let mut properties = Properties::default();
        change(&mut properties);
        properties
    };
    let plain = Properties::default;
    let orders = "orders".to_owned();
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    for (command, expected) in [
        (create("Call", "She called.", plain(), &["urgent"]), Ok(1)),
        (
            create(" ", "She called.", plain(), &[]),
            Err(Rejection::Title),
        ),
        (create("Call", "\n", plain(), &[]), Err(Rejection::Text)),
        (create("Call", &long, plain(), &[]), Err(Rejection::TooLong)),
        (
            create("Call", "x", with(|it| it.whisper = true), &[]),
            Ok(1),
        ),
        (
            create(
                "Call",
                "x",
                with(|it| (it.whisper, it.minutes) = (true, Some(5))),
                &[],
            ),
            Err(Rejection::WhisperMinutes),
        ),
        (
            create(
                "Call",
                "x",
                with(|it| (it.whisper, it.billable) = (true, true)),
                &["paid"],
            ),
            Err(Rejection::WhisperMinutes),
        ),
        (
            create(
                "Call",
                "x",
                with(|it| (it.whisper, it.delivered) = (true, true)),
                &[],
            ),
            Err(Rejection::WhisperDelivered),
        ),
        (
            create("Call", "x", with(|it| it.minutes = Some(5)), &[]),
            Ok(1),
        ),
        (
            create("Call", "x", with(|it| it.minutes = Some(u32::MAX)), &[]),
            Err(Rejection::Minutes),
        ),
        (
            create("Call", "x", with(|it| it.billable = true), &["urgent"]),
            Err(Rejection::BillableTag),
        ),
        (
            create("Call", "x", with(|it| it.billable = true), &["paid"]),
            Ok(1),
        ),
        (
            create("Call", "x", plain(), &["orders"]),
            Err(Rejection::TagUnknown { tag: orders }),
        ),
        (
            create("Call", "x", with(|it| it.recipients = only(&[])), &[]),
            Err(Rejection::Recipients {
                stranger: Stranger(None),
            }),
        ),
    ] {
        let nothing = Stream::new("s".parse().unwrap());
        let come = decided(&nothing, command.clone(), &all_rights()).map(|events| events.len());
        assert_eq!(come, expected, "{command:?}");
    }
}

/// S4-4, S4-5: each of the eight rights is needed for what it is for, and missing says nothing of what there is.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_right_is_needed_for_what_it_is_for() {
    let stream = made(Recipients::All);
    let nothing = Stream::new("n".parse().unwrap());
    let missing = |right| Err(Rejection::Rights(rights::Rejection::RightMissing { right }));
    let whisper = Properties {
        whisper: true,
        ..Properties::default()
    };
    let show = [Right::MessageShow];
    let reply = Command::Reply {
        by: id("bob"),
        message: written("m1", "x"),
    };
    let set = Command::SetProperties {
        by: id("bob"),
        read: 1,
        properties: whisper.clone(),
    };
    let tag = Command::SetTags {
        by: id("bob"),
        read: 1,
        tags: tags(&["urgent"]),
    };
    for (stream, command, given, expected) in [
        (
            &nothing,
            create("a", "x", Properties::default(), &[]),
            &show[..],
            missing(Right::MessageCreate),
        ),
        (
            &nothing,
            create("a", "x", whisper, &[]),
            &[Right::MessageCreate],
            missing(Right::PropertyCreate),
        ),
        (
            &nothing,
            create("a", "x", Properties::default(), &["urgent"]),
            &[Right::MessageCreate],
            missing(Right::TagCreate),
        ),
        (
            &stream,
            reply.clone(),
            &[Right::CommentCreate],
            Err(Rejection::Unknown),
        ),
        (&stream, reply, &show, missing(Right::CommentCreate)),
        (&stream, set, &show, missing(Right::PropertyCreate)),
        (&stream, tag, &show, missing(Right::TagCreate)),
        (
            &stream,
            complete("bob", None),
            &show,
            missing(Right::MessageCreate),
        ),
    ] {
        let come = decided(stream, command.clone(), &rights_of(given));
        assert_eq!(come, expected, "{command:?}");
    }
    let replied = {
        let mut stream = stream;
        let reply = Command::Reply {
            by: id("bob"),
            message: written("m1", "x"),
        };
        for event in decided(&stream, reply, &all_rights()).unwrap() {
            apply(&mut stream, &event);
        }
        stream
    };
    assert_eq!(replied.read_by(&all_rights()).count(), 2);
    assert_eq!(replied.read_by(&rights_of(&show)).count(), 1);
}

fn complete(by: &str, read: Option<u64>) -> Command {
    Command::Complete { by: id(by), read }
}

fn reopen(by: &str, read: Option<u64>) -> Command {
    Command::Reopen { by: id(by), read }
}

fn delete(by: &str, read: Option<u64>, confirmed: bool) -> Command {
    Command::Delete {
        by: id(by),
        read,
        confirmed,
    }
}

/// S4-12, S4-34, S4-35: a stream is seen as a whole, and no longer by whoever is taken off it.
#[test]
fn visibility_is_that_of_the_whole_stream() {
    let rights = all_rights();
    let mut stream = made(only(&["bob"]));
    let sees = |stream: &Stream, name: &str| stream.is_seen_by(&id(name), START, &rights);
    assert!(sees(&stream, "ann") && sees(&stream, "bob") && !sees(&stream, "carl"));
    let hidden = Command::Reply {
        by: id("carl"),
        message: written("m1", "x"),
    };
    assert_eq!(decided(&stream, hidden, &rights), Err(Rejection::Unknown));
    // Also one who has replied.
    let reply = Command::Reply {
        by: id("bob"),
        message: written("m1", "I see."),
    };
    for event in decided(&stream, reply, &rights).unwrap() {
        apply(&mut stream, &event);
    }
    let properties = Properties {
        recipients: only(&["carl"]),
        ..Properties::default()
    };
    let set = Command::SetProperties {
        by: id("ann"),
        read: 2,
        properties,
    };
    for event in decided(&stream, set, &rights).unwrap() {
        apply(&mut stream, &event);
    }
    assert!(sees(&stream, "ann") && !sees(&stream, "bob") && sees(&stream, "carl"));
    assert!(!stream.is_seen_by(&id("ann"), START, &rights_of(&[])));
}

/// S4-30 to S4-32, S4-36 to S4-39.
#[test]
fn a_stream_is_replied_to_edited_completed_reopened_and_deleted() {
    let rights = all_rights();
    let reply = Command::Reply {
        by: id("bob"),
        message: written("m1", "I will."),
    };
    let stream = after(&[
        create("Call", "x", Properties::default(), &["urgent"]),
        reply.clone(),
    ]);
    let edit = |by: &str, read, which: &str, text: &str| Command::Edit {
        by: id(by),
        read,
        title: None,
        message: written(which, text),
    };
    for (command, expected) in [
        (edit("bob", 2, "m1", "I did."), Ok(1)),
        (edit("bob", 2, "m1", "I will."), Ok(0)),
        (edit("bob", 1, "m1", "I did."), Err(Rejection::Stale)),
        (edit("ann", 2, "m1", "I did."), Err(Rejection::NotAuthor)),
        (edit("ann", 2, "m7", "I did."), Err(Rejection::NoMessage)),
        (reopen("bob", None), Ok(0)),
        (complete("bob", None), Ok(1)),
        (complete("bob", Some(2)), Ok(1)),
        (complete("bob", Some(1)), Err(Rejection::Stale)),
        (reopen("bob", Some(1)), Err(Rejection::Stale)),
        (delete("ann", Some(1), true), Err(Rejection::Stale)),
        (delete("ann", Some(2), true), Ok(1)),
        (delete("ann", None, false), Err(Rejection::NotConfirmed)),
    ] {
        let come = decided(&stream, command.clone(), &rights).map(|events| events.len());
        assert_eq!(come, expected, "{command:?}");
    }
    let first = create("Call", "x", Properties::default(), &["urgent"]);
    let edited = after(&[first.clone(), reply.clone(), edit("bob", 2, "m1", "I did.")]);
    let earlier = &edited.messages[1].earlier;
    assert_eq!((earlier.len(), earlier[0].text.as_str()), (1, "I will."));
    assert_eq!(earlier[0].until, START);
    let completed = after(&[first.clone(), complete("bob", None)]);
    assert_eq!(
        decided(&completed, reply, &rights),
        Err(Rejection::Completed)
    );
    let deleted = after(&[first, delete("ann", None, true)]);
    let left = serde_json::to_string(&deleted).unwrap();
    assert!(!left.contains("Call") && !left.contains("urgent") && deleted.messages.is_empty());
    let again = reopen("ann", None);
    assert_eq!(decided(&deleted, again, &rights), Err(Rejection::Unknown));
}

/// S4-17: only what is no whisper, and is switched on, reaches the customer.
#[test]
fn what_is_for_the_customer_is_said_for_each_stream() {
    let delivered = Properties {
        delivered: true,
        ..Properties::default()
    };
    assert!(after(&[create("Call", "x", delivered, &[])]).is_for_the_customer());
    assert!(!made(Recipients::All).is_for_the_customer());
}

/// S4-5: who does not see a part cannot tell by the version that it has changed, and can write nevertheless.
#[test]
fn the_version_counts_what_is_seen() {
    let reply = Command::Reply {
        by: id("bob"),
        message: written("m1", "I will."),
    };
    let first = create("Call", "x", Properties::default(), &["urgent"]);
    let stream = after(&[
        first,
        reply,
        Command::SetTags {
            by: id("bob"),
            read: 2,
            tags: tags(&[]),
        },
        Command::SetProperties {
            by: id("bob"),
            read: 3,
            properties: Properties {
                minutes: Some(5),
                ..Properties::default()
            },
        },
        complete("bob", None),
    ]);
    let main_only = [Right::MessageShow, Right::MessageCreate];
    for (rights, version) in [
        (rights_of(Right::ALL), 5),
        (rights_of(&main_only), 2),
        (rights_of(&[Right::CommentShow]), 3),
        (rights_of(&[Right::PropertyShow, Right::TagShow]), 4),
    ] {
        assert_eq!(stream.version_for(&rights), version);
    }
    let edit = |read| Command::Edit {
        by: id("ann"),
        read,
        title: None,
        message: written("m0", "y"),
    };
    let rights = rights_of(&main_only);
    assert_eq!(decided(&stream, edit(5), &rights), Err(Rejection::Stale));
    let events = decided(&stream, edit(2), &rights).unwrap();
    assert_eq!(stream.part_of(&events[0]), Part::Message);
}

/// S2-13: two customers were one. What is gone is not moved.
#[test]
fn a_stream_follows_its_customer() {
    let stream = made(Recipients::All);
    let to = |name: &str| Command::Move {
        customer: name.parse().unwrap(),
    };
    let rights = rights_of(&[]);
    assert_eq!(decided(&stream, to("c"), &rights), Ok(vec![]));
    assert_eq!(decided(&stream, to("d"), &rights).map(|it| it.len()), Ok(1));
    let gone = after(&[
        create("Call", "x", Properties::default(), &[]),
        delete("ann", None, true),
    ]);
    assert_eq!(decided(&gone, to("d"), &rights), Err(Rejection::Unknown));
}
