//! XEP-0198: Stream Management, version 1.6.3: its elements as types.
//!
//! Negotiation knows `<resume/>`, a bound session the others; both write the answers from here.

use crate::proto::{Condition, StreamCondition, StreamError, ns};
use crate::xml::{Element, Tag};

/// The longest SM-ID that is looked for. Ours are shorter; the standard allows 4,000 bytes (§5).
const PREVID_BYTES_MAX: usize = 4_000;

/// `<enable/>` (§3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enable {
    /// Whether the client wishes to be able to resume.
    pub resumable: bool,
    /// For how many seconds it wishes that at most.
    pub seconds_max: Option<u32>,
}

/// `<resume/>` (§5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The SM-ID of the former stream.
    pub previd: String,
    /// How many stanzas the client has handled.
    pub h: u32,
}

/// Why a stream is not resumed.
#[derive(Clone, Debug, PartialEq)]
pub enum NotResumed {
    /// No session of that account has that SM-ID, or none any more; with the count of stanzas that
    /// the server had handled, where that is still known.
    Unknown {
        /// The count.
        h: Option<u32>,
    },
    /// Resuming is switched off.
    Unsupported,
    /// The client claims to have handled more than it was sent: the stream ends.
    TooHigh {
        /// What the client claims.
        h: u32,
        /// What it was sent.
        sent: u32,
    },
}

impl NotResumed {
    /// `<failed/>`, after which the client may bind.
    ///
    /// # Errors
    /// The end of the stream where the client is wrong about what it was sent.
    pub fn answer(self) -> Result<Element, StreamError> {
        match self {
            Self::Unknown { h } => Ok(failed(Condition::ItemNotFound, h)),
            Self::Unsupported => Ok(failed(Condition::FeatureNotImplemented, None)),
            Self::TooHigh { h, sent } => Err(too_high(h, sent)),
        }
    }
}

impl Enable {
    /// Reads the element.
    ///
    /// # Errors
    /// `bad-request` for attributes that are not of the types of the schema.
    pub fn read(element: &Element) -> Result<Self, Condition> {
        let resumable = match element.attribute("resume").map(str::trim) {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => return Err(Condition::BadRequest),
        };
        let seconds_max = match element.attribute("max").map(str::trim) {
            None => None,
            // A number that is too large for us is no limit.
            Some(digits) if is_number(digits) => Some(digits.parse().unwrap_or(u32::MAX)),
            Some(_) => return Err(Condition::BadRequest),
        };
        if seconds_max == Some(0) {
            return Err(Condition::BadRequest);
        }
        Ok(Self {
            resumable,
            seconds_max,
        })
    }
}

impl Resume {
    /// Reads the element, given as its tag.
    ///
    /// # Errors
    /// `bad-request` without `previd` or a count; `item-not-found` for an SM-ID that cannot be one.
    pub fn read(tag: &Tag) -> Result<Self, Condition> {
        Self::of(tag.attribute("previd"), tag.attribute("h"))
    }

    /// Reads the element inside of `<authenticate/>` (§9.2).
    ///
    /// # Errors
    /// As [`Resume::read`].
    pub fn read_inline(element: &Element) -> Result<Self, Condition> {
        Self::of(element.attribute("previd"), element.attribute("h"))
    }

    fn of(previd: Option<&str>, h: Option<&str>) -> Result<Self, Condition> {
        let previd = previd.ok_or(Condition::BadRequest)?;
        let h = h.and_then(count);
        let h = h.ok_or(Condition::BadRequest)?;
        if previd.len() > PREVID_BYTES_MAX {
            return Err(Condition::ItemNotFound);
        }
        Ok(Self {
            previd: previd.to_owned(),
            h,
        })
    }
}

/// A count of handled stanzas as an attribute's value; none when it is not one.
#[must_use]
pub fn count(value: &str) -> Option<u32> {
    let value = value.trim();
    is_number(value).then(|| value.parse().ok()).flatten()
}

fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// `<enabled/>`; with SM-ID and time in seconds where the session can be resumed.
#[must_use]
pub fn enabled(resumable: Option<(&str, u64)>) -> Element {
    let enabled = element("enabled");
    match resumable {
        Some((id, seconds)) => enabled
            .attr("id", id)
            .attr("resume", "true")
            .attr("max", seconds.to_string()),
        None => enabled,
    }
}

/// `<resumed/>`.
#[must_use]
pub fn resumed(previd: &str, h: u32) -> Element {
    element("resumed")
        .attr("previd", previd)
        .attr("h", h.to_string())
}

/// `<failed/>` (§6).
#[must_use]
pub fn failed(condition: Condition, h: Option<u32>) -> Element {
    element("failed")
        .attr_opt("h", h.map(|h| h.to_string()))
        .child(Element::new(ns::STANZA_ERRORS, condition.name()))
}

/// `<a/>` (§4).
#[must_use]
pub fn ack(h: u32) -> Element {
    element("a").attr("h", h.to_string())
}

/// `<r/>` (§4).
#[must_use]
pub fn request() -> Element {
    element("r")
}

/// The end of a stream whose peer has handled more than it was sent (§6).
#[must_use]
pub fn too_high(h: u32, sent: u32) -> StreamError {
    let application = element("handled-count-too-high")
        .attr("h", h.to_string())
        .attr("send-count", sent.to_string());
    StreamError::new(StreamCondition::UndefinedCondition)
        .text("you acknowledged more stanzas than you were sent")
        .application(application)
}

fn element(name: &str) -> Element {
    Element::new(ns::STREAM_MANAGEMENT, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enable_is_read_by_the_types_of_its_schema() {
        let enable = |resumable, seconds_max| {
            Ok(Enable {
                resumable,
                seconds_max,
            })
        };
        let bad = Err(Condition::BadRequest);
        for (resume, max, expected) in [
            (None, None, enable(false, None)),
            (Some("true"), None, enable(true, None)),
            (Some("1"), Some("60"), enable(true, Some(60))),
            (Some("0"), None, enable(false, None)),
            (
                Some("true"),
                Some("99999999999"),
                enable(true, Some(u32::MAX)),
            ),
            (Some("yes"), None, bad),
            (Some("true"), Some("0"), bad),
            (Some("true"), Some("-1"), bad),
            (Some("true"), Some("+1"), bad),
            (Some("true"), Some(""), bad),
        ] {
            let asked = element("enable")
                .attr_opt("resume", resume)
                .attr_opt("max", max);
            assert_eq!(Enable::read(&asked), expected, "{resume:?} {max:?}");
        }
    }

    #[test]
    fn a_count_is_an_unsigned_number_of_32_bits() {
        for (value, expected) in [
            ("0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            (" 7 ", Some(7)),
            ("4294967296", None),
            ("-1", None),
            ("+1", None),
            ("1.0", None),
            ("", None),
        ] {
            assert_eq!(count(value), expected, "{value}");
        }
    }
}
