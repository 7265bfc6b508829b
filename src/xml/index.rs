//! Where the children of an element are, found in the one pass that checks them.
//!
//! A child is fit for splicing when it means the same under any other stream
//! header and any other head: it uses no declaration from outside of itself but
//! the default namespace, and that only where it is the parent's own. A child
//! that is not fit is written anew here, once, so that nobody later has to care.

use std::ops::Range;

use bytes::Bytes;
use compact_str::CompactString;
use smallvec::SmallVec;

use super::element::XML_NS;
use super::strict::{CHILD_DEPTH, Step, Strict, offset_in};
use super::{Content, Element, Limits, Scope, Tag, XmlError, tree, write};

/// The children of an ordinary stanza fit without an allocation.
pub(super) type Entries = SmallVec<[Entry; 3]>;

/// One child element; all offsets are into the bytes of the [`Content`].
#[derive(Clone, Debug)]
pub(super) struct Entry {
    start: u32,
    end: u32,
    name_start: u32,
    name_end: u32,
    ns: Ns,
}

#[derive(Clone, Debug)]
enum Ns {
    /// The parent's own, by inheritance.
    Own,
    /// The value of the declaration, from and to.
    Written(u32, u32),
    /// It cannot be read off the bytes: references in it, or the prefix `xml`.
    Other(Box<CompactString>),
}

impl Entry {
    pub(super) fn range(&self) -> Range<usize> {
        widen(self.start)..widen(self.end)
    }

    pub(super) fn name<'a>(&self, bytes: &'a [u8]) -> &'a str {
        str_at(bytes, self.name_start, self.name_end)
    }

    pub(super) fn ns<'a>(&'a self, bytes: &'a [u8]) -> Option<&'a str> {
        match &self.ns {
            Ns::Own => None,
            Ns::Written(start, end) => Some(str_at(bytes, *start, *end)),
            Ns::Other(ns) => Some(ns),
        }
    }

    /// The same entry when its bytes lie elsewhere; `None` beyond 4 GiB.
    pub(super) fn moved_to(&self, start: usize) -> Option<Self> {
        let start = u32::try_from(start).ok()?;
        let moved = |at: u32| at.checked_sub(self.start)?.checked_add(start);
        Some(Self {
            start,
            end: moved(self.end)?,
            name_start: moved(self.name_start)?,
            name_end: moved(self.name_end)?,
            ns: match &self.ns {
                Ns::Own => Ns::Own,
                Ns::Written(from, to) => Ns::Written(moved(*from)?, moved(*to)?),
                Ns::Other(ns) => Ns::Other(ns.clone()),
            },
        })
    }
}

/// Writes a child in the form that is fit for splicing; `None` beyond 4 GiB,
/// in which case nothing is written.
pub(super) fn write_child(out: &mut Vec<u8>, element: &Element, own_ns: &str) -> Option<Entry> {
    let start = out.len();
    write::element(out, element, own_ns);
    let entry = entry_of_written(out, start, element, own_ns);
    if entry.is_none() {
        out.truncate(start);
    }
    entry
}

/// The place of the one child that is all of these bytes, which begin with `<name xmlns='ns'`.
pub(super) fn entry_of_bytes(bytes: &[u8], ns: &str, name: &str) -> Option<Entry> {
    let rest = bytes.strip_prefix(b"<")?.strip_prefix(name.as_bytes())?;
    let rest = rest
        .strip_prefix(b" xmlns='")?
        .strip_prefix(ns.as_bytes())?;
    rest.strip_prefix(b"'")?;
    let name_end = u32::try_from(name.len()).ok()?.checked_add(1)?;
    let ns_start = name_end.checked_add(u32::try_from(" xmlns='".len()).ok()?)?;
    let ns_end = ns_start.checked_add(u32::try_from(ns.len()).ok()?)?;
    Some(Entry {
        start: 0,
        end: u32::try_from(bytes.len()).ok()?,
        name_start: 1,
        name_end,
        ns: Ns::Written(ns_start, ns_end),
    })
}

fn entry_of_written(out: &[u8], start: usize, element: &Element, own_ns: &str) -> Option<Entry> {
    let in_xml = element.ns() == XML_NS;
    let prefix = if in_xml { write::XML_PREFIX } else { "" };
    let name_start = start.checked_add(1)?.checked_add(prefix.len())?;
    let name_end = name_start.checked_add(element.name().len())?;
    let ns_start = name_end.checked_add(" xmlns='".len())?;
    let ns_end = ns_start.checked_add(element.ns().len())?;
    let ns = if element.ns() == own_ns && !in_xml {
        Ns::Own
    } else if out.get(ns_start..ns_end) == Some(element.ns().as_bytes()) {
        Ns::Written(u32::try_from(ns_start).ok()?, u32::try_from(ns_end).ok()?)
    } else {
        Ns::Other(Box::new(element.ns().into()))
    };
    Some(Entry {
        start: u32::try_from(start).ok()?,
        end: u32::try_from(out.len()).ok()?,
        name_start: u32::try_from(name_start).ok()?,
        name_end: u32::try_from(name_end).ok()?,
        ns,
    })
}

/// What one pass over the children of the root has found.
pub(super) struct Children {
    /// Offsets count from `origin`, the start of the first child.
    entries: Entries,
    origin: usize,
    /// Whether there is character data between them.
    pub(super) text: bool,
    /// Which of them are not fit for splicing, and the declarations around them.
    unfit: Vec<usize>,
    scope: Scope,
}

/// Reads to the end of the root, which the reader has just entered.
pub(super) fn children(reader: &mut Strict<'_>, tag: &Tag) -> Result<Children, XmlError> {
    let inherits_own = reader.default_ns() == tag.ns();
    let mut found = Children {
        entries: Entries::new(),
        origin: 0,
        text: false,
        unfit: Vec::new(),
        scope: Scope::default(),
    };
    let mut redeclared = false;
    loop {
        let before = reader.position();
        match reader.step()? {
            Step::Start if reader.depth() == CHILD_DEPTH => {
                let inherited = reader.prefix().is_empty() && reader.reach().default;
                redeclared = !inherited && reader.ns() == tag.ns();
                found.open(reader, before, inherited)?;
            }
            Step::End if reader.depth() == 0 => return Ok(found),
            Step::End if reader.depth() < CHILD_DEPTH => {
                let reach = reader.reach();
                let fit = !redeclared && !reach.prefix && (inherits_own || !reach.default);
                found.close(reader, fit)?;
            }
            Step::Text if reader.depth() < CHILD_DEPTH => {
                found.text = true;
            }
            Step::Start | Step::End | Step::Text => {}
            Step::Done => return Err(XmlError::NotWellFormed("unclosed element")),
        }
    }
}

impl Children {
    fn open(&mut self, reader: &Strict<'_>, start: usize, own: bool) -> Result<(), XmlError> {
        if self.entries.is_empty() {
            self.origin = start;
        }
        let offset = |part: &str| offset_in(reader.text(), part).checked_sub(self.origin);
        let span = |part: &str| {
            let start = offset(part)?;
            let end = start.checked_add(part.len())?;
            Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?))
        };
        let ns = if own {
            Ns::Own
        } else {
            match reader.ns_as_written().and_then(span) {
                Some((start, end)) => Ns::Written(start, end),
                None => Ns::Other(Box::new(reader.ns().into())),
            }
        };
        let (name_start, name_end) = span(reader.name()).ok_or(XmlError::TooLong)?;
        let start = start.checked_sub(self.origin).ok_or(XmlError::TooLong)?;
        let start = u32::try_from(start).map_err(|_| XmlError::TooLong)?;
        self.entries.push(Entry {
            start,
            end: start,
            name_start,
            name_end,
            ns,
        });
        Ok(())
    }

    fn close(&mut self, reader: &Strict<'_>, fit: bool) -> Result<(), XmlError> {
        let end = reader.position().checked_sub(self.origin);
        let end = end.and_then(|end| u32::try_from(end).ok());
        let end = end.ok_or(XmlError::TooLong)?;
        if !fit {
            if self.unfit.is_empty() {
                self.scope = reader.declarations();
            }
            self.unfit.push(self.entries.len().saturating_sub(1));
        }
        if let Some(last) = self.entries.last_mut() {
            last.end = end;
        }
        Ok(())
    }

    /// The children as content: sliced out of the bytes they came in where they
    /// stand side by side and are fit, else copied together. That can make more of
    /// them, as a namespace name takes the place of each prefix: up to twice what
    /// the bytes of a stanza may be, which ordinary ones never come near.
    pub(super) fn into_content(
        self,
        text: &str,
        tag: &Tag,
        limits: &Limits,
        slice: impl FnOnce(&[u8]) -> Bytes,
    ) -> Result<Content, XmlError> {
        let Some(last) = self.entries.last() else {
            return Ok(Content::empty());
        };
        let inside = self.origin..self.origin.saturating_add(widen(last.end));
        let inside = text.get(inside).unwrap_or_default().as_bytes();
        if !self.text && self.unfit.is_empty() {
            return Ok(Content::from_parts(slice(inside), self.entries));
        }
        let bytes_max = limits.stanza_bytes_max.saturating_mul(2);
        let mut out = Vec::with_capacity(inside.len());
        let mut entries = Entries::with_capacity(self.entries.len());
        for (index, entry) in self.entries.iter().enumerate() {
            let bytes = inside.get(entry.range()).unwrap_or_default();
            let moved = if self.unfit.binary_search(&index).is_ok() {
                let element = tree::element(bytes, &self.scope)?;
                write_child(&mut out, &element, tag.ns())
            } else {
                let start = out.len();
                out.extend_from_slice(bytes);
                entry.moved_to(start)
            };
            let moved = moved.filter(|_| out.len() <= bytes_max);
            entries.push(moved.ok_or(XmlError::TooLong)?);
        }
        Ok(Content::from_parts(out.into(), entries))
    }
}

fn str_at(bytes: &[u8], start: u32, end: u32) -> &str {
    let bytes = bytes.get(widen(start)..widen(end)).unwrap_or_default();
    str::from_utf8(bytes).unwrap_or_default()
}

fn widen(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
