//! What operators say to whoever logs in (XEP-0133 §4.24 to §4.28): the message of the day, once to each
//! account, and the welcome at the first login of an account.
//!
//! Both come when a session can take messages. The texts are set by operations ([`crate::admin`]).

use std::sync::Arc;

use tracing::warn;

use crate::admin::{MOTD, WELCOME, notice_message};
use crate::config::Config;
use crate::hooks::{Hooks, Services, Session};
use crate::proto::{BareJid, MessageType, Stanza};
use crate::store::{Notice, StoreError};

/// Registers the hook.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.backlog(|session, services| async move {
        let due = Box::pin(due(&session, &services)).await;
        due.unwrap_or_else(|error| {
            warn!(%error, "notices are not shown");
            Vec::new()
        })
    });
}

/// What the account has not seen. It counts as seen from now on: of several sessions one shows it.
async fn due(session: &Session, services: &Services) -> Result<Vec<Stanza>, StoreError> {
    let jid = session.account().jid();
    let host = jid.domain().as_str();
    let mut due = Vec::new();
    for notice in services.store.notices().list(host).await? {
        let wanted = match notice.kind.as_str() {
            MOTD => true,
            WELCOME => is_new(jid, services).await?,
            _ => false,
        };
        if wanted
            && is_shown_now(jid, &notice, services).await?
            && let Ok(from) = BareJid::new(host)
        {
            let (subject, body) = (&notice.subject, &notice.body);
            let to = session.address();
            due.push(notice_message(
                MessageType::Normal,
                &from,
                to,
                subject,
                body,
            ));
        }
    }
    Ok(due)
}

/// Whether the account was never here, and has not been welcomed.
async fn is_new(jid: &BareJid, services: &Services) -> Result<bool, StoreError> {
    let account = services.store.accounts().find(jid).await?;
    Ok(account.is_some_and(|account| account.last_seen.is_none()))
}

async fn is_shown_now(
    jid: &BareJid,
    notice: &Notice,
    services: &Services,
) -> Result<bool, StoreError> {
    let notices = services.store.notices();
    // Most have seen it: looking is cheaper than writing.
    let edition = match notice.kind.as_str() {
        // Whoever was welcomed is not welcomed with other words.
        WELCOME => WELCOME,
        _ => notice.edition.as_str(),
    };
    if notices.was_shown(jid, &notice.kind, edition).await? {
        return Ok(false);
    }
    notices.show(jid, &notice.kind, edition).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{Actor, Given, Operator, Outcome, Refusal, perform};
    use crate::extensions::testing::{Client, House};
    use crate::store::LastSeen;

    async fn done(house: &House, name: &str, text: &str) -> Result<Outcome, Refusal> {
        let operator = Operator::running(Arc::clone(house.router.services()));
        let mut given = Given::new();
        if !text.is_empty() {
            given.insert("text".to_owned(), text.to_owned());
        }
        Box::pin(perform(
            &operator,
            &Actor::command_line(Some(0)),
            name,
            &given,
        ))
        .await
    }

    fn all(hooks: &mut Hooks, config: &Arc<Config>) {
        *hooks = crate::extensions::hooks(config);
    }

    /// Sends initial presence, and tells what it has heard of that text.
    async fn arrives(client: &mut Client, text: &str) -> usize {
        client.send("<presence/>").await;
        client.received_xml().concat().matches(text).count()
    }

    #[tokio::test]
    async fn everybody_sees_the_message_of_the_day_once() {
        let house = House::with(&["ann", "bob"], all).await;
        let mut here = house.client("ann/here");
        here.send("<presence/>").await;
        here.received();
        done(&house, "motd set", "Tea at five.").await.unwrap();
        assert!(here.received_xml().concat().contains("Tea at five."));
        let mut second = house.client("ann/second");
        assert_eq!(arrives(&mut second, "Tea at").await, 0, "seen already");
        let mut bob = house.client("bob/one");
        assert_eq!(arrives(&mut bob, "Tea at").await, 1);
        bob.disconnect().await;
        let mut bob = house.client("bob/two");
        assert_eq!(arrives(&mut bob, "Tea at").await, 0);

        done(&house, "motd edit", "Tea at six.").await.unwrap();
        let mut third = house.client("ann/third");
        assert_eq!(arrives(&mut third, "Tea at").await, 0, "edited, not new");
        done(&house, "motd set", "Tea at seven.").await.unwrap();
        assert!(bob.received_xml().concat().contains("Tea at seven."));
        done(&house, "motd delete", "").await.unwrap();
        let gone = done(&house, "motd delete", "").await;
        assert!(matches!(gone, Err(Refusal::NotFound(_))));
        let none = done(&house, "motd edit", "Tea").await;
        assert!(matches!(none, Err(Refusal::NotFound(_))));
    }

    #[tokio::test]
    async fn who_is_new_is_welcomed_once() {
        let house = House::with(&["new", "old"], all).await;
        let accounts = house.router.services().store.accounts();
        let at = house.clock.now();
        let seen = LastSeen { at, status: None };
        let old = BareJid::new("old@localhost").unwrap();
        assert!(accounts.set_last_seen(&old, seen).await.unwrap());
        done(&house, "welcome set", "Welcome & enjoy.")
            .await
            .unwrap();
        for (who, times) in [("new/a", 1), ("new/b", 0), ("old/a", 0)] {
            let mut client = house.client(who);
            assert_eq!(
                arrives(&mut client, "Welcome &amp; enjoy.").await,
                times,
                "{who}"
            );
        }
        done(&house, "welcome set", "Welcome again.").await.unwrap();
        let mut client = house.client("new/c");
        assert_eq!(arrives(&mut client, "Welcome").await, 0);
    }

    #[tokio::test]
    async fn announcements_reach_every_session_that_is_there() {
        let house = House::with(&["ann", "bob"], all).await;
        let mut sessions = [
            house.client("ann/a"),
            house.client("ann/b"),
            house.client("bob/c"),
        ];
        let told = done(&house, "announce send", "Fire drill.").await.unwrap();
        assert_eq!(told.data["sessions"], 3);
        for session in &mut sessions {
            let heard = session.received_xml().concat();
            assert!(
                heard.contains("type='headline'") && heard.contains("Fire drill."),
                "{heard}"
            );
        }
    }
}
