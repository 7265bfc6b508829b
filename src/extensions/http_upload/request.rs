//! What a client asks for (§4, §5), read as types.

use super::PURPOSE;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::proto::{MediaType, StanzaError};
use crate::xml::Element;

/// What a file is for that will be attached to a message of the contact center; `urn:parlour:message-stream:0` says more.
pub(super) const STREAM: &str = "urn:parlour:message-stream:0";

/// The longest file name that file systems take.
const NAME_BYTES_MAX: usize = 255;

/// `<request filename='très cool.jpg' size='23456' content-type='image/jpeg'/>`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) file_name: String,
    pub(super) size: u64,
    pub(super) media_type: Option<MediaType>,
    pub(super) purpose: Purpose,
}

/// What the file is for, and so how long it is kept (§5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// §5.1: also where nothing is said.
    Message,
    /// §5.2: an avatar or the like.
    Profile,
    /// §5.3: not given any more from that time on.
    Ephemeral {
        /// The latest that it may be given.
        before: Timestamp,
    },
    /// §5.4: kept for ever.
    Permanent,
    /// To be attached to a message about a customer, and deleted soon when it is not (S4-21).
    Attachment,
}

const HOUR_SECONDS: i64 = 3_600;

impl Request {
    pub(super) fn read(element: &Element) -> Result<Self, StanzaError> {
        let bad = StanzaError::bad_request;
        let file_name = element.attribute("filename").unwrap_or_default();
        if !is_file_name(file_name) {
            return Err(bad("filename: expected the name of a file"));
        }
        let size = element.attribute("size").unwrap_or_default();
        let digits = size.bytes().all(|byte| byte.is_ascii_digit());
        let size = match size.parse() {
            Ok(size) if digits && size > 0 => size,
            // Too long for a number: larger than everything.
            Err(_) if digits && !size.is_empty() => u64::MAX,
            Ok(_) | Err(_) => return Err(bad("size: expected a number of bytes")),
        };
        let media_type = match element.attribute("content-type") {
            // Some clients send it empty and mean none.
            None | Some("") => None,
            Some(text) => {
                Some(MediaType::parse(text).ok_or_else(|| bad("content-type: not a media type"))?)
            }
        };
        Ok(Self {
            file_name: file_name.to_owned(),
            size,
            media_type,
            purpose: Purpose::read(element)?,
        })
    }
}

/// A name and not a path; nothing in it is hidden from people, as the end of `photo\u{202e}gpj.exe`.
fn is_file_name(text: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.trim().is_empty()
        && text.len() <= NAME_BYTES_MAX
        && !["..", "."].contains(&text)
        && !text.contains(|c: char| hidden(c) || matches!(c, '/' | '\\'))
}

impl Purpose {
    /// The names that the features have.
    pub(super) const NAMES: [&str; 4] = ["message", "profile", "ephemeral", "permanent"];

    fn read(request: &Element) -> Result<Self, StanzaError> {
        let known = [PURPOSE, STREAM];
        let mut purposes = request.children().filter(|it| known.contains(&it.ns()));
        let Some(purpose) = purposes.next() else {
            return Ok(Self::Message);
        };
        if purposes.next().is_some() {
            return Err(StanzaError::bad_request("expected one purpose"));
        }
        match purpose.name() {
            "upload" if purpose.ns() == STREAM => Ok(Self::Attachment),
            _ if purpose.ns() == STREAM => {
                Err(StanzaError::bad_request("this purpose is not known"))
            }
            "message" => Ok(Self::Message),
            "profile" => Ok(Self::Profile),
            "permanent" => Ok(Self::Permanent),
            "ephemeral" => {
                let before = purpose.attribute("expire-before");
                let before = before.and_then(Timestamp::parse);
                let before = before.ok_or_else(|| {
                    StanzaError::bad_request("expire-before: expected a date and time")
                })?;
                Ok(Self::Ephemeral { before })
            }
            _ => Err(StanzaError::bad_request("this purpose is not known")),
        }
    }

    /// From when on a file that is asked for now is not given any more.
    pub(super) fn expires_at(self, config: &Config, now: Timestamp) -> Option<Timestamp> {
        let settings = &config.upload;
        let after = |days: u32| (days > 0).then(|| now.plus_days(days));
        match self {
            Self::Message => after(settings.message_days),
            Self::Profile => after(settings.profile_days),
            Self::Permanent => None,
            Self::Attachment => {
                let hours = config.contact_center.attachment_hours;
                Some(now.plus_seconds(i64::from(hours) * HOUR_SECONDS))
            }
            Self::Ephemeral { before } => {
                let usual = after(settings.message_days);
                Some(usual.map_or(before, |usual| usual.min(before)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ns;

    fn request(attributes: &[(&str, &str)]) -> Element {
        let empty = Element::new(ns::HTTP_UPLOAD, "request");
        let attributes = attributes.iter();
        attributes.fold(empty, |element, (name, value)| element.attr(name, value))
    }

    #[test]
    fn a_file_name_is_no_path_and_hides_nothing() {
        let long = "x".repeat(256);
        for (name, good) in [
            ("très cool.jpg", true),
            ("..hidden", true),
            ("a..b", true),
            (long.get(..255).unwrap(), true),
            (long.as_str(), false),
            ("", false),
            ("  ", false),
            (".", false),
            ("..", false),
            ("../../etc/passwd", false),
            ("/etc/passwd", false),
            ("..\\windows", false),
            ("a\nb", false),
            ("a\u{7f}b", false),
            ("photo\u{202e}gpj.exe", false),
        ] {
            let read = Request::read(&request(&[("filename", name), ("size", "1")]));
            assert_eq!(read.is_ok(), good, "{name:?}");
        }
    }

    #[test]
    fn sizes_are_positive_numbers() {
        for (size, read) in [
            ("1", Some(1)),
            ("0023456", Some(23_456)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("0", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e9", None),
            (" 1", None),
            ("0x10", None),
            ("١", None),
        ] {
            let found = Request::read(&request(&[("filename", "a"), ("size", size)]));
            assert_eq!(found.ok().map(|it| it.size), read, "{size:?}");
        }
        assert!(Request::read(&request(&[("filename", "a")])).is_err());
        assert!(Request::read(&request(&[("size", "1")])).is_err());
    }

    #[test]
    fn media_types_are_read_or_refused() {
        for (text, read) in [
            ("image/jpeg", Some(Some("image/jpeg"))),
            ("text/plain; charset=utf-8", Some(Some("text/plain"))),
            ("", Some(None)),
            ("jpeg", None),
            ("image/*", None),
            ("a/b\r\nSet-Cookie: c=d", None),
        ] {
            let asked = [("filename", "a"), ("size", "1"), ("content-type", text)];
            let found = Request::read(&request(&asked));
            let found = found.map(|it| it.media_type.map(|it| it.essence().to_owned()));
            let wanted = read.map(|it| it.map(str::to_owned));
            assert_eq!(found.ok(), wanted, "{text:?}");
        }
    }

    #[test]
    fn purposes_decide_how_long_a_file_is_kept() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let day = |days| Some(now.plus_days(days));
        let mut config = Config::default();
        config.upload = crate::config::Upload {
            message_days: 10,
            profile_days: 100,
            ..config.upload
        };
        let purpose = |name: &str| Element::new(PURPOSE, name);
        let before = |stamp: &str| purpose("ephemeral").attr("expire-before", stamp);
        let tomorrow = day(1).unwrap().to_string();
        let next_year = day(365).unwrap().to_string();
        for (children, wanted) in [
            (vec![], Some(day(10))),
            (vec![purpose("message")], Some(day(10))),
            (vec![purpose("profile")], Some(day(100))),
            (vec![purpose("permanent")], Some(None)),
            (vec![before(&tomorrow)], Some(day(1))),
            (vec![before(&next_year)], Some(day(10))),
            (vec![before("tomorrow")], None),
            (vec![purpose("ephemeral")], None),
            (vec![purpose("forever")], None),
            (vec![purpose("message"), purpose("profile")], None),
            (vec![Element::new(STREAM, "upload")], Some(day(1))),
            (vec![Element::new(STREAM, "forever")], None),
            (
                vec![Element::new(STREAM, "upload"), purpose("profile")],
                None,
            ),
            // Of another namespace: not for us.
            (vec![Element::new("urn:example", "forever")], Some(day(10))),
        ] {
            let shown = format!("{children:?}");
            let asked = request(&[("filename", "a"), ("size", "1")]).children_from(children);
            let found = Request::read(&asked);
            let found = found.map(|it| it.purpose.expires_at(&config, now));
            assert_eq!(found.ok(), wanted, "{shown}");
        }
        config.upload.message_days = 0;
        assert_eq!(Purpose::Message.expires_at(&config, now), None);
    }
}
