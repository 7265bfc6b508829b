//! `customer erase`: what is kept of a customer goes, or becomes something about nobody.
//!
//! The customer itself goes last, so that what a crash has left is found when it is erased once more. What agents have written
//! of it meanwhile is found by another round: nobody writes of a customer who is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use tracing::warn;

use super::kept::{
    ACTIVITY, FOLLOW_UP, IM_SESSION, INTERACTION, KINDS, MESSAGE_STREAM, Marks, all, read,
};
use super::mention::is_about;
use crate::admin::RECENT;
use crate::admin::arguments::Arguments;
use crate::admin::center::{CenterDesk, host};
use crate::admin::operator::Operator;
use crate::admin::outcome::{Outcome, Table};
use crate::admin::refusal::Refusal;
use crate::domain::activity::Activity;
use crate::domain::context::recent::Recent;
use crate::domain::follow_up::FollowUp;
use crate::domain::im_session::{ImSession, Phase};
use crate::domain::interaction::Interaction;
use crate::store::{
    CUSTOMER, Erasure, NewJournalEntry, RecordsWritten, StoreError, StoredRecord, Untold,
    UploadFiles,
};

/// The record beside a stream: who has read how much of it.
const READERS: &str = "message-stream-readers";
/// The record of an erased follow-up, as long as who was responsible has not been told; its id is that of the follow-up.
pub const ERASED_FOLLOW_UP: &str = "erased-follow-up";
/// The list of an activity that names its customer.
const OF_CUSTOMER: &str = "customer";

/// How often it is looked once more what agents have written meanwhile.
const ROUNDS_MAX: usize = 3;

/// Stanzas of the outbox that are read at once.
const PAGE: u32 = 100;

/// What is left, and why.
const LEFT: &[&str] = &[
    "The audit trail names the customer by its id only, unless somebody searched for it by name: it is kept for audit.keep_days.",
    "Agents' own archives have what the contact center told them of it: they are kept for archive.keep_days. So has what waits for agents who are offline, until they come.",
    "What agents have sent each other as business context, objects of the CRM that they have had in hand, and their scratch pads are theirs.",
    "Interactions and activities stay as figures: who worked when and how long, with nobody.",
    "Backups are as they were made. PostgreSQL gives the room of deleted rows back when it vacuums.",
];

/// How much of each kind is erased, and what has to be taken back that waits to be sent.
#[derive(Default)]
struct Erased {
    counts: BTreeMap<&'static str, u64>,
    files: u64,
    texts: BTreeSet<String>,
    open_sessions: u64,
    /// Whether something has changed since it was read.
    contended: bool,
}

pub(super) async fn erase(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = host(&operator, &arguments)?;
    let id = arguments.text("id").unwrap_or_default();
    if !arguments.flag("confirm") {
        let text = "it cannot be taken back: confirm that everything about the customer is erased";
        return Err(Refusal::NotAcceptable(text.to_owned()));
    }
    let mut marks = Marks::of(&operator.store, &host, id).await?;
    let mut erased = Erased::default();
    loop {
        nothing_goes_on(&operator, &marks).await?;
        erased.texts.extend(marks.ids.iter().cloned());
        erased.texts.extend(marks.addresses.iter().cloned());
        erased.texts.extend(marks.interactions.iter().cloned());
        Box::pin(settle(&operator, &marks, &mut erased)).await?;
        Box::pin(erase_customer(&operator, &marks, &mut erased)).await?;
        Box::pin(settle(&operator, &marks, &mut erased)).await?;
        // Nobody becomes part of a customer who is gone, so that this ends.
        if !Box::pin(marks.add_late(&operator.store)).await? {
            break;
        }
    }
    let texts = std::mem::take(&mut erased.texts);
    Box::pin(withdraw(&operator, texts.into_iter().collect())).await?;
    operator.store.clear_log().await?;
    Ok(erased.told(id))
}

impl Erased {
    fn told(&self, id: &str) -> Outcome {
        let mut left: Vec<&str> = LEFT.to_vec();
        if self.open_sessions > 0 {
            left.push("IM sessions about it that are not over: erase the customer once more when they are.");
        }
        let count = |kind: &&'static str| self.counts.get(kind).copied().unwrap_or(0);
        let mut rows: Vec<Vec<String>> = KINDS
            .iter()
            .map(|kind| vec![(*kind).to_owned(), count(kind).to_string()])
            .collect();
        rows.push(vec!["file".to_owned(), self.files.to_string()]);
        let data = json!({
            "id": id,
            "erased": self.counts,
            "files": self.files,
            "left": left,
        });
        let text = format!(
            "The customer is erased. What is left:\n{}\n",
            left.join("\n")
        );
        let columns = vec!["what".to_owned(), "erased".to_owned()];
        Outcome::told(data, text).with(Table { columns, rows })
    }
}

/// Erases the customer itself, once more while others change it. What is made of it from then on is not written.
async fn erase_customer(
    operator: &Operator,
    marks: &Marks,
    erased: &mut Erased,
) -> Result<(), Refusal> {
    for _ in 0..ROUNDS_MAX {
        erased.contended = false;
        Box::pin(erase_kind(operator, marks, CUSTOMER, erased)).await?;
        if !erased.contended {
            return Ok(());
        }
    }
    Err(contended())
}

/// Erases all but the customer itself, once more while others change what is erased.
async fn settle(operator: &Operator, marks: &Marks, erased: &mut Erased) -> Result<(), Refusal> {
    for _ in 0..ROUNDS_MAX {
        erased.contended = false;
        erased.open_sessions = 0;
        let others = KINDS.iter().filter(|kind| **kind != CUSTOMER);
        for kind in others.rev().chain(&[RECENT]) {
            Box::pin(erase_kind(operator, marks, kind, erased)).await?;
        }
        if !erased.contended {
            return Ok(());
        }
    }
    Err(contended())
}

fn contended() -> Refusal {
    let text = "others keep changing what is kept of the customer; erase it once more";
    Refusal::Conflict(text.to_owned())
}

/// Nobody is erased while somebody deals with them: what is written of it then would come back.
async fn nothing_goes_on(operator: &Operator, marks: &Marks) -> Result<(), Refusal> {
    for kind in [INTERACTION, ACTIVITY] {
        let mut walk = all(&operator.store, kind);
        while let Some(stored) = walk.next().await? {
            if marks.mark(kind, &stored)? && goes_on(kind, &stored)? {
                let text =
                    "an agent deals with the customer, or writes up: try again when that is over";
                return Err(Refusal::Conflict(text.to_owned()));
            }
        }
    }
    Ok(())
}

fn goes_on(kind: &'static str, stored: &StoredRecord) -> Result<bool, StoreError> {
    match kind {
        INTERACTION => Ok(!read::<Interaction>(kind, stored)?.is_over()),
        _ => Ok(read::<Activity>(kind, stored)?.is_current()),
    }
}

/// Erases what of that kind is about the customer.
async fn erase_kind(
    operator: &Operator,
    marks: &Marks,
    kind: &'static str,
    erased: &mut Erased,
) -> Result<(), StoreError> {
    let mut walk = all(&operator.store, kind);
    while let Some(stored) = walk.next().await? {
        if !marks.mark(kind, &stored)? {
            continue;
        }
        let Some(erasure) = erasure((operator, marks), kind, &stored, erased)? else {
            continue;
        };
        match Box::pin(operator.store.records().erase(&erasure)).await? {
            RecordsWritten::Changed => erased.contended = true,
            RecordsWritten::Done => {
                *erased.counts.entry(kind).or_default() += 1;
                // The id of a list is its agent, of whom much else waits to be told.
                if kind != RECENT {
                    erased.texts.insert(stored.id.clone());
                }
                if kind == MESSAGE_STREAM {
                    erased.files += Box::pin(remove_stream(operator, &stored.id)).await?;
                    tell_gone(operator, &stored)?;
                }
                if kind == FOLLOW_UP {
                    Box::pin(tell_responsible(operator, &stored)).await?;
                }
            }
        }
    }
    Ok(())
}

/// What becomes of a record; `None` where there is nothing in it any more, or it is still in use.
fn erasure(
    (operator, marks): (&Operator, &Marks),
    kind: &'static str,
    stored: &StoredRecord,
    erased: &mut Erased,
) -> Result<Option<Erasure>, StoreError> {
    let gone = Erasure {
        kind,
        id: stored.id.clone(),
        read: stored.version,
        left: None,
        unlisted: None,
        journal: None,
        untold: None,
    };
    match kind {
        INTERACTION => {
            let mut interaction: Interaction = read(kind, stored)?;
            let changed = interaction.is_over() && interaction.forget_customer();
            let left = left(kind, interaction.version, &interaction)?;
            Ok(changed.then_some(Erasure { left, ..gone }))
        }
        ACTIVITY => {
            let mut activity: Activity = read(kind, stored)?;
            let changed = activity.forget_customer();
            let left = left(kind, activity.version, &activity)?;
            let agent = activity.subject.as_ref().map(|it| &it.agent);
            let journal = agent.map(|agent| NewJournalEntry {
                journal: format!("{ACTIVITY} {}", agent.host()),
                id: stored.id.clone(),
                version: i64::try_from(activity.version).unwrap_or(i64::MAX),
                at: operator.clock.now(),
            });
            Ok(changed.then_some(Erasure {
                left,
                unlisted: Some(OF_CUSTOMER),
                journal,
                ..gone
            }))
        }
        IM_SESSION => {
            let session: ImSession = read(kind, stored)?;
            let over = matches!(
                session.phase,
                Phase::Rejected { .. } | Phase::Cancelled { .. } | Phase::Ended { .. }
            );
            erased.open_sessions += u64::from(!over);
            Ok(over.then_some(gone))
        }
        // Its other objects stay.
        RECENT => {
            let mut recent: Recent = read(kind, stored)?;
            let changed = recent.forget_customers(|id| marks.ids.contains(id));
            let left = left(kind, recent.version, &recent)?;
            Ok(changed.then_some(Erasure { left, ..gone }))
        }
        FOLLOW_UP => {
            let follow_up: FollowUp = read(kind, stored)?;
            let untold = follow_up.farewell().map(|it| untold(&it)).transpose()?;
            Ok(Some(Erasure { untold, ..gone }))
        }
        CUSTOMER | MESSAGE_STREAM => Ok(Some(gone)),
        _ => Ok(None),
    }
}

/// Who has to be told of the end of a follow-up, whenever there is somebody to do it.
fn untold(farewell: &FollowUp) -> Result<Untold, StoreError> {
    let snapshot = serde_json::to_string(farewell);
    let snapshot = snapshot.map_err(|cause| StoreError::corrupt(FOLLOW_UP, cause))?;
    Ok(Untold {
        kind: ERASED_FOLLOW_UP,
        snapshot,
    })
}

fn left<T: Serialize>(
    kind: &'static str,
    version: u64,
    record: &T,
) -> Result<Option<(i64, String)>, StoreError> {
    let snapshot = serde_json::to_string(record);
    let snapshot = snapshot.map_err(|cause| StoreError::corrupt(kind, cause))?;
    Ok(Some((i64::try_from(version).unwrap_or(i64::MAX), snapshot)))
}

/// What lies beside a stream; tells how many files.
async fn remove_stream(operator: &Operator, id: &str) -> Result<u64, StoreError> {
    operator.store.records().remove(READERS, id).await?;
    let attachments = operator.store.attachments();
    let known = attachments.of_stream(id).await?;
    let ids: Vec<_> = known.iter().map(|it| &it.id).collect();
    Box::pin(attachments.remove(&ids)).await?;
    let files = UploadFiles::of_attachments(&operator.config.data_dir);
    for id in &ids {
        if let Err(error) = files.remove(id).await {
            warn!(%error, "the file of a message stream could not be deleted");
        }
    }
    Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
}

/// Has who is responsible told of a follow-up that it is gone. Where no server runs, the next one does that when it starts.
async fn tell_responsible(operator: &Operator, stored: &StoredRecord) -> Result<(), StoreError> {
    let services = operator.services.as_ref();
    let desk = services.and_then(|it| it.hooks.offers().find::<CenterDesk>());
    let Some((services, desk)) = services.zip(desk) else {
        return Ok(());
    };
    let told = desk
        .0
        .follow_up_erased(stored.id.clone(), Arc::clone(services));
    told.await
}

/// Has those told who watch the stream. Where no server runs nobody watches, and whoever comes later reads anew.
fn tell_gone(operator: &Operator, stored: &StoredRecord) -> Result<(), StoreError> {
    let services = operator.services.as_ref();
    let desk = services.and_then(|it| it.hooks.offers().find::<CenterDesk>());
    if let Some(desk) = desk {
        desk.0.stream_erased(&read(MESSAGE_STREAM, stored)?);
    }
    Ok(())
}

/// Takes back what is to be told of it and has not been.
async fn withdraw(operator: &Operator, texts: Vec<String>) -> Result<(), StoreError> {
    if let Some(services) = &operator.services
        && let Some(desk) = services.hooks.offers().find::<CenterDesk>()
    {
        return desk.0.erased(texts, Arc::clone(services)).await;
    }
    let about = |stanza: &[u8]| is_about(stanza, &texts);
    let records = operator.store.records();
    let mut after = String::new();
    loop {
        let page = records.outbox(&after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after.clone_from(&last.id);
        let gone = page.iter().filter(|it| about(&it.stanza));
        let gone: Vec<String> = gone.map(|it| it.id.clone()).collect();
        Box::pin(records.sent(&gone)).await?;
    }
}
