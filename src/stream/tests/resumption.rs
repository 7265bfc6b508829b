//! Resuming a session (XEP-0198 §5).

use super::*;
use crate::stream::Resumed;
use crate::stream::management::{NotResumed, Resume};

const NS: &str = "xmlns='urn:xmpp:sm:3'";
const ERRORS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
const BIND: &str = "<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";

/// A stream whose client has asked to resume what it calls `s1`.
fn resuming() -> Dialogue {
    let mut dialogue = Dialogue::authenticated();
    let output = dialogue.say(&format!("<resume {NS} previd='s1' h='7'/>"));
    assert_eq!(sent(&output), "");
    let Next::Resume { account, resume } = output.next else {
        panic!("{output:?}");
    };
    assert_eq!(account, jid("alice@example.com"));
    let previd = "s1".to_owned();
    assert_eq!(resume, Resume { previd, h: 7 });
    dialogue
}

#[test]
fn a_resumed_session_is_ready_without_binding() {
    let jid: crate::proto::FullJid = "alice@example.com/desk".parse().unwrap();
    let resumed = Resumed {
        jid: jid.clone(),
        h: 4_294_967_295,
    };
    let output = resuming().tell(Input::Resumed(Ok(resumed)));
    assert_eq!(
        sent(&output),
        format!("<resumed {NS} previd='s1' h='4294967295'/>")
    );
    assert!(matches!(output.next, Next::Ready(ready) if ready == jid));
}

#[test]
fn who_cannot_resume_may_bind() {
    for (why, told) in [
        (
            NotResumed::Unknown { h: None },
            format!("<failed {NS}><item-not-found {ERRORS}/></failed>"),
        ),
        (
            NotResumed::Unknown { h: Some(3) },
            format!("<failed {NS} h='3'><item-not-found {ERRORS}/></failed>"),
        ),
        (
            NotResumed::Unsupported,
            format!("<failed {NS}><feature-not-implemented {ERRORS}/></failed>"),
        ),
    ] {
        let mut dialogue = resuming();
        let output = dialogue.tell(Input::Resumed(Err(why)));
        assert_eq!(sent(&output), told);
        assert!(matches!(output.next, Next::Read));
        assert!(matches!(dialogue.say(BIND).next, Next::Bind { .. }));
    }
}

/// §6.
#[test]
fn who_claims_to_have_handled_too_much_is_shown_the_door() {
    let too_high = NotResumed::TooHigh { h: 10, sent: 8 };
    let output = resuming().tell(Input::Resumed(Err(too_high)));
    assert_eq!(stream_error(&output), "undefined-condition");
    let condition = format!("<handled-count-too-high {NS} h='10' send-count='8'/>");
    assert!(sent(&output).contains(&condition), "{output:?}");
}

#[test]
fn what_is_no_request_to_resume_is_refused_and_the_stream_goes_on() {
    let long = "x".repeat(4_001);
    for (said, condition) in [
        (format!("<resume {NS}/>"), "bad-request"),
        (format!("<resume {NS} previd='s1'/>"), "bad-request"),
        (format!("<resume {NS} h='1'/>"), "bad-request"),
        (format!("<resume {NS} previd='s1' h='-1'/>"), "bad-request"),
        (
            format!("<resume {NS} previd='s1' h='many'/>"),
            "bad-request",
        ),
        (
            format!("<resume {NS} previd='s1' h='4294967296'/>"),
            "bad-request",
        ),
        (
            format!("<resume {NS} previd='{long}' h='1'/>"),
            "item-not-found",
        ),
        (format!("<enable {NS}/>"), "unexpected-request"),
    ] {
        let mut dialogue = Dialogue::authenticated();
        let output = dialogue.say(&said);
        assert_eq!(
            sent(&output),
            format!("<failed {NS}><{condition} {ERRORS}/></failed>")
        );
        assert!(matches!(dialogue.say(BIND).next, Next::Bind { .. }));
    }
}

/// §3: not before authentication either.
#[test]
fn nothing_is_managed_before_authentication() {
    for said in ["enable", "resume"] {
        let mut dialogue = Dialogue::opened(Tls::Absent, encrypted());
        let output = dialogue.say(&format!("<{said} {NS} previd='s1' h='0'/>"));
        assert_eq!(
            sent(&output),
            format!("<failed {NS}><unexpected-request {ERRORS}/></failed>")
        );
        assert!(matches!(dialogue.say(PLAIN).next, Next::Password { .. }));
    }
}
