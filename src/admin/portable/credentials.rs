//! What an account logs in with (XEP-0227 §4.3).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::PIE_SCRAM;
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::xml::Element;

/// Rounds that are taken over. Ten million: a log-in costs a client seconds, and one that has its password in
/// the clear costs the server as much.
const ITERATIONS_MAX: u32 = 10_000_000;

/// Bytes of a salt; those of servers have 16 to 36.
const SALT_BYTES_MAX: usize = 1_024;

const fn mechanism(hash: ScramHash) -> &'static str {
    match hash {
        ScramHash::Sha1 => "SCRAM-SHA-1",
        ScramHash::Sha256 => "SCRAM-SHA-256",
        ScramHash::Sha512 => "SCRAM-SHA-512",
    }
}

/// `<scram-credentials/>`.
pub(super) fn write(keys: &ScramKeys) -> Element {
    let text = |name: &str, text: String| Element::new(PIE_SCRAM, name).text(text);
    let bytes = |name: &str, bytes: &[u8]| text(name, BASE64_STANDARD.encode(bytes));
    Element::new(PIE_SCRAM, "scram-credentials")
        .attr("mechanism", mechanism(keys.hash))
        .child(text("iter-count", keys.iterations.to_string()))
        .child(bytes("salt", &keys.salt))
        .child(bytes("server-key", &keys.server_key))
        .child(bytes("stored-key", &keys.stored_key))
}

/// Reads `<scram-credentials/>`; `None` for a mechanism that this server does not have.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(element: &Element) -> Result<Option<ScramKeys>, String> {
    let name = element.attribute("mechanism").unwrap_or_default();
    let mut hashes = ScramHash::ALL.into_iter();
    let Some(hash) = hashes.find(|hash| mechanism(*hash) == name) else {
        return Ok(None);
    };
    let wrong = |what: &str| format!("{name}: {what}");
    let bytes = |child: &str| {
        let text = element.child_text(PIE_SCRAM, child);
        let text = text.ok_or_else(|| wrong(&format!("no {child}")))?;
        decode(text.as_bytes()).ok_or_else(|| wrong(&format!("{child} is not base64")))
    };
    let keys = ScramKeys {
        hash,
        iterations: iterations(element).map_err(|what| wrong(&what))?,
        salt: bytes("salt")?,
        server_key: bytes("server-key")?,
        stored_key: bytes("stored-key")?,
    };
    let keys = once(keys);
    let length = hash.digest(b"").len();
    if keys.server_key.len() != length || keys.stored_key.len() != length {
        return Err(wrong(&format!(
            "a key has not the {length} bytes of its hash"
        )));
    }
    if keys.salt.is_empty() || keys.salt.len() > SALT_BYTES_MAX {
        return Err(wrong("the salt is empty or too long"));
    }
    Ok(Some(keys))
}

/// "A positive integer without leading zeros."
fn iterations(element: &Element) -> Result<u32, String> {
    let text = element.child_text(PIE_SCRAM, "iter-count");
    let text = text.ok_or("no iter-count")?;
    let text = text.trim();
    let digits = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = text.parse().ok().filter(|count| *count <= ITERATIONS_MAX);
    match count {
        Some(count) if digits => Ok(count),
        _ => Err(format!(
            "iter-count is no number from 1 to {ITERATIONS_MAX}"
        )),
    }
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    BASE64_STANDARD.decode(text).ok()
}

/// ejabberd 23.01 writes base64 of base64: what was encoded twice is decoded twice. Keys have the length of
/// their hash, so that the two cannot be taken for each other.
fn once(keys: ScramKeys) -> ScramKeys {
    let length = keys.hash.digest(b"").len();
    let inner = |bytes: &[u8]| decode(bytes).filter(|inner| inner.len() == length);
    match (
        inner(&keys.server_key),
        inner(&keys.stored_key),
        decode(&keys.salt),
    ) {
        (Some(server_key), Some(stored_key), Some(salt)) if keys.server_key.len() != length => {
            ScramKeys {
                salt,
                stored_key,
                server_key,
                ..keys
            }
        }
        _ => keys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(hash: ScramHash) -> ScramKeys {
        ScramKeys::derive("pencil", hash, b"a salt of bytes!".to_vec(), 4_096).unwrap()
    }

    fn with(name: &str, text: &str) -> Element {
        let whole = write(&keys(ScramHash::Sha256));
        let mut element =
            Element::new(PIE_SCRAM, "scram-credentials").attr("mechanism", "SCRAM-SHA-256");
        for child in whole.children() {
            element.push_child(if child.name() == name {
                Element::new(PIE_SCRAM, name).text(text)
            } else {
                child.clone()
            });
        }
        element
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        for hash in ScramHash::ALL {
            let element = write(&keys(hash));
            assert_eq!(read(&element), Ok(Some(keys(hash))), "{element}");
        }
    }

    #[test]
    fn what_was_encoded_twice_is_decoded_twice() {
        let once = keys(ScramHash::Sha1);
        let twice = ScramKeys {
            salt: BASE64_STANDARD.encode(&once.salt).into(),
            server_key: BASE64_STANDARD.encode(&once.server_key).into(),
            stored_key: BASE64_STANDARD.encode(&once.stored_key).into(),
            ..once
        };
        assert_eq!(read(&write(&twice)), Ok(Some(keys(ScramHash::Sha1))));
    }

    #[test]
    fn bad_credentials_are_refused_and_unknown_ones_passed_over() {
        for (name, text, why) in [
            ("iter-count", "0", "iter-count is no number"),
            ("iter-count", "-5", "iter-count is no number"),
            ("iter-count", "04096", "iter-count is no number"),
            ("iter-count", "99999999999", "iter-count is no number"),
            ("salt", "%%%", "salt is not base64"),
            ("salt", "", "the salt is empty"),
            ("server-key", "AAAA", "a key has not the 32 bytes"),
            ("stored-key", "ä", "stored-key is not base64"),
        ] {
            let refused = read(&with(name, text)).unwrap_err();
            assert!(refused.contains(why), "{name}={text}: {refused}");
        }
        let missing = Element::new(PIE_SCRAM, "scram-credentials").attr("mechanism", "SCRAM-SHA-1");
        assert_eq!(read(&missing), Err("SCRAM-SHA-1: no iter-count".to_owned()));
        let unknown = missing.attr("mechanism", "SCRAM-SHA3-512");
        assert_eq!(read(&unknown), Ok(None));
    }
}
