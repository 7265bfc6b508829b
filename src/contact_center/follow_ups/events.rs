//! What agents are told of follow-ups: who is responsible of what others do with it, and when it is due (S3-2); who has planned it
//! of its end. Nobody is told of what it does itself.

use std::sync::Arc;

use super::{find, wire, written};
use crate::clock::Timestamp;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::contact_center::people::Person;
use crate::contact_center::telling;
use crate::domain::follow_up::{Command, Event, Facts, FollowUp, NO_CHANNEL, Status, decide};
use crate::domain::ids::AgentId;
use crate::hooks::Services;

/// What somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Assigned,
    Reassigned,
    Edited,
    Completed,
    Cancelled,
    Due,
    /// Its customer turned out to be another.
    Linked,
    /// It was done long ago, and is kept no longer.
    Removed,
    /// Nothing is kept of its customer any more.
    Erased,
}

impl What {
    /// The word for it in the protocol.
    const fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Reassigned => "reassigned",
            Self::Edited => "edited",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Due => "due",
            Self::Linked => "linked",
            Self::Removed => "removed",
            Self::Erased => "erased",
        }
    }

    /// The beginning of what people read.
    fn words(self, by: &str) -> String {
        match self {
            Self::Assigned => format!("{by} gives you a follow-up"),
            Self::Reassigned => format!("{by} has given your follow-up to another"),
            Self::Edited => format!("{by} has changed your follow-up"),
            Self::Completed => format!("{by} has completed a follow-up"),
            Self::Cancelled => format!("{by} has cancelled a follow-up"),
            Self::Due => "A follow-up is due".to_owned(),
            Self::Linked => "The customer of a follow-up is another".to_owned(),
            Self::Removed => "A follow-up is kept no longer".to_owned(),
            Self::Erased => "A follow-up of yours is erased with all else about its customer: nothing is left to be done".to_owned(),
        }
    }
}

/// Adds to the draft what others are told of what the caller has done.
pub(super) async fn tell(
    caller: &Caller,
    draft: &mut Draft,
    (before, after): (&FollowUp, &FollowUp),
    happened: &[Event],
) -> Result<(), Refused> {
    for (to, what, since) in told(&caller.agent, (before, after), happened) {
        let teller = Teller {
            place: &caller.place,
            services: &caller.services,
        };
        let by = Some(&caller.agent);
        // Whose account is gone is told nothing.
        if teller.is_agent(to, since).await? {
            teller.tell(draft, after, (to, what), by);
        }
    }
    Ok(())
}

/// Who is told what, and since when it concerns that one.
fn told<'a>(
    by: &AgentId,
    (before, after): (&'a FollowUp, &'a FollowUp),
    happened: &[Event],
) -> Vec<(&'a AgentId, What, Option<Timestamp>)> {
    let responsible = |it: &'a FollowUp| it.plan.as_ref().map(|plan| &plan.responsible);
    let (former, present) = (responsible(before), responsible(after));
    let mut told = Vec::new();
    for event in happened {
        let (mine, authors) = match event {
            Event::Planned { .. } => (Some(What::Assigned), None),
            Event::Reassigned { .. } => {
                told.extend(former.map(|it| (it, What::Reassigned, before.assigned_at)));
                (Some(What::Assigned), None)
            }
            Event::Edited { .. } => (Some(What::Edited), None),
            Event::Completed { .. } => (Some(What::Completed), Some(What::Completed)),
            Event::Cancelled { .. } => (Some(What::Cancelled), Some(What::Cancelled)),
            Event::Linked { .. } | Event::Noted { .. } | Event::Reminded { .. } => (None, None),
        };
        told.extend(
            present
                .zip(mine)
                .map(|(to, it)| (to, it, after.assigned_at)),
        );
        let author = after.author.as_ref().filter(|it| present != Some(*it));
        told.extend(
            author
                .zip(authors)
                .map(|(to, it)| (to, it, after.planned_at)),
        );
    }
    told.retain(|(to, ..)| *to != by);
    told
}

/// Tells somebody of a follow-up.
struct Teller<'a> {
    place: &'a Place,
    services: &'a Services,
}

impl Teller<'_> {
    fn tell(
        &self,
        draft: &mut Draft,
        follow_up: &FollowUp,
        (to, what): (&AgentId, What),
        by: Option<&AgentId>,
    ) {
        let words = wire::Words::usual(self.place);
        let by_whom = by.map(AgentId::logon).unwrap_or_default();
        let sentence = wire::sentence(follow_up, &words);
        let body = format!("{}: {sentence}", what.words(by_whom));
        let notice = wire::notice(follow_up, (what.name(), by), &words);
        draft.tell(telling::message(&self.place.address, to, &body, &notice));
    }

    /// Whether that is an agent whom it concerns since then: what an earlier account of the same name has planned or was given
    /// is nothing to its successor.
    async fn is_agent(&self, id: &AgentId, since: Option<Timestamp>) -> Result<bool, Refused> {
        let person = Person::find(self.place, &self.services.store, id).await?;
        if !written::is_agent(&person) {
            return Ok(false);
        }
        let account = self.services.store.accounts().find(id.jid()).await?;
        let lasts = |made: Timestamp| since.is_none_or(|at| at >= made);
        Ok(account.is_some_and(|it| lasts(it.created_at)))
    }
}

/// Tells who is responsible what has become of a follow-up, by its id alone: the devices that are there, and no history.
pub(super) async fn tell_quietly(
    place: &Place,
    services: &Services,
    draft: &mut Draft,
    (follow_up, what): (&FollowUp, What),
) -> Result<(), Refused> {
    let teller = Teller { place, services };
    let responsible = follow_up.plan.as_ref().map(|plan| &plan.responsible);
    if let Some(to) = responsible
        && teller.is_agent(to, follow_up.assigned_at).await?
    {
        let notice = wire::gone(follow_up, what.name());
        draft.tell(telling::headline(&place.address, to, &notice));
    }
    Ok(())
}

/// The same of one that is erased: what was still to be done nobody shall look for, so that it is said in words, too.
pub(super) async fn tell_end(
    place: &Place,
    services: &Services,
    draft: &mut Draft,
    follow_up: &FollowUp,
) -> Result<(), Refused> {
    if follow_up.status != Status::Planned {
        return tell_quietly(place, services, draft, (follow_up, What::Erased)).await;
    }
    let teller = Teller { place, services };
    if let Some(plan) = &follow_up.plan
        && teller
            .is_agent(&plan.responsible, follow_up.assigned_at)
            .await?
    {
        let to = &plan.responsible;
        let notice = wire::gone(follow_up, What::Erased.name());
        let body = format!("{}.", What::Erased.words(""));
        draft.tell(telling::message(&place.address, to, &body, &notice));
    }
    Ok(())
}

/// A follow-up is due: who is responsible is reminded, once. Where that is no agent any more, who has planned it.
pub(in crate::contact_center) async fn time_is_up(
    center: Arc<Center>,
    services: Arc<Services>,
    id: String,
) -> Result<(), Refused> {
    let Ok(id) = id.parse() else {
        return Ok(());
    };
    let decided = async |mut draft: Draft| {
        let Some(before) = find(&services, &id).await? else {
            return Ok((draft, ()));
        };
        let author = before.author.as_ref();
        let Some(place) = author.and_then(|author| center.place_of(author.host())) else {
            // The host is served no longer. The record waits for its return.
            return Ok((draft, ()));
        };
        let settings = place.settings.load_full();
        let facts = Facts {
            permitted: &settings.permitted,
            channel: NO_CHANNEL,
            reasons: &[],
            note_types: &settings.note_types,
            responsible_is_agent: true,
        };
        let happened = decide(&before, Command::TimeIsUp, services.clock.now(), &facts)?;
        let after = draft.change(&before, &happened)?;
        if !happened.is_empty() {
            remind(place, &services, &mut draft, &after).await?;
        }
        Ok((draft, ()))
    };
    center.save(&services, decided).await
}

async fn remind(
    place: &Place,
    services: &Services,
    draft: &mut Draft,
    follow_up: &FollowUp,
) -> Result<(), Refused> {
    let teller = Teller { place, services };
    let responsible = follow_up.plan.as_ref().map(|plan| &plan.responsible);
    let responsible = responsible.map(|it| (it, follow_up.assigned_at));
    let author = follow_up
        .author
        .as_ref()
        .map(|it| (it, follow_up.planned_at));
    for (to, since) in responsible.into_iter().chain(author) {
        if teller.is_agent(to, since).await? {
            teller.tell(draft, follow_up, (to, What::Due), None);
            return Ok(());
        }
    }
    Ok(())
}
