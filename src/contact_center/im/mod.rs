//! IM sessions (S0-26, S1-1 to S1-32): colleagues invite each other to talk, accept, reject, end and mark done.
//!
//! What is decided is in [`crate::domain::im_session`]. On the wire a session is ordinary chat whose thread is the
//! session's id: two clients that know nothing of it see a readable conversation, and to answer is to
//! accept ([`chat`]). What both are told beside it comes from the service ([`events`]).

mod change;
mod chat;
mod desk;
mod events;
mod lists;
mod open;
mod operations;
mod parties;
mod retention;
#[cfg(test)]
mod tests;
mod transcript;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::warn;

use super::center::Center;
use super::errors::{Refused, only_failures};
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, ImSessionId, InteractionId};
use crate::domain::im_session::{Command, Event, ImSession, Phase, apply};
use crate::domain::rights::Role;
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::{ListOrder, Listing, StoreError};

pub(super) use change::share;
pub(super) use desk::take;
pub(super) use open::Open;
pub(super) use operations::{FOR_READERS, FOR_TALKERS, OPERATIONS};
pub(super) use wire::NS;

/// The kind of the record of a session.
pub(super) const KIND: &str = "im-session";

/// The open IM channels of an account (S0-26).
pub(super) const CHANNEL: &str = "channel";
/// Invitations that wait for an account's answer.
const PENDING_INCOMING: &str = "pending-incoming";
/// What an account has not marked done.
const LISTED: &str = "listed";
/// Everything that an account took part in.
const OF: &str = "of";
/// What is pending or connected on a host.
const OPEN: &str = "open";
/// What is over on a host.
const OVER: &str = "over";

/// Connected sessions about an interaction (S1-25).
const CONSULTING: &str = "consulting";

/// Sessions that are read at once.
const PAGE: u32 = 100;

impl Record for ImSession {
    const KIND: &'static str = KIND;
    type Event = Event;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        apply(self, event);
    }

    fn deadline(&self) -> Option<Timestamp> {
        Self::deadline(self)
    }

    fn listings(&self) -> Vec<Listing> {
        let listing = |list, owner: &str| Listing {
            list,
            owner: owner.to_owned(),
        };
        let host = if is_open(self) { OPEN } else { OVER };
        let mut listings = vec![listing(host, self.inviter.host())];
        for agent in [&self.inviter, &self.invitee] {
            let own = agent.jid().as_str();
            listings.push(listing(OF, own));
            if self.is_listed_for(agent) {
                listings.push(listing(LISTED, own));
            }
            if self.counts_for(agent) {
                listings.push(listing(CHANNEL, own));
            }
        }
        if let Some(about) = self.about.as_ref().filter(|_| is_connected(self)) {
            listings.push(listing(CONSULTING, about.as_str()));
        }
        if is_pending(self) {
            let own = self.invitee.jid().as_str();
            listings.push(listing(PENDING_INCOMING, own));
        }
        listings
    }
}

const fn is_pending(session: &ImSession) -> bool {
    matches!(session.phase, Phase::Pending { .. })
}

const fn is_connected(session: &ImSession) -> bool {
    matches!(session.phase, Phase::Connected { .. })
}

const fn is_open(session: &ImSession) -> bool {
    is_pending(session) || is_connected(session)
}

/// Of the two, the one who is not that agent.
fn other<'a>(session: &'a ImSession, agent: &AgentId) -> &'a AgentId {
    match *agent == session.inviter {
        true => &session.invitee,
        false => &session.inviter,
    }
}

/// Registers what follows the agents' chat, their accounts, and the days.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let starting = Arc::clone(center);
    hooks.starting(move |services| {
        let center = Arc::clone(&starting);
        async move { load_open(&center, &services).await }
    });
    chat::register(hooks, center);
    let removing = Arc::clone(center);
    hooks.removed(move |account, services| {
        let center = Arc::clone(&removing);
        async move { account_removed(&center, &services, &account).await }
    });
    let daily = Arc::clone(center);
    hooks.daily(move |services| {
        let center = Arc::clone(&daily);
        async move { retention::forget(&center, &services).await }
    });
}

/// The session as it is stored.
async fn find(services: &Services, id: &ImSessionId) -> Result<Option<ImSession>, StoreError> {
    record::find(&services.store, id.as_str()).await
}

/// The connected sessions about an interaction, the newest first.
pub(super) async fn consulting(
    services: &Services,
    about: &InteractionId,
) -> Result<Vec<ImSession>, StoreError> {
    let list = (CONSULTING, about.as_str());
    let order = ListOrder::Descending;
    let records = services.store.records();
    let page = records.listed(KIND, list, None, order, PAGE).await?;
    page.iter().map(record::read).collect()
}

/// What is open, before anybody says anything in it. What those have open who are there no longer, or are no agents any more, by what
/// was done while the server was down, comes to its end.
async fn load_open(center: &Center, services: &Arc<Services>) -> Result<(), StoreError> {
    let mut known = BTreeMap::new();
    for place in center.places() {
        let list = (OPEN, place.host.as_str());
        let mut walk = services.store.records().walk_list(KIND, list, PAGE);
        while let Some(stored) = walk.next().await? {
            let session: ImSession = record::read(&stored)?;
            center.sessions.insert(&session);
            for agent in [&session.inviter, &session.invitee] {
                let known = match known.get(agent) {
                    Some(known) => *known,
                    None => {
                        let account = services.store.accounts().find(agent.jid()).await?;
                        let found = account.map(|it| Known {
                            since: it.created_at,
                            is_agent: it.enabled && it.role >= Role::Agent,
                        });
                        known.insert(agent.clone(), found);
                        found
                    }
                };
                let command = match known {
                    Some(it) if session.invited_at.is_none_or(|at| at >= it.since) => {
                        leaving(&session, agent).filter(|_| !it.is_agent)
                    }
                    // Another one has the name now, or nobody.
                    Some(_) | None => Some(removing(agent)),
                };
                if let Some(command) = command {
                    only_failures(end_one(center, services, &session, command).await)?;
                }
            }
        }
    }
    Ok(())
}

/// What is known of an account when the server starts.
#[derive(Clone, Copy)]
struct Known {
    since: Timestamp,
    is_agent: bool,
}

/// Time has come for an invitation.
pub(super) async fn time_is_up(
    center: Arc<Center>,
    services: Arc<Services>,
    id: String,
) -> Result<(), Refused> {
    let Ok(id) = id.parse::<ImSessionId>() else {
        return Ok(());
    };
    change::command(&center, &services, &id, Command::TimeIsUp, None).await?;
    Ok(())
}

/// What the account has open comes to its end; the others are told.
async fn account_removed(center: &Center, services: &Arc<Services>, account: &BareJid) {
    let removed = |_: &ImSession, agent: &AgentId| Some(removing(agent));
    if let Err(refused) = end_all(center, services, account, removed).await {
        warn!(%refused, "IM sessions of a removed account stay open");
    }
}

/// The same of an account that is no agent's any more and may become one again.
pub(super) async fn leave_all(
    center: &Center,
    services: &Arc<Services>,
    agent: &AgentId,
) -> Result<(), Refused> {
    end_all(center, services, agent.jid(), leaving).await
}

fn removing(agent: &AgentId) -> Command {
    let account = agent.clone();
    Command::AccountRemoved { account }
}

/// What becomes of the session when the agent takes part no longer; `None` where it is over.
fn leaving(session: &ImSession, agent: &AgentId) -> Option<Command> {
    let by = agent.clone();
    match session.phase {
        Phase::Pending { .. } if session.invitee == by => Some(Command::Reject { by }),
        Phase::Pending { .. } | Phase::Connected { .. } => Some(Command::End { by }),
        Phase::NotConnected
        | Phase::Rejected { .. }
        | Phase::Cancelled { .. }
        | Phase::Ended { .. } => None,
    }
}

async fn end_all(
    center: &Center,
    services: &Arc<Services>,
    account: &BareJid,
    how: impl Fn(&ImSession, &AgentId) -> Option<Command> + Send + Sync,
) -> Result<(), Refused> {
    let Some(agent) = AgentId::new(account.clone()) else {
        return Ok(());
    };
    let list = (LISTED, account.as_str());
    let mut walk = services.store.records().walk_list(KIND, list, PAGE);
    while let Some(stored) = walk.next().await? {
        let session: ImSession = record::read(&stored)?;
        let Some(command) = how(&session, &agent) else {
            continue;
        };
        end_one(center, services, &session, command).await?;
    }
    Ok(())
}

async fn end_one(
    center: &Center,
    services: &Arc<Services>,
    session: &ImSession,
    command: Command,
) -> Result<(), Refused> {
    let done = change::command(center, services, &session.id, command, None);
    match Box::pin(done).await {
        // The other one was faster.
        Ok(_) | Err(Refused::Rule(_)) => Ok(()),
        Err(refused) => Err(refused),
    }
}
