//! Interactions under any order of what agents want, what the connector says, and time.

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{Desks, START, fresh, id, offer};
use super::*;

const AGENTS: [&str; 3] = ["ann", "bob", "carl"];

#[derive(Clone, Debug)]
enum Step {
    Offer(usize),
    Dial(usize),
    Want(usize, u8, usize),
    Confirm,
    Refuse,
    Report(u8, usize),
    Invite(usize),
    AnswerInvite(usize),
    AskAgain,
    PutOff(i64),
    FinishWrapUp(usize),
    Time(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let agent = 0..AGENTS.len();
    prop_oneof![
        3 => agent.clone().prop_map(Step::Offer),
        1 => agent.clone().prop_map(Step::Dial),
        8 => (agent.clone(), 0..12_u8, agent.clone()).prop_map(|(by, verb, with)| Step::Want(by, verb, with)),
        6 => Just(Step::Confirm),
        1 => Just(Step::Refuse),
        4 => (0..7_u8, agent.clone()).prop_map(|(fact, agent)| Step::Report(fact, agent)),
        1 => agent.clone().prop_map(Step::Invite),
        1 => agent.clone().prop_map(Step::AnswerInvite),
        1 => Just(Step::AskAgain),
        1 => (0..120_i64).prop_map(Step::PutOff),
        1 => agent.prop_map(Step::FinishWrapUp),
        2 => (0..30_i64).prop_map(Step::Time),
    ]
}

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
        10 => Verb::Conference { with: Some(with) },
        _ => Verb::Conference { with: None },
    }
}

fn fact(number: u8, agent: &str) -> Fact {
    match number {
        0 => Fact::Connected(id(agent)),
        1 => Fact::Held,
        2 => Fact::Talking,
        3 => Fact::Left(id(agent)),
        4 => Fact::Interrupted {
            until: START.plus_seconds(60),
        },
        5 => Fact::Restored,
        _ => Fact::Ended,
    }
}

fn is_legal(it: &Interaction) -> Result<(), TestCaseError> {
    let open = |role: Role| {
        let parts = it.participants.iter();
        parts
            .filter(|part| part.role == role && part.leg.is_open())
            .count()
    };
    prop_assert!(open(Role::Primary) <= 1, "{it:?}");
    prop_assert!(open(Role::Consulted) <= 1, "{it:?}");
    if open(Role::Consulted) + open(Role::Conferenced) > 0 && open(Role::Primary) == 0 {
        // Only who is offered a place in a conference can be left alone, and only until its time is up.
        let parts = it.participants.iter().filter(|part| part.leg.is_open());
        prop_assert!(
            parts.clone().all(|part| part.leg != Leg::Connected),
            "{it:?}"
        );
    }
    if matches!(it.line, Line::Connected | Line::Held) {
        let mut parts = it.participants.iter();
        let with = |role: Role| matches!(role, Role::Primary | Role::Conferenced);
        prop_assert!(
            parts.any(|part| with(part.role) && part.leg == Leg::Connected),
            "{it:?}"
        );
    }
    for name in AGENTS {
        let parts = it.participants.iter().filter(|part| part.agent == id(name));
        prop_assert!(
            parts.filter(|part| part.leg.is_open()).count() <= 1,
            "{it:?}"
        );
    }
    if it.is_over() {
        prop_assert!(it.request.is_none(), "{it:?}");
        prop_assert!(
            it.participants.iter().all(|part| !part.leg.is_open()),
            "{it:?}"
        );
        prop_assert_eq!(it.deadline(), None);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// No order reaches an illegal state, a refusal changes nothing, and the events give the interaction again.
    #[test]
    fn no_order_breaks_an_interaction(voice in any::<bool>(), steps in vec(step(), 0..60)) {
        let medium = if voice { Medium::Voice } else { Medium::Chat };
        let mut desks = Desks::new(medium);
        for step in steps {
            let before = desks.it.clone();
            let command = match step {
                Step::Offer(agent) => offer(AGENTS[agent]),
                Step::Dial(agent) => Command::Dial { by: id(AGENTS[agent]), request: desks.next_request() },
                Step::Want(by, number, with) => Command::Want {
                    by: id(AGENTS[by]),
                    verb: verb(number, AGENTS[with]),
                    request: desks.next_request(),
                },
                Step::Confirm | Step::Refuse => {
                    let pending = desks.it.request.clone().map(|it| it.id);
                    let request = pending.unwrap_or_else(|| desks.next_request());
                    match step {
                        Step::Confirm => Command::Confirm { request },
                        _ => Command::Refuse { request, why: "no".to_owned() },
                    }
                }
                Step::Report(number, agent) => Command::Report(fact(number, AGENTS[agent])),
                Step::Invite(agent) => Command::Invite {
                    agent: id(AGENTS[agent]),
                    uri: "tel:+1".to_owned(),
                },
                Step::AnswerInvite(agent) => Command::AnswerInvite { by: id(AGENTS[agent]) },
                Step::AskAgain => Command::AskAgain,
                Step::PutOff(seconds) => Command::PutOff { until: START.plus_seconds(seconds) },
                Step::FinishWrapUp(agent) => Command::FinishWrapUp { by: id(AGENTS[agent]) },
                Step::Time(seconds) => {
                    desks.now = desks.now.plus_seconds(seconds);
                    Command::TimeIsUp
                }
            };
            let due = command == Command::TimeIsUp;
            if desks.take(command).is_err() {
                prop_assert_eq!(&desks.it, &before);
            }
            is_legal(&desks.it)?;
            if due {
                prop_assert!(desks.it.deadline().is_none_or(|due| due > desks.now));
            }
        }
        let json = serde_json::to_string(&desks.log).unwrap();
        let mut replayed = fresh(medium);
        for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
            apply(&mut replayed, &event);
        }
        prop_assert_eq!(&replayed, &desks.it);
        prop_assert!(desks.now >= START);
        let json = serde_json::to_string(&replayed).unwrap();
        prop_assert_eq!(serde_json::from_str::<Interaction>(&json).unwrap(), replayed);
    }
}
