//! Media types (RFC 6838 §4.2, written as RFC 9110 §8.3.1 says): what a file says that it is.
//!
//! Pure: what is declared is read and compared here; nobody looks into the file.

/// The longest media type with its parameters; real ones stay below 130 bytes.
const BYTES_MAX: usize = 255;

/// A media type with its parameters, `text/plain; charset=utf-8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    text: String,
    essence: String,
}

impl MediaType {
    /// Reads one; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let graphic = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if text.len() > BYTES_MAX || !graphic {
            return None;
        }
        let essence = text.split(';').next()?.trim_end_matches(' ');
        let (kind, subtype) = essence.split_once('/')?;
        (is_name(kind) && is_name(subtype)).then(|| Self {
            text: text.to_owned(),
            essence: essence.to_ascii_lowercase(),
        })
    }

    /// As it was written, without white space around it: fit for a header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Type and subtype without parameters, in lower case: `text/plain`. Two media types are the
    /// same kind of file when these are equal.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Whether a browser may show it in place of saving it: pictures, sound and films that cannot
    /// contain a script, as SVG and HTML can.
    #[must_use]
    pub fn is_safe_inline(&self) -> bool {
        SAFE_INLINE.contains(&self.essence.as_str())
    }
}

/// A restricted name (RFC 6838 §4.2).
fn is_name(text: &str) -> bool {
    let first = text.bytes().next();
    let symbol = |byte: u8| b"!#$&-^_.+".contains(&byte);
    first.is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.len() <= 127
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}

const SAFE_INLINE: &[&str] = &[
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/wav",
    "audio/webm",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/jpeg",
    "image/jxl",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_read_as_rfc_9110_section_8_3_1_writes_them() {
        for (text, essence) in [
            ("image/jpeg", Some("image/jpeg")),
            ("IMAGE/JPEG", Some("image/jpeg")),
            (" text/plain ; charset=utf-8", Some("text/plain")),
            (
                "application/vnd.oasis.opendocument.text",
                Some("application/vnd.oasis.opendocument.text"),
            ),
            ("image/svg+xml", Some("image/svg+xml")),
            ("", None),
            ("image", None),
            ("image/", None),
            ("/jpeg", None),
            ("image/jpeg/x", None),
            ("*/*", None),
            ("image/*", None),
            ("im age/jpeg", None),
            ("text/plain\r\nX: y", None),
            ("text/pläin", None),
        ] {
            let read = MediaType::parse(text);
            assert_eq!(read.as_ref().map(MediaType::essence), essence, "{text:?}");
        }
        assert_eq!(MediaType::parse(&format!("a/b;{}", "c".repeat(255))), None);
    }

    #[test]
    fn what_may_hold_a_script_is_not_shown_inline() {
        for (text, safe) in [
            ("image/png", true),
            ("Audio/Ogg; codecs=opus", true),
            ("video/mp4", true),
            ("image/svg+xml", false),
            ("text/html", false),
            ("text/plain", false),
            ("application/pdf", false),
            ("application/xhtml+xml", false),
        ] {
            let read = MediaType::parse(text).unwrap();
            assert_eq!(read.is_safe_inline(), safe, "{text}");
        }
    }
}
