//! Who deals with the customer of a conference.

use super::*;

/// S2-34: nobody is left in a conference whom no one has the customer from.
#[test]
fn who_comes_into_a_conference_or_stays_there_has_the_customer() {
    let conference = || {
        let mut desks = talking(Medium::Chat);
        let with = Some(id("bob"));
        desks.done("ann", Verb::Conference { with });
        desks
    };
    let queue = || Verb::Transfer {
        to: Target::Queue("q".to_owned()),
    };
    let want = |desks: &mut Desks, verb| {
        let (by, request) = (id("ann"), desks.next_request());
        desks.take(Command::Want { by, verb, request })
    };
    // Neither while the colleague is asked nor when it is there.
    let mut desks = conference();
    assert_eq!(want(&mut desks, queue()), Err(Rejection::Conferencing));
    desks.done("bob", Verb::Accept);
    assert_eq!(want(&mut desks, queue()), Err(Rejection::Conferencing));
    // The one who has asked is gone before the other accepts.
    let mut desks = conference();
    desks.take(Command::Report(Fact::Left(id("ann")))).unwrap();
    desks.done("bob", Verb::Accept);
    assert_eq!(
        desks.brief(),
        "connected: ann primary wrap-up, bob primary connected"
    );
}

/// S2-34: the same where the connector offers it to somebody before the other accepts.
#[test]
fn who_comes_into_a_conference_has_the_customer_while_it_is_offered_to_another() {
    let mut desks = talking(Medium::Chat);
    let with = Some(id("bob"));
    desks.done("ann", Verb::Conference { with });
    desks.report(Fact::Left(id("ann")));
    desks.take(offer("carl")).unwrap();
    desks.report(Fact::Connected(id("bob")));
    let brief = |carl: &str| format!("connected: ann primary wrap-up, {carl}");
    assert_eq!(
        desks.brief(),
        brief("bob conferenced connected, carl primary offered")
    );
    let mut taken = desks.clone();
    taken.done("carl", Verb::Accept);
    assert_eq!(
        taken.brief(),
        brief("bob conferenced connected, carl primary connected")
    );
    let mut alone = desks.clone();
    alone.report(Fact::Left(id("bob")));
    assert_eq!(
        alone.brief(),
        "offered: ann primary wrap-up, bob conferenced wrap-up, carl primary offered"
    );
    desks.now = desks.now.plus_seconds(20);
    desks.take(Command::TimeIsUp).unwrap();
    assert_eq!(
        desks.brief(),
        brief("bob primary connected, carl primary timed-out")
    );
}
