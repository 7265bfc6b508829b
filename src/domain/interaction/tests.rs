//! The rules of interactions as tables and walks.

use std::collections::BTreeMap;

use super::*;
use crate::domain::agent_state::State;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::im_session::{self, ImSession};
use crate::domain::rights::{Rights, Role as AccountRole};

mod access;
mod conference;
mod connector;

pub(super) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

pub(super) fn id(name: &str) -> AgentId {
    format!("{name}@h").parse().unwrap()
}

pub(super) fn fresh(medium: Medium) -> Interaction {
    let which = "call-1".parse().unwrap();
    let connector = "pbx.h".to_owned();
    Interaction::new(
        which,
        connector,
        (medium, Direction::Inbound),
        "+3912345".to_owned(),
    )
}

/// An interaction with everything that has happened to it.
#[derive(Clone)]
pub(super) struct Desks {
    pub(super) it: Interaction,
    pub(super) log: Vec<Event>,
    pub(super) now: Timestamp,
    pub(super) state: State,
    pub(super) open: usize,
    requests: usize,
}

impl Desks {
    pub(super) fn new(medium: Medium) -> Self {
        Self {
            it: fresh(medium),
            log: vec![],
            now: START,
            state: State::Available,
            open: 0,
            requests: 0,
        }
    }

    pub(super) fn take(&mut self, command: Command) -> Result<Vec<Event>, Rejection> {
        let profile = ChatProfile::default();
        let target = match &command {
            Command::Offer { agent, .. }
            | Command::Dial { by: agent, .. }
            | Command::Want {
                verb:
                    Verb::Transfer {
                        to: Target::Agent(agent),
                    }
                    | Verb::Consult { with: agent }
                    | Verb::Conference { with: Some(agent) },
                ..
            } => Some(agent.clone()),
            _ => None,
        };
        let desk = target.as_ref().map(|agent| Desk {
            colleague: Colleague {
                id: agent,
                role: (agent.logon() != "nobody").then_some(AccountRole::Agent),
                rights: Rights::of_agent(),
                profile: &profile,
            },
            state: self.state,
            open: self.open,
        });
        let facts = Facts {
            target: desk,
            offer_seconds: 20,
        };
        let events = decide(&self.it, command, self.now, &facts)?;
        for event in &events {
            apply(&mut self.it, event);
            self.log.push(event.clone());
        }
        Ok(events)
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        format!("r{}", self.requests).parse().unwrap()
    }

    pub(super) fn want(&mut self, by: &str, verb: Verb) -> Result<Vec<Event>, Rejection> {
        let request = self.next_request();
        let by = id(by);
        self.take(Command::Want { by, verb, request })
    }

    pub(super) fn confirm(&mut self) -> Result<Vec<Event>, Rejection> {
        let request = self.it.request.clone().map(|it| it.id);
        let request = request.unwrap_or_else(|| "none".parse().unwrap());
        self.take(Command::Confirm { request })
    }

    fn done(&mut self, by: &str, verb: Verb) {
        self.want(by, verb).unwrap();
        self.confirm().unwrap();
    }

    fn report(&mut self, fact: Fact) {
        self.take(Command::Report(fact)).unwrap();
    }

    /// How everything is, in short: `connected: ann primary connected, bob consulted offered`.
    fn brief(&self) -> String {
        let line = match self.it.line {
            Line::Offered => "offered",
            Line::Dialing => "dialing",
            Line::Connected => "connected",
            Line::Held => "held",
            Line::Over { .. } => "over",
        };
        let part = |it: &Participant| {
            let leg = match it.leg {
                Leg::Offered { .. } => "offered",
                Leg::Connected => "connected",
                Leg::WrapUp => "wrap-up",
                Leg::Done => "done",
                Leg::Rejected => "rejected",
                Leg::TimedOut => "timed-out",
                Leg::Withdrawn => "withdrawn",
            };
            format!("{} {:?} {leg}", it.agent.logon(), it.role).to_lowercase()
        };
        let parts: Vec<_> = self.it.participants.iter().map(part).collect();
        format!("{line}: {}", parts.join(", "))
    }
}

pub(super) fn offer(agent: &str) -> Command {
    Command::Offer {
        agent: id(agent),
        queue: Some("sales".to_owned()),
        data: BTreeMap::new(),
    }
}

fn consult(with: &str) -> Verb {
    Verb::Consult { with: id(with) }
}

fn to_agent(name: &str) -> Verb {
    Verb::Transfer {
        to: Target::Agent(id(name)),
    }
}

/// Ann talks to a customer.
fn talking(medium: Medium) -> Desks {
    let mut desks = Desks::new(medium);
    desks.take(offer("ann")).unwrap();
    desks.done("ann", Verb::Accept);
    assert_eq!(desks.brief(), "connected: ann primary connected");
    desks
}

/// S2-18, S2-19, S1-42 to S1-44: the customer is held, the colleague called; then retrieve, complete or confer.
#[test]
fn a_consultation_holds_the_customer_and_ends_in_one_of_three_ways() {
    for (verb, brief) in [
        (
            Verb::Retrieve,
            "connected: ann primary connected, bob consulted wrap-up",
        ),
        (
            Verb::CompleteTransfer,
            "connected: ann primary wrap-up, bob primary connected",
        ),
        (
            Verb::Conference { with: None },
            "connected: ann primary connected, bob conferenced connected",
        ),
    ] {
        let mut desks = talking(Medium::Voice);
        desks.done("ann", consult("bob"));
        assert_eq!(
            desks.brief(),
            "held: ann primary connected, bob consulted offered"
        );
        desks.done("bob", Verb::Accept);
        assert_eq!(
            desks.brief(),
            "held: ann primary connected, bob consulted connected"
        );
        desks.done("ann", verb);
        assert_eq!(desks.brief(), brief);
    }
}

/// S1-43: whatever becomes of the call to the colleague, the customer can be retrieved at once.
#[test]
fn a_consultation_that_fails_leaves_the_customer_retrievable() {
    let mut rejected = talking(Medium::Voice);
    rejected.done("ann", consult("bob"));
    rejected.done("bob", Verb::Reject);
    let mut timed_out = talking(Medium::Voice);
    timed_out.done("ann", consult("bob"));
    timed_out.now = START.plus_seconds(20);
    timed_out.take(Command::TimeIsUp).unwrap();
    let mut ringing = talking(Medium::Voice);
    ringing.done("ann", consult("bob"));
    for (mut desks, bob) in [
        (rejected, "rejected"),
        (timed_out, "timed-out"),
        (ringing, "withdrawn"),
    ] {
        desks.done("ann", Verb::Retrieve);
        let brief = format!("connected: ann primary connected, bob consulted {bob}");
        assert_eq!(desks.brief(), brief);
    }
}

/// S2-28, S2-34: a chat has no line to hold, and takes one more agent at once.
#[test]
fn chats_hold_nobody_and_are_joined_by_others() {
    let mut desks = talking(Medium::Chat);
    desks.done("ann", consult("bob"));
    assert_eq!(
        desks.brief(),
        "connected: ann primary connected, bob consulted offered"
    );
    let mut desks = talking(Medium::Chat);
    desks.done(
        "ann",
        Verb::Conference {
            with: Some(id("bob")),
        },
    );
    desks.done("bob", Verb::Accept);
    assert_eq!(
        desks.brief(),
        "connected: ann primary connected, bob conferenced connected"
    );
    // S2-36: whoever leaves has an end of its own, and the other goes on.
    desks.done("ann", Verb::Leave);
    assert_eq!(
        desks.brief(),
        "connected: ann primary wrap-up, bob primary connected"
    );
}

/// S2-15: to an agent or to a queue; nobody takes it, and it is the connector's again.
#[test]
fn a_transfer_leaves_the_one_who_makes_it_and_offers_to_the_other() {
    let mut desks = talking(Medium::Voice);
    desks.done("ann", to_agent("bob"));
    assert_eq!(
        desks.brief(),
        "offered: ann primary wrap-up, bob primary offered"
    );
    desks.done("bob", Verb::Reject);
    assert_eq!(
        desks.brief(),
        "offered: ann primary wrap-up, bob primary rejected"
    );
    desks.take(offer("carl")).unwrap();
    desks.done("carl", Verb::Accept);
    let sales = Target::Queue("second".to_owned());
    desks.done("carl", Verb::Transfer { to: sales });
    let brief = "offered: ann primary wrap-up, bob primary rejected, carl primary wrap-up";
    assert_eq!(desks.brief(), brief);
    desks.take(Command::FinishWrapUp { by: id("ann") }).unwrap();
    desks.report(Fact::Ended);
    let brief = "over: ann primary done, bob primary rejected, carl primary wrap-up";
    assert_eq!(desks.brief(), brief);
}

/// What is refused, or not answered, leaves everything as it was.
#[test]
fn a_request_that_fails_changes_nothing() {
    let before = talking(Medium::Voice).brief();
    let mut desks = talking(Medium::Voice);
    desks.want("ann", Verb::Hold).unwrap();
    assert_eq!(
        desks.want("ann", Verb::Hold),
        Ok(vec![]),
        "the answer was lost"
    );
    assert_eq!(desks.want("ann", Verb::End), Err(Rejection::Pending));
    let request = desks.it.request.clone().unwrap().id;
    let why = "no line".to_owned();
    desks
        .take(Command::Refuse {
            request: request.clone(),
            why,
        })
        .unwrap();
    assert_eq!(
        desks.take(Command::Confirm { request }),
        Err(Rejection::NoRequest)
    );
    assert_eq!(desks.brief(), before);
    desks.want("ann", Verb::Hold).unwrap();
    desks.now = START.plus_seconds(REQUEST_SECONDS);
    assert_eq!(desks.it.deadline(), Some(desks.now));
    desks.take(Command::TimeIsUp).unwrap();
    assert_eq!((desks.brief(), desks.it.deadline()), (before, None));
}

/// S2-14, S2-46: who can be offered to.
#[test]
fn an_offer_needs_an_agent_who_is_there_and_has_room() {
    for (state, open, agent, expected) in [
        (State::Available, 0, "ann", None),
        (State::Engaged, 0, "ann", None),
        (State::Available, 1, "ann", Some(Rejection::CapacityFull)),
        (State::LoggedOut, 0, "ann", Some(Rejection::TargetLoggedOut)),
        (State::NotReady, 0, "ann", Some(Rejection::TargetNotReady)),
        (State::WrapUp, 0, "ann", Some(Rejection::TargetNotReady)),
        (
            State::Available,
            0,
            "nobody",
            Some(Prerequisite::NoAccount.into()),
        ),
    ] {
        let mut desks = Desks::new(Medium::Voice);
        (desks.state, desks.open) = (state, open);
        assert_eq!(
            desks.take(offer(agent)).err(),
            expected,
            "{state:?} {open} {agent}"
        );
    }
    let mut desks = talking(Medium::Voice);
    assert_eq!(desks.take(offer("ann")), Ok(vec![]), "repeated");
    assert_eq!(desks.take(offer("bob")), Err(Rejection::TakesPart));
}

/// Every verb from whom it is not for, or when it cannot be.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn verbs_that_do_not_fit_are_refused() {
    let none = Verb::Conference { with: None };
    let consulting = || {
        let mut desks = talking(Medium::Voice);
        desks.done("ann", consult("bob"));
        desks
    };
    for (mut desks, by, verb, rejection) in [
        (talking(Medium::Voice), "eve", Verb::End, Rejection::Unknown),
        (
            talking(Medium::Voice),
            "ann",
            Verb::Accept,
            Rejection::NotOffered,
        ),
        (
            talking(Medium::Voice),
            "ann",
            Verb::Resume,
            Rejection::NotHeld,
        ),
        (
            talking(Medium::Voice),
            "ann",
            Verb::Retrieve,
            Rejection::NoConsultation,
        ),
        (
            talking(Medium::Voice),
            "ann",
            Verb::CompleteTransfer,
            Rejection::NoConsultation,
        ),
        (
            talking(Medium::Voice),
            "ann",
            none.clone(),
            Rejection::NoConsultation,
        ),
        (talking(Medium::Voice), "ann", Verb::Leave, Rejection::Last),
        (
            talking(Medium::Voice),
            "ann",
            to_agent("ann"),
            Rejection::TakesPart,
        ),
        (consulting(), "ann", Verb::Hold, Rejection::NotTalking),
        (consulting(), "ann", Verb::Resume, Rejection::Consulting),
        (consulting(), "ann", consult("carl"), Rejection::Consulting),
        (
            consulting(),
            "ann",
            Verb::CompleteTransfer,
            Rejection::NotAccepted,
        ),
        (consulting(), "ann", none, Rejection::NotAccepted),
        (consulting(), "bob", Verb::Hold, Rejection::NotConnected),
    ] {
        let before = desks.it.clone();
        assert_eq!(
            desks.want(by, verb.clone()),
            Err(rejection),
            "{by} {verb:?}"
        );
        assert_eq!(desks.it, before);
    }
    let mut consulted = consulting();
    consulted.done("bob", Verb::Accept);
    assert_eq!(consulted.want("bob", Verb::End), Err(Rejection::NotPrimary));
    let mut broken = talking(Medium::Voice);
    broken.report(Fact::Interrupted {
        until: START.plus_seconds(600),
    });
    assert_eq!(broken.want("ann", Verb::End), Err(Rejection::Interrupted));
    broken.report(Fact::Restored);
    broken.report(Fact::Ended);
    assert_eq!(broken.want("ann", Verb::End), Err(Rejection::Over));
    assert_eq!(broken.take(Command::Report(Fact::Held)), Ok(vec![]), "late");
}

#[test]
fn attached_data_has_bounds_and_an_empty_value_takes_a_name_away() {
    let mut desks = talking(Medium::Chat);
    let mut attach = |pairs: &[(&str, &str)]| {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let data = pairs.iter().map(pair).collect();
        desks.take(Command::Attach {
            by: id("ann"),
            data,
        })
    };
    assert_eq!(attach(&[("a", "1"), ("b", "2")]).unwrap().len(), 1);
    assert_eq!(attach(&[("a", "")]).unwrap().len(), 1);
    assert_eq!(attach(&[("a", "")]), Ok(vec![]));
    let long = "x".repeat(DATA_VALUE_BYTES_MAX + 1);
    assert_eq!(attach(&[("a", &long)]), Err(Rejection::Data));
    assert_eq!(attach(&[("", "1")]), Err(Rejection::Data));
    let names: Vec<String> = (0..DATA_MAX).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(attach(&many), Err(Rejection::Data));
}
