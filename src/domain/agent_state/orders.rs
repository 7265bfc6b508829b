//! Agents under any order of commands, devices and time.

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{Desk, START, engage, logout, not_ready, release};
use super::*;
use crate::domain::chat_profile::PresenceDisplay;

fn command() -> impl Strategy<Value = Command> {
    let id = prop_oneof![Just("x"), Just("y"), Just("z")];
    let code = prop_oneof![Just("lunch"), Just("away"), Just("shift"), Just("none")];
    prop_oneof![
        2 => Just(Command::Login),
        1 => code.clone().prop_map(logout),
        2 => Just(Command::Ready),
        2 => code.prop_map(not_ready),
        1 => Just(Command::FinishWrapUp),
        3 => id.clone().prop_map(engage),
        4 => id.prop_map(release),
        4 => Just(Command::Devices),
        1 => Just(Command::Revoke),
        4 => Just(Command::TimeIsUp),
    ]
}

fn devices() -> impl Strategy<Value = Devices> {
    let show = prop_oneof![
        2 => Just(None), 1 => Just(Some(Show::Chat)), 1 => Just(Some(Show::Away)), 1 => Just(Some(Show::Dnd)),
    ];
    (0..3_usize, vec(show, 0..3)).prop_map(|(sessions, mut shows)| {
        shows.truncate(sessions);
        Devices { sessions, shows }
    })
}

/// What holds of every agent at all times.
fn is_legal(agent: &Agent) -> Result<(), TestCaseError> {
    if matches!(agent.stance, Stance::LoggedOut { .. }) {
        prop_assert_eq!(&agent.occupation, &Occupation::Idle);
        prop_assert_eq!(&agent.connection, &Connection::Online);
        prop_assert!(!agent.client_busy);
        prop_assert_eq!(agent.deadline(), None);
    }
    if let Occupation::Engaged { interactions } = &agent.occupation {
        prop_assert!(!interactions.is_empty() && interactions.len() <= INTERACTIONS_MAX);
    }
    if let Stance::NotReady {
        reason: Reason::ConnectionLost,
        origin,
    } = &agent.stance
    {
        prop_assert_eq!(*origin, Origin::System);
    }
    if let Stance::NotReady {
        reason: Reason::RightTaken,
        ..
    } = &agent.stance
    {
        prop_assert_eq!(agent.state(), State::Engaged);
    }
    let online = agent.view(PresenceDisplay::Shown) == View::Online;
    prop_assert!(!online || agent.state() == State::Available);
    Ok(())
}

proptest! {
    /// S0-21, S2-6: whatever is sent in whatever order, at whatever pace.
    #[test]
    fn no_order_of_commands_makes_an_illegal_agent(
        steps in vec((command(), devices(), 0..200_i64), 0..60),
        wrap_up in prop_oneof![Just(WrapUpRule::None), Just(WrapUpRule::Open), Just(WrapUpRule::Seconds(20))],
    ) {
        let mut desk = Desk::new();
        desk.rules.wrap_up = wrap_up;
        let mut now = START;
        for (command, devices, pause) in steps {
            now = now.plus_seconds(pause);
            if command == Command::Devices {
                desk.devices = devices;
            }
            let before = desk.agent.clone();
            let taken = desk.take(command.clone(), now);
            if taken.is_err() {
                prop_assert_eq!(&desk.agent, &before);
            }
            is_legal(&desk.agent)?;
            if command == Command::TimeIsUp {
                prop_assert!(desk.agent.deadline().is_none_or(|due| due > now));
            }
            // The same again changes nothing, so that an answer that was lost can be asked for again.
            if taken.is_ok() && !matches!(command, Command::FinishWrapUp | Command::Logout { .. }) {
                prop_assert_eq!(desk.decide(command, now), Ok(vec![]));
            }
        }
        let mut replayed = Agent::new(desk.agent.id.clone());
        let json = serde_json::to_string(&desk.log).unwrap();
        for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
            apply(&mut replayed, &event);
        }
        prop_assert_eq!(&replayed, &desk.agent);
        prop_assert_eq!(replayed.version, desk.log.len() as u64);
        let json = serde_json::to_string(&replayed).unwrap();
        prop_assert_eq!(serde_json::from_str::<Agent>(&json).unwrap(), replayed);
    }
}
