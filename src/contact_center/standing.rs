//! What an account is in the contact center: whether it is there, its role, what it may do, and its chat profile. Every
//! operation asks for it, so of accounts that are online it is kept in memory.

use std::sync::Arc;

use super::center::Place;
use super::settings::{ACCOUNT_GRANTS, CHAT_PROFILE, Settings};
use crate::admin::setting;
use crate::clock::Timestamp;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::rights::{AccountGrants, Rights, Role, effective};
use crate::hooks::{Account, Services};
use crate::proto::BareJid;
use crate::store::{Store, StoreError};

/// What an account that is online may do, and its chat profile. In the account's slots, where it holds until something is
/// set for the host: each change of the settings, be it of this account alone, makes new [`Settings`].
struct Allowed {
    under: Arc<Settings>,
    role: Role,
    rights: Arc<Rights>,
    profile: Arc<ChatProfile>,
}

/// An account that is there and not kept out.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) role: Role,
    /// Since when there is the account.
    pub(super) since: Timestamp,
    pub(super) rights: Arc<Rights>,
    pub(super) profile: Arc<ChatProfile>,
}

/// The same of one that is online, in its slots. It holds until something is set for the host, until an account changes, and
/// no longer than [`KNOWN_SECONDS`].
struct Known {
    under: Arc<Settings>,
    changed: u64,
    at: Timestamp,
    standing: Standing,
}

/// How long an account is believed to be as it was looked up where this server has not changed it itself: the command line of
/// another machine may have.
const KNOWN_SECONDS: i64 = 30;

impl Place {
    /// The account, where it is there and not kept out, with what it may do: looked up once while it is online and nothing
    /// changes it.
    pub(super) async fn standing(
        &self,
        services: &Services,
        account: &BareJid,
    ) -> Result<Option<Standing>, StoreError> {
        if let Some(known) = self.known_standing(services, account) {
            return Ok(Some(known));
        }
        let (store, now) = (&services.store, services.clock.now());
        let online = services.online(account);
        // Before anything is read, as below.
        let (under, changed) = (self.settings.load_full(), store.accounts().changed());
        // On the heap, for every operation waits in this one, and seldom for that.
        let found = Box::pin(self.look_up(store, online.as_deref(), account)).await?;
        if let (Some(online), Some(found)) = (online, &found) {
            online.slots().set(Known {
                under,
                changed,
                at: now,
                standing: found.clone(),
            });
        }
        Ok(found)
    }

    /// The same where it is known; `None` where it has to be looked up.
    pub(super) fn known_standing(
        &self,
        services: &Services,
        account: &BareJid,
    ) -> Option<Standing> {
        let (now, changed) = (services.clock.now(), services.store.accounts().changed());
        let under = self.settings.load();
        let is_so = |it: &Known| {
            let young = (0..KNOWN_SECONDS).contains(&now.seconds_since(it.at));
            let holds = young && it.changed == changed && Arc::ptr_eq(&it.under, &under);
            holds.then(|| it.standing.clone())
        };
        services.online(account)?.slots().look(is_so).flatten()
    }

    async fn look_up(
        &self,
        store: &Store,
        online: Option<&Account>,
        account: &BareJid,
    ) -> Result<Option<Standing>, StoreError> {
        let found = store.accounts().find(account).await?;
        let Some(found) = found.filter(|found| found.enabled) else {
            return Ok(None);
        };
        let (rights, profile) = self.allowed(store, online, account, found.role).await?;
        Ok(Some(Standing {
            role: found.role,
            since: found.created_at,
            rights,
            profile,
        }))
    }

    /// What an account of that role may do, and its chat profile: read once while it is online and nothing is set.
    pub(super) async fn allowed(
        &self,
        store: &Store,
        online: Option<&Account>,
        account: &BareJid,
        role: Role,
    ) -> Result<(Arc<Rights>, Arc<ChatProfile>), StoreError> {
        // Before anything is read: what is set meanwhile makes other ones.
        let under = self.settings.load_full();
        let is_so = |it: &Allowed| {
            let holds = Arc::ptr_eq(&it.under, &under) && it.role == role;
            holds.then(|| (Arc::clone(&it.rights), Arc::clone(&it.profile)))
        };
        let known = online.and_then(|online| online.slots().look(is_so));
        if let Some(known) = known.flatten() {
            return Ok(known);
        }
        let rights = Arc::new(self.rights(store, account, role).await?);
        let profile = self.profile(store, account, role).await?;
        if let Some(online) = online {
            online.slots().set(Allowed {
                under,
                role,
                rights: Arc::clone(&rights),
                profile: Arc::clone(&profile),
            });
        }
        Ok((rights, profile))
    }

    /// The chat profile of an account: its own, or that of its role.
    pub(super) async fn profile(
        &self,
        store: &Store,
        account: &BareJid,
        role: Role,
    ) -> Result<Arc<ChatProfile>, StoreError> {
        let own = setting(store, CHAT_PROFILE, account.as_str()).await?;
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
        let own: Option<AccountGrants> = setting(store, ACCOUNT_GRANTS, account.as_str()).await?;
        let settings = self.settings.load();
        Ok(effective(role, &settings.grants, &own.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use crate::contact_center::testing::{Floor, ask};
    use crate::domain::rights::Role;
    use crate::proto::BareJid;
    use crate::store::{Limits, Location, Store};

    const LOGIN: &str = "<login xmlns='urn:parlour:agent:0'/>";

    /// S0-9: the command line of another machine writes to the database and tells nobody.
    #[tokio::test]
    async fn what_others_have_changed_is_noticed_in_half_a_minute() {
        let floor = Floor::new(&["romeo"]).await;
        let mut romeo = floor.online("romeo/desk").await;
        let answer = ask(&mut romeo, "set", LOGIN).await;
        assert!(answer.contains("state='available'"), "{answer}");
        let file = Location::Sqlite(floor.house.folder().join("parlour.db"));
        let limits = Limits::default();
        let beside = Box::pin(Store::open(&file, &limits)).await.unwrap();
        let jid = BareJid::new("romeo@localhost").unwrap();
        assert!(
            beside
                .accounts()
                .set_role(&jid, Role::Member)
                .await
                .unwrap()
        );
        floor.house.clock.advance_seconds(super::KNOWN_SECONDS);
        let answer = ask(&mut romeo, "set", LOGIN).await;
        assert!(answer.contains("<right-missing"), "{answer}");
        beside.close().await;
    }

    /// What this server changes itself holds at once, also for whoever asked a moment ago.
    #[tokio::test]
    async fn what_the_server_changes_itself_is_noticed_at_once() {
        let floor = Floor::new(&["romeo"]).await;
        let mut romeo = floor.online("romeo/desk").await;
        let services = floor.house.router.services();
        let accounts = services.store.accounts();
        let jid = BareJid::new("romeo@localhost").unwrap();
        for (role, part) in [
            (Role::Agent, "state='available'"),
            (Role::Member, "<right-missing"),
        ] {
            assert!(accounts.set_role(&jid, role).await.unwrap());
            for _ in 0..2 {
                let answer = ask(&mut romeo, "set", LOGIN).await;
                assert!(answer.contains(part), "{answer}");
            }
        }
        assert!(accounts.disable(&jid).await.unwrap());
        let answer = ask(&mut romeo, "set", LOGIN).await;
        assert!(answer.contains("<stranger"), "{answer}");
        assert!(accounts.enable(&jid).await.unwrap());
        let answer = ask(&mut romeo, "set", LOGIN).await;
        assert!(answer.contains("<right-missing"), "{answer}");
        assert!(accounts.remove(&jid).await.unwrap().is_some());
        let answer = ask(&mut romeo, "set", LOGIN).await;
        assert!(answer.contains("<stranger"), "{answer}");
    }
}
