//! SASL on the stream (RFC 6120 §6).

use super::*;
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::stream::sasl::{decode, encode};

const NS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

fn auth(mechanism: &str, data: &str) -> String {
    format!("<auth {NS} mechanism='{mechanism}'>{data}</auth>")
}

fn response(data: &[u8]) -> String {
    format!("<response {NS}>{}</response>", encode(data))
}

fn open() -> Dialogue {
    Dialogue::opened(Tls::Absent, encrypted())
}

/// RFC 6120 §6.4.2 to §6.4.6.
#[test]
fn plain_asks_for_the_password_then_for_the_account() {
    let mut dialogue = open();
    let output = dialogue.say(PLAIN);
    assert_eq!(sent(&output), "");
    let Next::Password { account, password } = output.next else {
        panic!("{output:?}");
    };
    assert_eq!(
        (account.as_str(), password.expose()),
        ("alice@example.com", "secret")
    );
    let output = dialogue.tell(RIGHT);
    assert!(matches!(output.next, Next::Admit { account } if account == jid("alice@example.com")));
    let output = dialogue.tell(Input::Admission(Admission::Granted));
    assert_eq!(sent(&output), format!("<success {NS}/>"));
    assert!(matches!(output.next, Next::Restart));
    let output = dialogue.say(OPEN);
    let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><after xmlns='urn:after'/>";
    let expected = format!("{HEADER}<stream:features>{bind}</stream:features>");
    assert_eq!(sent(&output), expected);
}

/// RFC 6120 §6.4.2: without an initial response the server asks for it.
#[test]
fn an_empty_challenge_asks_for_the_initial_response() {
    let mut dialogue = open();
    let output = dialogue.say(&auth("PLAIN", ""));
    assert_eq!(sent(&output), format!("<challenge {NS}/>"));
    let output = dialogue.say(&response(b"\0alice\0secret"));
    assert!(matches!(output.next, Next::Password { .. }));
}

/// Logs in by SCRAM, the client side being computed here; gives the last output.
fn scram(dialogue: &mut Dialogue, hash: ScramHash, mechanism: &str, password: &str) -> Output {
    let bare = "n=alice,r=client";
    let output = dialogue.say(&auth(mechanism, &encode(format!("n,,{bare}").as_bytes())));
    let Next::Keys {
        account,
        hash: asked,
    } = output.next
    else {
        panic!("{output:?}");
    };
    assert_eq!((account.as_str(), asked), ("alice@example.com", hash));
    let keys = ScramKeys::derive("secret", hash, b"0123456789abcdef".to_vec(), 4096).unwrap();
    let output = dialogue.tell(Input::Keys(Some(keys)));
    let challenge = sent(&output)
        .strip_prefix(&format!("<challenge {NS}>"))
        .unwrap();
    let first = decode(challenge.strip_suffix("</challenge>").unwrap()).unwrap();
    let first = String::from_utf8(first).unwrap();
    let salt = encode(b"0123456789abcdef");
    let offered = encode(&hash.digest(b"PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-256\x1eSCRAM-SHA-512"));
    assert_eq!(first, format!("r=clientnonce,s={salt},i=4096,h={offered}"));

    let salted = hash.salted(password, b"0123456789abcdef", 4096);
    let client_key = hash.hmac(&salted, b"Client Key");
    let last = "c=biws,r=clientnonce";
    let signed = format!("{bare},{first},{last}");
    let signature = hash.hmac(&hash.digest(&client_key), signed.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(key, bit)| key ^ bit)
        .collect();
    let output = dialogue.say(&response(format!("{last},p={}", encode(&proof)).as_bytes()));
    if !matches!(output.next, Next::Admit { .. }) {
        return output;
    }
    let output = dialogue.tell(Input::Admission(Admission::Granted));
    let server_key = hash.hmac(&salted, b"Server Key");
    let verifier = encode(&hash.hmac(&server_key, signed.as_bytes()));
    let data = encode(format!("v={verifier}").as_bytes());
    assert_eq!(sent(&output), format!("<success {NS}>{data}</success>"));
    output
}

/// RFC 5802 §5, with the signature of the server in `<success/>` (RFC 6120 §6.4.6).
#[test]
fn scram_proves_both_sides() {
    for (hash, mechanism) in [
        (ScramHash::Sha1, "SCRAM-SHA-1"),
        (ScramHash::Sha256, "SCRAM-SHA-256"),
        (ScramHash::Sha512, "SCRAM-SHA-512"),
    ] {
        let output = scram(&mut open(), hash, mechanism, "secret");
        assert!(matches!(output.next, Next::Restart), "{mechanism}");
        let output = scram(&mut open(), hash, mechanism, "guess");
        assert_eq!(sent(&output), failure("not-authorized"), "{mechanism}");
    }
}

/// RFC 6120 §6.4.5: after a failure the client may choose again, on the same stream.
#[test]
fn a_failure_leaves_the_stream_open_for_another_attempt() {
    let mut dialogue = open();
    scram(&mut dialogue, ScramHash::Sha256, "SCRAM-SHA-256", "guess");
    let output = scram(&mut dialogue, ScramHash::Sha1, "SCRAM-SHA-1", "secret");
    assert!(matches!(output.next, Next::Restart));
}

/// RFC 6120 §6.5.
#[test]
fn what_is_no_exchange_fails_with_its_condition() {
    let abort = format!("<abort {NS}/>");
    let plain = |text: &str| auth("PLAIN", text);
    for (said, condition) in [
        (abort.clone(), "aborted"),
        (response(b"hello"), "malformed-request"),
        (format!("<success {NS}/>"), "malformed-request"),
        (auth("DIGEST-MD5", ""), "invalid-mechanism"),
        (format!("<auth {NS}/>"), "invalid-mechanism"),
        (auth("SCRAM-SHA-1-PLUS", ""), "invalid-mechanism"),
        (auth("EXTERNAL", "="), "invalid-mechanism"),
        (plain("not base64"), "incorrect-encoding"),
        (plain(&encode(b"no separators")), "malformed-request"),
        (plain("="), "malformed-request"),
        (
            plain(&encode(b"bob@example.com\0alice\0secret")),
            "invalid-authzid",
        ),
    ] {
        let output = open().say(&said);
        assert_eq!(sent(&output), failure(condition), "{said}");
        assert!(matches!(output.next, Next::Read), "{said}");
        assert_eq!(output.delay, Duration::ZERO, "{said}");
    }
    for (said, condition) in [
        (abort, "aborted"),
        (auth("PLAIN", ""), "malformed-request"),
        (format!("<response {NS}>?</response>"), "incorrect-encoding"),
    ] {
        let mut dialogue = open();
        dialogue.say(&auth("PLAIN", ""));
        let output = dialogue.say(&said);
        assert_eq!(sent(&output), failure(condition), "{said}");
        let output = dialogue.say(PLAIN);
        assert!(
            matches!(output.next, Next::Password { .. }),
            "begun anew after {said}"
        );
    }
}

/// RFC 6120 §6.5.4.
#[test]
fn encryption_comes_first_where_the_mechanism_or_the_operator_wants_it() {
    for (setting, mechanism) in [
        (Tls::Required, "PLAIN"),
        (Tls::Required, "SCRAM-SHA-1"),
        (Tls::Optional, "PLAIN"),
    ] {
        let mut dialogue = Dialogue::opened(setting, cleartext());
        let output = dialogue.say(&auth(mechanism, ""));
        assert_eq!(sent(&output), failure("encryption-required"), "{mechanism}");
        let output = dialogue.say(STARTTLS);
        assert!(matches!(output.next, Next::StartTls));
    }
}

/// RFC 6120 §6.5.2, §6.5.10, §6.5.11: after the proof, the account decides.
#[test]
fn who_has_proved_it_may_still_be_refused() {
    let proved = || {
        let mut dialogue = open();
        dialogue.say(PLAIN);
        dialogue.tell(RIGHT);
        dialogue
    };
    for (input, condition) in [
        (Input::Admission(Admission::Disabled), "account-disabled"),
        (Input::Admission(Admission::Unknown), "not-authorized"),
        (Input::Unavailable, "temporary-auth-failure"),
    ] {
        let output = proved().tell(input);
        assert_eq!(sent(&output), failure(condition));
        assert!(matches!(output.next, Next::Read));
    }
}

#[test]
fn a_store_that_cannot_answer_is_no_wrong_password() {
    let scram = auth("SCRAM-SHA-1", &encode(b"n,,n=alice,r=client"));
    for said in [PLAIN, &scram] {
        let mut dialogue = open();
        dialogue.say(said);
        let output = dialogue.tell(Input::Unavailable);
        assert_eq!(sent(&output), failure("temporary-auth-failure"));
        assert_eq!(output.delay, Duration::ZERO);
        assert!(matches!(dialogue.say(PLAIN).next, Next::Password { .. }));
    }
}

/// A certificate can outlive the account that it names.
#[test]
fn external_proves_a_name_and_no_account() {
    let security = || Security::tls(TlsVersion::V1_3, None, None, vec![jid("alice@example.com")]);
    for (admission, expected) in [
        (Admission::Granted, format!("<success {NS}/>")),
        (Admission::Unknown, failure("not-authorized")),
    ] {
        let mut dialogue = Dialogue::opened(Tls::Absent, security());
        let output = dialogue.say(&auth("EXTERNAL", "="));
        assert!(
            matches!(output.next, Next::Admit { account } if account == jid("alice@example.com"))
        );
        assert_eq!(sent(&dialogue.tell(Input::Admission(admission))), expected);
    }
}

/// RFC 5802 §9: an account that does not exist is challenged like any other.
#[test]
fn an_unknown_account_is_told_by_nothing() {
    let mut dialogue = open();
    dialogue.say(&auth("SCRAM-SHA-1", &encode(b"n,,n=nobody,r=client")));
    let output = dialogue.tell(Input::Keys(None));
    assert!(sent(&output).starts_with("<challenge "));
    let proof = encode(&[1; 20]);
    let output = dialogue.say(&response(
        format!("c=biws,r=clientnonce,p={proof}").as_bytes(),
    ));
    assert_eq!(sent(&output), failure("not-authorized"));
    assert_eq!(output.delay, Duration::from_millis(500));
}

/// RFC 6120 §6.4.5, §13.11, over a restart by STARTTLS too.
#[test]
fn guesses_get_slower_and_the_last_one_closes() {
    let mut dialogue = Dialogue::opened(Tls::Required, cleartext());
    dialogue.say(&auth("PLAIN", ""));
    dialogue.say(STARTTLS);
    dialogue.tell(Input::Secured(encrypted()));
    dialogue.say(OPEN);
    dialogue.say(PLAIN);
    let output = dialogue.tell(WRONG);
    assert_eq!(sent(&output), failure("not-authorized"));
    assert_eq!(output.delay, Duration::from_millis(500));
    dialogue.say(PLAIN);
    let output = dialogue.tell(WRONG);
    assert_eq!(output.delay, Duration::from_secs(1));
    assert!(matches!(output.next, Next::Close), "{output:?}");
    let error = sent(&output)
        .strip_prefix(&failure("not-authorized"))
        .unwrap();
    assert_eq!(condition(error), "policy-violation");
}
