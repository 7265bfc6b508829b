//! Trees and texts out of bytes that were proved well-formed before.
//!
//! quick-xml takes the bytes apart, undoes references and line ends and
//! normalises attributes. It accepts much that XML 1.0 does not and resolves no
//! names here, so the proof is the business of `strict`, which is over when this
//! begins, and the declarations are kept here.

use std::borrow::Cow;

use compact_str::CompactString;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use smallvec::SmallVec;

use super::characters::resolve_reference;
use super::element::{Attribute, XML_NS};
use super::{Element, Scope, Tag, XmlError};

/// Reads one element within the scope.
pub(super) fn element(bytes: &[u8], scope: &Scope) -> Result<Element, XmlError> {
    let mut names = Names {
        scope,
        bindings: SmallVec::new(),
    };
    let mut reader = reader(bytes)?;
    let mut open: SmallVec<[Element; 8]> = SmallVec::new();
    loop {
        let closed = match reader.read_event().map_err(unexpected)? {
            Event::Start(start) => {
                open.push(names.enter(&start, open.len())?);
                continue;
            }
            Event::Empty(start) => {
                let empty = names.enter(&start, open.len())?;
                names.leave(open.len());
                empty
            }
            Event::End(_) => {
                let closed = open.pop().ok_or(NO_ELEMENT)?;
                names.leave(open.len());
                closed
            }
            Event::Text(text) => {
                push_text(&mut open, text.xml10_content());
                continue;
            }
            Event::CData(section) => {
                push_text(&mut open, section.xml10_content());
                continue;
            }
            Event::GeneralRef(reference) => {
                let c = resolve_reference(&reference)?;
                push_text(&mut open, c.to_string().into());
                continue;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {
                return Err(NO_ELEMENT);
            }
        };
        match open.last_mut() {
            Some(parent) => parent.push_child(closed),
            None => return Ok(closed),
        }
    }
}

/// The character data directly inside of an element, borrowed where it is one piece.
pub(super) fn direct_text(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let mut text = Cow::Borrowed("");
    let mut depth = 0_usize;
    let mut reader = reader(bytes)?;
    loop {
        let piece = match reader.read_event().map_err(unexpected)? {
            Event::Start(_) => {
                depth = depth.saturating_add(1);
                continue;
            }
            Event::End(_) if depth > 1 => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::End(_) | Event::Eof => return Ok(text),
            Event::Text(piece) if depth == 1 => piece.xml10_content(),
            Event::CData(piece) if depth == 1 => piece.xml10_content(),
            Event::GeneralRef(reference) if depth == 1 => {
                text.to_mut().push(resolve_reference(&reference)?);
                continue;
            }
            _ => continue,
        };
        if text.is_empty() {
            text = piece;
        } else {
            text.to_mut().push_str(&piece);
        }
    }
}

/// The declarations in force at a point of the text.
struct Names<'a> {
    scope: &'a Scope,
    bindings: SmallVec<[Binding; 4]>,
}

struct Binding {
    prefix: CompactString,
    ns: CompactString,
    depth: usize,
}

impl Names<'_> {
    /// The element of a start tag, with its names resolved.
    fn enter(&mut self, start: &BytesStart<'_>, depth: usize) -> Result<Element, XmlError> {
        let mut attributes = Vec::new();
        // A repeated attribute was refused by the proof.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(unexpected)?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = CompactString::from(value.map_err(unexpected)?);
            match split(attribute.key.into_inner()) {
                ("", "xmlns") => self.declare("", value, depth),
                ("xmlns", prefix) => self.declare(prefix, value, depth),
                (prefix, name) => attributes.push(Attribute {
                    // To be resolved when all declarations of the tag are known.
                    ns: prefix.into(),
                    name: name.into(),
                    value,
                }),
            }
        }
        for attribute in attributes.iter_mut().filter(|known| !known.ns.is_empty()) {
            attribute.ns = self.resolve(&attribute.ns)?;
        }
        let name = start.name();
        let (prefix, name) = split(name.into_inner());
        let tag = Tag::from_parts(self.resolve(prefix)?, name.into(), attributes);
        Ok(tag.into())
    }

    fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|last| last.depth >= depth) {
            self.bindings.pop();
        }
    }

    fn declare(&mut self, prefix: &str, ns: CompactString, depth: usize) {
        self.bindings.push(Binding {
            prefix: prefix.into(),
            ns,
            depth,
        });
    }

    /// The namespace of a prefix; the default namespace for none.
    fn resolve(&self, prefix: &str) -> Result<CompactString, XmlError> {
        let mut bindings = self.bindings.iter().rev();
        if let Some(binding) = bindings.find(|binding| binding.prefix == prefix) {
            return Ok(binding.ns.clone());
        }
        match (self.scope.resolve(prefix), prefix) {
            (_, "xml") => Ok(XML_NS.into()),
            (Some(ns), _) => Ok(ns.into()),
            (None, "") => Ok(CompactString::default()),
            (None, _) => Err(XmlError::BadNamespacePrefix("undeclared prefix")),
        }
    }
}

fn reader(bytes: &[u8]) -> Result<Reader<&[u8]>, XmlError> {
    let text = str::from_utf8(bytes).map_err(|_| XmlError::InvalidUtf8)?;
    let mut reader = Reader::from_str(text);
    // That the ends match is part of the proof.
    reader.config_mut().check_end_names = false;
    Ok(reader)
}

/// Character data outside of the element is white space.
fn push_text(open: &mut [Element], text: Cow<'_, str>) {
    if let Some(innermost) = open.last_mut() {
        innermost.push_text(text.into_owned());
    }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// quick-xml's reasons are for text that was not proved.
fn unexpected<E>(_: E) -> XmlError {
    XmlError::NotWellFormed("an element that was not checked")
}

const NO_ELEMENT: XmlError = XmlError::NotWellFormed("no element");
