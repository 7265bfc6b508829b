//! A component of a CRM is asked who a customer is, where the operator says so. What it tells is written into records of
//! ours, by the ids of the CRM; when it fails or is late, our own records are looked at.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::{NS, wire};
use crate::admin::{KnownCustomer, known_customer};
use crate::config::Component;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::domain::customer::{MATCHES_MAX, Profile, Rejection};
use crate::domain::ids::CustomerId;
use crate::hooks::{Answer, Effects, Services};
use crate::proto::{IqType, Stanza};
use crate::xml::Element;

/// The customers that the CRM knows under that address; `None` where our own records are to be looked at.
pub(super) async fn ask(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    address: &str,
) -> Option<Vec<CustomerId>> {
    let component = component(services, place)?;
    let answer = answer(services, place, component, address).await?;
    let profiles = profiles(services, &answer)?;
    let kept = Box::pin(keep(center, services, place, profiles)).await;
    match kept {
        Ok(customers) => Some(customers),
        Err(error) => {
            warn!(%error, "customers of the CRM are not written down");
            None
        }
    }
}

/// Whom the operator wants to be asked about customers of that host.
fn component<'a>(services: &'a Services, place: &Place) -> Option<&'a Component> {
    let config = &services.config;
    let domain = config.contact_center.lookup_component.as_ref()?;
    let component = config.components.iter().find(|it| it.domain == *domain)?;
    component.acts_for(place.host.as_str()).then_some(component)
}

/// What it answers, in the time that it has.
async fn answer(
    services: &Arc<Services>,
    place: &Place,
    component: &Component,
    address: &str,
) -> Option<Element> {
    let domain = component.domain.as_str();
    let gateway = services.gateway(domain);
    if !gateway.is_some_and(|it| it.is_there(domain)) {
        // Nobody waits for one that is away, and nothing is kept for it.
        return None;
    }
    let id = crate::id::random();
    let find = Element::new(NS, "find").attr("address", address);
    let request = Stanza::iq(IqType::Get, &id)
        .from(place.address.clone())
        .to(component.domain.to_jid())
        .child(&find);
    let (tell, told) = oneshot::channel();
    let next = move |answer: Answer| {
        // Nobody may be waiting any more.
        let _late = tell.send(answer.payload);
        std::future::ready(Effects::default()).boxed()
    };
    let now = services.clock.now();
    if !services.requests.remember(&request, now, Box::new(next)) {
        warn!("too many requests wait; the CRM is not asked");
        return None;
    }
    let time = u64::from(services.config.contact_center.lookup_milliseconds);
    let answered = async {
        services.route(request).await;
        told.await.ok().flatten()
    };
    let answered = tokio::time::timeout(Duration::from_millis(time), answered).await;
    match answered {
        Ok(Some(answer)) => Some(answer),
        Ok(None) => {
            warn!(component = %component.domain, "the CRM refuses to look a customer up");
            None
        }
        Err(_) => {
            services.requests.forget(&id);
            warn!(component = %component.domain, "the CRM is late with a customer");
            None
        }
    }
}

/// The customers in an answer, each once; `None` for what is no answer. Parts that cannot be taken are left out,
/// and so is who has no id in the CRM, for it would be made anew each time.
fn profiles(services: &Services, answer: &Element) -> Option<Vec<Profile>> {
    if !answer.is(NS, "find") {
        warn!("the CRM answers something else than was asked");
        return None;
    }
    let region = services.config.contact_center.region;
    let told = answer.children().filter(|it| it.is(NS, "customer"));
    let mut seen = BTreeSet::new();
    let mut profiles = Vec::new();
    let mut count = 0;
    for customer in told.take(MATCHES_MAX) {
        count += 1;
        match wire::told(customer).understood_in_parts(region) {
            Ok(profile) => match &profile.crm_id {
                Some(id) if seen.insert(id.clone()) => profiles.push(profile),
                Some(_) => {}
                None => debug!("a customer of the CRM has no id"),
            },
            Err(rejection) => debug!(%rejection, "a customer of the CRM cannot be taken"),
        }
    }
    // Of those of whom none can be taken our own records may know more.
    (count == 0 || !profiles.is_empty()).then_some(profiles)
}

/// Writes down what the CRM knows, in one decision, and gives the records: of one that was merged that of which it is part.
async fn keep(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    profiles: Vec<Profile>,
) -> Result<Vec<CustomerId>, Refused> {
    let (store, host) = (&services.store, place.host.as_str());
    let decided = async |mut draft: Draft| {
        let mut customers = Vec::with_capacity(profiles.len());
        for profile in &profiles {
            let now = services.clock.now();
            let known = known_customer(store, host, profile.clone(), now).await??;
            let KnownCustomer {
                before,
                events,
                guard,
            } = known;
            if let Some(guard) = guard {
                draft.guard(guard);
            }
            let after = draft.change(&before, &events)?;
            let present = match after.merged_into {
                None => after.id,
                Some(into) => {
                    let present = super::find(services, place, &into).await?;
                    present.ok_or(Rejection::Unknown)?.id
                }
            };
            if !customers.contains(&present) {
                customers.push(present);
            }
        }
        Ok((draft, customers))
    };
    Box::pin(center.save(services, decided)).await
}
