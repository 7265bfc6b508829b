//! The reader that decides what is well-formed: quick-xml's tokens, and every
//! check of XML 1.0 and Namespaces in XML 1.0 that quick-xml leaves to its user,
//! and the restrictions of RFC 6120 §11.1, and our limits.
//!
//! It builds nothing. Whoever needs a tree, an index or a tag takes the steps.

use std::borrow::Cow;

use memchr::memchr;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use smallvec::SmallVec;

use super::characters::{
    Survey, attribute_value, is_space, line_ends, resolve_reference, split_name,
};
use super::element::{Element, XML_NS};
use super::{Limits, Scope, Tag, XmlError};

/// The namespace of namespace declarations (Namespaces in XML 1.0 §3).
const XMLNS_NS: &str = "http://www.w3.org/2000/xmlns/";

/// One element, read step by step.
pub(super) struct Strict<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    scope: &'a Scope,
    limits: &'a Limits,
    survey: Survey,
    started: bool,
    /// The element just entered was an empty-element tag: its end comes next.
    empty: bool,
    depth: usize,
    bindings: SmallVec<[Binding<'a>; 8]>,
    tag: EnteredTag<'a>,
    reach: Reach,
}

/// What the reader came upon. Text is raw: line ends are as they were written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Start,
    End,
    Text(&'a str),
    Reference(char),
    /// The element is closed and only white space followed it.
    Done,
}

/// Which declarations outside of the present child of the root the names inside
/// of that child have used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    pub(super) prefix: bool,
    pub(super) default: bool,
}

struct Binding<'a> {
    prefix: &'a str,
    ns: Cow<'a, str>,
    depth: usize,
}

#[derive(Default)]
struct EnteredTag<'a> {
    prefix: &'a str,
    name: &'a str,
    attributes: SmallVec<[RawAttribute<'a>; 8]>,
}

struct RawAttribute<'a> {
    prefix: &'a str,
    name: &'a str,
    value: Cow<'a, str>,
}

impl<'a> Strict<'a> {
    /// A reader of one element, with white space around it allowed.
    pub(super) fn new(
        bytes: &'a [u8],
        scope: &'a Scope,
        limits: &'a Limits,
    ) -> Result<Self, XmlError> {
        if bytes.len() > limits.stanza_bytes_max {
            return Err(XmlError::TooLong);
        }
        let text = str::from_utf8(bytes).map_err(|_| XmlError::InvalidUtf8)?;
        // Also keeps a byte order mark away from quick-xml, which would skip it uncounted.
        let text = text.trim_start_matches(SPACE);
        if !text.starts_with('<') {
            return Err(XmlError::NotWellFormed("no element"));
        }
        let survey = Survey::of(text);
        if !survey.all_chars(text) {
            return Err(XmlError::NotWellFormed("forbidden character"));
        }
        Ok(Self {
            text,
            reader: Reader::from_str(text),
            scope,
            limits,
            survey,
            started: false,
            empty: false,
            depth: 0,
            bindings: SmallVec::new(),
            tag: EnteredTag::default(),
            reach: Reach::default(),
        })
    }

    /// The text being read; positions are offsets into it.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// The offset of the byte after the last step.
    pub(super) fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// How many elements are open.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// Enters the root element.
    pub(super) fn enter_root(&mut self) -> Result<(), XmlError> {
        match self.step()? {
            Step::Start => Ok(()),
            Step::End | Step::Text(_) | Step::Reference(_) | Step::Done => {
                Err(XmlError::NotWellFormed("no element"))
            }
        }
    }

    /// Takes the next step.
    pub(super) fn step(&mut self) -> Result<Step<'a>, XmlError> {
        if self.empty {
            self.empty = false;
            return Ok(self.leave());
        }
        loop {
            let before = self.position();
            let event = self.reader.read_event().map_err(from_quick_xml)?;
            let piece = self.text.get(before..self.position()).unwrap_or_default();
            return match event {
                Event::Start(_) => self.enter(cut(piece, "<", ">")?, false),
                Event::Empty(_) => self.enter(cut(piece, "<", "/>")?, true),
                Event::End(_) => Ok(self.leave()),
                Event::Text(_) if self.depth == 0 => {
                    if piece.bytes().all(is_space) {
                        continue;
                    }
                    Err(XmlError::NotWellFormed("text outside of the element"))
                }
                Event::Text(_) if self.survey.bracket && piece.contains("]]>") => {
                    Err(XmlError::NotWellFormed("]]> in text"))
                }
                Event::Text(_) => Ok(Step::Text(piece)),
                Event::CData(_) | Event::GeneralRef(_) if self.depth == 0 => {
                    Err(XmlError::NotWellFormed("text outside of the element"))
                }
                Event::CData(_) => Ok(Step::Text(cut(piece, "<![CDATA[", "]]>")?)),
                Event::GeneralRef(_) => {
                    resolve_reference(cut(piece, "&", ";")?).map(Step::Reference)
                }
                Event::Comment(_) => Err(XmlError::Restricted("comment")),
                Event::PI(_) => Err(XmlError::Restricted("processing instruction")),
                Event::Decl(_) => Err(XmlError::Restricted("XML declaration")),
                Event::DocType(_) => Err(XmlError::Restricted("document type declaration")),
                Event::Eof if self.depth > 0 || !self.started => {
                    Err(XmlError::NotWellFormed("unclosed element"))
                }
                Event::Eof => Ok(Step::Done),
            };
        }
    }

    /// The namespace of the element just entered.
    pub(super) fn ns(&self) -> &str {
        self.element_binding().0
    }

    /// Its prefix, empty when there is none.
    pub(super) const fn prefix(&self) -> &'a str {
        self.tag.prefix
    }

    /// Its local name.
    pub(super) const fn name(&self) -> &'a str {
        self.tag.name
    }

    /// Its attributes as (namespace, local name, value).
    pub(super) fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str, &str)> {
        self.tag.attributes.iter().map(|attribute| {
            let ns = self.attribute_ns(attribute.prefix).unwrap_or_default();
            (ns, attribute.name, attribute.value.as_ref())
        })
    }

    /// The namespace of unprefixed elements at this point.
    pub(super) fn default_ns(&self) -> &str {
        self.resolve("").map_or("", |(ns, _)| ns)
    }

    /// The namespace of the element just entered, where the text of its
    /// declaration can stand for it: nothing had to be resolved in it.
    pub(super) fn ns_as_written(&self) -> Option<&'a str> {
        let bindings = self.bindings.iter().rev();
        let mut bindings = bindings.filter(|binding| binding.prefix == self.tag.prefix);
        match bindings.next()?.ns {
            Cow::Borrowed(ns) => Some(ns),
            Cow::Owned(_) => None,
        }
    }

    /// What the present child of the root has used from outside of itself.
    pub(super) const fn reach(&self) -> Reach {
        self.reach
    }

    /// The declarations in force, the surrounding scope included.
    pub(super) fn declarations(&self) -> Scope {
        let inner = self.bindings.iter().rev();
        let inner = inner.map(|binding| (binding.prefix, binding.ns.as_ref()));
        inner.chain(self.scope.declarations()).collect()
    }

    /// Reads the rest of the element just entered into a tree.
    pub(super) fn tree(&mut self) -> Result<Element, XmlError> {
        let mut open = vec![Element::from_tag(Tag::entered(self))];
        loop {
            let step = self.step()?;
            let Some(innermost) = open.last_mut() else {
                return Err(XmlError::NotWellFormed("unclosed element"));
            };
            match step {
                Step::Start => open.push(Element::from_tag(Tag::entered(self))),
                Step::Text(raw) => {
                    innermost.push_text(line_ends(raw).into_owned());
                }
                Step::Reference(c) => innermost.push_text(c.to_string()),
                Step::End => {
                    let Some(closed) = open.pop() else {
                        return Err(XmlError::NotWellFormed("unclosed element"));
                    };
                    match open.last_mut() {
                        Some(parent) => parent.push_child(closed),
                        None => return Ok(closed),
                    }
                }
                Step::Done => return Err(XmlError::NotWellFormed("unclosed element")),
            }
        }
    }

    /// Requires that nothing but white space follows.
    pub(super) fn finish(&mut self) -> Result<(), XmlError> {
        match self.step()? {
            Step::Done => Ok(()),
            Step::Start | Step::End | Step::Text(_) | Step::Reference(_) => {
                Err(XmlError::NotWellFormed("something after the element"))
            }
        }
    }

    fn enter(&mut self, tag: &'a str, empty: bool) -> Result<Step<'a>, XmlError> {
        if self.depth == 0 && self.started {
            return Err(XmlError::NotWellFormed("second element"));
        }
        if memchr(b'<', tag.as_bytes()).is_some() {
            return Err(XmlError::NotWellFormed("< in a tag"));
        }
        self.started = true;
        self.empty = empty;
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.limits.depth_max {
            return Err(XmlError::TooDeep);
        }
        let name_len = tag.bytes().position(is_space).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at_checked(name_len).unwrap_or((tag, ""));
        (self.tag.prefix, self.tag.name) = split_name(name)?;
        self.read_attributes(attributes)?;
        if self.depth == CHILD_DEPTH {
            self.reach = Reach::default();
        }
        self.check_prefixes()?;
        Ok(Step::Start)
    }

    fn leave(&mut self) -> Step<'a> {
        while self
            .bindings
            .last()
            .is_some_and(|last| last.depth >= self.depth)
        {
            self.bindings.pop();
        }
        self.depth = self.depth.saturating_sub(1);
        Step::End
    }

    fn read_attributes(&mut self, tag: &'a str) -> Result<(), XmlError> {
        self.tag.attributes.clear();
        let mut declared = 0_usize;
        let mut rest = tag;
        while let Some((key, raw, after)) = next_attribute(rest)? {
            rest = after;
            let (prefix, name) = split_name(key)?;
            let value = if self.survey.to_resolve {
                attribute_value(raw)?
            } else {
                Cow::Borrowed(raw)
            };
            if prefix == "xmlns" || key == "xmlns" {
                declared = declared.saturating_add(1);
                if declared > self.limits.declarations_max {
                    return Err(XmlError::TooManyDeclarations);
                }
                self.declare(if prefix.is_empty() { "" } else { name }, value)?;
            } else {
                self.push_attribute(RawAttribute {
                    prefix,
                    name,
                    value,
                })?;
            }
        }
        Ok(())
    }

    fn push_attribute(&mut self, attribute: RawAttribute<'a>) -> Result<(), XmlError> {
        let known = &mut self.tag.attributes;
        if known.len() >= self.limits.attributes_max {
            return Err(XmlError::TooManyAttributes);
        }
        let same = |other: &RawAttribute<'_>| {
            other.name == attribute.name && other.prefix == attribute.prefix
        };
        if known.iter().any(same) {
            return Err(XmlError::NotWellFormed("repeated attribute"));
        }
        known.push(attribute);
        Ok(())
    }

    /// Namespaces in XML 1.0 §3: what may be bound to what.
    fn declare(&mut self, prefix: &'a str, ns: Cow<'a, str>) -> Result<(), XmlError> {
        if prefix == "xmlns" || ns == XMLNS_NS {
            return Err(XmlError::BadNamespacePrefix("xmlns cannot be declared"));
        }
        if (prefix == "xml") != (ns == XML_NS) {
            return Err(XmlError::BadNamespacePrefix("xml is bound for good"));
        }
        if ns.is_empty() && !prefix.is_empty() {
            return Err(XmlError::BadNamespacePrefix(
                "a prefix cannot be undeclared",
            ));
        }
        let depth = self.depth;
        let mut own = self
            .bindings
            .iter()
            .rev()
            .take_while(|own| own.depth == depth);
        if own.any(|own| own.prefix == prefix) {
            return Err(XmlError::NotWellFormed("repeated declaration"));
        }
        self.bindings.push(Binding { prefix, ns, depth });
        Ok(())
    }

    /// Namespaces in XML 1.0 §5 "Prefix Declared" and §6.3 "Attributes Unique".
    fn check_prefixes(&mut self) -> Result<(), XmlError> {
        let Some((_, depth)) = self.resolve(self.tag.prefix) else {
            return Err(XmlError::BadNamespacePrefix(
                "undeclared prefix of an element",
            ));
        };
        let mut reach = self.reach;
        if depth < CHILD_DEPTH && self.tag.prefix.is_empty() {
            reach.default = true;
        } else if depth < CHILD_DEPTH {
            reach.prefix = true;
        }
        let attributes = &self.tag.attributes;
        for (index, attribute) in attributes.iter().enumerate() {
            if attribute.prefix.is_empty() {
                continue;
            }
            let Some((ns, depth)) = self.resolve(attribute.prefix) else {
                return Err(XmlError::BadNamespacePrefix(
                    "undeclared prefix of an attribute",
                ));
            };
            reach.prefix |= depth < CHILD_DEPTH;
            let same = |other: &RawAttribute<'_>| {
                other.name == attribute.name && self.attribute_ns(other.prefix) == Some(ns)
            };
            if attributes.iter().take(index).any(same) {
                return Err(XmlError::NotWellFormed("repeated attribute"));
            }
        }
        self.reach = reach;
        Ok(())
    }

    fn attribute_ns(&self, prefix: &str) -> Option<&str> {
        if prefix.is_empty() {
            return Some("");
        }
        self.resolve(prefix).map(|(ns, _)| ns)
    }

    fn element_binding(&self) -> (&str, usize) {
        self.resolve(self.tag.prefix).unwrap_or_default()
    }

    /// The namespace bound to a prefix, and the depth at which that was declared.
    fn resolve(&self, prefix: &str) -> Option<(&str, usize)> {
        let mut bindings = self.bindings.iter().rev();
        if let Some(binding) = bindings.find(|binding| binding.prefix == prefix) {
            return Some((&binding.ns, binding.depth));
        }
        if prefix == "xml" {
            return Some((XML_NS, usize::MAX));
        }
        let outside = self.scope.resolve(prefix);
        let outside = outside.or_else(|| prefix.is_empty().then_some(""));
        outside.map(|ns| (ns, 0))
    }
}

/// Takes one attribute (XML 1.0 §3.1) from what follows a name or an attribute in
/// a tag: its name, its raw value, and the rest. quick-xml would do without space
/// between two of them.
pub(super) fn next_attribute(rest: &str) -> Result<Option<(&str, &str, &str)>, XmlError> {
    let malformed = XmlError::NotWellFormed("malformed attribute");
    let start = rest.trim_start_matches(SPACE);
    if start.is_empty() {
        return Ok(None);
    }
    if start.len() == rest.len() {
        return Err(XmlError::NotWellFormed("no space between attributes"));
    }
    let (key, after) = start.split_once('=').ok_or(malformed)?;
    let mut after = after.trim_start_matches(SPACE).chars();
    let quote = after.next().filter(|quote| matches!(quote, '\'' | '"'));
    let (value, rest) = after
        .as_str()
        .split_once(quote.ok_or(malformed)?)
        .ok_or(malformed)?;
    Ok(Some((key.trim_end_matches(SPACE), value, rest)))
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The depth of the children of the root.
pub(super) const CHILD_DEPTH: usize = 2;

/// Where `part` lies in `whole`, of which it must be a slice.
pub(super) fn offset_in(whole: &str, part: &str) -> usize {
    part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr())
}

/// The inside of a token that quick-xml has delimited.
fn cut<'a>(piece: &'a str, open: &str, close: &str) -> Result<&'a str, XmlError> {
    piece
        .strip_prefix(open)
        .and_then(|piece| piece.strip_suffix(close))
        .ok_or(XmlError::NotWellFormed("malformed markup"))
}

fn from_quick_xml(error: quick_xml::Error) -> XmlError {
    match error {
        quick_xml::Error::IllFormed(_) => XmlError::NotWellFormed("ends do not match"),
        quick_xml::Error::Encoding(_) => XmlError::InvalidUtf8,
        _ => XmlError::NotWellFormed("malformed markup"),
    }
}
