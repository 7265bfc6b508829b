//! Sending business objects, and the list of recent ones.

use proptest::collection::vec;
use proptest::prelude::*;

use super::object::object;
use super::recent::{self, Recent, Touch};
use super::transfer::{self, Command, Event, Facts, Progress, Transfer};
use super::{BusinessObject, Rejection};
use crate::clock::Timestamp;
use crate::domain::chat_profile::{ChatProfile, Means};
use crate::domain::colleague::{Colleague, Prerequisite};
use crate::domain::ids::AgentId;
use crate::domain::rights::{Rights, Role};

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn id(text: &str) -> AgentId {
    text.parse().unwrap()
}

fn fresh() -> Transfer {
    Transfer::new("c".parse().unwrap(), id("a@h"))
}

/// Decides with all of those accounts being agents of that profile, but `member@h`.
fn decide_as(
    sending: &Transfer,
    command: Command,
    own: &ChatProfile,
    theirs: &ChatProfile,
) -> Result<Vec<Event>, Rejection> {
    let sender = Colleague {
        id: &sending.sender,
        role: Some(Role::Agent),
        rights: Rights::of_agent(),
        profile: own,
    };
    let to = match &command {
        Command::Send { to, .. } => to.clone(),
        Command::Deliver { .. } | Command::Open { .. } => vec![],
    };
    let role = |id: &AgentId| {
        if id.logon() == "member" {
            Role::Member
        } else {
            Role::Agent
        }
    };
    let recipients: Vec<_> = to
        .iter()
        .map(|id| Colleague {
            id,
            role: Some(role(id)),
            rights: Rights::of_agent(),
            profile: theirs,
        })
        .collect();
    transfer::decide(
        sending,
        command,
        START,
        &Facts {
            sender,
            recipients: &recipients,
        },
    )
}

fn decide(sending: &Transfer, command: Command) -> Result<Vec<Event>, Rejection> {
    let profile = ChatProfile::default();
    decide_as(sending, command, &profile, &profile)
}

fn send(to: &[&str], objects: Vec<BusinessObject>) -> Command {
    let to = to.iter().map(|it| id(it)).collect();
    Command::Send {
        to,
        objects,
        note: None,
        session: None,
    }
}

fn deliver(recipient: &str) -> Command {
    Command::Deliver {
        recipient: id(recipient),
    }
}

fn open(recipient: &str) -> Command {
    Command::Open {
        recipient: id(recipient),
    }
}

fn after(commands: &[Command]) -> (Transfer, Vec<Event>) {
    let (mut sending, mut log) = (fresh(), vec![]);
    for command in commands {
        for event in decide(&sending, command.clone()).unwrap() {
            transfer::apply(&mut sending, &event);
            log.push(event);
        }
    }
    (sending, log)
}

fn cases(count: usize) -> Vec<BusinessObject> {
    (0..count).map(|n| object("case", &n.to_string())).collect()
}

/// S0-27, S0-30: the columns are nothing sent, sent, delivered, opened; a second device changes nothing.
#[test]
fn every_command_in_every_state_of_a_sending() {
    let sent = send(&["b@h"], cases(1));
    let states = [
        after(&[]).0,
        after(std::slice::from_ref(&sent)).0,
        after(&[sent.clone(), deliver("b@h")]).0,
        after(&[sent.clone(), open("b@h")]).0,
    ];
    let (exists, unknown) = (Err(Rejection::AlreadySent), Err(Rejection::NotRecipient));
    let nobody = || {
        [
            unknown.clone(),
            unknown.clone(),
            unknown.clone(),
            unknown.clone(),
        ]
    };
    for (command, expected) in [
        (sent, [Ok("sent"), exists.clone(), exists.clone(), exists]),
        (
            deliver("b@h"),
            [unknown.clone(), Ok("delivered"), Ok(""), Ok("")],
        ),
        (
            open("b@h"),
            [
                unknown.clone(),
                Ok("delivered opened"),
                Ok("opened"),
                Ok(""),
            ],
        ),
        (deliver("a@h"), nobody()),
        (open("x@h"), nobody()),
    ] {
        for (state, expected) in states.iter().zip(expected) {
            let decided = decide(state, command.clone()).map(|events| {
                let words = events.iter().map(|event| match event {
                    Event::Sent { .. } => "sent",
                    Event::Delivered { .. } => "delivered",
                    Event::Opened { .. } => "opened",
                });
                words.collect::<Vec<_>>().join(" ")
            });
            assert_eq!(
                decided,
                expected.map(str::to_owned),
                "{:?} {command:?}",
                state.recipients
            );
        }
    }
}

#[test]
fn each_recipient_has_its_own_progress() {
    let (sending, _) = after(&[
        send(&["b@h", "c@h", "d@h"], cases(1)),
        deliver("b@h"),
        open("c@h"),
    ]);
    let progress: Vec<_> = sending.recipients.values().map(|it| it.name()).collect();
    assert_eq!(progress, ["delivered", "opened", "sent"]);
}

#[test]
fn what_is_sent_is_within_its_limits_and_to_colleagues_who_may_have_it() {
    let one = || cases(1);
    let many: Vec<String> = (0..21).map(|n| format!("r{n}@h")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut malformed = object("case", "1");
    malformed.title.clear();
    let noted = |bytes: usize| Command::Send {
        to: vec![id("b@h")],
        objects: one(),
        note: Some("x".repeat(bytes)),
        session: Some("s".parse().unwrap()),
    };
    for (command, expected) in [
        (send(&many[..20], cases(10)), None),
        (noted(transfer::NOTE_BYTES_MAX), None),
        (noted(transfer::NOTE_BYTES_MAX + 1), Some(Rejection::Note)),
        (send(&["b@h"], vec![]), Some(Rejection::Objects)),
        (send(&["b@h"], cases(11)), Some(Rejection::Objects)),
        (
            send(&["b@h"], [one(), one()].concat()),
            Some(Rejection::Objects),
        ),
        (
            send(&["b@h"], vec![malformed]),
            Some(Rejection::ObjectTitle),
        ),
        (send(&[], one()), Some(Rejection::Recipients)),
        (send(&many, one()), Some(Rejection::Recipients)),
        (send(&["b@h", "b@h"], one()), Some(Rejection::Recipients)),
        (
            send(&["b@h", "a@h"], one()),
            Some(Prerequisite::Oneself.into()),
        ),
        (
            send(&["b@other"], one()),
            Some(Prerequisite::OtherHost.into()),
        ),
        (
            send(&["b@h", "member@h"], one()),
            Some(Prerequisite::NoAgent.into()),
        ),
    ] {
        assert_eq!(
            decide(&fresh(), command.clone()).err(),
            expected,
            "{command:?}"
        );
    }
    let without = ChatProfile {
        means: [Means::Email].into(),
        ..ChatProfile::default()
    };
    let with = ChatProfile::default();
    let command = || send(&["b@h"], one());
    assert_eq!(
        decide_as(&fresh(), command(), &without, &with),
        Err(Rejection::NotYours)
    );
    assert_eq!(
        decide_as(&fresh(), command(), &with, &without),
        Err(Rejection::NotTheirs)
    );
}

fn list(touches: &[(BusinessObject, Touch)]) -> Recent {
    let mut list = Recent::new(id("a@h"));
    for (seconds, (object, touch)) in (0..).zip(touches) {
        let command = recent::Command::Touch {
            object: object.clone(),
            touch: *touch,
        };
        for event in recent::decide(&list, command, START.plus_seconds(seconds)).unwrap() {
            recent::apply(&mut list, &event);
        }
    }
    list
}

fn names(list: &Recent) -> Vec<String> {
    let name =
        |entry: &recent::RecentObject| format!("{} {}", entry.object.key.id, entry.touch.name());
    list.entries.iter().map(name).collect()
}

/// S0-29.
#[test]
fn the_newest_is_first_nothing_is_there_twice_and_the_oldest_makes_room() {
    let (a, b) = (object("case", "a"), object("case", "b"));
    let renamed = BusinessObject {
        title: "Other".to_owned(),
        ..a.clone()
    };
    let other = object("lead", "a");
    let some = list(&[
        (a.clone(), Touch::Opened),
        (b, Touch::Sent),
        (renamed.clone(), Touch::Attached),
        (other, Touch::Received),
    ]);
    assert_eq!(names(&some), ["a received", "a attached", "b sent"]);
    assert_eq!(some.find(&a.key), Some(&renamed));
    let many: Vec<_> = cases(60)
        .into_iter()
        .map(|it| (it, Touch::Opened))
        .collect();
    let full = list(&many);
    assert_eq!(full.entries.len(), recent::OBJECTS_MAX);
    assert_eq!(names(&full).first().unwrap(), "59 opened");
    assert_eq!(full.find(&object("case", "9").key), None);
}

#[test]
fn an_object_is_taken_off_the_list_and_a_malformed_one_does_not_get_there() {
    let mut some = list(&[(object("case", "a"), Touch::Opened)]);
    let forget = || recent::Command::Forget {
        key: object("case", "a").key,
    };
    let events = recent::decide(&some, forget(), START).unwrap();
    events
        .iter()
        .for_each(|event| recent::apply(&mut some, event));
    assert_eq!((names(&some).len(), some.version), (0, 2));
    assert_eq!(
        recent::decide(&some, forget(), START),
        Err(Rejection::NotRecent)
    );
    let touch = recent::Command::Touch {
        object: object("", "a"),
        touch: Touch::Opened,
    };
    assert_eq!(
        recent::decide(&some, touch, START),
        Err(Rejection::ObjectType)
    );
}

/// S0-29, S0-30: sending fills the sender's list, delivery and opening that of the recipient.
#[test]
fn every_event_of_a_sending_touches_one_list() {
    let (sending, log) = after(&[send(&["b@h", "c@h"], cases(2)), open("b@h")]);
    let touched: Vec<_> = log
        .iter()
        .map(|event| recent::touched(&sending, event))
        .collect();
    let brief = |commands: &[(AgentId, recent::Command)]| {
        let word = |(owner, command): &(AgentId, recent::Command)| match command {
            recent::Command::Touch { object, touch } => {
                format!("{} {} {}", owner.logon(), touch.name(), object.key.id)
            }
            recent::Command::Forget { .. } => "forget".to_owned(),
        };
        commands.iter().map(word).collect::<Vec<_>>()
    };
    let touched: Vec<_> = touched.iter().map(|commands| brief(commands)).collect();
    assert_eq!(
        touched,
        [
            ["a sent 1", "a sent 0"],
            ["b received 1", "b received 0"],
            ["b opened 1", "b opened 0"],
        ]
    );
}

proptest! {
    #[test]
    fn progress_never_goes_back_and_all_can_be_had_from_the_events(
        steps in vec((any::<bool>(), 0..4_usize), 0..30),
    ) {
        let people = ["b@h", "c@h", "d@h", "x@h"];
        let (mut sending, mut log) = after(&[send(&people[..3], cases(2))]);
        for (opens, who) in steps {
            let command = if opens { open(people[who]) } else { deliver(people[who]) };
            let before = sending.clone();
            for event in decide(&sending, command).unwrap_or_default() {
                transfer::apply(&mut sending, &event);
                log.push(event);
            }
            prop_assert_eq!(sending.recipients.len(), 3);
            for (id, progress) in &before.recipients {
                prop_assert!(sending.recipients[id] >= *progress);
            }
            prop_assert!(sending.recipients.values().all(|it| *it >= Progress::Sent));
        }
        let json = serde_json::to_string(&(&sending, &log)).unwrap();
        let (stored, events): (Transfer, Vec<Event>) = serde_json::from_str(&json).unwrap();
        let mut replayed = fresh();
        events.iter().for_each(|event| transfer::apply(&mut replayed, event));
        prop_assert_eq!(&replayed, &sending);
        prop_assert_eq!(&stored, &sending);
        prop_assert_eq!(replayed.version, log.len() as u64);
    }

    #[test]
    fn a_list_is_bounded_sorted_and_without_repeats(ids in vec(0..80_u32, 0..150)) {
        let touches: Vec<_> = ids.iter().map(|n| (object("case", &n.to_string()), Touch::Opened)).collect();
        let list = list(&touches);
        prop_assert!(list.entries.len() <= recent::OBJECTS_MAX);
        prop_assert!(list.entries.is_sorted_by(|a, b| a.at > b.at));
        let different: std::collections::BTreeSet<_> = list.entries.iter().map(|entry| &entry.object.key).collect();
        prop_assert_eq!(different.len(), list.entries.len());
        prop_assert_eq!(list.version, ids.len() as u64);
        let json = serde_json::to_string(&list).unwrap();
        prop_assert_eq!(serde_json::from_str::<Recent>(&json).unwrap(), list);
    }
}
