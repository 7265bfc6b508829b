//! Where a stream stands in a list: its id, which sorts by the time of its making.

use std::str::FromStr;

use crate::id;

/// A place in a list of streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place(String);

/// The text is no place.
#[derive(Debug)]
pub(super) struct NoPlace;

impl Place {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    /// Whether a stream stands there is not looked at: it may be gone, or no longer for the reader, and the page goes on all the
    /// same. So nobody learns by that whether there is one.
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        match id::is_sorted(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(NoPlace),
        }
    }
}
