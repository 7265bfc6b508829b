//! What two write at once, what a refusal must not tell, and how many files there may be.

use super::*;

/// S4-38: who has not seen the tags that somebody else has set meanwhile does not take them away.
#[test]
fn tags_are_set_by_who_has_read_the_present_ones() {
    let stream = after(&[
        create("Call", "x", Properties::default(), &["urgent"]),
        set_tags(1, &["paid"]),
    ]);
    let rights = all_rights();
    for (read, names, expected) in [
        (1, &["urgent"][..], Err(Rejection::Stale)),
        (1, &["paid"], Err(Rejection::Stale)),
        (3, &["urgent"], Err(Rejection::Stale)),
        (2, &["paid"], Ok(0)),
        (2, &["urgent"], Ok(1)),
    ] {
        let come = decided(&stream, set_tags(read, names), &rights).map(|it| it.len());
        assert_eq!(come, expected, "{read} {names:?}");
    }
}

fn set_tags(read: u64, names: &[&str]) -> Command {
    Command::SetTags {
        by: id("bob"),
        read,
        tags: tags(names),
    }
}

/// S4-5, S4-24: nobody learns by a refusal whether a stream is billed, or which tags it has, who may not see that. What is answered is
/// the same for a stream that is billed and for one that is not.
#[test]
fn tags_do_not_tell_of_billing_and_billing_not_of_tags() {
    let billed = Properties {
        billable: true,
        ..Properties::default()
    };
    let streams = [billed.clone(), Properties::default()].map(|properties| {
        let first = create("Call", "x", properties, &["paid"]);
        let mut stream = after(&[first]);
        // It was taken off the list since.
        stream.tags.insert("old".to_owned());
        stream
    });
    let missing = |right| Err(Rejection::Rights(rights::Rejection::RightMissing { right }));
    let sees_tags = [Right::MessageShow, Right::TagCreate, Right::TagShow];
    let sees_none = [Right::MessageShow, Right::TagCreate];
    for (given, names, expected) in [
        (
            &sees_tags[..],
            &["urgent"][..],
            missing(Right::PropertyShow),
        ),
        (&sees_tags, &[], missing(Right::PropertyShow)),
        (&sees_tags, &["urgent", "paid", "old"], Ok(1)),
        (&sees_none, &["urgent"], missing(Right::PropertyShow)),
        (&sees_none, &["paid", "urgent"], Ok(1)),
        (
            &sees_none,
            &["paid", "old"],
            Err(Rejection::TagUnknown {
                tag: "old".to_owned(),
            }),
        ),
    ] {
        for stream in &streams {
            let come = decided(stream, set_tags(1, names), &rights_of(given)).map(|it| it.len());
            assert_eq!(come, expected, "{given:?} {names:?}");
        }
    }
    let plain = after(&[create("Call", "x", Properties::default(), &["urgent"])]);
    let untag = decided(&plain, set_tags(1, &[]), &rights_of(&sees_tags));
    assert_eq!(untag.map(|it| it.len()), Ok(1));
    let [billed_stream, free] = &streams;
    let untag = |stream: &Stream| decided(stream, set_tags(1, &[]), &all_rights());
    assert_eq!(untag(billed_stream), Err(Rejection::BillableTag));
    assert_eq!(untag(free).map(|it| it.len()), Ok(1));
    // The other way round: by who sees no tags a stream is not billed, whichever it has.
    let bill = |minutes| Command::SetProperties {
        by: id("bob"),
        read: 1,
        properties: Properties {
            minutes: Some(minutes),
            ..billed.clone()
        },
    };
    let sets = [
        Right::MessageShow,
        Right::PropertyShow,
        Right::PropertyCreate,
    ];
    for stream in [free, &plain] {
        let come = decided(stream, bill(5), &rights_of(&sets));
        assert_eq!(come, missing(Right::TagShow).map(|_: usize| vec![]));
    }
    // What is billed stays so.
    let come = decided(billed_stream, bill(5), &rights_of(&sets));
    assert_eq!(come.map(|it| it.len()), Ok(1));
}

/// S4-24: what is billed by a tag that is on the list no more stays so as long as it keeps that tag.
#[test]
fn a_tag_that_left_the_list_bills_on() {
    let billed = Properties {
        billable: true,
        ..Properties::default()
    };
    let mut stream = after(&[create("Call", "x", billed.clone(), &["paid", "urgent"])]);
    stream.tags = tags(&["left", "urgent"]);
    let bill = Command::SetProperties {
        by: id("bob"),
        read: 1,
        properties: Properties {
            minutes: Some(5),
            ..billed
        },
    };
    let come = decided(&stream, bill, &all_rights());
    assert_eq!(come.map(|it| it.len()), Ok(1));
    for (names, expected) in [
        (&["left"][..], Ok(1)),
        (&["urgent"], Err(Rejection::BillableTag)),
        (&["urgent", "paid"], Ok(1)),
    ] {
        let come = decided(&stream, set_tags(1, names), &all_rights()).map(|it| it.len());
        assert_eq!(come, expected, "{names:?}");
    }
}

/// S4-20: files are bounded for the message and for the whole stream, by how many there are and by how large. Taking some away is never
/// too much.
#[test]
fn files_of_a_stream_are_bounded() {
    let with = |which: &str, files| Written {
        attachments: files,
        ..written(which, "x")
    };
    let reply = |which: &str, files| Command::Reply {
        by: id("bob"),
        message: with(which, files),
    };
    let edit = |read, which: &str, files| Command::Edit {
        by: id("bob"),
        read,
        title: None,
        message: with(which, files),
    };
    let most = ATTACHMENTS_MAX;
    let rounds = STREAM_ATTACHMENTS_MAX / most;
    let mut commands = vec![create("Call", "x", Properties::default(), &[])];
    for n in 1..=rounds {
        commands.push(reply(&format!("m{n}"), files(n * most, most, 1)));
    }
    let full = after(&commands);
    let read = full.version;
    for (command, expected) in [
        (
            reply("m9", files(0, most + 1, 1)),
            Err(Rejection::TooManyAttachments),
        ),
        (reply("m9", files(0, 1, 1)), Err(Rejection::AttachmentsFull)),
        (reply("m9", vec![]), Ok(1)),
        (edit(read, "m1", files(0, most, 1)), Ok(1)),
        (edit(read, "m1", files(most, most - 1, 1)), Ok(1)),
        (
            edit(read, "m1", files(0, 1, BYTES_MAX)),
            Err(Rejection::AttachmentsFull),
        ),
    ] {
        let come = decided(&full, command.clone(), &all_rights()).map(|it| it.len());
        assert_eq!(come, expected, "{command:?}");
    }
    let first = create("Call", "x", Properties::default(), &[]);
    let large = after(&[first, reply("m1", files(0, 2, BYTES_MAX / 2))]);
    for (command, expected) in [
        (reply("m2", files(9, 1, 1)), Err(Rejection::AttachmentsFull)),
        (reply("m2", files(9, 1, 0)), Ok(1)),
        (edit(2, "m1", files(0, 1, BYTES_MAX / 2)), Ok(1)),
        (edit(2, "m1", files(5, 1, BYTES_MAX)), Ok(1)),
        (
            edit(2, "m1", files(5, 1, BYTES_MAX + 1)),
            Err(Rejection::AttachmentsFull),
        ),
    ] {
        let come = decided(&large, command.clone(), &all_rights()).map(|it| it.len());
        assert_eq!(come, expected, "{command:?}");
    }
    let huge = Command::Create {
        by: id("ann"),
        customer: "c".parse().unwrap(),
        title: "Call".to_owned(),
        message: with("m0", files(0, 1, u64::MAX)),
        properties: Properties::default(),
        tags: tags(&[]),
    };
    let nothing = Stream::new("n".parse().unwrap());
    let come = decided(&nothing, huge, &all_rights());
    assert_eq!(come, Err(Rejection::AttachmentsFull));
}

/// S4-30: with the main message the title is written anew, and the history has the one before; files that are taken away are named in it.
/// Nobody titles a reply.
#[test]
fn a_title_and_files_that_are_gone_are_in_the_history() {
    let stream = after(&[
        create("Call", "x", Properties::default(), &[]),
        Command::Reply {
            by: id("ann"),
            message: written("m1", "so"),
        },
    ]);
    let rights = all_rights();
    let edit = |read, which: &str, title: Option<&str>, message: Written| Command::Edit {
        by: id("ann"),
        read,
        title: title.map(str::to_owned),
        message: Written {
            id: which.parse().unwrap(),
            ..message
        },
    };
    let long = "x".repeat(TITLE_CHARS_MAX + 1);
    for (which, title, expected) in [
        ("m0", Some(" Call "), Ok(0)),
        ("m0", None, Ok(0)),
        ("m0", Some("Call back"), Ok(1)),
        ("m0", Some(" "), Err(Rejection::Title)),
        ("m0", Some("a\nb"), Err(Rejection::Title)),
        ("m0", Some(long.as_str()), Err(Rejection::Title)),
        ("m1", Some("Call"), Err(Rejection::ReplyTitled)),
    ] {
        let text = if which == "m0" { "x" } else { "so" };
        let command = edit(2, which, title, written(which, text));
        let come = decided(&stream, command, &rights).map(|it| it.len());
        assert_eq!(come, expected, "{which} {title:?}");
    }
    let with = |count| Written {
        attachments: files(0, count, 1),
        ..written("m0", "x")
    };
    let mut stream = stream;
    for (title, files) in [
        (None, 2),
        (Some("Call back"), 1),
        (None, 0),
        (Some("Called"), 0),
    ] {
        let command = edit(stream.version, "m0", title, with(files));
        for event in decided(&stream, command, &rights).unwrap() {
            apply(&mut stream, &event);
        }
    }
    let main = &stream.messages[0];
    let titles = (0..5).map(|version| stream.title_of(main, version).unwrap());
    let expected = ["Call", "Call", "Call back", "Call back", "Called"];
    assert!(titles.eq(expected), "{:?}", main.earlier);
    assert_eq!(stream.title_of(&stream.messages[1], 0), None);
    let taken: Vec<_> = main.earlier.iter().map(|it| it.taken.len()).collect();
    assert_eq!(taken, [0, 1, 1, 0]);
    let counted: usize = main.earlier.iter().map(Earlier::bytes).sum();
    assert!(counted > 4 + "Call".len() + "Call back".len() + 2 * 128);
    assert_eq!(stream.text_bytes(), 1 + 2 + counted);
}

/// What was taken away takes room, too: nobody fills a record with the names of files that come and go.
#[test]
fn names_of_files_that_are_gone_have_their_bound() {
    let mut stream = after(&[create("Call", "x", Properties::default(), &[])]);
    let rights = all_rights();
    let last = loop {
        let some = stream.messages[0].attachments.is_empty();
        let message = Written {
            attachments: if some {
                files(0, ATTACHMENTS_MAX, 1)
            } else {
                vec![]
            },
            ..written("m0", "x")
        };
        let command = Command::Edit {
            by: id("ann"),
            read: stream.version,
            title: None,
            message,
        };
        match decided(&stream, command, &rights) {
            Ok(events) => events.iter().for_each(|event| apply(&mut stream, event)),
            Err(refused) => break Some(refused),
        }
        if stream.version > 200 {
            break None;
        }
    };
    // Of one message the oldest versions go.
    assert_eq!(last, None);
    let bytes = serde_json::to_string(&stream).unwrap().len();
    assert!(bytes < 2 * STREAM_BYTES_MAX, "{bytes}");
}

fn files(from: usize, count: usize, bytes: u64) -> Vec<Attachment> {
    let file = |n: usize| Attachment {
        name: "a.png".to_owned(),
        file_type: attachment::FileType::Png,
        bytes,
        slot: format!("f{n}"),
    };
    (from..from + count).map(file).collect()
}
