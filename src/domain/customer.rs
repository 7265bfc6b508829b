//! Customers: the people and companies outside, found by their numbers and addresses (S2-10 to S2-13, S2-29 to S2-31).
//!
//! A record is written whole, naming the version that was read. Two that turn out to be the same are merged: one of
//! them gets what the other has, and the other only points to it, so that what refers to it still finds somebody.
//!
//! Numbers are kept as E.164 (`+`, country, number); making them so needs to know in which country a
//! number without one was written down, which is for the door to do. Addresses are compared without case.

use serde::{Deserialize, Serialize};

use super::ids::CustomerId;
use super::refusal::rejections;
use crate::clock::Timestamp;

pub mod search;

/// Characters of a name.
pub const NAME_CHARS_MAX: usize = 256;
/// Numbers, and addresses, of one customer.
pub const ADDRESSES_MAX: usize = 20;
/// Digits of a number (ITU-T E.164 §6.2.1).
pub const DIGITS_MAX: usize = 15;
/// Bytes of an e-mail address (RFC 5321 §4.5.3.1).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of the id and of the URL in the CRM.
pub const REFERENCE_BYTES_MAX: usize = 2_048;
/// Records that a screen pop lists; an agent who has to look through more searches.
pub const MATCHES_MAX: usize = 20;

/// What is known of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// What people call it.
    pub name: String,
    /// The company that it belongs to, or is.
    pub company: Option<String>,
    /// Numbers as E.164.
    pub telephones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Which one it is in the CRM.
    pub crm_id: Option<String>,
    /// Where the CRM shows it.
    pub url: Option<String>,
}

/// A customer, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Which one.
    pub id: CustomerId,
    /// The host whose agents know it; others do not learn that it is there.
    pub host: String,
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// What is known.
    pub profile: Profile,
    /// The customer that it turned out to be.
    #[serde(default)]
    pub merged_into: Option<CustomerId>,
    /// When it was made; `None` before.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// What happens to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is made.
    Create(Profile),
    /// It is written anew, by somebody who has read that version.
    Edit {
        /// Which version was read.
        read: u64,
        /// What is known now.
        profile: Profile,
    },
    /// It gets what another has.
    Absorb {
        /// Which version was read.
        read: u64,
        /// What the other has.
        other: Profile,
    },
    /// It turns out to be another, which has absorbed it.
    MergeInto {
        /// Which version was read.
        read: u64,
        /// The other.
        other: CustomerId,
    },
}

/// What has happened to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// This is known of it from now on.
    Written {
        /// When.
        at: Timestamp,
        /// What is known.
        profile: Profile,
    },
    /// It is another.
    Merged {
        /// When.
        at: Timestamp,
        /// Which.
        into: CustomerId,
    },
}

rejections! {
    /// Why a customer is not written.
    pub enum Rejection {
        /// There is no such customer.
        Unknown = NotFound, "customer-unknown", "There is no such customer.";
        /// It is there already.
        Exists = Conflict, "customer-exists", "This customer exists already.";
        /// Somebody else has written it since it was read.
        Stale = Conflict, "customer-changed", "This customer was changed by someone else since you have read it.";
        /// It is part of another by now.
        Merged = NotAllowed, "customer-merged", "This customer was merged into another one.";
        /// A customer is not merged into itself.
        Itself = Invalid, "customer-itself", "A customer cannot be merged into itself.";
        /// Without a name and a company nobody would know who it is.
        Nameless = Invalid, "customer-nameless", "A customer needs a name or a company.";
        /// [`NAME_CHARS_MAX`].
        Name = Invalid, "customer-name-malformed", "A name has one line of at most 256 characters.";
        /// [`DIGITS_MAX`].
        Telephone = Invalid, "telephone-malformed", "A telephone number has a plus sign, the country and up to 15 digits.";
        /// [`EMAIL_BYTES_MAX`].
        Email = Invalid, "email-malformed", "This is no e-mail address.";
        /// [`ADDRESSES_MAX`].
        TooMany = Limit, "customer-addresses-full", "A customer has at most 20 numbers and 20 addresses.";
        /// [`REFERENCE_BYTES_MAX`].
        Reference = Invalid, "crm-reference-malformed", "The id or URL of the CRM is malformed.";
    }
}

impl Profile {
    /// The profile with each number and address once, when all parts are within their limits.
    ///
    /// # Errors
    /// Names the first part that is not.
    pub fn checked(mut self) -> Result<Self, Rejection> {
        self.name = self.name.trim().to_owned();
        for part in [&mut self.company, &mut self.crm_id, &mut self.url] {
            let trimmed = part.take().map(|text| text.trim().to_owned());
            *part = trimmed.filter(|text| !text.is_empty());
        }
        if self.name.is_empty() && self.company.is_none() {
            return Err(Rejection::Nameless);
        }
        let names = std::iter::once(&self.name).chain(&self.company);
        let mut names = names.into_iter();
        if !names
            .all(|name| name.chars().count() <= NAME_CHARS_MAX && !name.contains(char::is_control))
        {
            return Err(Rejection::Name);
        }
        if !self.telephones.iter().all(|number| is_e164(number)) {
            return Err(Rejection::Telephone);
        }
        if !self.emails.iter().all(|address| is_email(address)) {
            return Err(Rejection::Email);
        }
        once(&mut self.telephones, |number| number.to_owned());
        once(&mut self.emails, folded);
        if self.telephones.len() > ADDRESSES_MAX || self.emails.len() > ADDRESSES_MAX {
            return Err(Rejection::TooMany);
        }
        let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        let fits =
            |text: &String| text.len() <= REFERENCE_BYTES_MAX && !text.contains(char::is_control);
        if !self.url.iter().all(|url| web(url) && fits(url)) || !self.crm_id.iter().all(fits) {
            return Err(Rejection::Reference);
        }
        Ok(self)
    }

    /// Under what it is found when a customer calls or writes.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        let numbers = self.telephones.iter().cloned();
        numbers.chain(self.emails.iter().map(|address| folded(address)))
    }

    /// The profile with what another has and this has not.
    fn with(mut self, other: Self) -> Self {
        if self.name.is_empty() {
            self.name = other.name;
        }
        self.company = self.company.or(other.company);
        self.crm_id = self.crm_id.or(other.crm_id);
        self.url = self.url.or(other.url);
        self.telephones.extend(other.telephones);
        self.emails.extend(other.emails);
        self
    }
}

/// An address as it is looked for: a number as it is, an e-mail address without case.
#[must_use]
pub fn folded(address: &str) -> String {
    address.trim().to_lowercase()
}

/// `+`, a digit that is not zero, and up to fourteen more (ITU-T E.164 §6).
#[must_use]
pub fn is_e164(number: &str) -> bool {
    let Some(digits) = number.strip_prefix('+') else {
        return false;
    };
    (3..=DIGITS_MAX).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// One `@` with something on both sides, and nothing that an address on an envelope could be broken by.
#[must_use]
pub fn is_email(address: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';');
    let parts = address.rsplit_once('@');
    let both = parts.is_some_and(|(local, host)| {
        !local.is_empty() && !local.contains('@') && !host.is_empty() && !host.starts_with('.')
    });
    both && address.len() <= EMAIL_BYTES_MAX && !address.contains(bad)
}

fn once(list: &mut Vec<String>, key: impl Fn(&str) -> String) {
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|entry| seen.insert(key(entry)));
}

impl Customer {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(id: CustomerId, host: String) -> Self {
        Self {
            id,
            host,
            version: 0,
            profile: Profile::default(),
            merged_into: None,
            created_at: None,
        }
    }
}

/// What comes of a command.
///
/// # Errors
/// When the record has changed since it was read, or a part is over its limit.
pub fn decide(
    customer: &Customer,
    command: Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let read = match &command {
        Command::Create(_) => None,
        Command::Edit { read, .. }
        | Command::Absorb { read, .. }
        | Command::MergeInto { read, .. } => Some(*read),
    };
    match (read, customer.created_at) {
        (None, Some(_)) => return Err(Rejection::Exists),
        (Some(_), None) => return Err(Rejection::Unknown),
        (Some(_), Some(_)) if customer.merged_into.is_some() => return Err(Rejection::Merged),
        (Some(read), Some(_)) if read != customer.version => return Err(Rejection::Stale),
        (None, None) | (Some(_), Some(_)) => {}
    }
    let at = now;
    match command {
        Command::Create(profile) => {
            let profile = profile.checked()?;
            Ok(vec![Event::Written { at, profile }])
        }
        Command::Edit { profile, .. } => Ok(written(customer, profile.checked()?, at)),
        Command::Absorb { other, .. } => {
            let all = customer.profile.clone().with(other);
            Ok(written(customer, all.checked()?, at))
        }
        Command::MergeInto { other, .. } if other == customer.id => Err(Rejection::Itself),
        Command::MergeInto { other, .. } => Ok(vec![Event::Merged { at, into: other }]),
    }
}

/// What is known already is no event.
fn written(customer: &Customer, profile: Profile, at: Timestamp) -> Vec<Event> {
    match profile == customer.profile {
        true => vec![],
        false => vec![Event::Written { at, profile }],
    }
}

/// Makes the customer what it is after the event.
pub fn apply(customer: &mut Customer, event: &Event) {
    customer.version = customer.version.saturating_add(1);
    match event {
        Event::Written { at, profile } => {
            customer.created_at = customer.created_at.or(Some(*at));
            customer.profile = profile.clone();
        }
        Event::Merged { into, .. } => customer.merged_into = Some(into.clone()),
    }
}

/// What an agent's devices show when a customer calls or writes (S2-10 to S2-13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "pop", rename_all = "kebab-case")]
pub enum ScreenPop {
    /// A form with the address filled in: nobody is known by it.
    None {
        /// The address.
        address: String,
    },
    /// The customer.
    Single {
        /// Who.
        customer: CustomerId,
    },
    /// A list to choose from, at most [`MATCHES_MAX`].
    Multiple {
        /// Who it can be.
        customers: Vec<CustomerId>,
    },
}

/// What is shown for an address under which those customers are known.
#[must_use]
pub fn screen_pop(address: &str, mut found: Vec<CustomerId>) -> ScreenPop {
    found.truncate(MATCHES_MAX);
    match (found.pop(), found.is_empty()) {
        (None, _) => ScreenPop::None {
            address: address.to_owned(),
        },
        (Some(customer), true) => ScreenPop::Single { customer },
        (Some(last), false) => {
            found.push(last);
            ScreenPop::Multiple { customers: found }
        }
    }
}

#[cfg(test)]
mod tests;
