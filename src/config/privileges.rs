//! `[component.privileges]`: what a component may do in the name of accounts (XEP-0356).

use super::section::{section, words};
use super::value::{Scalar, quoted};

section! {
    /// What the component may do in the name of this server's accounts (XEP-0356). All of it belongs to
    /// people: it is for programs that are trusted like the server itself.
    pub struct Privileges {
        /// Whether it may read ("get") or change ("set") everybody's roster, or "both".
        roster: Access = Access::None;
        /// Whether it is told of the changes of rosters that it may read.
        roster_push: bool = true;
        /// Whether it may send messages in the name of hosts and accounts: "outgoing", or "none".
        message: MessagePrivilege = MessagePrivilege::None;
        /// Whose presence it is told of: "managed_entity" for that of this server's accounts, "roster" for
        /// that of their contacts, too, which needs `roster` to be readable; or "none".
        presence: PresencePrivilege = PresencePrivilege::None;
        /// Which requests it may send in the name of accounts, each as "get NAMESPACE",
        /// "set NAMESPACE" or "both NAMESPACE".
        iq: Vec<IqPrivilege> = Vec::new();
    }
}

words! {
    /// What may be done with something.
    pub enum Access {
        /// Nothing.
        None = "none",
        /// It may be read.
        Get = "get",
        /// It may be changed.
        Set = "set",
        /// It may be read and changed.
        Both = "both",
    }
}

words! {
    /// Whether messages may be sent in the name of others.
    pub enum MessagePrivilege {
        /// They may not.
        None = "none",
        /// They may.
        Outgoing = "outgoing",
    }
}

words! {
    /// Whose presence is told.
    pub enum PresencePrivilege {
        /// Nobody's.
        None = "none",
        /// That of accounts.
        ManagedEntity = "managed_entity",
        /// That of accounts and their contacts.
        Roster = "roster",
    }
}

impl Access {
    /// Whether it may be read.
    #[must_use]
    pub const fn may_get(self) -> bool {
        matches!(self, Self::Get | Self::Both)
    }

    /// Whether it may be changed.
    #[must_use]
    pub const fn may_set(self) -> bool {
        matches!(self, Self::Set | Self::Both)
    }
}

/// Requests with a payload of one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IqPrivilege {
    /// What may be asked.
    pub access: Access,
    /// The namespace of the payload.
    pub namespace: String,
}

/// Namespaces by which an account could be taken over, or a privilege widened.
const NEVER: &[&str] = &["jabber:iq:register", "urn:xmpp:privilege:2"];

impl Scalar for IqPrivilege {
    fn expected() -> String {
        "\"get NAMESPACE\", \"set NAMESPACE\" or \"both NAMESPACE\", of no namespace that \
         administers accounts"
            .to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let (access, namespace) = text.split_once(' ')?;
        let access = Access::from_text(access)?;
        let named = !namespace.is_empty() && !namespace.contains(char::is_whitespace);
        (named && access != Access::None && !NEVER.contains(&namespace)).then(|| Self {
            access,
            namespace: namespace.to_owned(),
        })
    }

    fn to_toml(&self) -> String {
        quoted(&format!("{} {}", self.access.as_str(), self.namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privilege_for_requests_names_its_kind_and_a_namespace() {
        for (text, expected) in [
            ("get vcard-temp", Some((Access::Get, "vcard-temp"))),
            ("both urn:example", Some((Access::Both, "urn:example"))),
            ("none urn:example", None),
            ("urn:example", None),
            ("get ", None),
            ("get a b", None),
            ("set jabber:iq:register", None),
            ("both urn:xmpp:privilege:2", None),
        ] {
            let read = IqPrivilege::from_text(text);
            let found = read.as_ref().map(|it| (it.access, it.namespace.as_str()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
