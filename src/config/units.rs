//! Sizes and times as values that know their unit.

use std::time::Duration;

use toml::de::DeValue;

use super::value::{Scalar, integer, quoted};

/// A number of bytes: an integer, or text with a unit, `"256 KiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u64);

impl Bytes {
    /// That many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// That many times 1,024 bytes.
    #[must_use]
    pub const fn kib(count: u32) -> Self {
        Self((count as u64) << 10)
    }

    /// That many times 1,048,576 bytes.
    #[must_use]
    pub const fn mib(count: u32) -> Self {
        Self((count as u64) << 20)
    }

    /// The number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number as a length in memory; all there is on machines that address less.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl Scalar for Bytes {
    fn expected() -> String {
        "a size such as 65536 or \"64 KiB\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
            .unwrap_or((text, 1));
        let number: u64 = number.trim_end().parse().ok()?;
        number.checked_mul(unit).map(Self)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        match value.as_str() {
            Some(text) => Self::from_text(text),
            None => integer(value).map(Self),
        }
    }

    /// In the greatest binary unit that divides it.
    fn to_toml(&self) -> String {
        UNITS
            .iter()
            .take(3)
            .find(|(_, unit)| self.0 > 0 && self.0.is_multiple_of(*unit))
            .map_or_else(
                || self.0.to_string(),
                |(name, unit)| quoted(&format!("{} {name}", self.0 / unit)),
            )
    }
}

/// A number of whole seconds; its keys end in `_seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u32);

impl Seconds {
    /// That many seconds.
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The number.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// The time for timers.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Scalar for Seconds {
    fn expected() -> String {
        "whole seconds".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        u32::from_toml(value).map(Self)
    }

    fn to_toml(&self) -> String {
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written_in_their_units() {
        for (text, bytes, written) in [
            ("0", Some(0), "0"),
            ("1000", Some(1000), "1000"),
            ("64KiB", Some(65_536), "\"64 KiB\""),
            (" 1 MiB ", Some(1 << 20), "\"1 MiB\""),
            ("2 kB", Some(2000), "2000"),
            ("3 B", Some(3), "3"),
            ("1 GiB", Some(1 << 30), "\"1 GiB\""),
            ("1.5 MiB", None, ""),
            ("-1", None, ""),
            ("KiB", None, ""),
            ("1 kib", None, ""),
            ("99999999999999999999", None, ""),
            ("18446744073709551615 GiB", None, ""),
        ] {
            let read = Bytes::from_text(text);
            assert_eq!(read.map(Bytes::as_u64), bytes, "{text:?}");
            if let Some(read) = read {
                assert_eq!(read.to_toml(), written, "{text:?}");
            }
        }
    }
}
