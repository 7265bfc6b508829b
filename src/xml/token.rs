//! The tokens of a well-formed element (XML 1.0 §3.1, §2.4, §2.7, §4.1), each
//! looked at once and borrowed from the text.
//!
//! Our own and not quick-xml's: that one delimits tags and leaves what is in
//! them, a dozen checks, to a second and third look, which took more time than
//! all the rest. It knows neither nesting nor namespaces: `strict` does.

use memchr::{memchr, memchr2, memchr3, memmem};

use super::XmlError;
use super::characters::{QName, is_space, resolve_reference, survey_name};

/// What the text consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<`, after which [`Tokens::name`], [`Tokens::attribute`] and
    /// [`Tokens::tag_end`] are to be called.
    StartTag,
    /// `</name>`.
    EndTag(&'a str),
    /// Character data without references, as written.
    Text(&'a str),
    /// The inside of a CDATA section.
    Section(&'a str),
    Reference(char),
    /// Nothing is left.
    End,
}

/// How a start tag ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagEnd {
    /// `>`: content follows.
    Open,
    /// `/>`: that was all.
    Empty,
}

/// An attribute as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenAttribute<'a> {
    pub(super) name: QName<'a>,
    pub(super) value: &'a str,
    /// There are references in the value.
    pub(super) referring: bool,
}

/// A text being taken apart from its front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What was not yet taken.
    pub(super) const fn rest(&self) -> &'a str {
        self.rest
    }

    /// Takes the next token of the content of an element.
    pub(super) fn next(&mut self) -> Result<Token<'a>, XmlError> {
        let bytes = self.rest.as_bytes();
        match bytes.first() {
            None => Ok(Token::End),
            Some(b'<') => self.markup(),
            Some(b'&') => {
                let end = memchr(b';', bytes).ok_or(UNTERMINATED)?;
                let name = self.take(end)?.strip_prefix('&').unwrap_or_default();
                self.take(1)?;
                resolve_reference(name).map(Token::Reference)
            }
            Some(_) => {
                let end = memchr2(b'<', b'&', bytes).unwrap_or(bytes.len());
                self.take(end).map(Token::Text)
            }
        }
    }

    /// Takes a name, of an element or an attribute.
    pub(super) fn name(&mut self) -> Result<QName<'a>, XmlError> {
        let (end, plain) = survey_name(self.rest.as_bytes());
        let name = self.take(end)?;
        if plain {
            return Ok(QName::unprefixed(name));
        }
        QName::new(name)
    }

    /// Takes an attribute with the white space before it. `None` where the tag ends.
    pub(super) fn attribute(&mut self) -> Result<Option<WrittenAttribute<'a>>, XmlError> {
        let spaced = self.space();
        if let None | Some(b'>' | b'/' | b'?') = self.rest.as_bytes().first() {
            return Ok(None);
        }
        if !spaced {
            return Err(XmlError::NotWellFormed(
                "malformed name, or no space before it",
            ));
        }
        let name = self.name()?;
        self.space();
        self.rest = self.rest.strip_prefix('=').ok_or(BAD_ATTRIBUTE)?;
        self.space();
        let quote = match self.rest.as_bytes().first() {
            Some(quote @ (b'\'' | b'"')) => *quote,
            _ => return Err(BAD_ATTRIBUTE),
        };
        self.take(1)?;
        let bytes = self.rest.as_bytes();
        let mut end = memchr3(quote, b'<', b'&', bytes).ok_or(UNTERMINATED)?;
        let referring = bytes.get(end) == Some(&b'&');
        if referring {
            end = memchr2(quote, b'<', bytes).ok_or(UNTERMINATED)?;
        }
        let value = self.take(end)?;
        if self.take(1)? == "<" {
            return Err(XmlError::NotWellFormed("< in the value of an attribute"));
        }
        Ok(Some(WrittenAttribute {
            name,
            value,
            referring,
        }))
    }

    /// Takes the end of a start tag.
    pub(super) fn tag_end(&mut self) -> Result<TagEnd, XmlError> {
        if let Some(rest) = self.rest.strip_prefix('>') {
            self.rest = rest;
            return Ok(TagEnd::Open);
        }
        self.rest = self.rest.strip_prefix("/>").ok_or(BAD_TAG)?;
        Ok(TagEnd::Empty)
    }

    fn markup(&mut self) -> Result<Token<'a>, XmlError> {
        let bytes = self.rest.as_bytes();
        match bytes.get(1) {
            Some(b'/') => {
                let end = memchr(b'>', bytes).ok_or(UNTERMINATED)?;
                let name = self.take(end)?.strip_prefix("</").unwrap_or_default();
                self.take(1)?;
                Ok(Token::EndTag(name.trim_end_matches(SPACE)))
            }
            Some(b'!') => self.section(),
            Some(b'?') => {
                let target = self
                    .rest
                    .strip_prefix("<?xml")
                    .and_then(|rest| rest.bytes().next());
                Err(XmlError::Restricted(if target.is_some_and(is_space) {
                    "XML declaration"
                } else {
                    "processing instruction"
                }))
            }
            _ => {
                self.take(1)?;
                Ok(Token::StartTag)
            }
        }
    }

    fn section(&mut self) -> Result<Token<'a>, XmlError> {
        let Some(inside) = self.rest.strip_prefix("<![CDATA[") else {
            return Err(if self.rest.starts_with("<!--") {
                XmlError::Restricted("comment")
            } else if self.rest.starts_with("<!DOCTYPE") {
                XmlError::Restricted("document type declaration")
            } else {
                BAD_TAG
            });
        };
        let end = memmem::find(inside.as_bytes(), b"]]>").ok_or(UNTERMINATED)?;
        self.rest = inside;
        let inside = self.take(end)?;
        self.take("]]>".len())?;
        Ok(Token::Section(inside))
    }

    fn space(&mut self) -> bool {
        let trimmed = self.rest.trim_start_matches(SPACE);
        let any = trimmed.len() < self.rest.len();
        self.rest = trimmed;
        any
    }

    fn take(&mut self, length: usize) -> Result<&'a str, XmlError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(UNTERMINATED)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// White space (XML 1.0 §2.3 S).
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

const UNTERMINATED: XmlError = XmlError::NotWellFormed("unterminated markup or reference");
const BAD_ATTRIBUTE: XmlError = XmlError::NotWellFormed("malformed attribute");
const BAD_TAG: XmlError = XmlError::NotWellFormed("malformed tag");
