//! XEP-0355 §7.2: what components can do, in the place of what the server would tell of itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::{Component, Delegation};
use crate::hooks::{At, Info};
use crate::proto::{BareJid, ns};

/// Of which addresses something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::component) enum Scope {
    /// The host itself.
    Host,
    /// Its accounts.
    Account,
}

impl Scope {
    /// The node at which the component tells it.
    pub(super) fn node(self, namespace: &str) -> String {
        let separator = match self {
            Self::Host => "::",
            Self::Account => ":bare:",
        };
        format!("{}{separator}{namespace}", ns::DELEGATION)
    }

    const fn of(at: At) -> Option<Self> {
        match at {
            At::Host => Some(Self::Host),
            At::Own | At::Account => Some(Self::Account),
            At::Service => None,
        }
    }
}

/// What the component told last. It stays while the component is away, so that what the server can do does
/// not seem to change with each restart; there are as many as hosts and delegations.
#[derive(Default)]
pub(in crate::component) struct Nested(Mutex<HashMap<(BareJid, Scope, String), Info>>);

impl Nested {
    pub(super) fn set(&self, host: BareJid, scope: Scope, namespace: String, info: Info) {
        self.lock().insert((host, scope, namespace), info);
    }

    /// Takes out what the server would tell of what is delegated, and puts in what the component told.
    pub(in crate::component) fn nest(
        &self,
        config: &Component,
        host: &BareJid,
        at: At,
        info: &mut Info,
    ) {
        let Some(scope) = Scope::of(at).filter(|_| config.acts_for(host.as_str())) else {
            return;
        };
        let known = self.lock();
        let named = config.delegations.iter().map(|it| it.namespace.as_str());
        for namespace in named.filter(|it| *it != Delegation::ITEMS) {
            info.features.retain(|it| !belongs(it, namespace));
            info.forms
                .retain(|it| !it.type_name().is_some_and(|it| belongs(it, namespace)));
            let key = (host.clone(), scope, namespace.to_owned());
            let Some(told) = known.get(&key) else {
                continue;
            };
            info.features.extend(told.features.iter().cloned());
            info.identities.extend(told.identities.iter().cloned());
            info.forms.extend(told.forms.iter().cloned());
        }
        drop(known);
        // Stays as it is announced: sorted, and each thing once.
        info.features.sort_unstable();
        info.features.dedup();
        let same = |a: &mut crate::hooks::Identity, b: &mut crate::hooks::Identity| {
            (&a.category, &a.kind, &a.lang) == (&b.category, &b.kind, &b.lang)
        };
        info.identities.sort_unstable();
        info.identities.dedup_by(same);
        let mut types: Vec<Cow<'_, str>> = Vec::new();
        let mut forms = std::mem::take(&mut info.forms);
        forms.retain(|form| {
            let name = form.type_name().map(|it| Cow::Owned(it.to_owned()));
            let first = name.as_ref().is_none_or(|it| !types.contains(it));
            types.extend(name);
            first
        });
        info.forms = forms;
    }

    /// A panic while the lock was held cannot have left the map half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<(BareJid, Scope, String), Info>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a feature or form is of that namespace: the namespace itself, or a part of it behind `#`.
fn belongs(name: &str, namespace: &str) -> bool {
    let rest = name.strip_prefix(namespace);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}
