//! The id of an upload, which is also its place on the disk.

use crate::id;

/// 32 hexadecimal digits in lower case, not guessable. Nothing else ever becomes a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(String);

impl UploadId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(id::random())
    }

    /// Reads one; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_digits_are_an_id() {
        let random = UploadId::random();
        assert_eq!(UploadId::parse(random.as_str()), Some(random));
        for wrong in [
            "",
            "..",
            "../../../../../../../../etc/pass",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdeff",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789abcde/",
            "0123456789abcdef0123456789abcd\0f",
            "0123456789abcdef0123456789abc%2e",
            "٠١٢٣٤٥٦٧٨٩٠١٢٣٤٥",
        ] {
            assert_eq!(UploadId::parse(wrong), None, "{wrong:?}");
        }
    }
}
