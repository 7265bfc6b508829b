//! XEP-0050: Ad-Hoc Commands, version 1.3.0, with forms of XEP-0004.
//!
//! What administrators do are the operations of [`crate::admin`], each with its node; `operations.rs` makes
//! forms of their definitions, and operations of the forms that come back. Commands for everybody are in
//! `own.rs` and `invitations.rs`. A command is done at once or after one form, so that `next` and `prev`
//! never apply; those of other rooms can have a second one (`steps.rs`). Who asks has the role of its account, and reaches as far as [`crate::admin::Actor`] says; who
//! may not execute a command does not see it, and the attempt goes into the audit trail.

mod dialogues;
mod invitations;
mod operations;
mod own;
mod steps;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::admin::{self, Actor, Operation, Operator, Refusal};
use crate::config::Config;
use crate::domain::rights::Role;
use crate::hooks::{Ask, At, Hooks, Identity, Info, Iq, IqAnswer, Item};
use crate::proto::common::forms::{Form, Submission};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, StanzaError, ns};
use steps::NoteKind;
pub(crate) use steps::{Done, Executable, execute as execute_command};

/// Something that clients can have done.
#[derive(Clone, Copy, Debug)]
enum Command {
    /// A command of this folder.
    Own(&'static OwnCommand),
    /// What an operation of [`crate::admin`] does.
    Operation(&'static Operation),
}

/// A command that is not an operation as it stands.
#[derive(Debug)]
struct OwnCommand {
    node: &'static str,
    name: &'static str,
    /// Who may execute it: this role and those above.
    role: Role,
    /// What is asked; `None` when nothing is.
    form: fn() -> Option<Form>,
    run: fn(Caller, Submission) -> BoxFuture<'static, Result<Done, StanzaError>>,
}

/// Who executes a command.
#[derive(Clone)]
struct Caller {
    account: BareJid,
    /// The host that the command was sent to.
    host: BareJid,
    actor: Actor,
    operator: Operator,
}

impl Command {
    const fn node(self) -> &'static str {
        match self {
            Self::Own(command) => command.node,
            Self::Operation(operation) => operation.face.node,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Own(command) => command.name,
            Self::Operation(operation) => operation.face.title,
        }
    }

    fn is_for(self, actor: &Actor) -> bool {
        match self {
            Self::Own(command) => actor.role() >= command.role,
            Self::Operation(operation) => admin::may(actor, operation),
        }
    }

    async fn form(self, caller: &Caller) -> Result<Option<Form>, StanzaError> {
        match self {
            Self::Own(command) => Ok((command.form)()),
            Self::Operation(operation) => Ok(operations::form(operation, caller).await?),
        }
    }

    async fn run(self, caller: Caller, filled: Submission) -> Result<Done, StanzaError> {
        match self {
            Self::Own(command) => (command.run)(caller, filled).await,
            Self::Operation(operation) => operations::run(operation, caller, filled).await,
        }
    }
}

/// A command and who executes it.
struct Called {
    command: Command,
    caller: Caller,
}

impl Executable for Called {
    fn node(&self) -> &'static str {
        self.command.node()
    }

    fn form(&self) -> BoxFuture<'_, Result<Option<Form>, StanzaError>> {
        Box::pin(self.command.form(&self.caller))
    }

    fn run(&self, filled: Submission) -> BoxFuture<'_, Result<Done, StanzaError>> {
        Box::pin(self.command.run(self.caller.clone(), filled))
    }
}

/// Registers the commands.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0004", "Data Forms", "2.13.2"));
    hooks.document(Document::new("XEP-0050", "Ad-Hoc Commands", "1.3.0"));
    hooks.document(
        Document::new("XEP-0133", "Service Administration", "1.3.1")
            .note("all but get-user-password, which is retracted"),
    );
    hooks.document(
        Document::new("XEP-0122", "Data Forms Validation", "1.0.2").note("numbers and times"),
    );
    hooks.feature(&[At::Host], ns::COMMANDS);
    hooks.disco_node(&[At::Host], node);
    hooks.disco_items(&[At::Host], items);
    hooks.iq_set(&[At::Host], ns::COMMANDS, "command", execute);
    hooks.daily(|services| async move { admin::expire_audit(&services).await });
}

/// Every command, in the order in which clients show them.
fn commands() -> impl Iterator<Item = Command> {
    let own = own::COMMANDS.iter().chain(invitations::COMMANDS);
    let operations = admin::operations().map(Command::Operation);
    own.map(Command::Own).chain(operations)
}

/// §2.1, §2.2: the list, and each command that the asker may execute.
async fn node(ask: Ask) -> Result<Option<Info>, StanzaError> {
    let Some(node) = ask.node.as_deref() else {
        return Ok(None);
    };
    let mut info = Info::default();
    if node == ns::COMMANDS {
        let list = Identity::new("automation", "command-list", "Commands");
        info.identities.push(list);
        return Ok(Some(info));
    }
    let Some(command) = commands().find(|command| command.node() == node) else {
        return Ok(None);
    };
    if !command.is_for(&actor_of(&ask.iq).await?) {
        return Err(forbidden());
    }
    let identity = Identity::new("automation", "command-node", command.name());
    info.identities.push(identity);
    info.features = vec![ns::COMMANDS.into(), ns::DATA_FORMS.into()];
    Ok(Some(info))
}

/// §2.3: what the asker may execute.
async fn items(ask: Ask) -> Result<Option<Vec<Item>>, StanzaError> {
    if ask.node.as_deref() != Some(ns::COMMANDS) {
        return Ok(None);
    }
    let actor = actor_of(&ask.iq).await?;
    let own = commands().filter(|command| command.is_for(&actor));
    let item = |command: Command| Item {
        jid: ask.iq.to.clone().into(),
        node: Some(command.node().to_owned()),
        name: Some(command.name().to_owned()),
    };
    Ok(Some(own.map(item).collect()))
}

async fn execute(iq: Iq) -> IqAnswer {
    iq.session()?;
    let node = iq.payload.attribute("node").unwrap_or_default();
    let command = commands().find(|command| command.node() == node);
    let command = command.ok_or(Condition::ItemNotFound)?;
    let actor = actor_of(&iq).await?;
    let operator = Operator::running(Arc::clone(&iq.services));
    if !command.is_for(&actor) {
        if let Command::Operation(operation) = command {
            let refusal = Box::pin(admin::refuse(&operator, &actor, operation)).await;
            return Err(forbidden().text(refusal.to_string()));
        }
        return Err(forbidden());
    }
    let caller = Caller {
        account: iq.from.bare().clone(),
        host: iq.to.clone(),
        actor,
        operator,
    };
    let called = Called { command, caller };
    Box::pin(steps::execute(&iq, &called)).await
}

/// §2.4.2: `forbidden` is an error of the type cancel here: no credentials would help.
fn forbidden() -> StanzaError {
    StanzaError::new(Condition::Forbidden).kind(crate::proto::ErrorType::Cancel)
}

async fn actor_of(iq: &Iq) -> Result<Actor, StanzaError> {
    let accounts = iq.services.store.accounts();
    let found = accounts.find(iq.from.bare()).await.map_err(Refusal::from)?;
    // Gone since it logged in, or kept out.
    let account = found
        .filter(|account| account.enabled)
        .ok_or_else(forbidden)?;
    let config = Operator::configured(&iq.services);
    let session = iq.session.as_ref();
    let peer = session.map(|session| session.connection().peer);
    let actor = Actor::account(&config, &iq.from, account.role, peer);
    let store = &iq.services.store;
    let rights = admin::rights_of(store, iq.from.bare(), account.role).await;
    Ok(actor.with_rights(rights.map_err(Refusal::from)?))
}

#[cfg(test)]
mod tests;
