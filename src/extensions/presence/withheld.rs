//! Accounts whose presence is shown to nobody else: an administrator has said so (S0-15).
//!
//! Contacts are told what they are told of an account that is offline, whichever way they ask: by a subscription, a
//! probe, or because they come online themselves. The account's own sessions see each other. What a client tells somebody
//! directly (RFC 6121 §4.6), such as a room, is its own will.

use super::broadcast;
use crate::extensions::{blocking, roster};
use crate::hooks::{Account, Services};
use crate::proto::{BareJid, Stanza};

/// Set on an account whose presence is shown to nobody else.
struct Withheld;

/// Whether the account's presence is shown to nobody else.
pub(crate) fn is_withheld(account: &Account) -> bool {
    account.slots().find::<Withheld>().is_some()
}

/// Shows an account's presence to nobody else from now on: who sees it is told its end.
pub(crate) async fn withhold(services: &Services, account: &Account) {
    if is_withheld(account) {
        return;
    }
    // Made before, for afterwards there is nothing to be seen.
    let ends = ends(services, account);
    account.slots().set(Withheld);
    route(services, ends).await;
}

/// Shows an account's presence again, to whom it is to be shown.
pub(crate) async fn reveal(services: &Services, account: &Account) {
    if !is_withheld(account) {
        return;
    }
    account.slots().clear::<Withheld>();
    let shown = seers(account, |contact| {
        broadcast::current(services, account.jid(), contact)
    });
    route(services, shown).await;
}

fn ends(services: &Services, account: &Account) -> Vec<Stanza> {
    seers(account, |contact| {
        broadcast::farewell(services, account.jid(), contact)
    })
}

/// What each contact is told that sees the account's presence.
fn seers(account: &Account, told: impl Fn(&BareJid) -> Vec<Stanza>) -> Vec<Stanza> {
    let Some(roster) = roster::loaded(account) else {
        return Vec::new();
    };
    let contacts = roster.items().iter();
    let seers = contacts
        .filter(|item| item.subscription.has_from())
        .filter(|item| !blocking::blocks(account, &item.contact));
    seers.flat_map(|item| told(&item.contact)).collect()
}

async fn route(services: &Services, stanzas: Vec<Stanza>) {
    for stanza in stanzas {
        services.route(stanza).await;
    }
}
