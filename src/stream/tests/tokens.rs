//! Tokens on the stream (XEP-0484).

use super::sasl2::{OLD_BIND, authenticate, failure2, open, proved, success};
use super::*;
use crate::clock::Timestamp;
use crate::proto::scram::ScramHash;
use crate::stream::sasl::{Secret, Token, TokenMechanism, encode};
use crate::stream::{Exchanged, Redemption};

const AGENT_ID: &str = "d4565fa7-4d72-4749-b3d3-740edbf87770";
const AGENT: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>";
const FAST: &str = "<fast xmlns='urn:xmpp:fast:0' count='7'/>";

fn token(id: &str, mechanism: TokenMechanism, secret: &str, expired: bool) -> Token {
    Token {
        id: id.to_owned(),
        mechanism,
        secret: Secret::from(secret),
        expired,
    }
}

fn hash(secret: &str, side: &str, binding: &[u8]) -> Vec<u8> {
    let message = [side.as_bytes(), binding].concat();
    ScramHash::Sha256.hmac(secret.as_bytes(), &message)
}

fn proof(secret: &str, binding: &[u8]) -> Vec<u8> {
    let proof = hash(secret, "Initiator", binding);
    [&b"alice\0"[..], &proof].concat()
}

/// A stream with both channel bindings.
fn bound() -> Dialogue {
    let exporter = Some(b"exporter".to_vec());
    let end_point = Some(b"end-point".to_vec());
    let security = Security::tls(TlsVersion::V1_3, exporter, end_point, vec![]);
    Dialogue::opened(Tls::Absent, security)
}

/// draft-schmaus-kitten-sasl-ht §3; XEP-0484 §3.4: a token serves the mechanism that it was given
/// for. Mechanism of the client, what it binds to, its token, outcome.
const TABLE: &str = "
    HT-SHA-256-NONE  -          n         new
    HT-SHA-256-ENDP  end-point  p         point
    HT-SHA-256-EXPR  exporter   e         export
    HT-SHA-256-NONE  -          old       credentials-expired
    HT-SHA-256-NONE  -          N         not-authorized
    HT-SHA-256-NONE  -          p         not-authorized
    HT-SHA-256-NONE  end-point  n         not-authorized
    HT-SHA-256-ENDP  -          p         not-authorized
    HT-SHA-256-ENDP  exporter   p         not-authorized
    HT-SHA-256-EXPR  end-point  e         not-authorized
    HT-SHA-256-EXPR  exporter   n         not-authorized
    HT-SHA-256-UNIQ  -          n         malformed-request
    HT-SHA-512-NONE  -          n         malformed-request
";

#[test]
fn a_token_proves_the_account_by_its_mechanism_and_channel() {
    for row in TABLE.lines().skip(1).filter(|row| !row.trim().is_empty()) {
        let mut columns = row.split_whitespace();
        let mut column = || columns.next().unwrap();
        let (mechanism, binding) = (column(), column().trim_start_matches('-').as_bytes());
        let (secret, outcome) = (column(), column());
        let mut dialogue = bound();
        let beside = format!("{AGENT}{FAST}");
        let output = dialogue.say(&authenticate(mechanism, &proof(secret, binding), &beside));
        let output = match &output.next {
            Next::Tokens { account, agent } => {
                assert_eq!(
                    (account.as_str(), agent.as_str()),
                    ("alice@example.com", AGENT_ID)
                );
                dialogue.tell(Input::Tokens(vec![
                    token("new", TokenMechanism::Unbound, "n", false),
                    token("old", TokenMechanism::Unbound, "old", true),
                    token("point", TokenMechanism::EndPoint, "p", false),
                    token("export", TokenMechanism::Exporter, "e", false),
                ]))
            }
            _ => output,
        };
        if !matches!(output.next, Next::Admit { .. }) {
            assert_eq!(sent(&output), failure2(outcome), "{row}");
            // Only what may have been a guess is answered late.
            let guess = outcome == "not-authorized";
            assert_eq!(output.delay > Duration::ZERO, guess, "{row}");
            continue;
        }
        let output = dialogue.tell(Input::Admission(Admission::Granted));
        let Next::Exchange { redeemed, .. } = output.next else {
            panic!("{output:?}");
        };
        assert_eq!(redeemed.unwrap().token, outcome, "{row}");
        let output = dialogue.tell(Input::Exchanged(Exchanged::Kept));
        let data = encode(&hash(secret, "Responder", binding));
        let data = format!("<additional-data>{data}</additional-data>");
        assert_eq!(
            sent(&output),
            success(&data, "alice@example.com", "", OLD_BIND),
            "{row}"
        );
    }
}

#[test]
fn what_is_no_use_of_a_token_fails_with_its_condition() {
    let right = proof("n", b"");
    let with = |message: &[u8], beside: &str| authenticate("HT-SHA-256-NONE", message, beside);
    let both = format!("{AGENT}{FAST}");
    let no_response = format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'>{both}</authenticate>"
    );
    for (said, condition) in [
        (with(&right, FAST), "malformed-request"),
        (
            with(&right, &format!("{FAST}<user-agent/>")),
            "malformed-request",
        ),
        (with(&right, AGENT), "malformed-request"),
        (no_response, "malformed-request"),
        (with(b"", &both), "malformed-request"),
        (with(b"alice", &both), "malformed-request"),
        (with(b"alice\0short", &both), "malformed-request"),
        (with(&right[5..], &both), "malformed-request"),
        (
            with(&[&b"\xff"[..], &right[5..]].concat(), &both),
            "malformed-request",
        ),
        (
            with(&[&b"a b"[..], &right[5..]].concat(), &both),
            "not-authorized",
        ),
        (
            authenticate("HT-SHA-256-ENDP", &right, &both),
            "invalid-mechanism",
        ),
        (
            authenticate("PLAIN", b"\0alice\0secret", &both),
            "malformed-request",
        ),
    ] {
        let output = open().say(&said);
        assert_eq!(sent(&output), failure2(condition), "{said}");
    }
    let mut rules = rules(Tls::Absent);
    rules.tokens = false;
    let mut dialogue = Dialogue::new(rules, encrypted());
    dialogue.say(OPEN);
    let output = dialogue.say(&with(&right, &both));
    assert_eq!(sent(&output), failure2("invalid-mechanism"));
}

/// An account that has none, or another client's, or a revoked one, all look the same.
#[test]
fn a_token_that_the_store_does_not_have_is_a_wrong_one() {
    let mut dialogue = open();
    let beside = format!("{AGENT}{FAST}");
    dialogue.say(&authenticate("HT-SHA-256-NONE", &proof("n", b""), &beside));
    let output = dialogue.tell(Input::Tokens(vec![]));
    assert_eq!(sent(&output), failure2("not-authorized"));
    assert_eq!(output.delay, Duration::from_millis(500));
    dialogue.say(&authenticate("HT-SHA-256-NONE", &proof("n", b""), &beside));
    let output = dialogue.tell(Input::Unavailable);
    assert_eq!(sent(&output), failure2("temporary-auth-failure"));
    assert_eq!(output.delay, Duration::ZERO);
}

/// A dialogue whose client has proved a token, and what the store is to do with it.
fn redeeming(beside: &str) -> (Dialogue, Output) {
    let mut dialogue = open();
    let beside = format!("{AGENT}{beside}");
    dialogue.say(&authenticate("HT-SHA-256-NONE", &proof("n", b""), &beside));
    let tokens = vec![token("new", TokenMechanism::Unbound, "n", false)];
    dialogue.tell(Input::Tokens(tokens));
    let output = dialogue.tell(Input::Admission(Admission::Granted));
    (dialogue, output)
}

/// XEP-0484 §3.4, §3.6.
#[test]
fn count_and_invalidation_are_the_stores_to_judge() {
    let redemption = |count, invalidate| Redemption {
        token: "new".to_owned(),
        count,
        invalidate,
    };
    for (attributes, expected) in [
        ("", redemption(None, false)),
        ("count='0'", redemption(Some(0), false)),
        ("count='4294967295'", redemption(Some(u32::MAX), false)),
        ("invalidate='true'", redemption(None, true)),
        ("invalidate='1' count='2'", redemption(Some(2), true)),
        ("invalidate='0'", redemption(None, false)),
    ] {
        let (_, output) = redeeming(&format!("<fast xmlns='urn:xmpp:fast:0' {attributes}/>"));
        let Next::Exchange {
            redeemed, request, ..
        } = output.next
        else {
            panic!("{output:?}");
        };
        assert_eq!((redeemed, request), (Some(expected), None), "{attributes}");
    }
    let (mut dialogue, _) = redeeming(FAST);
    let output = dialogue.tell(Input::Exchanged(Exchanged::Refused));
    assert_eq!(sent(&output), failure2("not-authorized"));
}

/// XEP-0484 §3.2, §3.3, §3.5.
#[test]
fn a_token_comes_with_success() {
    let asked = |mechanism: &str| {
        format!("<request-token xmlns='urn:xmpp:fast:0' mechanism='{mechanism}'/>")
    };
    let issued = || {
        Input::Exchanged(Exchanged::Issued {
            token: Secret::from("s3cret"),
            expiry: Timestamp::from_micros(1_790_000_000_000_000),
        })
    };
    let element = "<token xmlns='urn:xmpp:fast:0' expiry='2026-09-21T14:13:20Z' token='s3cret'/>";
    let plain = |beside: &str| authenticate("PLAIN", b"\0alice\0secret", beside);
    let (mut dialogue, output) = proved(&plain(&format!("{AGENT}{}", asked("HT-SHA-256-NONE"))));
    let Next::Exchange {
        redeemed, request, ..
    } = output.next
    else {
        panic!("{output:?}");
    };
    assert_eq!((redeemed, request), (None, Some(TokenMechanism::Unbound)));
    assert!(!format!("{:?}", issued()).contains("s3cret"));
    let output = dialogue.tell(issued());
    assert_eq!(
        sent(&output),
        success("", "alice@example.com", element, OLD_BIND)
    );

    // One that nobody asked for replaces an old one.
    let (mut dialogue, _) = redeeming(FAST);
    assert!(sent(&dialogue.tell(issued())).contains(element));

    // No installation, or no mechanism that this stream offers: no token, and no harm.
    for beside in [
        asked("HT-SHA-256-NONE"),
        format!("{AGENT}{}", asked("HT-SHA-256-ENDP")),
        format!("{AGENT}{}", asked("HT-SHA3-512-NONE")),
        format!("{AGENT}<request-token xmlns='urn:xmpp:fast:0'/>"),
    ] {
        let (_, output) = proved(&plain(&beside));
        assert_eq!(
            sent(&output),
            success("", "alice@example.com", "", OLD_BIND),
            "{beside}"
        );
    }
}
