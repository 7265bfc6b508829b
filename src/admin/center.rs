//! What administrators set for the contact center: how it is kept, and how a running server learns of a change.
//!
//! Each setting is a record of its own ([`crate::store::Records`]) with every version that there was. It is written to the
//! database, whether or not the server runs; a running one reads it anew through [`CenterKeeping`].

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::arguments::Arguments;
use super::operation::{Argument, Kind};
use super::operator::Operator;
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::domain::message_stream::Stream;
use crate::domain::refusal::{self, Class};
use crate::domain::rights::Role;
use crate::hooks::Services;
use crate::proto::BareJid;
use crate::store::{
    RecordChange, RecordWrite, RecordsWritten, Store, StoreError, StoredAttachment,
};

/// The kind of the record of a host's reason codes; its id is the host.
pub const REASON_CODES: &str = "reason-codes";
/// The kind of a chat profile; its id is that of a role ([`role_profile_id`]) or an account.
pub const CHAT_PROFILE: &str = "chat-profile";
/// The kind of the rights that a host's roles are given; its id is the host.
pub const ROLE_GRANTS: &str = "role-grants";
/// The kind of the rights that an account is given or not; its id is the account.
pub const ACCOUNT_GRANTS: &str = "account-grants";

/// The kind of the record of a host's tags; its id is the host.
pub const TAGS: &str = "tags";
/// The kind of the types of transactions that may follow on a host's channels; its id is the host.
pub const TRANSACTION_TYPES: &str = "transaction-types";
/// The kind of the rules of what follow-ups copy; its id is the host.
pub const COPY_RULES: &str = "copy-rules";
/// The kind of a host's types of notes; its id is the host.
pub const NOTE_TYPES: &str = "note-types";

/// The kind of the record of an agent; its id is the account.
pub const AGENT: &str = "agent";
/// The kind of an agent's recent business objects; its id is the account.
pub const RECENT: &str = "recent";

/// The kind of an agent's scratch pad; its id is the account.
pub const SCRATCH_PAD: &str = "scratch-pad";

/// The id of the record of a role's chat profile.
#[must_use]
pub fn role_profile_id(host: &str, role: Role) -> String {
    format!("{host}/{role}")
}

/// For whom something is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// All accounts of that role, where nothing else is set for one.
    Role(Role),
    /// One account.
    Account(BareJid),
}

/// What the contact center of a running server does for administrators.
pub trait CenterKeeping: Send + Sync {
    /// Reads anew what is set for the host, with effect on those who are there.
    fn settings_changed(
        &self,
        host: String,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Takes back what waits to be told to others and is about one of those texts ([`super::is_about`]), and has those told who follow a journal.
    fn erased(
        &self,
        texts: Vec<String>,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Has who is responsible told that nothing is left of the follow-up of that id ([`super::ERASED_FOLLOW_UP`]).
    fn follow_up_erased(
        &self,
        id: String,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Where that account gets a file of a message stream, and until when, as long as it may have disclosed what is kept of customers;
    /// `None` where the host has no place for files.
    fn file_link(
        &self,
        file: &StoredAttachment,
        account: &BareJid,
        services: &Services,
    ) -> Option<(String, Timestamp)>;

    /// Has those told who watch and saw it that nothing is left of a message stream.
    fn stream_erased(&self, stream: &Stream);
}

/// The contact center among [`crate::hooks::Hooks::offers`].
pub struct CenterDesk(pub Arc<dyn CenterKeeping>);

/// How often a setting is written anew because another administrator has changed it meanwhile.
const TRIES_MAX: usize = 8;

/// A setting as it is stored.
pub(super) struct Kept<T> {
    /// How often it was written.
    pub(super) version: u64,
    /// `None` when it was never set, or reset.
    pub(super) value: Option<T>,
}

/// What becomes of a setting.
pub(super) struct Change<T> {
    /// `None` resets it.
    pub(super) after: Option<T>,
    /// What has happened, for the history; nothing is written where nothing has.
    pub(super) events: Vec<Value>,
}

/// What is set under that kind and id; `None` when it was never set, or reset.
///
/// # Errors
/// When the database fails, or holds what is no such setting.
pub async fn setting<T: DeserializeOwned>(
    store: &Store,
    kind: &'static str,
    id: &str,
) -> Result<Option<T>, StoreError> {
    Ok(kept(store, kind, id).await?.value)
}

/// The setting of that kind and id.
pub(super) async fn kept<T: DeserializeOwned>(
    store: &Store,
    kind: &'static str,
    id: &str,
) -> Result<Kept<T>, StoreError> {
    let Some(stored) = store.records().find(kind, id).await? else {
        return Ok(Kept {
            version: 0,
            value: None,
        });
    };
    let value = serde_json::from_str(&stored.snapshot);
    Ok(Kept {
        version: u64::try_from(stored.version).unwrap_or(0),
        value: value.map_err(|cause| StoreError::corrupt(kind, cause))?,
    })
}

/// Changes a setting of that host and has a running server read it. Tells whether anything has changed.
pub(super) async fn change<T: Serialize + DeserializeOwned>(
    operator: &Operator,
    (kind, id): (&'static str, &str),
    host: &str,
    decide: impl Fn(Kept<T>, Timestamp) -> Result<Change<T>, Refusal>,
) -> Result<bool, Refusal> {
    for _ in 0..TRIES_MAX {
        let kept: Kept<T> = kept(&operator.store, kind, id).await?;
        let read = i64::try_from(kept.version).unwrap_or(i64::MAX);
        let Change { after, events } = decide(kept, operator.clock.now())?;
        if events.is_empty() {
            return Ok(false);
        }
        let json = |cause| StoreError::corrupt(kind, cause);
        let write = RecordWrite {
            changes: vec![RecordChange {
                kind,
                id: id.into(),
                read,
                version: read + i64::try_from(events.len()).unwrap_or(i64::MAX),
                snapshot: serde_json::to_string(&after).map_err(json)?.into(),
                events: events.iter().map(|it| it.to_string().into()).collect(),
                due: None,
                listings: None,
            }],
            ..RecordWrite::default()
        };
        match operator.store.records().write(write).await? {
            RecordsWritten::Changed => {}
            RecordsWritten::Done => {
                tell(operator, host).await?;
                return Ok(true);
            }
        }
    }
    Err(Refusal::Conflict(
        "other administrators keep changing the same; try again".to_owned(),
    ))
}

/// Changes a list of that host, by its rules, and has a running server read it. Tells whether anything has changed.
pub(super) async fn edit<T, E>(
    operator: &Operator,
    arguments: &Arguments,
    kind: &'static str,
    decide: impl Fn(&mut T, Timestamp) -> Result<Vec<E>, Refusal>,
) -> Result<bool, Refusal>
where
    T: Default + Serialize + DeserializeOwned,
    E: Serialize,
{
    let host = host(operator, arguments)?;
    let decided = |kept: Kept<T>, now| {
        let mut list = kept.value.unwrap_or_default();
        let events = decide(&mut list, now)?;
        let events = events.iter().map(|it| event(kind, it));
        let events = events.collect::<Result<_, _>>()?;
        let after = Some(list);
        Ok(Change { after, events })
    };
    change(operator, (kind, &host), &host, decided).await
}

/// Has a running server read what was changed.
pub(super) async fn tell(operator: &Operator, host: &str) -> Result<(), Refusal> {
    let Some(services) = &operator.services else {
        return Ok(());
    };
    let Some(desk) = services.hooks.offers().find::<CenterDesk>() else {
        return Ok(());
    };
    let told = desk
        .0
        .settings_changed(host.to_owned(), Arc::clone(services))
        .await;
    told.map_err(|error| {
        Refusal::Failed(format!(
            "it is written, but the running server has not read it: {error}"
        ))
    })
}

/// Has a running server follow that an account was disabled, or has another role.
pub(super) async fn account_changed(operator: &Operator, jid: &BareJid) -> Result<(), Refusal> {
    let Some(services) = &operator.services else {
        return Ok(());
    };
    let followed = services.hooks.run_account_changed(jid, services).await;
    followed.map_err(|error| {
        Refusal::Failed(format!(
            "it is written, but the running server has not followed it: {error}"
        ))
    })
}

/// An event as JSON.
pub(super) fn event<E: Serialize>(kind: &'static str, event: &E) -> Result<Value, StoreError> {
    serde_json::to_value(event).map_err(|cause| StoreError::corrupt(kind, cause))
}

pub(super) const HOST: Argument = Argument::optional(
    "host",
    Kind::Host,
    "the host; may be left out where there is only one",
);
pub(super) const JID: Argument =
    Argument::optional("jid", Kind::Account, "for this account only, name@domain");
pub(super) const ROLE: Argument =
    Argument::optional("role", Kind::Role, "for the accounts of this role");

/// The host that is meant.
pub(super) fn host(operator: &Operator, arguments: &Arguments) -> Result<String, Refusal> {
    if let Some(host) = arguments.host("host") {
        return Ok(host.to_owned());
    }
    let mut hosts = operator.hosts();
    match (hosts.next(), hosts.next()) {
        (Some(only), None) => Ok(only.to_owned()),
        _ => Err(Refusal::Usage(
            "host is missing: there are several".to_owned(),
        )),
    }
}

/// The host and the role or account that are meant.
pub(super) async fn whose(
    operator: &Operator,
    arguments: &Arguments,
) -> Result<(String, Whose), Refusal> {
    match (arguments.account_opt("jid"), arguments.role("role")) {
        (None, Some(role)) => Ok((host(operator, arguments)?, Whose::Role(role))),
        (Some(jid), None) => {
            // A form shows the host, which says nothing beside an account.
            if operator.store.accounts().find(jid).await?.is_none() {
                return Err(Refusal::no_account(jid));
            }
            let host = jid.domain().as_str().to_owned();
            Ok((host, Whose::Account(jid.clone())))
        }
        (None, None) => Err(Refusal::Usage(
            "role or jid is missing: for whom is it?".to_owned(),
        )),
        (Some(_), Some(_)) => Err(Refusal::Usage(
            "either a role or a jid can be given, not both".to_owned(),
        )),
    }
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Role(role) => write!(f, "the role {role}"),
            Self::Account(jid) => write!(f, "{jid}"),
        }
    }
}

/// What the rules of the domain refuse, in the words of operators.
pub(super) fn refused(rejection: impl Into<refusal::Refusal>) -> Refusal {
    let refusal::Refusal { class, text, .. } = rejection.into();
    match class {
        Class::Forbidden => Refusal::Forbidden(text),
        Class::NotFound => Refusal::NotFound(text),
        Class::NotAllowed | Class::Busy => Refusal::NotAllowed(text),
        Class::Conflict => Refusal::Conflict(text),
        Class::Invalid | Class::Limit => Refusal::NotAcceptable(text),
    }
}

/// Takes away what is set for an account that is removed: who gets the same address later begins without it.
pub(super) async fn forget(operator: &Operator, jid: &BareJid) -> Result<(), StoreError> {
    for kind in [CHAT_PROFILE, ACCOUNT_GRANTS, AGENT, RECENT, SCRATCH_PAD] {
        operator.store.records().remove(kind, jid.as_str()).await?;
    }
    Ok(())
}
