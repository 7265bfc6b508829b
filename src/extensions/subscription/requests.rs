//! Requests that wait for an answer (RFC 6121 §3.1.3): kept whole, given to every resource that
//! becomes available.

use bytes::Bytes;
use tracing::debug;

use crate::hooks::Services;
use crate::proto::{BareJid, Stanza, StanzaError, reading};
use crate::store::{Put, StoreError, SubscriptionRequest};

/// The largest request that is kept whole; of a larger one only that it was made. A greeting
/// and a nickname take some hundred bytes.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

pub(super) async fn contains(
    services: &Services,
    owner: &BareJid,
    contact: &BareJid,
) -> Result<bool, StanzaError> {
    let requests = services.store.subscription_requests();
    requests
        .contains(owner, contact)
        .await
        .map_err(StanzaError::from)
}

/// Keeps the request; `false` when there is no such account or no room for it.
pub(super) async fn keep(
    services: &Services,
    owner: &BareJid,
    contact: &BareJid,
    stanza: &Stanza,
) -> Result<bool, StanzaError> {
    let mut document = stanza.to_document();
    if document.len() > REQUEST_BYTES_MAX {
        let mut short = Stanza::new(stanza.kind);
        (short.from, short.to) = (stanza.from.clone(), stanza.to.clone());
        document = short.to_document();
    }
    let request = SubscriptionRequest {
        from: contact.clone(),
        stanza: document,
        received_at: services.clock.now(),
    };
    let requests = services.store.subscription_requests();
    let max = services.config.roster.requests_max;
    // On the heap, for it is large and rare.
    match Box::pin(requests.put(owner, &request, max)).await {
        Ok(Put::Stored) => Ok(true),
        Ok(Put::Full) => {
            debug!("too many subscription requests wait");
            Ok(false)
        }
        Err(StoreError::NoAccount(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(in crate::extensions) async fn forget(
    services: &Services,
    owner: &BareJid,
    contact: &BareJid,
) -> Result<(), StanzaError> {
    let requests = services.store.subscription_requests();
    let gone = requests.delete(owner, contact).await;
    gone.map(|_| ()).map_err(StanzaError::from)
}

/// The requests that wait for the account, oldest first, as they are delivered.
pub(in crate::extensions) async fn waiting(
    services: &Services,
    owner: &BareJid,
) -> Result<Vec<Stanza>, StanzaError> {
    let requests = services.store.subscription_requests().list(owner).await;
    let requests = requests.map_err(StanzaError::from)?;
    let stanzas = requests
        .into_iter()
        .filter_map(|request| reading::stored(Bytes::from(request.stanza)));
    Ok(stanzas.collect())
}
