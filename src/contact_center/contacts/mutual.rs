//! The plain way to personal contacts (S0-18 to S0-20): what any client does when it adds or removes somebody.
//! Where the rules of personal contacts do not hold, RFC 6121 goes its ordinary way; but of colleagues without instant messages
//! the request is refused with the reason (S0-12).

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::personal;
use crate::contact_center::center::Center;
use crate::contact_center::errors::Refused;
use crate::contact_center::people::{Person, between};
use crate::domain::colleague::{Prerequisite, colleagues};
use crate::domain::ids::AgentId;
use crate::domain::personal_contact::{Command, Rejection};
use crate::domain::reach::Blocking;
use crate::domain::rights::Right;
use crate::extensions::roster::{Mutuality, Taken};
use crate::hooks::Services;
use crate::proto::{BareJid, StanzaError};

/// The rule for the hosts of a contact center.
pub(super) struct Rule(pub(super) Arc<Center>);

impl Mutuality for Rule {
    fn subscribing<'a>(
        &'a self,
        services: &'a Arc<Services>,
        owner: &'a BareJid,
        contact: &'a BareJid,
    ) -> BoxFuture<'a, Result<Taken, StanzaError>> {
        Box::pin(async move {
            let taken = Box::pin(self.take(services, owner, contact, Command::Subscribe));
            Ok(taken.await?)
        })
    }

    fn unlisted<'a>(
        &'a self,
        services: &'a Arc<Services>,
        owner: &'a BareJid,
        contact: &'a BareJid,
    ) -> BoxFuture<'a, Result<Taken, StanzaError>> {
        Box::pin(async move {
            let taken = Box::pin(self.take(services, owner, contact, Command::Unlist));
            Ok(taken.await?)
        })
    }
}

impl Rule {
    async fn take(
        &self,
        services: &Arc<Services>,
        owner: &BareJid,
        contact: &BareJid,
        command: Command,
    ) -> Result<Taken, Refused> {
        if !services.config.contact_center.mutual_contacts || owner.domain() != contact.domain() {
            return Ok(Taken::Left);
        }
        let ids = AgentId::new(owner.clone()).zip(AgentId::new(contact.clone()));
        let (Some((own, other)), Some(place)) = (ids, self.0.place_of(owner.domain().as_str()))
        else {
            return Ok(Taken::Left);
        };
        let store = &services.store;
        let own = Person::find(place, store, &own).await?;
        let other = Person::find(place, store, &other).await?;
        let Some(role) = own.role else {
            return Ok(Taken::Left);
        };
        if colleagues(&own.colleague(), &other.colleague()).is_err() {
            return Ok(Taken::Left);
        }
        let rights = place.rights(store, owner, role).await?;
        if !rights.has(Right::PersonalContact) {
            return Ok(Taken::Left);
        }
        // Nobody gets into a contact list by force.
        let subscribes = command == Command::Subscribe;
        if subscribes {
            match between(services, &own.id, &other.id).await? {
                Blocking::None => {}
                Blocking::ByYou => return Ok(Taken::Left),
                // As by the operation: whoever is blocked shall not learn of it.
                Blocking::ByThem => return Err(Prerequisite::ImDisabledForThem.into()),
            }
        }
        match personal::change(services, &own, &other, command).await? {
            Ok(true) => Ok(Taken::Done),
            // A request that can never make them contacts would wait for ever: whoever asks is told why.
            Err(Rejection::Prerequisite(rule)) if subscribes && rule.is_about_im() => {
                Err(rule.into())
            }
            Ok(false) | Err(_) => Ok(Taken::Left),
        }
    }
}
