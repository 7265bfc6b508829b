//! A list of blocked addresses, and which addresses it matches (XEP-0191 §5): pure.

use std::collections::HashMap;

use compact_str::CompactString;

use crate::proto::{BareJid, Jid, Resource};

/// The addresses that one account blocks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::extensions) struct Blocklist {
    /// By what stands before the slash.
    entries: HashMap<CompactString, Entry>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    /// With every resource; of a domain also every account.
    whole: bool,
    /// These resources alone.
    resources: Vec<Resource>,
}

impl Blocklist {
    pub(super) fn new(addresses: &[Jid]) -> Self {
        let mut list = Self::default();
        for address in addresses {
            let key = CompactString::from(address.bare().as_str());
            let entry = list.entries.entry(key).or_default();
            match address.resource() {
                Some(resource) => entry.resources.push(resource.clone()),
                None => entry.whole = true,
            }
        }
        list
    }

    /// Whether nothing is blocked.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an item of the list matches the address.
    pub(in crate::extensions) fn matches(&self, address: &Jid) -> bool {
        self.matches_parts(address.bare(), address.resource())
    }

    /// [`Blocklist::matches`] of the parts.
    pub(super) fn matches_parts(&self, bare: &BareJid, resource: Option<&Resource>) -> bool {
        if self.is_empty() {
            return false;
        }
        let named = |resource| {
            let entry = self.entries.get(bare.as_str());
            entry.is_some_and(|it| it.whole || resource_of(it, resource))
        };
        let domain = self.entries.get(bare.domain().as_str());
        named(resource) || domain.is_some_and(|it| it.whole)
    }
}

fn resource_of(entry: &Entry, resource: Option<&Resource>) -> bool {
    resource.is_some_and(|resource| entry.resources.contains(resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_match_as_section_5_says() {
        for (item, address, expected) in [
            ("user@domain/resource", "user@domain/resource", true),
            ("user@domain/resource", "user@domain/other", false),
            ("user@domain/resource", "user@domain", false),
            ("user@domain", "user@domain/any", true),
            ("user@domain", "user@domain", true),
            ("user@domain", "other@domain", false),
            ("user@domain", "domain", false),
            ("domain/resource", "domain/resource", true),
            ("domain/resource", "user@domain/resource", false),
            ("domain/resource", "domain", false),
            ("domain", "domain", true),
            ("domain", "user@domain", true),
            ("domain", "user@domain/resource", true),
            ("domain", "domain/resource", true),
            ("domain", "sub.domain", false),
        ] {
            let list = Blocklist::new(&[Jid::parse(item).unwrap()]);
            let address = Jid::parse(address).unwrap();
            assert_eq!(list.matches(&address), expected, "{item} {address}");
        }
        assert!(!Blocklist::default().matches(&Jid::parse("a@b").unwrap()));
    }
}
