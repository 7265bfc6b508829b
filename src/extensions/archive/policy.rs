//! What an account wants archived, known while it is online (XEP-0441 §2).

use std::sync::Arc;

use crate::config::ArchiveDefault;
use crate::hooks::{Flow, Passage, Services};
use crate::proto::{BareJid, Jid};
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

/// The account's policy; `None` when there is no such account. Known from then on while it is online.
pub(super) async fn load(
    services: &Services,
    account: &BareJid,
) -> Result<Option<Arc<Policy>>, StoreError> {
    let fallback = services.config.archive.default;
    let found = services.store.archive().preference(account).await?;
    let policy = found.map(|stored| match stored {
        Some(stored) => Arc::new(Policy::from_stored(&stored, fallback)),
        None => Arc::new(Policy::of_server(fallback)),
    });
    if let (Some(policy), Some(online)) = (&policy, services.online(account)) {
        // Who set it meanwhile knows better.
        online.slots().find_or(|| Policy::clone(policy));
    }
    Ok(policy)
}

/// Whether messages of the account with `target` are archived; not, when there is no such account.
pub(super) async fn decide(
    services: &Services,
    account: &BareJid,
    target: &Jid,
) -> Result<bool, StoreError> {
    let Some(policy) = load(services, account).await? else {
        return Ok(false);
    };
    match policy.wants(target) {
        Wanted::Yes => Ok(true),
        Wanted::No => Ok(false),
        Wanted::OfContacts => {
            let rosters = services.store.rosters();
            Ok(rosters.find(account, target.bare()).await?.is_some())
        }
    }
}

/// Before its first message a client sends presence: what is known by then costs the message nothing.
pub(super) fn load_early(passage: &mut Passage<'_>) -> Flow {
    if let Some(online) = passage.online
        && online.slots().find::<Policy>().is_none()
    {
        let (services, account) = (Arc::clone(passage.services), passage.account.clone());
        passage.effects.then(async move {
            load(&services, &account).await?;
            Ok(())
        });
    }
    Flow::Continue
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
