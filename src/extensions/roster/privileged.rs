//! XEP-0356: Privileged Entity, version 0.4.1, section 4: rosters for components that may manage them.
//!
//! What such components send in the name of others is in [`crate::component`].

use std::sync::Arc;

use tracing::debug;

use super::{change, item, whole};
use crate::config::{Component, Privileges};
use crate::hooks::{Iq, IqAnswer, Services};
use crate::proto::{BareJid, Condition, IqType, Stanza};
use crate::store::RosterChange;

/// RFC 6121 §2.1.5: nobody reads or changes the roster of another, but for a component that may.
pub(super) async fn of_another(iq: Iq) -> IqAnswer {
    let allowed = privileges(&iq).is_some_and(|it| match iq.kind {
        IqType::Get => it.roster.may_get(),
        IqType::Set => it.roster.may_set(),
        IqType::Result | IqType::Error => false,
    });
    if !allowed {
        return Err(Condition::Forbidden.into());
    }
    let owner = iq.to.clone();
    if iq.services.store.accounts().find(&owner).await?.is_none() {
        return Err(Condition::ItemNotFound.into());
    }
    match iq.kind {
        IqType::Get => whole(&iq.services, &owner).await.map(Some),
        IqType::Set | IqType::Result | IqType::Error => {
            change(&iq, &owner).await?;
            Ok(None)
        }
    }
}

/// What the asker may do; only the component itself, and no address of it.
fn privileges(iq: &Iq) -> Option<&Privileges> {
    let itself = iq.from.is_bare() && iq.from.local().is_none();
    let mut components = iq.services.config.components.iter();
    let component = components.find(|it| itself && it.domain.as_str() == iq.from.domain())?;
    let here = component.acts_for(iq.to.domain().as_str());
    here.then_some(&component.privileges)
}

/// §4.4: components that may read the roster are told of its changes.
pub(super) fn push(services: &Services, owner: &BareJid, change: &RosterChange) {
    let hears = |it: &&Component| {
        let told = it.privileges.roster.may_get() && it.privileges.roster_push;
        told && it.acts_for(owner.domain().as_str())
    };
    for component in services.config.components.iter().filter(hears) {
        let push = Stanza::iq(IqType::Set, &crate::id::random())
            .from(owner.clone())
            .to(component.domain.to_jid())
            .child(&item::pushed(change));
        let gateway = services.gateway(component.domain.as_str());
        if gateway.is_some_and(|it| it.send(Arc::new(push)).is_err()) {
            debug!("a component is not there for a roster push");
        }
    }
}
