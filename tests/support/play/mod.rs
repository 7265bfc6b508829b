//! Conversation scripts: their notation, what they expect, and playing them.

pub(crate) mod pattern;
pub(crate) mod phrase;
pub(crate) mod script;
pub(crate) mod stage;
