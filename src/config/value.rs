//! Values of keys: how each type is read from TOML and from the environment, and written.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use crate::observe::{Filter, Format, Secret};

/// A value that is one word or number.
pub(crate) trait Scalar: Sized + Clone {
    /// Whether the value may not be repeated in a complaint, and may come from a file.
    const SECRET: bool = false;
    /// A good value in words, to follow "expected".
    fn expected() -> String;
    /// Reads the text of a variable or of a TOML string.
    fn from_text(text: &str) -> Option<Self>;
    /// Reads a TOML value; a string unless the type says otherwise.
    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().and_then(Self::from_text)
    }
    /// The value as it stands in a file.
    fn to_toml(&self) -> String;
}

/// The value of a key: a [`Scalar`], or a list of them.
pub(crate) trait Value: Sized + Clone {
    const SECRET: bool;
    fn expected() -> String;
    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Vec<Mismatch>>;
    fn from_text(text: &str) -> Result<Self, Vec<Mismatch>>;
    fn to_toml(&self) -> String;
}

/// A value that is not what the key takes.
pub(crate) struct Mismatch {
    /// Where in the file; `None` in the environment.
    pub(super) span: Option<Range<usize>>,
    /// What was there instead, fit to be shown.
    pub(super) found: String,
    /// What an element of a list should have been, when it is one that is wrong.
    pub(super) element: Option<String>,
}

impl<T: Scalar> Value for T {
    const SECRET: bool = T::SECRET;

    fn expected() -> String {
        T::expected()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Vec<Mismatch>> {
        T::from_toml(value.get_ref()).ok_or_else(|| {
            vec![Mismatch {
                span: Some(value.span()),
                found: if T::SECRET {
                    format!("{} (not shown)", kind(value.get_ref()))
                } else {
                    shown(value.get_ref())
                },
                element: None,
            }]
        })
    }

    fn from_text(text: &str) -> Result<Self, Vec<Mismatch>> {
        T::from_text(text).ok_or_else(|| {
            vec![Mismatch {
                span: None,
                found: if T::SECRET {
                    "a string (not shown)".to_owned()
                } else {
                    quoted(text)
                },
                element: None,
            }]
        })
    }

    fn to_toml(&self) -> String {
        T::to_toml(self)
    }
}

impl<T: Scalar> Value for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn expected() -> String {
        format!("a list (each {})", T::expected())
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Vec<Mismatch>> {
        let Some(array) = value.get_ref().as_array() else {
            return Err(vec![Mismatch {
                span: Some(value.span()),
                found: shown(value.get_ref()),
                element: None,
            }]);
        };
        all(array.iter().map(<T as Value>::from_toml))
    }

    /// Elements are separated by commas; nothing is the empty list.
    fn from_text(text: &str) -> Result<Self, Vec<Mismatch>> {
        if text.trim().is_empty() {
            return Ok(Self::new());
        }
        all(text
            .split(',')
            .map(|part| <T as Value>::from_text(part.trim())))
    }

    fn to_toml(&self) -> String {
        let elements: Vec<_> = self.iter().map(Scalar::to_toml).collect();
        format!("[{}]", elements.join(", "))
    }
}

fn all<T: Scalar>(
    read: impl Iterator<Item = Result<T, Vec<Mismatch>>>,
) -> Result<Vec<T>, Vec<Mismatch>> {
    let mut values = Vec::new();
    let mut mismatches = Vec::new();
    for element in read {
        match element {
            Ok(value) => values.push(value),
            Err(more) => mismatches.extend(more.into_iter().map(|wrong| Mismatch {
                element: Some(T::expected()),
                ..wrong
            })),
        }
    }
    if mismatches.is_empty() {
        Ok(values)
    } else {
        Err(mismatches)
    }
}

/// Which values of a type a key takes.
pub(crate) struct Limits<T>(Option<RangeInclusive<T>>, fn(&T, &T) -> bool);

impl<T: Value> Limits<T> {
    /// All of them.
    pub(super) fn none() -> Self {
        Self(None, |_, _| true)
    }

    pub(super) fn within(range: RangeInclusive<T>) -> Self
    where
        T: PartialOrd,
    {
        Self(Some(range), |small, great| small <= great)
    }

    pub(super) fn allow(&self, value: &T) -> bool {
        self.0
            .as_ref()
            .is_none_or(|range| (self.1)(range.start(), value) && (self.1)(value, range.end()))
    }

    /// The type's [`Value::expected`], with the limits.
    pub(super) fn expected(&self) -> String {
        match &self.0 {
            None => T::expected(),
            Some(range) => format!(
                "{} from {} to {}",
                T::expected(),
                range.start().to_toml(),
                range.end().to_toml()
            ),
        }
    }
}

/// `""` stands for no value, so that a variable can unset what the file sets.
impl<T: Scalar> Scalar for Option<T> {
    const SECRET: bool = T::SECRET;

    fn expected() -> String {
        T::expected()
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(None);
        }
        T::from_text(text).map(Some)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        if value.as_str() == Some("") {
            return Some(None);
        }
        T::from_toml(value).map(Some)
    }

    fn to_toml(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), T::to_toml)
    }
}

impl Scalar for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Scalar for u32 {
    fn expected() -> String {
        "an integer".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        integer(value)?.try_into().ok()
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Scalar for PathBuf {
    fn expected() -> String {
        "a path".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Scalar for String {
    fn expected() -> String {
        "a text".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        (!text.chars().any(char::is_control)).then(|| text.to_owned())
    }

    fn to_toml(&self) -> String {
        quoted(self)
    }
}

impl Scalar for Secret<String> {
    const SECRET: bool = true;

    fn expected() -> String {
        "a string".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self::new(text.to_owned()))
    }

    /// Only ever called on defaults, which are no secrets.
    fn to_toml(&self) -> String {
        quoted(self.expose())
    }
}

impl Scalar for Filter {
    fn expected() -> String {
        "a log level such as \"info\", or \"info,parlour::router=debug\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_toml(&self) -> String {
        quoted(self.as_str())
    }
}

impl Scalar for Format {
    fn expected() -> String {
        "\"text\" or \"json\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn to_toml(&self) -> String {
        quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// The integer that a TOML value is, in any of TOML's notations.
pub(super) fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// `text` as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A TOML value as a complaint repeats it: long strings are cut.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => {
            let short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            if short.len() < text.len() {
                format!("{short:?}…")
            } else {
                format!("{short:?}")
            }
        }
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => kind(value).to_owned(),
    }
}

const SHOWN_CHARS_MAX: usize = 60;

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
