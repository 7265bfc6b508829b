//! One complete element, proven well-formed in a single pass.
//!
//! A stanza on its way gets no tree: its tag is read and its children stay the
//! bytes they came in. Everything that can be refused is refused here, so what
//! leaves as [`Content`] can be written into another stream without a look, and
//! `tree` can read it without a check.

use std::borrow::Cow;

use bytes::Bytes;

use super::index;
use super::scope::NOTHING;
use super::strict::{Step, Strict};
use super::tree;
use super::{Content, Element, Limits, Scope, Tag, XmlError};

/// A top-level element: its tag, and what is inside.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Name and attributes.
    pub tag: Tag,
    /// The child elements.
    pub content: Content,
    /// The element as it came, where it has character data of its own.
    mixed: Option<(Bytes, Scope)>,
}

impl Parsed {
    /// The whole as a tree, character data included.
    ///
    /// # Errors
    /// None for content that came from [`parse`].
    pub fn to_element(&self) -> Result<Element, XmlError> {
        if let Some((bytes, scope)) = &self.mixed {
            return tree::element(bytes, scope);
        }
        let own_ns = self.tag.ns();
        let children = self.content.iter().map(|child| child.to_element(own_ns));
        let children = children.collect::<Result<Vec<_>, _>>()?;
        Ok(Element::from(self.tag.clone()).children_from(children))
    }

    /// The character data directly inside, as in `<auth>base64</auth>`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.mixed {
            Some((bytes, _)) => tree::direct_text(bytes).unwrap_or_default(),
            None => Cow::Borrowed(""),
        }
    }
}

/// Checks one element against XML 1.0, Namespaces in XML 1.0, the restrictions
/// of RFC 6120 §11.1 and the limits, and indexes its children.
///
/// `scope` holds the declarations of the stream header, or nothing where each
/// element stands alone (RFC 7395 §3.3.3).
///
/// # Errors
/// Whatever makes the bytes anything but one well-formed element.
pub fn parse(bytes: Bytes, scope: &Scope, limits: &Limits) -> Result<Parsed, XmlError> {
    let (tag, content, text) = read(&bytes, scope, limits)?;
    let mixed = text.then(|| (bytes, scope.clone()));
    Ok(Parsed {
        tag,
        content,
        mixed,
    })
}

/// The tag, the content, and whether there is character data beside it.
fn read(bytes: &Bytes, scope: &Scope, limits: &Limits) -> Result<(Tag, Content, bool), XmlError> {
    let mut reader = Strict::new(bytes, scope, limits)?;
    reader.enter_root()?;
    let tag = Tag::entered(&reader);
    let children = index::children(&mut reader, &tag)?;
    reader.finish()?;
    let text = children.text;
    let slice = |part: &[u8]| bytes.slice_ref(part);
    let content = children.into_content(reader.text(), &tag, limits, slice)?;
    Ok((tag, content, text))
}

/// Reads one element that stands alone into a tree, as for stored XML.
///
/// # Errors
/// Whatever makes the bytes anything but one well-formed element within the limits.
pub fn document(bytes: &[u8], limits: &Limits) -> Result<Element, XmlError> {
    let mut proof = Strict::new(bytes, &NOTHING, limits)?;
    while proof.step()? != Step::Done {}
    tree::element(bytes, &NOTHING)
}
