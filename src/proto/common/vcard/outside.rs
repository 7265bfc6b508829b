//! vCard 4.0 of somebody outside, written as XML (RFC 6351) and as text (RFC 6350).

use super::VCARD4;
use crate::xml::Element;

/// Octets of one line of text without its end (RFC 6350 §3.2).
const LINE_BYTES_MAX: usize = 75;

/// What is written of a person or company.
#[derive(Clone, Copy, Debug)]
pub struct OutsideCard<'a> {
    /// The name; of a company without one, the company.
    pub name: &'a str,
    /// The company.
    pub company: Option<&'a str>,
    /// Numbers as E.164.
    pub telephones: &'a [String],
    /// E-mail addresses.
    pub emails: &'a [String],
    /// Where there is more.
    pub url: Option<&'a str>,
    /// Which one it is in a CRM; in text only, for XML has no such property.
    pub crm_id: Option<&'a str>,
}

impl OutsideCard<'_> {
    /// RFC 6350 §6.2.1: there is always a name.
    fn full_name(&self) -> &str {
        match self.name {
            "" => self.company.unwrap_or_default(),
            name => name,
        }
    }

    /// Whether it is of a company and not of one of its people (RFC 6350 §6.1.4).
    const fn is_company(&self) -> bool {
        self.name.is_empty()
    }

    /// RFC 6351 §5.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let property = |name: &str, kind: &str, value: &str| {
            Element::new(VCARD4, name).child(Element::new(VCARD4, kind).text(value))
        };
        let kind = self.is_company().then(|| property("kind", "text", "org"));
        let company = self.company.map(|name| property("org", "text", name));
        let telephones = self.telephones.iter();
        let telephones = telephones.map(|it| property("tel", "uri", &format!("tel:{it}")));
        let emails = self.emails.iter().map(|it| property("email", "text", it));
        Element::new(VCARD4, "vcard")
            .child_opt(kind)
            .child(property("fn", "text", self.full_name()))
            .child_opt(company)
            .children_from(telephones)
            .children_from(emails)
            .child_opt(self.url.map(|url| property("url", "uri", url)))
    }

    /// RFC 6350 §3, each line with its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let mut put = |name: &str, value: &str| {
            fold(&mut out, &format!("{name}:{value}"));
        };
        put("BEGIN", "VCARD");
        put("VERSION", "4.0");
        if self.is_company() {
            put("KIND", "org");
        }
        put("FN", &escaped(self.full_name()));
        if let Some(company) = self.company {
            put("ORG", &escaped(company));
        }
        for number in self.telephones {
            put("TEL;VALUE=uri", &format!("tel:{number}"));
        }
        for address in self.emails {
            put("EMAIL", &escaped(address));
        }
        if let Some(url) = self.url {
            put("URL", url);
        }
        if let Some(id) = self.crm_id {
            put("X-CRM-ID", &escaped(id));
        }
        put("END", "VCARD");
        out
    }
}

/// RFC 6350 §3.4.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

/// RFC 6350 §3.2: a long line goes on behind a space.
fn fold(out: &mut String, line: &str) {
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > LINE_BYTES_MAX {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::{cards, emails, names, telephones};
    use super::*;

    /// What is written in either form is read again by what reads vCards of others.
    #[test]
    fn a_card_is_written_as_xml_and_as_text() {
        let numbers = ["+493012345678".to_owned()];
        let addresses = ["a,b@example.org".to_owned()];
        let company = "Söhne; & Co. ".repeat(9);
        let card = OutsideCard {
            name: "Ann \\ Smith",
            company: Some(&company),
            telephones: &numbers,
            emails: &addresses,
            url: Some("https://crm.example/1"),
            crm_id: Some("1;2"),
        };
        let element = card.to_element();
        assert_eq!(names(&element).full.as_deref(), Some("Ann \\ Smith"));
        assert_eq!(telephones(&element), numbers);
        assert_eq!(emails(&element), addresses);
        let text = card.to_text();
        assert!(text.lines().all(|line| line.len() <= 75), "{text}");
        let read = cards(&text).unwrap();
        let [read] = read.as_slice() else {
            panic!("{text}");
        };
        assert_eq!(read.first("FN").as_deref(), Some("Ann \\ Smith"));
        assert_eq!(
            read.all("ORG").next().unwrap().first_part().trim(),
            company.trim()
        );
        assert_eq!(read.first("EMAIL").as_deref(), Some("a,b@example.org"));
        assert_eq!(read.first("X-CRM-ID").as_deref(), Some("1;2"));
        let company = OutsideCard {
            name: "",
            crm_id: None,
            ..card
        };
        assert!(company.to_text().contains("\r\nKIND:org\r\nFN:Söhne\\; "));
        assert_eq!(company.to_element().children().count(), 6);
    }
}
