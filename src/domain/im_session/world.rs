//! A small world of agents who invite, answer, talk and leave in any order: limits hold under every
//! interleaving, and what is stored can be had again from the events (S0-26, S1-9, S1-23).

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::rights::{Rights, Role};

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const AGENTS: [&str; 4] = ["a@h", "b@h", "c@h", "d@h"];
const CHANNELS_MAX: u16 = 2;

/// One thing that someone tries.
#[derive(Clone, Debug)]
struct Step {
    verb: Verb,
    by: usize,
    other: usize,
    session: usize,
    pause: i64,
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Open,
    Accept,
    Reject,
    Cancel,
    Say,
    Share,
    End,
    Done,
    Remove,
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    let verb = prop_oneof![
        6 => Just(Verb::Open), 4 => Just(Verb::Accept), 1 => Just(Verb::Reject), 1 => Just(Verb::Cancel),
        3 => Just(Verb::Say), 1 => Just(Verb::Share), 1 => Just(Verb::End), 1 => Just(Verb::Done),
        1 => Just(Verb::Remove), 2 => Just(Verb::Tick),
    ];
    let agent = 0..AGENTS.len();
    (verb, agent.clone(), agent, 0..64_usize, 0..20_i64).prop_map(
        |(verb, by, other, session, pause)| Step {
            verb,
            by,
            other,
            session,
            pause,
        },
    )
}

struct World {
    agents: Vec<AgentId>,
    /// Whose account is there.
    present: Vec<bool>,
    profile: ChatProfile,
    sessions: Vec<(ImSession, Vec<Event>)>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        Self {
            agents: AGENTS.iter().map(|name| name.parse().unwrap()).collect(),
            present: vec![true; AGENTS.len()],
            profile: ChatProfile {
                im_channels_max: CHANNELS_MAX,
                ..ChatProfile::default()
            },
            sessions: vec![],
            now: START,
        }
    }

    fn channels(&self, agent: &AgentId) -> usize {
        self.sessions
            .iter()
            .filter(|(session, _)| session.counts_for(agent))
            .count()
    }

    fn party<'a>(&'a self, id: &'a AgentId) -> Party<'a> {
        let there = self
            .agents
            .iter()
            .zip(&self.present)
            .any(|(agent, there)| agent == id && *there);
        let waits = |session: &ImSession| {
            matches!(session.phase, Phase::Pending { .. }) && session.invitee == *id
        };
        Party {
            colleague: Colleague {
                id,
                role: there.then_some(Role::Agent),
                rights: Rights::of_agent(),
                profile: &self.profile,
            },
            channels: self.channels(id),
            pending_incoming: self
                .sessions
                .iter()
                .filter(|(session, _)| waits(session))
                .count(),
        }
    }

    fn decide(&self, session: &ImSession, command: Command) -> Result<Vec<Event>, Rejection> {
        let facts = Facts {
            inviter: self.party(&session.inviter),
            invitee: self.party(&session.invitee),
        };
        decide(session, command, self.now, &facts)
    }

    fn give(&mut self, index: usize, command: Command) {
        let (session, _) = &self.sessions[index];
        let Ok(events) = self.decide(session, command) else {
            return;
        };
        let (session, log) = &mut self.sessions[index];
        events.iter().for_each(|event| apply(session, event));
        log.extend(events);
    }

    fn take(&mut self, step: &Step) {
        self.now = self.now.plus_seconds(step.pause);
        let by = self.agents[step.by].clone();
        let text = Text {
            body: "text".to_owned(),
            message: None,
        };
        match step.verb {
            Verb::Open => return self.open(step, text),
            Verb::Remove => return self.remove(step.by),
            Verb::Tick => return self.tick(),
            _ if self.sessions.is_empty() || !self.present[step.by] => return,
            _ => {}
        }
        let command = match step.verb {
            Verb::Accept => Command::Accept { by },
            Verb::Reject => Command::Reject { by },
            Verb::Cancel => Command::Cancel { by },
            Verb::Say => Command::Say { by, text },
            Verb::Share => Command::Share {
                by,
                context: "c".parse().unwrap(),
            },
            Verb::End => Command::End { by },
            _ => Command::Done { by },
        };
        self.give(step.session % self.sessions.len(), command);
    }

    fn open(&mut self, step: &Step, text: Text) {
        let (by, other) = (
            self.agents[step.by].clone(),
            self.agents[step.other].clone(),
        );
        let id = format!("s{}", self.sessions.len()).parse().unwrap();
        let mut session = ImSession::new(id, by.clone(), other);
        let command = Command::Invite {
            by,
            text,
            about: None,
        };
        if let Ok(events) = self.decide(&session, command) {
            events.iter().for_each(|event| apply(&mut session, event));
            self.sessions.push((session, events));
        }
    }

    fn remove(&mut self, index: usize) {
        self.present[index] = false;
        let account = self.agents[index].clone();
        for session in 0..self.sessions.len() {
            self.give(
                session,
                Command::AccountRemoved {
                    account: account.clone(),
                },
            );
        }
    }

    fn tick(&mut self) {
        for index in 0..self.sessions.len() {
            self.give(index, Command::TimeIsUp);
        }
    }

    fn is_legal(&self) -> Result<(), TestCaseError> {
        for (agent, present) in self.agents.iter().zip(&self.present) {
            let max = usize::from(CHANNELS_MAX);
            prop_assert!(
                self.channels(agent) <= if *present { max } else { 0 },
                "{} {}",
                agent,
                self.channels(agent)
            );
        }
        for (session, log) in &self.sessions {
            prop_assert!(session.inviter != session.invitee);
            let open = matches!(
                session.phase,
                Phase::Pending { .. } | Phase::Connected { .. }
            );
            prop_assert!(!open || !(session.inviter_done || session.invitee_done));
            prop_assert_eq!(session.version, log.len() as u64);
            prop_assert!(is_a_walk(log), "{:?}", log);
        }
        Ok(())
    }
}

/// Whether the events follow the arrows: invited; perhaps timed out; accepted, rejected or cancelled; ended.
fn is_a_walk(log: &[Event]) -> bool {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    log.iter().enumerate().all(|(index, event)| {
        let is = |word: &str| seen.contains_key(word);
        let answered = is("accepted") || is("rejected") || is("cancelled");
        let (word, good) = match event {
            Event::Invited { .. } => ("invited", index == 0),
            Event::TimedOut { .. } => ("timed out", is("invited") && !answered && !is("timed out")),
            Event::Accepted { .. } => ("accepted", is("invited") && !answered),
            Event::Rejected { .. } => ("rejected", is("invited") && !answered),
            Event::Cancelled { .. } => ("cancelled", is("invited") && !answered),
            Event::Said { .. } => (
                "said",
                is("invited") && !is("rejected") && !is("cancelled") && !is("ended"),
            ),
            Event::Shared { .. } => ("shared", is("accepted") && !is("ended")),
            Event::Ended { .. } => ("ended", is("accepted") && !is("ended")),
            Event::Done { .. } => ("done", is("rejected") || is("cancelled") || is("ended")),
        };
        *seen.entry(word).or_default() += 1;
        good && (word != "done" || seen["done"] <= 2)
    })
}

proptest! {
    #[test]
    fn limits_hold_and_sessions_follow_the_arrows_whoever_does_what(steps in vec(step(), 0..120)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            world.is_legal()?;
            if matches!(step.verb, Verb::Tick) {
                let future = |(session, _): &(ImSession, _)| session.deadline().is_none_or(|due| due > world.now);
                prop_assert!(world.sessions.iter().all(future));
            }
        }
        for (session, log) in &world.sessions {
            let json = serde_json::to_string(log).unwrap();
            let mut replayed = ImSession::new(session.id.clone(), session.inviter.clone(), session.invitee.clone());
            for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
                apply(&mut replayed, &event);
            }
            prop_assert_eq!(&replayed, session);
            let json = serde_json::to_string(session).unwrap();
            prop_assert_eq!(&serde_json::from_str::<ImSession>(&json).unwrap(), session);
        }
    }
}
