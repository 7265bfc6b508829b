//! Operations on invitations (XEP-0401): links whose holder may make an account, or becomes a contact, or both.
//!
//! The link is told once, to whoever has it made. What is kept is a hash, by which it is recognised.

use serde_json::json;

use super::arguments::Arguments;
use super::operation::{Argument, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::config::{InvitationsBy, RegistrationMode};
use crate::domain::rights::Role;
use crate::proto::BareJid;
use crate::proto::scram::ScramHash;
use crate::store::{Invitation, Put};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "invite create",
        "Makes an invitation to an account, and prints its link.",
        Face::new(own!("invite-create"), "Make an invitation"),
        &[
            Argument::optional(
                "host",
                Kind::Host,
                "where the account is to be made; the first host if left out",
            ),
            Argument::optional(
                "account",
                Kind::Account,
                "the address that is kept for the invited; any if left out",
            ),
            Argument::optional(
                "inviter",
                Kind::Account,
                "the account that becomes a contact of the invited",
            ),
            Argument::optional(
                "uses",
                Kind::Number {
                    min: 1,
                    max: USES_MAX,
                },
                "how many accounts may be made with it; 1 if left out",
            ),
            Argument::optional(
                "days",
                Kind::Number {
                    min: 1,
                    max: DAYS_MAX,
                },
                "after how many days it ends",
            ),
        ],
        |operator, arguments| Box::pin(create(operator, arguments)),
    ),
    Operation::new(
        "invite list",
        "Lists invitations that can still be used.",
        Face::new(own!("invite-list"), "List invitations"),
        &[],
        |operator, arguments| Box::pin(list(operator, arguments)),
    ),
    Operation::new(
        "invite revoke",
        "Takes an invitation back.",
        Face::new(own!("invite-revoke"), "Take an invitation back"),
        &[Argument::required(
            "id",
            Kind::Name,
            "as invite list shows it, or the token of the link",
        )],
        |operator, arguments| Box::pin(revoke(operator, arguments)),
    ),
];

/// Uses of one invitation at most: a class, a company.
const USES_MAX: u32 = 10_000;

/// Days that an invitation lasts at most.
const DAYS_MAX: u32 = 3_650;

/// Invitations that one list shows at most.
const LIST_MAX: u32 = 1_000;

/// What an invitation shall let its holder do.
#[derive(Debug)]
pub(super) struct Wish {
    host: String,
    inviter: Option<BareJid>,
    account: Option<BareJid>,
    uses: u32,
    days: u32,
}

/// By what the token is known; nobody finds the token from it.
#[must_use]
pub fn token_id(token: &str) -> String {
    let hash = ScramHash::Sha256.hmac(b"invitation", token.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes an invitation by which somebody becomes a contact of `inviter`, and may make an account where invited
/// people may (XEP-0401 §4.1).
///
/// # Errors
/// [`Refusal::Forbidden`] when the operator keeps that to administrators.
pub async fn invite_contact(
    operator: &Operator,
    inviter: &BareJid,
    role: Role,
) -> Result<Outcome, Refusal> {
    let allowed = operator.config.invitations.allowed;
    if allowed == InvitationsBy::Administrators && role < Role::Administrator {
        return Err(Refusal::Forbidden("only administrators invite".to_owned()));
    }
    let wish = Wish {
        host: inviter.domain().as_str().to_owned(),
        inviter: Some(inviter.clone()),
        account: None,
        uses: 1,
        days: operator.config.invitations.expire_days,
    };
    make(operator, wish, Leads::ToTheInviter).await
}

/// What the link opens first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// A subscription, and an account where one is needed.
    ToTheInviter,
    /// A new account.
    ToRegistration,
}

async fn create(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    if operator.config.registration.mode == RegistrationMode::Closed {
        return Err(Refusal::NotAcceptable(
            "nobody could use it: [registration] mode is \"closed\"".to_owned(),
        ));
    }
    let account = arguments.account_opt("account").cloned();
    let first = operator.hosts().next().map(str::to_owned);
    let named = arguments.host("host").map(str::to_owned);
    let of_account = account.as_ref().map(|jid| jid.domain().to_string());
    if let (Some(named), Some(of_account)) = (&named, &of_account)
        && named != of_account
    {
        let text = format!("the account is to be made at {of_account}, not at {named}");
        return Err(Refusal::Usage(text));
    }
    let wish = Wish {
        host: named.or(of_account).or(first).unwrap_or_default(),
        inviter: arguments.account_opt("inviter").cloned(),
        uses: arguments.number("uses").unwrap_or(1),
        days: arguments
            .number("days")
            .unwrap_or(operator.config.invitations.expire_days),
        account,
    };
    if wish.account.is_some() && wish.uses != 1 {
        let text = "one account is made once: leave out account or uses".to_owned();
        return Err(Refusal::Usage(text));
    }
    make(&operator, wish, Leads::ToRegistration).await
}

async fn make(operator: &Operator, wish: Wish, leads: Leads) -> Result<Outcome, Refusal> {
    let now = operator.clock.now();
    for jid in wish.inviter.iter() {
        if operator.store.accounts().find(jid).await?.is_none() {
            return Err(Refusal::no_account(jid));
        }
    }
    let invitations = operator.store.invitations();
    if let Some(account) = &wish.account {
        if operator.store.accounts().find(account).await?.is_some() {
            return Err(super::accounts::exists(account));
        }
        if invitations.reserves(account, "", now).await? {
            let text = format!("{account} is kept for somebody who is invited already");
            return Err(Refusal::Conflict(text));
        }
    }
    let token = crate::id::random();
    let registers = operator.config.registration.mode != RegistrationMode::Closed;
    let expires_at = now.plus_days(wish.days);
    let invitation = Invitation {
        token: token_id(&token),
        host: wish.host,
        subscribes: wish.inviter.is_some(),
        inviter: wish.inviter,
        account: wish.account,
        registers,
        uses_left: wish.uses,
        created_at: now,
        expires_at,
    };
    let open_max = operator.config.invitations.open_per_account_max;
    match Box::pin(invitations.put(&invitation, open_max)).await? {
        Put::Stored => Ok(told(operator, &invitation, &token, leads)),
        Put::Full => Err(Refusal::NotAcceptable(
            "there are too many open invitations of the account".to_owned(),
        )),
    }
}

fn told(operator: &Operator, invitation: &Invitation, token: &str, leads: Leads) -> Outcome {
    let uri = uri(invitation, token, leads);
    let landing = &operator.config.invitations.landing_url;
    let landing = (!landing.is_empty()).then(|| {
        let filled = landing.replace("{token}", token);
        let filled = filled.replace("{host}", &invitation.host);
        filled.replace("{uri}", &escaped(&uri))
    });
    let expires = Timestamp::from_micros(0).plus_seconds(invitation.expires_at.as_seconds());
    let mut text = format!("{uri}\n");
    if let Some(landing) = &landing {
        text.push_str(&format!("{landing}\n"));
    }
    text.push_str(&format!("It ends at {expires}.\n"));
    let data = json!({
        "uri": uri,
        "landing_url": landing,
        "expires_at": expires.to_string(),
        "uses": invitation.uses_left,
    });
    Outcome::told(data, text)
}

/// XEP-0401 §4.1, §4.4.
fn uri(invitation: &Invitation, token: &str, leads: Leads) -> String {
    let address = |jid: &BareJid| match jid.node() {
        Some(node) => format!("{}@{}", escaped(node.as_str()), jid.domain().as_str()),
        None => jid.domain().to_string(),
    };
    match (leads, &invitation.inviter, &invitation.account) {
        (Leads::ToTheInviter, Some(inviter), _) => {
            let ibr = if invitation.registers { ";ibr=y" } else { "" };
            format!("xmpp:{}?roster;preauth={token}{ibr}", address(inviter))
        }
        (_, _, Some(account)) => format!("xmpp:{}?register;preauth={token}", address(account)),
        (_, _, None) => format!("xmpp:{}?register;preauth={token}", invitation.host),
    }
}

/// With everything escaped that is not unreserved in URIs (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

async fn list(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let now = operator.clock.now();
    let invitations = operator.store.invitations().list(now, LIST_MAX).await?;
    let mut data = Vec::with_capacity(invitations.len());
    let mut rows = Vec::with_capacity(invitations.len());
    for it in invitations
        .into_iter()
        .filter(|it| operator.reach.includes(&it.host))
    {
        let inviter = it.inviter.map(|jid| jid.to_string());
        let to = it.account.map_or(it.host, |jid| jid.to_string());
        data.push(json!({
            "id": it.token,
            "to": to,
            "inviter": inviter,
            "uses_left": it.uses_left,
            "expires_at": it.expires_at.to_string(),
        }));
        rows.push([
            it.token,
            to,
            inviter.unwrap_or_else(|| "-".to_owned()),
            it.uses_left.to_string(),
            it.expires_at.to_string(),
        ]);
    }
    let text = format!("{} in all.\n", rows.len());
    let table = Table::new(["ID", "TO", "INVITER", "USES", "UNTIL"], rows);
    Ok(Outcome::told(json!({ "invitations": data }), text).with(table))
}

async fn revoke(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let given = arguments.text("id").unwrap_or_default();
    let invitations = operator.store.invitations();
    let no_such = || Refusal::NotFound("there is no such invitation".to_owned());
    for id in [given.to_owned(), token_id(given)] {
        let Some(found) = invitations.find(&id).await? else {
            continue;
        };
        if !operator.reach.includes(&found.host) {
            return Err(no_such());
        }
        if invitations.delete(&id).await? {
            let text = "The invitation can be used no more.\n";
            return Ok(Outcome::told(json!({ "revoked": true }), text));
        }
    }
    Err(no_such())
}
