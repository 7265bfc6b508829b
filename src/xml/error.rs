//! What can be wrong with XML, told apart as a peer must be told.

use thiserror::Error;

/// Why bytes were refused. No variant carries anything that the peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum XmlError {
    /// XML 1.0 or Namespaces in XML 1.0 is violated (RFC 6120 §4.9.3.13).
    #[error("not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// A feature that XMPP forbids: comments, processing instructions, DTDs,
    /// entities that are not predefined (RFC 6120 §4.9.3.18, §11.1).
    #[error("restricted XML: {0}")]
    Restricted(&'static str),
    /// A prefix is not declared, or declared in a forbidden way (RFC 6120 §4.9.3.2).
    #[error("bad namespace prefix: {0}")]
    BadNamespacePrefix(&'static str),
    /// The XML declaration names an encoding other than UTF-8 (RFC 6120 §4.9.3.22).
    #[error("encoding other than UTF-8")]
    UnsupportedEncoding,
    /// The bytes are not UTF-8, whatever was declared (RFC 6120 §11.6).
    #[error("bytes that are not UTF-8")]
    InvalidUtf8,
    /// Character data between the children of the stream (RFC 6120 §4.9.3.1).
    #[error("text between top-level elements")]
    TextBetweenElements,
    /// More bytes than [`Limits::stanza_bytes_max`](super::Limits::stanza_bytes_max), or
    /// a name of more than [`Limits::name_bytes_max`](super::Limits::name_bytes_max).
    #[error("too many bytes")]
    TooLong,
    /// Nested deeper than [`Limits::depth_max`](super::Limits::depth_max).
    #[error("nested too deep")]
    TooDeep,
    /// More than [`Limits::attributes_max`](super::Limits::attributes_max) in one element.
    #[error("too many attributes")]
    TooManyAttributes,
    /// More than [`Limits::declarations_max`](super::Limits::declarations_max) in force.
    #[error("too many namespace declarations")]
    TooManyDeclarations,
}
