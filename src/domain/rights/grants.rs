//! Rights: what an operation needs, who is given it, and what an account may do in the end (S0-10, S1-4,
//! S4-3 to S4-5).
//!
//! A right is given to a role, and with it to every role above, or to one account; it can be withheld
//! from one account, too. Administrators have every right, whatever is written, so that no one can lock
//! the last of them out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Role;
use crate::domain::refusal::rejections;

macro_rules! rights {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, from $role:ident;)+) => {
        /// The right to an operation, or to a few that are of no use alone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Right {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl Right {
            /// Every right.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it in commands, configuration and the database.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The lowest role that is given it as long as nobody has said otherwise.
            #[must_use]
            pub const fn usual_role(self) -> Role {
                match self { $(Self::$variant => Role::$role,)+ }
            }
        }
    };
}

rights! {
    /// To log in as an agent, to change the own state, to log out.
    AgentState = "agent-state", from Agent;
    /// To search the directory of colleagues, and to ask how one can be reached.
    Directory = "directory", from Agent;
    /// To add and remove personal contacts.
    PersonalContact = "personal-contact", from Agent;
    /// To invite to IM sessions, to accept them, and to talk in them (S1-4).
    InstantMessage = "instant-message", from Agent;
    /// To send business objects.
    Context = "context", from Agent;
    /// To look customers up.
    CustomerShow = "customer-show", from Agent;
    /// To write down who a customer is (S2-10).
    CustomerEdit = "customer-edit", from Agent;
    /// To take interactions with customers, and to do what belongs to them.
    Interaction = "interaction", from Agent;
    /// To see all agents with their states and durations.
    AgentList = "agent-list", from Supervisor;
    /// To read transcripts of IM sessions of others.
    TranscriptShow = "transcript-show", from Supervisor;
    /// To merge two customers that are one.
    CustomerMerge = "customer-merge", from Supervisor;
    /// To import customers from files, and to take all of them out.
    CustomerImport = "customer-import", from Administrator;
    /// To write into one's own activities, and to read them and those of customers one deals with.
    Activity = "activity", from Agent;
    /// To read the activities of others, and of any customer.
    ActivityShow = "activity-show", from Supervisor;
    /// To read interactions of others.
    InteractionShow = "interaction-show", from Supervisor;
    /// To plan follow-ups, and to see those of one's own and of customers one deals with (S3-1).
    FollowUp = "follow-up", from Agent;
    /// To see and to steer the follow-ups of others.
    FollowUpShow = "follow-up-show", from Supervisor;
    /// To read how many minutes are billed (S4-22).
    BillingReport = "billing-report", from Supervisor;
    /// To take out and to erase all that is kept of a customer.
    CustomerErase = "customer-erase", from Administrator;
    /// To edit the lists that agents choose from: tags, types of transactions, types of notes (S3-11, S3-12, S4-6).
    CatalogueEdit = "catalogue-edit", from Administrator;
    /// To edit reason codes.
    ReasonCodeEdit = "reason-code-edit", from Administrator;
    /// To edit chat profiles and who has which.
    ChatProfileEdit = "chat-profile-edit", from Administrator;
    /// To give rights and take them.
    RightEdit = "right-edit", from Administrator;
    /// To read messages of streams (S4-4). An administrator gives this and the seven below (S4-3).
    MessageShow = "message-show", from Administrator;
    /// To write messages, edit, complete and delete them.
    MessageCreate = "message-create", from Administrator;
    /// To read replies.
    CommentShow = "comment-show", from Administrator;
    /// To write replies.
    CommentCreate = "comment-create", from Administrator;
    /// To see recipients, minutes, billable and whisper.
    PropertyShow = "property-show", from Administrator;
    /// To set recipients, minutes, billable and whisper.
    PropertyCreate = "property-create", from Administrator;
    /// To see tags.
    TagShow = "tag-show", from Administrator;
    /// To set tags.
    TagCreate = "tag-create", from Administrator;
}

/// The text is the name of no [`Right`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no right")]
pub struct UnknownRight(pub String);

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Right {
    type Err = UnknownRight;
    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        let found = Self::ALL.iter().find(|right| right.name() == text);
        found.copied().ok_or_else(|| UnknownRight(text.to_owned()))
    }
}

/// What is written down about one right of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// The account has it, whatever its role.
    Given,
    /// The account has it not, whatever its role.
    Withheld,
}

/// The rights of each role, beside those of the roles below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleGrants {
    /// Counts the changes; a write names the version that it read.
    pub version: u64,
    roles: BTreeMap<Role, BTreeSet<Right>>,
}

impl Default for RoleGrants {
    /// Each role has the rights that are usual for it.
    fn default() -> Self {
        let mut roles: BTreeMap<Role, BTreeSet<Right>> = BTreeMap::new();
        for right in Right::ALL {
            roles.entry(right.usual_role()).or_default().insert(*right);
        }
        Self { version: 0, roles }
    }
}

impl RoleGrants {
    /// Gives the role that right. Accounts of higher roles have it, too.
    pub fn give(&mut self, role: Role, right: Right) {
        if self.roles.entry(role).or_default().insert(right) {
            self.version = self.version.saturating_add(1);
        }
    }

    /// Takes the right from that role. What a lower role is given stays.
    pub fn take(&mut self, role: Role, right: Right) {
        let rights = self.roles.entry(role).or_default();
        if rights.remove(&right) {
            self.version = self.version.saturating_add(1);
        }
    }

    /// Whether accounts of that role have the right.
    #[must_use]
    pub fn has(&self, role: Role, right: Right) -> bool {
        let own_and_below = self.roles.range(..=role);
        role == Role::Administrator || own_and_below.into_iter().any(|(_, it)| it.contains(&right))
    }
}

/// What is written down about single rights of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountGrants {
    /// Counts the changes; a write names the version that it read.
    pub version: u64,
    rights: BTreeMap<Right, Grant>,
}

impl AccountGrants {
    /// What is written down about that right.
    #[must_use]
    pub fn find(&self, right: Right) -> Option<Grant> {
        self.rights.get(&right).copied()
    }

    /// Writes down what holds for the account; `None` leaves the right to its role.
    pub fn set(&mut self, right: Right, grant: Option<Grant>) {
        let before = match grant {
            Some(grant) => self.rights.insert(right, grant),
            None => self.rights.remove(&right),
        };
        if before != grant {
            self.version = self.version.saturating_add(1);
        }
    }
}

/// What an account may do in the end; nothing where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights(BTreeSet<Right>);

/// The rights of an account of that role.
#[must_use]
pub fn effective(role: Role, roles: &RoleGrants, account: &AccountGrants) -> Rights {
    let written = |right: &Right| match account.rights.get(right) {
        Some(Grant::Given) => true,
        Some(Grant::Withheld) => false,
        None => roles.has(role, *right),
    };
    let has = |right: &Right| role == Role::Administrator || written(right);
    Rights(Right::ALL.iter().copied().filter(has).collect())
}

impl Rights {
    /// Those that are usual for an agent.
    #[cfg(test)]
    pub(crate) fn of_agent() -> &'static Self {
        static USUAL: std::sync::LazyLock<Rights> = std::sync::LazyLock::new(|| {
            effective(
                Role::Agent,
                &RoleGrants::default(),
                &AccountGrants::default(),
            )
        });
        &USUAL
    }

    /// Whether the account has it.
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        self.0.contains(&right)
    }

    /// That the account has it.
    ///
    /// # Errors
    /// [`Rejection::RightMissing`]. For rights to show something, the door tells nothing of what there is.
    pub fn require(&self, right: Right) -> Result<(), Rejection> {
        self.has(right)
            .then_some(())
            .ok_or(Rejection::RightMissing { right })
    }

    /// All of them, in the order of [`Right::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = Right> + '_ {
        self.0.iter().copied()
    }
}

rejections! {
    /// Why an operation is not for this account.
    pub enum Rejection {
        /// It needs a right that the account does not have.
        RightMissing {
            /// Which one.
            right: Right,
        } = Forbidden, "right-missing", "You need the right {right} for this.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S4-4 names eight; S4-3 has an administrator give them.
    #[test]
    fn the_eight_rights_of_message_streams_are_given_by_an_administrator() {
        let eight = [
            "message-show",
            "message-create",
            "comment-show",
            "comment-create",
            "property-show",
            "property-create",
            "tag-show",
            "tag-create",
        ];
        let (mut roles, nothing) = (RoleGrants::default(), AccountGrants::default());
        for name in eight {
            let right: Right = name.parse().unwrap();
            assert!(!effective(Role::Supervisor, &roles, &nothing).has(right));
            assert!(effective(Role::Administrator, &roles, &nothing).has(right));
            roles.give(Role::Agent, right);
            assert!(effective(Role::Agent, &roles, &nothing).has(right));
            assert!(!effective(Role::Member, &roles, &nothing).has(right));
        }
        assert_eq!(roles.version, 8);
        assert!("message".parse::<Right>().is_err());
    }

    #[test]
    fn every_right_has_one_name_in_text_and_json() {
        for right in Right::ALL {
            assert_eq!(right.name().parse(), Ok(*right));
            assert_eq!(serde_json::to_value(right).unwrap(), right.name());
        }
    }

    /// S0-10, S4-5: what is said of the account goes before what is said of its role.
    #[test]
    fn a_right_comes_from_the_account_or_else_from_its_role_and_those_below() {
        use Grant::{Given, Withheld};
        for (role, given_to, of_account, has) in [
            (Role::Member, None, None, false),
            (Role::Member, None, Some(Given), true),
            (Role::Agent, Some(Role::Member), None, true),
            (Role::Agent, Some(Role::Agent), None, true),
            (Role::Agent, Some(Role::Supervisor), None, false),
            (Role::Supervisor, Some(Role::Agent), None, true),
            (Role::Supervisor, Some(Role::Agent), Some(Withheld), false),
            (Role::Administrator, None, None, true),
            (Role::Administrator, None, Some(Withheld), true),
        ] {
            let right = Right::TagShow;
            let (mut roles, mut account) = (RoleGrants::default(), AccountGrants::default());
            roles.take(right.usual_role(), right);
            if let Some(role) = given_to {
                roles.give(role, right);
            }
            account.set(right, of_account);
            let rights = effective(role, &roles, &account);
            assert_eq!(rights.has(right), has, "{role} {given_to:?} {of_account:?}");
            assert_eq!(rights.require(right).is_ok(), has);
            account.set(right, None);
            assert_eq!(
                effective(role, &roles, &account).has(right),
                roles.has(role, right)
            );
        }
    }

    #[test]
    fn what_changes_nothing_makes_no_version() {
        let (mut roles, mut account) = (RoleGrants::default(), AccountGrants::default());
        roles.give(Role::Agent, Right::AgentState);
        roles.take(Role::Agent, Right::TagShow);
        account.set(Right::TagShow, None);
        assert_eq!((roles.version, account.version), (0, 0));
        account.set(Right::TagShow, Some(Grant::Withheld));
        account.set(Right::TagShow, Some(Grant::Withheld));
        assert_eq!(account.version, 1);
        let json = serde_json::to_string(&(&roles, &account)).unwrap();
        assert_eq!(
            serde_json::from_str::<(RoleGrants, AccountGrants)>(&json).unwrap(),
            (roles, account)
        );
    }
}
