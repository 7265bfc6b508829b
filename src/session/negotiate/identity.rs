//! What those say who know people that have no password here: a directory of a password, whoever signs
//! tokens of a token.

use std::sync::Arc;

use tracing::{Instrument as _, error, info, warn};

use super::Driver;
use crate::clock::Timestamp;
use crate::hooks::Services;
use crate::identity::{Admitted, PasswordAnswer, Person, admit};
use crate::proto::BareJid;
use crate::stream::Input;
use crate::stream::sasl::{BearerVerdict, PasswordVerdict, Secret};

/// Who would know cannot be asked; it is in the log why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unavailable;

/// Sees to it that the person has an account; whether it has. A role that the person has from now on holds in sessions that are
/// open, too.
async fn admitted(
    services: Arc<Services>,
    person: Person,
    at: Timestamp,
) -> Result<bool, Unavailable> {
    match admit(&services.store, &services.config, &person, at).await {
        Ok(Admitted::Theirs) => Ok(true),
        Ok(Admitted::WithAnotherRole) => {
            let account = &person.account;
            let followed = services.hooks.run_account_changed(account, &services);
            if let Err(error) = followed.await {
                warn!(%error, %account, "a role is followed when its account comes online");
            }
            Ok(true)
        }
        Ok(Admitted::NotTheirs) => Ok(false),
        Err(error) => {
            warn!(%error, "an account could not be made");
            Err(Unavailable)
        }
    }
}

impl Driver {
    /// Whether the directory takes the password; `None` when it knows nobody of that name.
    pub(super) async fn directory_password(
        &mut self,
        account: &BareJid,
        password: &Secret,
    ) -> Result<Option<PasswordVerdict>, Unavailable> {
        let asked = self
            .listener
            .identities
            .password(account, password.expose());
        match Box::pin(asked).await {
            Ok(PasswordAnswer::Right(person)) => {
                self.person = Some(person);
                Ok(Some(PasswordVerdict::Right))
            }
            Ok(PasswordAnswer::Wrong) => Ok(Some(PasswordVerdict::Wrong)),
            Ok(PasswordAnswer::Unknown) => Ok(None),
            Err(error) => {
                warn!(%error, "the directory cannot tell whether a password is right");
                Err(Unavailable)
            }
        }
    }

    /// Whose token it is (RFC 7628).
    pub(super) async fn bearer(&mut self, host: &BareJid, token: &Secret) -> Input {
        self.claimed = None;
        self.person = None;
        self.hold_back().await;
        self.proved_at = self.listener.router.services().clock.now();
        let identities = &self.listener.identities;
        let asked = identities.token(host, token.expose(), self.proved_at);
        match Box::pin(asked).await {
            Ok(Ok(person)) => {
                let account = person.account.clone();
                self.claimed = Some(account.clone());
                self.person = Some(person);
                Input::Bearer(BearerVerdict::Right(account))
            }
            Ok(Err(refusal)) => {
                info!(reason = refusal.reason, "token refused");
                Input::Bearer(BearerVerdict::Refused(refusal.answer))
            }
            Err(error) => {
                warn!(%error, "a token cannot be checked");
                Input::Unavailable
            }
        }
    }

    /// Whether whoever knows the account's person lets it in. Where somebody has just said who it is, the
    /// account comes into being; another proof does not outlive that the person is known.
    pub(super) async fn vouched(&mut self, account: &BareJid) -> Result<bool, Unavailable> {
        let person = self.person.take();
        let services = self.listener.router.services();
        if let Some(person) = person.filter(|person| person.account == *account) {
            let admitted = admitted(Arc::clone(services), person, self.proved_at);
            // A task of its own: the deadline must not leave half of it done.
            let admitted = self.listener.tasks.spawn(admitted.in_current_span());
            return admitted.await.unwrap_or_else(|error| {
                error!(%error, "an admission failed");
                Err(Unavailable)
            });
        }
        let source = services.store.account_sources().find(account).await;
        let source = source.map_err(|error| {
            warn!(%error, "the account could not be read");
            Unavailable
        })?;
        let Some(source) = source else {
            return Ok(true);
        };
        let known = self.listener.identities.still_knows(account, &source).await;
        known.map_err(|error| {
            warn!(%error, "the directory cannot tell whether somebody is there");
            Unavailable
        })
    }
}
