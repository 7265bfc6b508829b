//! XEP-0012: Last Activity, version 2.0: how long the host is up, and an account away.
//!
//! A question to a full JID (§4) is the client's to answer, like any other request.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::warn;

use crate::config::Config;
use crate::extensions::presence;
use crate::hooks::{Account, At, Flow, Hooks, Iq, IqAnswer, Passage, Services, Session, Stage};
use crate::proto::document::Document;
use crate::proto::{Condition, Kind, PresenceType, StanzaError, ns};
use crate::store::LastSeen;
use crate::xml::Element;

/// How much of a status is kept, in characters: what a client can show in a line or two.
const STATUS_CHARS_MAX: usize = 512;

/// The status of a session's unavailable presence; in the session's slots.
#[derive(Debug)]
struct LastStatus(String);

/// Registers the answers and what they need to know.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0012", "Last Activity", "2.0"));
    hooks.feature(&[At::Host, At::Own, At::Account], ns::LAST_ACTIVITY);
    let start = Instant::now();
    hooks.iq_get(
        &[At::Host],
        ns::LAST_ACTIVITY,
        "query",
        move |_iq| async move {
            Ok(Some(query(
                i64::try_from(start.elapsed().as_secs()).unwrap_or(i64::MAX),
            )))
        },
    );
    hooks.iq_get(&[At::Own, At::Account], ns::LAST_ACTIVITY, "query", account);
    hooks.outgoing_presence(Stage::Record, remember_status);
    hooks.closed(note_end);
}

fn query(seconds: i64) -> Element {
    Element::new(ns::LAST_ACTIVITY, "query").attr("seconds", seconds.to_string())
}

/// §3.
async fn account(iq: Iq) -> IqAnswer {
    if !iq.may_see_presence().await? {
        return Err(Condition::Forbidden.into());
    }
    let online = iq.services.online(&iq.to);
    // Who is not to be seen was there last when it was there before.
    let hidden = |online: &Account| iq.at != At::Own && presence::is_withheld(online);
    if online.is_some_and(|online| is_available(&online) && !hidden(&online)) {
        return Ok(Some(query(0)));
    }
    let account = iq.services.store.accounts().find(&iq.to).await?;
    let seen = account
        .and_then(|account| account.last_seen)
        .ok_or_else(|| {
            StanzaError::new(Condition::ItemNotFound).text("the account was never connected")
        })?;
    let seconds = iq.services.clock.now().seconds_since(seen.at).max(0);
    Ok(Some(query(seconds).text(seen.status.unwrap_or_default())))
}

/// Whether somebody is there (§3: an available resource).
fn is_available(account: &Account) -> bool {
    account
        .sessions()
        .iter()
        .any(|session| session.is_available())
}

/// Keeps the status of the presence with which a session says that it goes. That of the last available
/// session is noted at once: the account is away from now on, however long it stays connected.
fn remember_status(passage: &mut Passage<'_>) -> Flow {
    let (Some(session), None) = (passage.session, &passage.stanza.to) else {
        return Flow::Continue;
    };
    session.slots().clear::<LastStatus>();
    if passage.stanza.kind != Kind::Presence(PresenceType::Unavailable) {
        return Flow::Continue;
    }
    if let Some(status) = passage.stanza.find(ns::CLIENT, "status") {
        let status = status.text().chars().take(STATUS_CHARS_MAX).collect();
        session.slots().set(LastStatus(status));
    }
    if goes_last(session, session.account()) {
        let (session, services) = (Arc::clone(session), Arc::clone(passage.services));
        passage.effects.then(async move {
            note(&session, &services).await;
            Ok(())
        });
    }
    Flow::Continue
}

/// Whether the session is available, and no other one of the account.
fn goes_last(session: &Arc<Session>, account: &Account) -> bool {
    let sessions = account.sessions();
    let mut others = sessions.iter().filter(|other| !Arc::ptr_eq(other, session));
    session.is_available() && !others.any(|other| other.is_available())
}

/// Notes the time when the account's last available session ended.
async fn note_end(session: Arc<Session>, services: Arc<Services>) {
    let online = services.online(session.account().jid());
    // Its presence ends in a later hook.
    if goes_last(
        &session,
        online.as_ref().unwrap_or_else(|| session.account()),
    ) {
        note(&session, &services).await;
    }
}

/// Notes that the account goes now, with the words of this session.
async fn note(session: &Session, services: &Services) {
    let status = session.slots().find::<LastStatus>();
    let last_seen = LastSeen {
        at: services.clock.now(),
        status: status.map(|status| status.0.clone()),
    };
    let accounts = services.store.accounts();
    let noted = accounts.set_last_seen(session.account().jid(), last_seen);
    if let Err(error) = noted.await {
        warn!(%error, "last activity is not noted");
    }
}

#[cfg(test)]
mod tests;
