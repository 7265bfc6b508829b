//! What holds of a right when it was given or taken: a role has what those below it have, an account what its role has, and
//! administrators have all (S4-3 to S4-5).

use std::collections::BTreeMap;

use super::{Act, rights_of};
use crate::admin::center::{self, ROLE_GRANTS, Whose};
use crate::admin::operator::Operator;
use crate::admin::refusal::Refusal;
use crate::domain::rights::{AccountGrants, Right, Rights, Role, RoleGrants, effective};

/// The rights of somebody after a change.
pub(super) struct After {
    whose: Whose,
    role: Role,
    act: Act,
    rights: Rights,
    of_roles: RoleGrants,
}

impl After {
    pub(super) async fn of(
        operator: &Operator,
        host: &str,
        whose: &Whose,
        act: Act,
    ) -> Result<Self, Refusal> {
        let store = &operator.store;
        let of_roles = center::kept::<RoleGrants>(store, ROLE_GRANTS, host).await?;
        let of_roles = of_roles.value.unwrap_or_default();
        let (role, rights) = match whose {
            Whose::Role(role) => (
                *role,
                effective(*role, &of_roles, &AccountGrants::default()),
            ),
            Whose::Account(jid) => {
                let account = store.accounts().find(jid).await?;
                let role = account.ok_or_else(|| Refusal::no_account(jid))?.role;
                (role, rights_of(store, jid, role).await?)
            }
        };
        Ok(Self {
            whose: whose.clone(),
            role,
            act,
            rights,
            of_roles,
        })
    }

    pub(super) fn has(&self, right: Right) -> bool {
        self.rights.has(right)
    }

    /// What is otherwise than the change alone lets expect, with the reason: what was taken and is there still, and of what was
    /// reset, what is not as it usually is.
    pub(super) fn surprises(&self, rights: &[Right]) -> Vec<String> {
        let mut found: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
        for right in rights {
            let has = self.has(*right);
            let expected = match self.act {
                Act::Give => true,
                Act::Take => false,
                Act::Reset => self.role >= right.usual_role(),
            };
            if has != expected {
                let reason = self.reason(*right, has);
                found.entry((!has, reason)).or_default().push(right.name());
            }
        }
        let who = match &self.whose {
            Whose::Role(role) => format!("The role {role}"),
            Whose::Account(jid) => jid.to_string(),
        };
        let sentence = |((lacks, reason), names): (&(bool, String), &Vec<&str>)| {
            let still = if *lacks { "not" } else { "still" };
            match rights {
                [_] => format!("{who} has it {still}: {reason}."),
                _ => format!("{who} has {still}, for {reason}: {}.", names.join(", ")),
            }
        };
        found.iter().map(sentence).collect()
    }

    /// From whom it comes, or who does not pass it on.
    fn reason(&self, right: Right, has: bool) -> String {
        let lowest = || {
            let mut roles = Role::ALL.iter();
            roles.find(|role| self.of_roles.has(**role, right)).copied()
        };
        match (&self.whose, has) {
            (_, true) if self.role == Role::Administrator => {
                "administrators have every right".to_owned()
            }
            (Whose::Role(_), true) => {
                format!("the role {} has it", lowest().unwrap_or(self.role))
            }
            (Whose::Role(_), false) => format!("the role {} has it not", right.usual_role()),
            (Whose::Account(_), true) => format!("the role {} has it", self.role),
            (Whose::Account(_), false) => format!("the role {} has it not", self.role),
        }
    }
}
