//! XEP-0004: Data Forms, version 2.13.2, with the datatypes of XEP-0122 that are simple.
//!
//! A form as types, read from and written to `<x xmlns='jabber:x:data'/>`. Whether a filled-in form
//! answers the one that was asked is decided in [`Form::submission`]. Media (XEP-0221),
//! layout (XEP-0141) and the regular expressions of XEP-0122 are left out.

use crate::proto::{StanzaError, ns};
use crate::xml::Element;

/// Types that are known by the value of an attribute.
macro_rules! names {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $name {
            /// The value of the attribute `type`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The type of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

mod field;
mod submission;

#[cfg(test)]
mod tests;

pub use field::{Choice, Datatype, Field, FieldType};
pub use submission::Submission;

/// Fields of one form, and columns of a table.
pub const FIELDS_MAX: usize = 256;
/// Values and options of one field: lines of a pasted text, accounts of a list.
pub const VALUES_MAX: usize = 1_000;
/// Rows of a table.
pub const ITEMS_MAX: usize = 1_000;

/// A form of any of the four types.
///
/// ```xml
/// <x xmlns='jabber:x:data' type='form'>
///   <title>Add an account</title>
///   <field var='address' type='jid-single' label='Address'><required/></field>
/// </x>
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Asked, answered, given up, or told.
    pub kind: FormType,
    /// What the form is about.
    pub title: Option<String>,
    /// What to do, in lines or paragraphs.
    pub instructions: Vec<String>,
    /// The fields in their order.
    pub fields: Vec<Field>,
    /// The columns, when a result is a table (§3.4).
    pub reported: Vec<Field>,
    /// The rows of the table.
    pub items: Vec<Vec<Field>>,
}

/// §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormType {
    /// To be filled in.
    Form,
    /// Filled in.
    Submit,
    /// Not to be filled in any more.
    Cancel,
    /// Data, nothing to fill in.
    Result,
}

/// Why an element is no form, or a form no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Another element.
    #[error("expected a data form")]
    NotAForm,
    /// `type` is missing or unknown.
    #[error("the form needs the type form, submit, cancel or result")]
    Type,
    /// More of something than is read.
    #[error("the form has too many {0}")]
    TooMany(&'static str),
    /// A field that is not text to read has no name.
    #[error("a field of the form has no var")]
    Nameless,
    /// A field stands there twice.
    #[error("the field {0} stands in the form twice")]
    Repeated(String),
    /// The form answers another one.
    #[error("the form is not the one that was asked for")]
    OtherForm,
    /// Something other than a filled-in form.
    #[error("expected a form of the type submit")]
    NotSubmitted,
    /// A value is missing.
    #[error("the field {0} is required")]
    Required(String),
    /// A value is not what the field takes.
    #[error("the field {var} must be {expected}")]
    Value {
        /// Which field.
        var: String,
        /// What it takes.
        expected: String,
    },
}

/// The sender can put it right: `bad-request` with what is wrong.
impl From<FormError> for StanzaError {
    fn from(error: FormError) -> Self {
        Self::bad_request(&error.to_string())
    }
}

names! {
    FormType { Form = "form", Submit = "submit", Cancel = "cancel", Result = "result" }
}
impl Form {
    /// A form without anything in it.
    #[must_use]
    pub const fn new(kind: FormType) -> Self {
        Self {
            kind,
            title: None,
            instructions: Vec::new(),
            fields: Vec::new(),
            reported: Vec::new(),
            items: Vec::new(),
        }
    }

    /// The same under a title.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    /// The same with one more paragraph of instructions.
    #[must_use]
    pub fn instruction(mut self, text: &str) -> Self {
        self.instructions.push(text.to_owned());
        self
    }

    /// The same with the hidden field `FORM_TYPE` (XEP-0068 §3).
    #[must_use]
    pub fn form_type(self, form_type: &str) -> Self {
        self.field(Field::new("FORM_TYPE", FieldType::Hidden).value(form_type))
    }

    /// The same with one more field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// The field of that name.
    #[must_use]
    pub fn find(&self, var: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.var.as_deref() == Some(var))
    }

    /// The value of `FORM_TYPE`, if it has one.
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        self.find("FORM_TYPE")?.values.first().map(String::as_str)
    }

    /// Reads `<x xmlns='jabber:x:data'/>`.
    ///
    /// # Errors
    /// When it is none, or larger than the bounds of this file.
    pub fn parse(element: &Element) -> Result<Self, FormError> {
        if !element.is(ns::DATA_FORMS, "x") {
            return Err(FormError::NotAForm);
        }
        let kind = element.attribute("type").and_then(FormType::from_name);
        let mut form = Self::new(kind.ok_or(FormError::Type)?);
        form.title = element.child_text(ns::DATA_FORMS, "title");
        form.fields = fields(element)?;
        for child in element
            .children()
            .filter(|child| child.ns() == ns::DATA_FORMS)
        {
            match child.name() {
                "instructions" => form.instructions.push(child.text_content()),
                "reported" => form.reported = fields(child)?,
                "item" => form.items.push(fields(child)?),
                _ => {}
            }
        }
        within(form.instructions.len(), VALUES_MAX, "instructions")?;
        within(form.items.len(), ITEMS_MAX, "items")?;
        Ok(form)
    }

    /// The element `<x/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let title = self
            .title
            .as_deref()
            .map(|title| named("title").text(title));
        let instructions = self.instructions.iter();
        let reported = (!self.reported.is_empty()).then(|| group("reported", &self.reported));
        named("x")
            .attr("type", self.kind.name())
            .child_opt(title)
            .children_from(instructions.map(|text| named("instructions").text(text.as_str())))
            .children_from(self.fields.iter().map(Field::to_element))
            .child_opt(reported)
            .children_from(self.items.iter().map(|item| group("item", item)))
    }
}

fn named(name: &str) -> Element {
    Element::new(ns::DATA_FORMS, name)
}

fn group(name: &str, fields: &[Field]) -> Element {
    named(name).children_from(fields.iter().map(Field::to_element))
}

fn fields(parent: &Element) -> Result<Vec<Field>, FormError> {
    let elements = parent
        .children()
        .filter(|child| child.is(ns::DATA_FORMS, "field"));
    let mut fields: Vec<Field> = Vec::new();
    for element in elements {
        within(fields.len() + 1, FIELDS_MAX, "fields")?;
        let field = Field::parse(element)?;
        if let Some(var) = &field.var
            && fields.iter().any(|known| known.var.as_ref() == Some(var))
        {
            return Err(FormError::Repeated(var.clone()));
        }
        fields.push(field);
    }
    Ok(fields)
}

const fn within(count: usize, max: usize, what: &'static str) -> Result<(), FormError> {
    if count > max {
        return Err(FormError::TooMany(what));
    }
    Ok(())
}
