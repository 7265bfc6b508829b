//! IM sessions: a row for every phase, command and who gives it; limits, time, transcripts.

use super::*;
use crate::domain::chat_profile::{ChatProfile, InstantMessaging};
use crate::domain::rights::{AccountGrants, Grant, Right, Rights, Role, RoleGrants, effective};

mod transcript;

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn id(text: &str) -> AgentId {
    text.parse().unwrap()
}

fn text(body: &str) -> Text {
    Text {
        body: body.to_owned(),
        message: None,
    }
}

/// Two colleagues, `a` who invites and `b` who is invited, with what is known of them.
struct Two {
    a: AgentId,
    b: AgentId,
    profiles: [ChatProfile; 2],
    roles: [Option<Role>; 2],
    channels: [usize; 2],
    pending_incoming: usize,
}

fn two() -> Two {
    Two {
        a: id("a@h"),
        b: id("b@h"),
        profiles: [ChatProfile::default(), ChatProfile::default()],
        roles: [Some(Role::Agent); 2],
        channels: [0, 0],
        pending_incoming: 0,
    }
}

impl Two {
    fn decide(
        &self,
        session: &ImSession,
        command: Command,
        now: Timestamp,
    ) -> Result<Vec<Event>, Rejection> {
        let [a, b] = &self.profiles;
        let facts = Facts {
            inviter: Party {
                colleague: Colleague {
                    id: &self.a,
                    role: self.roles[0],
                    rights: Rights::of_agent(),
                    profile: a,
                },
                channels: self.channels[0],
                pending_incoming: 0,
            },
            invitee: Party {
                colleague: Colleague {
                    id: &self.b,
                    role: self.roles[1],
                    rights: Rights::of_agent(),
                    profile: b,
                },
                channels: self.channels[1],
                pending_incoming: self.pending_incoming,
            },
        };
        decide(session, command, now, &facts)
    }
}

fn invite(by: &str) -> Command {
    Command::Invite {
        by: id(by),
        text: text("hello"),
        about: None,
    }
}

fn say(by: &str) -> Command {
    Command::Say {
        by: id(by),
        text: text("hi"),
    }
}

fn fresh() -> ImSession {
    ImSession::new("s".parse().unwrap(), id("a@h"), id("b@h"))
}

fn after(commands: &[Command]) -> (ImSession, Vec<Event>) {
    let (mut session, mut log) = (fresh(), vec![]);
    for command in commands {
        for event in two().decide(&session, command.clone(), START).unwrap() {
            apply(&mut session, &event);
            log.push(event);
        }
    }
    (session, log)
}

fn brief(events: &[Event]) -> String {
    let cause = |cause: &Cause| match cause {
        Cause::Asked => "",
        Cause::Implied => " implied",
        Cause::AccountRemoved => " removed",
    };
    let word = |event: &Event| match event {
        Event::Invited { .. } => "invited".to_owned(),
        Event::TimedOut { .. } => "timed out".to_owned(),
        Event::Accepted { cause: it, .. } => format!("accepted{}", cause(it)),
        Event::Rejected { cause: it, .. } => format!("rejected{}", cause(it)),
        Event::Cancelled { cause: it, .. } => format!("cancelled{}", cause(it)),
        Event::Said { by, .. } => format!("said {}", by.logon()),
        Event::Shared { by, .. } => format!("shared {}", by.logon()),
        Event::Ended { by, cause: it, .. } => format!("ended {}{}", by.logon(), cause(it)),
        Event::Done { by, .. } => format!("done {}", by.logon()),
    };
    events.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// S1-8, S1-9, S1-18, S1-19, S1-22, S1-23, S1-29, S1-30, S1-32: the columns are the phases not connected, pending,
/// pending after the time-out, connected, rejected, cancelled, ended.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_command_of_either_in_every_phase() {
    let pending = [invite("a@h")];
    let with = |command: Command| after(&[invite("a@h"), command]).0;
    let mut timed_out = after(&pending).0;
    apply(&mut timed_out, &Event::TimedOut { at: START });
    let sessions = [
        fresh(),
        after(&pending).0,
        timed_out,
        with(Command::Accept { by: id("b@h") }),
        with(Command::Reject { by: id("b@h") }),
        with(Command::Cancel { by: id("a@h") }),
        after(&[invite("a@h"), say("b@h"), Command::End { by: id("b@h") }]).0,
    ];
    let accept = |by| Command::Accept { by: id(by) };
    let reject = |by| Command::Reject { by: id(by) };
    let cancel = |by| Command::Cancel { by: id(by) };
    let end = |by| Command::End { by: id(by) };
    let done = |by| Command::Done { by: id(by) };
    let share = |by| Command::Share {
        by: id(by),
        context: "c".parse().unwrap(),
    };
    let removed = |account| Command::AccountRemoved {
        account: id(account),
    };
    let (unknown, exists) = (Err(Rejection::NotInvited), Err(Rejection::AlreadyInvited));
    let (answer, wait) = (Err(Rejection::NotAnswered), Err(Rejection::AnswerAwaited));
    let (invitee, inviter) = (Err(Rejection::NotInvitee), Err(Rejection::NotInviter));
    let connected = || Err(Rejection::Connected);
    let (re, ca, en) = (
        Err(Rejection::Rejected),
        Err(Rejection::Cancelled),
        Err(Rejection::Ended),
    );
    let all = |it: Result<&'static str, Rejection>| -> [Result<&'static str, Rejection>; 7] {
        std::array::from_fn(|_| it.clone())
    };
    let u = || unknown.clone();
    let over = || [re.clone(), ca.clone(), en.clone()];
    let row = |head: [Result<&'static str, Rejection>; 4],
               tail: [Result<&'static str, Rejection>; 3]| {
        let cells: Vec<_> = head.into_iter().chain(tail).collect();
        <[_; 7]>::try_from(cells).unwrap()
    };
    for (command, expected) in [
        (
            invite("a@h"),
            row(
                [
                    Ok("invited"),
                    exists.clone(),
                    exists.clone(),
                    exists.clone(),
                ],
                [exists.clone(), exists.clone(), exists],
            ),
        ),
        (invite("b@h"), all(inviter.clone())),
        (
            accept("b@h"),
            row([u(), Ok("accepted"), Ok("accepted"), Ok("")], over()),
        ),
        (accept("a@h"), all(invitee.clone())),
        (
            reject("b@h"),
            row(
                [u(), Ok("rejected"), Ok("rejected"), connected()],
                [Ok(""), ca.clone(), en.clone()],
            ),
        ),
        (reject("a@h"), all(invitee)),
        (
            cancel("a@h"),
            row(
                [u(), Ok("cancelled"), Ok("cancelled"), connected()],
                [re.clone(), Ok(""), en.clone()],
            ),
        ),
        (cancel("b@h"), all(inviter)),
        (
            say("a@h"),
            row([u(), Ok("said a"), Ok("said a"), Ok("said a")], over()),
        ),
        (
            say("b@h"),
            row(
                [
                    u(),
                    Ok("accepted implied, said b"),
                    Ok("accepted implied, said b"),
                    Ok("said b"),
                ],
                over(),
            ),
        ),
        (
            share("a@h"),
            row([u(), wait.clone(), wait, Ok("shared a")], over()),
        ),
        (
            share("b@h"),
            row(
                [u(), answer.clone(), answer.clone(), Ok("shared b")],
                over(),
            ),
        ),
        (
            end("a@h"),
            row(
                [u(), Ok("cancelled"), Ok("cancelled"), Ok("ended a")],
                [re.clone(), Ok(""), Ok("")],
            ),
        ),
        (
            end("b@h"),
            row(
                [u(), answer.clone(), answer.clone(), Ok("ended b")],
                [re.clone(), ca.clone(), Ok("")],
            ),
        ),
        (
            done("a@h"),
            row(
                [
                    Ok(""),
                    Ok("cancelled implied, done a"),
                    Ok("cancelled implied, done a"),
                    Ok("ended a implied, done a"),
                ],
                [Ok("done a"), Ok("done a"), Ok("done a")],
            ),
        ),
        (
            done("b@h"),
            row(
                [
                    Ok(""),
                    answer.clone(),
                    answer,
                    Ok("ended b implied, done b"),
                ],
                [Ok("done b"), Ok("done b"), Ok("done b")],
            ),
        ),
        (
            removed("a@h"),
            row(
                [
                    Ok(""),
                    Ok("cancelled removed, done a"),
                    Ok("cancelled removed, done a"),
                    Ok("ended a removed, done a"),
                ],
                [Ok("done a"), Ok("done a"), Ok("done a")],
            ),
        ),
        (
            removed("b@h"),
            row(
                [
                    Ok(""),
                    Ok("rejected removed, done b"),
                    Ok("rejected removed, done b"),
                    Ok("ended b removed, done b"),
                ],
                [Ok("done b"), Ok("done b"), Ok("done b")],
            ),
        ),
        (removed("c@h"), all(Ok(""))),
        (Command::TimeIsUp, all(Ok(""))),
    ] {
        for (session, expected) in sessions.iter().zip(expected) {
            let decided = two()
                .decide(session, command.clone(), START)
                .map(|events| brief(&events));
            assert_eq!(
                decided,
                expected.map(str::to_owned),
                "{:?} {command:?}",
                session.phase
            );
        }
    }
    let stranger = Err(Rejection::NotParticipant);
    for command in [
        invite("c@h"),
        say("c@h"),
        share("c@h"),
        end("c@h"),
        done("c@h"),
    ] {
        assert!(
            sessions
                .iter()
                .all(|it| two().decide(it, command.clone(), START) == stranger)
        );
    }
}

/// S1-9, S1-23: timed out for the one, pending for the other, and late is not too late.
#[test]
fn an_invitation_that_timed_out_for_the_inviter_is_pending_for_the_invitee() {
    let mut session = after(&[invite("a@h")]).0;
    let due = START.plus_seconds(30);
    assert_eq!(session.deadline(), Some(due));
    let early = two().decide(&session, Command::TimeIsUp, START.plus_seconds(29));
    assert_eq!(early, Ok(vec![]));
    let events = two().decide(&session, Command::TimeIsUp, due).unwrap();
    assert_eq!(events, [Event::TimedOut { at: due }]);
    events.iter().for_each(|event| apply(&mut session, event));
    assert_eq!(session.deadline(), None);
    assert_eq!(session.status(&id("a@h")), Status::TimedOut);
    assert_eq!(session.status(&id("b@h")), Status::Pending);
    assert!(session.is_listed_for(&id("b@h")) && session.counts_for(&id("a@h")));
    let late = two().decide(
        &session,
        Command::Accept { by: id("b@h") },
        due.plus_seconds(86_400),
    );
    assert_eq!(late.map(|events| brief(&events)), Ok("accepted".to_owned()));
}

/// S0-6, S0-12, S0-26, S1-4, S1-31.
#[test]
fn an_invitation_needs_prerequisites_a_message_and_a_channel_of_both() {
    let of = |change: &dyn Fn(&mut Two)| {
        let mut two = two();
        change(&mut two);
        two.decide(&fresh(), invite("a@h"), START).err()
    };
    for (decided, expected) in [
        (of(&|_| {}), None),
        (of(&|it| it.channels = [4, 4]), None),
        (
            of(&|it| it.channels = [5, 0]),
            Some(Rejection::ChannelsFull { max: 5 }),
        ),
        (of(&|it| it.channels = [0, 5]), Some(Rejection::InviteeBusy)),
        (of(&|it| it.pending_incoming = 49), None),
        (
            of(&|it| it.pending_incoming = 50),
            Some(Rejection::InviteeBusy),
        ),
        (of(&|it| it.profiles[0].im_channels_max = 1), None),
        (
            of(&|it| it.roles[1] = Some(Role::Member)),
            Some(Prerequisite::NoAgent.into()),
        ),
        (
            of(&|it| it.profiles[1].instant_messaging = InstantMessaging::Disabled),
            Some(Prerequisite::ImDisabledForThem.into()),
        ),
        (
            of(&|it| it.b = id("b@other")),
            Some(Prerequisite::OtherHost.into()),
        ),
    ] {
        assert_eq!(decided, expected);
    }
    let rejection = Rejection::ChannelsFull { max: 5 };
    assert!(rejection.text().contains("5 IM channels"), "{rejection}");
    for (body, expected) in [
        (" \n".to_owned(), Some(Rejection::Empty)),
        ("x".repeat(BODY_BYTES_MAX), None),
        ("x".repeat(BODY_BYTES_MAX + 1), Some(Rejection::TooLong)),
    ] {
        let command = Command::Invite {
            by: id("a@h"),
            text: text(&body),
            about: None,
        };
        assert_eq!(two().decide(&fresh(), command, START).err(), expected);
    }
}

/// S0-26: a channel of the invitee is taken when it accepts, and must be free then.
#[test]
fn an_invitation_is_accepted_into_a_free_channel_and_stays_pending_otherwise() {
    let pending = after(&[invite("a@h")]).0;
    let full = Two {
        channels: [1, 5],
        ..two()
    };
    for command in [Command::Accept { by: id("b@h") }, say("b@h")] {
        let rejection = Err(Rejection::ChannelsFull { max: 5 });
        assert_eq!(full.decide(&pending, command, START), rejection);
    }
    // The inviter's own channels were counted when it invited.
    let other = Two {
        channels: [5, 0],
        ..two()
    };
    assert!(
        other
            .decide(&pending, Command::Accept { by: id("b@h") }, START)
            .is_ok()
    );
}

/// S0-26: which sessions are open channels of whom.
#[test]
fn pending_outgoing_and_connected_sessions_count() {
    let accepted = [invite("a@h"), Command::Accept { by: id("b@h") }];
    let rejected = [invite("a@h"), Command::Reject { by: id("b@h") }];
    let ended = [accepted.to_vec(), vec![Command::End { by: id("a@h") }]].concat();
    for (commands, a, b) in [
        (&[][..], false, false),
        (&accepted[..1], true, false),
        (&accepted, true, true),
        (&rejected, false, false),
        (&ended, false, false),
    ] {
        let session = after(commands).0;
        let counts = [id("a@h"), id("b@h"), id("c@h")].map(|agent| session.counts_for(&agent));
        assert_eq!(counts, [a, b, false], "{commands:?}");
    }
}

/// S1-19, S1-24: each side closes its own window, and both can read afterwards.
#[test]
fn done_is_for_oneself_and_leaves_the_transcript() {
    let (mut session, mut log) = after(&[
        invite("a@h"),
        say("b@h"),
        say("a@h"),
        Command::End { by: id("b@h") },
    ]);
    let events = two()
        .decide(&session, Command::Done { by: id("a@h") }, START)
        .unwrap();
    events.iter().for_each(|event| apply(&mut session, event));
    log.extend(events);
    assert!(!session.is_listed_for(&id("a@h")) && session.is_listed_for(&id("b@h")));
    assert_eq!(
        two().decide(&session, Command::Done { by: id("a@h") }, START),
        Ok(vec![])
    );
    let read: Vec<_> = transcript(&session, &log)
        .map(|it| {
            format!(
                "{} {} {}",
                it.sender.logon(),
                it.kind.name(),
                it.at == START
            )
        })
        .collect();
    let expected = [
        "a message true",
        "b accepted true",
        "b message true",
        "a message true",
        "b ended true",
    ];
    assert_eq!(read, expected);
}

#[test]
fn fields_that_came_later_have_their_defaults() {
    let json = r#"{"id":"s","version":1,"inviter":"a@h","invitee":"b@h","phase":{"phase":"not-connected"}}"#;
    let session: ImSession = serde_json::from_str(json).unwrap();
    assert_eq!(
        session,
        ImSession {
            version: 1,
            ..fresh()
        }
    );
}
