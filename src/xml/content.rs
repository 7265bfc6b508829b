//! What is inside a stanza, as the checked bytes it came in.
//!
//! Routing and fan-out write a new head and put these bytes behind it. They are
//! reference-counted, so that a hundred copies of a message share one body. A
//! payload becomes a tree only where somebody asks for it.

use std::borrow::Cow;

use bytes::Bytes;

use super::index::{self, Entries, Entry, write_child};
use super::write::length;
use super::{Element, Scope, XmlError, tree};

/// The child elements of a stanza, side by side, and where each of them is.
///
/// Every child means the same wherever the bytes are put: it declares what it
/// uses, and only names in the parent's own namespace lean on the parent's
/// default, so `jabber:client` becomes `jabber:component:accept` by itself.
#[derive(Clone, Debug, Default)]
pub struct Content {
    bytes: Bytes,
    entries: Entries,
}

/// One child element of a [`Content`].
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    content: &'a [u8],
    entry: &'a Entry,
}

impl Content {
    /// Nothing inside.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The elements in order; those in `own_ns` are written without a declaration.
    #[must_use]
    pub fn from_elements(elements: &[Element], own_ns: &str) -> Self {
        let mut content = Self::empty();
        content.extend(elements, own_ns);
        content
    }

    /// One child `{ns}name` that was written out already. It begins with `<name xmlns='ns'`, as
    /// [`super::write::element`] writes it, and is well-formed; bytes that begin otherwise are nothing.
    #[must_use]
    pub fn from_written(bytes: Bytes, ns: &str, name: &str) -> Self {
        match index::entry_of_bytes(&bytes, ns, name) {
            Some(entry) => Self::from_parts(bytes, std::iter::once(entry).collect()),
            None => Self::empty(),
        }
    }

    pub(super) const fn from_parts(bytes: Bytes, entries: Entries) -> Self {
        Self { bytes, entries }
    }

    /// The children in document order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Child<'_>> + ExactSizeIterator {
        self.entries.iter().map(|entry| Child {
            content: &self.bytes,
            entry,
        })
    }

    /// The first child with this name; `None` stands for the parent's own namespace.
    #[must_use]
    pub fn find(&self, ns: Option<&str>, name: &str) -> Option<Child<'_>> {
        self.iter().find(|child| child.is(ns, name))
    }

    /// Whether there is a child with this name.
    #[must_use]
    pub fn contains(&self, ns: Option<&str>, name: &str) -> bool {
        self.find(ns, name).is_some()
    }

    /// Appends one element. This copies the bytes once. Content is bounded to
    /// 4 GiB, beyond which nothing is added.
    pub fn push(&mut self, element: &Element, own_ns: &str) {
        self.extend([element], own_ns);
    }

    /// Appends several elements as [`Content::push`] does one; the bytes are copied once for all of them.
    pub fn extend<'a, I>(&mut self, elements: I, own_ns: &str)
    where
        I: IntoIterator<Item = &'a Element> + Clone,
    {
        let mut out = Vec::from(std::mem::take(&mut self.bytes));
        let each = elements.clone().into_iter();
        // No more than that, for the bytes may be kept for long.
        out.reserve_exact(each.map(|element| length(element, own_ns)).sum());
        for element in elements {
            self.entries.extend(write_child(&mut out, element, own_ns));
        }
        self.bytes = out.into();
    }

    /// Appends the children of another content under a parent of the same
    /// namespace. Bounded as [`Content::push`] is.
    pub fn append(&mut self, other: &Self) {
        if self.is_empty() {
            *self = other.clone();
            return;
        }
        let mut out = Vec::from(std::mem::take(&mut self.bytes));
        for child in other.iter() {
            if let Some(entry) = child.entry.moved_to(out.len()) {
                out.extend_from_slice(child.bytes());
                self.entries.push(entry);
            }
        }
        self.bytes = out.into();
    }

    /// Keeps the children for which the answer is true. The bytes are touched
    /// only where something goes.
    pub fn retain(&mut self, mut keep: impl FnMut(&Child<'_>) -> bool) {
        let kept = self.iter().map(|child| keep(&child));
        let kept = kept.collect::<smallvec::SmallVec<[bool; 8]>>();
        if kept.iter().all(|keep| *keep) {
            return;
        }
        let mut out = Vec::with_capacity(self.bytes.len());
        let mut entries = Entries::new();
        for (child, _) in self.iter().zip(kept).filter(|(_, keep)| *keep) {
            if let Some(entry) = child.entry.moved_to(out.len()) {
                out.extend_from_slice(child.bytes());
                entries.push(entry);
            }
        }
        *self = Self::from_parts(out.into(), entries);
    }

    /// The same in bytes of its own. What is kept for long must not hold on to the read buffer
    /// that it came in.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self::from_parts(Bytes::copy_from_slice(&self.bytes), self.entries.clone())
    }

    /// All children as they are to be written between a head and its end tag.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether there is no child.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many children there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

impl PartialEq for Content {
    /// Byte by byte; two spellings of the same XML differ.
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Content {}

impl<'a> Child<'a> {
    /// The namespace; `None` is the parent's own, the empty string is no namespace.
    #[must_use]
    pub fn ns(&self) -> Option<&'a str> {
        self.entry.ns(self.content)
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.entry.name(self.content)
    }

    /// Whether this has the name; `None` stands for the parent's own namespace.
    #[must_use]
    pub fn is(&self, ns: Option<&str>, name: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    /// The element from its start tag to its end tag.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.content.get(self.entry.range()).unwrap_or_default()
    }

    /// The element as a tree, its parent being in `own_ns`.
    ///
    /// # Errors
    /// None in practice: the bytes were checked before.
    pub fn to_element(&self, own_ns: &str) -> Result<Element, XmlError> {
        tree::element(self.bytes(), &Scope::with_default(own_ns))
    }

    /// The character data directly inside, references resolved.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        tree::direct_text(self.bytes()).unwrap_or_default()
    }
}
