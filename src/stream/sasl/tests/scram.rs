//! SCRAM logins (RFC 5802), right and wrong.

use super::*;

/// A SCRAM login of a client that knows the password; gives the end.
fn scram(offer: &Offer, mechanism: &str, header: &str, bound_to: &[u8]) -> Step {
    let Some(Mechanism::Scram { hash, .. }) = Mechanism::parse(mechanism) else {
        panic!("not SCRAM: {mechanism}");
    };
    let bare = format!("n=user,r={CLIENT_NONCE}");
    match begin(offer, mechanism, format!("{header}{bare}").as_bytes()) {
        Step::Failure(failure) => Step::Failure(failure),
        step => {
            let (server_first, next) = challenge(step, Some(keys(hash, "pencil")));
            next.respond(last_message(hash, "pencil", &bare, &server_first, bound_to).as_bytes())
        }
    }
}

/// RFC 5802 §5, message for message but for the hash of the offer (XEP-0474 §5.1), which both sides
/// sign; the signatures were computed with another implementation.
#[test]
fn the_published_exchange_is_played() {
    let step = begin(
        &proxied(),
        "SCRAM-SHA-1",
        b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    );
    let Step::NeedKeys {
        account,
        hash,
        next,
    } = step
    else {
        panic!("{step:?}");
    };
    assert_eq!((account, hash), (jid("user@example.com"), ScramHash::Sha1));
    let salt = decode("QSXCR+Q6sek8bf92").unwrap();
    let stored = ScramKeys::derive("pencil", ScramHash::Sha1, salt, 4096).unwrap();
    let Step::Challenge { data, next } = next.resolve(Some(stored), &decoys()) else {
        panic!("no challenge");
    };
    assert_eq!(
        String::from_utf8(data).unwrap(),
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,h=kVLl39cvECZMGTnGJtnylZ6DMT8="
    );
    let step = next.respond(
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=8XrjNgtWqJRFFMqe83BU/v9dsbc=",
    );
    let Step::Success { account, data } = step else {
        panic!("{step:?}");
    };
    assert_eq!(account, jid("user@example.com"));
    assert_eq!(data.unwrap(), b"v=2FU+4EtrEbZvjHUgbbqF4FpAH8E=");
}

/// RFC 5802 §6: what the client says of channel binding, against mechanism and stream.
/// Stream, mechanism, flag, bound data (`-` is none), outcome.
const BINDING_TABLE: &str = "
    proxied    SCRAM-SHA-256       n                       -          success
    proxied    SCRAM-SHA-256       y                       -          success
    proxied    SCRAM-SHA-256       p=tls-exporter          exporter   channel-binding-not-supported
    bound      SCRAM-SHA-256       n                       -          success
    bound      SCRAM-SHA-256       y                       -          server-does-support-channel-binding
    bound      SCRAM-SHA-256       p=tls-exporter          exporter   channel-binding-not-supported
    bound      SCRAM-SHA-256-PLUS  n                       -          other-error
    bound      SCRAM-SHA-256-PLUS  y                       -          server-does-support-channel-binding
    bound      SCRAM-SHA-1-PLUS    p=tls-exporter          exporter   success
    bound      SCRAM-SHA-256-PLUS  p=tls-exporter          exporter   success
    bound      SCRAM-SHA-512-PLUS  p=tls-exporter          exporter   success
    bound      SCRAM-SHA-256-PLUS  p=tls-server-end-point  end-point  success
    bound      SCRAM-SHA-256-PLUS  p=tls-unique            unique     unsupported-channel-binding-type
    end-point  SCRAM-SHA-256-PLUS  p=tls-server-end-point  end-point  success
    end-point  SCRAM-SHA-256-PLUS  p=tls-exporter          exporter   unsupported-channel-binding-type
    end-point  SCRAM-SHA-256       y                       -          server-does-support-channel-binding
    bound      SCRAM-SHA-256-PLUS  p=tls-exporter          end-point  channel-bindings-dont-match
    bound      SCRAM-SHA-256-PLUS  p=tls-server-end-point  exporter   channel-bindings-dont-match
    bound      SCRAM-SHA-256-PLUS  p=tls-exporter          Exporter   channel-bindings-dont-match
    bound      SCRAM-SHA-256-PLUS  p=tls-exporter          exporter+  channel-bindings-dont-match
    bound      SCRAM-SHA-256-PLUS  p=tls-exporter          exporte    channel-bindings-dont-match
    bound      SCRAM-SHA-256-PLUS  p=tls-server-end-point  -          channel-bindings-dont-match
    bound      SCRAM-SHA-256       n                       exporter   channel-bindings-dont-match
";

#[test]
fn channel_binding_is_decided_by_flag_mechanism_and_stream() {
    for row in BINDING_TABLE.lines().skip(1) {
        let mut columns = row.split_whitespace();
        let mut column = || columns.next().unwrap();
        let stream = match column() {
            "proxied" => proxied(),
            "bound" => bound(),
            "end-point" => offer(Security::tls(
                TlsVersion::V1_2,
                Some(b"exporter".to_vec()),
                Some(b"end-point".to_vec()),
                vec![],
            )),
            other => panic!("{other}"),
        };
        let (mechanism, header) = (column(), format!("{},,", column()));
        let bound_to = format!("{header}{}", column().trim_start_matches('-'));
        let outcome = match scram(&stream, mechanism, &header, bound_to.as_bytes()) {
            Step::Success { data: Some(_), .. } => "success".to_owned(),
            step => failure(step).detail.unwrap().to_string(),
        };
        assert_eq!(outcome, column(), "{row}");
    }
}

#[test]
fn a_header_other_than_the_first_one_is_refused() {
    for changed in ["y,,", "n,a=user@example.com,", "n", "n,", "n,,,"] {
        assert_eq!(
            failure(scram(&proxied(), "SCRAM-SHA-1", "n,,", changed.as_bytes())),
            ScramError::ChannelBindingsDontMatch.into(),
            "{changed}"
        );
    }
}

#[test]
fn wrong_last_messages_are_refused() {
    let hash = ScramHash::Sha256;
    let bare = format!("n=user,r={CLIENT_NONCE}");
    for (break_it, error) in [
        (
            (|m| m.replace(SERVER_NONCE, "")) as fn(String) -> String,
            ScramError::Nonce,
        ),
        (
            |m| m.replace(SERVER_NONCE, "3rfcNHYJY1ZVvWVs7"),
            ScramError::Nonce,
        ),
        (
            |m| m.replace(SERVER_NONCE, "3rfcNHYJY1ZVvWVs7jX"),
            ScramError::Nonce,
        ),
        (|m| m.replace(CLIENT_NONCE, "other"), ScramError::Nonce),
        // Signed by nobody.
        (|m| m.replace(",p=", ",x=1,p="), ScramError::InvalidProof),
        (
            |m| format!("{}p=AAE=", m.split("p=").next().unwrap()),
            ScramError::InvalidProof,
        ),
        (
            |m| m.replace("c=", "m=1,c="),
            ScramError::ExtensionsNotSupported,
        ),
        (|_| String::new(), ScramError::Syntax),
    ] {
        let first = format!("n,,{bare}");
        let step = begin(&proxied(), "SCRAM-SHA-256", first.as_bytes());
        let (server_first, next) = challenge(step, Some(keys(hash, "pencil")));
        let message = break_it(last_message(hash, "pencil", &bare, &server_first, b"n,,"));
        assert_eq!(
            failure(next.respond(message.as_bytes())),
            error.into(),
            "{message}"
        );
    }
}

#[test]
fn unknown_extensions_are_signed_and_skipped() {
    let hash = ScramHash::Sha1;
    let bare = format!("n=user,r={CLIENT_NONCE},f=anything=at all");
    let step = begin(&proxied(), "SCRAM-SHA-1", format!("n,,{bare}").as_bytes());
    let (server_first, next) = challenge(step, Some(keys(hash, "pencil")));
    let message = last_message(hash, "pencil", &bare, &server_first, b"n,,");
    assert!(matches!(
        next.respond(message.as_bytes()),
        Step::Success { .. }
    ));
}

#[test]
fn an_unknown_user_looks_like_a_wrong_password() {
    for hash in ScramHash::ALL {
        let mechanism = Mechanism::Scram { hash, plus: false }.name();
        let play = |name: &str, stored: Option<ScramKeys>| {
            let bare = format!("n={name},r={CLIENT_NONCE}");
            let step = begin(&proxied(), mechanism, format!("n,,{bare}").as_bytes());
            let (server_first, next) = challenge(step, stored);
            let message = last_message(hash, "guess", &bare, &server_first, b"n,,");
            (server_first, failure(next.respond(message.as_bytes())))
        };
        let (known, wrong) = play("user", Some(keys(hash, "pencil")));
        let (unknown, absent) = play("nobody", None);
        assert_eq!(wrong, absent);
        assert_eq!(wrong.condition, SaslCondition::NotAuthorized);
        assert_eq!(known.len(), unknown.len());
        assert_ne!(known, unknown);
        assert_eq!(unknown, play("nobody", None).0, "the salt is steady");
    }
}

#[test]
fn keys_for_another_hash_are_a_fault_of_the_server() {
    let step = begin(&proxied(), "SCRAM-SHA-256", b"n,,n=user,r=x");
    let Step::NeedKeys { next, .. } = step else {
        panic!("{step:?}");
    };
    assert_eq!(
        refused(next.resolve(Some(keys(ScramHash::Sha1, "pencil")), &decoys())),
        SaslCondition::TemporaryAuthFailure
    );
}

/// RFC 6120 §6.3.8, RFC 5802 §5.1.
#[test]
fn user_names_are_prepared_and_authzid_must_be_the_account() {
    use SaslCondition::{InvalidAuthzid, MalformedRequest, NotAuthorized};
    for (first, expected) in [
        ("n,,n=User,r=x", Ok("user@example.com")),
        ("n,,n=us\u{AD}er,r=x", Ok("user@example.com")),
        ("n,,n=\u{2168},r=x", Ok("ix@example.com")),
        ("n,,n=a=2Cb,r=x", Ok("a,b@example.com")),
        ("n,,n=a=3Db,r=x", Ok("a=b@example.com")),
        ("n,a=user@example.com,n=user,r=x", Ok("user@example.com")),
        ("n,a=USER@example.com,n=user,r=x", Ok("user@example.com")),
        ("n,a=other@example.com,n=user,r=x", Err(InvalidAuthzid)),
        ("n,a=user@example.net,n=user,r=x", Err(InvalidAuthzid)),
        ("n,a=user@example.com/desk,n=user,r=x", Err(InvalidAuthzid)),
        ("n,a=user,n=user,r=x", Err(InvalidAuthzid)),
        ("n,a=@,n=user,r=x", Err(InvalidAuthzid)),
        ("n,,n=user@example.com,r=x", Err(NotAuthorized)),
        ("n,,n=us er,r=x", Err(NotAuthorized)),
        ("n,,n=\u{AD},r=x", Err(NotAuthorized)),
        ("n,,n=\u{7},r=x", Err(NotAuthorized)),
        ("n,,n=\u{627}1,r=x", Err(NotAuthorized)),
        ("n,,n=a=b,r=x", Err(MalformedRequest)),
    ] {
        let found = match begin(&proxied(), "SCRAM-SHA-1", first.as_bytes()) {
            Step::NeedKeys { account, .. } => Ok(account.to_string()),
            step => Err(refused(step)),
        };
        assert_eq!(found.as_deref(), expected.as_ref().copied(), "{first}");
    }
}
