//! One stream, cut into its header, its children and its end (RFC 6120 §4.2).
//!
//! The framer takes bytes as the socket gives them and hands out whole frames.
//! White space between them is a keep-alive (RFC 6120 §4.6.1) and vanishes. It
//! does not check what is inside of a child: that is for [`super::parse()`].

use bytes::{Buf, Bytes, BytesMut};
use compact_str::{CompactString, format_compact};

use super::characters::is_space;
use super::scan::{Goal, Scan};
use super::strict::Strict;
use super::token::Tokens;
use super::{Limits, Scope, Tag, XmlError};

/// What a stream consists of.
#[derive(Clone, Debug)]
pub enum Frame {
    /// The stream header.
    Open(Opening),
    /// A complete child of the stream, delimited but not yet checked.
    Element(Bytes),
    /// The end tag of the stream.
    Close,
}

/// The stream header.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Its name and attributes.
    pub tag: Tag,
    /// Its declarations, which are in force for every child.
    pub scope: Scope,
}

/// Cuts a stream into frames. After an error the stream cannot go on.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    /// What is declared around the header.
    outer: Scope,
    phase: Phase,
    scan: Scan,
    /// The name of the stream's tag as written, which its end tag must repeat.
    name: CompactString,
    /// An XML declaration was read.
    declared: bool,
    partial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Header,
    Children,
    /// The header was an empty-element tag, so its end is still to be told.
    EmptyStream,
    Ended,
}

impl Framer {
    /// Expects a stream header.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            outer: Scope::default(),
            phase: Phase::Header,
            scan: Scan::new(Goal::Header),
            name: CompactString::default(),
            declared: false,
            partial: false,
        }
    }

    /// Expects children, each of which is as good as a document: of a stream whose opening and
    /// closing are told in other ways (RFC 7395 §3.3).
    #[must_use]
    pub fn of_children(limits: Limits) -> Self {
        Self {
            phase: Phase::Children,
            scan: Scan::new(Goal::Child),
            ..Self::new(limits)
        }
    }

    /// Expects the start tag of an element that lies within others, whose declarations are in force: of a
    /// document that is too large to be read at once.
    #[must_use]
    pub fn within(limits: Limits, outer: Scope) -> Self {
        Self {
            outer,
            ..Self::new(limits)
        }
    }

    /// Expects a new stream header, as after STARTTLS and SASL (RFC 6120 §4.3.3).
    /// Bytes that are still in the caller's buffer are the caller's to keep or drop.
    pub fn restart(&mut self) {
        *self = Self::within(self.limits, std::mem::take(&mut self.outer));
    }

    /// Applies other limits from the next frame on, as after authentication.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether the buffer was left holding the beginning of a frame.
    #[must_use]
    pub const fn within_stanza(&self) -> bool {
        self.partial
    }

    /// Takes the next complete frame out of the front of the buffer; `None`
    /// when more bytes are needed. Between two calls the caller may only append.
    ///
    /// The frame is copied out, so that a small stanza that waits somewhere
    /// never keeps a large read buffer alive.
    ///
    /// # Errors
    /// What ends a stream: limits, restricted markup, text between children, a
    /// malformed header or a wrong end tag.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, XmlError> {
        loop {
            if self.phase == Phase::EmptyStream {
                self.phase = Phase::Ended;
                return Ok(Some(Frame::Close));
            }
            let Some(bytes) = self.cut(buffer)? else {
                self.partial = !buffer.is_empty();
                return Ok(None);
            };
            self.partial = false;
            match self.phase {
                Phase::Header if bytes.starts_with(b"<?") => self.declaration(&bytes)?,
                Phase::Header => return self.open(&bytes).map(Some),
                Phase::Children if bytes.starts_with(b"</") => {
                    return self.close(&bytes).map(Some);
                }
                Phase::Children => return Ok(Some(Frame::Element(bytes))),
                Phase::EmptyStream | Phase::Ended => return Err(AFTER_END),
            }
        }
    }

    /// Takes one delimited piece of markup, and the white space before it.
    fn cut(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, XmlError> {
        if !self.scan.has_begun() {
            let space = buffer.iter().take_while(|byte| is_space(**byte)).count();
            buffer.advance(space);
            match buffer.first() {
                None => return Ok(None),
                Some(_) if self.phase == Phase::Ended => return Err(AFTER_END),
                Some(b'<') => {}
                Some(_) => return Err(XmlError::TextBetweenElements),
            }
        }
        let Some(length) = self.scan.advance(buffer, &self.limits)? else {
            return Ok(None);
        };
        let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
        buffer.advance(length);
        self.scan = Scan::new(match self.phase {
            Phase::Header => Goal::Header,
            Phase::Children | Phase::EmptyStream | Phase::Ended => Goal::Child,
        });
        Ok(Some(bytes))
    }

    fn declaration(&mut self, bytes: &[u8]) -> Result<(), XmlError> {
        if self.declared {
            return Err(XmlError::Restricted("second XML declaration"));
        }
        self.declared = true;
        check_declaration(str::from_utf8(bytes).map_err(|_| XmlError::InvalidUtf8)?)
    }

    fn open(&mut self, bytes: &[u8]) -> Result<Frame, XmlError> {
        let mut reader = Strict::new(bytes, &self.outer, &self.limits)?;
        reader.enter_root()?;
        self.name = match reader.prefix() {
            "" => reader.name().into(),
            prefix => format_compact!("{prefix}:{}", reader.name()),
        };
        self.scan = Scan::new(Goal::Child);
        self.phase = if bytes.ends_with(b"/>") {
            Phase::EmptyStream
        } else {
            Phase::Children
        };
        Ok(Frame::Open(Opening {
            tag: Tag::entered(&reader),
            scope: reader.declarations(),
        }))
    }

    fn close(&mut self, bytes: &[u8]) -> Result<Frame, XmlError> {
        let name = bytes
            .strip_prefix(b"</")
            .and_then(|name| name.strip_prefix(self.name.as_bytes()))
            .and_then(|rest| rest.strip_suffix(b">"));
        if !name.is_some_and(|rest| rest.iter().all(|byte| is_space(*byte))) {
            return Err(XmlError::NotWellFormed("wrong end tag of the stream"));
        }
        self.phase = Phase::Ended;
        Ok(Frame::Close)
    }
}

const AFTER_END: XmlError = XmlError::NotWellFormed("something after the end of the stream");

const BAD_DECLARATION: XmlError = XmlError::NotWellFormed("malformed XML declaration");

/// XML 1.0 §2.8 XMLDecl, with the encoding that RFC 6120 §11.6 demands.
fn check_declaration(text: &str) -> Result<(), XmlError> {
    let inner = text
        .strip_prefix("<?")
        .and_then(|inner| inner.strip_suffix("?>"));
    let inner = inner.ok_or(BAD_DECLARATION)?;
    let target_len = inner.bytes().position(is_space).unwrap_or(inner.len());
    let (target, rest) = inner.split_at_checked(target_len).unwrap_or((inner, ""));
    if target != "xml" {
        return Err(XmlError::Restricted("processing instruction"));
    }
    let mut expected = ["version", "encoding", "standalone"].iter();
    let mut versioned = false;
    let mut tokens = Tokens::new(rest);
    while let Some(attribute) = tokens.attribute().map_err(|_| BAD_DECLARATION)? {
        // They have one order, and only the first must be there.
        if !expected.any(|expected| *expected == attribute.name.whole) {
            return Err(BAD_DECLARATION);
        }
        match (attribute.name.whole, attribute.value) {
            ("version", "1.0") => versioned = true,
            ("encoding", encoding) if encoding.eq_ignore_ascii_case("utf-8") => {}
            ("encoding", _) => return Err(XmlError::UnsupportedEncoding),
            ("standalone", "yes" | "no") => {}
            _ => return Err(BAD_DECLARATION),
        }
    }
    if versioned && tokens.rest().is_empty() {
        Ok(())
    } else {
        Err(BAD_DECLARATION)
    }
}
