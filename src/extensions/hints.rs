//! XEP-0334: Message Processing Hints, version 1.0.0: what a sender wishes to be done with a message.
//!
//! The hints are acted on where the acting is done: in the archive, with offline messages, with copies.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::Hooks;
use crate::proto::document::Document;
use crate::proto::{Stanza, ns};

/// Declares the document.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new(
        "XEP-0334",
        "Message Processing Hints",
        "1.0.0",
    ));
}

/// A hint (§4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// §4.1: in no archive.
    NoPermanentStore,
    /// §4.2: not kept at all.
    NoStore,
    /// §4.3: for nobody but its recipient.
    NoCopy,
    /// §4.4: to be kept, although it may not look like it.
    Store,
}

impl Hint {
    const fn name(self) -> &'static str {
        match self {
            Self::NoPermanentStore => "no-permanent-store",
            Self::NoStore => "no-store",
            Self::NoCopy => "no-copy",
            Self::Store => "store",
        }
    }

    /// Whether the message has the hint.
    pub(crate) fn is_on(self, stanza: &Stanza) -> bool {
        stanza.has(ns::HINTS, self.name())
    }
}
