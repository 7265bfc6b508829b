//! Where nodes are: an account or a service, and what an entity is to a node there.

use std::sync::Arc;

use super::access::{Affiliation, Viewer};
use super::config::{AccessModel, NodeConfig};
use super::error::{forbidden, no_node};
use crate::config::Pubsub as Limits;
use crate::hooks::Services;
use crate::proto::{BareJid, Condition, StanzaError};
use crate::store::{Created, NodeBounds, Pubsub, PubsubNode};

/// Which kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extensions) enum Face {
    /// An account (XEP-0163).
    Account,
    /// A domain of its own.
    Service,
}

/// A place with nodes.
#[derive(Clone, Debug)]
pub(in crate::extensions) struct Place {
    pub(super) services: Arc<Services>,
    pub(super) address: BareJid,
    pub(super) face: Face,
}

/// A node of a place.
#[derive(Clone, Debug)]
pub(in crate::extensions) struct Node {
    pub(super) name: String,
    pub(in crate::extensions) config: NodeConfig,
    pub(super) stored: PubsubNode,
}

impl Face {
    /// Whether nodes can have that access model there. A service has no roster, and nobody's presence.
    pub(super) fn has_access(self, model: &str) -> bool {
        match self {
            Self::Account => AccessModel::from_name(model).is_some(),
            Self::Service => matches!(model, "open" | "authorize" | "whitelist"),
        }
    }
}

impl Place {
    /// The nodes of an account.
    pub(in crate::extensions) fn account(services: &Arc<Services>, address: &BareJid) -> Self {
        Self {
            services: Arc::clone(services),
            address: address.clone(),
            face: Face::Account,
        }
    }

    pub(in crate::extensions) const fn services(&self) -> &Arc<Services> {
        &self.services
    }

    pub(in crate::extensions) const fn address(&self) -> &BareJid {
        &self.address
    }

    pub(super) fn store(&self) -> Pubsub<'_> {
        self.services.store.pubsub()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.services.config.pubsub
    }

    pub(super) fn nodes_max(&self) -> u32 {
        match self.face {
            Face::Account => self.limits().nodes_per_account_max,
            Face::Service => self.limits().nodes_per_service_max,
        }
    }

    pub(super) fn node_bounds(&self) -> NodeBounds {
        let nodes_max = self.nodes_max();
        NodeBounds {
            nodes_max,
            nodes_per_creator_max: match self.face {
                // All are made by the account itself.
                Face::Account => nodes_max,
                Face::Service => self.limits().nodes_per_creator_max,
            },
        }
    }

    pub(super) fn bytes_max(&self) -> u64 {
        match self.face {
            Face::Account => self.limits().bytes_per_account_max.as_u64(),
            Face::Service => self.limits().bytes_per_service_max.as_u64(),
        }
    }

    /// The node of that name, if there is one.
    pub(in crate::extensions) async fn find(
        &self,
        name: &str,
    ) -> Result<Option<Node>, StanzaError> {
        let found = self.store().node(&self.address, name).await?;
        found.map(|stored| self.node_of(stored)).transpose()
    }

    /// The node of that name.
    ///
    /// # Errors
    /// `item-not-found`.
    pub(super) async fn node(&self, name: &str) -> Result<Node, StanzaError> {
        self.find(name).await?.ok_or_else(no_node)
    }

    /// All nodes.
    pub(super) async fn nodes(&self) -> Result<Vec<Node>, StanzaError> {
        let found = self.store().nodes(&self.address, self.nodes_max()).await?;
        found
            .into_iter()
            .map(|stored| self.node_of(stored))
            .collect()
    }

    fn node_of(&self, stored: PubsubNode) -> Result<Node, StanzaError> {
        Ok(Node {
            name: stored.node.clone(),
            config: NodeConfig::from_bytes(&stored.config, self.face)?,
            stored,
        })
    }

    /// Makes a node; `None` when there is one of that name already.
    ///
    /// # Errors
    /// `resource-constraint` when there are as many as there may be.
    pub(super) async fn create(
        &self,
        name: &str,
        config: NodeConfig,
        creator: &BareJid,
    ) -> Result<Option<Node>, StanzaError> {
        let node = self.made(name, config, creator);
        match self
            .store()
            .create(&self.address, &node.stored, self.node_bounds())
            .await?
        {
            Created::Exists => return Ok(None),
            Created::Full => {
                return Err(super::error::refusal(
                    Condition::ResourceConstraint,
                    "max-nodes-exceeded",
                ));
            }
            Created::Made => {}
        }
        if self.face == Face::Service {
            let owner = Some(Affiliation::Owner.name());
            let max = self.limits().subscriptions_per_node_max.max(1);
            let _first = self
                .store()
                .affiliate(&self.address, name, creator, owner, max)
                .await?;
        }
        Ok(Some(node))
    }

    /// A node as it is when it is made now.
    pub(super) fn made(&self, name: &str, config: NodeConfig, creator: &BareJid) -> Node {
        let stored = PubsubNode {
            node: name.to_owned(),
            config: config.to_bytes(self.face),
            creator: creator.to_string(),
            created_at: self.services.clock.now(),
            purge_offline: config.purge_offline,
        };
        Node {
            name: name.to_owned(),
            config,
            stored,
        }
    }

    /// What the entity is to the place as a whole: the owner of the account, or nobody.
    pub(super) fn owns_all(&self, who: &BareJid) -> bool {
        self.face == Face::Account && *who == self.address
    }

    /// The entity's affiliation with a node.
    pub(super) async fn affiliation(
        &self,
        node: &Node,
        who: &BareJid,
    ) -> Result<Affiliation, StanzaError> {
        if self.owns_all(who) {
            return Ok(Affiliation::Owner);
        }
        let found = self
            .store()
            .affiliation(&self.address, &node.name, who)
            .await?;
        let known = found.and_then(|name| Affiliation::from_name(&name));
        Ok(known.unwrap_or(Affiliation::None))
    }

    /// What the entity is to a node.
    pub(super) async fn viewer(&self, node: &Node, who: &BareJid) -> Result<Viewer, StanzaError> {
        let affiliation = self.affiliation(node, who).await?;
        let item = match self.face {
            Face::Account if affiliation == Affiliation::None => {
                self.services
                    .store
                    .rosters()
                    .find(&self.address, who)
                    .await?
            }
            Face::Account | Face::Service => None,
        };
        let subscribed = self
            .store()
            .is_subscribed(&self.address, &node.name, who)
            .await?;
        Ok(Viewer {
            affiliation,
            presence: item
                .as_ref()
                .is_some_and(|item| item.subscription.has_from()),
            groups: item.map(|item| item.groups).unwrap_or_default(),
            subscribed,
        })
    }

    /// The node of that name, of which the entity must be an owner.
    ///
    /// # Errors
    /// `item-not-found`, `forbidden`.
    pub(super) async fn owned(&self, name: &str, who: &BareJid) -> Result<Node, StanzaError> {
        let node = self.node(name).await?;
        match self.affiliation(&node, who).await? {
            Affiliation::Owner => Ok(node),
            Affiliation::Publisher
            | Affiliation::PublishOnly
            | Affiliation::Member
            | Affiliation::None
            | Affiliation::Outcast => Err(forbidden()),
        }
    }
}
