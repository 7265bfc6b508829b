//! What is asked when somebody comes with a link: who that is, and whether that one sees the file now.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::links::{Holder, Link};
use super::names;
use crate::admin::{self, Actor, Operator};
use crate::contact_center::center::Center;
use crate::contact_center::doors::{Asker, known};
use crate::contact_center::errors::Refused;
use crate::contact_center::message_streams::{delivery, find, seen};
use crate::domain::ids::AgentId;
use crate::domain::message_stream::Stream;
use crate::hooks::{AttachmentKeeping, AttachmentLink, Services, ShownAttachment};
use crate::proto::{BareJid, Jid};
use crate::store::{StoreError, StoredAttachment, UploadFiles, UploadId};

/// The contact center for what serves files.
pub(super) struct Desk(pub(super) Arc<Center>);

impl AttachmentKeeping for Desk {
    fn shown(
        &self,
        link: AttachmentLink,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<Option<ShownAttachment>, StoreError>> {
        Box::pin(async move {
            let Some(id) = UploadId::parse(&link.id) else {
                return Ok(None);
            };
            // Before the database is asked: who has no link of ours costs nothing.
            let read = self.0.files.read(id.as_str(), &link.query);
            let Some(read) = read.filter(|it| it.until > services.clock.now()) else {
                return Ok(None);
            };
            let found = services.store.attachments().find(&id).await?;
            let Some(found) = found.filter(|it| it.file_name == link.name) else {
                return Ok(None);
            };
            if !self.sees(&services, &read, &found).await? {
                return Ok(None);
            }
            let files = UploadFiles::of_attachments(&services.config.data_dir);
            Ok(Some(ShownAttachment {
                place: files.place(&id),
                name: found.file_name,
                media_type: found.media_type,
            }))
        })
    }
}

impl Desk {
    async fn sees(
        &self,
        services: &Arc<Services>,
        link: &Link<'_>,
        file: &StoredAttachment,
    ) -> Result<bool, StoreError> {
        let seen = match &link.holder {
            Holder::Agent(agent) => self.agent_sees(services, agent, file).await,
            Holder::Component(domain) => self.component_sees(services, domain, file).await,
            Holder::Discloser(account) => self.discloser_sees(services, account, file).await,
        };
        match seen {
            Ok(seen) => Ok(seen),
            Err(Refused::Store(error)) => Err(error),
            // The account is gone or kept out.
            Err(Refused::Rule(_) | Refused::Contended | Refused::Stanza(_)) => Ok(false),
        }
    }

    /// Whether the file is of a message that the agent may read.
    async fn agent_sees(
        &self,
        services: &Arc<Services>,
        agent: &AgentId,
        file: &StoredAttachment,
    ) -> Result<bool, Refused> {
        let Some(place) = self.0.place_of(&file.host) else {
            return Ok(false);
        };
        let from = Jid::from(agent.jid().clone());
        let asker = Asker {
            from: &from,
            language: None,
        };
        let caller = known(&self.0, place, services, asker).await?;
        let Ok(stream) = file.stream.parse() else {
            return Ok(false);
        };
        let stream = seen(&caller, &stream).await?;
        Ok(stream.is_some_and(|stream| {
            let mut files = stream
                .read_by(&caller.rights)
                .flat_map(|it| &it.attachments);
            files.any(|it| it.slot == file.id.as_str())
        }))
    }

    /// Whether the file is of a stream that the component passes on.
    async fn component_sees(
        &self,
        services: &Arc<Services>,
        domain: &str,
        file: &StoredAttachment,
    ) -> Result<bool, Refused> {
        let Some(place) = self.0.place_of(&file.host) else {
            return Ok(false);
        };
        let passes = delivery::connector(services, place);
        let Ok(stream) = file.stream.parse() else {
            return Ok(false);
        };
        if passes.is_none_or(|it| it.domain.as_str() != domain) {
            return Ok(false);
        }
        let stream = find(services, place, &stream).await?;
        let stream = stream.filter(Stream::is_for_the_customer);
        Ok(stream.is_some_and(|stream| names(&stream, file)))
    }

    /// Whether the account may have disclosed what is kept of customers of that host, and the file is still of a stream.
    async fn discloser_sees(
        &self,
        services: &Arc<Services>,
        account: &BareJid,
        file: &StoredAttachment,
    ) -> Result<bool, Refused> {
        let Some(place) = self.0.place_of(&file.host) else {
            return Ok(false);
        };
        let found = services.store.accounts().find(account).await?;
        let Some(role) = found.filter(|it| it.enabled).map(|it| it.role) else {
            return Ok(false);
        };
        let from = Jid::from(account.clone());
        let actor = Actor::account(&Operator::configured(services), &from, role, None);
        let actor = actor.with_rights(admin::rights_of(&services.store, account, role).await?);
        let operation = admin::find("customer disclose");
        let may = operation.is_some_and(|it| admin::may(&actor, it));
        if !may || !actor.reaches(&file.host) {
            return Ok(false);
        }
        let Ok(stream) = file.stream.parse() else {
            return Ok(false);
        };
        let stream = find(services, place, &stream).await?;
        Ok(stream.is_some_and(|stream| names(&stream, file)))
    }
}
