//! XEP-0004: Data Forms, version 2.13.2, with the datatypes of XEP-0122 that are simple.
//!
//! A form as types, read from and written to `<x xmlns='jabber:x:data'/>`. Whether a filled-in form
//! answers the one that was asked is decided in [`Form::submission`]. Media (XEP-0221),
//! layout (XEP-0141) and the regular expressions of XEP-0122 are left out.

use crate::proto::{StanzaError, ns};
use crate::xml::Element;

mod submission;

#[cfg(test)]
mod tests;

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

/// §3.2.
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

/// §3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Yes or no.
    Boolean,
    /// Text to read, no field.
    Fixed,
    /// Not shown, and given back as it is.
    Hidden,
    /// Addresses.
    JidMulti,
    /// One address.
    JidSingle,
    /// Some of the options.
    ListMulti,
    /// One of the options.
    ListSingle,
    /// Lines.
    TextMulti,
    /// A secret.
    TextPrivate,
    /// One line.
    TextSingle,
}

/// What a value must look like beyond the type of its field (XEP-0122 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// `xs:integer` in a range, both ends included.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// `xs:dateTime` (XEP-0082 §3.2).
    DateTime,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Field {
    /// Its name; only text to read has none.
    pub var: Option<String>,
    /// Its type; a filled-in form need not repeat it.
    pub kind: Option<FieldType>,
    /// Its name for people.
    pub label: Option<String>,
    /// More words for people.
    pub desc: Option<String>,
    /// Whether the form is no answer without it.
    pub required: bool,
    /// What to choose from.
    pub options: Vec<Choice>,
    /// The default, or what was filled in.
    pub values: Vec<String>,
    /// What the value must look like.
    pub datatype: Option<Datatype>,
}

/// One option of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: Option<String>,
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

names! {
    FormType { Form = "form", Submit = "submit", Cancel = "cancel", Result = "result" }
}
names! {
    FieldType {
        Boolean = "boolean", Fixed = "fixed", Hidden = "hidden", JidMulti = "jid-multi",
        JidSingle = "jid-single", ListMulti = "list-multi", ListSingle = "list-single",
        TextMulti = "text-multi", TextPrivate = "text-private", TextSingle = "text-single",
    }
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

impl Field {
    /// A field of that name and type.
    #[must_use]
    pub fn new(var: &str, kind: FieldType) -> Self {
        Self {
            var: Some(var.to_owned()),
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// The same with a name for people.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// The same with more words for people.
    #[must_use]
    pub fn desc(mut self, desc: &str) -> Self {
        self.desc = Some(desc.to_owned());
        self
    }

    /// The same, to be filled in.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same with one more value.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The same with one more option.
    #[must_use]
    pub fn option(mut self, value: &str, label: Option<&str>) -> Self {
        self.options.push(Choice {
            value: value.to_owned(),
            label: label.map(str::to_owned),
        });
        self
    }

    /// The same with values of that datatype only.
    #[must_use]
    pub const fn datatype(mut self, datatype: Datatype) -> Self {
        self.datatype = Some(datatype);
        self
    }

    /// The type, `text-single` where none is said (§3.3).
    #[must_use]
    pub fn kind(&self) -> FieldType {
        self.kind.unwrap_or(FieldType::TextSingle)
    }

    fn parse(element: &Element) -> Result<Self, FormError> {
        // §3.3: a type that is not known is treated as text-single.
        let kind = element.attribute("type");
        let kind = kind.map(|name| FieldType::from_name(name).unwrap_or(FieldType::TextSingle));
        let var = element.attribute("var").map(str::to_owned);
        if var.is_none() && kind != Some(FieldType::Fixed) {
            return Err(FormError::Nameless);
        }
        let mut field = Self {
            var,
            kind,
            label: element.attribute("label").map(str::to_owned),
            desc: element.child_text(ns::DATA_FORMS, "desc"),
            required: element.find(ns::DATA_FORMS, "required").is_some(),
            datatype: element
                .find(ns::FORM_VALIDATION, "validate")
                .and_then(Datatype::parse),
            ..Self::default()
        };
        for child in element
            .children()
            .filter(|child| child.ns() == ns::DATA_FORMS)
        {
            match child.name() {
                "value" => field.values.push(child.text_content()),
                "option" => field.options.push(Choice {
                    value: child
                        .child_text(ns::DATA_FORMS, "value")
                        .unwrap_or_default(),
                    label: child.attribute("label").map(str::to_owned),
                }),
                _ => {}
            }
        }
        within(field.values.len(), VALUES_MAX, "values")?;
        within(field.options.len(), VALUES_MAX, "options")?;
        Ok(field)
    }

    fn to_element(&self) -> Element {
        let desc = self.desc.as_deref().map(|desc| named("desc").text(desc));
        let options = self.options.iter().map(|option| {
            named("option")
                .attr_opt("label", option.label.as_deref())
                .child(named("value").text(option.value.as_str()))
        });
        named("field")
            .attr_opt("var", self.var.as_deref())
            .attr_opt("type", self.kind.map(FieldType::name))
            .attr_opt("label", self.label.as_deref())
            .child_opt(self.datatype.map(Datatype::to_element))
            .child_opt(desc)
            .child_opt(self.required.then(|| named("required")))
            .children_from(
                self.values
                    .iter()
                    .map(|value| named("value").text(value.as_str())),
            )
            .children_from(options)
    }
}

impl Datatype {
    /// A datatype that is not known restricts nothing, as XEP-0122 §5 allows.
    fn parse(validate: &Element) -> Option<Self> {
        match validate.attribute("datatype")? {
            "xs:integer" | "xs:int" | "xs:long" => {
                let range = validate.find(ns::FORM_VALIDATION, "range");
                let end = |name| range?.attribute(name)?.parse().ok();
                Some(Self::Integer {
                    min: end("min").unwrap_or(i64::MIN),
                    max: end("max").unwrap_or(i64::MAX),
                })
            }
            "xs:dateTime" => Some(Self::DateTime),
            _ => None,
        }
    }

    fn to_element(self) -> Element {
        let validate = Element::new(ns::FORM_VALIDATION, "validate");
        match self {
            Self::Integer { min, max } => {
                let range = Element::new(ns::FORM_VALIDATION, "range")
                    .attr_opt("min", (min != i64::MIN).then(|| min.to_string()))
                    .attr_opt("max", (max != i64::MAX).then(|| max.to_string()));
                validate.attr("datatype", "xs:integer").child(range)
            }
            Self::DateTime => validate
                .attr("datatype", "xs:dateTime")
                .child(Element::new(ns::FORM_VALIDATION, "basic")),
        }
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
