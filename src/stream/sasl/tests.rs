//! Whole exchanges, played from the client's side.

mod arbitrary;
mod scram;

use super::*;
use crate::proto::jid::BareJid;
use crate::proto::scram::{ScramHash, ScramKeys};

const CLIENT_NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
const SERVER_NONCE: &str = "3rfcNHYJY1ZVvWVs7j";

fn host() -> BareJid {
    BareJid::new("example.com").unwrap()
}

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

fn decoys() -> Decoys {
    Decoys::new([9; 32], 4096)
}

fn offer(security: Security) -> Offer {
    Offer::new(&host(), security, &Policy::default())
}

/// A stream without channel binding.
fn proxied() -> Offer {
    offer(Security::tls(TlsVersion::V1_3, None, None, vec![]))
}

/// A stream with both kinds of channel binding.
fn bound() -> Offer {
    let exporter = Some(b"exporter".to_vec());
    let end_point = Some(b"end-point".to_vec());
    offer(Security::tls(TlsVersion::V1_3, exporter, end_point, vec![]))
}

fn certified(identities: &[&str]) -> Offer {
    let identities = identities.iter().map(|text| jid(text)).collect();
    offer(Security::tls(TlsVersion::V1_3, None, None, identities))
}

fn begin(offer: &Offer, mechanism: &str, initial: &[u8]) -> Step {
    Exchange::begin(offer, mechanism, SERVER_NONCE.to_owned(), Some(initial))
}

fn failure(step: Step) -> Failure {
    match step {
        Step::Failure(failure) => failure,
        other => panic!("no failure but {other:?}"),
    }
}

fn refused(step: Step) -> SaslCondition {
    failure(step).condition
}

fn keys(hash: ScramHash, password: &str) -> ScramKeys {
    ScramKeys::derive(password, hash, b"0123456789abcdef".to_vec(), 4096).unwrap()
}

/// The server's first message and the state that waits for the client's last.
fn challenge(step: Step, stored: Option<ScramKeys>) -> (String, Exchange) {
    let Step::NeedKeys { next, .. } = step else {
        panic!("no keys asked for but {step:?}");
    };
    match next.resolve(stored, &decoys()) {
        Step::Challenge { data, next } => (String::from_utf8(data).unwrap(), next),
        other => panic!("no challenge but {other:?}"),
    }
}

/// The client's last message, as a client that knows `password` makes it.
fn last_message(
    hash: ScramHash,
    password: &str,
    bare: &str,
    server_first: &str,
    bound_to: &[u8],
) -> String {
    let value = |name: &str| {
        let mut attributes = server_first.split(',');
        attributes
            .find_map(|attribute| attribute.strip_prefix(name))
            .unwrap()
    };
    let salted = hash.salted(
        password,
        &decode(value("s=")).unwrap(),
        value("i=").parse().unwrap(),
    );
    let client_key = hash.hmac(&salted, b"Client Key");
    let without_proof = format!("c={},r={}", encode(bound_to), value("r="));
    let signed = format!("{bare},{server_first},{without_proof}");
    let signature = hash.hmac(&hash.digest(&client_key), signed.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(k, s)| k ^ s)
        .collect();
    format!("{without_proof},p={}", encode(&proof))
}

/// RFC 4616 §2.
#[test]
fn plain_is_taken_apart() {
    use SaslCondition::{InvalidAuthzid, MalformedRequest, NotAuthorized};
    for (message, expected) in [
        (&b"\0user\0pencil"[..], Ok(("user@example.com", "pencil"))),
        (
            b"user@example.com\0USER\0p w",
            Ok(("user@example.com", "p w")),
        ),
        (b"other@example.com\0user\0pencil", Err(InvalidAuthzid)),
        (b"user\0user\0pencil", Err(InvalidAuthzid)),
        (b"", Err(MalformedRequest)),
        (b"user\0pencil", Err(MalformedRequest)),
        (b"\0user\0pencil\0", Err(MalformedRequest)),
        (b"\0\0pencil", Err(MalformedRequest)),
        (b"\0user\0", Err(MalformedRequest)),
        (b"\0user\0\xff", Err(MalformedRequest)),
        (b"\0user@example.com\0pencil", Err(NotAuthorized)),
    ] {
        let name = String::from_utf8_lossy(message).into_owned();
        let found = match begin(&proxied(), "PLAIN", message) {
            Step::NeedPasswordCheck {
                account, password, ..
            } => Ok((account.to_string(), password.expose().to_owned())),
            step => Err(refused(step)),
        };
        let expected = expected.map(|(a, p): (&str, &str)| (a.to_owned(), p.to_owned()));
        assert_eq!(found, expected, "{name:?}");
    }
}

#[test]
fn plain_ends_as_the_verdict_says() {
    let ask = || match begin(&proxied(), "PLAIN", b"\0user\0pencil") {
        Step::NeedPasswordCheck { next, password, .. } => {
            assert!(!format!("{password:?}{next:?}").contains("pencil"));
            next
        }
        step => panic!("{step:?}"),
    };
    let Step::Success { account, data } = ask().resolve(PasswordVerdict::Right) else {
        panic!("refused");
    };
    assert_eq!((account, data), (jid("user@example.com"), None));
    assert_eq!(
        refused(ask().resolve(PasswordVerdict::Wrong)),
        SaslCondition::NotAuthorized
    );
}

/// XEP-0178 §2.
#[test]
fn external_takes_an_account_that_the_certificate_names() {
    use SaslCondition::{InvalidAuthzid, InvalidMechanism, MalformedRequest};
    let one = &["user@example.com"][..];
    let two = &["user@example.com", "other@example.com", "third@example.net"][..];
    for (named, message, expected) in [
        (one, &b""[..], Ok("user@example.com")),
        (one, b"user@example.com", Ok("user@example.com")),
        (one, b"USER@example.com", Ok("user@example.com")),
        (one, b"other@example.com", Err(InvalidAuthzid)),
        (one, b"@", Err(InvalidAuthzid)),
        (one, b"user", Err(InvalidAuthzid)),
        (one, b"user@example.com/desk", Err(InvalidAuthzid)),
        (one, b"\xff", Err(MalformedRequest)),
        (two, b"", Err(InvalidAuthzid)),
        (two, b"other@example.com", Ok("other@example.com")),
        (two, b"third@example.net", Err(InvalidAuthzid)),
        (&["third@example.net"], b"", Err(InvalidMechanism)),
        (&[], b"user@example.com", Err(InvalidMechanism)),
    ] {
        let found = match begin(&certified(named), "EXTERNAL", message) {
            Step::Success {
                account,
                data: None,
            } => Ok(account),
            step => Err(refused(step)),
        };
        assert_eq!(found, expected.map(jid), "{message:?} of {named:?}");
    }
}

/// RFC 6120 §6.4.2: without an initial response the server asks for it with an empty challenge.
#[test]
fn a_missing_initial_response_is_asked_for() {
    let offer = certified(&["user@example.com"]);
    for (mechanism, message) in [
        ("PLAIN", &b"\0user\0pencil"[..]),
        ("SCRAM-SHA-1", b"n,,n=user,r=x"),
        ("EXTERNAL", b""),
    ] {
        let step = Exchange::begin(&offer, mechanism, SERVER_NONCE.to_owned(), None);
        let Step::Challenge { data, next } = step else {
            panic!("{mechanism}: {step:?}");
        };
        assert!(data.is_empty());
        assert!(
            !matches!(next.respond(message), Step::Failure(_)),
            "{mechanism}"
        );
    }
}

#[test]
fn over_long_messages_are_refused() {
    let long = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    for mechanism in ["PLAIN", "SCRAM-SHA-1"] {
        assert_eq!(
            refused(begin(&proxied(), mechanism, &long)),
            SaslCondition::MalformedRequest
        );
    }
    let step = begin(&proxied(), "SCRAM-SHA-1", b"n,,n=user,r=x");
    let (_, next) = challenge(step, None);
    assert_eq!(
        refused(next.respond(&long)),
        SaslCondition::MalformedRequest
    );
}

#[test]
fn condition_names_are_those_of_rfc_6120() {
    let names: Vec<_> = SaslCondition::ALL.iter().map(|c| c.name()).collect();
    assert_eq!(
        names.join(" "),
        "aborted account-disabled credentials-expired encryption-required incorrect-encoding \
         invalid-authzid invalid-mechanism malformed-request mechanism-too-weak not-authorized \
         temporary-auth-failure"
    );
}
