//! A value that must not be seen: passwords, tokens, keys, addresses that hold a password.
//!
//! It protects against printing by accident (`{:?}` of a struct, a serialised report), not
//! against a reader of the process's memory.

use std::fmt;

use serde::{Serialize, Serializer};

/// A value that prints and serialises as [`REDACTED`]; [`Secret::expose`] is the only way in,
/// so that every use can be searched.
///
/// Equality serves to notice that a configuration has changed. It does not take constant
/// time: a credential that a peer sent is compared through `subtle`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

/// What is seen in place of a secret.
pub const REDACTED: &str = "[redacted]";

impl<T> Secret<T> {
    /// Hides `value`.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; take care where it goes.
    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_seen_unless_exposed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?} {secret}"), "[redacted] [redacted]");
        assert!(!format!("{:#?}", Some(&secret)).contains("hunter2"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        assert_eq!(secret.expose(), "hunter2");
    }
}
