//! Who may read and change what belongs to an interaction.

use super::*;

/// S1-33 to S1-36: reading lasts as long as the consultation, and writing is for those who deal with the customer.
#[test]
fn a_consulted_agent_reads_while_it_is_consulted() {
    let mut desks = talking(Medium::Voice);
    desks.done("ann", consult("bob"));
    assert_eq!(desks.it.access(&id("bob")), Access::None);
    desks.done("bob", Verb::Accept);
    assert_eq!(desks.it.access(&id("bob")), Access::Read);
    let data: BTreeMap<_, _> = [("case".to_owned(), "7".to_owned())].into();
    let by = id("bob");
    let attach = Command::Attach {
        by,
        data: data.clone(),
    };
    assert_eq!(desks.take(attach), Err(Rejection::ReadOnly));
    let by = id("ann");
    desks
        .take(Command::Attach {
            by: by.clone(),
            data: data.clone(),
        })
        .unwrap();
    assert_eq!(desks.take(Command::Attach { by, data }), Ok(vec![]));
    desks.done("ann", Verb::Retrieve);
    assert_eq!(desks.it.access(&id("bob")), Access::None);
    assert_eq!(desks.it.access(&id("eve")), Access::None);
}

/// S1-33, S1-36: an IM session about the interaction gives the same, as long as both talk.
#[test]
fn an_im_consultation_lets_the_invitee_read_as_long_as_both_talk() {
    let mut desks = talking(Medium::Email);
    let mut session = ImSession::new("s".parse().unwrap(), id("ann"), id("bob"));
    session.about = Some(desks.it.id.clone());
    let access =
        |desks: &Desks, session: &ImSession| desks.it.access_with(&id("bob"), Some(session));
    assert_eq!(access(&desks, &session), Access::None);
    session.phase = im_session::Phase::Connected { since: START };
    assert_eq!(access(&desks, &session), Access::Read);
    let strange = ImSession {
        about: None,
        ..session.clone()
    };
    assert_eq!(access(&desks, &strange), Access::None);
    desks.report(Fact::Ended);
    desks.take(Command::FinishWrapUp { by: id("ann") }).unwrap();
    assert_eq!(access(&desks, &session), Access::None);
}
