//! Whether a stanza that waits is about somebody who is erased.

use memchr::memmem::find_iter;

/// Whether one of those texts, ids and addresses, is the whole value of an attribute or the whole text of an element in the stanza. One that
/// is part of another, `ann@example.org` in `joann@example.org`, is somebody else's, and one that somebody has quoted among other words is theirs.
#[must_use]
pub fn is_about(stanza: &[u8], texts: &[String]) -> bool {
    texts.iter().any(|text| has_value(stanza, text.as_bytes()))
}

fn has_value(stanza: &[u8], text: &[u8]) -> bool {
    find_iter(stanza, text).any(|at| {
        let before = at.checked_sub(1).and_then(|it| stanza.get(it));
        let behind = stanza.get(at + text.len());
        matches!(
            (before, behind),
            (Some(b'\''), Some(b'\'')) | (Some(b'"'), Some(b'"')) | (Some(b'>'), Some(b'<'))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_values_are_about_somebody() {
        for (stanza, is) in [
            ("<deliver customer='ann'/>", true),
            ("<deliver customer=\"ann\"/>", true),
            ("<address medium='email'>ann@example.org</address>", true),
            ("<offer address='+49301'/>", true),
            ("<deliver customer='joann'/>", false),
            ("<deliver customer='ann2'/>", false),
            ("<address>joann@example.org</address>", false),
            ("<address>ann@example.organic</address>", false),
            ("<offer address='+493012'/>", false),
            ("<text>as ann@example.org says</text>", false),
            ("<text>ann</text><x y='joann'/>", true),
            ("<x y='joann' z='ann'/>", true),
            ("ann", false),
        ] {
            let texts = ["ann", "ann@example.org", "+49301"].map(str::to_owned);
            assert_eq!(is_about(stanza.as_bytes(), &texts), is, "{stanza}");
        }
        assert!(!is_about(b"<x y='ann'/>", &[]));
    }
}
