//! Colleagues in lists: what somebody sees of each.

use std::sync::Arc;

use crate::contact_center::agents;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Table};
use crate::contact_center::settings::CHAT_PROFILE;
use crate::domain::agent_state::{Agent, View};
use crate::domain::chat_profile::ChatProfile;
use crate::domain::ids::AgentId;
use crate::domain::rights::Role;
use crate::extensions::blocking;
use crate::proto::BareJid;
use crate::proto::common::rsm::Page;
use crate::store::{ColleagueKinds, ListedColleague, StoreError};
use crate::xml::Element;

/// What the records are called that lists are read with.
pub(super) const KINDS: ColleagueKinds = ColleagueKinds {
    agent: agents::KIND,
    profile: CHAT_PROFILE,
};

/// A colleague as somebody sees it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) account: BareJid,
    /// `None` for whoever takes no part in the contact center.
    pub(super) role: Option<Role>,
    pub(super) name: Option<String>,
    pub(super) nickname: Option<String>,
    pub(super) view: View,
    /// The view in words, with the reason.
    pub(super) status: String,
}

impl Listed {
    /// What the caller sees.
    ///
    /// # Errors
    /// When the database holds what is no record.
    pub(super) fn seen_by(caller: &Caller, row: ListedColleague) -> Result<Self, Refused> {
        let settings = caller.place.settings.load();
        // One that was taken back is there with nothing in it.
        let own = match &row.profile {
            Some(own) => read::<Option<ChatProfile>>(CHAT_PROFILE, own)?,
            None => None,
        };
        let profile = match own {
            Some(own) => Arc::new(own),
            None => Arc::clone(settings.profile_of(row.role)),
        };
        let agent = match (&row.agent, AgentId::new(row.account.clone())) {
            (Some(agent), _) => Some(read::<Agent>(agents::KIND, agent)?),
            (None, id) => id.map(Agent::new),
        };
        // XEP-0191 §3.2: for whom somebody blocks, it is offline. Only who is online has to be asked for it.
        let online = caller.services.online(&row.account);
        let hidden = online.is_some_and(|it| blocking::blocks(&it, caller.agent.jid()));
        let view = match &agent {
            Some(agent) if !hidden => agent.view(profile.presence),
            _ => View::Offline,
        };
        let status = agent.map(|it| it.status(view, &settings.reasons, &caller.language));
        Ok(Self {
            account: row.account,
            role: (row.enabled && row.role >= Role::Agent).then_some(row.role),
            name: row.name,
            nickname: row.nickname,
            view,
            status: status.unwrap_or_default(),
        })
    }

    /// What people call the colleague.
    pub(super) fn title(&self) -> &str {
        let names = self.name.as_deref().or(self.nickname.as_deref());
        names.unwrap_or_else(|| self.logon())
    }

    /// What stands before the host (S1-10).
    pub(super) fn logon(&self) -> &str {
        self.account.node().map_or("", |node| node.as_str())
    }

    /// `<colleague jid='…' view='busy'><name>…</name><status>Busy – Meeting</status></colleague>`.
    pub(super) fn element(&self, ns: &str) -> Element {
        let text = |name: &str, text: &Option<String>| {
            let text = text.as_ref();
            text.map(|text| Element::new(ns, name).text(text.as_str()))
        };
        Element::new(ns, "colleague")
            .attr("jid", self.account.as_str())
            .attr("view", self.view.name())
            .child_opt(text("name", &self.name))
            .child_opt(text("nickname", &self.nickname))
            .child(Element::new(ns, "status").text(self.status.as_str()))
    }
}

fn read<T: serde::de::DeserializeOwned>(kind: &'static str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|cause| StoreError::corrupt(kind, cause))
}

/// The columns of a list of colleagues, and its rows.
pub(super) fn table(rows: &[Listed]) -> Table {
    let row = |it: &Listed| {
        vec![
            it.account.to_string(),
            it.title().to_owned(),
            it.status.clone(),
        ]
    };
    Table {
        columns: &[("jid", "Address"), ("name", "Name"), ("status", "State")],
        rows: rows.iter().map(row).collect(),
    }
}

/// What is told of a page of them.
pub(super) fn page(rows: &[Listed], index: Option<u64>, count: Option<u64>) -> Element {
    let ends = rows.first().zip(rows.last());
    let ends = ends.map(|(first, last)| (first.account.to_string(), last.account.to_string()));
    let index = index.filter(|_| ends.is_some());
    Page { ends, index, count }.to_element()
}
