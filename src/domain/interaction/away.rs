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
