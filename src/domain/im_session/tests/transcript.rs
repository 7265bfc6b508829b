//! Transcripts: how they begin, who reads them, how long they grow.

use super::*;

/// S1-13, S1-31: the first message is part of the invitation and of the transcript.
#[test]
fn the_transcript_begins_with_the_message_of_the_invitation() {
    let about = Some("call-1".parse().unwrap());
    let (session, log) = after(&[Command::Invite {
        by: id("a@h"),
        text: text("urgent"),
        about: about.clone(),
    }]);
    assert_eq!(session.about, about);
    let first = transcript(&session, &log).next().unwrap();
    assert_eq!(first.kind, EntryKind::Message(text("urgent")));
}

#[test]
fn only_the_two_and_who_has_the_right_read_a_transcript() {
    let rights = |role, given| -> Rights {
        let mut account = AccountGrants::default();
        account.set(Right::TranscriptShow, given);
        effective(role, &RoleGrants::default(), &account)
    };
    let (session, none) = (fresh(), rights(Role::Agent, None));
    for (reader, rights, expected) in [
        ("a@h", &none, Access::Participant),
        ("b@h", &none, Access::Participant),
        ("c@h", &none, Access::None),
        (
            "c@h",
            &rights(Role::Agent, Some(Grant::Given)),
            Access::ByRight,
        ),
        ("c@h", &rights(Role::Supervisor, None), Access::ByRight),
        (
            "c@h",
            &rights(Role::Supervisor, Some(Grant::Withheld)),
            Access::None,
        ),
        ("a@h", &rights(Role::Supervisor, None), Access::Participant),
    ] {
        assert_eq!(access(&session, &id(reader), rights), expected, "{reader}");
    }
}

#[test]
fn a_session_has_a_bound_before_and_after_the_answer() {
    let mut session = after(&[invite("a@h")]).0;
    session.entries = PENDING_ENTRIES_MAX;
    assert_eq!(
        two().decide(&session, say("a@h"), START),
        Err(Rejection::AnswerAwaited)
    );
    assert!(two().decide(&session, say("b@h"), START).is_ok());
    session = after(&[invite("a@h"), say("b@h")]).0;
    assert_eq!(session.entries, 2);
    session.entries = ENTRIES_MAX;
    let share = Command::Share {
        by: id("a@h"),
        context: "c".parse().unwrap(),
    };
    for command in [say("a@h"), share] {
        assert_eq!(
            two().decide(&session, command, START),
            Err(Rejection::TranscriptFull)
        );
    }
    assert!(
        two()
            .decide(&session, Command::End { by: id("a@h") }, START)
            .is_ok()
    );
}
