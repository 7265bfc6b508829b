//! One complete element, proven well-formed in a single pass.
//!
//! A stanza on its way gets no tree: its tag is read and its children stay the
//! bytes they came in. Everything that can be refused is refused here, so what
//! leaves as [`Content`] can be written into another stream without a look.

use std::borrow::Cow;
use std::mem;

use bytes::Bytes;

use super::characters::line_ends;
use super::index;
use super::scope::NOTHING;
use super::strict::{Step, Strict};
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
            return tree(bytes, scope, &Limits::NONE);
        }
        let own_ns = self.tag.ns();
        let children = self.content.iter().map(|child| child.to_element(own_ns));
        let children = children.collect::<Result<Vec<_>, _>>()?;
        Ok(Element::from_tag(self.tag.clone()).children_from(children))
    }

    /// The character data directly inside, as in `<auth>base64</auth>`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.mixed {
            Some((bytes, scope)) => direct_text(bytes, scope),
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
    let content = children.into_content(reader.text(), &tag, |part| bytes.slice_ref(part))?;
    Ok((tag, content, text))
}

/// Reads one element that stands alone into a tree, as for stored XML.
///
/// # Errors
/// Whatever makes the bytes anything but one well-formed element within the limits.
pub fn document(bytes: &[u8], limits: &Limits) -> Result<Element, XmlError> {
    tree(bytes, &NOTHING, limits)
}

/// Reads one element within the scope into a tree.
pub(super) fn tree(bytes: &[u8], scope: &Scope, limits: &Limits) -> Result<Element, XmlError> {
    let mut reader = Strict::new(bytes, scope, limits)?;
    reader.enter_root()?;
    let mut innermost = Element::from_tag(Tag::entered(&reader));
    let mut around = Vec::new();
    loop {
        match reader.step()? {
            Step::Start => {
                let entered = Element::from_tag(Tag::entered(&reader));
                around.push(mem::replace(&mut innermost, entered));
            }
            Step::Text(raw) => innermost.push_text(line_ends(raw).into_owned()),
            Step::Reference(c) => innermost.push_text(c.to_string()),
            Step::End => {
                let Some(parent) = around.pop() else {
                    break;
                };
                let closed = mem::replace(&mut innermost, parent);
                innermost.push_child(closed);
            }
            Step::Done => return Err(XmlError::NotWellFormed("unclosed element")),
        }
    }
    reader.finish()?;
    Ok(innermost)
}

/// The character data directly inside of an element that was checked before,
/// borrowed where it is one piece.
pub(super) fn direct_text<'a>(bytes: &'a [u8], scope: &'a Scope) -> Cow<'a, str> {
    let mut text = Cow::Borrowed("");
    let Ok(mut reader) = Strict::new(bytes, scope, &Limits::NONE) else {
        return text;
    };
    while let Ok(step) = reader.step() {
        match step {
            Step::Text(raw) if reader.depth() == 1 => {
                let piece = line_ends(raw);
                if text.is_empty() {
                    text = piece;
                } else {
                    text.to_mut().push_str(&piece);
                }
            }
            Step::Reference(c) if reader.depth() == 1 => text.to_mut().push(c),
            Step::Done => break,
            Step::Start | Step::End | Step::Text(_) | Step::Reference(_) => {}
        }
    }
    text
}
