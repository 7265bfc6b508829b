//! XEP-0220: Server Dialback, version 1.1.1: its elements and, by XEP-0185, its keys.
//!
//! Elements are written with the prefix `db`, which the stream header declares: some servers know them by it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::wire;
use crate::proto::{Condition, ErrorType, StreamCondition, StreamError, ns};
use crate::xml::{Element, write};

/// Our domain and the other server's; of a stream, or of a part of what goes over it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    /// A domain of ours.
    pub(super) local: String,
    /// The other server's.
    pub(super) remote: String,
}

/// What keys are made with.
#[derive(Clone)]
pub(super) struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hex(&Sha256::digest(secret)))
    }

    /// XEP-0185 §3: the key by which `originating` (the sender domain) proves to `receiving` that
    /// it is behind the stream to it with that id.
    pub(super) fn key(&self, receiving: &str, originating: &str, stream: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("a key of any length");
        mac.update(format!("{receiving} {originating} {stream}").as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Whether that is our key.
    pub(super) fn verifies(
        &self,
        key: &str,
        receiving: &str,
        originating: &str,
        stream: &str,
    ) -> bool {
        let expected = self.key(receiving, originating, stream);
        expected.as_bytes().ct_eq(key.trim().as_bytes()).into()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The answer to `<db:result/>` or `<db:verify/>` (§2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The key is the domain's.
    Valid,
    /// It is not.
    Invalid,
    /// It could not be found out, or is not wanted to be.
    Error(Condition),
}

impl Verdict {
    /// Reads the answer; `None` for a request.
    pub(super) fn read(element: &Element) -> Option<Self> {
        let condition = || {
            let error = element.children().find(|child| child.name() == "error")?;
            let named = error.children().find(|it| it.ns() == ns::STANZA_ERRORS)?;
            Condition::from_name(named.name())
        };
        match element.attribute("type")? {
            "valid" => Some(Self::Valid),
            "invalid" => Some(Self::Invalid),
            _ => Some(Self::Error(
                condition().unwrap_or(Condition::UndefinedCondition),
            )),
        }
    }
}

/// The domains of an element of theirs.
///
/// # Errors
/// The end of the stream when one is missing or none.
pub(super) fn addressed(element: &Element) -> Result<Pair, StreamError> {
    let domain = |name: &str| element.attribute(name).and_then(wire::domain);
    match (domain("from"), domain("to")) {
        (Some(remote), Some(local)) => Ok(Pair { local, remote }),
        _ => Err(StreamCondition::ImproperAddressing.into()),
    }
}

/// `<db:result/>` with a key: the request to be believed.
pub(super) fn result(out: &mut Vec<u8>, pair: &Pair, key: &str) {
    open(out, "result", &pair.local, &pair.remote, None);
    out.push(b'>');
    write::escape_text(out, key);
    out.extend_from_slice(b"</db:result>");
}

/// `<db:verify/>` with a key that the other domain is said to have made.
pub(super) fn verify(out: &mut Vec<u8>, pair: &Pair, id: &str, key: &str) {
    open(out, "verify", &pair.local, &pair.remote, Some(id));
    out.push(b'>');
    write::escape_text(out, key);
    out.extend_from_slice(b"</db:verify>");
}

/// The answer to either; with the id of the stream it is about for `<db:verify/>`.
pub(super) fn answer(
    out: &mut Vec<u8>,
    name: &str,
    from: &str,
    to: &str,
    id: Option<&str>,
    verdict: Verdict,
) {
    open(out, name, from, to, id);
    match verdict {
        Verdict::Valid => out.extend_from_slice(b" type='valid'/>"),
        Verdict::Invalid => out.extend_from_slice(b" type='invalid'/>"),
        Verdict::Error(condition) => {
            out.extend_from_slice(b" type='error'>");
            let kind = match condition.default_type() {
                ErrorType::Wait => ErrorType::Wait,
                ErrorType::Auth | ErrorType::Cancel | ErrorType::Continue | ErrorType::Modify => {
                    ErrorType::Cancel
                }
            };
            let error = Element::new(ns::SERVER, "error")
                .attr("type", kind.name())
                .child(Element::new(ns::STANZA_ERRORS, condition.name()));
            write::element(out, &error, ns::SERVER);
            out.extend_from_slice(format!("</db:{name}>").as_bytes());
        }
    }
}

fn open(out: &mut Vec<u8>, name: &str, from: &str, to: &str, id: Option<&str>) {
    out.extend_from_slice(format!("<db:{name}").as_bytes());
    for (name, value) in [("from", Some(from)), ("to", Some(to)), ("id", id)] {
        if let Some(value) = value {
            out.extend_from_slice(format!(" {name}='").as_bytes());
            write::escape_attribute(out, value);
            out.push(b'\'');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Limits, Scope, parse};

    // XEP-0185 §4
    #[test]
    fn a_key_is_that_of_the_example() {
        let secret = Secret::new(b"s3cr3tf0rd14lb4ck");
        let key = "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643";
        let (receiving, originating, id) = ("xmpp.example.com", "example.org", "D60000229F");
        assert_eq!(secret.key(receiving, originating, id), key);
        assert!(secret.verifies(key, receiving, originating, id));
        assert!(!secret.verifies(key, originating, receiving, id));
        assert!(!secret.verifies(key.trim_start_matches('3'), receiving, originating, id));
        assert!(!secret.verifies("", receiving, originating, id));
    }

    fn read(bytes: Vec<u8>) -> Element {
        let scope: Scope = [("", ns::SERVER), ("db", ns::DIALBACK)]
            .into_iter()
            .collect();
        let parsed = parse(bytes.into(), &scope, &Limits::default()).unwrap();
        parsed.to_element().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let pair = Pair {
            local: "a.example".to_owned(),
            remote: "b.example".to_owned(),
        };
        let mut out = Vec::new();
        verify(&mut out, &pair, "i'd", "k<y");
        let element = read(out);
        assert!(element.is(ns::DIALBACK, "verify"));
        assert_eq!(element.attribute("from"), Some("a.example"));
        assert_eq!(element.attribute("id"), Some("i'd"));
        assert_eq!(element.text_content(), "k<y");
        assert_eq!(Verdict::read(&element), None);
        for verdict in [
            Verdict::Valid,
            Verdict::Invalid,
            Verdict::Error(Condition::ItemNotFound),
        ] {
            let mut out = Vec::new();
            answer(&mut out, "result", "b.example", "a.example", None, verdict);
            let element = read(out);
            assert!(element.is(ns::DIALBACK, "result"));
            assert_eq!(Verdict::read(&element), Some(verdict));
        }
    }
}
