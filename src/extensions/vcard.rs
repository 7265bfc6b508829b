//! XEP-0054: vcard-temp, version 1.3.0: one card for each account, which everybody may read.
//!
//! The card is kept as it came; what is in it is between the clients. Hosts have none.

use std::sync::Arc;

use tracing::warn;

use crate::config::Config;
use crate::extensions::avatars;
use crate::extensions::pubsub::{AccessModel, Place};
use crate::hooks::{At, Hooks, Iq, IqAnswer, Services};
use crate::proto::common::kept;
use crate::proto::common::vcard::VCARD4;
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, StanzaError, ns};
use crate::store::{Put, Slice, Vcard};
use crate::xml::Element;

/// Registers the answers.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0054", "vcard-temp", "1.3.0"));
    hooks.feature(&[At::Host, At::Own, At::Account], ns::VCARD);
    let bytes_max = config.vcard.bytes_max.as_usize();
    hooks.iq_get(&[At::Own, At::Account], ns::VCARD, "vCard", get);
    hooks.iq_set(&[At::Own], ns::VCARD, "vCard", move |iq| set(iq, bytes_max));
    hooks.iq_set(&[At::Account], ns::VCARD, "vCard", refuse);
}

/// §3.1, §3.3. An account without a card and one that does not exist look the same.
async fn get(iq: Iq) -> IqAnswer {
    match iq.services.store.vcards().find(&iq.to).await? {
        Some(card) => kept::from_bytes(&card.xml).map(Some),
        None => Err(Condition::ItemNotFound.into()),
    }
}

/// §3.2.
async fn set(iq: Iq, bytes_max: usize) -> IqAnswer {
    let card = Vcard {
        xml: kept::to_bytes(&iq.payload),
        updated_at: iq.services.clock.now(),
    };
    let vcards = iq.services.store.vcards();
    let before = vcards.photo(&iq.to).await?;
    match vcards.put(&iq.to, &card, bytes_max).await? {
        Put::Stored => {
            let set = avatars::card_set(&iq.services, &iq.to, &iq.payload, before);
            if let Err(error) = Box::pin(set).await {
                warn!(
                    condition = error.condition.name(),
                    "a picture is not converted"
                );
            }
            Ok(None)
        }
        Put::Full => Err(StanzaError::new(Condition::PolicyViolation)
            .text(format!("a vCard may have at most {bytes_max} bytes"))),
    }
}

/// The vCards of an account that everybody may read: this one, and the one of XEP-0292 where its node is open.
///
/// # Errors
/// When the database fails.
pub(crate) async fn public_cards(
    services: &Arc<Services>,
    owner: &BareJid,
) -> Result<Vec<Element>, StanzaError> {
    let mut cards = Vec::new();
    if let Some(card) = services.store.vcards().find(owner).await? {
        cards.push(kept::from_bytes(&card.xml)?);
    }
    let place = Place::account(services, owner);
    let node = place.find(VCARD4).await?;
    if node.is_some_and(|node| node.config.access == AccessModel::Open) {
        let newest = Slice::Before(i64::MAX);
        let pubsub = services.store.pubsub();
        for item in pubsub.items(owner, VCARD4, newest, 1).await? {
            cards.push(kept::from_bytes(&item.payload)?);
        }
    }
    Ok(cards)
}

/// §3.2: another's card.
async fn refuse(_iq: Iq) -> IqAnswer {
    Err(Condition::Forbidden.into())
}

#[cfg(test)]
mod tests;
