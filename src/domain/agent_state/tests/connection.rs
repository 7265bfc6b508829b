//! Lost connections: the grace, the logout, and who comes back.

use super::*;

#[test]
fn a_lost_connection_makes_not_ready_after_the_grace_and_logs_out_later() {
    let none = Devices::default;
    let mut desk = Desk::new().with(&[Command::Login]);
    assert_eq!(desk.device(none(), 0), "lost");
    assert_eq!(
        (desk.agent.state(), desk.agent.deadline()),
        (State::Available, Some(after(120)))
    );
    assert_eq!(desk.time(119), "");
    assert_eq!(desk.time(120), "gone, not ready(connection) by System");
    assert_eq!(desk.agent.deadline(), Some(after(180)));
    assert_eq!(desk.time(180), "out(connection)");
    assert_eq!(desk.agent.deadline(), None);
    // Logging in again without any session, at a terminal.
    assert_eq!(
        desk.take(Command::Login, after(200)),
        Ok("in, lost".to_owned())
    );
    assert_eq!(desk.agent.deadline(), Some(after(320)));
}

#[test]
fn who_comes_back_in_time_finds_everything_as_it_was() {
    let none = Devices::default;
    for (commands, first, second, state) in [
        (vec![], "back", "back, ready by System", State::Available),
        (vec![not_ready("lunch")], "back", "back", State::NotReady),
        (
            vec![engage("x")],
            "back",
            "back, ready by System",
            State::Engaged,
        ),
    ] {
        let desk = Desk::new().with(&[Command::Login]).with(&commands);
        let mut early = desk.clone();
        early.device(none(), 0);
        assert_eq!(early.device(one_device(None), 100), first);
        assert_eq!((early.agent.state(), early.agent.deadline()), (state, None));
        let mut late = desk;
        late.device(none(), 0);
        late.time(120);
        assert_eq!(late.device(one_device(None), 150), second);
        assert_eq!((late.agent.state(), late.agent.deadline()), (state, None));
        assert_eq!(
            late.agent.stance == Stance::Available,
            state != State::NotReady
        );
    }
}

#[test]
fn who_is_engaged_without_a_session_is_logged_out_when_the_call_is_over() {
    let mut desk = Desk::new().with(&[Command::Login, engage("x")]);
    desk.device(Devices::default(), 0);
    assert_eq!(desk.time(120), "gone, not ready(connection) by System");
    assert_eq!(
        (desk.agent.state(), desk.agent.deadline()),
        (State::Engaged, None)
    );
    assert_eq!(desk.time(1_000), "");
    assert_eq!(
        desk.take(release("x"), after(1_000)),
        Ok("wrap-up x, out(connection)".to_owned())
    );
}

/// After a day of standstill the first deadline is handled, and the second has its full time.
#[test]
fn a_deadline_that_passed_while_the_server_was_down_is_handled_late() {
    let mut desk = Desk::new().with(&[Command::Login]);
    desk.device(Devices::default(), 0);
    assert_eq!(desk.time(86_400), "gone, not ready(connection) by System");
    assert_eq!(desk.agent.deadline(), Some(after(86_460)));
}
