//! Where the first complete element of a buffer ends.
//!
//! A state machine over memchr that remembers how far it has looked, so that
//! every byte is looked at once however it was fragmented, and that counts
//! size and depth on the way, so that a limit is felt before the end is seen.
//! It delimits and does not judge: [`super::parse()`] decides what is well-formed.

use memchr::{memchr, memchr3, memmem};

use super::{Limits, XmlError};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// The header of a stream: a start tag alone, or the XML declaration before it.
    Header,
    /// A child of the stream with everything inside, or the end tag of the stream.
    Child,
}

/// The search, as far as it has come. The buffer must begin with `<`.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    goal: Goal,
    state: State,
    position: usize,
    depth: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Text,
    /// After `<`.
    Markup,
    /// After `<!` and this many bytes of `[CDATA[`.
    Section(usize),
    CharacterData,
    Declaration,
    StartTag,
    /// In an attribute's value, where `>` is no end.
    Quoted(u8),
    EndTag,
}

impl Scan {
    pub(super) const fn new(goal: Goal) -> Self {
        Self {
            goal,
            state: State::Text,
            position: 0,
            depth: 0,
        }
    }

    /// Whether any byte has been looked at.
    pub(super) const fn has_begun(&self) -> bool {
        self.position > 0
    }

    /// Looks at what is new in the buffer, which holds what it held before and
    /// maybe more. Returns the length of what was looked for, once it is whole.
    pub(super) fn advance(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Option<usize>, XmlError> {
        // What lies beyond the limit is not looked at, so that which error is
        // found does not depend on how much was read at once.
        let allowed = bytes.get(..limits.stanza_bytes_max).unwrap_or(bytes);
        if self.look(allowed, limits)? {
            return Ok(Some(self.position));
        }
        if bytes.len() > allowed.len() {
            return Err(XmlError::TooLong);
        }
        Ok(None)
    }

    fn look(&mut self, bytes: &[u8], limits: &Limits) -> Result<bool, XmlError> {
        while let Some(rest) = bytes.get(self.position..) {
            let Some(&first) = rest.first() else {
                return Ok(false);
            };
            match self.state {
                State::Text => match memchr(b'<', rest) {
                    Some(at) => self.pass(at, 1, State::Markup),
                    None => self.pass(rest.len(), 0, State::Text),
                },
                State::Markup => self.begin_markup(first, limits)?,
                State::Section(matched) => self.begin_section(first, matched)?,
                State::CharacterData => match memmem::find(rest, b"]]>") {
                    Some(at) => self.pass(at, 3, State::Text),
                    None => return Ok(self.keep_for_later(rest, 2)),
                },
                State::Declaration => match memmem::find(rest, b"?>") {
                    Some(at) => {
                        self.pass(at, 2, State::Text);
                        return Ok(true);
                    }
                    None => return Ok(self.keep_for_later(rest, 1)),
                },
                State::Quoted(quote) => match memchr(quote, rest) {
                    Some(at) => self.pass(at, 1, State::StartTag),
                    None => self.pass(rest.len(), 0, self.state),
                },
                State::StartTag => {
                    if self.end_start_tag(bytes, rest) {
                        return Ok(true);
                    }
                }
                State::EndTag => match memchr(b'>', rest) {
                    Some(at) => {
                        self.pass(at, 1, State::Text);
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Ok(true);
                        }
                    }
                    None => self.pass(rest.len(), 0, State::EndTag),
                },
            }
        }
        Ok(false)
    }

    /// Skips `skipped` bytes and the `found` bytes of what was searched for.
    const fn pass(&mut self, skipped: usize, found: usize, state: State) {
        self.position = self.position.saturating_add(skipped).saturating_add(found);
        self.state = state;
    }

    /// Leaves the last bytes to be seen again, as the mark may be cut in two.
    const fn keep_for_later(&mut self, rest: &[u8], kept: usize) -> bool {
        self.pass(rest.len().saturating_sub(kept), 0, self.state);
        false
    }

    fn begin_markup(&mut self, first: u8, limits: &Limits) -> Result<(), XmlError> {
        match (first, self.goal) {
            (b'/', Goal::Child) => self.pass(0, 1, State::EndTag),
            (b'/', Goal::Header) => {
                return Err(XmlError::NotWellFormed("end tag before the stream header"));
            }
            (b'!', Goal::Child) if self.depth > 0 => self.pass(0, 1, State::Section(0)),
            (b'!', Goal::Child | Goal::Header) => {
                return Err(XmlError::Restricted("markup declaration"));
            }
            (b'?', Goal::Header) => self.pass(0, 1, State::Declaration),
            (b'?', Goal::Child) => return Err(XmlError::Restricted("processing instruction")),
            (_, Goal::Child | Goal::Header) => {
                if self.depth >= limits.depth_max {
                    return Err(XmlError::TooDeep);
                }
                self.pass(0, 0, State::StartTag);
            }
        }
        Ok(())
    }

    fn begin_section(&mut self, first: u8, matched: usize) -> Result<(), XmlError> {
        const MARK: &[u8] = b"[CDATA[";
        if MARK.get(matched) != Some(&first) {
            return Err(XmlError::Restricted("comment or markup declaration"));
        }
        let matched = matched.saturating_add(1);
        let state = if matched == MARK.len() {
            State::CharacterData
        } else {
            State::Section(matched)
        };
        self.pass(0, 1, state);
        Ok(())
    }

    /// Whether this start tag is the end of what was looked for.
    fn end_start_tag(&mut self, bytes: &[u8], rest: &[u8]) -> bool {
        let Some(at) = memchr3(b'>', b'\'', b'"', rest) else {
            self.pass(rest.len(), 0, State::StartTag);
            return false;
        };
        if let Some(&quote @ (b'\'' | b'"')) = rest.get(at) {
            self.pass(at, 1, State::Quoted(quote));
            return false;
        }
        let before = self.position.saturating_add(at).checked_sub(1);
        let empty = before.and_then(|before| bytes.get(before)) == Some(&b'/');
        self.pass(at, 1, State::Text);
        if !empty {
            self.depth = self.depth.saturating_add(1);
        }
        self.depth == 0 || self.goal == Goal::Header
    }
}
