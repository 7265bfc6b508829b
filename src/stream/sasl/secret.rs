//! A password on its way to be checked: shown to nobody, wiped when dropped.

use std::fmt;

/// Text that must not be logged. The copy it holds is overwritten on drop; buffers that the
/// text came through are not.
pub struct Secret(String);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        // Without this the compiler may leave the writes out, since nothing reads them.
        std::hint::black_box(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_nothing() {
        let secret = Secret::from("pencil");
        assert_eq!(secret.expose(), "pencil");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
