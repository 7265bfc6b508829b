//! XEP-0077: In-Band Registration, version 2.4.
//!
//! Who is logged in may always change the own password (§3.3) and cancel the own account (§3.2), on the
//! own host. Making accounts (§3.1) is offered only where `[registration] mode` is "open", and
//! then to each address at a slow pace, or to who shows an invitation (`invited.rs`). Data forms and redirection are left out: username and
//! password are all that an account needs here.

mod invited;
mod pace;

use std::sync::{Arc, Mutex, PoisonError};

use tracing::info;

use crate::admin::{self, Actor, Given, Operator};
use crate::config::{Config, RegistrationMode};
use crate::domain::rights::Role;
use crate::hooks::{At, Hooks, Iq, IqAnswer, StreamIq, StreamPhase};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, IqType, StanzaError, ns};
use crate::store::Invitation;
use crate::xml::Element;
use pace::Pace;

/// Registers the answers.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(
        Document::new("XEP-0077", "In-Band Registration", "2.4")
            .note("without data forms; accounts are made in-band only where the operator opens it"),
    );
    hooks.document(
        Document::new(
            "XEP-0445",
            "Pre-Authenticated In-Band Registration",
            "0.2.0",
        )
        .note("where registration is by invitation or open"),
    );
    hooks.feature(&[At::Host], ns::REGISTER);
    hooks.iq_get(&[At::Host, At::Own], ns::REGISTER, "query", registered);
    hooks.iq_set(&[At::Host, At::Own], ns::REGISTER, "query", change);
    let mode = config.registration.mode;
    if mode == RegistrationMode::Closed {
        return;
    }
    hooks.stream_feature(StreamPhase::Negotiation, |_| {
        Some(Element::new(ns::REGISTER_FEATURE, "register"))
    });
    let pace = Arc::new(Mutex::new(Pace::default()));
    invited::register(hooks, &pace);
    hooks.stream_iq(ns::REGISTER, "query", move |iq| {
        newcomer(iq, mode, Arc::clone(&pace))
    });
}

/// §3.1 for who has an account already.
async fn registered(iq: Iq) -> IqAnswer {
    let account = own_host(&iq)?;
    let username = account.node().map(|node| node.as_str().to_owned());
    Ok(Some(
        Element::new(ns::REGISTER, "query")
            .child(Element::new(ns::REGISTER, "registered"))
            .child(Element::new(ns::REGISTER, "username").text(username.unwrap_or_default())),
    ))
}

/// §3.2 and §3.3.
async fn change(iq: Iq) -> IqAnswer {
    let account = own_host(&iq)?;
    let operator = Operator::running(Arc::clone(&iq.services));
    if iq.payload.find(ns::REGISTER, "remove").is_some() {
        // §3.2: with anything beside it, what is wanted is not clear.
        if iq.payload.children().count() != 1 {
            return Err(StanzaError::bad_request("<remove/> stands alone"));
        }
        // The asking session is told to end as well; its task writes this answer before.
        let removal = admin::perform_own(&operator, &account, "account remove", Given::new());
        Box::pin(removal).await?;
        return Ok(None);
    }
    let (username, password) = credentials(&iq.payload)?;
    if address(&username, &account)? != account {
        return Err(StanzaError::new(Condition::NotAllowed).text("the username is not your own"));
    }
    let given = Given::from([("password".to_owned(), password)]);
    let change = admin::perform_own(&operator, &account, "account passwd", given);
    Box::pin(change).await?;
    Ok(None)
}

/// The asker's account; its registration is with its own host only.
fn own_host(iq: &Iq) -> Result<BareJid, StanzaError> {
    let account = iq.session()?.account().jid().clone();
    if iq.to.domain() == account.domain() {
        Ok(account)
    } else {
        Err(Condition::NotAllowed.into())
    }
}

/// §3.1: somebody without an account.
async fn newcomer(iq: StreamIq, mode: RegistrationMode, pace: Arc<Mutex<Pace>>) -> IqAnswer {
    encrypted(&iq)?;
    let invitation = invited::shown(&iq);
    if mode == RegistrationMode::Invite && invitation.is_none() {
        return Err(StanzaError::new(Condition::NotAllowed).text("an invitation is needed"));
    }
    match iq.kind {
        IqType::Get => Ok(Some(form())),
        IqType::Set => Box::pin(make(iq, invitation, &pace)).await,
        IqType::Result | IqType::Error => Err(Condition::BadRequest.into()),
    }
}

/// §6.1: a password does not go over an open channel, nor does what stands for one.
fn encrypted(iq: &StreamIq) -> Result<(), StanzaError> {
    if !iq.encrypted && !iq.peer.to_canonical().is_loopback() {
        return Err(StanzaError::new(Condition::NotAuthorized).text("use TLS first"));
    }
    Ok(())
}

fn form() -> Element {
    let field = |name| Element::new(ns::REGISTER, name);
    Element::new(ns::REGISTER, "query")
        .child(field("instructions").text("Choose a username and password."))
        .child(field("username"))
        .child(field("password"))
}

async fn make(iq: StreamIq, invitation: Option<Invitation>, pace: &Mutex<Pace>) -> IqAnswer {
    let (username, password) = credentials(&iq.payload)?;
    let jid = address(&username, &iq.host)?;
    let named = invitation.as_ref().and_then(|it| it.account.as_ref());
    if named != Some(&jid) {
        // What an administrator has named is acceptable.
        acceptable(&jid)?;
    }
    if invitation.is_none() {
        admitted(&iq, pace)?;
    }
    invited::allows(&iq.services, invitation.as_ref(), &jid).await?;
    let services = iq.services;
    let operator = Operator::running(Arc::clone(&services));
    let exists = operator.store.accounts().find(&jid).await;
    if exists.map_err(admin::Refusal::from)?.is_some() {
        return Err(Condition::Conflict.into());
    }
    let given = Given::from([
        ("jid".to_owned(), jid.to_string()),
        ("password".to_owned(), password),
        ("role".to_owned(), Role::Member.name().to_owned()),
    ]);
    // The operator has opened registration: it is made in the operator's name.
    let by = Actor::newcomer();
    let add = async {
        let add = admin::perform(&operator, &by, "account add", &given);
        add.await.map(|_| ())
    };
    match invitation {
        Some(invitation) => invited::using(&services, &invitation, &jid, add).await?,
        None => add.await?,
    }
    Ok(None)
}

/// Typing errors are free; whoever asks which names are taken pays as for an account.
fn admitted(iq: &StreamIq, pace: &Mutex<Pace>) -> Result<(), StanzaError> {
    let now = iq.services.clock.now();
    let admitted = pace
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .admit(iq.peer, now);
    if admitted {
        return Ok(());
    }
    info!("registrations of an address are over its pace");
    Err(StanzaError::new(Condition::ResourceConstraint)
        .text("too many accounts from your address; try later"))
}

/// §3.1: both are required.
fn credentials(query: &Element) -> Result<(String, String), StanzaError> {
    let text = |name| {
        query
            .child_text(ns::REGISTER, name)
            .filter(|text| !text.is_empty())
    };
    match (text("username"), text("password")) {
        (Some(username), Some(password)) => Ok((username, password)),
        _ => {
            Err(StanzaError::new(Condition::NotAcceptable)
                .text("username and password are required"))
        }
    }
}

/// The address that a username stands for, prepared.
fn address(username: &str, host: &BareJid) -> Result<BareJid, StanzaError> {
    let malformed =
        |error: jid::Error| StanzaError::new(Condition::JidMalformed).text(error.to_string());
    let username = jid::NodePart::new(username).map_err(malformed)?;
    Ok(BareJid::from_parts(Some(&username), host.domain()))
}

/// Longer usernames are not typed by people.
const USERNAME_CHARACTERS_MAX: usize = 64;

/// Names that others take for the operator's (RFC 2142 and custom).
const RESERVED: [&str; 12] = [
    "abuse",
    "admin",
    "administrator",
    "hostmaster",
    "info",
    "noc",
    "postmaster",
    "root",
    "security",
    "support",
    "webmaster",
    "xmpp",
];

fn acceptable(jid: &BareJid) -> Result<(), StanzaError> {
    let username = jid
        .node()
        .map(|node| node.as_str().to_owned())
        .unwrap_or_default();
    let refuse = |text: &str| Err(StanzaError::new(Condition::NotAcceptable).text(text));
    if username.chars().count() > USERNAME_CHARACTERS_MAX {
        return refuse("the username is too long");
    }
    if RESERVED.contains(&username.as_str()) {
        return refuse("the username is reserved");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
