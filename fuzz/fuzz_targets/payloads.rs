//! What many extensions read alike: data forms and submissions of them, pages, delays, media types, nonzas of
//! stream management. What is accepted is the same after writing it, and keeps to its bounds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use parlour::proto::MediaType;
use parlour::proto::common::delay::Delay;
use parlour::proto::common::forms::{FIELDS_MAX, Field, FieldType, Form, FormType, VALUES_MAX};
use parlour::proto::common::rsm::{PageFrom, PageRequest};
use parlour::stream::management;
use parlour::xml::{Element, Limits, document};

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        if let Some(media_type) = MediaType::parse(text) {
            let again = MediaType::parse(media_type.as_str());
            assert_eq!(again.as_ref().map(MediaType::as_str), Some(media_type.as_str()));
            // It goes into a header as it is.
            assert!(media_type.as_str().bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_control()));
        }
        let _ = management::count(text);
        let encoded = parlour::proto::uri::encode(text);
        assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if let Ok(element) = document(input, &Limits::default()) {
        everywhere(&element);
    }
});

fn everywhere(element: &Element) {
    if let Ok(form) = Form::parse(element) {
        read(&form);
    }
    if let Ok(page) = PageRequest::of(element) {
        assert!(page.from != PageFrom::After(String::new()));
        assert!(page.from != PageFrom::Before(String::new()));
    }
    if let Some(delay) = Delay::parse(element) {
        assert_eq!(Delay::parse(&delay.to_element()), Some(delay));
    }
    for child in element.children() {
        everywhere(child);
    }
}

fn read(form: &Form) {
    assert!(form.fields.len() <= FIELDS_MAX);
    assert!(form.fields.iter().all(|field| field.values.len() <= VALUES_MAX));
    assert_eq!(Form::parse(&form.to_element()).as_ref(), Ok(form));
    // As an answer to the form that it would be, and to another.
    let asked = Form { kind: FormType::Form, ..form.clone() };
    let other = Form::new(FormType::Form)
        .field(Field::new("n", FieldType::Boolean))
        .field(Field::new("s", FieldType::TextSingle).required())
        .field(Field::new("j", FieldType::JidMulti));
    for asked in [asked, other] {
        if asked.submission(form).is_ok() {
            assert_eq!(form.kind, FormType::Submit);
        }
    }
}
