//! Business objects: typed references into the CRM (S0-27). The server knows of them what it is told, and
//! keeps that within bounds, since all of it is sent on and shown.

use serde::{Deserialize, Serialize};

use super::Rejection;

/// Bytes of a type.
pub const TYPE_BYTES_MAX: usize = 64;
/// Characters of an id.
pub const ID_CHARS_MAX: usize = 128;
/// Characters of a title.
pub const TITLE_CHARS_MAX: usize = 256;
/// Bytes of a URL; browsers take no longer ones in safety.
pub const URL_BYTES_MAX: usize = 2048;
/// Characters of a status.
pub const STATUS_CHARS_MAX: usize = 64;
/// Fields; what is displayed fits on a screen.
pub const FIELDS_MAX: usize = 20;
/// Characters of a field's name.
pub const FIELD_NAME_CHARS_MAX: usize = 64;
/// Characters of a field's value.
pub const FIELD_VALUE_CHARS_MAX: usize = 1024;

/// What an object is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// What sort of thing: `opportunity`, `service-ticket`, `case`, `sales-order` …
    pub object_type: String,
    /// Which one, in the CRM's words.
    pub id: String,
}

/// A field that is displayed with an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// What people read before the value.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A business object as of now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessObject {
    /// Which one.
    #[serde(flatten)]
    pub key: ObjectKey,
    /// What people call it.
    pub title: String,
    /// Where the CRM shows it.
    #[serde(default)]
    pub url: Option<String>,
    /// How far it is, in the CRM's words.
    #[serde(default)]
    pub status: Option<String>,
    /// A few more things to show.
    #[serde(default)]
    pub fields: Vec<Field>,
}

impl BusinessObject {
    /// The object, when all parts are within their limits.
    ///
    /// # Errors
    /// Names the first part that is not.
    pub fn checked(self) -> Result<Self, Rejection> {
        let ObjectKey { object_type, id } = &self.key;
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let word = (1..=TYPE_BYTES_MAX).contains(&object_type.len());
        if !word || !object_type.bytes().all(letter) {
            return Err(Rejection::ObjectType);
        }
        if !is_line(id, ID_CHARS_MAX) {
            return Err(Rejection::ObjectId);
        }
        if !is_line(&self.title, TITLE_CHARS_MAX) {
            return Err(Rejection::ObjectTitle);
        }
        if self.url.as_ref().is_some_and(|url| !is_of_the_web(url)) {
            return Err(Rejection::ObjectUrl);
        }
        let status = self.status.as_ref();
        if status.is_some_and(|status| !is_line(status, STATUS_CHARS_MAX)) {
            return Err(Rejection::ObjectStatus);
        }
        let good = |field: &Field| {
            let value = field.value.chars().count();
            is_line(&field.name, FIELD_NAME_CHARS_MAX) && value <= FIELD_VALUE_CHARS_MAX
        };
        if self.fields.len() > FIELDS_MAX || !self.fields.iter().all(good) {
            return Err(Rejection::ObjectFields);
        }
        Ok(self)
    }
}

/// Whether it is one line with something on it.
fn is_line(text: &str, chars_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= chars_max && !text.contains(char::is_control)
}

/// A link that a client opens by a click must lead to a page, and run nothing.
fn is_of_the_web(url: &str) -> bool {
    let scheme = |scheme: &str| {
        let start = url.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && url.len() > scheme.len()
    };
    let bad = |c: char| c.is_whitespace() || c.is_control();
    url.len() <= URL_BYTES_MAX && (scheme("https://") || scheme("http://")) && !url.contains(bad)
}

#[cfg(test)]
pub(super) fn object(object_type: &str, id: &str) -> BusinessObject {
    BusinessObject {
        key: ObjectKey {
            object_type: object_type.to_owned(),
            id: id.to_owned(),
        },
        title: format!("{object_type} {id}"),
        url: Some(format!("https://crm.example/{id}")),
        status: Some("open".to_owned()),
        fields: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S0-27: each part has its limit, and what is at the limit is taken.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn every_part_of_an_object_is_within_its_limit() {
        let o = || object("case", "1");
        let key = |object_type: &str, id: &str| object(object_type, id).key;
        let url = |url: &str| BusinessObject {
            url: Some(url.to_owned()),
            ..o()
        };
        let title = |title: String| BusinessObject { title, ..o() };
        let field = |name: usize, value: usize| Field {
            name: "n".repeat(name),
            value: "ü".repeat(value),
        };
        let fields = |fields: Vec<Field>| BusinessObject { fields, ..o() };
        let status = |status: &str| BusinessObject {
            status: Some(status.to_owned()),
            ..o()
        };
        let long_url = format!("https://{}", "x".repeat(URL_BYTES_MAX));
        for (object, expected) in [
            (o(), None),
            (
                BusinessObject {
                    url: None,
                    status: None,
                    ..o()
                },
                None,
            ),
            (
                BusinessObject {
                    key: key("", "1"),
                    ..o()
                },
                Some(Rejection::ObjectType),
            ),
            (
                BusinessObject {
                    key: key("Case", "1"),
                    ..o()
                },
                Some(Rejection::ObjectType),
            ),
            (
                BusinessObject {
                    key: key(&"c".repeat(64), "1"),
                    ..o()
                },
                None,
            ),
            (
                BusinessObject {
                    key: key(&"c".repeat(65), "1"),
                    ..o()
                },
                Some(Rejection::ObjectType),
            ),
            (
                BusinessObject {
                    key: key("case", " "),
                    ..o()
                },
                Some(Rejection::ObjectId),
            ),
            (
                BusinessObject {
                    key: key("case", "a\nb"),
                    ..o()
                },
                Some(Rejection::ObjectId),
            ),
            (
                BusinessObject {
                    key: key("case", &"ü".repeat(128)),
                    ..o()
                },
                None,
            ),
            (
                BusinessObject {
                    key: key("case", &"ü".repeat(129)),
                    ..o()
                },
                Some(Rejection::ObjectId),
            ),
            (title(String::new()), Some(Rejection::ObjectTitle)),
            (title("ü".repeat(256)), None),
            (title("ü".repeat(257)), Some(Rejection::ObjectTitle)),
            (url("HTTPS://crm.example/1"), None),
            (url("javascript:alert(1)"), Some(Rejection::ObjectUrl)),
            (url("https://"), Some(Rejection::ObjectUrl)),
            (url("https://a b"), Some(Rejection::ObjectUrl)),
            (url("ü"), Some(Rejection::ObjectUrl)),
            (url(&long_url), Some(Rejection::ObjectUrl)),
            (status(""), Some(Rejection::ObjectStatus)),
            (status(&"x".repeat(65)), Some(Rejection::ObjectStatus)),
            (fields(vec![field(64, 1024); 20]), None),
            (fields(vec![field(1, 1); 21]), Some(Rejection::ObjectFields)),
            (fields(vec![field(0, 1)]), Some(Rejection::ObjectFields)),
            (fields(vec![field(65, 1)]), Some(Rejection::ObjectFields)),
            (fields(vec![field(1, 1025)]), Some(Rejection::ObjectFields)),
        ] {
            assert_eq!(object.clone().checked().err(), expected, "{object:?}");
        }
    }

    #[test]
    fn an_object_is_the_same_after_json_and_optional_parts_may_be_missing() {
        let json = serde_json::to_string(&object("case", "1")).unwrap();
        assert_eq!(
            serde_json::from_str::<BusinessObject>(&json).unwrap(),
            object("case", "1")
        );
        let short = r#"{"object_type":"case","id":"1","title":"T"}"#;
        let short: BusinessObject = serde_json::from_str(short).unwrap();
        assert_eq!(
            (short.url, short.status, short.fields),
            (None, None, vec![])
        );
    }
}
