//! One contact of a roster, as a record and as a row.

use std::str::FromStr;

use sqlx::FromRow;

use crate::proto::jid::BareJid;
use crate::store::error::StoreError;

/// A contact in a roster (RFC 6121 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterItem {
    /// Who it is.
    pub contact: BareJid,
    /// The name that the owner gave.
    pub name: Option<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// Whether the owner has asked and waits: `ask='subscribe'` (§2.1.2.2).
    pub ask: bool,
    /// Whether a request of the contact is granted before it comes (§2.1.2.1, pre-approval).
    pub approved: bool,
    /// The groups that the owner put it into; none of them holds U+001F, which XML cannot
    /// contain and which separates them in their column.
    pub groups: Vec<String>,
    /// The roster's version when the item was last changed; 0 for one that is not stored yet.
    pub version: i64,
}

impl RosterItem {
    /// A contact without subscription, name or groups, not stored yet.
    #[must_use]
    pub const fn new(contact: BareJid) -> Self {
        Self {
            contact,
            name: None,
            subscription: Subscription::None,
            ask: false,
            approved: false,
            groups: Vec::new(),
            version: 0,
        }
    }

    pub(in crate::store) fn joined_groups(&self) -> String {
        let mut joined = String::new();
        for group in &self.groups {
            joined.extend(group.chars().filter(|c| *c != GROUP_END));
            joined.push(GROUP_END);
        }
        joined
    }
}

/// After each group, so that none differs from one with an empty name.
const GROUP_END: char = '\u{1F}';

/// The state of a subscription, seen from the owner of the roster (RFC 6121 §2.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subscription {
    /// Neither sees the other's presence.
    None,
    /// The owner sees the contact's presence.
    To,
    /// The contact sees the owner's presence.
    From,
    /// Each sees the other's.
    Both,
}

/// The text is no state of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of none, to, from, both")]
pub struct UnknownSubscription;

impl Subscription {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::None, Self::To, Self::From, Self::Both];

    /// The value of the attribute `subscription`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::To => "to",
            Self::From => "from",
            Self::Both => "both",
        }
    }

    /// Whether the contact sees the owner's presence.
    #[must_use]
    pub const fn has_from(self) -> bool {
        matches!(self, Self::From | Self::Both)
    }

    /// Whether the owner sees the contact's presence.
    #[must_use]
    pub const fn has_to(self) -> bool {
        matches!(self, Self::To | Self::Both)
    }
}

impl FromStr for Subscription {
    type Err = UnknownSubscription;
    fn from_str(text: &str) -> Result<Self, UnknownSubscription> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or(UnknownSubscription)
    }
}

#[derive(FromRow)]
pub(in crate::store) struct Row {
    contact: String,
    name: Option<String>,
    subscription: String,
    ask: bool,
    approved: bool,
    group_names: String,
    version: i64,
    pub(super) removed: bool,
}

impl TryFrom<Row> for RosterItem {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            contact: BareJid::new(&row.contact)
                .map_err(|e| StoreError::corrupt("roster_item.contact", e))?,
            name: row.name,
            subscription: row
                .subscription
                .parse()
                .map_err(|e| StoreError::corrupt("roster_item.subscription", e))?,
            ask: row.ask,
            approved: row.approved,
            groups: row
                .group_names
                .split_terminator(GROUP_END)
                .map(ToOwned::to_owned)
                .collect(),
            version: row.version,
        })
    }
}
