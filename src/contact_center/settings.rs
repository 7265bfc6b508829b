//! What administrators have set for a host: reason codes, chat profiles, rights. In memory, for every
//! operation asks for some of it; a record of the database each, with every version that there was.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::center::Place;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::reason_code::ReasonCodes;
use crate::domain::rights::{AccountGrants, Rights, Role, RoleGrants, effective};
use crate::proto::BareJid;
use crate::store::{Store, StoreError, StoredRecord};

/// What is set for one host.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Why agents are not ready or log out.
    pub(super) reasons: ReasonCodes,
    /// The chat profile of each role that has one of its own.
    profiles: BTreeMap<Role, Arc<ChatProfile>>,
    /// The profile of the others.
    usual: Arc<ChatProfile>,
    /// The rights of the roles.
    grants: RoleGrants,
}

impl Settings {
    /// The chat profile of a role.
    pub(super) fn profile_of(&self, role: Role) -> &Arc<ChatProfile> {
        self.profiles.get(&role).unwrap_or(&self.usual)
    }
}

/// The kinds of records in which settings are kept; their ids begin with the host or the account.
pub(super) const REASON_CODES: &str = "reason-codes";
pub(super) const CHAT_PROFILE: &str = "chat-profile";
pub(super) const ROLE_GRANTS: &str = "role-grants";
pub(super) const ACCOUNT_GRANTS: &str = "account-grants";

/// The id of the record of a role's chat profile.
pub(super) fn role_profile_id(host: &BareJid, role: Role) -> String {
    format!("{host}/{role}")
}

impl Place {
    /// Reads what is set, at the start and after each change.
    pub(super) async fn read_settings(&self, store: &Store) -> Result<(), StoreError> {
        let host = self.host.as_str();
        let mut profiles = BTreeMap::new();
        for role in Role::ALL {
            let id = role_profile_id(&self.host, role);
            if let Some(profile) = read(store, CHAT_PROFILE, &id).await? {
                profiles.insert(role, Arc::new(profile));
            }
        }
        let reasons = read(store, REASON_CODES, host).await?;
        let grants = read(store, ROLE_GRANTS, host).await?;
        self.settings.store(Arc::new(Settings {
            reasons: reasons.unwrap_or_default(),
            profiles,
            usual: Arc::default(),
            grants: grants.unwrap_or_default(),
        }));
        self.settings_changed.notify_one();
        Ok(())
    }

    /// The chat profile of an account: its own, or that of its role.
    pub(super) async fn profile(
        &self,
        store: &Store,
        account: &BareJid,
        role: Role,
    ) -> Result<Arc<ChatProfile>, StoreError> {
        let own = read(store, CHAT_PROFILE, account.as_str()).await?;
        Ok(match own {
            Some(own) => Arc::new(own),
            None => Arc::clone(self.settings.load().profile_of(role)),
        })
    }

    /// What an account may do in the end.
    pub(super) async fn rights(
        &self,
        store: &Store,
        account: &BareJid,
        role: Role,
    ) -> Result<Rights, StoreError> {
        let own: Option<AccountGrants> = read(store, ACCOUNT_GRANTS, account.as_str()).await?;
        let settings = self.settings.load();
        Ok(effective(role, &settings.grants, &own.unwrap_or_default()))
    }
}

/// The setting of that kind and id.
async fn read<T: DeserializeOwned + Serialize>(
    store: &Store,
    kind: &'static str,
    id: &str,
) -> Result<Option<T>, StoreError> {
    let found = store.records().find(kind, id).await?;
    let read = |record: StoredRecord| {
        serde_json::from_str(&record.snapshot).map_err(|cause| StoreError::corrupt(kind, cause))
    };
    found.map(read).transpose()
}
