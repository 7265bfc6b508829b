//! XEP-0401: Ad-hoc Account Invitation Generation: an invitation to become a contact, for everybody, and one
//! to an account, for administrators.

use super::{Caller, Done, OwnCommand};
use crate::admin::{self, Given, Outcome};
use crate::domain::rights::Role;
use crate::proto::StanzaError;
use crate::proto::common::forms::{Field, FieldType, Form, FormType, Submission};

pub(super) const COMMANDS: &[OwnCommand] = &[
    OwnCommand {
        node: "urn:xmpp:invite#invite",
        name: "Invite somebody",
        role: Role::Member,
        form: || None,
        run: |caller, _| Box::pin(invite(caller)),
    },
    OwnCommand {
        node: "urn:xmpp:invite#create-account",
        name: "Invite somebody to an account",
        role: Role::Administrator,
        form: || Some(form()),
        run: |caller, filled| Box::pin(create(caller, filled)),
    },
];

/// XEP-0401 §4.1.
const FORM_TYPE: &str = "urn:xmpp:invite#invitation";

/// §4.4.
fn form() -> Form {
    let field = |var, kind, label| Field::new(var, kind).label(label);
    Form::new(FormType::Form)
        .title("Invite somebody to an account")
        .field(field("username", FieldType::TextSingle, "Username"))
        .field(field(
            "roster-subscription",
            FieldType::Boolean,
            "Become contacts of each other",
        ))
}

async fn invite(caller: Caller) -> Result<Done, StanzaError> {
    let role = caller.actor.role();
    let invite = admin::invite_contact(&caller.operator, &caller.account, role);
    let outcome = Box::pin(invite).await?;
    Ok(told(&outcome))
}

async fn create(caller: Caller, filled: Submission) -> Result<Done, StanzaError> {
    let host = caller.account.domain().as_str();
    let mut given = Given::from([("host".to_owned(), host.to_owned())]);
    let username = filled.value("username").filter(|name| !name.is_empty());
    if let Some(username) = username {
        if username.contains('@') {
            return Err(StanzaError::bad_request("the username has no domain"));
        }
        given.insert("account".to_owned(), format!("{username}@{host}"));
    }
    if filled.flag("roster-subscription") == Some(true) {
        given.insert("inviter".to_owned(), caller.account.to_string());
    }
    let created = admin::perform(&caller.operator, &caller.actor, "invite create", &given);
    Ok(told(&Box::pin(created).await?))
}

/// §4.1: the form of the result.
fn told(outcome: &Outcome) -> Done {
    let fields = [
        ("uri", "uri"),
        ("landing-url", "landing_url"),
        ("expire", "expires_at"),
    ];
    let form = Form::new(FormType::Result).form_type(FORM_TYPE);
    Done::form(fields.into_iter().fold(form, |form, (var, key)| {
        match outcome.data.get(key).and_then(|value| value.as_str()) {
            Some(value) => form.field(Field::new(var, FieldType::TextSingle).value(value)),
            None => form,
        }
    }))
}
