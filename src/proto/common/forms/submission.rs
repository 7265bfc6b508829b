//! Whether a filled-in form answers the form that was asked (XEP-0004 §3.3, §3.5).

use super::{Datatype, Field, FieldType, Form, FormError, FormType};
use crate::clock::Timestamp;
use crate::proto::Jid;

/// What was filled in, checked against the fields that were asked for. Fields that were not
/// asked for are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submission(Vec<(String, Vec<String>)>);

impl Submission {
    /// The value of a field that takes one; none when it was left empty.
    #[must_use]
    pub fn value(&self, var: &str) -> Option<&str> {
        self.values(var).first().map(String::as_str)
    }

    /// All values of a field.
    #[must_use]
    pub fn values(&self, var: &str) -> &[String] {
        let known = self.0.iter().find(|(name, _)| name == var);
        known.map_or(&[], |(_, values)| values)
    }

    /// The lines of a field as one text; none when it was left empty.
    #[must_use]
    pub fn text(&self, var: &str) -> Option<String> {
        let lines = self.values(var);
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// A boolean field; none when it was left empty.
    #[must_use]
    pub fn flag(&self, var: &str) -> Option<bool> {
        self.value(var).and_then(boolean)
    }

    /// An address; none when it was left empty.
    #[must_use]
    pub fn jid(&self, var: &str) -> Option<Jid> {
        self.value(var).and_then(|value| Jid::parse(value).ok())
    }
}

impl Form {
    /// Reads `answer` as this form filled in. A field that is left out keeps the value that
    /// this form shows (§3.5), and what was not asked for is passed over.
    ///
    /// # Errors
    /// When it is not of the type submit, answers a form of another `FORM_TYPE`, lacks what is
    /// required, or has a value that a field does not take.
    pub fn submission(&self, answer: &Self) -> Result<Submission, FormError> {
        if answer.kind != FormType::Submit {
            return Err(FormError::NotSubmitted);
        }
        if let (Some(asked), Some(answered)) = (self.type_name(), answer.type_name())
            && asked != answered
        {
            return Err(FormError::OtherForm);
        }
        let mut filled = Vec::new();
        for field in &self.fields {
            let (Some(var), false) = (&field.var, field.kind() == FieldType::Fixed) else {
                continue;
            };
            let given = answer.find(var).unwrap_or(field);
            let values = field.checked(var, given.values.clone())?;
            filled.push((var.clone(), values));
        }
        Ok(Submission(filled))
    }
}

impl Field {
    /// As whoever has filled it in knows it.
    fn named(&self, var: &str) -> String {
        match &self.label {
            Some(label) => format!("“{label}”"),
            None => var.to_owned(),
        }
    }

    fn checked(&self, var: &str, mut values: Vec<String>) -> Result<Vec<String>, FormError> {
        // Clients send an empty value for a field that nobody touched; in lines, empty is a line.
        if values.iter().all(String::is_empty) {
            values.clear();
        }
        if values.is_empty() {
            return if self.required {
                Err(FormError::Required(self.named(var)))
            } else {
                Ok(values)
            };
        }
        if self.kind() == FieldType::JidMulti {
            // §3.3: duplicates are to be dropped.
            let mut once: Vec<String> = Vec::with_capacity(values.len());
            for value in values {
                if !once.contains(&value) {
                    once.push(value);
                }
            }
            values = once;
        }
        match self.problem(&values) {
            Some(expected) => Err(FormError::Value {
                var: self.named(var),
                expected,
            }),
            None => Ok(values),
        }
    }

    /// What the field takes, when these values are not that.
    fn problem(&self, values: &[String]) -> Option<String> {
        let expected = match self.kind() {
            FieldType::ListMulti | FieldType::JidMulti | FieldType::TextMulti => None,
            FieldType::Hidden | FieldType::Fixed => return None,
            FieldType::Boolean
            | FieldType::JidSingle
            | FieldType::ListSingle
            | FieldType::TextPrivate
            | FieldType::TextSingle => (values.len() > 1).then_some("one value"),
        };
        let every = |good: &dyn Fn(&str) -> bool| values.iter().all(|value| good(value));
        let expected = expected.or_else(|| match self.kind() {
            FieldType::Boolean => {
                (!every(&|value| boolean(value).is_some())).then_some("true or false")
            }
            FieldType::JidMulti | FieldType::JidSingle => {
                (!every(&|value| Jid::parse(value).is_ok())).then_some("an address")
            }
            FieldType::ListMulti | FieldType::ListSingle => {
                let offered = |value: &str| self.options.iter().any(|known| known.value == value);
                (!every(&offered)).then_some("one of its options")
            }
            FieldType::TextMulti
            | FieldType::TextPrivate
            | FieldType::TextSingle
            | FieldType::Hidden
            | FieldType::Fixed => None,
        });
        let expected = expected.map(str::to_owned);
        expected.or_else(|| {
            let datatype = self.datatype?;
            (!every(&|value| datatype.takes(value))).then(|| datatype.expected())
        })
    }
}

impl Datatype {
    fn takes(self, value: &str) -> bool {
        match self {
            Self::Integer { min, max } => {
                let number = value.trim().parse::<i64>();
                number.is_ok_and(|number| (min..=max).contains(&number))
            }
            Self::DateTime => Timestamp::parse(value).is_some(),
        }
    }

    fn expected(self) -> String {
        match self {
            Self::Integer {
                min: i64::MIN,
                max: i64::MAX,
            } => "a whole number".to_owned(),
            Self::Integer { min, max: i64::MAX } => format!("a whole number of {min} or more"),
            Self::Integer { min: i64::MIN, max } => format!("a whole number of {max} or less"),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::DateTime => "a time such as 2026-01-31T18:00:00Z".to_owned(),
        }
    }
}

/// The lexical forms of a boolean (§3.3).
fn boolean(value: &str) -> Option<bool> {
    match value {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}
