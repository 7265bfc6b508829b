//! OAUTHBEARER: a token that somebody else signed (RFC 7628).
//!
//! The channel is TLS's, as the mechanism demands; what a client says of host and port is passed over.

use super::exchange::authorize;
use super::{Exchange, Failure, Offer, SaslCondition, Secret, Step};
use crate::proto::jid::BareJid;

/// Takes the client's first message (§3.1): a GS2 header, then `auth=Bearer …` among pairs that
/// end in U+0001.
pub(super) fn respond(offer: &Offer, message: &[u8]) -> Result<Step, Failure> {
    let text = std::str::from_utf8(message).map_err(|_| SaslCondition::MalformedRequest)?;
    let (authzid, pairs) = header(text).ok_or(SaslCondition::MalformedRequest)?;
    let token = token(pairs).ok_or(SaslCondition::MalformedRequest)?;
    Ok(Step::NeedBearerCheck {
        host: offer.host.clone(),
        token: Secret::from(token),
        next: AwaitingBearer { authzid },
    })
}

/// The identity to act as, unescaped, and what follows the header (RFC 5801 §4). Channel binding is
/// for another mechanism.
fn header(text: &str) -> Option<(String, &str)> {
    let rest = text
        .strip_prefix("n,")
        .or_else(|| text.strip_prefix("y,"))?;
    let (authzid, pairs) = rest.split_once(',')?;
    let authzid = match authzid.strip_prefix("a=") {
        Some("") => return None,
        Some(name) => unescape(name)?,
        None if authzid.is_empty() => String::new(),
        None => return None,
    };
    Some((authzid, pairs))
}

/// RFC 5801 §4: comma and equals sign are written as `=2C` and `=3D`.
fn unescape(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (letter, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            (None, None) => return None,
        };
        plain.push(letter);
        plain.push_str(rest);
    }
    (!plain.contains('\0')).then_some(plain)
}

/// The token among the pairs; empty when the client has none and asks where to get one (§4.3).
fn token(pairs: &str) -> Option<&str> {
    let pairs = pairs.strip_prefix(SEPARATOR)?;
    let mut token = None;
    // The last pair has its own end, and the message another.
    let pairs = pairs.strip_suffix(SEPARATOR)?;
    let pairs = match pairs.strip_suffix(SEPARATOR) {
        Some(pairs) => pairs,
        None if pairs.is_empty() => return Some(""),
        None => return None,
    };
    for pair in pairs.split(SEPARATOR) {
        let (key, value) = pair.split_once('=')?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        if key == "auth" && token.replace(value).is_some() {
            return None;
        }
    }
    match token {
        None | Some("") => Some(""),
        Some(value) => bearer(value),
    }
}

/// RFC 6750 §2.1: `Bearer`, in whatever case, and a token of the letters that it may have.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let good = scheme.eq_ignore_ascii_case("Bearer") && token.bytes().all(allowed);
    good.then_some(token)
}

/// What came out of [`Step::NeedBearerCheck`].
#[derive(Debug, PartialEq, Eq)]
pub enum BearerVerdict {
    /// The token is good, and it is this account's.
    Right(BareJid),
    /// It is not; the JSON of RFC 7628 §3.2.2 says why, and where to get another.
    Refused(Vec<u8>),
}

/// An exchange that waits for the check of a token.
#[derive(Debug)]
pub struct AwaitingBearer {
    authzid: String,
}

impl AwaitingBearer {
    /// Ends the exchange, or tells the client why it will fail (§3.2.3): whatever the client says to that,
    /// the failure follows.
    #[must_use]
    pub fn resolve(self, verdict: BearerVerdict) -> Step {
        match verdict {
            BearerVerdict::Right(account) => match authorize(&self.authzid, &account) {
                Ok(()) => Step::Success {
                    account,
                    data: None,
                },
                Err(failure) => failure.into(),
            },
            BearerVerdict::Refused(data) => Step::Challenge {
                data,
                next: Exchange::refused(),
            },
        }
    }
}

/// `kvsep`.
const SEPARATOR: char = '\u{1}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_apart_as_rfc_7628_section_3_1_says() {
        for (message, expected) in [
            ("n,,\x01auth=Bearer a.b.c\x01\x01", Some(("", "a.b.c"))),
            ("y,,\x01auth=bearer  a.b.c=\x01\x01", Some(("", "a.b.c="))),
            (
                "n,a=user@example.com,\x01host=x\x01port=5222\x01auth=Bearer t\x01\x01",
                Some(("user@example.com", "t")),
            ),
            (
                "n,a=a=2Cb=3D,\x01auth=Bearer t\x01\x01",
                Some(("a,b=", "t")),
            ),
            ("n,,\x01auth=\x01\x01", Some(("", ""))),
            ("n,,\x01host=x\x01\x01", Some(("", ""))),
            ("n,,\x01\x01", Some(("", ""))),
            ("", None),
            ("n,,", None),
            ("n,,\x01auth=Bearer t\x01", None),
            ("n,,\x01auth=Bearer t", None),
            ("n,,auth=Bearer t\x01\x01", None),
            ("p=tls-exporter,,\x01auth=Bearer t\x01\x01", None),
            ("n,user,\x01auth=Bearer t\x01\x01", None),
            ("n,a=,\x01auth=Bearer t\x01\x01", None),
            ("n,a=a=2c,\x01auth=Bearer t\x01\x01", None),
            ("n,,\x01auth=Basic t\x01\x01", None),
            ("n,,\x01auth=Bearer t t\x01\x01", None),
            ("n,,\x01auth=Bearer <t>\x01\x01", None),
            ("n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01", None),
            ("n,,\x01=x\x01\x01", None),
            ("n,,\x01auth\x01\x01", None),
            ("n,,\x01auth=Bearer t\x01\x01x", None),
        ] {
            let found = header(message).and_then(|(authzid, pairs)| Some((authzid, token(pairs)?)));
            let found = found
                .as_ref()
                .map(|(authzid, token)| (authzid.as_str(), *token));
            assert_eq!(found, expected, "{message:?}");
        }
    }

    #[test]
    fn nobody_acts_for_another() {
        let account = BareJid::new("anna@example.com").unwrap();
        for (authzid, good) in [
            ("", true),
            ("Anna@example.com", true),
            ("bert@example.com", false),
            ("anna", false),
        ] {
            let waiting = AwaitingBearer {
                authzid: authzid.to_owned(),
            };
            let step = waiting.resolve(BearerVerdict::Right(account.clone()));
            match step {
                Step::Success { account: found, .. } if good => assert_eq!(found, account),
                Step::Failure(failure) if !good => {
                    assert_eq!(failure.condition, SaslCondition::InvalidAuthzid);
                }
                step => panic!("{authzid}: {step:?}"),
            }
        }
    }

    /// RFC 7628 §3.2.3.
    #[test]
    fn the_reason_is_told_before_the_failure_whatever_the_client_says_to_it() {
        for said in [&b"\x01"[..], b"", b"n,,\x01auth=Bearer t\x01\x01"] {
            let waiting = AwaitingBearer {
                authzid: String::new(),
            };
            let step = waiting.resolve(BearerVerdict::Refused(b"{}".to_vec()));
            let Step::Challenge { data, next } = step else {
                panic!("{step:?}");
            };
            assert_eq!(data, b"{}");
            let Step::Failure(failure) = next.respond(said) else {
                panic!("not over");
            };
            assert_eq!(failure.condition, SaslCondition::NotAuthorized);
            assert!(failure.is_guess());
        }
    }
}
