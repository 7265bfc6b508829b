//! Deletion of a whole stream (S4-37, S4-39): irretrievable. The record becomes a tombstone without a word, in no list; the files
//! go, and so does what waits for the connector. SQLite overwrites what is deleted (`secure_delete`), and what the
//! write-ahead log still has of it is cleared at once; of PostgreSQL this is the operator's, who vacuums.

use tracing::warn;

use super::audit;
use super::changes::{Wish, finish, save, turn};
use super::fields::{id, read};
use crate::contact_center::center::Center;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::values::Values;
use crate::domain::ids::StreamId;
use crate::domain::message_stream::Command;
use crate::hooks::Services;

/// Clears what the log of the database still has.
pub(super) async fn clear_log(services: &Services) {
    if let Err(error) = services.store.clear_log().await {
        warn!(%error, "the log of the database still has what was deleted");
    }
}

/// Takes back what of a stream that is gone waits for the connector.
pub(super) async fn withdraw(
    center: &Center,
    services: &Services,
    id: &StreamId,
) -> Result<(), Refused> {
    let about = |stanza: &[u8]| memchr::memmem::find(stanza, id.as_str().as_bytes()).is_some();
    center.outbox.withdraw(services, about).await
}

/// The operation `delete`. The form asks for the confirmation in words; without it nothing happens.
pub(super) async fn delete(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id: StreamId = id(&values, "id")?;
    let _turn = turn(&caller, &values).await?;
    let wish = Wish::of(Command::Delete {
        by: caller.agent.clone(),
        read: read(&values)?,
        confirmed: values.flag("confirm"),
    });
    let done = Box::pin(save(&caller, &id, &wish)).await?;
    let services = &caller.services;
    audit::settled(Box::pin(withdraw(&caller.center, services, &id)).await);
    finish(&caller, &done).await;
    // Last, when the names of the files are gone, too.
    clear_log(services).await;
    Ok(Outcome::told("The message is deleted, with all replies."))
}
