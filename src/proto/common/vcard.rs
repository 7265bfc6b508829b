//! vCards as far as the server itself reads and writes them: names and addresses, of vcard-temp (XEP-0054) and of
//! vCard4 over XMPP (XEP-0292, RFC 6351).

use crate::proto::ns;
use crate::xml::{Element, write};

mod lines;
mod outside;

pub use lines::{TextCard, TextProperty, cards};
pub use outside::OutsideCard;

/// XEP-0292 §3.
pub const VCARD4: &str = "urn:ietf:params:xml:ns:vcard-4.0";

/// Characters of a name that are read; no directory shows more.
const NAME_CHARS_MAX: usize = 256;

/// What somebody is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The whole name.
    pub full: Option<String>,
    /// The nickname.
    pub nickname: Option<String>,
}

/// The vCard of somebody of whom the name is known.
#[must_use]
pub fn named(name: &str) -> Vec<u8> {
    let vcard = Element::new(ns::VCARD, "vCard").child(Element::new(ns::VCARD, "FN").text(name));
    let mut xml = Vec::new();
    write::element(&mut xml, &vcard, ns::CLIENT);
    xml
}

/// The names in a vCard of either kind, in one line each.
#[must_use]
pub fn names(card: &Element) -> Names {
    let (full, nickname) = match card.ns() {
        VCARD4 => (first_text(card, "fn"), first_text(card, "nickname")),
        _ => (
            card.child_text(ns::VCARD, "FN"),
            card.child_text(ns::VCARD, "NICKNAME"),
        ),
    };
    Names {
        full: full.and_then(|name| one_line(&name)),
        nickname: nickname.and_then(|name| one_line(&name)),
    }
}

/// The telephone numbers in a vCard of either kind, as people have written them; those at work first. Fax machines
/// and pagers are left out: nobody talks through them.
#[must_use]
pub fn telephones(card: &Element) -> Vec<String> {
    match card.ns() {
        VCARD4 => values4(card, "tel", &["fax", "pager", "textphone"]),
        _ => values_temp(card, "TEL", "NUMBER", &["FAX", "PAGER", "MODEM", "BBS"]),
    }
}

/// The e-mail addresses in a vCard of either kind; those at work first.
#[must_use]
pub fn emails(card: &Element) -> Vec<String> {
    match card.ns() {
        VCARD4 => values4(card, "email", &[]),
        _ => values_temp(card, "EMAIL", "USERID", &["X400"]),
    }
}

/// XEP-0054 §15: `<TEL><WORK/><VOICE/><NUMBER>…</NUMBER></TEL>`.
fn values_temp(card: &Element, name: &str, value: &str, not: &[&str]) -> Vec<String> {
    let has = |it: &Element, what: &str| it.find(ns::VCARD, what).is_some();
    let all = card.children().filter(|it| it.is(ns::VCARD, name));
    let wanted = all.filter(|it| !not.iter().any(|what| has(it, what)));
    let mut wanted: Vec<&Element> = wanted.collect();
    wanted.sort_by_key(|it| !has(it, "WORK"));
    let text = |it: &&Element| one_line(&it.child_text(ns::VCARD, value)?);
    wanted.iter().filter_map(text).collect()
}

/// RFC 6351 §5: `<tel><parameters><type><text>work</text></type></parameters><uri>tel:…</uri></tel>`.
fn values4(card: &Element, name: &str, not: &[&str]) -> Vec<String> {
    let all = card.children().filter(|it| it.is(VCARD4, name));
    let wanted = all.filter(|it| !not.iter().any(|what| is_of_type(it, what)));
    let mut wanted: Vec<&Element> = wanted.collect();
    wanted.sort_by_key(|it| !is_of_type(it, "work"));
    let value = |it: &&Element| {
        let text = it.child_text(VCARD4, "text");
        let uri = it.child_text(VCARD4, "uri");
        let uri = uri.map(|uri| uri.strip_prefix("tel:").unwrap_or(&uri).to_owned());
        one_line(&text.or(uri)?)
    };
    wanted.iter().filter_map(value).collect()
}

fn is_of_type(property: &Element, name: &str) -> bool {
    let kinds = property.find(VCARD4, "parameters");
    let kinds = kinds.and_then(|it| it.find(VCARD4, "type"));
    kinds.is_some_and(|it| it.children().any(|text| text.text_content() == name))
}

fn first_text(card: &Element, name: &str) -> Option<String> {
    card.find(VCARD4, name)?.child_text(VCARD4, "text")
}

/// The text in one line without space around it; `None` where nothing is left.
fn one_line(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let line: String = line.join(" ").chars().take(NAME_CHARS_MAX).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Limits, document};

    fn card(xml: &str) -> Element {
        document(xml.as_bytes(), &Limits::STORED).unwrap()
    }

    #[test]
    fn a_vcard_tells_names_and_addresses_those_at_work_first() {
        let temp = card(
            "<vCard xmlns='vcard-temp'><FN>Juliet\n Capulet</FN><NICKNAME> </NICKNAME>\
             <TEL><HOME/><NUMBER>1</NUMBER></TEL><TEL><WORK/><FAX/><NUMBER>2</NUMBER></TEL>\
             <TEL><WORK/><VOICE/><NUMBER>3</NUMBER></TEL><TEL><WORK/></TEL>\
             <EMAIL><INTERNET/><USERID>j@home.example</USERID></EMAIL>\
             <EMAIL><WORK/><USERID>j@work.example</USERID></EMAIL></vCard>",
        );
        let four = card(
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Juliet Capulet</text></fn>\
             <tel><parameters><type><text>home</text></type></parameters><uri>tel:1</uri></tel>\
             <tel><parameters><type><text>work</text><text>fax</text></type></parameters><uri>tel:2</uri></tel>\
             <tel><parameters><type><text>work</text><text>voice</text></type></parameters><uri>tel:3</uri></tel>\
             <tel/><email><text>j@home.example</text></email>\
             <email><parameters><type><text>work</text></type></parameters><text>j@work.example</text></email></vcard>",
        );
        for card in [temp, four] {
            let expected = Names {
                full: Some("Juliet Capulet".to_owned()),
                nickname: None,
            };
            assert_eq!(names(&card), expected);
            assert_eq!(telephones(&card), ["3", "1"]);
            assert_eq!(emails(&card), ["j@work.example", "j@home.example"]);
        }
        let other = card("<vCard xmlns='vcard-temp'/>");
        assert_eq!(names(&other), Names::default());
        assert!(telephones(&other).is_empty() && emails(&other).is_empty());
    }

    #[test]
    fn a_name_that_was_made_is_read() {
        let card = card(std::str::from_utf8(&named("R <b>")).unwrap());
        assert_eq!(names(&card).full.as_deref(), Some("R <b>"));
    }
}
