//! Bytes to elements and back. Knows XML 1.0 and its namespaces, and no XMPP.
//!
//! The way of a stanza: [`Framer`] cuts one complete child of the stream out of
//! what was read; [`parse()`] proves it well-formed and leaves its children as
//! the bytes they came in ([`Content`]); [`mod@write`] and [`Content::bytes`] put
//! them out again. [`Element`] is the tree for what the server itself reads.
//!
//! `strict` is the one place that decides what well-formed means, over the
//! tokens of `token`.

mod characters;
pub mod content;
pub mod element;
mod error;
pub mod framer;
mod index;
mod limits;
pub mod parse;
mod scan;
mod scope;
mod strict;
mod tag;
#[cfg(test)]
mod tests;
mod token;
pub mod write;

pub use content::{Child, Content};
pub use element::{Attribute, Element, Node};
pub use error::XmlError;
pub use framer::{Frame, Framer, Opening};
pub use limits::Limits;
pub use parse::{Parsed, document, parse};
pub use scope::Scope;
pub use tag::Tag;
