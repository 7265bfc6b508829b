//! What the store says of an account whose owner is proving to be it: its keys, whether a password
//! is right, whether it may come in.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::{info, warn};

use super::Driver;
use super::identity::Unavailable;
use crate::config::AuthSource;
use crate::observe::metrics::counted;
use crate::proto::BareJid;
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::stream::sasl::{PasswordVerdict, SaslCondition, Secret};
use crate::stream::{Admission, Input};

impl Driver {
    /// What a ban by address is made from, and what tells why somebody cannot log in.
    pub(super) fn tell_failure(&self, condition: SaslCondition) {
        let account = self.claimed.as_ref().map(ToString::to_string);
        info!(account, condition = condition.name(), "login failed");
        counted().logins_refused.increment(1);
    }

    /// An address that has guessed often waits before each try, whether right or wrong: who
    /// could tell them apart by time would not wait for the answer.
    pub(super) async fn hold_back(&self) {
        let now = Instant::now().into_std();
        let delay = self.listener.addresses.authentication_delay(self.peer, now);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// Before what a client says of an account is compared with what the store has of it.
    pub(super) async fn before_proof(&mut self, account: &BareJid) {
        self.claimed = Some(account.clone());
        self.person = None;
        self.hold_back().await;
        self.proved_at = self.listener.router.services().clock.now();
    }

    pub(super) async fn keys(&mut self, account: &BareJid, hash: ScramHash) -> Input {
        self.before_proof(account).await;
        match self.store().credentials().find(account, hash).await {
            Ok(login) => Input::Keys(login.and_then(|login| login.keys)),
            Err(error) => {
                warn!(%error, "credentials could not be read");
                Input::Unavailable
            }
        }
    }

    /// Asks the sources in their order; the first that knows the account decides.
    pub(super) async fn password(&mut self, account: BareJid, password: Secret) -> Input {
        self.before_proof(&account).await;
        let services = Arc::clone(self.listener.router.services());
        for source in &services.config.auth.sources {
            let verdict = match source {
                AuthSource::Local => self.own_password(&account, &password).await,
                AuthSource::Ldap => self.directory_password(&account, &password).await,
                AuthSource::Oauth => Ok(None),
            };
            match verdict {
                Ok(None) => {}
                Ok(Some(verdict)) => return Input::Verdict(verdict),
                Err(Unavailable) => return Input::Unavailable,
            }
        }
        Input::Verdict(PasswordVerdict::Wrong)
    }

    /// Whether it is the account's password here; `None` when the account has none.
    async fn own_password(
        &self,
        account: &BareJid,
        password: &Secret,
    ) -> Result<Option<PasswordVerdict>, Unavailable> {
        let keys = match self.store().credentials().strongest(account).await {
            Ok(login) => login.and_then(|login| login.keys),
            Err(error) => {
                warn!(%error, "credentials could not be read");
                return Err(Unavailable);
            }
        };
        let known = keys.is_some();
        let keys: ScramKeys =
            keys.unwrap_or_else(|| self.listener.rules.decoys.keys(account, ScramHash::Sha512));
        let password = Secret::from(password.expose());
        // A derivation takes a millisecond or more, in which this thread serves nobody else.
        // As many at once as there are processors: strangers can ask for it.
        let _place = self.listener.derivations.acquire().await;
        let check = tokio::task::spawn_blocking(move || keys.verify_password(password.expose()));
        match check.await {
            Ok(_) if !known => Ok(None),
            Ok(true) => Ok(Some(PasswordVerdict::Right)),
            Ok(false) => Ok(Some(PasswordVerdict::Wrong)),
            Err(error) => {
                warn!(%error, "a password check failed to run");
                Err(Unavailable)
            }
        }
    }

    pub(super) async fn admit(&mut self, account: &BareJid) -> Input {
        match Box::pin(self.vouched(account)).await {
            Ok(true) => {}
            Ok(false) => return Input::Admission(Admission::Unknown),
            Err(Unavailable) => return Input::Unavailable,
        }
        match self.store().accounts().find(account).await {
            Ok(Some(found)) if found.enabled => {
                counted().logins_accepted.increment(1);
                Input::Admission(Admission::Granted)
            }
            Ok(Some(_)) => Input::Admission(Admission::Disabled),
            Ok(None) => Input::Admission(Admission::Unknown),
            Err(error) => {
                warn!(%error, "the account could not be read");
                Input::Unavailable
            }
        }
    }
}
