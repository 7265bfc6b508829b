//! Activities under any order of what agents want, what the connector says, and time: each part has exactly one, which
//! says the same as the part.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::follow::{commands, decided};
use super::*;
use crate::clock::Timestamp;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::colleague::Colleague;
use crate::domain::ids::ActivityId;
use crate::domain::interaction::{Leg, apply};
use crate::domain::rights::{Rights, Role as AccountRole};

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const AGENTS: [&str; 3] = ["ann", "bob", "carl"];

fn verb(number: u8, with: &str) -> Verb {
    let with = id(with);
    match number {
        0 => Verb::Accept,
        1 => Verb::Reject,
        2 => Verb::Hold,
        3 => Verb::Resume,
        4 => Verb::End,
        5 => Verb::Transfer {
            to: Target::Agent(with),
        },
        6 => Verb::Transfer {
            to: Target::Queue("q".to_owned()),
        },
        7 => Verb::Consult { with },
        8 => Verb::Retrieve,
        9 => Verb::CompleteTransfer,
        10 => Verb::Leave,
        11 => Verb::Conference { with: Some(with) },
        _ => Verb::Conference { with: None },
    }
}

fn fact(number: u8, agent: &str) -> Fact {
    match number {
        0 => Fact::Connected(id(agent)),
        1 => Fact::Held,
        2 => Fact::Talking,
        3 => Fact::Left(id(agent)),
        _ => Fact::Ended,
    }
}

/// What is done; the answers to requests name the one that is open.
#[derive(Clone, Debug)]
enum Step {
    Offer(usize),
    Dial(usize),
    Want(usize, u8, usize),
    Confirm,
    Refuse,
    Report(u8, usize),
    Identify(u8),
    Finish(usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let agent = 0..AGENTS.len();
    prop_oneof![
        3 => agent.clone().prop_map(Step::Offer),
        1 => agent.clone().prop_map(Step::Dial),
        8 => (agent.clone(), 0..13_u8, agent.clone())
            .prop_map(|(by, verb, with)| Step::Want(by, verb, with)),
        6 => Just(Step::Confirm),
        1 => Just(Step::Refuse),
        4 => (0..5_u8, agent.clone()).prop_map(|(fact, agent)| Step::Report(fact, agent)),
        1 => (0..3_u8).prop_map(Step::Identify),
        1 => agent.prop_map(Step::Finish),
        2 => (0..40_i64).prop_map(Step::Wait),
    ]
}

fn command_of(step: &Step, it: &Interaction, number: usize) -> Command {
    let made = || format!("r{number}").parse::<RequestId>().unwrap();
    let open = || it.request.clone().map_or_else(made, |request| request.id);
    match step {
        Step::Offer(agent) => offer(AGENTS[*agent]),
        Step::Dial(agent) => Command::Dial {
            by: id(AGENTS[*agent]),
            request: made(),
        },
        Step::Want(by, which, with) => Command::Want {
            by: id(AGENTS[*by]),
            verb: verb(*which, AGENTS[*with]),
            request: made(),
        },
        Step::Confirm => Command::Confirm { request: open() },
        Step::Refuse => Command::Refuse {
            request: open(),
            why: "no".to_owned(),
        },
        Step::Report(which, agent) => Command::Report(fact(*which, AGENTS[*agent])),
        Step::Identify(which) => Command::Identify {
            by: None,
            customer: format!("c{which}").parse().unwrap(),
        },
        Step::Finish(agent) => Command::FinishWrapUp {
            by: id(AGENTS[*agent]),
        },
        Step::Wait(_) => Command::TimeIsUp,
    }
}

/// What comes of a command; nothing when it is refused.
fn events(it: &Interaction, command: Command, now: Timestamp) -> Vec<interaction::Event> {
    let (profile, target) = (ChatProfile::default(), target(&command).cloned());
    let desk = target.as_ref().map(|id| Desk {
        colleague: Colleague {
            id,
            role: Some(AccountRole::Agent),
            rights: Rights::of_agent(),
            profile: &profile,
        },
        state: agent_state::State::Available,
        open: 0,
    });
    let facts = Facts {
        target: desk,
        offer_seconds: 30,
    };
    interaction::decide(it, command, now, &facts).unwrap_or_default()
}

type Kept = BTreeMap<ActivityId, Activity>;

fn each_part_has_its_activity(it: &Interaction, kept: &Kept) -> Result<(), TestCaseError> {
    prop_assert_eq!(kept.len(), it.participants.len());
    for (place, part) in it.participants.iter().enumerate() {
        let activity = kept.get(&id_of(&it.id, place, part.offered_at));
        let subject = activity.and_then(|it| it.subject.as_ref());
        let (Some(activity), Some(subject)) = (activity, subject) else {
            return Err(TestCaseError::fail(format!("none of {part:?}")));
        };
        prop_assert_eq!(&subject.agent, &part.agent);
        prop_assert_eq!(subject.role, part.role);
        prop_assert_eq!(&subject.customer, &it.customer);
        prop_assert_eq!(activity.created_at, Some(part.offered_at));
        prop_assert_eq!(activity.connected_at, part.connected_at);
        prop_assert_eq!(activity.closed_at.is_none(), part.leg.is_open());
        prop_assert_eq!(activity.finished_at.is_some(), part.leg == Leg::Done);
        let in_hand = part.leg.is_open() || part.leg == Leg::WrapUp;
        prop_assert_eq!(activity.is_current(), in_hand);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    /// S2-17, S2-36: however it goes, and from nothing but what is decided.
    #[test]
    fn every_part_has_exactly_one_activity(steps in vec(step(), 0..60)) {
        let mut it = Dealing::new("call-1", Medium::Voice).it;
        let (mut kept, mut now) = (Kept::new(), START);
        for (number, step) in steps.iter().enumerate() {
            if let Step::Wait(seconds) = step {
                now = now.plus_seconds(*seconds);
            }
            let before = it.clone();
            let happened = events(&it, command_of(step, &it, number), now);
            happened.iter().for_each(|event| apply(&mut it, event));
            for (part, commands) in commands(&before, &it, &happened, "Ann") {
                let which = id_of(&it.id, part, it.participants[part].offered_at);
                let known = kept.remove(&which).unwrap_or_else(|| Activity::new(which.clone()));
                let mut after = known.clone();
                for event in decided(&known, commands) {
                    crate::domain::activity::apply(&mut after, &event);
                }
                kept.insert(which, after);
            }
            each_part_has_its_activity(&it, &kept)?;
        }
    }
}
