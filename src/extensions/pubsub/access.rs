//! Who may do what with a node (XEP-0060 §4.1, §4.5): rules without a database.

use super::config::{AccessModel, NodeConfig, PublishModel};
use super::error::{forbidden, refusal};
use crate::proto::{Condition, StanzaError};

/// XEP-0060 §4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extensions) enum Affiliation {
    /// May do everything.
    Owner,
    /// May publish and read.
    Publisher,
    /// May publish.
    PublishOnly,
    /// May read.
    Member,
    /// What the access model says.
    None,
    /// Nothing.
    Outcast,
}

/// What is known of an entity and a node.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    pub(super) affiliation: Affiliation,
    /// Whether the owner of the account lets it see its presence.
    pub(super) presence: bool,
    /// The groups of the owner's roster that it is in.
    pub(super) groups: Vec<String>,
    /// Whether it has subscribed to the node, and waits for no owner.
    pub(super) subscribed: bool,
}

impl Affiliation {
    pub(super) const ALL: [Self; 6] = [
        Self::Owner,
        Self::Publisher,
        Self::PublishOnly,
        Self::Member,
        Self::None,
        Self::Outcast,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Publisher => "publisher",
            Self::PublishOnly => "publish-only",
            Self::Member => "member",
            Self::None => "none",
            Self::Outcast => "outcast",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Whether the entity may subscribe and read items (§4.5).
///
/// # Errors
/// What §6.1.3 and §6.5.9 name for the access model.
pub(super) fn read(config: &NodeConfig, viewer: &Viewer) -> Result<(), StanzaError> {
    match viewer.affiliation {
        Affiliation::Owner | Affiliation::Publisher | Affiliation::Member => return Ok(()),
        Affiliation::PublishOnly | Affiliation::Outcast => return Err(forbidden()),
        Affiliation::None => {}
    }
    let in_group = || {
        let allowed = |group: &String| config.roster_groups.contains(group);
        viewer.groups.iter().any(allowed)
    };
    match config.access {
        AccessModel::Open => Ok(()),
        AccessModel::Presence if viewer.presence => Ok(()),
        AccessModel::Presence => Err(refusal(
            Condition::NotAuthorized,
            "presence-subscription-required",
        )),
        AccessModel::Roster if viewer.presence && in_group() => Ok(()),
        AccessModel::Roster => Err(refusal(Condition::NotAuthorized, "not-in-roster-group")),
        AccessModel::Authorize if viewer.subscribed => Ok(()),
        AccessModel::Authorize => Err(refusal(Condition::NotAuthorized, "not-subscribed")),
        AccessModel::Whitelist => Err(refusal(Condition::NotAllowed, "closed-node")),
    }
}

/// Whether the entity may publish (§7.1.3.1).
///
/// # Errors
/// `forbidden`.
pub(super) fn publish(config: &NodeConfig, viewer: &Viewer) -> Result<(), StanzaError> {
    let may = match viewer.affiliation {
        Affiliation::Owner | Affiliation::Publisher | Affiliation::PublishOnly => true,
        Affiliation::Outcast => false,
        Affiliation::Member | Affiliation::None => match config.publish {
            PublishModel::Publishers => false,
            PublishModel::Subscribers => viewer.subscribed && read(config, viewer).is_ok(),
            PublishModel::Open => true,
        },
    };
    if may { Ok(()) } else { Err(forbidden()) }
}

#[cfg(test)]
mod tests {
    use super::super::place::Face;
    use super::*;

    fn viewer(affiliation: Affiliation, presence: bool, groups: &[&str]) -> Viewer {
        Viewer {
            affiliation,
            presence,
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            subscribed: false,
        }
    }

    #[test]
    fn who_may_read_follows_the_table_of_section_4_5() {
        use AccessModel::{Authorize, Open, Presence, Roster, Whitelist};
        use Affiliation::{Member, None, Outcast, Owner, PublishOnly, Publisher};
        let own = |name: &str| Err(name.to_owned());
        for (access, affiliation, presence, groups, expected) in [
            (Open, None, false, &[][..], Ok(())),
            (Open, Outcast, true, &[], own("forbidden")),
            (Open, PublishOnly, true, &[], own("forbidden")),
            (Presence, None, true, &[], Ok(())),
            (
                Presence,
                None,
                false,
                &[],
                own("presence-subscription-required"),
            ),
            (Presence, Member, false, &[], Ok(())),
            (Roster, None, true, &["Friends"], Ok(())),
            (Roster, None, true, &["Work"], own("not-in-roster-group")),
            (
                Roster,
                None,
                false,
                &["Friends"],
                own("not-in-roster-group"),
            ),
            (Authorize, None, true, &["Friends"], own("not-subscribed")),
            (Authorize, Member, false, &[], Ok(())),
            (Authorize, Outcast, true, &[], own("forbidden")),
            (Whitelist, None, true, &["Friends"], own("closed-node")),
            (Whitelist, Member, false, &[], Ok(())),
            (Whitelist, Publisher, false, &[], Ok(())),
            (Whitelist, Owner, false, &[], Ok(())),
        ] {
            let config = NodeConfig {
                access,
                roster_groups: vec!["Friends".to_owned()],
                ..NodeConfig::of(Face::Account)
            };
            let told = read(&config, &viewer(affiliation, presence, groups)).map_err(|error| {
                let own = error.application.map(|own| own.name().to_owned());
                own.unwrap_or_else(|| error.condition.name().to_owned())
            });
            assert_eq!(told, expected, "{access:?} {affiliation:?} {presence}");
        }
    }

    #[test]
    fn who_was_let_subscribe_may_read() {
        let config = NodeConfig {
            access: AccessModel::Authorize,
            ..NodeConfig::of(Face::Service)
        };
        for subscribed in [true, false] {
            let viewer = Viewer {
                subscribed,
                ..viewer(Affiliation::None, false, &[])
            };
            assert_eq!(read(&config, &viewer).is_ok(), subscribed);
        }
    }

    #[test]
    fn who_may_publish_follows_the_publish_model() {
        use Affiliation::{Member, None, Outcast, Owner, PublishOnly, Publisher};
        use PublishModel::{Open, Publishers, Subscribers};
        for (publish_model, affiliation, subscribed, may) in [
            (Publishers, Owner, false, true),
            (Publishers, Publisher, false, true),
            (Publishers, PublishOnly, false, true),
            (Publishers, Member, true, false),
            (Publishers, None, true, false),
            (Subscribers, None, true, true),
            (Subscribers, None, false, false),
            (Open, None, false, true),
            (Open, Outcast, true, false),
        ] {
            let config = NodeConfig {
                access: AccessModel::Open,
                publish: publish_model,
                ..NodeConfig::of(Face::Service)
            };
            let viewer = Viewer {
                subscribed,
                ..viewer(affiliation, false, &[])
            };
            assert_eq!(
                publish(&config, &viewer).is_ok(),
                may,
                "{publish_model:?} {affiliation:?}"
            );
        }
    }
}
