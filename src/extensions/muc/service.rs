//! The door of the service: which part of it a stanza is for.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::rooms::Rooms;
use super::{info, moderation, owner};
use crate::hooks::{Effects, Iq, IqAnswer, Parcel, Service};
use crate::proto::{Condition, IqType, Kind, PresenceType, StanzaError, ns};
use crate::xml::Element;

impl Service for Rooms {
    fn request(self: Arc<Self>, iq: Iq) -> BoxFuture<'static, Option<IqAnswer>> {
        Box::pin(async move {
            if let Err(error) = self.ready(&iq.services).await {
                return Some(Err(error));
            }
            if iq.to.node().is_none() {
                self.service_request(&iq)
            } else {
                Some(Box::pin(self.room_request(&iq)).await)
            }
        })
    }

    fn take(self: Arc<Self>, parcel: Parcel) -> BoxFuture<'static, Result<Effects, StanzaError>> {
        Box::pin(async move {
            self.ready(&parcel.services).await?;
            let at_domain = parcel
                .stanza
                .to
                .as_ref()
                .is_none_or(|to| to.local().is_none());
            match parcel.stanza.kind {
                Kind::Iq(kind) if at_domain && !kind.is_request() => Ok(Effects::default()),
                _ if at_domain => Err(Condition::ServiceUnavailable.into()),
                Kind::Message(kind) => self.message(&parcel, kind).await,
                Kind::Presence(PresenceType::Available) => self.arrive(&parcel).await,
                Kind::Presence(kind) if kind.is_subscription() => {
                    Err(Condition::FeatureNotImplemented.into())
                }
                Kind::Presence(kind) => Ok(self.depart(&parcel, kind).await),
                Kind::Iq(kind) => self.relay(&parcel, kind).await,
            }
        })
    }
}

impl Rooms {
    fn service_request(&self, iq: &Iq) -> Option<IqAnswer> {
        match (iq.kind, iq.payload.ns(), iq.payload.name()) {
            (IqType::Get, ns::DISCO_INFO, "query") => Some(self.service_info(iq)),
            (IqType::Get, ns::DISCO_ITEMS, "query") => Some(self.service_items(iq)),
            (IqType::Get, info::UNIQUE, "unique") => {
                let name = crate::id::random();
                Some(Ok(Some(Element::new(info::UNIQUE, "unique").text(name))))
            }
            _ => None,
        }
    }

    async fn room_request(&self, iq: &Iq) -> IqAnswer {
        let room = self.find(&iq.to).ok_or_else(owner::no_room)?;
        match (iq.kind, iq.payload.ns(), iq.payload.name()) {
            (IqType::Get, ns::DISCO_INFO, "query") => self.room_info(iq, &room),
            (IqType::Get, ns::DISCO_ITEMS, "query") => self.room_items(iq, &room),
            (IqType::Get | IqType::Set, ns::MUC_ADMIN, "query") => self.administer(iq, &room).await,
            (IqType::Get | IqType::Set, ns::MUC_OWNER, "query") => {
                Box::pin(self.own(iq, &room)).await
            }
            (IqType::Get | IqType::Set, ns::REGISTER, "query") => {
                self.registration(iq, &room).await
            }
            (IqType::Get | IqType::Set, ns::VCARD, "vCard") => self.vcard(iq, &room).await,
            (IqType::Set, moderation::MODERATE, "moderate") => self.moderate(iq, &room).await,
            (IqType::Set, ns::COMMANDS, "command") => Box::pin(self.command(iq, &room)).await,
            (IqType::Get, ns::PING, "ping") => Ok(None),
            (IqType::Get | IqType::Set, ns::MAM, _) => self.archived(iq, &room).await,
            _ => Err(Condition::ServiceUnavailable.into()),
        }
    }
}
