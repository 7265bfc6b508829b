//! What happens to others when an account is removed (XEP-0077 §3.2, RFC 6121 §3.2 and §3.3).
//!
//! Contacts learn that the account is gone as if it had ended every subscription. The entries
//! of local accounts stay, with the names and groups that their owners gave them, but none of
//! them is subscribed to anything: who gets the same address later begins as a stranger.

use std::collections::HashSet;
use std::sync::Arc;

use super::operator::Operator;
use crate::hooks::Session;
use crate::proto::{BareJid, Jid, PresenceType, Stanza};
use crate::store::{
    Applied, ITEMS_CEILING, Removed, RosterItem, RosterWrite, StoreError, Subscription,
};

/// Holders read at once.
const PAGE: u32 = 500;

/// How often a roster item that changes under our hands is tried again.
const TRIES_MAX: usize = 5;

/// Tells the contacts of a removed account, and takes it out of subscriptions. `sessions` are
/// those that it had.
pub(super) async fn part(
    operator: &Operator,
    jid: &BareJid,
    sessions: &[Arc<Session>],
    removed: &Removed,
) -> Result<(), StoreError> {
    let mut told = HashSet::with_capacity(removed.roster.len());
    for item in &removed.roster {
        if matches!(item.subscription, Subscription::From | Subscription::Both) {
            for session in sessions.iter().filter(|session| session.is_available()) {
                presence(
                    operator,
                    session.address(),
                    &item.contact,
                    PresenceType::Unavailable,
                )
                .await;
            }
        }
        end_subscriptions(operator, jid, &item.contact).await;
        told.insert(item.contact.clone());
        let requests = operator.store.subscription_requests();
        requests.delete(&item.contact, jid).await?;
    }
    let mut after: Option<BareJid> = None;
    loop {
        let rosters = operator.store.rosters();
        let holders = rosters.holders(jid, after.as_ref(), PAGE).await?;
        let Some(last) = holders.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for holder in &holders {
            if !told.contains(holder) {
                end_subscriptions(operator, jid, holder).await;
            }
            clear(operator, holder, jid).await?;
        }
    }
}

async fn end_subscriptions(operator: &Operator, jid: &BareJid, contact: &BareJid) {
    for kind in [PresenceType::Unsubscribe, PresenceType::Unsubscribed] {
        presence(operator, jid.clone().into(), contact, kind).await;
    }
}

async fn presence(operator: &Operator, from: Jid, to: &BareJid, kind: PresenceType) {
    if let Some(services) = &operator.services {
        services
            .route(Stanza::presence(kind).from(from).to(to.clone()))
            .await;
    }
}

/// Takes the subscription state out of the holder's entry, where the presence before has not
/// done it: while the server is stopped, or when the entry only waited or approved.
async fn clear(operator: &Operator, holder: &BareJid, jid: &BareJid) -> Result<(), StoreError> {
    let rosters = operator.store.rosters();
    for _ in 0..TRIES_MAX {
        let Some(item) = rosters.find(holder, jid).await? else {
            return Ok(());
        };
        let cleared = RosterItem {
            subscription: Subscription::None,
            ask: false,
            approved: false,
            ..item.clone()
        };
        if cleared == item {
            return Ok(());
        }
        let write = RosterWrite::Put {
            owner: holder.clone(),
            item: cleared,
        };
        // The entry is there already, so that the bound plays no part.
        let items_max = u32::try_from(ITEMS_CEILING).unwrap_or(u32::MAX);
        match rosters
            .apply(&[write], items_max, operator.clock.now())
            .await
        {
            Ok(Applied::Changed) => {}
            Ok(Applied::Done(_) | Applied::Full) | Err(StoreError::NoAccount(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
