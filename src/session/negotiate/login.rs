//! What follows a proof: the resource, with what is enabled beside it (XEP-0386), and what SASL2 asks
//! of the store: tokens (XEP-0484), keys (XEP-0480).

use tracing::warn;

use super::Driver;
use crate::config::Conflict;
use crate::hooks::{Connection, MailboxLimits};
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::proto::{
    BareJid, Condition, FullJid, Resource, StanzaError, StreamCondition, StreamError, ns,
};
use crate::router::registry::Binding;
use crate::store::{FastToken, NewToken, Redeemed, StoreError, TokenExchange, TokensExchanged};
use crate::stream::sasl::{Secret, Token, TokenMechanism};
use crate::stream::{Exchanged, Input, Next, Redemption};
use crate::xml::Element;

impl Driver {
    /// Grants a wish of SASL2.
    pub(super) async fn complete(&mut self, next: Next) -> Input {
        let answered = match next {
            Next::Tokens { account, agent } => self.tokens(&account, &agent).await,
            Next::Hashes { account } => {
                let hashes = self.store().credentials().hashes(&account).await;
                // Who has no password here is given none by an upgrade either.
                hashes.map(|present| match present.is_empty() {
                    true => Input::Hashes(ScramHash::ALL.to_vec()),
                    false => Input::Hashes(present),
                })
            }
            Next::Upgrade { account, keys } => self.upgrade(&account, &keys).await,
            Next::Exchange {
                account,
                agent,
                redeemed,
                request,
            } => {
                self.exchange(&account, &agent, redeemed.as_ref(), request)
                    .await
            }
            Next::Establish {
                account,
                resource,
                replaces,
                inline,
            } => {
                let bound = self.establish(account, resource, replaces, &inline).await;
                Ok(Input::Established(bound))
            }
            Next::Read
            | Next::Restart
            | Next::StartTls
            | Next::Keys { .. }
            | Next::Password { .. }
            | Next::Bearer { .. }
            | Next::Admit { .. }
            | Next::Bind { .. }
            | Next::Resume { .. }
            | Next::Answer { .. }
            | Next::Ready(_)
            | Next::Close => Ok(Input::Unavailable),
        };
        answered.unwrap_or_else(|error| {
            warn!(%error, "a login could not be completed");
            Input::Unavailable
        })
    }

    async fn tokens(&mut self, account: &BareJid, agent: &str) -> Result<Input, StoreError> {
        self.before_proof(account).await;
        let found = self.store().fast_tokens().find(account, agent).await?;
        let now = self.proved_at;
        let token = |stored: FastToken| {
            let expired = stored.expires_at() <= now;
            // Of a mechanism that this version does not know, nothing can be proved.
            let mechanism = TokenMechanism::parse(&stored.mechanism)?;
            Some(Token {
                id: stored.id,
                mechanism,
                secret: Secret::from(stored.secret.as_str()),
                expired,
            })
        };
        Ok(Input::Tokens(found.into_iter().filter_map(token).collect()))
    }

    async fn upgrade(&self, account: &BareJid, keys: &ScramKeys) -> Result<Input, StoreError> {
        let credentials = self.store().credentials();
        credentials.add(account, keys, self.proved_at).await?;
        Ok(Input::Upgraded)
    }

    async fn exchange(
        &self,
        account: &BareJid,
        agent: &str,
        redeemed: Option<&Redemption>,
        request: Option<TokenMechanism>,
    ) -> Result<Input, StoreError> {
        let services = self.listener.router.services();
        let fast = &services.config.fast;
        // Twice 122 random bits: nobody guesses them, and no hash of them needs to be slow.
        let secret = format!("{}{}", crate::id::random(), crate::id::random());
        let exchange = TokenExchange {
            account,
            agent,
            redeemed: redeemed.map(|redeemed| Redeemed {
                token: &redeemed.token,
                count: redeemed.count,
                invalidate: redeemed.invalidate,
            }),
            request: request.map(TokenMechanism::name),
            proved_at: self.proved_at,
            now: services.clock.now(),
            next: NewToken {
                id: crate::id::random(),
                secret,
                lifetime_seconds: i64::from(fast.token_days) * 86_400,
                rotation_seconds: i64::from(fast.rotation_hours) * 3_600,
                clients_max: fast.clients_max,
            },
        };
        let exchanged = self.store().fast_tokens().exchange(&exchange).await?;
        Ok(Input::Exchanged(match exchanged {
            TokensExchanged::Refused => Exchanged::Refused,
            TokensExchanged::Kept => Exchanged::Kept,
            TokensExchanged::Issued(expiry) => Exchanged::Issued {
                token: Secret::from(exchange.next.secret.as_str()),
                expiry,
            },
        }))
    }

    async fn establish(
        &mut self,
        account: BareJid,
        resource: Resource,
        replaces: Option<String>,
        inline: &Element,
    ) -> Result<(FullJid, Vec<Element>), StanzaError> {
        let policy = match &replaces {
            // Whatever is meant for strangers, the client takes its own place.
            Some(own) => {
                self.end_earlier(&account, own);
                Conflict::Replace
            }
            None => self.listener.router.services().config.c2s.conflict,
        };
        let jid = self.bind_resource(account, resource, policy).await?;
        let hooks = &self.listener.router.services().hooks;
        let bound = self.bound.as_ref();
        let answers = bound.map(|session| hooks.run_bind_inline(session, inline));
        let mut answers = answers.unwrap_or_default();
        let asked = inline.find(ns::STREAM_MANAGEMENT, "enable");
        answers.extend(asked.map(|asked| self.enable(asked)));
        Ok((jid, answers))
    }

    pub(super) async fn bind(
        &mut self,
        account: BareJid,
        asked: Option<String>,
    ) -> Result<FullJid, StanzaError> {
        let resource = match asked {
            Some(asked) => Resource::new(&asked),
            None => Resource::new(&crate::id::random()),
        };
        let resource = resource.map_err(|error| StanzaError::bad_request(&error.to_string()))?;
        let policy = self.listener.router.services().config.c2s.conflict;
        self.bind_resource(account, resource, policy).await
    }

    async fn bind_resource(
        &mut self,
        account: BareJid,
        resource: Resource,
        policy: Conflict,
    ) -> Result<FullJid, StanzaError> {
        let services = self.listener.router.services();
        let limits = &services.config.c2s;
        let binding = Binding {
            account,
            resource,
            connection: Connection {
                peer: self.peer,
                transport: self.transport_name,
                since: services.clock.now(),
            },
            mailbox: MailboxLimits {
                stanzas_max: limits.mailbox_stanzas_max as usize,
                bytes_max: limits.mailbox_bytes_max.as_usize(),
            },
        };
        let sessions_max = limits.resources_per_account_max as usize;
        let session = self
            .listener
            .router
            .registry()
            .bind(binding, policy, sessions_max)?;
        let jid = session.jid().clone();
        self.bound = Some(session);
        // Asked again, now that who ends the account's sessions would find this one: the
        // account may have been disabled or removed since it logged in.
        let account = jid.bare();
        match self.store().accounts().find(account).await {
            Ok(Some(found)) if found.enabled => {}
            Ok(_) => {
                self.unbind().await;
                return Err(Condition::NotAuthorized.into());
            }
            Err(error) => {
                self.unbind().await;
                return Err(error.into());
            }
        }
        Ok(jid)
    }

    /// XEP-0386 §3.2: earlier sessions of the same client end, by whatever tag they were bound.
    fn end_earlier(&self, account: &BareJid, own: &str) {
        let registry = self.listener.router.registry();
        let Some(account) = registry.find(account) else {
            return;
        };
        for session in account.sessions().iter() {
            let resource = session.resource().as_str();
            if resource.rsplit('/').next() == Some(own) {
                let error = StreamError::new(StreamCondition::Conflict);
                session.end(error.text("replaced by a new session"));
            }
        }
    }
}
