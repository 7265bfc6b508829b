//! The fields of a form, with their types and datatypes (XEP-0004 §3.2, §3.3, XEP-0122 §3).

use super::{FormError, VALUES_MAX, named, within};
use crate::proto::ns;
use crate::xml::Element;

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

names! {
    FieldType {
        Boolean = "boolean", Fixed = "fixed", Hidden = "hidden", JidMulti = "jid-multi",
        JidSingle = "jid-single", ListMulti = "list-multi", ListSingle = "list-single",
        TextMulti = "text-multi", TextPrivate = "text-private", TextSingle = "text-single",
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

    pub(super) fn parse(element: &Element) -> Result<Self, FormError> {
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

    pub(super) fn to_element(&self) -> Element {
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
    /// A datatype that is not known is a string: it restricts nothing (XEP-0122 §4.1).
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
