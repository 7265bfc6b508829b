//! What administrators have set for a host: reason codes, chat profiles, rights. In memory, for every
//! operation asks for some of it; a record of the database each, with every version that there was.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::center::{Center, Place};
use super::errors::only_failures;
use super::{follow_ups, message_streams};
pub(super) use crate::admin::{ACCOUNT_GRANTS, CHAT_PROFILE, REASON_CODES, ROLE_GRANTS};
use crate::admin::{
    COPY_RULES, CenterDesk, CenterKeeping, NOTE_TYPES, TAGS, TRANSACTION_TYPES, is_about,
    role_profile_id, setting,
};
use crate::clock::Timestamp;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::follow_up::{CopyRules, NoteTypes, PermittedTypes};
use crate::domain::message_stream::{Stream, Tags};
use crate::domain::reason_code::ReasonCodes;
use crate::domain::rights::{Role, RoleGrants};
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::{Store, StoreError, StoredAttachment};

/// What is set for one host.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Why agents are not ready or log out.
    pub(super) reasons: ReasonCodes,
    /// What messages of streams are marked with.
    pub(super) tags: Tags,
    /// What may follow on which channel.
    pub(super) permitted: PermittedTypes,
    /// What follow-ups copy from what they follow.
    pub(super) copy_rules: CopyRules,
    /// Of which types notes of follow-ups can be.
    pub(super) note_types: NoteTypes,
    /// The chat profile of each role that has one of its own.
    profiles: BTreeMap<Role, Arc<ChatProfile>>,
    /// The profile of the others.
    usual: Arc<ChatProfile>,
    /// The rights of the roles.
    pub(super) grants: RoleGrants,
}

impl Settings {
    /// The chat profile of a role.
    pub(super) fn profile_of(&self, role: Role) -> &Arc<ChatProfile> {
        self.profiles.get(&role).unwrap_or(&self.usual)
    }
}

/// The contact center for administrators.
struct Desk(Arc<Center>);

/// Offers it to them.
pub(super) fn register(hooks: &Hooks, center: &Arc<Center>) {
    let desk = Desk(Arc::clone(center));
    hooks.offers().set(CenterDesk(Arc::new(desk)));
}

impl CenterKeeping for Desk {
    fn settings_changed(
        &self,
        host: String,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            match self.0.place_of(&host) {
                Some(place) => place.read_settings(&services.store).await,
                // It is served no longer, or has no contact center.
                None => Ok(()),
            }
        })
    }

    fn erased(
        &self,
        texts: Vec<String>,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.0.feed.wake();
            let about = |stanza: &[u8]| is_about(stanza, &texts);
            only_failures(self.0.outbox.withdraw(&services, about).await)
        })
    }

    fn file_link(
        &self,
        file: &StoredAttachment,
        account: &BareJid,
        services: &Services,
    ) -> Option<(String, Timestamp)> {
        message_streams::link_for_discloser(&self.0, services, file, account)
    }

    fn stream_erased(&self, stream: &Stream) {
        self.0.streams.note_gone(stream);
    }

    fn follow_up_erased(
        &self,
        id: String,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let told = follow_ups::tell_erased(&self.0, &services, &id);
            only_failures(Box::pin(told).await)
        })
    }
}

impl Place {
    /// Reads what is set, at the start and after each change.
    pub(super) async fn read_settings(&self, store: &Store) -> Result<(), StoreError> {
        // Of two that read at once the later one reads after the earlier has put down what it read.
        let _reading = self.reading.lock().await;
        let read = self.settings_now(store).await;
        // Where they cannot be read, what hangs on them is looked up again all the same.
        let settings = match &read {
            Ok(settings) => settings.clone(),
            Err(_) => Settings::clone(&self.settings.load()),
        };
        self.settings.store(Arc::new(settings));
        self.settings_changed.notify_one();
        read.map(drop)
    }

    async fn settings_now(&self, store: &Store) -> Result<Settings, StoreError> {
        let host = self.host.as_str();
        let mut profiles = BTreeMap::new();
        for role in Role::ALL {
            let id = role_profile_id(host, role);
            if let Some(profile) = setting(store, CHAT_PROFILE, &id).await? {
                profiles.insert(role, Arc::new(profile));
            }
        }
        let reasons = setting(store, REASON_CODES, host).await?;
        let grants = setting(store, ROLE_GRANTS, host).await?;
        let tags = setting(store, TAGS, host).await?;
        let permitted = setting(store, TRANSACTION_TYPES, host).await?;
        let copy_rules = setting(store, COPY_RULES, host).await?;
        let note_types = setting(store, NOTE_TYPES, host).await?;
        Ok(Settings {
            reasons: reasons.unwrap_or_default(),
            tags: tags.unwrap_or_default(),
            permitted: permitted.unwrap_or_default(),
            copy_rules: copy_rules.unwrap_or_default(),
            note_types: note_types.unwrap_or_default(),
            profiles,
            usual: Arc::default(),
            grants: grants.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact_center::testing::{Floor, ask};
    use crate::domain::agent_state::State;

    const LOGIN: &str = "<login xmlns='urn:parlour:agent:0'/>";

    /// Waits until romeo is an agent no longer.
    async fn logged_out(floor: &Floor) {
        let (center, _) = floor.inside();
        let id = "romeo@localhost".parse().unwrap();
        let out = async {
            while center.agents.agent(&id).state() != State::LoggedOut {
                tokio::task::yield_now().await;
            }
        };
        let out = tokio::time::timeout(std::time::Duration::from_secs(20), out);
        assert!(out.await.is_ok());
    }

    /// S2-7, S0-10: what an administrator sets holds at once, for sessions that are there already.
    #[tokio::test]
    async fn a_running_server_follows_what_is_set() {
        let floor = Floor::new(&["romeo"]).await;
        let mut romeo = floor.online("romeo/desk").await;
        ask(&mut romeo, "set", LOGIN).await;
        let tea = "<not-ready xmlns='urn:parlour:agent:0' reason='tea'/>";
        let answer = ask(&mut romeo, "set", tea).await;
        assert!(answer.contains("<reason-code-unknown"), "{answer}");
        let code = [("kind", "not-ready"), ("code", "tea"), ("label", "en: Tea")];
        floor.operate("reason put", &code).await;
        let answer = ask(&mut romeo, "set", tea).await;
        assert!(answer.contains("reason='tea' label='Tea'"), "{answer}");
        let right = ("right", "agent-state");
        let own = ("jid", "romeo@localhost");
        floor.operate("right take", &[own, right]).await;
        let answer = ask(&mut romeo, "set", tea).await;
        assert!(answer.contains("<right-missing"), "{answer}");
        logged_out(&floor).await;
        floor.operate("right reset", &[own, right]).await;
        ask(&mut romeo, "set", LOGIN).await;
        let answer = ask(&mut romeo, "set", tea).await;
        assert!(answer.contains("reason='tea'"), "{answer}");
        floor
            .operate("right take", &[("role", "agent"), right])
            .await;
        let answer = ask(&mut romeo, "set", tea).await;
        assert!(answer.contains("<right-missing"), "{answer}");
        logged_out(&floor).await;
        floor
            .operate("right reset", &[("role", "agent"), right])
            .await;
        ask(&mut romeo, "set", LOGIN).await;
        let answer = ask(&mut romeo, "set", tea).await;
        assert!(answer.contains("reason='tea'"), "{answer}");
    }

    /// S0-9, S0-10: another role has other rights, and who is kept out has none, although it is still connected.
    #[tokio::test]
    async fn a_running_server_follows_what_becomes_of_accounts() {
        let floor = Floor::new(&["romeo"]).await;
        let mut romeo = floor.online("romeo/desk").await;
        ask(&mut romeo, "set", LOGIN).await;
        let ready = "<ready xmlns='urn:parlour:agent:0'/>";
        let jid = BareJid::new("romeo@localhost").unwrap();
        let store = floor.house.router.services().store.clone();
        for (role, part) in [
            (Role::Member, "<right-missing"),
            (Role::Agent, "state='available'"),
        ] {
            assert!(store.accounts().set_role(&jid, role).await.unwrap());
            let answer = ask(&mut romeo, "set", ready).await;
            assert!(answer.contains(part), "{answer}");
        }
        assert!(store.accounts().disable(&jid).await.unwrap());
        let answer = ask(&mut romeo, "set", ready).await;
        assert!(answer.contains("<stranger"), "{answer}");
    }

    /// S0-26: the profile of a role and that of an account, read anew in this order.
    #[tokio::test]
    async fn a_profile_holds_from_its_change_on() {
        let floor = Floor::new(&["romeo"]).await;
        let services = floor.house.router.services();
        let center = Arc::new(Center::new(&services.config));
        let place = Arc::clone(center.place_of("localhost").unwrap());
        let desk = Desk(center);
        let romeo = BareJid::new("romeo@localhost").unwrap();
        let max = async || {
            for host in ["localhost", "elsewhere.example"] {
                let read = desk.settings_changed(host.to_owned(), Arc::clone(services));
                read.await.unwrap();
            }
            let profile = place.profile(&services.store, &romeo, Role::Agent).await;
            profile.unwrap().im_channels_max
        };
        assert_eq!(max().await, 5);
        let (role, own) = (("role", "agent"), ("jid", "romeo@localhost"));
        floor
            .operate("profile set", &[role, ("im-channels-max", "3")])
            .await;
        assert_eq!(max().await, 3);
        floor
            .operate("profile set", &[own, ("im-channels-max", "2")])
            .await;
        assert_eq!(max().await, 2);
        floor.operate("profile reset", &[own]).await;
        assert_eq!(max().await, 3);
        floor.operate("profile reset", &[role]).await;
        assert_eq!(max().await, 5);
    }
}
