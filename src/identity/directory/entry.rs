//! What a directory says of a person.

use ldap3::SearchEntry;

use crate::config::{AuthSource, Ldap};
use crate::identity::{Person, role, template};
use crate::proto::BareJid;

/// The parts of an entry that are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) dn: String,
    pub(super) name: Option<String>,
    pub(super) groups: Vec<String>,
}

impl Entry {
    pub(super) fn of(entry: SearchEntry, config: &Ldap) -> Self {
        // Names of attributes have no case (RFC 4512 §2.5), and come back as the server has them.
        let values = |wanted: &str| {
            let mut attributes = entry.attrs.iter();
            let found = attributes.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map_or(&[][..], |(_, values)| values.as_slice())
        };
        Self {
            name: values(&config.name_attribute).first().cloned(),
            groups: values(&config.groups_attribute).to_vec(),
            dn: entry.dn,
        }
    }

    /// Of somebody of whom nothing can be read.
    pub(super) const fn unknown(dn: String) -> Self {
        Self {
            dn,
            name: None,
            groups: Vec::new(),
        }
    }
}

/// Whom the entry makes of an account's owner.
pub(super) fn person(config: &Ldap, account: &BareJid, entry: &Entry, groups: &[String]) -> Person {
    let groups: Vec<String> = groups.iter().map(|it| template::comparable(it)).collect();
    let given = config.roles.iter().map(|given| {
        let applies = groups.contains(&template::comparable(&given.group));
        (given.role, applies)
    });
    Person {
        account: account.clone(),
        source: AuthSource::Ldap,
        name: entry.name.clone().filter(|name| !name.is_empty()),
        role: role(given),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::{GivenRole, GroupRole};
    use crate::domain::rights::Role;

    #[test]
    fn attributes_are_found_in_whatever_case_and_groups_give_roles() {
        let config = Ldap {
            roles: vec![GroupRole {
                group: "cn=Supervisors, ou=groups, dc=example".to_owned(),
                role: GivenRole::Supervisor,
            }],
            ..Ldap::default()
        };
        let groups = vec!["CN=supervisors,OU=groups,DC=example".to_owned()];
        let attrs = HashMap::from([
            ("DISPLAYNAME".to_owned(), vec!["Anna Agent".to_owned()]),
            ("memberof".to_owned(), groups),
        ]);
        let entry = SearchEntry {
            dn: "uid=anna,dc=example".to_owned(),
            attrs,
            bin_attrs: HashMap::new(),
        };
        let entry = Entry::of(entry, &config);
        let account = BareJid::new("anna@localhost").unwrap();
        let found = person(&config, &account, &entry, &entry.groups);
        assert_eq!(found.name.as_deref(), Some("Anna Agent"));
        assert_eq!(found.role, Some(Role::Supervisor));
        let nobody = Entry::unknown(entry.dn);
        let found = person(&config, &account, &nobody, &nobody.groups);
        assert_eq!((found.name, found.role), (None, Some(Role::Member)));
    }
}
