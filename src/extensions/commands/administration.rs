//! XEP-0133: Service Administration: operations of [`crate::admin`] behind the nodes, forms and
//! fields of the standard.

use serde_json::Value;

use super::own::twice;
use super::{Caller, Command, Done};
use crate::admin::{self, Given, Outcome};
use crate::domain::rights::Role;
use crate::proto::StanzaError;
use crate::proto::common::forms::{Field, FieldType, Form, FormType, Submission, VALUES_MAX};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: "http://jabber.org/protocol/admin#add-user",
        name: "Add a user",
        role: Role::Administrator,
        form: || Some(add_user_form()),
        run: |caller, filled| Box::pin(add_user(caller, filled)),
    },
    Command {
        node: "http://jabber.org/protocol/admin#delete-user",
        name: "Delete users",
        role: Role::Administrator,
        form: || Some(accounts_form("Delete users")),
        run: |caller, filled| Box::pin(each(caller, filled, "account remove")),
    },
    Command {
        node: "http://jabber.org/protocol/admin#disable-user",
        name: "Disable users",
        role: Role::Administrator,
        form: || Some(accounts_form("Disable users")),
        run: |caller, filled| Box::pin(each(caller, filled, "account disable")),
    },
    Command {
        node: "http://jabber.org/protocol/admin#reenable-user",
        name: "Re-enable users",
        role: Role::Administrator,
        form: || Some(accounts_form("Re-enable users")),
        run: |caller, filled| Box::pin(each(caller, filled, "account enable")),
    },
    Command {
        node: "http://jabber.org/protocol/admin#end-user-session",
        name: "End sessions of users",
        role: Role::Administrator,
        form: || Some(accounts_form("End sessions of users")),
        run: |caller, filled| Box::pin(each(caller, filled, "session end")),
    },
    Command {
        node: "http://jabber.org/protocol/admin#change-user-password",
        name: "Change a user's password",
        role: Role::Administrator,
        form: || Some(password_form()),
        run: |caller, filled| Box::pin(change_password(caller, filled)),
    },
    Command {
        node: "http://jabber.org/protocol/admin#get-registered-users-list",
        name: "List registered users",
        role: Role::Administrator,
        form: || Some(list_form("List registered users")),
        run: |caller, filled| Box::pin(registered(caller, filled)),
    },
    Command {
        node: "http://jabber.org/protocol/admin#get-online-users-list",
        name: "List online users",
        role: Role::Administrator,
        form: || Some(list_form("List online users")),
        run: |caller, filled| Box::pin(online(caller, filled)),
    },
];

const FORM_TYPE: &str = "http://jabber.org/protocol/admin";

fn form(title: &str) -> Form {
    Form::new(FormType::Form).title(title).form_type(FORM_TYPE)
}

fn account_field() -> Field {
    let field = Field::new("accountjid", FieldType::JidSingle);
    field.label("The account's address").required()
}

/// §4.1.
fn add_user_form() -> Form {
    form("Add a user")
        .field(account_field())
        .field(
            Field::new("password", FieldType::TextPrivate)
                .label("Password")
                .required(),
        )
        .field(
            Field::new("password-verify", FieldType::TextPrivate)
                .label("Once more")
                .required(),
        )
        .field(Field::new("given_name", FieldType::TextSingle).label("Given name"))
        .field(Field::new("surname", FieldType::TextSingle).label("Family name"))
}

/// §4.2 to §4.5.
fn accounts_form(title: &str) -> Form {
    let field = Field::new("accountjids", FieldType::JidMulti);
    form(title).field(field.label("Their addresses").required())
}

/// §4.7.
fn password_form() -> Form {
    form("Change a user's password")
        .field(account_field())
        .field(
            Field::new("password", FieldType::TextPrivate)
                .label("New password")
                .required(),
        )
}

/// §4.18, §4.20.
fn list_form(title: &str) -> Form {
    let counts = ["25", "50", "75", "100", "150", "200", "none"];
    let field = Field::new("max_items", FieldType::ListSingle).label("How many at most");
    let field = counts
        .into_iter()
        .fold(field, |field, count| field.option(count, None));
    form(title).field(field)
}

async fn add_user(caller: Caller, filled: Submission) -> Result<Done, StanzaError> {
    let names = ["given_name", "surname"].map(|var| filled.value(var).unwrap_or_default());
    let mut given = account(&filled);
    given.insert("password".to_owned(), twice(&filled)?);
    given.insert("name".to_owned(), names.join(" ").trim().to_owned());
    note(&perform(&caller, "account add", &given).await?)
}

async fn change_password(caller: Caller, filled: Submission) -> Result<Done, StanzaError> {
    let mut given = account(&filled);
    given.insert("password".to_owned(), twice(&filled)?);
    note(&perform(&caller, "account passwd", &given).await?)
}

/// One operation after the other; a refusal tells what was done before it.
async fn each(
    caller: Caller,
    filled: Submission,
    operation: &'static str,
) -> Result<Done, StanzaError> {
    let mut told = String::new();
    for jid in filled.values("accountjids") {
        let given = Given::from([("jid".to_owned(), jid.clone())]);
        match perform(&caller, operation, &given).await {
            Ok(outcome) => told.push_str(&outcome.text),
            Err(error) => {
                let text = format!("{told}{}", error.text.clone().unwrap_or_default());
                return Err(error.text(text));
            }
        }
    }
    Ok(Done::Note(told.trim_end().to_owned()))
}

async fn registered(caller: Caller, filled: Submission) -> Result<Done, StanzaError> {
    let outcome = perform(&caller, "account list", &Given::new()).await?;
    Ok(list(&outcome, "accounts", "registereduserjids", &filled))
}

async fn online(caller: Caller, filled: Submission) -> Result<Done, StanzaError> {
    let outcome = perform(&caller, "session list", &Given::new()).await?;
    Ok(list(&outcome, "sessions", "onlineuserjids", &filled))
}

/// The addresses of what an operation listed, each account once.
fn list(outcome: &Outcome, key: &str, var: &str, filled: &Submission) -> Done {
    let wanted = filled
        .value("max_items")
        .and_then(|count| count.parse().ok());
    let listed = outcome.data.get(key).and_then(Value::as_array);
    let addresses = listed.into_iter().flatten();
    let mut bare: Vec<&str> = addresses
        .filter_map(|entry| entry.get("jid")?.as_str()?.split('/').next())
        .collect();
    bare.dedup();
    let bare = bare
        .into_iter()
        .take(wanted.unwrap_or(VALUES_MAX).min(VALUES_MAX));
    let field = Field::new(var, FieldType::JidMulti);
    let field = bare.fold(field, |field, jid| field.value(jid));
    Done::Form(
        Form::new(FormType::Result)
            .form_type(FORM_TYPE)
            .field(field),
    )
}

fn account(filled: &Submission) -> Given {
    let jid = filled.value("accountjid").unwrap_or_default();
    Given::from([("jid".to_owned(), jid.to_owned())])
}

async fn perform(caller: &Caller, operation: &str, given: &Given) -> Result<Outcome, StanzaError> {
    Ok(admin::perform(&caller.operator, caller.role, operation, given).await?)
}

fn note(outcome: &Outcome) -> Result<Done, StanzaError> {
    Ok(Done::Note(outcome.text.trim_end().to_owned()))
}
