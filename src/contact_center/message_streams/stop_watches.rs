//! The stop watches of an agent's drafts (S4-13, S4-14): one record with all of them, so that they run on when a window is closed
//! and when the server is started anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NS;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::record::{self, Record};
use crate::contact_center::values::Values;
use crate::domain::ids::AgentId;
use crate::domain::message_stream::Rejection;
use crate::domain::message_stream::stop_watch::StopWatch;
use crate::xml::Element;

/// The kind of the record.
pub(super) const KIND: &str = "message-stop-watches";

/// Drafts of one agent whose time is counted: more than anybody writes at once. One that shows nothing and stands makes room for
/// another.
const DRAFTS_MAX: usize = 20;

/// The stop watches of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Watches {
    agent: AgentId,
    version: u64,
    /// By the words that the agent has for its drafts.
    #[serde(default)]
    drafts: BTreeMap<String, StopWatch>,
}

/// The stop watch of a draft is that from then on, or there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Event {
    draft: String,
    watch: Option<StopWatch>,
}

impl Record for Watches {
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = KIND;
    type Event = Event;

    fn id(&self) -> String {
        self.agent.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        match event.watch {
            None => self.drafts.remove(&event.draft),
            Some(watch) => self.drafts.insert(event.draft.clone(), watch),
        };
        if self.drafts.len() > DRAFTS_MAX {
            self.make_room(&event.draft);
        }
    }
}

impl Watches {
    fn of(&self, draft: &str) -> Option<StopWatch> {
        self.drafts.get(draft).copied()
    }

    /// For that draft, where another shows nothing.
    fn make_room(&mut self, for_draft: &str) {
        let shows_nothing = |(draft, watch): &(&String, &StopWatch)| {
            **watch == StopWatch::default() && *draft != for_draft
        };
        let idle = self.drafts.iter().find(shows_nothing);
        if let Some(idle) = idle.map(|(draft, _)| draft.clone()) {
            self.drafts.remove(&idle);
        }
    }
}

async fn find(caller: &Caller) -> Result<Watches, Refused> {
    let found = record::find(&caller.services.store, caller.agent.jid().as_str()).await?;
    Ok(found.unwrap_or_else(|| Watches {
        agent: caller.agent.clone(),
        version: 0,
        drafts: BTreeMap::new(),
    }))
}

/// The operation `stop-watch`.
pub(super) async fn act(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let (draft, action) = (values.text("draft")?, values.text("action")?);
    let attempt = async |mut write: Draft| {
        let now = caller.now();
        let before = find(&caller).await?;
        let is = before.of(draft);
        let known = is.unwrap_or_default();
        let watch = match action {
            "start" => known.started(now),
            "stop" => known.stopped(now),
            "reset" => known.reset(now),
            _ => known,
        };
        if watch != known || (is.is_none() && action != "show") {
            let after = write.change(&before, &[event(draft, Some(watch))])?;
            if after.drafts.len() > DRAFTS_MAX {
                return Err(Rejection::TooManyDrafts.into());
            }
        }
        Ok((write, watch))
    };
    let watch = Box::pin(caller.center.save(&caller.services, attempt)).await?;
    let seconds = watch.shown_seconds(caller.now());
    let shown = Element::new(NS, "stop-watch")
        .attr("draft", draft)
        .attr("seconds", seconds.to_string())
        .attr("minutes", watch.minutes(caller.now()).to_string())
        .attr_opt("since", watch.since.map(|since| since.to_string()));
    let state = match watch.since {
        Some(_) => "running",
        None => "standing",
    };
    Ok(Outcome::told(format!("{seconds} seconds, {state}.")).with(shown))
}

fn event(draft: &str, watch: Option<StopWatch>) -> Event {
    Event {
        draft: draft.to_owned(),
        watch,
    }
}

/// What the stop watch of a draft has counted (S4-22).
pub(super) async fn minutes(caller: &Caller, draft: &str) -> Result<u32, Refused> {
    let watches = find(caller).await?;
    let watch = watches.drafts.get(draft);
    let watch = watch
        .ok_or_else(|| malformed("draft-unknown", "No stop watch was started for this draft."))?;
    Ok(watch.minutes(caller.now()))
}

/// The draft is sent, and its stop watch of no use.
pub(super) async fn put_away(
    write: &mut Draft,
    caller: &Caller,
    draft: &str,
) -> Result<(), Refused> {
    let before = find(caller).await?;
    if before.drafts.contains_key(draft) {
        write.change(&before, &[event(draft, None)])?;
    }
    Ok(())
}
