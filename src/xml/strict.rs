//! The reader that decides what is well-formed: tokens, nesting, XML 1.0 and
//! Namespaces in XML 1.0, the restrictions of RFC 6120 §11.1, and our limits.
//!
//! It builds nothing and keeps no text. Whoever needs an index or a tag takes the
//! steps; `tree` reads the text once more, where a tree is wanted at all.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::characters::{QName, Survey, attribute_value, is_space};
use super::element::XML_NS;
use super::token::{SPACE, TagEnd, Token, Tokens};
use super::{Limits, Scope, XmlError};

/// The namespace of namespace declarations (Namespaces in XML 1.0 §3).
const XMLNS_NS: &str = "http://www.w3.org/2000/xmlns/";

/// One element, read step by step.
pub(super) struct Strict<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
    scope: &'a Scope,
    limits: &'a Limits,
    survey: Survey,
    started: bool,
    /// The element just entered was an empty-element tag: its end comes next.
    empty: bool,
    /// The names of the open elements, as written.
    open: SmallVec<[&'a str; 8]>,
    bindings: SmallVec<[Binding<'a>; 8]>,
    tag: EnteredTag<'a>,
    reach: Reach,
    /// Bytes of the namespace names that a tree of all this would hold.
    resolved: usize,
}

/// What the reader came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Start,
    End,
    /// Character data, a CDATA section or a reference.
    Text,
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
    name: QName<'a>,
    attributes: SmallVec<[RawAttribute<'a>; 8]>,
}

struct RawAttribute<'a> {
    name: QName<'a>,
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
            tokens: Tokens::new(text),
            scope,
            limits,
            survey,
            started: false,
            empty: false,
            open: SmallVec::new(),
            bindings: SmallVec::new(),
            tag: EnteredTag::default(),
            reach: Reach::default(),
            resolved: 0,
        })
    }

    /// The text being read; positions are offsets into it.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// The offset of the byte after the last step.
    pub(super) const fn position(&self) -> usize {
        self.text.len().saturating_sub(self.tokens.rest().len())
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Enters the root element.
    pub(super) fn enter_root(&mut self) -> Result<(), XmlError> {
        match self.step()? {
            Step::Start => Ok(()),
            Step::End | Step::Text | Step::Done => Err(XmlError::NotWellFormed("no element")),
        }
    }

    /// Takes the next step.
    pub(super) fn step(&mut self) -> Result<Step, XmlError> {
        if self.empty {
            self.empty = false;
            return Ok(self.leave());
        }
        loop {
            let token = self.tokens.next()?;
            return match token {
                Token::StartTag => self.enter(),
                Token::EndTag(name) if self.open.last() == Some(&name) => Ok(self.leave()),
                Token::EndTag(_) => Err(XmlError::NotWellFormed("ends do not match")),
                Token::Text(raw) if self.open.is_empty() => {
                    if raw.bytes().all(is_space) {
                        continue;
                    }
                    Err(XmlError::NotWellFormed("text outside of the element"))
                }
                Token::Section | Token::Reference if self.open.is_empty() => {
                    Err(XmlError::NotWellFormed("text outside of the element"))
                }
                Token::Text(raw) if self.survey.bracket && raw.contains("]]>") => {
                    Err(XmlError::NotWellFormed("]]> in text"))
                }
                Token::Text(_) | Token::Section | Token::Reference => Ok(Step::Text),
                Token::End if self.open.is_empty() && self.started => Ok(Step::Done),
                Token::End => Err(XmlError::NotWellFormed("unclosed element")),
            };
        }
    }

    /// The namespace of the element just entered.
    pub(super) fn ns(&self) -> &str {
        self.element_binding().0
    }

    /// Its prefix, empty when there is none.
    pub(super) const fn prefix(&self) -> &'a str {
        self.tag.name.prefix
    }

    /// Its local name.
    pub(super) const fn name(&self) -> &'a str {
        self.tag.name.local
    }

    /// Its attributes as (namespace, local name, value).
    pub(super) fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str, &str)> {
        self.tag.attributes.iter().map(|attribute| {
            let name = attribute.name;
            let ns = self.attribute_ns(name.prefix).unwrap_or_default();
            (ns, name.local, attribute.value.as_ref())
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
        let mut bindings = bindings.filter(|binding| binding.prefix == self.tag.name.prefix);
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

    /// Requires that nothing but white space follows.
    pub(super) fn finish(&mut self) -> Result<(), XmlError> {
        match self.step()? {
            Step::Done => Ok(()),
            Step::Start | Step::End | Step::Text => {
                Err(XmlError::NotWellFormed("something after the element"))
            }
        }
    }

    fn enter(&mut self) -> Result<Step, XmlError> {
        if self.open.is_empty() && self.started {
            return Err(XmlError::NotWellFormed("second element"));
        }
        if self.open.len() >= self.limits.depth_max {
            return Err(XmlError::TooDeep);
        }
        self.started = true;
        self.tag.name = self.tokens.name()?;
        self.check_length(self.tag.name.whole)?;
        self.open.push(self.tag.name.whole);
        self.read_attributes()?;
        self.empty = self.tokens.tag_end()? == TagEnd::Empty;
        if self.open.len() == CHILD_DEPTH {
            self.reach = Reach::default();
        }
        self.check_prefixes()?;
        Ok(Step::Start)
    }

    fn leave(&mut self) -> Step {
        let depth = self.open.len();
        while self.bindings.last().is_some_and(|last| last.depth >= depth) {
            self.bindings.pop();
        }
        self.open.pop();
        Step::End
    }

    fn read_attributes(&mut self) -> Result<(), XmlError> {
        self.tag.attributes.clear();
        while let Some(written) = self.tokens.attribute()? {
            let name = written.name;
            self.check_length(name.whole)?;
            let value = if written.referring || self.survey.line_space {
                attribute_value(written.value)?
            } else {
                Cow::Borrowed(written.value)
            };
            let prefix = match name {
                QName {
                    prefix: "xmlns",
                    local,
                    ..
                } => local,
                QName { whole: "xmlns", .. } => "",
                _ => {
                    self.push_attribute(RawAttribute { name, value })?;
                    continue;
                }
            };
            self.declare(prefix, value)?;
        }
        Ok(())
    }

    fn push_attribute(&mut self, attribute: RawAttribute<'a>) -> Result<(), XmlError> {
        let known = &mut self.tag.attributes;
        if known.len() >= self.limits.attributes_max {
            return Err(XmlError::TooManyAttributes);
        }
        if known
            .iter()
            .any(|other| other.name.whole == attribute.name.whole)
        {
            return Err(XmlError::NotWellFormed("repeated attribute"));
        }
        known.push(attribute);
        Ok(())
    }

    const fn check_length(&self, name: &str) -> Result<(), XmlError> {
        if name.len() > self.limits.name_bytes_max {
            return Err(XmlError::TooLong);
        }
        Ok(())
    }

    /// Namespaces in XML 1.0 §3: what may be bound to what.
    fn declare(&mut self, prefix: &'a str, ns: Cow<'a, str>) -> Result<(), XmlError> {
        if self.bindings.len() >= self.limits.declarations_max {
            return Err(XmlError::TooManyDeclarations);
        }
        self.check_length(&ns)?;
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
        let depth = self.open.len();
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
        let binding = self.resolve(self.tag.name.prefix);
        let (ns, depth) = binding.ok_or(UNDECLARED)?;
        let mut reach = self.reach;
        let mut resolved = self.resolved.saturating_add(ns.len());
        if depth < CHILD_DEPTH && self.tag.name.prefix.is_empty() {
            reach.default = true;
        } else if depth < CHILD_DEPTH {
            reach.prefix = true;
        }
        let attributes = &self.tag.attributes;
        for (index, attribute) in attributes.iter().enumerate() {
            if attribute.name.prefix.is_empty() {
                continue;
            }
            let binding = self.resolve(attribute.name.prefix);
            let (ns, depth) = binding.ok_or(UNDECLARED)?;
            reach.prefix |= depth < CHILD_DEPTH;
            resolved = resolved.saturating_add(ns.len());
            let same = |other: &RawAttribute<'_>| {
                other.name.local == attribute.name.local
                    && self.attribute_ns(other.name.prefix) == Some(ns)
            };
            if attributes.iter().take(index).any(same) {
                return Err(XmlError::NotWellFormed("repeated attribute"));
            }
        }
        if resolved > self.limits.stanza_bytes_max.saturating_mul(2) {
            return Err(XmlError::TooLong);
        }
        self.reach = reach;
        self.resolved = resolved;
        Ok(())
    }

    fn attribute_ns(&self, prefix: &str) -> Option<&str> {
        if prefix.is_empty() {
            return Some("");
        }
        self.resolve(prefix).map(|(ns, _)| ns)
    }

    fn element_binding(&self) -> (&str, usize) {
        self.resolve(self.tag.name.prefix).unwrap_or_default()
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

/// The depth of the children of the root.
pub(super) const CHILD_DEPTH: usize = 2;

const UNDECLARED: XmlError = XmlError::BadNamespacePrefix("undeclared prefix");

/// Where `part` lies in `whole`, of which it must be a slice.
pub(super) fn offset_in(whole: &str, part: &str) -> usize {
    part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr())
}
