//! What the shell has to know of a record of the domain to load and to save it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::store::{Listing, Store, StoreError, StoredRecord};

/// A record that changes by events.
pub(super) trait Record:
    Clone + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// What it is called in the database; never changed.
    const KIND: &'static str;
    /// Whether its events are kept, for whoever reads how it became what it is.
    const KEEPS_EVENTS: bool = true;
    /// What happens to it.
    type Event: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// Which one of its kind.
    fn id(&self) -> String;

    /// How many events made it.
    fn version(&self) -> u64;

    /// Makes it what it is after the event.
    fn apply(&mut self, event: &Self::Event);

    /// When time changes it.
    fn deadline(&self) -> Option<Timestamp> {
        None
    }

    /// Where it is found.
    fn listings(&self) -> Vec<Listing> {
        Vec::new()
    }
}

/// The record of that id, if it is stored.
///
/// # Errors
/// When the database fails, or holds what is no such record.
pub(super) async fn find<R: Record>(store: &Store, id: &str) -> Result<Option<R>, StoreError> {
    let found = store.records().find(R::KIND, id).await?;
    found.as_ref().map(read).transpose()
}

/// A stored record as what it is.
///
/// # Errors
/// When it is no such record.
pub(super) fn read<R: Record>(stored: &StoredRecord) -> Result<R, StoreError> {
    serde_json::from_str(&stored.snapshot).map_err(|cause| StoreError::corrupt(R::KIND, cause))
}

/// A stored event as what it is.
///
/// # Errors
/// When it is no such event.
pub(super) fn read_event<R: Record>(json: &str) -> Result<R::Event, StoreError> {
    serde_json::from_str(json).map_err(|cause| StoreError::corrupt(R::KIND, cause))
}
