//! What is known of a customer out of texts of others: files, components, people who type.

use crate::config::Region;
use crate::domain::customer::{DIGITS_MAX, Profile, Rejection, is_e164, is_email};

/// What was given of a customer, as it was written.
#[derive(Clone, Debug, Default)]
pub struct WrittenProfile {
    /// The name.
    pub name: String,
    /// The company.
    pub company: Option<String>,
    /// Numbers, in whatever way.
    pub telephones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Which one it is in the CRM.
    pub crm_id: Option<String>,
    /// Where the CRM shows it.
    pub url: Option<String>,
}

impl WrittenProfile {
    /// The profile, with numbers as E.164.
    ///
    /// # Errors
    /// Names the first part that cannot be taken.
    pub fn understood(self, region: Region) -> Result<Profile, Rejection> {
        let numbers = self.telephones.iter();
        let numbers = numbers.map(|text| telephone(region, text).ok_or(Rejection::Telephone));
        let emails = self.emails.iter().map(|text| text.trim().to_owned());
        let profile = Profile {
            name: self.name,
            company: self.company,
            telephones: numbers.collect::<Result<_, _>>()?,
            emails: emails.collect(),
            crm_id: self.crm_id,
            url: self.url,
        };
        profile.checked()
    }

    /// The same without the numbers and addresses that cannot be taken.
    ///
    /// # Errors
    /// Names the first other part that cannot be taken.
    pub fn understood_in_parts(mut self, region: Region) -> Result<Profile, Rejection> {
        self.telephones.retain(|it| telephone(region, it).is_some());
        self.emails.retain(|it| is_email(it.trim()));
        self.understood(region)
    }
}

/// A telephone number as E.164; `None` for what is none. One with plus and country is taken though nobody gives out
/// such numbers as far as is known: whoever calls has one.
#[must_use]
pub fn telephone(region: Region, text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    // RFC 3966 §5.1: parameters of the link.
    let text = text.split(';').next().unwrap_or_default();
    region.e164(text).or_else(|| {
        let between = |c: &char| c.is_whitespace() || "-./()".contains(*c);
        let number = text.chars().filter(|c| !between(c)).take(DIGITS_MAX + 2);
        let number: String = number.collect();
        is_e164(&number).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S2-12: whatever way a number is written, it is one.
    #[test]
    fn numbers_become_e164() {
        let none = Region(None);
        let germany = Region(Some(phonenumber::country::Id::DE));
        for (text, region, expected) in [
            ("+49 30 12345678", none, Some("+493012345678")),
            ("(030) 12345678", germany, Some("+493012345678")),
            ("(030) 12345678", none, None),
            ("tel:+49-30-12345678;ext=5", none, Some("+493012345678")),
            ("+999 123", none, Some("+999123")),
            ("+4930123456789012345", none, None),
            ("anonymous", germany, None),
            ("", germany, None),
        ] {
            assert_eq!(telephone(region, text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn of_others_what_can_be_taken_is() {
        let written = WrittenProfile {
            name: " Ann ".to_owned(),
            telephones: vec!["+49 30 12345678".to_owned(), "0".to_owned()],
            emails: vec!["nobody".to_owned(), " ann@example.org ".to_owned()],
            ..WrittenProfile::default()
        };
        let refused = written.clone().understood(Region(None));
        assert_eq!(refused, Err(Rejection::Telephone));
        let profile = written.understood_in_parts(Region(None)).unwrap();
        assert_eq!(profile.name, "Ann");
        assert_eq!(profile.telephones, ["+493012345678"]);
        assert_eq!(profile.emails, ["ann@example.org"]);
    }
}
