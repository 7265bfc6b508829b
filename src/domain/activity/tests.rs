//! The rules of activities as a table.

use super::*;

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn subject(agent: &str) -> Subject {
    Subject {
        interaction: "call-1".parse().unwrap(),
        agent: agent.parse().unwrap(),
        role: Role::Primary,
        medium: Medium::Voice,
        direction: Direction::Inbound,
        address: "+3912345".to_owned(),
        customer: None,
        name: "Call of +3912345".to_owned(),
    }
}

fn write(by: &str, text: &str) -> Command {
    Command::Write {
        by: by.parse().unwrap(),
        language: Some("de".to_owned()),
        text: text.to_owned(),
    }
}

fn wrap_up(by: &str) -> Command {
    Command::WrapUp {
        by: by.parse().unwrap(),
        code: "sold".to_owned(),
    }
}

fn after(commands: &[(i64, Command)]) -> Activity {
    let mut activity = Activity::new("a".parse().unwrap());
    let mut log = vec![];
    for (seconds, command) in commands {
        for event in decide(&activity, command.clone(), START.plus_seconds(*seconds)).unwrap() {
            apply(&mut activity, &event);
            log.push(event);
        }
    }
    let json = serde_json::to_string(&log).unwrap();
    let mut replayed = Activity::new("a".parse().unwrap());
    for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
        apply(&mut replayed, &event);
    }
    assert_eq!(replayed, activity);
    activity
}

/// S2-17, S2-21, S2-25, S2-36, S2-40: the columns are nothing, opened, connected, closed.
#[test]
fn every_command_in_every_phase() {
    let open = || Command::Open(subject("ann@h"));
    let nothing = after(&[]);
    let opened = after(&[(0, open())]);
    let connected = after(&[(0, open()), (5, Command::Connect)]);
    let closed = after(&[(0, open()), (5, Command::Connect), (65, Command::Close)]);
    let phases = [&nothing, &opened, &connected, &closed];
    use Rejection::{Closed, Empty, Exists, NotYours, TooLong, Unknown};
    let customer: CustomerId = "c".parse().unwrap();
    let long = "x".repeat(NOTE_BYTES_MAX + 1);
    for (command, expected) in [
        (open(), [Ok(1), Ok(0), Ok(0), Ok(0)]),
        (
            Command::Open(subject("bob@h")),
            [Ok(1), Err(Exists), Err(Exists), Err(Exists)],
        ),
        (Command::Connect, [Err(Unknown), Ok(1), Ok(0), Ok(0)]),
        (
            Command::ChangeRole(Role::Primary),
            [Err(Unknown), Ok(0), Ok(0), Err(Closed)],
        ),
        (
            Command::ChangeRole(Role::Conferenced),
            [Err(Unknown), Ok(1), Ok(1), Err(Closed)],
        ),
        // S2-26: the customer and notes may come later.
        (Command::Link(customer), [Err(Unknown), Ok(1), Ok(1), Ok(1)]),
        (write("ann@h", "n"), [Err(Unknown), Ok(1), Ok(1), Ok(1)]),
        (
            write("ann@h", " "),
            [Err(Unknown), Err(Empty), Err(Empty), Err(Empty)],
        ),
        (
            write("ann@h", &long),
            [Err(Unknown), Err(TooLong), Err(TooLong), Err(TooLong)],
        ),
        (
            write("bob@h", "n"),
            [Err(Unknown), Err(NotYours), Err(NotYours), Err(NotYours)],
        ),
        (wrap_up("ann@h"), [Err(Unknown), Ok(1), Ok(1), Ok(1)]),
        (
            wrap_up("bob@h"),
            [Err(Unknown), Err(NotYours), Err(NotYours), Err(NotYours)],
        ),
        (Command::Close, [Err(Unknown), Ok(1), Ok(1), Ok(0)]),
        (Command::Finish, [Err(Unknown), Ok(0), Ok(0), Ok(1)]),
    ] {
        let come = phases.map(|it| decide(it, command.clone(), START).map(|events| events.len()));
        assert_eq!(come, expected, "{command:?}");
    }
    let nameless = Subject {
        name: " ".to_owned(),
        ..subject("ann@h")
    };
    assert_eq!(
        decide(&nothing, Command::Open(nameless), START),
        Err(Rejection::Name)
    );
}

/// S2-23: the duration is that of the conversation.
#[test]
fn the_duration_runs_from_the_connection_to_the_end() {
    let open = || (0, Command::Open(subject("ann@h")));
    let late = START.plus_seconds(100);
    for (commands, seconds) in [
        (vec![open()], 0),
        (vec![open(), (5, Command::Connect)], 95),
        (
            vec![open(), (5, Command::Connect), (65, Command::Close)],
            60,
        ),
        (vec![open(), (65, Command::Close)], 0),
    ] {
        assert_eq!(after(&commands).duration_seconds(late), seconds);
    }
}

/// S2-24, S2-39, S2-43, S2-45.
#[test]
fn calls_are_filed_as_calls_and_the_rest_as_chats() {
    for (medium, category) in [
        (Medium::Voice, "phone-call"),
        (Medium::Chat, "chat"),
        (Medium::Email, "chat"),
    ] {
        assert_eq!(Category::of(medium).name(), category);
    }
}

#[test]
fn notes_are_bounded() {
    let mut commands = vec![(0, Command::Open(subject("ann@h")))];
    commands.extend((0..NOTES_MAX).map(|_| (1, write("ann@h", "n"))));
    let full = after(&commands);
    assert_eq!(
        decide(&full, write("ann@h", "n"), START),
        Err(Rejection::TooMany)
    );
}

/// S2-17: an offer that was over before the connector said that the agent has answered is the same part, and so the
/// same activity.
#[test]
fn an_offer_that_was_taken_late_opens_its_activity_again() {
    let open = (0, Command::Open(subject("ann@h")));
    let late = after(&[open.clone(), (30, Command::Close)]);
    assert!(!late.is_current());
    assert_eq!(decide(&late, Command::Finish, START), Ok(vec![]));
    let talks = after(&[open, (30, Command::Close), (31, Command::Connect)]);
    assert_eq!(talks.closed_at, None);
    assert_eq!(talks.duration_seconds(START.plus_seconds(41)), 10);
}

/// What an agent has in hand: asked, taking part, writing up; and no longer.
#[test]
fn an_activity_is_current_until_it_is_written_up() {
    let mut commands = vec![];
    for (command, current) in [
        (Command::Open(subject("ann@h")), true),
        (Command::Connect, true),
        (Command::Close, true),
        (Command::Finish, false),
    ] {
        commands.push((0, command));
        assert_eq!(after(&commands).is_current(), current, "{commands:?}");
    }
    assert!(!after(&[]).is_current());
}

/// S2-17: one for each part.
#[test]
fn a_part_has_one_activity() {
    let call: InteractionId = "call-1".parse().unwrap();
    let other: InteractionId = "call-2".parse().unwrap();
    let id = id_of(&call, 0, START);
    assert_eq!(id, id_of(&call, 0, START));
    for another in [
        id_of(&call, 1, START),
        id_of(&call, 0, START.plus_seconds(1)),
        id_of(&other, 0, START),
    ] {
        assert_ne!(id, another);
    }
}
