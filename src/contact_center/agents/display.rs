//! Whether colleagues see an agent at all (S0-15): the chat profile says so, which an administrator may change at any
//! time. Where it is switched off, contacts are told what they are told of somebody who is offline.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::behind::PAUSE;
use super::{devices, entitled};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::contact_center::people::Person;
use crate::contact_center::settings::Settings;
use crate::domain::chat_profile::PresenceDisplay;
use crate::domain::ids::AgentId;
use crate::extensions::presence;
use crate::hooks::{Account, Services};

/// What was set when it was looked up whether the account is shown. In the slots of an account that is online.
struct Learned(Arc<Settings>);

/// Whether it is known, and has been looked up since something was set.
pub(super) fn is_learned(place: &Place, account: &Account) -> bool {
    let learned = account.slots().find::<Learned>();
    learned.is_some_and(|it| Arc::ptr_eq(&it.0, &place.settings.load()))
}

/// Looks up whether the account is shown, and shows it or not from now on; and whether it may be an agent still.
pub(super) async fn learn(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    account: &Account,
) -> Result<(), Refused> {
    let Some(id) = AgentId::new(account.jid().clone()) else {
        return Ok(());
    };
    show(center, services, place, (account, &id)).await?;
    entitled::require(center, services, place, &id).await;
    Ok(())
}

/// Shows the account or not, as it is now; where that cannot be found out, it is looked up when it sends presence.
pub(super) async fn learn_anew(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    account: &Account,
) -> Result<(), Refused> {
    account.slots().clear::<Learned>();
    match AgentId::new(account.jid().clone()) {
        Some(id) => show(center, services, place, (account, &id)).await,
        None => Ok(()),
    }
}

async fn show(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    (account, id): (&Account, &AgentId),
) -> Result<(), Refused> {
    // What is read in its turn is newer than what somebody else has shown before.
    let _turn = center.agents.turn(id).await;
    let settings = place.settings.load_full();
    let person = Person::find(place, &services.store, id).await?;
    let display = person.profile.presence;
    // Contacts are told once, of what is true in the end.
    if display == PresenceDisplay::Hidden {
        presence::withhold(services, account).await;
    }
    account.slots().set(Learned(settings));
    update(center, services, place, id, Some(display)).await;
    if display == PresenceDisplay::Shown {
        presence::reveal(services, account).await;
    }
    Ok(())
}

/// Puts the agent on the board anew, and tells of it where that is news. The caller has its turn.
async fn update(
    center: &Center,
    services: &Services,
    place: &Place,
    id: &AgentId,
    display: Option<PresenceDisplay>,
) {
    let Some(seen) = center.agents.find(id.jid()) else {
        return;
    };
    let reasons = &place.settings.load_full().reasons;
    let news = center.agents.put(Arc::clone(&seen.agent), display, reasons);
    // Goes out where it is another one than before.
    devices::renew_all(services, news.as_ref().unwrap_or(&seen)).await;
    if news.is_some() {
        center.agents.live.note(place, id);
    }
}

/// Follows what administrators set, until it is told to stop: who is shown, what reasons are called, who may
/// watch, who may be an agent.
pub(in crate::contact_center) async fn run(
    center: Arc<Center>,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    let mut is_behind = false;
    loop {
        let is_news = tokio::select! {
            () = center.settings_changed.notified() => true,
            () = tokio::time::sleep(PAUSE), if is_behind => false,
            () = stop.cancelled() => return,
        };
        is_behind = false;
        for place in center.places() {
            is_behind |= !learn_all(&center, &services, place).await;
            if is_news {
                follow(&center, &services, place).await;
            }
        }
    }
}

/// Looks up those who are online and not known; whether all could be. Nobody is passed over for another who cannot.
async fn learn_all(center: &Center, services: &Arc<Services>, place: &Place) -> bool {
    let router = services.router.upgrade();
    let online = router.map(|it| it.all_online()).unwrap_or_default();
    let host = place.host.as_str();
    let own = online
        .iter()
        .filter(|it| it.jid().domain().as_str() == host);
    let mut all = true;
    for account in own {
        if is_learned(place, account) {
            continue;
        }
        if let Err(refused) = learn(center, services, place, account).await {
            warn!(%refused, account = %account.jid(), "what was set is not followed yet");
            all = false;
        }
    }
    all
}

async fn follow(center: &Center, services: &Arc<Services>, place: &Place) {
    for seen in center.agents.of_host(&place.host) {
        let id = &seen.agent.id;
        let turn = center.agents.turn(id).await;
        update(center, services, place, id, None).await;
        drop(turn);
        entitled::require(center, services, place, id).await;
    }
    center.agents.live.check_rights();
    center.streams.check_rights();
}
