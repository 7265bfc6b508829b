//! The wrapper `<body/>`: what a request says, and how an answer is written (XEP-0124 §7, §8,
//! §17; XEP-0206 §3).

use std::time::Duration;

use bytes::Bytes;
use compact_str::CompactString;

use crate::proto::ns;
use crate::xml::{Element, Limits, Parsed, Scope, Tag, parse, write};

/// XEP-0124 §7.
pub(super) const HTTPBIND: &str = "http://jabber.org/protocol/httpbind";
/// XEP-0206 §4.
const XBOSH: &str = "urn:xmpp:xbosh";

/// The highest version that is spoken (XEP-0124 §7.2).
const VERSION: (u32, u32) = (1, 11);

/// XEP-0124 §7: the largest number that every client can count to.
const RID_MAX: u64 = (1 << 53) - 1;

/// Why a session ends, or is not found (XEP-0124 §17.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    BadRequest,
    HostUnknown,
    ImproperAddressing,
    ItemNotFound,
    OtherRequest,
    PolicyViolation,
    RemoteStreamError,
    SystemShutdown,
}

impl Condition {
    const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::ItemNotFound => "item-not-found",
            Self::OtherRequest => "other-request",
            Self::PolicyViolation => "policy-violation",
            Self::RemoteStreamError => "remote-stream-error",
            Self::SystemShutdown => "system-shutdown",
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) rid: u64,
    /// None in the request for a session (XEP-0124 §7.1).
    pub(super) sid: Option<CompactString>,
    pub(super) act: Act,
    /// The elements inside, a document each.
    pub(super) payloads: Vec<Bytes>,
    pub(super) key: Option<CompactString>,
    pub(super) newkey: Option<CompactString>,
    tag: Tag,
}

/// What is asked for beside carrying the payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Nothing,
    /// XEP-0206 §5.
    Restart,
    /// XEP-0124 §10.
    Pause(Duration),
    /// XEP-0124 §13.
    Terminate,
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// `bad-request` for whatever is not one.
    pub(super) fn read(bytes: Bytes, limits: &Limits) -> Result<Self, Condition> {
        let parsed = parse(bytes, &Scope::default(), limits).map_err(|_| Condition::BadRequest)?;
        Self::of(parsed).ok_or(Condition::BadRequest)
    }

    fn of(parsed: Parsed) -> Option<Self> {
        let text = parsed.text();
        if !text.trim().is_empty() {
            return None;
        }
        drop(text);
        let Parsed { tag, content, .. } = parsed;
        if !tag.is(HTTPBIND, "body") {
            return None;
        }
        let rid = tag.attribute("rid")?.parse().ok()?;
        let act = if tag.attribute("type") == Some("terminate") {
            Act::Terminate
        } else if is_true(tag.attribute_ns(XBOSH, "restart")) {
            Act::Restart
        } else if let Some(pause) = tag.attribute("pause") {
            Act::Pause(Duration::from_secs(pause.parse().ok()?))
        } else {
            Act::Nothing
        };
        let bytes = |child: crate::xml::content::Child<'_>| Bytes::copy_from_slice(child.bytes());
        (rid <= RID_MAX).then(|| Self {
            rid,
            sid: tag.attribute("sid").map(Into::into),
            act,
            payloads: content.iter().map(bytes).collect(),
            key: tag.attribute("key").map(Into::into),
            newkey: tag.attribute("newkey").map(Into::into),
            tag,
        })
    }

    /// A poll: nothing is carried and nothing asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.payloads.is_empty() && self.act == Act::Nothing
    }

    /// The host that a session is asked for.
    pub(super) fn to(&self) -> Option<&str> {
        self.tag.attribute("to").filter(|to| !to.is_empty())
    }

    /// A number that is asked for, if it is one.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.tag.attribute(name)?.parse().ok()
    }

    /// The version of the answer: the client's or ours, whichever is lower; none for a client
    /// of the time before there were versions.
    pub(super) fn version(&self) -> Option<String> {
        let (major, minor) = self.tag.attribute("ver")?.split_once('.')?;
        let theirs = (major.parse().ok()?, minor.parse().ok()?);
        let (major, minor) = VERSION.min(theirs);
        Some(format!("{major}.{minor}"))
    }

    /// The stream that it opens, as RFC 7395 §3.4 has it. `host` is where the session went.
    pub(super) fn open(&self, host: &str) -> Bytes {
        let version = self.tag.attribute_ns(XBOSH, "version").unwrap_or("1.0");
        let mut open = Element::new(ns::FRAMING, "open")
            .attr("to", self.to().unwrap_or(host))
            .attr_opt("from", self.tag.attribute("from"))
            .attr("version", version);
        if let Some(lang) = self.tag.lang() {
            open = open.lang(lang);
        }
        let mut out = Vec::new();
        write::element(&mut out, &open, "");
        out.into()
    }
}

fn is_true(text: Option<&str>) -> bool {
    matches!(text, Some("true" | "1"))
}

/// What the answer to the request for a session tells (XEP-0124 §7.2, XEP-0206 §5).
#[derive(Clone, Debug)]
pub(super) struct Creation {
    pub(super) sid: String,
    pub(super) host: String,
    pub(super) wait: Duration,
    pub(super) inactivity: Duration,
    pub(super) polling: Duration,
    pub(super) pause_max: Duration,
    pub(super) hold: usize,
    pub(super) requests: usize,
    pub(super) version: Option<String>,
}

/// How an answer ends the session, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Open,
    /// It has ended as it should.
    Ended,
    /// It has ended because of this.
    Failed(Condition),
    /// It goes on, and the client is to repeat what was not answered (XEP-0124 §17.3).
    Again,
}

/// Writes an answer.
pub(super) fn answer(creation: Option<&Creation>, elements: &[&[u8]], fate: Fate) -> Bytes {
    let mut out = b"<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'".to_vec();
    let mut attribute = |name: &str, value: &str| {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"='");
        write::escape_attribute(&mut out, value);
        out.push(b'\'');
    };
    if let Some(creation) = creation {
        let seconds = |time: Duration| time.as_secs().to_string();
        attribute("sid", &creation.sid);
        attribute("from", &creation.host);
        attribute("wait", &seconds(creation.wait));
        attribute("inactivity", &seconds(creation.inactivity));
        attribute("polling", &seconds(creation.polling));
        attribute("maxpause", &seconds(creation.pause_max));
        attribute("hold", &creation.hold.to_string());
        attribute("requests", &creation.requests.to_string());
        if let Some(version) = &creation.version {
            attribute("ver", version);
        }
        attribute("xmlns:xmpp", XBOSH);
        attribute("xmpp:version", "1.0");
        attribute("xmpp:restartlogic", "true");
    }
    match fate {
        Fate::Open => {}
        Fate::Again => attribute("type", "error"),
        Fate::Ended => attribute("type", "terminate"),
        Fate::Failed(condition) => {
            attribute("type", "terminate");
            attribute("condition", condition.name());
        }
    }
    if elements.is_empty() {
        out.extend_from_slice(b"/>");
        return out.into();
    }
    out.push(b'>');
    for element in elements {
        out.extend_from_slice(element);
    }
    out.extend_from_slice(b"</body>");
    out.into()
}

/// An answer that says nothing but how it goes on.
pub(super) fn empty(fate: Fate) -> Bytes {
    answer(None, &[], fate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, Condition> {
        let text = Bytes::copy_from_slice(text.as_bytes());
        Request::read(text, &Limits::default())
    }

    #[test]
    fn a_request_says_what_is_asked_for() {
        for (attributes, act, empty) in [
            ("", Act::Nothing, true),
            ("type='terminate'", Act::Terminate, false),
            ("xmpp:restart='true'", Act::Restart, false),
            ("xmpp:restart='1'", Act::Restart, false),
            ("xmpp:restart='false'", Act::Nothing, true),
            ("pause='60'", Act::Pause(Duration::from_secs(60)), false),
        ] {
            let text = format!(
                "<body rid='7' sid='s' xmlns='{HTTPBIND}' xmlns:xmpp='{XBOSH}' {attributes}/>"
            );
            let request = read(&text).unwrap();
            assert_eq!((request.rid, request.act), (7, act), "{attributes}");
            assert_eq!(request.is_empty(), empty, "{attributes}");
        }
    }

    #[test]
    fn payloads_stand_alone() {
        let text = format!(
            "<body rid='7' sid='s' xmlns='{HTTPBIND}' xmlns:c='jabber:client'>\n\
             <message xmlns='jabber:client'><body>Hi</body></message><c:iq/><presence/></body>"
        );
        let payloads = read(&text).unwrap().payloads;
        let texts: Vec<_> = payloads
            .iter()
            .map(|payload| String::from_utf8(payload.to_vec()).unwrap())
            .collect();
        assert_eq!(
            texts[0],
            "<message xmlns='jabber:client'><body>Hi</body></message>"
        );
        assert!(texts[1].contains("jabber:client"), "{}", texts[1]);
        // Many clients leave the namespace out (XEP-0206 §3); the stream's is taken then.
        assert_eq!(texts[2], "<presence/>");
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "",
            "<body/>",
            "<body rid='7'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind'/>",
            "<body rid='-1' xmlns='http://jabber.org/protocol/httpbind'/>",
            "<body rid='9007199254740992' xmlns='http://jabber.org/protocol/httpbind'/>",
            "<body rid='1' pause='soon' xmlns='http://jabber.org/protocol/httpbind'/>",
            "<body rid='1' xmlns='http://jabber.org/protocol/httpbind'>text</body>",
            "<body rid='1' xmlns='http://jabber.org/protocol/httpbind'>",
            "<body rid='1' xmlns='http://jabber.org/protocol/httpbind'/><body/>",
            "<wrap rid='1' xmlns='http://jabber.org/protocol/httpbind'/>",
            "<!DOCTYPE body><body rid='1' xmlns='http://jabber.org/protocol/httpbind'/>",
        ] {
            assert_eq!(read(text).unwrap_err(), Condition::BadRequest, "{text}");
        }
    }

    #[test]
    fn the_lower_version_is_spoken() {
        for (theirs, spoken) in [
            (Some("1.6"), Some("1.6")),
            (Some("1.10"), Some("1.10")),
            (Some("2.0"), Some("1.11")),
            (Some("one"), None),
            (None, None),
        ] {
            let version = theirs.map_or_else(String::new, |ver| format!("ver='{ver}'"));
            let text = format!("<body rid='1' xmlns='{HTTPBIND}' {version}/>");
            assert_eq!(read(&text).unwrap().version().as_deref(), spoken);
        }
    }

    #[test]
    fn answers_say_how_it_goes_on() {
        for (fate, attributes) in [
            (Fate::Open, ""),
            (Fate::Again, " type='error'"),
            (Fate::Ended, " type='terminate'"),
            (
                Fate::Failed(Condition::PolicyViolation),
                " type='terminate' condition='policy-violation'",
            ),
        ] {
            let text = String::from_utf8(empty(fate).to_vec()).unwrap();
            assert_eq!(
                text,
                format!(
                    "<body xmlns='{HTTPBIND}' xmlns:stream='http://etherx.jabber.org/streams'{attributes}/>"
                )
            );
        }
    }
}
