//! What an extension says it implements; the README's table is made from these.

/// A document of the XMPP Standards Foundation, the IETF, or our own under `schemas/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    /// Its number as people cite it: `XEP-0199`, `RFC 6121`.
    pub number: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The version implemented; empty for RFCs.
    pub version: &'static str,
    /// What of it is done, or left out and why; empty when all of it is done.
    pub note: &'static str,
}

impl Document {
    /// A document that is implemented whole.
    #[must_use]
    pub const fn new(number: &'static str, title: &'static str, version: &'static str) -> Self {
        Self {
            number,
            title,
            version,
            note: "",
        }
    }

    /// The same with a word on what is done of it.
    #[must_use]
    pub const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }
}
