//! What extensions add to service discovery (XEP-0030), by address.

use crate::hooks::iq::At;
use crate::proto::Jid;

/// Features and identities, collected while extensions register.
#[derive(Debug, Default)]
pub struct Disco {
    features: Vec<(At, &'static str)>,
    identities: Vec<(At, Identity)>,
}

/// A category and type from the registry of XEP-0030 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// For example `server`.
    pub category: &'static str,
    /// For example `im`.
    pub kind: &'static str,
    /// A name for people.
    pub name: &'static str,
}

/// An item that disco lists under an address (XEP-0030 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The item's address.
    pub jid: Jid,
    /// Its node, if it is not the address as a whole.
    pub node: Option<String>,
    /// A name for people.
    pub name: Option<String>,
}

impl Disco {
    pub(super) fn feature(&mut self, at: At, feature: &'static str) {
        if !self.features.contains(&(at, feature)) {
            self.features.push((at, feature));
        }
    }

    pub(super) fn identity(&mut self, at: At, identity: Identity) {
        self.identities.push((at, identity));
    }

    /// The features at an address, sorted.
    #[must_use]
    pub fn features(&self, at: At) -> Vec<&'static str> {
        let here = self.features.iter().filter(|(place, _)| *place == at);
        let mut features: Vec<_> = here.map(|(_, feature)| *feature).collect();
        features.sort_unstable();
        features
    }

    /// The identities at an address, sorted.
    #[must_use]
    pub fn identities(&self, at: At) -> Vec<Identity> {
        let here = self.identities.iter().filter(|(place, _)| *place == at);
        let mut identities: Vec<_> = here.map(|(_, identity)| *identity).collect();
        identities.sort_unstable();
        identities
    }
}
