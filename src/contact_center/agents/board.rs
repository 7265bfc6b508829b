//! The agents of all hosts as they are at this moment, in memory: what colleagues see of them goes with every
//! presence, and waits for no database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::behind::Behind;
use super::live::Live;
use super::operations::{NS, described};
use crate::domain::agent_state::{Agent, State, View};
use crate::domain::chat_profile::PresenceDisplay;
use crate::domain::ids::AgentId;
use crate::domain::reason_code::ReasonCodes;
use crate::hooks::{Turn, Turns};
use crate::proto::{BareJid, ns};
use crate::xml::Element;

/// The language of what goes to everybody.
pub(super) const LANGUAGE: &str = "en";

/// Everybody who has ever logged in as an agent, which accounts bound.
#[derive(Debug)]
pub(in crate::contact_center) struct Board {
    seen: RwLock<HashMap<BareJid, Arc<Seen>>>,
    count: AtomicU64,
    turns: Turns<BareJid>,
    /// Who is looked at again.
    pub(super) behind: Behind,
    /// Who watches all of them.
    pub(super) live: Live,
}

/// One agent, and what others are told of it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) agent: Arc<Agent>,
    /// Whether colleagues see its state.
    pub(super) display: PresenceDisplay,
    /// What colleagues see.
    pub(super) view: View,
    /// Another one whenever something else is told.
    pub(super) number: u64,
    /// Goes into its presence.
    pub(super) payload: Element,
    /// Goes into its presence when the client itself says less.
    pub(super) status: Option<Element>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            seen: RwLock::default(),
            count: AtomicU64::new(1),
            turns: Turns::default(),
            behind: Behind::default(),
            live: Live::default(),
        }
    }
}

impl Board {
    /// Waits until nobody else changes that agent or tells of it.
    pub(in crate::contact_center) async fn turn(&self, id: &AgentId) -> Turn<'_, BareJid> {
        self.turns.take(id.jid().clone()).await
    }

    /// The agent of that account, if it has ever logged in.
    pub(super) fn find(&self, account: &BareJid) -> Option<Arc<Seen>> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.get(account).cloned()
    }

    /// Whether that account has ever logged in as an agent.
    pub(super) fn has(&self, id: &AgentId) -> bool {
        self.find(id.jid()).is_some()
    }

    /// The agent as it is now.
    pub(in crate::contact_center) fn agent(&self, id: &AgentId) -> Arc<Agent> {
        match self.find(id.jid()) {
            Some(seen) => Arc::clone(&seen.agent),
            None => Arc::new(Agent::new(id.clone())),
        }
    }

    /// All agents of a host by their addresses.
    pub(super) fn of_host(&self, host: &BareJid) -> Vec<Arc<Seen>> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let of_host = |seen: &&Arc<Seen>| seen.agent.id.host() == host.as_str();
        let mut agents: Vec<_> = seen.values().filter(of_host).cloned().collect();
        drop(seen);
        agents.sort_unstable_by(|one, other| one.agent.id.cmp(&other.agent.id));
        agents
    }

    /// Puts the agent there as it is now; what others are told from now on, where that is something else. `display` is `None`
    /// where it is as it was.
    pub(super) fn put(
        &self,
        agent: Arc<Agent>,
        display: Option<PresenceDisplay>,
        reasons: &ReasonCodes,
    ) -> Option<Arc<Seen>> {
        let mut all = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = all.get_mut(agent.id.jid()) else {
            let mut seen = Seen::of(agent, display.unwrap_or(PresenceDisplay::Shown), reasons);
            seen.number = self.count.fetch_add(1, Ordering::Relaxed);
            let seen = Arc::new(seen);
            all.insert(seen.agent.id.jid().clone(), Arc::clone(&seen));
            return Some(seen);
        };
        if before.agent.version > agent.version {
            // Read before somebody else has written it.
            return None;
        }
        let mut seen = Seen::of(agent, display.unwrap_or(before.display), reasons);
        let is_news = before.tells_else(&seen);
        seen.number = match is_news {
            false => before.number,
            true => self.count.fetch_add(1, Ordering::Relaxed),
        };
        *before = Arc::new(seen);
        is_news.then(|| Arc::clone(before))
    }

    /// Forgets an account that is removed; whether it has been an agent.
    pub(super) fn forget(&self, account: &BareJid) -> bool {
        let mut all = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(account).is_some()
    }
}

impl Seen {
    /// What others are told of that agent.
    pub(super) fn of(agent: Arc<Agent>, display: PresenceDisplay, reasons: &ReasonCodes) -> Self {
        let view = agent.view(display);
        let has_left = agent.state() == State::LoggedOut && agent.since.is_some();
        let status = (view == View::Busy || has_left).then(|| {
            let text = agent.status(view, reasons, LANGUAGE);
            Element::new(ns::CLIENT, "status").text(text)
        });
        Self {
            payload: described(&agent, view, reasons, LANGUAGE),
            number: 0,
            agent,
            display,
            view,
            status,
        }
    }

    /// Goes to those who watch all agents, and stands in their list: the same with whose state it is.
    pub(super) fn listed(&self) -> Element {
        let mut listed = Element::new(NS, "agent").attr("jid", self.agent.id.jid().as_str());
        for it in self.payload.attributes() {
            listed.set_attribute(&it.ns, &it.name, &it.value);
        }
        listed
    }

    fn tells_else(&self, other: &Self) -> bool {
        self.payload != other.payload || self.status != other.status
    }
}
