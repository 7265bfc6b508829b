//! Telephone numbers and e-mail addresses of colleagues, as their vCards have them.

use std::sync::Arc;

use lettre::Address as EmailAddress;

use crate::config::Region;
use crate::contact_center::errors::Refused;
use crate::domain::ids::AgentId;
use crate::domain::reach::{Address, Addresses};
use crate::extensions::vcard;
use crate::hooks::Services;
use crate::proto::common::vcard::{emails, telephones};
use crate::proto::uri::encode;
use crate::xml::Element;

/// What is known of a colleague's other addresses.
///
/// # Errors
/// When the database fails.
pub(super) async fn of(services: &Arc<Services>, id: &AgentId) -> Result<Addresses, Refused> {
    let cards = vcard::public_cards(services, id.jid()).await?;
    Ok(in_cards(&cards, services.config.contact_center.region))
}

/// The first number and the first address that are good.
fn in_cards(cards: &[Element], region: Region) -> Addresses {
    let mut telephones = cards.iter().flat_map(telephones);
    let mut emails = cards.iter().flat_map(emails);
    Addresses {
        telephone: telephones.find_map(|text| region.e164(&text)),
        email: emails.find(|text| text.parse::<EmailAddress>().is_ok()),
    }
}

/// Where a means leads, as a link: `xmpp:` (RFC 5122), `tel:` (RFC 3966) or `mailto:` (RFC 6068).
pub(super) fn uri(address: &Address) -> String {
    match address {
        Address::Account(id) => format!("xmpp:{}@{}", encode(id.logon()), encode(id.host())),
        Address::Telephone(number) => format!("tel:{number}"),
        Address::Email(address) => match address.rsplit_once('@') {
            Some((local, domain)) => format!("mailto:{}@{}", encode(local), encode(domain)),
            None => format!("mailto:{}", encode(address)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ContactCenter;
    use crate::xml::{Limits, document};

    fn card(telephones: &[&str], emails: &[&str]) -> Element {
        let telephones = telephones.iter();
        let telephones = telephones.map(|it| format!("<TEL><NUMBER>{it}</NUMBER></TEL>"));
        let emails = emails.iter();
        let emails = emails.map(|it| format!("<EMAIL><USERID>{it}</USERID></EMAIL>"));
        let all: String = telephones.chain(emails).collect();
        let xml = format!("<vCard xmlns='vcard-temp'>{all}</vCard>");
        document(xml.as_bytes(), &Limits::STORED).unwrap()
    }

    /// S0-3, S0-4: what is written in a vCard in whatever way becomes E.164, or is left out.
    #[test]
    fn numbers_become_e164_and_addresses_are_those_of_mail() {
        let none = ContactCenter::default().region;
        let germany = Region(Some(phonenumber::country::Id::DE));
        for (text, region, expected) in [
            ("+49 30 12345678", none, Some("+493012345678")),
            ("(030) 12345678", germany, Some("+493012345678")),
            ("(030) 12345678", none, None),
            ("extension 5", germany, None),
            ("+1", none, None),
            ("", germany, None),
            (&"+4930".repeat(100), none, None),
        ] {
            let found = in_cards(&[card(&[text], &[])], region).telephone;
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        let cards = [
            card(&["x"], &["x", "a b@c"]),
            card(&["+493012345678"], &["j@mail.example"]),
        ];
        let found = in_cards(&cards, none);
        assert_eq!(found.telephone.as_deref(), Some("+493012345678"));
        assert_eq!(found.email.as_deref(), Some("j@mail.example"));
    }

    #[test]
    fn addresses_are_links() {
        let account = Address::Account("o\\27neil@localhost".parse().unwrap());
        assert_eq!(uri(&account), "xmpp:o%5C27neil@localhost");
        assert_eq!(uri(&Address::Telephone("+4930".to_owned())), "tel:+4930");
        let email = Address::Email("j+x?cc=y@mail.example".to_owned());
        assert_eq!(uri(&email), "mailto:j%2Bx%3Fcc%3Dy@mail.example");
    }
}
