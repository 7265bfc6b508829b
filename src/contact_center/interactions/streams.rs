//! Connectors that have gone and are back: what is known of their interactions meanwhile, and afterwards.
//!
//! A connector that has gone may have left its customers talking: its interactions are interrupted. When it is back it is asked what is
//! so ([`asking`]). One that stays away is given up by the interactions' own deadlines ([`Fact::Interrupted`]).

use std::sync::Arc;

use futures_util::StreamExt as _;
use tracing::warn;

use super::change::{self, Work};
use super::{CARRIED, GOING_ON, KIND, PAGE, asking, carried_by, states};
use crate::clock::Timestamp;
use crate::config::ComponentRole;
use crate::contact_center::center::Center;
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::domain::ids::InteractionId;
use crate::domain::interaction::{Command, Fact, Interaction};
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::{ListOrder, StoreError};

/// Interactions that are interrupted or made right at once: many share a commit.
pub(super) const AT_ONCE: usize = 64;

/// Registers what follows the components' streams.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let center = Arc::clone(center);
    hooks.component(move |domain, services| {
        let center = Arc::clone(&center);
        async move {
            if let Err(refused) = Box::pin(changed(&center, &services, &domain)).await {
                warn!(%refused, connector = %domain, "its interactions are not followed");
            }
        }
    });
}

/// A component has connected, or has gone: which of both holds now is looked at in its turn.
pub(super) async fn changed(
    center: &Arc<Center>,
    services: &Arc<Services>,
    domain: &BareJid,
) -> Result<(), Refused> {
    let mut components = services.config.components.iter();
    let connector = components
        .find(|it| it.domain.as_str() == domain.as_str() && it.role == ComponentRole::Connector);
    let Some(connector) = connector.filter(|_| !center.is_stopping()) else {
        return Ok(());
    };
    let _turn = center.connectors.take(domain.clone()).await;
    if is_there(services, domain.as_str()) {
        return asking::begin(center, services, connector).await;
    }
    for place in center.places() {
        if connector.acts_for(place.host.as_str()) {
            let work = Work {
                center,
                services,
                place,
            };
            let owner = carried_by(domain.as_str(), place.host.as_str());
            interrupt(work, (CARRIED, &owner), false).await?;
        }
    }
    Ok(())
}

/// Whether the connector is connected at this moment.
pub(super) fn is_there(services: &Services, connector: &str) -> bool {
    let gateway = services.gateway(connector);
    gateway.is_some_and(|gateway| gateway.is_there(connector))
}

/// Before anybody can connect: nothing is known of what goes on until the connectors are back.
pub(in crate::contact_center) async fn start(
    center: &Center,
    services: &Arc<Services>,
) -> Result<(), StoreError> {
    for place in center.places() {
        let work = Work {
            center,
            services,
            place,
        };
        let made = async {
            interrupt(work, (GOING_ON, place.host.as_str()), true).await?;
            Box::pin(states::start(work)).await
        };
        match Box::pin(made).await {
            Ok(()) => {}
            Err(Refused::Store(error)) => return Err(error),
            Err(refused) => warn!(%refused, host = %place.host, "interactions are as they were"),
        }
    }
    Ok(())
}

/// How long a connector that is away from now on is waited for.
pub(super) fn lost_until(services: &Services) -> Timestamp {
    let seconds = services.config.contact_center.connector_lost_seconds;
    let now = services.clock.now();
    now.plus_seconds(i64::from(seconds.as_u32()))
}

/// Interrupts all of a list, page by page.
async fn interrupt(
    work: Work<'_>,
    list: (&'static str, &str),
    at_start: bool,
) -> Result<(), Refused> {
    let until = lost_until(work.services);
    let mut after: Option<InteractionId> = None;
    loop {
        let page = read_page(work, list, after.as_ref()).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id.clone());
        futures_util::stream::iter(page)
            .for_each_concurrent(AT_ONCE, |interaction| async move {
                if at_start {
                    states::engage_all(work, &interaction).await;
                }
                let lost = |_: &Interaction| vec![Command::Report(Fact::Interrupted { until })];
                let done = change::settle(work, &interaction.id, &lost).await;
                if let Err(refused) = done {
                    warn!(%refused, interaction = %interaction.id, "it is not interrupted");
                }
            })
            .await;
    }
}

/// A page of a list, behind that one.
pub(super) async fn read_page(
    work: Work<'_>,
    list: (&str, &str),
    after: Option<&InteractionId>,
) -> Result<Vec<Interaction>, Refused> {
    let records = work.services.store.records();
    let from = after.map(InteractionId::as_str);
    let order = ListOrder::Ascending;
    let page = records.listed(KIND, list, from, order, PAGE).await?;
    let read = page.iter().map(record::read::<Interaction>);
    Ok(read.collect::<Result<_, _>>()?)
}
