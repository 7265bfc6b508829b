use super::*;
use crate::proto::Jid;

fn asked() -> Form {
    Form::new(FormType::Form)
        .title("Add an account")
        .instruction("Fill it in.")
        .form_type("urn:example:add")
        .field(Field {
            kind: Some(FieldType::Fixed),
            ..Field::default().value("Who it is")
        })
        .field(
            Field::new("address", FieldType::JidSingle)
                .label("Address")
                .required(),
        )
        .field(Field::new("watchers", FieldType::JidMulti))
        .field(Field::new("password", FieldType::TextPrivate).desc("At least 8 characters"))
        .field(Field::new("enabled", FieldType::Boolean).value("true"))
        .field(
            Field::new("role", FieldType::ListSingle)
                .option("member", Some("Member"))
                .option("agent", None),
        )
        .field(
            Field::new("skills", FieldType::ListMulti)
                .option("sales", None)
                .option("help", None),
        )
        .field(Field::new("note", FieldType::TextMulti))
        .field(
            Field::new("limit", FieldType::TextSingle)
                .datatype(Datatype::Integer { min: 1, max: 20 }),
        )
        .field(Field::new("until", FieldType::TextSingle).datatype(Datatype::DateTime))
}

fn filled(fields: &[(&str, &[&str])]) -> Form {
    let mut form = Form::new(FormType::Submit);
    for (var, values) in fields {
        form.fields.push(Field {
            var: Some((*var).to_owned()),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            ..Field::default()
        });
    }
    form
}

fn x(kind: &str) -> Element {
    Element::new(ns::DATA_FORMS, "x").attr("type", kind)
}

#[test]
fn a_form_is_read_as_it_is_written() {
    let mut form = asked();
    assert_eq!(Form::parse(&form.to_element()), Ok(form.clone()));
    form.kind = FormType::Result;
    form.fields.clear();
    form.reported = vec![Field::new("address", FieldType::JidSingle).label("Address")];
    form.items = vec![filled(&[("address", &["a@b"])]).fields; 3];
    assert_eq!(Form::parse(&form.to_element()), Ok(form));
}

#[test]
fn an_unknown_field_type_is_text_single() {
    let field = Element::new(ns::DATA_FORMS, "field")
        .attr("var", "a")
        .attr("type", "colour");
    let form = Form::parse(&x("form").child(field)).unwrap();
    assert_eq!(form.fields[0].kind(), FieldType::TextSingle);
}

#[test]
fn what_is_no_form_is_refused_for_its_reason() {
    let field = || Element::new(ns::DATA_FORMS, "field");
    let value = || Element::new(ns::DATA_FORMS, "value");
    let option = Element::new(ns::DATA_FORMS, "option").child(value());
    let item = Element::new(ns::DATA_FORMS, "item");
    let numbered = (0..=FIELDS_MAX).map(|n| field().attr("var", n.to_string()));
    let many = |element: Element, max: usize| std::iter::repeat_n(element, max + 1);
    for (element, error) in [
        (
            Element::new(ns::PING, "x").attr("type", "form"),
            FormError::NotAForm,
        ),
        (Element::new(ns::DATA_FORMS, "x"), FormError::Type),
        (x("question"), FormError::Type),
        (x("form").child(field()), FormError::Nameless),
        (
            x("form")
                .child(field().attr("var", "a"))
                .child(field().attr("var", "a")),
            FormError::Repeated("a".to_owned()),
        ),
        (
            x("form").children_from(numbered),
            FormError::TooMany("fields"),
        ),
        (
            x("form").child(
                field()
                    .attr("var", "a")
                    .children_from(many(value(), VALUES_MAX)),
            ),
            FormError::TooMany("values"),
        ),
        (
            x("form").child(
                field()
                    .attr("var", "a")
                    .children_from(many(option, VALUES_MAX)),
            ),
            FormError::TooMany("options"),
        ),
        (
            x("result").children_from(many(item, ITEMS_MAX)),
            FormError::TooMany("items"),
        ),
    ] {
        assert_eq!(Form::parse(&element), Err(error));
    }
}

#[test]
fn a_submission_holds_what_was_asked_and_nothing_else() {
    let answer = filled(&[
        ("FORM_TYPE", &["urn:example:add"]),
        ("address", &["romeo@example.com"]),
        ("watchers", &["a@b", "c@d", "a@b"]),
        ("enabled", &["0"]),
        ("role", &[""]),
        ("skills", &["sales", "help"]),
        ("note", &["one", "", "three"]),
        ("limit", &["20"]),
        ("surprise", &["!"]),
    ]);
    let submission = asked().submission(&answer).unwrap();
    assert_eq!(
        submission.jid("address"),
        Jid::parse("romeo@example.com").ok()
    );
    assert_eq!(submission.values("watchers"), ["a@b", "c@d"]);
    assert_eq!(submission.flag("enabled"), Some(false));
    assert_eq!(submission.value("role"), None);
    assert_eq!(submission.values("skills").len(), 2);
    assert_eq!(submission.text("note").as_deref(), Some("one\n\nthree"));
    assert_eq!(submission.value("limit"), Some("20"));
    assert_eq!(submission.value("until"), None);
    assert_eq!(submission.value("surprise"), None);
    let short = filled(&[("address", &["romeo@example.com"])]);
    let submission = asked().submission(&short).unwrap();
    assert_eq!(
        submission.flag("enabled"),
        Some(true),
        "what is left out stays"
    );
    assert_eq!(submission.value("role"), None);
}

/// Whoever fills a form in sees labels, and no names of fields.
#[test]
fn what_is_wrong_is_named_by_its_label() {
    let whose = Field::new("jid", FieldType::JidSingle)
        .label("Whose")
        .required();
    let asked = Form::new(FormType::Form).field(whose);
    let filled = |value| {
        let given = Field::new("jid", FieldType::JidSingle).value(value);
        asked.submission(&Form::new(FormType::Submit).field(given))
    };
    let refused = |value| filled(value).unwrap_err().to_string();
    assert_eq!(refused(""), "the field “Whose” is required");
    assert_eq!(refused("@"), "the field “Whose” must be an address");
}

#[test]
fn a_wrong_answer_is_refused_for_its_reason() {
    let address: (&str, &[&str]) = ("address", &["romeo@example.com"]);
    let value = |var: &str, expected: &str| FormError::Value {
        var: var.to_owned(),
        expected: expected.to_owned(),
    };
    for (answer, error) in [
        (Form::new(FormType::Cancel), FormError::NotSubmitted),
        (filled(&[]), FormError::Required("“Address”".to_owned())),
        (
            filled(&[("address", &[""])]),
            FormError::Required("“Address”".to_owned()),
        ),
        (
            filled(&[("FORM_TYPE", &["urn:example:other"]), address]),
            FormError::OtherForm,
        ),
        (
            filled(&[("address", &["@"])]),
            value("“Address”", "an address"),
        ),
        (
            filled(&[("address", &["a@b", "c@d"])]),
            value("“Address”", "one value"),
        ),
        (
            filled(&[address, ("watchers", &["a@b", "@"])]),
            value("watchers", "an address"),
        ),
        (
            filled(&[address, ("enabled", &["yes"])]),
            value("enabled", "true or false"),
        ),
        (
            filled(&[address, ("role", &["king"])]),
            value("role", "one of its options"),
        ),
        (
            filled(&[address, ("skills", &["help", ""])]),
            value("skills", "one of its options"),
        ),
        (
            filled(&[address, ("limit", &["0"])]),
            value("limit", "a whole number from 1 to 20"),
        ),
        (
            filled(&[address, ("limit", &["many"])]),
            value("limit", "a whole number from 1 to 20"),
        ),
        (
            filled(&[address, ("until", &["tomorrow"])]),
            value("until", "a time such as 2026-01-31T18:00:00Z"),
        ),
    ] {
        assert_eq!(asked().submission(&answer), Err(error));
    }
}
