//! Connectors that are away, what they attach, and how much of it there may be.

use std::collections::BTreeMap;

use super::tests::{Desks, START, id, offer};
use super::*;

fn talking() -> Desks {
    let mut desks = Desks::new(Medium::Voice);
    desks.take(offer("ann")).unwrap();
    desks
        .take(Command::Report(Fact::Connected(id("ann"))))
        .unwrap();
    desks
}

fn report(desks: &mut Desks, fact: Fact) -> Vec<Event> {
    desks.take(Command::Report(fact)).unwrap()
}

/// A connector that is back in time finds everything as it was; one that stays away is waited for until the first
/// time that was said.
#[test]
fn an_interaction_ends_with_a_connector_that_stays_away() {
    let mut desks = talking();
    let until = START.plus_seconds(600);
    report(&mut desks, Fact::Interrupted { until });
    let later = until.plus_seconds(600);
    assert_eq!(
        report(&mut desks, Fact::Interrupted { until: later }),
        vec![]
    );
    assert_eq!(desks.it.deadline(), Some(until));
    report(&mut desks, Fact::Restored);
    assert_eq!((desks.it.deadline(), desks.it.interrupted), (None, false));
    report(&mut desks, Fact::Interrupted { until });
    desks.now = until.plus_seconds(-1);
    assert_eq!(desks.take(Command::TimeIsUp), Ok(vec![]));
    desks.now = until;
    desks.take(Command::TimeIsUp).unwrap();
    assert!(desks.it.is_over() && !desks.it.interrupted);
    assert_eq!(desks.it.deadline(), None);
    assert_eq!(desks.it.part(&id("ann")).unwrap().leg, Leg::WrapUp);
}

/// A request of before is given up with it.
#[test]
fn what_was_asked_of_a_connector_that_stays_away_has_failed() {
    let mut desks = talking();
    desks.want("ann", Verb::Hold).unwrap();
    let until = START.plus_seconds(5);
    report(&mut desks, Fact::Interrupted { until });
    desks.now = until;
    let events = desks.take(Command::TimeIsUp).unwrap();
    assert!(
        matches!(events.first(), Some(Event::Failed { .. })),
        "{events:?}"
    );
    assert!(desks.it.request.is_none() && desks.it.is_over());
}

#[test]
fn a_connector_attaches_within_the_same_bounds() {
    let mut desks = Desks::new(Medium::Voice);
    let supply = |data: &[(String, String)]| Command::Supply {
        data: data.iter().cloned().collect::<BTreeMap<_, _>>(),
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let one = [pair("a", "1")];
    assert_eq!(desks.take(supply(&one)), Err(Rejection::Unknown));
    desks.take(offer("ann")).unwrap();
    assert_eq!(desks.take(supply(&one)).unwrap().len(), 1);
    assert_eq!(desks.take(supply(&one)), Ok(vec![]));
    let long = "x".repeat(DATA_VALUE_BYTES_MAX);
    let fitting = DATA_BYTES_MAX / DATA_VALUE_BYTES_MAX - 1;
    let many: Vec<_> = (0..fitting).map(|n| pair(&n.to_string(), &long)).collect();
    desks.take(supply(&many)).unwrap();
    let more = [pair("more", &long)];
    assert_eq!(desks.take(supply(&more)), Err(Rejection::Data));
    let instead = [pair("0", "short"), pair("more", &long)];
    assert_eq!(desks.take(supply(&instead)).unwrap().len(), 1);
}

/// One that is there and does not tell is waited for longer, but not for ever.
#[test]
fn a_connector_that_is_there_and_does_not_tell_is_waited_for_longer() {
    let mut desks = talking();
    let put_off = |desks: &Desks| Command::PutOff {
        until: desks.now.plus_seconds(600),
    };
    assert_eq!(desks.take(put_off(&desks)), Ok(vec![]));
    let until = START.plus_seconds(600);
    report(&mut desks, Fact::Interrupted { until });
    for time in 1..=PUT_OFF_MAX {
        desks.now = desks.it.deadline().unwrap();
        desks.take(put_off(&desks)).unwrap();
        desks.take(Command::TimeIsUp).unwrap();
        assert_eq!((desks.it.is_over(), desks.it.put_off), (false, time));
        // A time that is not later is none.
        assert_eq!(desks.take(Command::PutOff { until: desks.now }), Ok(vec![]));
    }
    desks.now = desks.it.deadline().unwrap();
    assert_eq!(desks.take(put_off(&desks)), Ok(vec![]));
    desks.take(Command::TimeIsUp).unwrap();
    assert!(desks.it.is_over());
}

/// What was asked before the stream broke is asked once more, as long as there is time for it.
#[test]
fn what_may_have_been_lost_is_asked_again() {
    let mut desks = talking();
    assert_eq!(desks.take(Command::AskAgain), Ok(vec![]));
    desks.want("ann", Verb::Hold).unwrap();
    let asked = desks.it.request.clone().unwrap();
    let events = desks.take(Command::AskAgain).unwrap();
    let at = desks.now;
    let request = asked.clone();
    assert_eq!(events, [Event::Requested { at, request }]);
    assert_eq!(desks.it.request, Some(asked.clone()));
    desks.now = asked.until;
    let events = desks.take(Command::AskAgain).unwrap();
    assert!(matches!(events[..], [Event::Failed { .. }]), "{events:?}");
    assert!(desks.it.request.is_none() && !desks.it.is_over());
}
