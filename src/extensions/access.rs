//! Whom the server as a whole talks to: what the blacklist and the whitelist of its administrators forbid
//! (XEP-0133 §4.11, §4.12) passes neither out of an account nor into one.
//!
//! The lists themselves are edited by operations ([`crate::admin`]). Not here: which other servers are
//! connected with at all (`[s2s]`), and what reaches rooms and other services from outside.

use std::sync::Arc;

use crate::admin::AccessRules;
use crate::config::Config;
use crate::hooks::{Flow, Hooks, Passage, Stage};
use crate::proto::{Condition, ErrorType, IqType, Jid, Kind, MessageType, StanzaError};

/// Registers the guards.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    // Held by each hook: to look it up would make all that is routed wait for one lock.
    let rules = hooks.offers().find_or(AccessRules::default);
    let guard = |of: fn(&AccessRules, &mut Passage<'_>) -> Flow| {
        let rules = Arc::clone(&rules);
        move |passage: &mut Passage<'_>| of(&rules, passage)
    };
    hooks.starting(|services| async move {
        match services.hooks.offers().find::<AccessRules>() {
            Some(rules) => rules.load(&services.store).await,
            None => Ok(()),
        }
    });
    hooks.outgoing_message(Stage::Guard, guard(outgoing));
    hooks.outgoing_presence(Stage::Guard, guard(outgoing));
    hooks.outgoing_iq(Stage::Guard, guard(outgoing));
    hooks.incoming_message(Stage::Guard, guard(incoming));
    hooks.incoming_presence(Stage::Guard, guard(incoming));
    hooks.incoming_iq(Stage::Guard, guard(incoming));
}

fn forbidden(rules: &AccessRules, passage: &Passage<'_>, other: Option<&Jid>) -> bool {
    other.is_some_and(|other| {
        other.bare() != passage.account && rules.forbid(other, passage.services)
    })
}

fn outgoing(rules: &AccessRules, passage: &mut Passage<'_>) -> Flow {
    if !forbidden(rules, passage, passage.stanza.to.as_ref()) {
        return Flow::Continue;
    }
    match passage.stanza.kind {
        Kind::Iq(IqType::Result | IqType::Error) | Kind::Message(MessageType::Error) => Flow::Stop,
        Kind::Iq(_) | Kind::Message(_) | Kind::Presence(_) => Flow::Refuse(refused()),
    }
}

/// Whoever is kept out is told what it would be told of an account that does not answer.
fn incoming(rules: &AccessRules, passage: &mut Passage<'_>) -> Flow {
    if !forbidden(rules, passage, passage.stanza.from.as_ref()) {
        return Flow::Continue;
    }
    match passage.stanza.kind {
        Kind::Iq(IqType::Get | IqType::Set)
        | Kind::Message(MessageType::Chat | MessageType::Normal) => {
            Flow::Refuse(Condition::ServiceUnavailable.into())
        }
        Kind::Iq(_) | Kind::Message(_) | Kind::Presence(_) => Flow::Stop,
    }
}

/// RFC 6120 §8.3.3.12.
fn refused() -> StanzaError {
    StanzaError::new(Condition::PolicyViolation)
        .kind(ErrorType::Cancel)
        .text("this server does not talk to that address")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{Actor, Given, Operator, Refusal, perform};
    use crate::extensions::testing::House;

    async fn set(house: &House, list: &str, entries: &str) -> Result<(), Refusal> {
        let operator = Operator::running(Arc::clone(house.router.services()));
        let given = Given::from([("jid".to_owned(), entries.to_owned())]);
        let by = Actor::command_line(Some(0));
        let name = format!("{list} set");
        let done = perform(&operator, &by, &name, &given);
        Box::pin(done).await.map(drop)
    }

    fn message(to: &str) -> String {
        format!("<message id='m' type='chat' to='{to}'><body>hi</body></message>")
    }

    #[tokio::test]
    async fn nothing_goes_to_whom_the_blacklist_names() {
        let house = House::with(&["ann", "bob"], register).await;
        let (mut ann, mut bob) = (house.client("ann/a"), house.client("bob/b"));
        for (entries, heard) in [("bob@localhost\nfar.example", false), ("", true)] {
            set(&house, "blacklist", entries).await.unwrap();
            ann.send(&message("bob@localhost/b")).await;
            let refused = ann.received_xml().concat().contains("<policy-violation");
            assert_eq!(refused, !heard, "{entries}");
            assert_eq!(!bob.received().is_empty(), heard, "{entries}");
        }
        set(&house, "blacklist", "far.example").await.unwrap();
        ann.send(&message("eve@far.example")).await;
        let answer = ann.received_xml().concat();
        assert!(answer.contains("<policy-violation"), "{answer}");
        let own = set(&house, "blacklist", "localhost").await;
        assert!(matches!(own, Err(Refusal::NotAcceptable(_))));
    }

    #[tokio::test]
    async fn the_whitelist_is_for_those_outside() {
        let house = House::with(&["ann", "bob"], register).await;
        set(&house, "whitelist", "near.example").await.unwrap();
        let (mut ann, mut bob) = (house.client("ann/a"), house.client("bob/b"));
        ann.send(&message("bob@localhost/b")).await;
        assert_eq!(bob.received().len(), 1);
        for (to, forbidden) in [("eve@far.example", true), ("eve@near.example", false)] {
            ann.send(&message(to)).await;
            let answer = ann.received_xml().concat();
            assert_eq!(answer.contains("<policy-violation"), forbidden, "{answer}");
        }
        for (from, forbidden) in [("eve@far.example", true), ("eve@near.example", false)] {
            let stanza = crate::proto::Stanza::message(MessageType::Headline)
                .from(Jid::parse(from).unwrap())
                .to(bob.session.address())
                .child(&crate::xml::Element::new(crate::proto::ns::CLIENT, "body").text("hi"));
            house.router.services().route(stanza).await;
            assert_eq!(bob.received().is_empty(), forbidden, "{from}");
        }
    }
}
