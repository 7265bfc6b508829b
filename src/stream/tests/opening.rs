//! Headers, features and STARTTLS (RFC 6120 §4, §5).

use super::*;
use crate::stream::sasl::Mechanism;

/// RFC 6120 §4.9.1.2: the error comes behind a header; §4.9.3 names it.
#[test]
fn a_wrong_header_is_answered_with_a_header_and_its_error() {
    let stream = "http://etherx.jabber.org/streams";
    let with = |ns: &str, content: &str, rest: &str| {
        format!("<s:stream xmlns:s='{ns}' xmlns='{content}' {rest}>")
    };
    let right = "version='1.0' to='example.com'";
    for (header, condition) in [
        (
            with("urn:other", "jabber:client", right),
            "invalid-namespace",
        ),
        (with(stream, "jabber:server", right), "invalid-namespace"),
        (with(stream, "", right), "invalid-namespace"),
        (
            OPEN.replace("stream:stream ", "stream:strom "),
            "bad-format",
        ),
        (
            with(stream, "jabber:client", "to='example.com'"),
            "unsupported-version",
        ),
        (
            with(stream, "jabber:client", "version='0.9' to='example.com'"),
            "unsupported-version",
        ),
        (
            with(stream, "jabber:client", "version='' to='example.com'"),
            "unsupported-version",
        ),
        (
            with(stream, "jabber:client", "version='one' to='example.com'"),
            "unsupported-version",
        ),
        (
            with(stream, "jabber:client", "version='1.0'"),
            "improper-addressing",
        ),
        (
            with(stream, "jabber:client", "version='1.0' to='example.org'"),
            "host-unknown",
        ),
        (
            with(stream, "jabber:client", "version='1.0' to='a@example.com'"),
            "host-unknown",
        ),
        (
            with(stream, "jabber:client", "version='1.0' to=''"),
            "host-unknown",
        ),
        (
            with(
                stream,
                "jabber:client",
                "version='1.0' to='example.com' from='@'",
            ),
            "invalid-from",
        ),
    ] {
        let output = Dialogue::new(rules(Tls::Required), cleartext()).say(&header);
        assert!(matches!(output.next, Next::Close), "{output:?}");
        let error = sent(&output).strip_prefix(HEADER).expect(&header);
        assert_eq!(super::condition(error), condition, "{header}");
    }
}

/// RFC 6120 §4.7.5: a later version is answered with ours.
#[test]
fn a_right_header_is_answered_with_ours() {
    for version in ["1.0", "1.1", "2.0", "1"] {
        let open = OPEN.replace("'1.0'", &format!("'{version}'"));
        let output = Dialogue::new(rules(Tls::Required), cleartext()).say(&open);
        assert!(sent(&output).starts_with(HEADER), "{version}");
        assert!(matches!(output.next, Next::Read));
    }
    let other = OPEN.replace("example.com", "EXAMPLE.net");
    let output = Dialogue::new(rules(Tls::Required), cleartext()).say(&other);
    assert!(sent(&output).contains(" from='example.net' "));
}

/// RFC 6120 §4.7.2.
#[test]
fn the_header_names_the_client_when_and_only_when_it_named_itself() {
    for (from, to) in [
        ("", ""),
        ("from='Alice@example.com'", " to='alice@example.com'"),
        ("from='alice@example.com/desk'", " to='alice@example.com'"),
    ] {
        let open = OPEN.replace("version=", &format!("{from} version="));
        let output = Dialogue::new(rules(Tls::Absent), encrypted()).say(&open);
        let header = HEADER.replace(" id=", &format!("{to} id="));
        assert!(sent(&output).starts_with(&header), "{}", sent(&output));
    }
}

const REQUIRED: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
const SCRAM: &str = "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1";
const PLUS: &str = "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS";

fn features(inside: &[&str]) -> String {
    format!(
        "{HEADER}<stream:features>{}</stream:features>",
        inside.concat()
    )
}

/// The features without those of SASL2, which `sasl2.rs` looks at.
fn without_sasl2(features: &str) -> String {
    let Some((before, rest)) = features.split_once("<authentication ") else {
        return features.to_owned();
    };
    let (_, after) = rest.split_once("</authentication>").unwrap();
    format!("{before}{after}")
}

fn mechanisms(names: &str) -> String {
    let names = names.split(' ');
    let names: String = names
        .map(|name| format!("<mechanism>{name}</mechanism>"))
        .collect();
    format!("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{names}</mechanisms>")
}

fn bindings(kinds: &[&str]) -> String {
    let kinds = kinds.iter();
    let kinds: String = kinds
        .map(|kind| format!("<channel-binding type='{kind}'/>"))
        .collect();
    format!("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>{kinds}</sasl-channel-binding>")
}

/// RFC 6120 §5.3.1, §6.4.1, XEP-0440 §3.
#[test]
fn features_are_what_the_stream_can_use() {
    let before = "<before xmlns='urn:before'/>";
    let tls =
        |version, identities| Security::tls(version, Some(vec![1]), Some(vec![2]), identities);
    let both = bindings(&["tls-exporter", "tls-server-end-point"]);
    let end_point = bindings(&["tls-server-end-point"]);
    for (setting, security, expected) in [
        (Tls::Required, cleartext(), features(&[REQUIRED])),
        (
            Tls::Optional,
            cleartext(),
            features(&[STARTTLS, &mechanisms(SCRAM), before]),
        ),
        (
            Tls::Absent,
            cleartext(),
            features(&[&mechanisms(SCRAM), before]),
        ),
        (
            Tls::Absent,
            Security::Cleartext {
                plain: PlainWithoutTls::Allowed,
            },
            features(&[&mechanisms(&format!("{SCRAM} PLAIN")), before]),
        ),
        (
            // Direct TLS: whatever the setting, it is on.
            Tls::Required,
            encrypted(),
            features(&[&mechanisms(&format!("{SCRAM} PLAIN")), before]),
        ),
        (
            Tls::Required,
            tls(TlsVersion::V1_3, vec![]),
            features(&[&mechanisms(&format!("{PLUS} {SCRAM} PLAIN")), &both, before]),
        ),
        (
            Tls::Required,
            tls(TlsVersion::V1_2, vec![jid("alice@example.com")]),
            features(&[
                &mechanisms(&format!("EXTERNAL {PLUS} {SCRAM} PLAIN")),
                &end_point,
                before,
            ]),
        ),
    ] {
        let output = Dialogue::new(rules(setting), security).say(OPEN);
        assert_eq!(without_sasl2(sent(&output)), expected);
        assert!(matches!(output.next, Next::Read));
    }
}

/// The schema of RFC 6120 §A.4 wants at least one mechanism.
#[test]
fn no_mechanism_is_no_element() {
    let mut rules = rules(Tls::Optional);
    rules.sasl.enabled = vec![Mechanism::Plain];
    let output = Dialogue::new(rules, cleartext()).say(OPEN);
    assert_eq!(
        sent(&output),
        features(&[STARTTLS, "<before xmlns='urn:before'/>"])
    );
}

/// RFC 6120 §5.4.2, §5.4.3.3.
#[test]
fn after_starttls_the_stream_begins_anew() {
    for setting in [Tls::Required, Tls::Optional] {
        let mut dialogue = Dialogue::opened(setting, cleartext());
        let output = dialogue.say(STARTTLS);
        assert_eq!(
            sent(&output),
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        );
        assert!(matches!(output.next, Next::StartTls));
        let output = dialogue.tell(Input::Secured(encrypted()));
        assert_eq!(sent(&output), "");
        assert!(matches!(output.next, Next::Restart));
        let output = dialogue.say(OPEN);
        let before = "<before xmlns='urn:before'/>";
        let expected = features(&[&mechanisms(&format!("{SCRAM} PLAIN")), before]);
        assert_eq!(without_sasl2(sent(&output)), expected);
    }
}

/// RFC 6120 §5.4.2.2: the failure case closes the stream.
#[test]
fn starttls_that_was_not_offered_fails() {
    let failed = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";
    let mut twice = Dialogue::opened(Tls::Required, cleartext());
    twice.say(STARTTLS);
    twice.tell(Input::Secured(encrypted()));
    twice.say(OPEN);
    let without = Dialogue::opened(Tls::Absent, cleartext());
    for mut dialogue in [twice, without] {
        let output = dialogue.say(STARTTLS);
        assert_eq!(sent(&output), failed);
        assert!(matches!(output.next, Next::Close));
    }
}

/// RFC 6120 §4.9.1.2, whoever finds the error: the driver reports what is not XML.
#[test]
fn every_stream_has_one_header_before_its_error() {
    let broken = crate::proto::StreamCondition::NotWellFormed.into();
    let fail = |dialogue: &mut Dialogue| {
        let output = dialogue.machine.as_mut().unwrap().fail(&broken);
        assert!(matches!(output.next, Next::Close));
        sent(&output).matches("<stream:stream ").count()
    };
    let mut dialogue = Dialogue::new(rules(Tls::Required), cleartext());
    assert_eq!(fail(&mut dialogue), 1, "before any header");

    let mut dialogue = Dialogue::opened(Tls::Required, cleartext());
    assert_eq!(fail(&mut dialogue), 0, "behind the header");

    let mut dialogue = Dialogue::opened(Tls::Required, cleartext());
    dialogue.say(STARTTLS);
    dialogue.tell(Input::Secured(encrypted()));
    assert_eq!(fail(&mut dialogue), 1, "in the stream after TLS");

    let mut dialogue = Dialogue::opened(Tls::Absent, encrypted());
    dialogue.say(PLAIN);
    dialogue.tell(RIGHT);
    dialogue.tell(Input::Admission(Admission::Granted));
    assert_eq!(fail(&mut dialogue), 1, "in the stream after SASL");
    assert_eq!(
        fail(&mut Dialogue::authenticated()),
        0,
        "behind the last header"
    );
}

/// The header of the authenticated stream must be for the host of the account.
#[test]
fn the_host_cannot_be_changed_after_authentication() {
    let mut dialogue = Dialogue::opened(Tls::Absent, encrypted());
    dialogue.say(PLAIN);
    dialogue.tell(RIGHT);
    dialogue.tell(Input::Admission(Admission::Granted));
    let output = dialogue.say(&OPEN.replace("example.com", "example.net"));
    assert!(sent(&output).starts_with(HEADER));
    assert!(sent(&output).contains("<host-unknown "));
    assert!(matches!(output.next, Next::Close));
}
