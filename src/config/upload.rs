//! `[upload]`: files that clients hand to each other over HTTP.

use super::section::section;
use super::units::{Bytes, Seconds};
use super::value::{Scalar, quoted};

section! {
    /// Files that clients upload for each other (XEP-0363), at upload.DOMAIN of each host. The
    /// service is there when it is known where clients reach it: by a public_url, or by an
    /// address for https in `[listen]`. Which web pages may use it says `[http]` origins.
    pub struct Upload {
        /// Whether the service is offered at all.
        enabled: bool = true;
        /// What the URLs of files begin with, where that is neither `[http]` public_url nor
        /// https://DOMAIN:PORT of `[listen]` https. "/upload/..." and "/attachment/..." are added and
        /// have to arrive here without what else the URL has for a path. A domain for files alone keeps them apart
        /// from other web pages.
        public_url: Option<HttpsUrl> = None;
        /// The largest file, announced to clients. 100 MiB holds a film of a telephone.
        file_bytes_max: Bytes = Bytes::mib(100), in Bytes::new(1)..=Bytes::mib(1 << 20);
        /// The largest file for the purpose "profile": avatars and the like.
        profile_bytes_max: Bytes = Bytes::mib(8), in Bytes::new(1)..=Bytes::mib(1 << 20);
        /// How much one account may have on the server, all files together.
        account_bytes_max: Bytes = Bytes::mib(2048), in Bytes::new(1)..=Bytes::mib(1 << 24);
        /// How much one account may upload in 24 hours.
        day_bytes_max: Bytes = Bytes::mib(1024), in Bytes::new(1)..=Bytes::mib(1 << 24);
        /// How many files one account may upload in 24 hours. Who sends a folder of pictures
        /// sends some hundred.
        day_files_max: u32 = 1000, in 1..=100_000;
        /// After how many days a file is deleted that was uploaded for a message, which is what
        /// clients mean that say nothing; 0 for never.
        message_days: u32 = 90, in 0..=36_500;
        /// After how many days a file for the purpose "profile" is deleted; 0 for never.
        profile_days: u32 = 0, in 0..=36_500;
        /// Whether clients may ask for files that are never deleted (purpose "permanent").
        permanent: bool = true;
        /// How long a client may wait between asking for a slot and uploading (XEP-0363 §8
        /// recommends around 300).
        slot_seconds: Seconds = Seconds::new(300), in Seconds::new(1)..=Seconds::new(86_400);
        /// How long an upload may last as a whole. An hour takes 100 MiB at 30 KiB a second.
        transfer_seconds_max: Seconds = Seconds::new(3600),
            in Seconds::new(1)..=Seconds::new(86_400);
        /// After how long without a byte an upload is given up.
        idle_seconds: Seconds = Seconds::new(60), in Seconds::new(1)..=Seconds::new(3600);
        /// How many files may be coming in at once; one more is told to try again.
        uploads_max: u32 = 64, in 1..=65_536;
        /// How many of them may be one account's, so that none keeps the others from theirs.
        uploads_per_account_max: u32 = 8, in 1..=65_536;
        /// The media types that are taken: "image/png", "image/*", "*/*". A file without a type
        /// is an application/octet-stream.
        types: Vec<MediaRange> = vec![MediaRange::everything()];
        /// Media types that are refused although they are among the types that are taken.
        types_refused: Vec<MediaRange> = Vec::new();
    }
}

impl Upload {
    /// Whether files of that media type, in lower case and without parameters, are taken.
    #[must_use]
    pub fn takes(&self, essence: &str) -> bool {
        let among = |ranges: &[MediaRange]| ranges.iter().any(|range| range.holds(essence));
        among(&self.types) && !among(&self.types_refused)
    }
}

/// A media range (RFC 9110 §12.5.1) without parameters: `image/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRange(String);

impl MediaRange {
    fn everything() -> Self {
        Self("*/*".to_owned())
    }

    /// Whether the media type, in lower case and without parameters, is one of the range.
    #[must_use]
    pub fn holds(&self, essence: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some("*/") => true,
            Some(beginning) => essence.starts_with(beginning),
            None => self.0 == essence,
        }
    }
}

impl Scalar for MediaRange {
    fn expected() -> String {
        "a media type such as \"image/png\" or \"image/*\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let name = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
        };
        let (kind, subtype) = text.split_once('/')?;
        let good = match (kind, subtype) {
            ("*", "*") => true,
            (kind, "*") => name(kind),
            (kind, subtype) => name(kind) && name(subtype),
        };
        good.then(|| Self(text.to_ascii_lowercase()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

/// The beginning of an `https` URL, without a slash at its end, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpsUrl(String);

impl HttpsUrl {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for HttpsUrl {
    fn expected() -> String {
        "a URL such as \"https://files.example.org\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://")?.trim_end_matches('/');
        let authority = rest.split('/').next()?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
        let good = !authority.is_empty() && rest.bytes().all(allowed);
        good.then(|| Self(format!("https://{rest}")))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_by_range_and_refused_before() {
        let ranges = |texts: &[&str]| {
            let ranges = texts.iter().map(|text| MediaRange::from_text(text));
            ranges.collect::<Option<Vec<_>>>().unwrap()
        };
        let upload = Upload {
            types: ranges(&["image/*", "application/PDF"]),
            types_refused: ranges(&["image/svg+xml"]),
            ..Upload::default()
        };
        for (essence, taken) in [
            ("image/png", true),
            ("application/pdf", true),
            ("image/svg+xml", false),
            ("application/pdfx", false),
            ("imagery/png", false),
            ("text/html", false),
        ] {
            assert_eq!(upload.takes(essence), taken, "{essence}");
        }
        assert!(Upload::default().takes("text/html"));
        for wrong in ["", "image", "*/png", "image/", "im age/*", "image/p*"] {
            assert_eq!(MediaRange::from_text(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn urls_are_read() {
        for (text, read) in [
            (
                "https://files.example.org/",
                Some("https://files.example.org"),
            ),
            (
                "https://example.org:8443/xmpp/",
                Some("https://example.org:8443/xmpp"),
            ),
            ("https://[2001:db8::1]", Some("https://[2001:db8::1]")),
            ("http://files.example.org", None),
            ("https://", None),
            ("https:///x", None),
            ("https://user@example.org", None),
            ("https://example.org/?a=b", None),
            ("https://exämple.org", None),
        ] {
            let url = HttpsUrl::from_text(text);
            assert_eq!(url.as_ref().map(HttpsUrl::as_str), read, "{text}");
        }
    }
}
