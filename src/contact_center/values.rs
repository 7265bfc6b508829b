//! What an operation was told, understood: each text is checked against the kind of its field, whichever
//! door it came through.

use std::collections::BTreeMap;

use super::errors::{Refused, malformed};
use super::operation::{Field, Kind, Need};
use crate::domain::ids::AgentId;
use crate::proto::common::rsm::PageRequest;
use crate::proto::{BareJid, Condition};
use crate::xml::Element;
use crate::xml::element::XML_NS;

/// What came through a door for one field.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// Its text.
    Text(String),
    /// Its element.
    Element(Element),
}

/// What an operation was told, by the names of its fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    values: BTreeMap<&'static str, Vec<Value>>,
    /// Of texts that stood in elements, where these say it.
    languages: BTreeMap<&'static str, String>,
    page: PageRequest,
}

#[derive(Clone, Debug)]
enum Value {
    Agent(AgentId),
    Text(String),
    Flag(bool),
    Element(Element),
}

/// By what a refusal names a field: as whoever has sent it knows it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    /// As it is called in a typed request.
    Name,
    /// As it is called in a form.
    Label,
}

impl Named {
    fn of(self, field: &Field) -> String {
        match self {
            Self::Name => field.name.to_owned(),
            Self::Label => format!("“{}”", field.label),
        }
    }
}

impl Values {
    /// Understands what was given for those fields, asked of that host.
    ///
    /// # Errors
    /// `bad-request` with which field is missing, too many, or not understood.
    pub(super) fn understand(
        fields: &'static [Field],
        host: &BareJid,
        given: Vec<(&'static str, Given)>,
        page: PageRequest,
        named: Named,
    ) -> Result<Self, Refused> {
        let mut values: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
        let mut languages = BTreeMap::new();
        for (name, given) in given {
            let field = fields.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| unknown(name))?;
            if let Given::Element(element) = &given
                && let Some(language) = element.attribute_ns(XML_NS, "lang")
            {
                languages.insert(field.name, language.to_owned());
            }
            let value = understood(field, host, given, named)?;
            values.entry(field.name).or_default().push(value);
        }
        for field in fields {
            let count = values.get(field.name).map_or(0, Vec::len);
            let max = match field.need {
                Need::Required if count == 0 && !field.kind.is_page() => {
                    let text = format!("{} is missing.", named.of(field));
                    return Err(malformed("field-missing", text));
                }
                Need::Required | Need::Optional => 1,
                Need::Several(max) => max,
            };
            if count > max {
                let text = format!("{} stands there too often.", named.of(field));
                return Err(malformed("field-repeated", text));
            }
        }
        Ok(Self {
            values,
            languages,
            page,
        })
    }

    /// How much of a list is asked for.
    pub(super) const fn page(&self) -> &PageRequest {
        &self.page
    }

    /// The text of a field that is required.
    ///
    /// # Errors
    /// When the operation has no such field: a mistake of the server.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refused> {
        self.optional_text(name).ok_or_else(missing)
    }

    /// The text of a field.
    pub(super) fn optional_text(&self, name: &str) -> Option<&str> {
        match self.first(name)? {
            Value::Text(text) => Some(text),
            Value::Agent(_) | Value::Flag(_) | Value::Element(_) => None,
        }
    }

    /// The language of the text of a field (`xml:lang`), if its element says it.
    pub(super) fn language(&self, name: &str) -> Option<&str> {
        self.languages.get(name).map(String::as_str)
    }

    /// The texts of a field that may stand there several times.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        let all = self.values.get(name).into_iter().flatten();
        all.filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            Value::Agent(_) | Value::Flag(_) | Value::Element(_) => None,
        })
        .collect()
    }

    /// The colleague of a field that is required.
    ///
    /// # Errors
    /// When the operation has no such field: a mistake of the server.
    pub(super) fn agent(&self, name: &str) -> Result<&AgentId, Refused> {
        self.agents(name).next().ok_or_else(missing)
    }

    /// The colleagues of a field.
    pub(super) fn agents(&self, name: &str) -> impl Iterator<Item = &AgentId> {
        let all = self.values.get(name).into_iter().flatten();
        all.filter_map(|value| match value {
            Value::Agent(agent) => Some(agent),
            Value::Text(_) | Value::Flag(_) | Value::Element(_) => None,
        })
    }

    /// The truth of a field; left out it is `false`.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.first(name), Some(Value::Flag(true)))
    }

    /// The elements of a field.
    pub(super) fn elements(&self, name: &str) -> impl Iterator<Item = &Element> {
        let all = self.values.get(name).into_iter().flatten();
        all.filter_map(|value| match value {
            Value::Element(element) => Some(element),
            Value::Agent(_) | Value::Text(_) | Value::Flag(_) => None,
        })
    }

    fn first(&self, name: &str) -> Option<&Value> {
        self.values.get(name)?.first()
    }
}

fn missing() -> Refused {
    Condition::InternalServerError.into()
}

/// What the operation does not know.
pub(super) fn unknown(name: &str) -> Refused {
    let shown: String = name.chars().take(NAME_CHARS_SHOWN).collect();
    malformed(
        "field-unknown",
        format!("Nothing is known of {shown:?} here."),
    )
}

const NAME_CHARS_SHOWN: usize = 64;

/// The text of an element that has nothing else: whoever puts more into it expects something of that.
///
/// # Errors
/// `field-unknown` with what it has besides.
pub(super) fn plain(element: &Element) -> Result<String, Refused> {
    let mut own = element.attributes().iter().filter(|it| it.ns.is_empty());
    let besides = own.next().map(|it| it.name.as_str());
    let besides = besides.or_else(|| element.children().next().map(Element::name));
    match besides {
        Some(name) => Err(unknown(name)),
        None => Ok(element.text_content()),
    }
}

fn understood(field: &Field, host: &BareJid, given: Given, named: Named) -> Result<Value, Refused> {
    let text = match (given, field.kind) {
        (Given::Element(element), Kind::Element) => return Ok(Value::Element(element)),
        (Given::Element(element), _) => plain(&element)?,
        (Given::Text(text), _) => text,
    };
    let expected = match read(field, host, &text) {
        Ok(value) => return Ok(value),
        Err(expected) => expected,
    };
    let text = format!("{} must be {expected}.", named.of(field));
    Err(malformed("field-malformed", text))
}

/// The value; else what is expected.
fn read(field: &Field, host: &BareJid, text: &str) -> Result<Value, String> {
    match field.kind {
        Kind::Agent => agent(host, text)
            .map(Value::Agent)
            .ok_or_else(|| "the address of a colleague".to_owned()),
        Kind::Id => is_word(text, crate::domain::ids::ID_BYTES_MAX)
            .then(|| Value::Text(text.to_owned()))
            .ok_or_else(|| "an id, which has no spaces".to_owned()),
        Kind::Code => is_word(text, CODE_BYTES_MAX)
            .then(|| Value::Text(text.to_owned()))
            .ok_or_else(|| "one of the words that are offered".to_owned()),
        Kind::Word(words) => words
            .contains(&text)
            .then(|| Value::Text(text.to_owned()))
            .ok_or_else(|| format!("one of {}", words.join(", "))),
        Kind::Line { chars_max } => {
            let good = text.chars().count() <= chars_max && !text.contains(char::is_control);
            good.then(|| Value::Text(text.to_owned()))
                .ok_or_else(|| format!("one line of at most {chars_max} characters"))
        }
        Kind::Text { bytes_max } => (text.len() <= bytes_max)
            .then(|| Value::Text(text.to_owned()))
            .ok_or_else(|| format!("at most {bytes_max} bytes long")),
        Kind::Flag => match text {
            "true" | "1" => Ok(Value::Flag(true)),
            "false" | "0" => Ok(Value::Flag(false)),
            _ => Err("true or false".to_owned()),
        },
        // In a form: the key of something that is offered.
        Kind::Element => (text.len() <= KEY_BYTES_MAX)
            .then(|| Value::Text(text.to_owned()))
            .ok_or_else(|| "one of what is offered".to_owned()),
        Kind::Page | Kind::PageFromEnd => Err("asked for by result set management".to_owned()),
    }
}

/// Bytes of a word that an administrator has set.
const CODE_BYTES_MAX: usize = 64;

/// Bytes of the key of something that a form offers.
const KEY_BYTES_MAX: usize = 512;

fn is_word(text: &str, bytes_max: usize) -> bool {
    let bad = |c: char| c.is_whitespace() || c.is_control();
    !text.is_empty() && text.len() <= bytes_max && !text.contains(bad)
}

/// `romeo@example.org`, or `romeo` of the same host.
fn agent(host: &BareJid, text: &str) -> Option<AgentId> {
    let text = text.trim();
    match text.contains('@') {
        true => text.parse().ok(),
        false => format!("{text}@{host}").parse().ok(),
    }
}
