//! Business objects as they are given: whole, by their names, or typed into a form.

use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Field, Kind, Shown, Stands};
use crate::contact_center::values::{Values, plain, unknown};
use crate::domain::context::object::{
    STATUS_CHARS_MAX, TITLE_CHARS_MAX, TYPE_BYTES_MAX, URL_BYTES_MAX,
};
use crate::domain::context::recent::Recent;
use crate::domain::context::{BusinessObject, Field as Shows, ObjectKey, Rejection, object};
use crate::xml::{Element, Node};

use super::wire::{NS, named};

/// The fields of a form into which an object is typed.
pub(super) const NEW_TYPE: Field = typed(
    "new-type",
    TYPE_BYTES_MAX,
    "Another object: its type, such as service-ticket",
);
pub(super) const NEW_ID: Field = typed("new-id", object::ID_CHARS_MAX, "Its id");
pub(super) const NEW_TITLE: Field = typed("new-title", TITLE_CHARS_MAX, "Its title");
pub(super) const NEW_URL: Field = typed("new-url", URL_BYTES_MAX, "Its link");
pub(super) const NEW_STATUS: Field = typed("new-status", STATUS_CHARS_MAX, "Its status");

const fn typed(name: &'static str, chars_max: usize, label: &'static str) -> Field {
    Field {
        place: Stands::Form,
        ..Field::required(name, Kind::Line { chars_max }, label).optional()
    }
}

/// What is known of an object: its name only, or all.
pub(super) enum Given {
    /// It is to be found among the recent ones.
    Key(ObjectKey),
    /// As it is.
    Whole(BusinessObject),
}

impl Given {
    /// The object; one that is only named is that of the list.
    pub(super) fn whole(self, recent: &Recent) -> Result<BusinessObject, Refused> {
        match self {
            Self::Whole(object) => Ok(object),
            Self::Key(key) => {
                let found = recent.find(&key).cloned();
                Ok(found.ok_or(Rejection::NotRecent)?)
            }
        }
    }

    /// Its name.
    pub(super) fn key(self) -> ObjectKey {
        match self {
            Self::Key(key) => key,
            Self::Whole(object) => object.key,
        }
    }
}

/// Every object that was given, through whichever door.
pub(super) fn all(values: &Values) -> Result<Vec<Given>, Refused> {
    let mut given = Vec::new();
    for element in values.elements("object") {
        given.push(read(element)?);
    }
    given.extend(
        values
            .texts("object")
            .into_iter()
            .map(of_key)
            .map(Given::Key),
    );
    given.extend(typed_in(values).map(Given::Whole));
    Ok(given)
}

/// What was typed into the form, if anything was. The rules tell what is missing of it.
fn typed_in(values: &Values) -> Option<BusinessObject> {
    let text = |name| values.optional_text(name).map(str::to_owned);
    let fields = [NEW_TYPE, NEW_ID, NEW_TITLE, NEW_URL, NEW_STATUS];
    let all = fields.map(|field| text(field.name));
    if all.iter().all(Option::is_none) {
        return None;
    }
    let [object_type, id, title, url, status] = all;
    Some(BusinessObject {
        key: ObjectKey {
            object_type: object_type.unwrap_or_default(),
            id: id.unwrap_or_default(),
        },
        title: title.unwrap_or_default(),
        url,
        status,
        fields: Vec::new(),
    })
}

/// An element `<object/>`. One without children names an object.
fn read(element: &Element) -> Result<Given, Refused> {
    let mut key = ObjectKey {
        object_type: String::new(),
        id: String::new(),
    };
    for attribute in element.attributes().iter().filter(|it| it.ns.is_empty()) {
        match attribute.name.as_str() {
            "type" => key.object_type = attribute.value.to_string(),
            "id" => key.id = attribute.value.to_string(),
            other => return Err(unknown(other)),
        }
    }
    let text = |node: &Node| matches!(node, Node::Text(text) if !text.trim().is_empty());
    if element.nodes().iter().any(text) {
        let text = "There is text between the parts of a business object.";
        return Err(malformed("text-unexpected", text));
    }
    if element.children().next().is_none() {
        return Ok(Given::Key(key));
    }
    let mut object = BusinessObject {
        key,
        title: String::new(),
        url: None,
        status: None,
        fields: Vec::new(),
    };
    let mut title = None;
    for child in element.children() {
        if child.is(NS, "field") {
            object.fields.push(field(child)?);
            continue;
        }
        let (place, name) = match (child.ns(), child.name()) {
            (NS, "title") => (&mut title, "title"),
            (NS, "url") => (&mut object.url, "url"),
            (NS, "status") => (&mut object.status, "status"),
            (_, other) => return Err(unknown(other)),
        };
        if place.replace(plain(child)?).is_some() {
            let text = format!("{name} stands there too often.");
            return Err(malformed("field-repeated", text));
        }
    }
    object.title = title.unwrap_or_default();
    Ok(Given::Whole(object))
}

/// `<field name='Priority'>high</field>`.
fn field(element: &Element) -> Result<Shows, Refused> {
    let attributes = element.attributes().iter();
    let mut other = attributes.filter(|it| it.ns.is_empty() && it.name != "name");
    let other = other.next().map(|it| it.name.as_str());
    let other = other.or_else(|| element.children().next().map(Element::name));
    match other {
        Some(other) => Err(unknown(other)),
        None => Ok(Shows {
            name: element.attribute("name").unwrap_or_default().to_owned(),
            value: element.text_content(),
        }),
    }
}

/// The key of an object in a form: no type has a slash in it.
pub(super) fn key(key: &ObjectKey) -> String {
    format!("{}/{}", key.object_type, key.id)
}

fn of_key(text: &str) -> ObjectKey {
    let (object_type, id) = text.split_once('/').unwrap_or((text, ""));
    ObjectKey {
        object_type: object_type.to_owned(),
        id: id.to_owned(),
    }
}

/// The list of recent objects, to choose from.
pub(super) fn offered(recent: &Recent) -> Shown {
    let options = recent.entries.iter().map(|entry| {
        let object = &entry.object;
        ("object", key(&object.key), named(object))
    });
    Shown {
        options: options.collect(),
        ..Shown::default()
    }
}
