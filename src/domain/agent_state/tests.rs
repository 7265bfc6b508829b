//! Agents: a row for every state and command, time, devices, what colleagues see.

use super::*;
use crate::domain::chat_profile::PresenceDisplay;
use crate::domain::reason_code::{Kind, ReasonCode};

mod connection;
mod views;

pub(super) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn after(seconds: i64) -> Timestamp {
    START.plus_seconds(seconds)
}

fn reasons() -> ReasonCodes {
    let code = |kind, code: &str, default| ReasonCode {
        kind,
        code: code.to_owned(),
        labels: [
            ("en".to_owned(), "Lunch".to_owned()),
            ("de".to_owned(), "Mittag".to_owned()),
        ]
        .into(),
        default,
        active: true,
    };
    let codes = vec![
        code(Kind::NotReady, "lunch", false),
        code(Kind::NotReady, "away", true),
        code(Kind::Logout, "shift", false),
    ];
    ReasonCodes { version: 1, codes }
}

fn one_device(show: Option<Show>) -> Devices {
    Devices {
        sessions: 1,
        shows: vec![show],
    }
}

/// An agent with what surrounds it.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) agent: Agent,
    pub(super) devices: Devices,
    pub(super) reasons: ReasonCodes,
    pub(super) rules: Rules,
    pub(super) log: Vec<Event>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            agent: Agent::new("a@h".parse().unwrap()),
            devices: one_device(None),
            reasons: reasons(),
            rules: Rules {
                wrap_up: WrapUpRule::Seconds(30),
                ..Rules::default()
            },
            log: vec![],
        }
    }

    pub(super) fn decide(&self, command: Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        let (devices, reasons, rules) = (&self.devices, &self.reasons, &self.rules);
        decide(
            &self.agent,
            command,
            now,
            &Facts {
                devices,
                reasons,
                rules,
            },
        )
    }

    pub(super) fn take(&mut self, command: Command, now: Timestamp) -> Result<String, Rejection> {
        let events = self.decide(command, now)?;
        events
            .iter()
            .for_each(|event| apply(&mut self.agent, event));
        self.log.extend(events.iter().cloned());
        Ok(events.iter().map(brief).collect::<Vec<_>>().join(", "))
    }

    fn with(mut self, commands: &[Command]) -> Self {
        for command in commands {
            self.take(command.clone(), START).unwrap();
        }
        self
    }

    fn device(&mut self, devices: Devices, seconds: i64) -> String {
        self.devices = devices;
        self.take(Command::Devices, after(seconds)).unwrap()
    }

    fn time(&mut self, seconds: i64) -> String {
        self.take(Command::TimeIsUp, after(seconds)).unwrap()
    }
}

fn brief(event: &Event) -> String {
    let reason = |reason: &Reason| match reason {
        Reason::Code(code) => code.clone(),
        Reason::Client => "client".to_owned(),
        Reason::ConnectionLost => "connection".to_owned(),
        Reason::RightTaken => "right".to_owned(),
    };
    match event {
        Event::LoggedIn { .. } => "in".to_owned(),
        Event::LoggedOut { reason: why, .. } => format!("out({})", reason(why)),
        Event::BecameAvailable { origin, .. } => format!("ready by {origin:?}"),
        Event::BecameNotReady {
            reason: why,
            origin,
            ..
        } => format!("not ready({}) by {origin:?}", reason(why)),
        Event::Engaged { interaction, .. } => format!("engaged {interaction}"),
        Event::Released { interaction, .. } => format!("released {interaction}"),
        Event::BecameIdle { interaction, .. } => format!("idle {interaction}"),
        Event::WrapUpBegan { interaction, .. } => format!("wrap-up {interaction}"),
        Event::WrapUpEnded { origin, .. } => format!("wrap-up over by {origin:?}"),
        Event::ConnectionLost { .. } => "lost".to_owned(),
        Event::ConnectionTimedOut { .. } => "gone".to_owned(),
        Event::Reconnected { .. } => "back".to_owned(),
        Event::ClientChanged { busy, .. } => format!("busy {busy}"),
    }
}

pub(super) fn not_ready(code: &str) -> Command {
    Command::NotReady {
        code: code.to_owned(),
    }
}

pub(super) fn logout(code: &str) -> Command {
    Command::Logout {
        code: code.to_owned(),
    }
}

pub(super) fn engage(id: &str) -> Command {
    Command::Engage {
        interaction: id.parse().unwrap(),
    }
}

pub(super) fn release(id: &str) -> Command {
    Command::Release {
        interaction: id.parse().unwrap(),
    }
}

/// S0-9, S0-10: without the role or the right nobody stays an agent; a conversation is not cut off.
#[test]
fn whoever_may_be_an_agent_no_longer_is_logged_out() {
    let out = |desk: &mut Desk| desk.take(Command::Revoke, START).unwrap();
    assert_eq!(out(&mut Desk::new()), "");
    for before in [
        vec![Command::Login],
        vec![Command::Login, not_ready("lunch")],
        vec![Command::Login, engage("x"), release("x")],
    ] {
        let mut desk = Desk::new().with(&before);
        assert_eq!(out(&mut desk), "out(right)", "{before:?}");
        assert_eq!(out(&mut desk), "");
    }
    let mut desk = Desk::new().with(&[Command::Login, engage("x"), engage("y")]);
    assert_eq!(out(&mut desk), "not ready(right) by System");
    assert_eq!(out(&mut desk), "");
    // Sessions that go and come back give it nothing again.
    let none = Devices {
        sessions: 0,
        shows: vec![],
    };
    assert_eq!(desk.device(none, 0), "lost");
    let one = Devices {
        sessions: 1,
        shows: vec![None],
    };
    assert_eq!(desk.device(one, 1), "back");
    let mut take = |command| desk.take(command, START).unwrap();
    assert_eq!(take(release("x")), "released x");
    assert_eq!(take(release("y")), "wrap-up y, out(right)");
}

/// S2-3, S2-5, S2-6: the columns are the states logged out, available, not ready, engaged with `x`, wrap-up.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_command_in_every_state() {
    let desks = [
        Desk::new(),
        Desk::new().with(&[Command::Login]),
        Desk::new().with(&[Command::Login, not_ready("lunch")]),
        Desk::new().with(&[Command::Login, engage("x")]),
        Desk::new().with(&[Command::Login, engage("x"), release("x")]),
    ];
    let states = [
        State::LoggedOut,
        State::Available,
        State::NotReady,
        State::Engaged,
        State::WrapUp,
    ];
    let out = || Err(Rejection::LoggedOut);
    let (engaged, nothing) = (Err(Rejection::Engaged), Err(Rejection::NotInWrapUp));
    for (command, expected) in [
        (Command::Login, [Ok("in"), Ok(""), Ok(""), Ok(""), Ok("")]),
        (
            logout("shift"),
            [
                out(),
                Ok("out(shift)"),
                Ok("out(shift)"),
                engaged,
                Ok("out(shift)"),
            ],
        ),
        (
            Command::Ready,
            [
                out(),
                Ok(""),
                Ok("ready by Agent"),
                Ok(""),
                Ok("wrap-up over by Agent"),
            ],
        ),
        (
            not_ready("lunch"),
            [
                out(),
                Ok("not ready(lunch) by Agent"),
                Ok(""),
                Ok("not ready(lunch) by Agent"),
                Ok("wrap-up over by Agent, not ready(lunch) by Agent"),
            ],
        ),
        (
            not_ready("away"),
            [
                out(),
                Ok("not ready(away) by Agent"),
                Ok("not ready(away) by Agent"),
                Ok("not ready(away) by Agent"),
                Ok("wrap-up over by Agent, not ready(away) by Agent"),
            ],
        ),
        (
            Command::FinishWrapUp,
            [
                out(),
                nothing.clone(),
                nothing.clone(),
                nothing,
                Ok("wrap-up over by Agent"),
            ],
        ),
        (
            engage("y"),
            [
                out(),
                Ok("engaged y"),
                Ok("engaged y"),
                Ok("engaged y"),
                Ok("engaged y"),
            ],
        ),
        (
            engage("x"),
            [
                out(),
                Ok("engaged x"),
                Ok("engaged x"),
                Ok(""),
                Ok("engaged x"),
            ],
        ),
        (
            release("x"),
            [Ok(""), Ok(""), Ok(""), Ok("wrap-up x"), Ok("")],
        ),
        (release("y"), [Ok(""), Ok(""), Ok(""), Ok(""), Ok("")]),
        (Command::Devices, [Ok(""), Ok(""), Ok(""), Ok(""), Ok("")]),
        (Command::TimeIsUp, [Ok(""), Ok(""), Ok(""), Ok(""), Ok("")]),
    ] {
        for ((desk, state), expected) in desks.iter().zip(states).zip(expected) {
            assert_eq!(desk.agent.state(), state);
            let taken = desk.clone().take(command.clone(), START);
            assert_eq!(
                taken,
                expected.map(str::to_owned),
                "{} {command:?}",
                state.name()
            );
        }
    }
}

/// S2-5, S2-7: the lists of the administrator decide, and an empty one is named as the cause.
#[test]
fn reasons_come_from_the_administrators_lists() {
    let mut desk = Desk::new().with(&[Command::Login]);
    let unknown = reason_code::Rejection::Unknown { kind: Kind::Logout };
    assert_eq!(desk.decide(logout("lunch"), START), Err(unknown.into()));
    desk.reasons = ReasonCodes::default();
    for (command, kind) in [
        (logout("shift"), Kind::Logout),
        (not_ready("lunch"), Kind::NotReady),
    ] {
        let rejection = desk.decide(command, START).unwrap_err();
        assert_eq!(
            rejection,
            reason_code::Rejection::NotConfigured { kind }.into()
        );
        assert_eq!(rejection.code(), "reason-codes-not-configured");
        assert!(rejection.text().contains("configured"), "{rejection}");
    }
}

#[test]
fn what_is_said_while_engaged_holds_afterwards() {
    let mut desk =
        Desk::new().with(&[Command::Login, engage("x"), engage("y"), not_ready("lunch")]);
    assert_eq!(
        (desk.agent.state(), desk.agent.reason()),
        (State::Engaged, None)
    );
    assert_eq!(
        desk.take(release("x"), after(1)),
        Ok("released x".to_owned())
    );
    assert_eq!(
        desk.take(release("y"), after(2)),
        Ok("wrap-up y".to_owned())
    );
    assert_eq!(desk.agent.deadline(), Some(after(32)));
    assert_eq!(desk.time(31), "");
    assert_eq!(desk.time(32), "wrap-up over by System");
    assert_eq!(desk.agent.state(), State::NotReady);
    assert_eq!(desk.agent.reason(), Some(&Reason::Code("lunch".to_owned())));
}

#[test]
fn a_wrap_up_lasts_as_the_administrator_says() {
    for (wrap_up, event, state, deadline) in [
        (WrapUpRule::None, "idle x", State::Available, None),
        (WrapUpRule::Open, "wrap-up x", State::WrapUp, None),
        (
            WrapUpRule::Seconds(5),
            "wrap-up x",
            State::WrapUp,
            Some(after(5)),
        ),
    ] {
        let mut desk = Desk::new();
        desk.rules.wrap_up = wrap_up;
        let mut desk = desk.with(&[Command::Login, engage("x")]);
        assert_eq!(desk.take(release("x"), START), Ok(event.to_owned()));
        assert_eq!(
            (desk.agent.state(), desk.agent.deadline()),
            (state, deadline)
        );
    }
}

/// S0-21: a plain client makes an available agent not ready, and takes back only what it has made.
#[test]
fn a_plain_clients_presence_is_followed_where_it_changes() {
    let mut desk = Desk::new().with(&[Command::Login]);
    for show in [Show::Away, Show::Xa, Show::Dnd] {
        assert_eq!(
            desk.device(one_device(Some(show)), 1),
            "busy true, not ready(away) by Client"
        );
        assert_eq!(desk.device(one_device(Some(Show::Dnd)), 1), "");
        assert_eq!(
            desk.device(one_device(Some(Show::Chat)), 2),
            "busy false, ready by Client"
        );
    }
    // The agent has said so: the client cannot take it back.
    desk.take(not_ready("lunch"), START).unwrap();
    assert_eq!(desk.device(one_device(Some(Show::Away)), 3), "busy true");
    assert_eq!(desk.device(one_device(None), 4), "busy false");
    // The agent has contradicted its client, which repeats itself.
    desk.device(one_device(Some(Show::Dnd)), 5);
    desk.take(Command::Ready, START).unwrap();
    assert_eq!(desk.device(one_device(Some(Show::Dnd)), 6), "");
    assert_eq!(desk.agent.state(), State::Available);
    assert_eq!(desk.agent.view(PresenceDisplay::Shown), View::Busy);
    // While engaged it holds for afterwards.
    let mut desk = Desk::new().with(&[Command::Login, engage("x")]);
    assert_eq!(
        desk.device(one_device(Some(Show::Dnd)), 1),
        "busy true, not ready(away) by Client"
    );
    assert_eq!(desk.agent.state(), State::Engaged);
}

#[test]
fn without_a_default_reason_the_client_is_the_reason() {
    let mut desk = Desk::new();
    desk.reasons = ReasonCodes::default();
    desk.devices = one_device(Some(Show::Dnd));
    assert_eq!(
        desk.take(Command::Login, START),
        Ok("in, busy true, not ready(client) by Client".to_owned())
    );
}

#[test]
fn of_several_devices_one_that_is_not_to_be_disturbed_or_all_that_are_away_make_busy() {
    use Show::{Away, Chat, Dnd, Xa};
    for (sessions, shows, busy) in [
        (0, vec![], None),
        (2, vec![], None),
        (0, vec![Some(Dnd)], None),
        (1, vec![None], Some(false)),
        (2, vec![None, Some(Away)], Some(false)),
        (2, vec![Some(Chat), Some(Xa)], Some(false)),
        (2, vec![Some(Xa), Some(Away)], Some(true)),
        (2, vec![None, Some(Dnd)], Some(true)),
        (2, vec![Some(Away)], Some(true)),
    ] {
        let devices = Devices { sessions, shows };
        assert_eq!(devices.busy(), busy, "{devices:?}");
    }
}

#[test]
fn states_have_their_time() {
    let mut desk = Desk::new();
    assert_eq!(desk.agent.seconds_in_state(after(5)), None);
    desk.take(Command::Login, START).unwrap();
    assert_eq!(desk.agent.seconds_in_state(after(5)), Some(5));
    desk.take(engage("x"), after(10)).unwrap();
    desk.take(engage("y"), after(20)).unwrap();
    desk.take(not_ready("lunch"), after(30)).unwrap();
    assert_eq!(desk.agent.seconds_in_state(after(40)), Some(30));
    assert_eq!(desk.agent.seconds_in_state(START), Some(0));
    let mut other = Desk::new().with(&[Command::Login, not_ready("lunch")]);
    other.take(not_ready("away"), after(60)).unwrap();
    assert_eq!(other.agent.seconds_in_state(after(61)), Some(1));
}

#[test]
fn interactions_of_one_agent_have_a_bound() {
    let mut desk = Desk::new().with(&[Command::Login]);
    for n in 0..INTERACTIONS_MAX {
        desk.take(engage(&n.to_string()), START).unwrap();
    }
    assert_eq!(desk.take(engage("0"), START), Ok(String::new()));
    assert_eq!(
        desk.take(engage("more"), START),
        Err(Rejection::TooManyInteractions)
    );
}

/// S0-21: a snapshot of an earlier version, which knew neither occupations nor connections.
#[test]
fn fields_that_came_later_have_their_defaults() {
    let json = r#"{"id":"a@h","version":3,"stance":{"stance":"available"}}"#;
    let agent: Agent = serde_json::from_str(json).unwrap();
    assert_eq!((agent.state(), agent.version), (State::Available, 3));
}
