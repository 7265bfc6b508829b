//! Operations on accounts.

use serde_json::json;
use tracing::warn;

use super::administrators::{FORCE, keep_one};
use super::arguments::Arguments;
use super::operation::{Argument, Asked, Count, Face, Kind, Operation, own, standard};
use super::operator::Operator;
use super::outcome::Outcome;
use super::refusal::Refusal;
use super::{center, departure, password};
use crate::domain::rights::Role;
use crate::proto::scram::ScramKeys;
use crate::proto::{BareJid, StreamCondition, StreamError, ns};
use crate::store::{Put, StoreError, UploadFiles, UploadId, Vcard};
use crate::xml::{Element, write};

pub(super) const JID: Argument =
    Argument::required("jid", Kind::Account, "the account's address, name@domain")
        .var("accountjid");
const EACH: Argument =
    Argument::required("jid", Kind::Account, "the accounts' addresses, name@domain")
        .var("accountjids")
        .count(Count::Each);
const PASSWORD: Argument = Argument::required("password", Kind::Password, "what it logs in with");
const ROLES: &str = "member, agent, supervisor or administrator";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "account add",
        "Makes an account.",
        Face::new(standard!("add-user"), "Add a user"),
        &[
            JID,
            PASSWORD.asked(Asked::Twice),
            Argument::optional("role", Kind::Role, "its role; member if left out"),
            Argument::optional("name", Kind::Name, "the person's name, for the vCard"),
            Argument::optional("given-name", Kind::Name, "the given name, for the vCard")
                .var("given_name"),
            Argument::optional("surname", Kind::Name, "the family name, for the vCard")
                .var("surname"),
            Argument::optional("email", Kind::Name, "the address for e-mail, for the vCard")
                .var("email"),
        ],
        |operator, arguments| Box::pin(add(operator, arguments)),
    ),
    Operation::new(
        "account remove",
        "Removes an account with all it has, ends its sessions and tells its contacts.",
        Face::new(standard!("delete-user"), "Delete users"),
        &[EACH, FORCE],
        |operator, arguments| Box::pin(remove(operator, arguments)),
    ),
    Operation::new(
        "account disable",
        "Keeps an account but lets it log in no more, and ends its sessions.",
        Face::new(standard!("disable-user"), "Disable users"),
        &[EACH, FORCE],
        |operator, arguments| Box::pin(disable(operator, arguments)),
    ),
    Operation::new(
        "account enable",
        "Lets a disabled account log in again.",
        Face::new(standard!("reenable-user"), "Re-enable users"),
        &[EACH],
        |operator, arguments| Box::pin(enable(operator, arguments)),
    ),
    Operation::new(
        "account passwd",
        "Changes an account's password; its sessions go on.",
        Face::new(
            standard!("change-user-password"),
            "Change a user's password",
        ),
        &[
            JID,
            PASSWORD,
            Argument::optional(
                "end-sessions",
                Kind::Flag,
                "end the sessions that logged in with the old password",
            ),
        ],
        |operator, arguments| Box::pin(passwd(operator, arguments)),
    ),
    Operation::new(
        "account role",
        "Gives an account another role.",
        Face::new(own!("account-role"), "Change a user's role"),
        &[JID, Argument::required("role", Kind::Role, ROLES), FORCE],
        |operator, arguments| Box::pin(role(operator, arguments)),
    ),
];

/// An account to be made.
pub(super) struct NewAccount {
    pub(super) jid: BareJid,
    pub(super) role: Role,
    pub(super) person: Person,
}

/// What is known of whoever has an account, for its vCard; what is empty is left out.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) given: String,
    pub(super) family: String,
    pub(super) email: String,
}

impl Person {
    /// XEP-0054 §3.
    fn vcard(&self) -> Option<Element> {
        let full = match self.name.is_empty() {
            true => format!("{} {}", self.given, self.family).trim().to_owned(),
            false => self.name.clone(),
        };
        let field = |name: &str, text: &str| {
            let field = || Element::new(ns::VCARD, name).text(text);
            (!text.is_empty()).then(field)
        };
        let parts: Vec<Element> = [field("FAMILY", &self.family), field("GIVEN", &self.given)]
            .into_iter()
            .flatten()
            .collect();
        let parts = (!parts.is_empty()).then(|| Element::new(ns::VCARD, "N").children_from(parts));
        let mail = field("USERID", &self.email);
        let mail = mail.map(|address| {
            let internet = Element::new(ns::VCARD, "INTERNET");
            Element::new(ns::VCARD, "EMAIL")
                .child(internet)
                .child(address)
        });
        let fields: Vec<Element> = [field("FN", &full), parts, mail]
            .into_iter()
            .flatten()
            .collect();
        (!fields.is_empty()).then(|| Element::new(ns::VCARD, "vCard").children_from(fields))
    }
}

/// Makes the account; [`Refusal::Conflict`] when it exists.
pub(super) async fn create(
    operator: &Operator,
    account: &NewAccount,
    keys: &[ScramKeys],
) -> Result<(), Refusal> {
    let NewAccount { jid, role, person } = account;
    let now = operator.clock.now();
    // On the heap, for its size; so are the like below.
    let accounts = operator.store.accounts();
    match Box::pin(accounts.create(jid, *role, keys, now)).await {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => return Err(exists(jid)),
        Err(error) => return Err(error.into()),
    }
    if let Some(vcard) = person.vcard() {
        let mut xml = Vec::new();
        write::element(&mut xml, &vcard, ns::CLIENT);
        let vcard = Vcard {
            xml,
            updated_at: now,
        };
        let bytes_max = operator.config.vcard.bytes_max.as_usize();
        let bare =
            |why: String| Refusal::Failed(format!("{jid} is made, but without its vCard: {why}"));
        match operator.store.vcards().put(jid, &vcard, bytes_max).await {
            Ok(Put::Stored) => {}
            Ok(Put::Full) => return Err(bare("it is too long".to_owned())),
            Err(error) => return Err(bare(error.to_string())),
        }
    }
    Ok(())
}

pub(super) fn exists(jid: &BareJid) -> Refusal {
    Refusal::Conflict(format!("there is an account {jid} already"))
}

async fn add(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let text = |name: &str| arguments.text(name).unwrap_or_default().to_owned();
    let account = NewAccount {
        jid: arguments.account("jid")?.clone(),
        role: arguments.role("role").unwrap_or(Role::Member),
        person: Person {
            name: text("name"),
            given: text("given-name"),
            family: text("surname"),
            email: text("email"),
        },
    };
    // Before the work of deriving; that nobody else makes it in between is seen to by the store.
    if operator
        .store
        .accounts()
        .find(&account.jid)
        .await?
        .is_some()
    {
        return Err(exists(&account.jid));
    }
    let secret = arguments.secret("password")?.clone();
    let keys = password::keys(secret, operator.config.auth.scram_iterations).await?;
    create(&operator, &account, &keys).await?;
    let NewAccount { jid, role, .. } = account;
    Ok(Outcome::told(
        json!({ "jid": jid.as_str(), "role": role.name() }),
        format!("{jid} is made, with the role {role}.\n"),
    ))
}

async fn remove(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    keep_one(&operator, jid, &arguments).await?;
    let sessions = operator.sessions(jid);
    let uploads = operator.store.uploads().of_owner(jid).await?;
    // Also before: whatever this is interrupted by, nobody who gets the name later has what was its predecessor's.
    center::forget(&operator, jid).await?;
    let removed = Box::pin(operator.store.accounts().remove(jid)).await?;
    let removed = removed.ok_or_else(|| Refusal::no_account(jid))?;
    center::forget(&operator, jid).await?;
    delete_files(&operator, &uploads).await;
    // XEP-0077 §3.2: the streams of a removed account are closed with `not-authorized`.
    let gone = StreamError::new(StreamCondition::NotAuthorized).text("the account is removed");
    let ended = operator.end_sessions(jid, &gone);
    if let Some(services) = &operator.services {
        services.hooks.run_removed(jid, services).await;
    }
    departure::part(&operator, jid, &sessions, &removed)
        .await
        .map_err(|error| {
            Refusal::Failed(format!(
                "{jid} is removed, but not all of its contacts were told: {error}"
            ))
        })?;
    Ok(Outcome::told(
        json!({
            "jid": jid.as_str(),
            "contacts": removed.roster.len(),
            "sessions_ended": ended,
        }),
        format!("{jid} is removed{}.\n", and_sessions(ended)),
    ))
}

/// Deletes what the account had uploaded. A file that is left is found by the daily sweep, and given to
/// nobody until then.
async fn delete_files(operator: &Operator, uploads: &[UploadId]) {
    let files = UploadFiles::new(&operator.config.data_dir);
    for id in uploads {
        if let Err(error) = files.remove(id).await {
            warn!(%error, "the file of a removed account could not be deleted");
        }
    }
}

async fn disable(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    keep_one(&operator, jid, &arguments).await?;
    if !operator.store.accounts().disable(jid).await? {
        return Err(Refusal::no_account(jid));
    }
    // Not `not-authorized`, which tells clients that the account is gone: it is there, and a
    // rule of this server (RFC 6120 §4.9.3.14) keeps it out.
    let error = StreamError::new(StreamCondition::PolicyViolation).text("the account is disabled");
    let ended = operator.end_sessions(jid, &error);
    center::account_changed(&operator, jid).await?;
    Ok(Outcome::told(
        json!({ "jid": jid.as_str(), "enabled": false, "sessions_ended": ended }),
        format!("{jid} is disabled{}.\n", and_sessions(ended)),
    ))
}

async fn enable(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    if !operator.store.accounts().enable(jid).await? {
        return Err(Refusal::no_account(jid));
    }
    Ok(Outcome::told(
        json!({ "jid": jid.as_str(), "enabled": true }),
        format!("{jid} may log in.\n"),
    ))
}

async fn passwd(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    if operator.store.accounts().find(jid).await?.is_none() {
        return Err(Refusal::no_account(jid));
    }
    if operator.store.account_sources().find(jid).await?.is_some() {
        return Err(Refusal::NotAllowed(format!(
            "{jid} has no password here; it is changed where the person logs in from"
        )));
    }
    let secret = arguments.secret("password")?.clone();
    let keys = password::keys(secret, operator.config.auth.scram_iterations).await?;
    let now = operator.clock.now();
    let accounts = operator.store.accounts();
    if !Box::pin(accounts.set_password(jid, &keys, now)).await? {
        return Err(Refusal::no_account(jid));
    }
    let mut ended = 0;
    if arguments.flag("end-sessions") {
        // RFC 6120 §4.9.3.16: what the stream's security rests on has changed.
        let error = StreamError::new(StreamCondition::Reset).text("the password was changed");
        ended = operator.end_sessions(jid, &error);
    }
    Ok(Outcome::told(
        json!({ "jid": jid.as_str(), "sessions_ended": ended }),
        format!("The password of {jid} is changed{}.\n", and_sessions(ended)),
    ))
}

async fn role(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    let role = arguments.role("role").unwrap_or(Role::Member);
    if role != Role::Administrator {
        keep_one(&operator, jid, &arguments).await?;
    }
    if !operator.store.accounts().set_role(jid, role).await? {
        return Err(Refusal::no_account(jid));
    }
    center::account_changed(&operator, jid).await?;
    Ok(Outcome::told(
        json!({ "jid": jid.as_str(), "role": role.name() }),
        format!("{jid} has the role {role}.\n"),
    ))
}

fn and_sessions(ended: usize) -> String {
    match ended {
        0 => String::new(),
        1 => ", and its session is ended".to_owned(),
        ended => format!(", and its {ended} sessions are ended"),
    }
}
