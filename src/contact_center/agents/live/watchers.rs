//! Who has subscribed to the agents of a host: a record for each host, and the same in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::record::{self, Record};
use crate::extensions::pubsub::too_many_subscriptions;
use crate::hooks::Services;
use crate::proto::{BareJid, Jid};
use crate::store::StoreError;

/// Addresses of one account that may be subscribed: more than anybody has clients.
const ADDRESSES_MAX: usize = 20;

/// Who has subscribed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watchers {
    host: String,
    version: u64,
    /// At which addresses, in their order.
    #[serde(with = "addresses")]
    pub(super) jids: BTreeSet<Jid>,
}

/// What has become of a subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    Subscribed { jid: String },
    Unsubscribed { jid: String },
}

impl Record for Watchers {
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = "agent-watchers";
    type Event = Event;

    fn id(&self) -> String {
        self.host.clone()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        match event {
            Event::Subscribed { jid } => self.jids.extend(Jid::parse(jid).ok()),
            Event::Unsubscribed { jid } => {
                if let Ok(jid) = Jid::parse(jid) {
                    self.jids.remove(&jid);
                }
            }
        }
    }
}

/// Addresses as the texts that they are.
mod addresses {
    use std::collections::BTreeSet;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::proto::Jid;

    pub(super) fn serialize<S: Serializer>(
        jids: &BTreeSet<Jid>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(jids.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<Jid>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let jids = texts.iter().map(|text| Jid::parse(text));
        jids.collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)
    }
}

/// Those of all hosts.
#[derive(Debug, Default)]
pub(super) struct Board(RwLock<BTreeMap<BareJid, Arc<Watchers>>>);

impl Board {
    pub(super) fn of(&self, host: &BareJid) -> Arc<Watchers> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(host).cloned().unwrap_or_default()
    }

    /// Whether anybody watches.
    pub(super) fn are_there(&self, host: &BareJid) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(host).is_some_and(|known| !known.jids.is_empty())
    }

    /// Later ones stay: two who write at once may come here in any order.
    fn put(&self, host: &BareJid, watchers: Watchers) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(host).map_or(0, |known| known.version);
        if watchers.version >= known {
            all.insert(host.clone(), Arc::new(watchers));
        }
    }
}

/// Reads who had subscribed when the server stopped. Sessions of that time are over.
pub(in crate::contact_center::agents) async fn start(
    center: &Center,
    services: &Arc<Services>,
) -> Result<(), StoreError> {
    for place in center.places() {
        let Some(watchers) = stored(services, place).await? else {
            continue;
        };
        let jids = watchers.jids.clone();
        center.agents.live.watchers.put(&place.host, watchers);
        for jid in jids.iter().filter(|jid| jid.resource().is_some()) {
            closed(center, services, jid).await;
        }
    }
    Ok(())
}

/// Ends the subscription of a session that is over: nobody is at its address any more.
pub(super) async fn closed(center: &Center, services: &Arc<Services>, jid: &Jid) {
    let Some(place) = center.place_of(jid.domain()) else {
        return;
    };
    if !center
        .agents
        .live
        .watchers
        .of(&place.host)
        .jids
        .contains(jid)
        || is_online(services, jid)
    {
        return;
    }
    if let Err(refused) = leave(center, services, place, jid).await {
        warn!(%refused, %jid, "a subscription outlives its session");
    }
}

/// Whether a session has that address: perhaps another than the one that is over.
fn is_online(services: &Services, jid: &Jid) -> bool {
    let account = services.online(jid.bare()).zip(jid.resource());
    account.is_some_and(|(account, resource)| account.session(resource).is_some())
}

async fn stored(services: &Services, place: &Place) -> Result<Option<Watchers>, StoreError> {
    record::find(&services.store, place.host.as_str()).await
}

/// Subscribes an address. One that is subscribed already stays so.
pub(super) async fn join(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    jid: &Jid,
) -> Result<(), Refused> {
    let max = usize::try_from(services.config.pubsub.subscriptions_per_node_max);
    let max = max.unwrap_or(usize::MAX);
    change(center, services, place, |watchers| {
        if watchers.jids.contains(jid) {
            return Ok(None);
        }
        let own = watchers.jids.iter().filter(|it| it.bare() == jid.bare());
        if watchers.jids.len() >= max || own.count() >= ADDRESSES_MAX {
            return Err(too_many_subscriptions().into());
        }
        Ok(Some(Event::Subscribed {
            jid: jid.to_string(),
        }))
    })
    .await
    .map(drop)
}

/// Ends the subscription of an address; `false` when it has none.
pub(super) async fn leave(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    jid: &Jid,
) -> Result<bool, Refused> {
    change(center, services, place, |watchers| {
        let subscribed = watchers.jids.contains(jid);
        Ok(subscribed.then(|| Event::Unsubscribed {
            jid: jid.to_string(),
        }))
    })
    .await
}

/// Whether anything was changed.
async fn change(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    decide: impl Fn(&Watchers) -> Result<Option<Event>, Refused>,
) -> Result<bool, Refused> {
    // After a restart everybody subscribes at once.
    let _turn = center.turns.take(place.host.to_string()).await;
    let decided = async |mut draft: Draft| {
        let before = stored(services, place).await?.unwrap_or_else(|| Watchers {
            host: place.host.to_string(),
            ..Watchers::default()
        });
        let events: Vec<Event> = decide(&before)?.into_iter().collect();
        let after = draft.change(&before, &events)?;
        Ok((draft, (after, !events.is_empty())))
    };
    let (after, is_changed) = center.save(services, decided).await?;
    center.agents.live.watchers.put(&place.host, after);
    Ok(is_changed)
}

/// Ends the subscriptions of an account that is removed.
pub(in crate::contact_center::agents) async fn forget(
    center: &Center,
    services: &Arc<Services>,
    account: &BareJid,
) {
    let Some(place) = center.place_of(account.domain().as_str()) else {
        return;
    };
    let watchers = center.agents.live.watchers.of(&place.host);
    for jid in watchers.jids.iter().filter(|jid| jid.bare() == account) {
        if let Err(refused) = leave(center, services, place, jid).await {
            warn!(%refused, %jid, "a subscription outlives its account");
        }
    }
}
