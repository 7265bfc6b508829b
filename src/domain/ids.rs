//! What records are called: agents by the address of their account, the rest by identifiers that sort by
//! the time of their making.

use std::fmt;
use std::str::FromStr;

use jid::BareJid;
use serde::{Deserialize, Serialize, Serializer};

use crate::clock::Timestamp;

/// The text names no account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the address of an account")]
pub struct NotAnAccount(pub String);

/// An agent: the account `name@host`, prepared, so that two that are equal compare equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct AgentId(BareJid);

impl AgentId {
    /// The agent of that account; `None` when the address has no localpart and so names a host.
    #[must_use]
    pub fn new(account: BareJid) -> Option<Self> {
        account.node().is_some().then_some(Self(account))
    }

    /// The address of the account.
    #[must_use]
    pub const fn jid(&self) -> &BareJid {
        &self.0
    }

    /// The host that the account is on. Colleagues are on one host (S0-6).
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.domain().as_str()
    }

    /// What stands before the host: the logon that is shown beside messages (S1-10).
    #[must_use]
    pub fn logon(&self) -> &str {
        self.0.node().map_or("", |node| node.as_str())
    }
}

impl FromStr for AgentId {
    type Err = NotAnAccount;
    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        let account = BareJid::new(text).ok().and_then(Self::new);
        account.ok_or_else(|| NotAnAccount(text.to_owned()))
    }
}

impl TryFrom<String> for AgentId {
    type Error = NotAnAccount;
    fn try_from(text: String) -> Result<Self, NotAnAccount> {
        text.parse()
    }
}

impl From<AgentId> for String {
    fn from(agent: AgentId) -> Self {
        agent.0.to_string()
    }
}

impl Serialize for AgentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes of an identifier. Ours have 36; connectors bring their own for interactions.
pub const ID_BYTES_MAX: usize = 128;

/// The text is no identifier: empty, over [`ID_BYTES_MAX`], or with a space or control character in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no identifier")]
pub struct NotAnId;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// A new one, made at that time.
            #[must_use]
            pub fn made(now: Timestamp) -> Self {
                Self(crate::id::sorted(now))
            }

            /// The one of that name made at that time: the same, however often it is made.
            #[must_use]
            pub fn derived(at: Timestamp, name: &str) -> Self {
                Self(crate::id::derived(at, name))
            }

            /// The text of it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                let bad = |c: char| c.is_whitespace() || c.is_control();
                if text.is_empty() || text.len() > ID_BYTES_MAX || text.contains(bad) {
                    return Err(NotAnId);
                }
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

identifiers! {
    /// One dealing with a customer on one medium.
    InteractionId;
    /// What was asked of a connector.
    RequestId;
    /// A person or company outside.
    CustomerId;
    /// The record of one agent's part in one interaction.
    ActivityId;
    /// A planned transaction that refers to another record.
    FollowUpId;
    /// A titled note about a customer, with its replies.
    StreamId;
    /// An invited, accepted, ended conversation of two agents.
    ImSessionId;
    /// One sending of business objects to colleagues.
    ContextId;
    /// A message as the archive knows it (XEP-0359).
    MessageId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_an_account_and_no_host() {
        let romeo: AgentId = "Romeo@Example.org".parse().unwrap();
        assert_eq!(romeo.to_string(), "romeo@example.org");
        assert_eq!((romeo.logon(), romeo.host()), ("romeo", "example.org"));
        for bad in ["example.org", "", "a@b/c", "@example.org"] {
            assert!(bad.parse::<AgentId>().is_err(), "{bad}");
        }
        let json = serde_json::to_string(&romeo).unwrap();
        assert_eq!(serde_json::from_str::<AgentId>(&json).unwrap(), romeo);
        assert!(serde_json::from_str::<AgentId>("\"example.org\"").is_err());
    }

    #[test]
    fn identifiers_sort_by_time_and_have_a_bound() {
        let early = ImSessionId::made(Timestamp::from_micros(1_000_000));
        let late = ImSessionId::made(Timestamp::from_micros(2_000_000));
        assert!(early < late);
        assert_eq!(early.as_str().parse(), Ok(early));
        let long = "x".repeat(ID_BYTES_MAX + 1);
        for bad in ["", "a b", "a\n", &long] {
            assert_eq!(bad.parse::<InteractionId>(), Err(NotAnId));
        }
    }
}
