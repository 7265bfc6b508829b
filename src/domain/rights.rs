//! What an account may do on this server: its role, and the rights that role and account are given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod grants;

pub use grants::{
    AccountGrants, Grant, Rejection, Right, Rights, RoleGrants, UnknownRight, effective,
};

/// The role of an account. A later one may do everything that an earlier one may.
///
/// Stored, configured and shown by its [name](Self::name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Talks to others; takes no part in the contact center.
    Member,
    /// Takes interactions with customers.
    Agent,
    /// Sees and steers the agents' work.
    Supervisor,
    /// Operates the server.
    Administrator,
}

/// The text is the name of no [`Role`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role; the roles are member, agent, supervisor, administrator")]
pub struct UnknownRole(pub String);

impl Role {
    /// Every role, the least powerful first.
    pub const ALL: [Self; 4] = [
        Self::Member,
        Self::Agent,
        Self::Supervisor,
        Self::Administrator,
    ];

    /// The word for it in configuration, commands and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_name_and_stands_above_the_one_before() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!(Role::ALL.is_sorted());
        assert!("root".parse::<Role>().is_err());
    }
}
