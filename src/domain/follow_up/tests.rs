//! The rules of follow-ups as tables.

use std::collections::BTreeSet;

use super::*;

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn plan(transaction_type: &str) -> Plan {
    Plan {
        transaction_type: transaction_type.to_owned(),
        title: "Call back".to_owned(),
        customer: Some("c".parse().unwrap()),
        start: None,
        end: None,
        due: Some(START.plus_seconds(60)),
        reason: None,
        responsible: "ann@h".parse().unwrap(),
    }
}

fn planning(plan: Plan) -> Command {
    Command::Plan {
        by: "ann@h".parse().unwrap(),
        source: Source {
            kind: SourceKind::InteractionRecord,
            id: "call-1".to_owned(),
        },
        plan,
    }
}

fn write(note_type: &str, language: &str, text: &str) -> Command {
    Command::WriteNote {
        read: None,
        by: "ann@h".parse().unwrap(),
        note_type: note_type.to_owned(),
        language: language.to_owned(),
        text: text.to_owned(),
    }
}

fn decided(
    follow_up: &FollowUp,
    command: Command,
    now: Timestamp,
    responsible_is_agent: bool,
) -> Result<Vec<Event>, Rejection> {
    let mut permitted = PermittedTypes::default();
    let calls = BTreeSet::from(["phone-call".to_owned()]);
    permitted.channels.insert("voice".to_owned(), calls);
    let facts = Facts {
        permitted: &permitted,
        channel: "voice",
        reasons: &["complaint".to_owned()],
        note_types: &NoteTypes::default(),
        responsible_is_agent,
    };
    decide(follow_up, command, now, &facts)
}

fn after(commands: &[Command]) -> FollowUp {
    let mut follow_up = FollowUp::new("f".parse().unwrap());
    let mut log = vec![];
    for command in commands {
        for event in decided(&follow_up, command.clone(), START, true).unwrap() {
            apply(&mut follow_up, &event);
            log.push(event);
        }
    }
    let json = serde_json::to_string(&log).unwrap();
    let mut replayed = FollowUp::new("f".parse().unwrap());
    for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
        apply(&mut replayed, &event);
    }
    assert_eq!(replayed, follow_up);
    follow_up
}

const COMPLETE: Command = Command::Complete { read: None };
const CANCEL: Command = Command::Cancel { read: None };

/// S3-1, S3-4, S3-14, S3-18 to S3-20: the columns are not planned, planned, completed, cancelled.
#[test]
fn every_command_in_every_status() {
    let made = || planning(plan("phone-call"));
    let nothing = after(&[]);
    let planned = after(&[made()]);
    let completed = after(&[made(), COMPLETE]);
    let cancelled = after(&[made(), CANCEL]);
    let statuses = [&nothing, &planned, &completed, &cancelled];
    use Rejection::{Exists, Over, Stale, Unknown};
    let edit = |read| Command::Edit {
        read,
        plan: Plan {
            title: "Call again".to_owned(),
            ..plan("phone-call")
        },
    };
    let link = |from: &str| Command::Link {
        from: from.parse().unwrap(),
        to: "d".parse().unwrap(),
    };
    let to = |name: &str| Command::Reassign {
        read: None,
        to: name.parse().unwrap(),
    };
    for (command, expected) in [
        (made(), [Ok(1), Err(Exists), Err(Exists), Err(Exists)]),
        (edit(1), [Err(Unknown), Ok(1), Err(Stale), Err(Stale)]),
        (edit(2), [Err(Unknown), Err(Stale), Err(Over), Err(Over)]),
        (to("bob@h"), [Err(Unknown), Ok(1), Err(Over), Err(Over)]),
        (to("ann@h"), [Err(Unknown), Ok(0), Err(Over), Err(Over)]),
        (
            write("note", "en", "n"),
            [Err(Unknown), Ok(1), Ok(1), Ok(1)],
        ),
        (link("c"), [Err(Unknown), Ok(1), Ok(1), Ok(1)]),
        (link("other"), [Err(Unknown), Ok(0), Ok(0), Ok(0)]),
        (COMPLETE, [Err(Unknown), Ok(1), Ok(0), Err(Over)]),
        (CANCEL, [Err(Unknown), Ok(1), Err(Over), Ok(0)]),
        (Command::TimeIsUp, [Ok(0), Ok(0), Ok(0), Ok(0)]),
    ] {
        let come = statuses.map(|it| decided(it, command.clone(), START, true).map(|it| it.len()));
        assert_eq!(come, expected, "{command:?}");
    }
}

/// Of two who have read the same, only the first is not told that it has changed, whatever both want; a reminder changes nothing
/// that anybody has read.
#[test]
fn whoever_says_what_it_has_read_writes_on_that_only() {
    let mut follow_up = after(&[planning(plan("phone-call"))]);
    let wishes = |read: Option<u64>| {
        let mut note = write("note", "en", "n");
        if let Command::WriteNote { read: of, .. } = &mut note {
            *of = read;
        }
        let to = "bob@h".parse().unwrap();
        [
            note,
            Command::Reassign { read, to },
            Command::Complete { read },
            Command::Cancel { read },
        ]
    };
    let come = |follow_up: &FollowUp, read| {
        wishes(read).map(|wish| decided(follow_up, wish, START, true).map(|it| it.len()))
    };
    let done = [Ok(1), Ok(1), Ok(1), Ok(1)];
    let stale = [(); 4].map(|()| Err(Rejection::Stale));
    assert_eq!(come(&follow_up, None), done);
    assert_eq!(come(&follow_up, Some(1)), done);
    assert_eq!(come(&follow_up, Some(0)), stale);
    assert_eq!(come(&follow_up, Some(2)), stale);
    apply(&mut follow_up, &Event::Reminded { at: START });
    assert_eq!((follow_up.version, follow_up.version_read()), (2, 1));
    assert_eq!(come(&follow_up, Some(1)), done);
    // What is so already is told to who has not read that, too.
    let completed = after(&[planning(plan("phone-call")), COMPLETE]);
    assert_eq!(come(&completed, Some(1)), stale);
}

#[test]
fn what_is_no_plan_is_refused() {
    let nothing = after(&[]);
    let other = |change: fn(&mut Plan)| {
        let mut plan = plan("phone-call");
        change(&mut plan);
        planning(plan)
    };
    let voice = "voice".to_owned();
    for (command, rejection) in [
        (
            planning(plan("task")),
            Rejection::NotPermitted { channel: voice },
        ),
        (planning(plan("dance")), Rejection::UnknownType),
        (other(|it| it.title = " ".to_owned()), Rejection::Title),
        (
            other(|it| it.reason = Some("fun".to_owned())),
            Rejection::UnknownReason,
        ),
        (
            other(|it| (it.start, it.end) = (Some(START), Some(START.plus_seconds(-1)))),
            Rejection::Dates,
        ),
    ] {
        assert_eq!(decided(&nothing, command, START, true), Err(rejection));
    }
    let command = planning(plan("phone-call"));
    assert_eq!(
        decided(&nothing, command, START, false),
        Err(Rejection::Responsible)
    );
    // A type that is permitted no longer stays where it is.
    let mut planned = after(&[planning(plan("phone-call"))]);
    if let Some(plan) = &mut planned.plan {
        plan.transaction_type = "task".to_owned();
    }
    let edit = Command::Edit {
        read: 1,
        plan: plan("task"),
    };
    assert_eq!(decided(&planned, edit, START, true), Ok(vec![]));
    // So do a reason that cannot be chosen any more, and a responsible who is an agent no more.
    if let Some(plan) = &mut planned.plan {
        plan.reason = Some("fun".to_owned());
    }
    let with = |reason: &str, title: &str| Command::Edit {
        read: 1,
        plan: Plan {
            title: title.to_owned(),
            reason: Some(reason.to_owned()),
            ..plan("task")
        },
    };
    let kept = decided(&planned, with("fun", "Call again"), START, false);
    assert_eq!(kept.map(|it| it.len()), Ok(1));
    let other = decided(&planned, with("joy", "Call again"), START, false);
    assert_eq!(other, Err(Rejection::UnknownReason));
}

/// S3-7 to S3-10, S3-13.
#[test]
fn where_it_is_shown_follows_from_where_it_was_made() {
    let places = SourceKind::ALL.map(|kind| kind.shown_in().name());
    let business = "business-context";
    assert_eq!(
        places,
        [
            "activity-clipboard",
            business,
            business,
            business,
            "linked-objects"
        ]
    );
}

/// S3-15, S3-16, S3-21.
#[test]
fn notes_of_six_types_in_several_languages_keep_their_versions() {
    let mut commands = vec![planning(plan("phone-call"))];
    for note_type in NoteTypes::default().types {
        commands.push(write(&note_type.code, "en", "one"));
        commands.push(write(&note_type.code, "de", "eins"));
    }
    commands.push(write("report", "EN", "two"));
    commands.push(write("report", "en", "two"));
    let follow_up = after(&commands);
    assert_eq!(follow_up.notes.len(), 12);
    let report = follow_up.note("report", "en").unwrap();
    let texts: Vec<&str> = report.versions.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
    let long = "x".repeat(NOTE_BYTES_MAX + 1);
    for (command, rejection) in [
        (write("note", "en", " "), Rejection::Empty),
        (write("note", "en", &long), Rejection::TooLong),
        (write("note", "e", "n"), Rejection::Language),
        (write("note", "en US", "n"), Rejection::Language),
        (write("memo", "en", "n"), Rejection::UnknownNoteType),
    ] {
        assert_eq!(decided(&follow_up, command, START, true), Err(rejection));
    }
}

/// S3-21: earlier versions are kept as long as there is room, and numbered all the same.
#[test]
fn notes_have_their_bounds() {
    let mut follow_up = after(&[planning(plan("phone-call"))]);
    let mut written = |note_type: &str, language: &str, text: &str| {
        let command = write(note_type, language, text);
        let events = decided(&follow_up, command, START, true);
        for event in events.iter().flatten() {
            apply(&mut follow_up, event);
        }
        let note = follow_up.note(note_type, language);
        let note = note.map(|it| (it.versions.len(), it.forgotten));
        (events.map(|it| it.len()), note)
    };
    for number in 0..VERSIONS_MAX {
        assert_eq!(written("note", "en", &number.to_string()).0, Ok(1));
    }
    let last = written("note", "en", "more");
    assert_eq!(last, (Ok(1), Some((VERSIONS_MAX, 1))));
    let long = "x".repeat(NOTE_BYTES_MAX - 4);
    let fits = NOTES_BYTES_MAX / NOTE_BYTES_MAX;
    for number in 0..fits {
        let language = format!("x-{number}");
        assert_eq!(written("report", &language, &long).0, Ok(1), "{number}");
    }
    let full = written("report", "de", &long);
    assert_eq!(full, (Err(Rejection::TooMany), None));
    // What is short still fits, until there are as many notes as there may be.
    for number in fits + 1..NOTES_MAX {
        let language = format!("x-{number}");
        assert_eq!(written("report", &language, "x").0, Ok(1), "{number}");
    }
    let full = written("internal", "en", "x");
    assert_eq!(full, (Err(Rejection::TooMany), None));
    // Of a note with as many versions as are kept, the one that goes makes room.
    assert_eq!(written("note", "en", "y"), (Ok(1), Some((VERSIONS_MAX, 2))));
}

/// S3-2: the responsible agent is reminded once, and once more when the date is another.
#[test]
fn what_is_due_reminds_once() {
    let mut follow_up = after(&[planning(plan("phone-call"))]);
    let due = START.plus_seconds(60);
    assert_eq!(follow_up.deadline(), Some(due));
    let events = decided(&follow_up, Command::TimeIsUp, due, true).unwrap();
    assert_eq!(events, [Event::Reminded { at: due }]);
    apply(&mut follow_up, &events[0]);
    assert_eq!(follow_up.deadline(), None);
    let later = Plan {
        due: Some(due.plus_seconds(60)),
        ..plan("phone-call")
    };
    let edit = Command::Edit {
        read: 1,
        plan: later,
    };
    for event in decided(&follow_up, edit, due, true).unwrap() {
        apply(&mut follow_up, &event);
    }
    assert_eq!(follow_up.deadline(), Some(due.plus_seconds(60)));
}

/// S3-11: what the agent has filled in stays, the rest comes from the source as the rules say.
#[test]
fn what_is_copied_is_configured() {
    let source = Plan {
        title: "Broken".to_owned(),
        customer: Some("c".parse().unwrap()),
        reason: Some("complaint".to_owned()),
        ..plan("interaction")
    };
    let empty = || Plan {
        title: String::new(),
        customer: None,
        due: None,
        ..plan("task")
    };
    let kind = SourceKind::Complaint;
    let usual = CopyRules::default().fill(kind, empty(), &source);
    assert_eq!(
        (usual.title.as_str(), usual.customer.is_some()),
        ("Broken", true)
    );
    assert_eq!((usual.reason, usual.due), (None, None));
    let copied = BTreeSet::from([Copied::Reason, Copied::Dates]);
    let rules = CopyRules {
        version: 1,
        rules: vec![(kind, "task".to_owned(), copied)],
    };
    let filled = rules.fill(kind, empty(), &source);
    assert_eq!((filled.title.as_str(), filled.customer), ("", None));
    assert_eq!(
        (filled.reason, filled.due),
        (source.reason.clone(), source.due)
    );
    let own = rules.fill(kind, plan("task"), &source);
    assert_eq!(own.title, "Call back");
}

/// S3-11, S3-19: dates of the source that do not go with those that the agent has filled in stay where they are.
#[test]
fn dates_that_do_not_go_together_are_not_copied() {
    let kind = SourceKind::Complaint;
    let rules = CopyRules {
        version: 1,
        rules: vec![(kind, "task".to_owned(), BTreeSet::from([Copied::Dates]))],
    };
    let at = |seconds: i64| Some(START.plus_seconds(seconds));
    let dates = |start, end| Plan {
        start,
        end,
        ..plan("task")
    };
    let source = dates(at(10), at(20));
    for (start, end, expected) in [
        (None, None, (at(10), at(20))),
        (at(15), None, (at(15), at(20))),
        (None, at(15), (at(10), at(15))),
        (at(30), None, (at(30), None)),
        (None, at(5), (None, at(5))),
        (at(30), at(40), (at(30), at(40))),
    ] {
        let filled = rules.fill(kind, dates(start, end), &source);
        assert_eq!((filled.start, filled.end), expected);
    }
    let filled = rules.fill(kind, dates(None, None), &dates(at(20), at(10)));
    assert_eq!((filled.start, filled.end), (None, None));
}
