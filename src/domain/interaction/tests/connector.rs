//! What connectors say, in which order it comes, and when it does not come.

use super::*;

/// The answer to a request that was lost with the connector's stream comes when it is back, however late that is.
#[test]
fn a_request_waits_as_long_as_its_connector_is_away() {
    let mut desks = talking(Medium::Voice);
    let (by, request) = (id("ann"), desks.next_request());
    let hold = Command::Want {
        by,
        verb: Verb::Hold,
        request: request.clone(),
    };
    desks.take(hold).unwrap();
    let until = desks.now.plus_seconds(600);
    desks.report(Fact::Interrupted { until });
    assert_eq!(desks.it.deadline(), Some(until));
    desks.now = desks.now.plus_seconds(REQUEST_SECONDS + 5);
    assert_eq!(desks.take(Command::TimeIsUp), Ok(vec![]));
    desks.take(Command::Confirm { request }).unwrap();
    desks.report(Fact::Restored);
    assert_eq!(desks.brief(), "held: ann primary connected");
}

/// Whatever a connector says of a customer, nobody is with it who is not connected.
#[test]
fn a_customer_with_nobody_goes_on_waiting() {
    let mut desks = Desks::new(Medium::Chat);
    desks.take(offer("ann")).unwrap();
    desks.report(Fact::Talking);
    assert_eq!(desks.brief(), "offered: ann primary offered");
    desks.report(Fact::Connected(id("ann")));
    assert_eq!(desks.brief(), "connected: ann primary connected");
}

/// S2-8: a call is placed, answered by the customer, or comes to nothing.
#[test]
fn a_call_is_dialed_and_answered_or_nothing_is_left_of_it() {
    let mut desks = Desks::new(Medium::Voice);
    let request: RequestId = "dial".parse().unwrap();
    let dial = Command::Dial {
        by: id("ann"),
        request: request.clone(),
    };
    desks.take(dial.clone()).unwrap();
    assert_eq!(desks.take(dial.clone()), Err(Rejection::Exists));
    assert_eq!(desks.brief(), "dialing: ann primary offered");
    desks
        .take(Command::Confirm {
            request: request.clone(),
        })
        .unwrap();
    desks.report(Fact::Talking);
    assert_eq!(desks.brief(), "connected: ann primary connected");
    // The connector says that the agent is at the telephone before it says that it does what was asked.
    let mut desks = Desks::new(Medium::Voice);
    desks.take(dial.clone()).unwrap();
    desks.report(Fact::Connected(id("ann")));
    let since = desks.it.part(&id("ann")).unwrap().connected_at;
    desks.now = desks.now.plus_seconds(1);
    let confirm = Command::Confirm {
        request: request.clone(),
    };
    desks.take(confirm).unwrap();
    assert_eq!(desks.it.part(&id("ann")).unwrap().connected_at, since);
    let mut desks = Desks::new(Medium::Voice);
    desks.take(dial).unwrap();
    let why = "busy".to_owned();
    desks.take(Command::Refuse { request, why }).unwrap();
    assert_eq!(desks.brief(), "over: ann primary withdrawn");
}

/// Of a call that was never placed nothing is left, also where it was offered to another meanwhile.
#[test]
fn a_call_that_is_not_placed_is_over_for_all() {
    let mut desks = Desks::new(Medium::Voice);
    let request: RequestId = "dial".parse().unwrap();
    let (by, at) = (id("ann"), desks.now);
    let dial = Command::Dial {
        by,
        request: request.clone(),
    };
    desks.take(dial).unwrap();
    let until = at.plus_seconds(60);
    desks.report(Fact::Interrupted { until });
    desks.now = at.plus_seconds(20);
    desks.take(Command::TimeIsUp).unwrap();
    desks.take(offer("bob")).unwrap();
    let why = "busy".to_owned();
    desks.take(Command::Refuse { request, why }).unwrap();
    assert_eq!(
        desks.brief(),
        "over: ann primary timed-out, bob primary withdrawn"
    );
}

/// XEP-0482: who is asked to take a call is invited once to the same one; nobody else is.
#[test]
fn who_is_asked_by_voice_is_invited_to_the_call() {
    let invite = |agent: &str, uri: &str| Command::Invite {
        agent: id(agent),
        uri: uri.to_owned(),
    };
    let answer = || Command::AnswerInvite { by: id("ann") };
    for (medium, count) in [(Medium::Voice, 1), (Medium::Chat, 0), (Medium::Email, 0)] {
        let mut desks = Desks::new(medium);
        desks.take(offer("ann")).unwrap();
        assert_eq!(desks.take(answer()), Ok(vec![]));
        let events = desks.take(invite("ann", "tel:+1")).unwrap();
        assert_eq!(events.len(), count, "{medium:?}");
        assert_eq!(desks.take(invite("ann", "tel:+1")), Ok(vec![]));
        assert_eq!(desks.take(invite("bob", "tel:+1")), Ok(vec![]));
        assert_eq!(desks.take(answer()).unwrap().len(), count);
        assert_eq!(desks.take(answer()), Ok(vec![]));
    }
    let mut desks = talking(Medium::Voice);
    assert_eq!(desks.take(invite("ann", "tel:+1")), Ok(vec![]));
}
