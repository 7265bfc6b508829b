//! Commands for everybody, on the own account.

use super::{Caller, Done, OwnCommand};
use crate::admin::{self, Given};
use crate::domain::rights::Role;
use crate::proto::common::forms::{Field, FieldType, Form, FormType, Submission};
use crate::proto::{Condition, StanzaError};

pub(super) const COMMANDS: &[OwnCommand] = &[OwnCommand {
    node: "change-own-password",
    name: "Change your password",
    role: Role::Member,
    form: || Some(form()),
    run: |caller, filled| Box::pin(change(caller, filled)),
}];

fn form() -> Form {
    let password = |var, label| {
        Field::new(var, FieldType::TextPrivate)
            .label(label)
            .required()
    };
    Form::new(FormType::Form)
        .title("Change your password")
        .field(password("password", "New password"))
        .field(password("password-verify", "Once more"))
}

async fn change(caller: Caller, filled: Submission) -> Result<Done, StanzaError> {
    let password = twice(&filled)?;
    let given = Given::from([("password".to_owned(), password)]);
    admin::perform_own(&caller.operator, &caller.account, "account passwd", given).await?;
    Ok(Done::note("Your password is changed."))
}

/// The password, if it was typed alike both times.
fn twice(filled: &Submission) -> Result<String, StanzaError> {
    match (filled.value("password"), filled.value("password-verify")) {
        (Some(password), again) if again.is_none_or(|again| again == password) => {
            Ok(password.to_owned())
        }
        _ => Err(StanzaError::new(Condition::NotAcceptable).text("the two passwords differ")),
    }
}
