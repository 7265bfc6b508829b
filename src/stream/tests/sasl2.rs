//! SASL2 and Bind 2 on the stream (XEP-0388, XEP-0386).

use super::*;
use crate::proto::{Condition, FullJid, StanzaError};
use crate::stream::Resumed;
use crate::stream::management::NotResumed;
use crate::stream::sasl::encode;

pub(super) const NS: &str = "xmlns='urn:xmpp:sasl:2'";
const AGENT: &str = "<user-agent id='D4565FA7-4D72-4749-B3D3-740EDBF87770'/>";
const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'><tag>Tea</tag></bind>";
const RESUME: &str = "<resume xmlns='urn:xmpp:sm:3' previd='s1' h='7'/>";
const BOUND: &str = "<bound xmlns='urn:xmpp:bind:0'/>";

/// `<authenticate/>` with other elements in it.
pub(super) fn authenticate(mechanism: &str, initial: &[u8], beside: &str) -> String {
    let initial = encode(initial);
    format!(
        "<authenticate {NS} mechanism='{mechanism}'>\
         <initial-response>{initial}</initial-response>{beside}</authenticate>"
    )
}

fn plain(beside: &str) -> String {
    authenticate("PLAIN", b"\0alice\0secret", beside)
}

/// `<failure/>` of SASL2.
pub(super) fn failure2(condition: &str) -> String {
    format!("<failure {NS}><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>")
}

pub(super) fn open() -> Dialogue {
    Dialogue::opened(Tls::Absent, encrypted())
}

/// A dialogue whose client has proved to be alice; the machine asks what comes next.
pub(super) fn proved(said: &str) -> (Dialogue, Output) {
    let mut dialogue = open();
    assert!(matches!(dialogue.say(said).next, Next::Password { .. }));
    assert!(matches!(dialogue.tell(RIGHT).next, Next::Admit { .. }));
    let output = dialogue.tell(Input::Admission(Admission::Granted));
    (dialogue, output)
}

fn full(text: &str) -> FullJid {
    text.parse().unwrap()
}

/// `<success/>` and the features behind it, with what is in it beside the address.
pub(super) fn success(before: &str, address: &str, after: &str, features: &str) -> String {
    let id = format!("<authorization-identifier>{address}</authorization-identifier>");
    format!(
        "<success {NS}>{before}{id}{after}</success><stream:features>{features}<after xmlns='urn:after'/></stream:features>"
    )
}

pub(super) const OLD_BIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";

/// XEP-0388 §2.1, §3, XEP-0386 §3.1, XEP-0484 §3.1, XEP-0480 §2.1.
#[test]
fn what_is_offered_depends_on_who_can_hear_it() {
    let both = || Security::tls(TlsVersion::V1_3, Some(vec![1]), Some(vec![2]), vec![]);
    let allowed = || Security::Cleartext {
        plain: PlainWithoutTls::Allowed,
    };
    let unbound = "HT-SHA-256-NONE";
    let all = "HT-SHA-256-EXPR HT-SHA-256-ENDP HT-SHA-256-NONE";
    for (tls, security, tokens, expected) in [
        (Tls::Required, cleartext(), true, None),
        (Tls::Optional, cleartext(), true, None),
        (Tls::Optional, allowed(), true, Some(unbound)),
        (Tls::Absent, encrypted(), true, Some(unbound)),
        (Tls::Absent, both(), true, Some(all)),
        (Tls::Absent, both(), false, Some("")),
    ] {
        let rules = Rules {
            tokens,
            ..rules(tls)
        };
        let output = Dialogue::new(rules, security).say(OPEN);
        let sent = sent(&output);
        let Some(names) = expected else {
            assert!(!sent.contains("urn:xmpp:sasl:2"), "{sent}");
            continue;
        };
        let names: String = names
            .split_terminator(' ')
            .map(|name| format!("<mechanism>{name}</mechanism>"))
            .collect();
        let fast = match names.as_str() {
            "" => String::new(),
            names => format!("<fast xmlns='urn:xmpp:fast:0'>{names}</fast>"),
        };
        let upgrades: String = ["512", "256", "1"]
            .map(|size| {
                format!("<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-{size}</upgrade>")
            })
            .concat();
        let inline = format!(
            "<mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline>\
             <feature var='urn:inline'/></inline></bind>{fast}</inline>{upgrades}</authentication>"
        );
        assert!(sent.contains(&inline), "{sent}");
        assert!(sent.contains(&format!("<authentication {NS}>")), "{sent}");
    }
}

/// XEP-0388 §2.6.1.
#[test]
fn after_success_the_stream_goes_on_with_new_features() {
    let (mut dialogue, output) = proved(&plain(""));
    assert_eq!(
        sent(&output),
        success("", "alice@example.com", "", OLD_BIND)
    );
    assert!(matches!(output.next, Next::Read));
    let output = dialogue.say(&format!("<iq type='set' id='b'>{OLD_BIND}</iq>"));
    assert!(
        matches!(output.next, Next::Bind { account, .. } if account == jid("alice@example.com"))
    );
}

/// XEP-0388 §2.2, §2.5: no initial response is asked for by an empty challenge.
#[test]
fn challenges_and_responses_are_of_the_same_namespace() {
    let mut dialogue = open();
    let output = dialogue.say(&format!("<authenticate {NS} mechanism='PLAIN'/>"));
    assert_eq!(sent(&output), format!("<challenge {NS}/>"));
    let data = encode(b"\0alice\0secret");
    let output = dialogue.say(&format!("<response {NS}> {data}\n</response>"));
    assert!(matches!(output.next, Next::Password { .. }));
}

/// XEP-0388 §2.4, §4.9: whatever does not belong there ends the stream.
#[test]
fn during_an_exchange_nothing_else_is_said() {
    for (said, condition) in [
        ("<presence/>".to_owned(), "not-authorized"),
        (plain(""), "unsupported-stanza-type"),
        (PLAIN.to_owned(), "unsupported-stanza-type"),
        (
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".to_owned(),
            "unsupported-stanza-type",
        ),
        (format!("<success {NS}/>"), "unsupported-stanza-type"),
    ] {
        let mut dialogue = open();
        dialogue.say(&format!("<authenticate {NS} mechanism='PLAIN'/>"));
        assert_eq!(stream_error(&dialogue.say(&said)), condition, "{said}");
    }
    let (mut dialogue, _) = proved(&plain(""));
    let output = dialogue.say(&plain(""));
    assert_eq!(stream_error(&output), "unsupported-stanza-type");
    let mut dialogue = open();
    dialogue.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>");
    let output = dialogue.say(&format!("<response {NS}/>"));
    assert_eq!(stream_error(&output), "unsupported-stanza-type");
}

/// RFC 6120 §6.5, told as XEP-0388 §2.6.2 says; the stream stays as it was.
#[test]
fn what_is_no_exchange_fails_with_its_condition() {
    let agent = |id: &str| plain(&format!("<user-agent id='{id}'/>"));
    let fast = |attribute: &str| {
        let fast = format!("<fast xmlns='urn:xmpp:fast:0' {attribute}/>{AGENT}");
        authenticate("HT-SHA-256-NONE", b"alice\0x", &fast)
    };
    for (said, condition) in [
        (format!("<abort {NS}/>"), "aborted"),
        (format!("<response {NS}/>"), "malformed-request"),
        (
            format!("<next {NS} task='UPGR-SCRAM-SHA-256'/>"),
            "malformed-request",
        ),
        (authenticate("DIGEST-MD5", b"", ""), "invalid-mechanism"),
        (format!("<authenticate {NS}/>"), "invalid-mechanism"),
        (
            authenticate("SCRAM-SHA-1-PLUS", b"", ""),
            "invalid-mechanism",
        ),
        (plain("").replace("AGFs", "AGF?"), "incorrect-encoding"),
        (authenticate("PLAIN", b"", ""), "malformed-request"),
        (
            format!(
                "<authenticate {NS} mechanism='PLAIN'><initial-response>=</initial-response></authenticate>"
            ),
            "incorrect-encoding",
        ),
        (
            authenticate("PLAIN", b"bob@example.com\0alice\0secret", ""),
            "invalid-authzid",
        ),
        (agent(""), "malformed-request"),
        (agent("d4565fa7"), "malformed-request"),
        (
            agent("d4565fa7-4d72-4749-b3d3-740edbf8777g"),
            "malformed-request",
        ),
        (
            agent("d4565fa7-4d72-4749-b3d3-740edbf877700"),
            "malformed-request",
        ),
        (fast("count='many'"), "malformed-request"),
        (fast("count='-1'"), "malformed-request"),
        (fast("count='4294967296'"), "malformed-request"),
        (fast("invalidate='perhaps'"), "malformed-request"),
    ] {
        let mut dialogue = open();
        let output = dialogue.say(&said);
        assert_eq!(sent(&output), failure2(condition), "{said}");
        assert!(matches!(output.next, Next::Read), "{said}");
        assert!(matches!(dialogue.say(PLAIN).next, Next::Password { .. }));
    }
}

/// XEP-0388 §3.
#[test]
fn without_encryption_nothing_is_accepted() {
    for tls in [Tls::Required, Tls::Optional, Tls::Absent] {
        let output = Dialogue::opened(tls, cleartext()).say(&plain(""));
        assert_eq!(sent(&output), failure2("encryption-required"));
    }
}

/// XEP-0388 §2.3: the header may not name somebody else.
#[test]
fn who_was_named_in_the_header_logs_in() {
    for (from, right) in [("alice@example.com/x", true), ("bob@example.com", false)] {
        let mut dialogue = Dialogue::new(rules(Tls::Absent), encrypted());
        dialogue.say(&OPEN.replace("version=", &format!("from='{from}' version=")));
        dialogue.say(&plain(""));
        let output = dialogue.tell(RIGHT);
        if right {
            assert!(matches!(output.next, Next::Admit { .. }));
        } else {
            assert_eq!(sent(&output), failure2("invalid-authzid"));
        }
    }
}

/// As with SASL before: RFC 6120 §6.5.2, §6.5.10, §6.5.11, §13.11.
#[test]
fn who_has_proved_it_may_still_be_refused_and_who_guesses_waits() {
    for (input, condition) in [
        (Input::Admission(Admission::Disabled), "account-disabled"),
        (Input::Admission(Admission::Unknown), "not-authorized"),
        (Input::Unavailable, "temporary-auth-failure"),
    ] {
        let mut dialogue = open();
        dialogue.say(&plain(BIND));
        dialogue.tell(RIGHT);
        assert_eq!(sent(&dialogue.tell(input)), failure2(condition));
    }
    let mut dialogue = open();
    for (said, delay_ms, told) in [
        (plain(""), 500, failure2("not-authorized")),
        (PLAIN.to_owned(), 1_000, failure("not-authorized")),
    ] {
        dialogue.say(&said);
        let output = dialogue.tell(WRONG);
        assert_eq!(sent(&output), told);
        assert_eq!(output.delay, Duration::from_millis(delay_ms));
    }
    dialogue.say(&plain(""));
    let output = dialogue.tell(WRONG);
    let error = sent(&output).strip_prefix(&failure2("not-authorized"));
    assert_eq!(condition(error.unwrap()), "policy-violation");
}

/// What the machine wants bound: the resource, and how earlier ones of the client end.
fn established(said: &str) -> (Dialogue, String, Option<String>) {
    let (dialogue, output) = proved(said);
    assert_eq!(sent(&output), "");
    match output.next {
        Next::Establish {
            account,
            resource,
            replaces,
            ..
        } if account == jid("alice@example.com") => {
            (dialogue, resource.as_str().to_owned(), replaces)
        }
        next => panic!("{next:?}"),
    }
}

/// XEP-0386 §3.2.1.
#[test]
fn a_resource_is_a_tag_and_what_is_steady_for_the_client() {
    let (_, tagged, replaces) = established(&plain(&format!("{BIND}{AGENT}")));
    let own = replaces.unwrap();
    assert_eq!(tagged, format!("Tea/{own}"));
    assert!(
        own.len() == 16 && own.bytes().all(|it| it.is_ascii_hexdigit()),
        "{own}"
    );
    let tag = |tag: &str| BIND.replace("Tea", tag);
    for (bind, agent, expected) in [
        (tag("Tea"), AGENT.to_lowercase(), format!("Tea/{own}")),
        (tag("Mate"), AGENT.to_owned(), format!("Mate/{own}")),
        (tag(""), AGENT.to_owned(), own.clone()),
        // What no resource may have (RFC 7622 §3.4).
        (tag("\u{feff}\u{7f}"), AGENT.to_owned(), own.clone()),
        (tag(&"x".repeat(1_020)), AGENT.to_owned(), own.clone()),
        (
            "<bind xmlns='urn:xmpp:bind:0'/>".to_owned(),
            AGENT.to_owned(),
            own.clone(),
        ),
        // Without an installation it is new each time.
        (tag("Tea"), String::new(), "Tea/nonce".to_owned()),
    ] {
        let (_, resource, replaces) = established(&plain(&format!("{bind}{agent}")));
        assert_eq!(resource, expected);
        assert_eq!(replaces, (!agent.is_empty()).then(|| own.clone()));
    }
    let other = AGENT.replace("D4565FA7", "04565FA7");
    let (_, resource, _) = established(&plain(&format!("{BIND}{other}")));
    assert_ne!(resource, tagged);
}

/// XEP-0386 §3.2; what nobody knows is passed over.
#[test]
fn a_bound_session_is_ready_with_success() {
    let (mut dialogue, ..) = established(&plain(&format!("{BIND}<megabind xmlns='urn:other'/>")));
    let answer = Element::new("urn:inline", "enabled");
    let bound = (full("alice@example.com/Tea/1"), vec![answer]);
    let output = dialogue.tell(Input::Established(Ok(bound)));
    let bound = "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:inline'/></bound>";
    assert_eq!(
        sent(&output),
        success("", "alice@example.com/Tea/1", bound, "")
    );
    assert!(matches!(output.next, Next::Ready(jid) if jid == full("alice@example.com/Tea/1")));
}

/// XEP-0388 §2.6.2: the reason beside the condition; nothing was bound and the stream goes on.
#[test]
fn what_cannot_be_bound_is_no_success() {
    let (mut dialogue, ..) = established(&plain(BIND));
    let error = StanzaError::new(Condition::ResourceConstraint);
    let output = dialogue.tell(Input::Established(Err(error)));
    let reason = "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failure>";
    let expected = failure2("temporary-auth-failure").replace("</failure>", reason);
    assert_eq!(sent(&output), expected);
    assert_eq!(output.delay, Duration::ZERO);
    assert!(matches!(dialogue.say(PLAIN).next, Next::Password { .. }));
}

/// XEP-0198 §9.2: resumption first; binding only when there was nothing to resume.
#[test]
fn a_session_is_resumed_in_place_of_binding() {
    let both = plain(&format!("{BIND}{RESUME}"));
    let resuming = |said: &str| {
        let (dialogue, output) = proved(said);
        assert!(
            matches!(&output.next, Next::Resume { resume, .. } if resume.previd == "s1"),
            "{output:?}"
        );
        dialogue
    };
    let resumed = Resumed {
        jid: full("alice@example.com/desk"),
        h: 3,
    };
    let output = resuming(&both).tell(Input::Resumed(Ok(resumed)));
    let element = "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='3'/>";
    assert_eq!(
        sent(&output),
        success("", "alice@example.com/desk", element, "")
    );
    assert!(matches!(output.next, Next::Ready(_)));

    let unknown = || Input::Resumed(Err(NotResumed::Unknown { h: Some(3) }));
    let errors = "urn:ietf:params:xml:ns:xmpp-stanzas";
    let failed =
        format!("<failed xmlns='urn:xmpp:sm:3' h='3'><item-not-found xmlns='{errors}'/></failed>");
    let mut dialogue = resuming(&both);
    assert!(matches!(
        dialogue.tell(unknown()).next,
        Next::Establish { .. }
    ));
    let bound = (full("alice@example.com/Tea/1"), vec![]);
    let output = dialogue.tell(Input::Established(Ok(bound)));
    let after = format!("{BOUND}{failed}");
    assert_eq!(
        sent(&output),
        success("", "alice@example.com/Tea/1", &after, "")
    );

    let mut dialogue = resuming(&plain(RESUME));
    let output = dialogue.tell(unknown());
    assert_eq!(
        sent(&output),
        success("", "alice@example.com", &failed, OLD_BIND)
    );
    assert!(matches!(output.next, Next::Read));

    let too_high = Input::Resumed(Err(NotResumed::TooHigh { h: 7, sent: 1 }));
    let output = resuming(&both).tell(too_high);
    assert_eq!(stream_error(&output), "undefined-condition");

    let (_, output) = proved(&plain("<resume xmlns='urn:xmpp:sm:3' previd='s1'/>"));
    let bad = format!("<failed xmlns='urn:xmpp:sm:3'><bad-request xmlns='{errors}'/></failed>");
    assert_eq!(
        sent(&output),
        success("", "alice@example.com", &bad, OLD_BIND)
    );
}
