//! A file of users, cut level by level, with the files that it includes (XEP-0227 §4, §5).
//!
//! Nothing larger than one user is in memory. Comments and processing instructions between the levels are
//! passed over, as documents that are no streams have them.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use bytes::{Buf, BytesMut};

use super::{FileError, PIE, PortableError, Remark, USER_BYTES_MAX, XINCLUDE};
use crate::xml::{Element, Frame, Framer, Limits, Parsed, Scope, XmlError, document, parse};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// Bytes of a start tag, or of a comment, between users.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Files open at once: that of the server, of a host, of a user.
const FILES_MAX: usize = 3;

/// Limits of one user.
pub(super) const USER: Limits = Limits {
    stanza_bytes_max: USER_BYTES_MAX,
    depth_max: 128,
    attributes_max: 64,
    declarations_max: 128,
    name_bytes_max: 1_024,
};

/// What is read next.
#[derive(Debug)]
pub(super) enum Found {
    /// A user, of the host of that name.
    User {
        /// The host's name as the file has it.
        host: String,
        /// Where it begins.
        place: Place,
        /// The element.
        user: Box<Parsed>,
    },
    /// Something that is not a user, and what there is to say of it.
    Problem(Remark),
}

/// A place in a file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The file.
    pub(super) file: PathBuf,
    /// The line.
    pub(super) line: u64,
}

impl Place {
    pub(super) fn remark(&self, account: Option<String>, text: impl Into<String>) -> Remark {
        Remark {
            file: self.file.clone(),
            line: self.line,
            account,
            text: text.into(),
        }
    }
}

/// Where one is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    /// Outside of everything.
    Nothing,
    /// In `<server-data/>`.
    Server,
    /// In `<host/>`.
    Host(String),
}

struct Open {
    name: String,
    level: Level,
    scope: Scope,
}

/// One file that is being read.
struct Text {
    path: PathBuf,
    file: File,
    /// Lines that ended in what was read.
    lines: u64,
    buffer: BytesMut,
    /// What the file is included in.
    around: Level,
    open: Vec<Open>,
    /// Whether its one element was met.
    begun: bool,
}

/// The users of a file, one after the other.
pub(super) struct Document {
    texts: Vec<Text>,
}

impl Document {
    /// Opens the file.
    pub(super) fn open(path: &Path) -> Result<Self, PortableError> {
        Ok(Self {
            texts: vec![Text::open(path, Level::Nothing)?],
        })
    }

    /// The next user; `None` at the end.
    ///
    /// # Errors
    /// When nothing behind this place can be read.
    pub(super) fn next(&mut self) -> Result<Option<Found>, PortableError> {
        loop {
            let deep = self.texts.len() >= FILES_MAX;
            let Some(text) = self.texts.last_mut() else {
                return Ok(None);
            };
            match text.step()? {
                Step::Nothing => {}
                Step::Found(found) => return Ok(Some(found)),
                Step::End => {
                    self.texts.pop();
                }
                Step::Include(place, element) => {
                    let around = text.level();
                    let opened = included(&place.file, &element)
                        .filter(|_| !deep)
                        .ok_or_else(|| {
                            "cannot be included: not a relative path to a file".to_owned()
                        })
                        .and_then(|path| {
                            Text::open(&path, around).map_err(|error| error.to_string())
                        });
                    match opened {
                        Ok(text) => self.texts.push(text),
                        Err(what) => return Ok(Some(Found::Problem(place.remark(None, what)))),
                    }
                }
            }
        }
    }
}

enum Step {
    Nothing,
    Found(Found),
    Include(Place, Element),
    End,
}

impl Text {
    fn open(path: &Path, around: Level) -> Result<Self, PortableError> {
        let file = File::open(path).map_err(|cause| FileError::new(path, cause))?;
        let mut text = Self {
            path: path.to_owned(),
            file,
            lines: 0,
            buffer: BytesMut::new(),
            around,
            open: Vec::new(),
            begun: false,
        };
        if text.has(3)? && text.buffer.starts_with(b"\xEF\xBB\xBF") {
            text.buffer.advance(3);
        }
        Ok(text)
    }

    fn place(&self) -> Place {
        let ahead = newlines(&self.buffer);
        Place {
            file: self.path.clone(),
            line: 1 + self.lines.saturating_sub(ahead),
        }
    }

    fn level(&self) -> Level {
        self.open
            .last()
            .map_or_else(|| self.around.clone(), |open| open.level.clone())
    }

    fn scope(&self) -> Scope {
        self.open
            .last()
            .map(|open| open.scope.clone())
            .unwrap_or_default()
    }

    fn step(&mut self) -> Result<Step, PortableError> {
        if !self.skip_between()? {
            return match (self.open.is_empty(), self.begun) {
                (true, true) => Ok(Step::End),
                _ => Err(self.wrong("the file ends too early")),
            };
        }
        if self.open.is_empty() && self.begun {
            return Err(self.wrong("there is something behind the end"));
        }
        self.has(2)?;
        if self.buffer.starts_with(b"</") {
            return self.close();
        }
        self.begun = true;
        match self.level() {
            Level::Nothing | Level::Server => self.enter(),
            Level::Host(host) => self.child(host),
        }
    }

    /// A start tag above the users.
    fn enter(&mut self) -> Result<Step, PortableError> {
        let place = self.place();
        let limits = Limits {
            stanza_bytes_max: HEAD_BYTES_MAX,
            ..USER
        };
        let mut framer = Framer::within(limits, self.scope());
        let name = self.name_ahead()?;
        let Frame::Open(opening) = self.frame(&mut framer)? else {
            return Err(self.wrong("expected a start tag"));
        };
        let tag = opening.tag;
        let level = self.level();
        let inside = match (&level, tag.ns(), tag.name()) {
            (Level::Nothing, PIE, "server-data") => Some(Level::Server),
            (Level::Nothing | Level::Server, PIE, "host") => Some(Level::Host(
                tag.attribute("jid").unwrap_or_default().to_owned(),
            )),
            (Level::Nothing, _, _) => {
                return Err(PortableError::unreadable(
                    &place.file,
                    place.line,
                    "this is no file of XEP-0227: expected <server-data xmlns='urn:xmpp:pie:0'>",
                ));
            }
            _ => None,
        };
        let Some(level) = inside else {
            framer.set_limits(USER);
            self.pass_over(&mut framer)?;
            let element = Element::from(tag);
            return Ok(if element.is(XINCLUDE, "include") {
                Step::Include(place, element)
            } else {
                Step::Found(Found::Problem(place.remark(None, left_out(&element))))
            });
        };
        let scope = opening.scope;
        // Of an empty element the framer tells the end by itself.
        if let Ok(Some(Frame::Close)) = framer.next(&mut BytesMut::new()) {
            return Ok(Step::Nothing);
        }
        self.open.push(Open { name, level, scope });
        Ok(Step::Nothing)
    }

    /// A child of a host: a user, as a whole.
    fn child(&mut self, host: String) -> Result<Step, PortableError> {
        let place = self.place();
        let mut framer = Framer::of_children(USER);
        let Frame::Element(bytes) = self.frame(&mut framer)? else {
            return Err(self.wrong("expected an element"));
        };
        let parsed = match parse(bytes, &self.scope(), &USER) {
            Ok(parsed) => parsed,
            Err(error) => {
                let what = format!("a user cannot be read: {error}");
                return Ok(Step::Found(Found::Problem(place.remark(None, what))));
            }
        };
        if parsed.tag.is(PIE, "user") {
            let user = Box::new(parsed);
            return Ok(Step::Found(Found::User { host, place, user }));
        }
        let element = Element::from(parsed.tag);
        Ok(if element.is(XINCLUDE, "include") {
            Step::Include(place, element)
        } else {
            Step::Found(Found::Problem(place.remark(None, left_out(&element))))
        })
    }

    fn close(&mut self) -> Result<Step, PortableError> {
        let tag = self.until(b">")?;
        let name =
            String::from_utf8_lossy(tag.get(2..tag.len().saturating_sub(1)).unwrap_or_default());
        match self.open.pop() {
            Some(open) if open.name == name.trim_end() => Ok(Step::Nothing),
            _ => Err(self.wrong(format!("wrong end tag </{}>", name.trim_end()))),
        }
    }

    /// Everything up to the end of what was entered.
    fn pass_over(&mut self, framer: &mut Framer) -> Result<(), PortableError> {
        loop {
            match self.frame(framer)? {
                Frame::Close => return Ok(()),
                Frame::Element(_) | Frame::Open(_) => {}
            }
        }
    }

    /// The next frame, of as much of the file as it takes.
    fn frame(&mut self, framer: &mut Framer) -> Result<Frame, PortableError> {
        loop {
            match framer.next(&mut self.buffer) {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(XmlError::TooLong) => {
                    return Err(self.wrong(format!("a user has more than {USER_BYTES_MAX} bytes")));
                }
                Err(error) => return Err(self.wrong(error.to_string())),
            }
            if !self.fill()? {
                return Err(self.wrong("the file ends too early"));
            }
        }
    }

    /// White space, comments and processing instructions; `false` at the end of the file.
    fn skip_between(&mut self) -> Result<bool, PortableError> {
        loop {
            let space = self
                .buffer
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            self.take(space);
            if !self.has(4)? && self.buffer.iter().all(u8::is_ascii_whitespace) {
                return Ok(false);
            }
            if self.buffer.first().is_some_and(u8::is_ascii_whitespace) {
                continue;
            } else if self.buffer.starts_with(b"<!--") {
                self.until(b"-->")?;
            } else if self.buffer.starts_with(b"<?") {
                self.until(b"?>")?;
            } else if self.buffer.starts_with(b"<!") {
                return Err(self.wrong("document types are not read"));
            } else if self.buffer.starts_with(b"<") {
                return Ok(true);
            } else {
                return Err(self.wrong("there is text between the users"));
            }
        }
    }

    /// Everything up to that, with it.
    fn until(&mut self, end: &[u8]) -> Result<BytesMut, PortableError> {
        let mut looked = 0_usize;
        loop {
            let rest = self.buffer.get(looked..).unwrap_or_default();
            if let Some(at) = memchr::memmem::find(rest, end) {
                return Ok(self.take(looked + at + end.len()));
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(self.wrong(format!(
                    "a tag or comment has more than {HEAD_BYTES_MAX} bytes"
                )));
            }
            looked = self.buffer.len().saturating_sub(end.len());
            if !self.fill()? {
                return Err(self.wrong("the file ends too early"));
            }
        }
    }

    fn take(&mut self, count: usize) -> BytesMut {
        self.buffer.split_to(count.min(self.buffer.len()))
    }

    /// The name of the start tag ahead, as it is written.
    fn name_ahead(&mut self) -> Result<String, PortableError> {
        loop {
            let inside = self.buffer.get(1..).unwrap_or_default();
            let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
            if let Some(at) = inside.iter().position(ends) {
                return Ok(
                    String::from_utf8_lossy(inside.get(..at).unwrap_or_default()).into_owned(),
                );
            }
            if inside.len() > HEAD_BYTES_MAX || !self.fill()? {
                return Err(self.wrong("expected a start tag"));
            }
        }
    }

    /// Whether there are so many bytes; reads them.
    fn has(&mut self, count: usize) -> Result<bool, PortableError> {
        while self.buffer.len() < count {
            if !self.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads on; `false` at the end of the file.
    fn fill(&mut self) -> Result<bool, PortableError> {
        let before = self.buffer.len();
        self.buffer.resize(before + CHUNK, 0);
        let free = self.buffer.get_mut(before..).unwrap_or_default();
        let read = self.file.read(free);
        let count = read.as_ref().map_or(0, |count| *count);
        self.buffer.truncate(before + count);
        self.lines += newlines(self.buffer.get(before..).unwrap_or_default());
        match read {
            Ok(count) => Ok(count > 0),
            Err(cause) => Err(FileError::new(&self.path, cause).into()),
        }
    }

    fn wrong(&self, what: impl Into<String>) -> PortableError {
        let place = self.place();
        PortableError::unreadable(&place.file, place.line, what)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

pub(super) fn left_out(element: &Element) -> String {
    format!("<{} xmlns='{}'/> is left out", element.name(), element.ns())
}

/// The file that `<include/>` means; `None` for one of another kind, or that does not lie below the folder of
/// the file that includes it: whoever wrote that must not choose what else is read of this machine.
pub(super) fn included(from: &Path, include: &Element) -> Option<PathBuf> {
    let is_plain = include
        .attribute("parse")
        .is_none_or(|parse| parse == "xml")
        && include.attribute("xpointer").is_none();
    let href = include
        .attribute("href")
        .filter(|href| is_plain && !href.is_empty())?;
    let path = PathBuf::from(decoded(href)?);
    let mut parts = path.components();
    if !parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return None;
    }
    let folder = from.parent().unwrap_or_else(|| Path::new(""));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let (whole, below) = (folder.join(&path), folder.canonicalize().ok()?);
    match whole.canonicalize() {
        Ok(real) if real.starts_with(&below) => Some(whole),
        Ok(_) => None,
        // That there is no such file is told when it is opened.
        Err(_) => Some(whole),
    }
}

/// RFC 3986 §2.1.
fn decoded(href: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(href.len()), href.bytes());
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|path| !path.contains(['\0', ':', '#', '?']))
}

/// An included part of a user, as a whole.
pub(super) fn part(from: &Path, include: &Element) -> Result<Element, String> {
    let path =
        included(from, include).ok_or("cannot be included: not a relative path to a file")?;
    let failed = |cause: std::io::Error| FileError::new(&path, cause).to_string();
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(failed)?;
    let read = file.take(USER_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(failed)?;
    let mut content = bytes.trim_ascii();
    if content.starts_with(b"<?xml") {
        let end = memchr::memmem::find(content, b"?>").map_or(content.len(), |at| at + 2);
        content = content.get(end..).unwrap_or_default().trim_ascii();
    }
    document(content, &USER).map_err(|error| format!("{}: {error}", path.display()))
}
