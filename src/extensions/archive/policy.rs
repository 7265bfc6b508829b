//! What an account wants archived, known while it is online (XEP-0441 §2).

use std::sync::Arc;

use crate::config::ArchiveDefault;
use crate::extensions::roster;
use crate::hooks::{Account, Flow, Passage, Services};
use crate::proto::{BareJid, Jid, StanzaError};
use crate::store::{ArchivePreference, StoreError};

/// Preferences as they are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// For who is on neither list.
    pub(super) otherwise: ArchiveDefault,
    pub(super) always: Vec<Jid>,
    pub(super) never: Vec<Jid>,
}

/// Whether messages with somebody are archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Yes,
    No,
    /// When the roster has the address.
    OfContacts,
}

impl Policy {
    /// What is applied where the account has set nothing.
    pub(super) const fn of_server(otherwise: ArchiveDefault) -> Self {
        Self {
            otherwise,
            always: Vec::new(),
            never: Vec::new(),
        }
    }

    pub(super) fn from_stored(stored: &ArchivePreference, fallback: ArchiveDefault) -> Self {
        let words = [
            ArchiveDefault::Always,
            ArchiveDefault::Never,
            ArchiveDefault::Roster,
        ];
        let mut words = words.into_iter();
        let list = |texts: &[String]| -> Vec<Jid> {
            let jids = texts.iter().filter_map(|text| Jid::parse(text).ok());
            jids.collect()
        };
        Self {
            otherwise: words
                .find(|word| word.as_str() == stored.otherwise)
                .unwrap_or(fallback),
            always: list(&stored.always),
            never: list(&stored.never),
        }
    }

    /// XEP-0441 §2.3. An entry with a resource says more than one without; of two that say as much,
    /// that which forbids counts.
    pub(super) fn wants(&self, target: &Jid) -> Wanted {
        let exact = |list: &[Jid]| !target.is_bare() && list.contains(target);
        let bare = |list: &[Jid]| {
            let mut bare = list.iter().filter(|jid| jid.is_bare());
            bare.any(|jid| jid.bare() == target.bare())
        };
        if exact(&self.never) {
            Wanted::No
        } else if exact(&self.always) {
            Wanted::Yes
        } else if bare(&self.never) {
            Wanted::No
        } else if bare(&self.always) {
            Wanted::Yes
        } else {
            match self.otherwise {
                ArchiveDefault::Always => Wanted::Yes,
                ArchiveDefault::Never => Wanted::No,
                ArchiveDefault::Roster => Wanted::OfContacts,
            }
        }
    }
}

/// Held by who sets the policy of an account that is online, so that what is known is what was written last.
#[derive(Debug, Default)]
pub(super) struct Turn(pub(super) tokio::sync::Mutex<()>);

/// The account's policy; `None` when there is no such account. Known from then on while it is online.
pub(super) async fn load(
    services: &Services,
    account: &BareJid,
) -> Result<Option<Arc<Policy>>, StoreError> {
    let online = services.online(account);
    if let Some(known) = online.as_ref().and_then(|online| online.slots().find()) {
        return Ok(Some(known));
    }
    let fallback = services.config.archive.default;
    let found = services.store.archive().preference(account).await?;
    let policy = found.map(|stored| match stored {
        Some(stored) => Policy::from_stored(&stored, fallback),
        None => Policy::of_server(fallback),
    });
    Ok(policy.map(|policy| match online {
        // Who set it meanwhile knows better.
        Some(online) => online.slots().find_or(|| policy),
        None => Arc::new(policy),
    }))
}

/// Whether messages of the account with `target` are archived; not, when there is no such account.
pub(super) async fn decide(
    services: &Services,
    account: &BareJid,
    target: &Jid,
) -> Result<bool, StanzaError> {
    let Some(policy) = load(services, account).await? else {
        return Ok(false);
    };
    match policy.wants(target) {
        Wanted::Yes => Ok(true),
        Wanted::No => Ok(false),
        Wanted::OfContacts => {
            if let Some(online) = services.online(account) {
                let roster = roster::load(services, &online).await?;
                return Ok(roster.find(target.bare()).is_some());
            }
            let rosters = services.store.rosters();
            Ok(rosters.find(account, target.bare()).await?.is_some())
        }
    }
}

/// Before its first message a client sends presence, and requests before that: what is known by then costs
/// the message nothing, and copies of it have its id.
pub(super) fn load_early(passage: &mut Passage<'_>) -> Flow {
    if let Some(online) = passage.online
        && !is_complete(online)
    {
        let (services, online) = (Arc::clone(passage.services), Arc::clone(online));
        passage.effects.then(async move {
            if load(&services, online.jid())
                .await?
                .is_some_and(|policy| policy.otherwise == ArchiveDefault::Roster)
            {
                roster::load(&services, &online).await?;
            }
            Ok(())
        });
    }
    Flow::Continue
}

/// Whether all is in memory that decides about a message.
fn is_complete(online: &Account) -> bool {
    online.slots().find::<Policy>().is_some_and(|policy| {
        policy.otherwise != ArchiveDefault::Roster || roster::loaded(online).is_some()
    })
}

/// Whether messages with `target` are archived, where that is known without asking the database.
pub(super) fn known(online: &Account, target: &Jid) -> Option<bool> {
    match online.slots().find::<Policy>()?.wants(target) {
        Wanted::Yes => Some(true),
        Wanted::No => Some(false),
        Wanted::OfContacts => Some(roster::loaded(online)?.find(target.bare()).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_match_as_xep_0441_section_2_3_says() {
        let jids = |texts: &[&str]| -> Vec<Jid> {
            texts.iter().map(|text| Jid::parse(text).unwrap()).collect()
        };
        let policy = |otherwise, always: &[&str], never: &[&str]| Policy {
            otherwise,
            always: jids(always),
            never: jids(never),
        };
        use ArchiveDefault::{Always, Never, Roster};
        for (policy, target, expected) in [
            (policy(Always, &[], &[]), "a@b/c", Wanted::Yes),
            (policy(Never, &[], &[]), "a@b", Wanted::No),
            (policy(Roster, &[], &[]), "a@b", Wanted::OfContacts),
            (policy(Never, &["a@b"], &[]), "a@b/c", Wanted::Yes),
            (policy(Never, &["a@b/c"], &[]), "a@b/c", Wanted::Yes),
            (policy(Never, &["a@b/c"], &[]), "a@b/d", Wanted::No),
            (policy(Never, &["a@b/c"], &[]), "a@b", Wanted::No),
            (policy(Always, &[], &["a@b"]), "a@b/c", Wanted::No),
            (policy(Always, &["a@b/c"], &["a@b"]), "a@b/c", Wanted::Yes),
            (policy(Always, &["a@b"], &["a@b/c"]), "a@b/c", Wanted::No),
            (policy(Always, &["a@b"], &["a@b"]), "a@b", Wanted::No),
            (policy(Roster, &["a@b"], &[]), "a@b", Wanted::Yes),
        ] {
            let target = Jid::parse(target).unwrap();
            assert_eq!(policy.wants(&target), expected, "{policy:?} {target}");
        }
    }
}
