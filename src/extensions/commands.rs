//! XEP-0050: Ad-Hoc Commands, version 1.3.0, with forms of XEP-0004.
//!
//! What administrators do are the operations of [`crate::admin`], each with its node; `operations.rs` makes
//! forms of their definitions, and operations of the forms that come back. Commands for everybody are in
//! `own.rs` and `invitations.rs`. A command is done at once or after one form, so that `next` and `prev`
//! never apply. Who asks has the role of its account, and reaches as far as [`crate::admin::Actor`] says; who
//! may not execute a command does not see it, and the attempt goes into the audit trail.

mod dialogues;
mod invitations;
mod operations;
mod own;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use crate::admin::{self, Actor, Operation, Operator, Refusal};
use crate::config::Config;
use crate::domain::rights::Role;
use crate::hooks::{Ask, At, Hooks, Identity, Info, Iq, IqAnswer, Item};
use crate::proto::common::forms::{Form, FormType, Submission};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, StanzaError, ns};
use crate::xml::Element;
use dialogues::{Dialogues, Found};

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
struct Caller {
    account: BareJid,
    /// The host that the command was sent to.
    host: BareJid,
    actor: Actor,
    operator: Operator,
}

/// What a command that is completed shows.
#[derive(Debug, Default)]
struct Done {
    note: Option<(NoteKind, String)>,
    form: Option<Form>,
    /// What a standard puts beside the form.
    beside: Option<Element>,
}

/// §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoteKind {
    Info,
    Warn,
}

impl Done {
    /// One sentence.
    fn note(text: impl Into<String>) -> Self {
        Self {
            note: Some((NoteKind::Info, text.into())),
            ..Self::default()
        }
    }

    /// A form of the type result.
    fn form(form: Form) -> Self {
        Self {
            form: Some(form),
            ..Self::default()
        }
    }
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

    /// The form that is asked; `None` when nothing is.
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

/// What the client wants of a dialogue (§4.1, attribute `action`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// `execute`, `complete`, or nothing: in the last step they mean the same (§3.4), and some
    /// clients leave it out where others say `complete`.
    GoOn,
    Cancel,
    /// `next` or `prev`.
    Turn,
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
    let slots = iq.session()?.slots();
    let dialogues = slots.find_or(Mutex::<Dialogues>::default);
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
    let action = action(iq.payload.attribute("action"))?;
    let caller = Caller {
        account: iq.from.bare().clone(),
        host: iq.to.clone(),
        actor,
        operator,
    };
    match iq.payload.attribute("sessionid") {
        None => begin(command, action, caller, &dialogues).await,
        Some(id) => go_on(command, action, id, caller, &iq.payload, &dialogues).await,
    }
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
    Ok(Actor::account(&config, &iq.from, account.role, peer))
}

fn action(text: Option<&str>) -> Result<Action, StanzaError> {
    match text {
        None | Some("" | "execute" | "complete") => Ok(Action::GoOn),
        Some("cancel") => Ok(Action::Cancel),
        Some("next" | "prev") => Ok(Action::Turn),
        Some(_) => Err(bad("malformed-action", "no such action")),
    }
}

/// The first request of a dialogue.
async fn begin(
    command: Command,
    action: Action,
    caller: Caller,
    dialogues: &Mutex<Dialogues>,
) -> IqAnswer {
    if action != Action::GoOn {
        return Err(bad("bad-action", "a command begins with execute"));
    }
    let id = crate::id::random();
    let Some(form) = Box::pin(command.form(&caller)).await? else {
        let done = Box::pin(command.run(caller, Submission::default())).await?;
        return Ok(Some(completed(command, &id, done)));
    };
    let now = caller.operator.clock.now();
    let opened = lock(dialogues).open(id.clone(), command.node(), now);
    if !opened {
        return Err(StanzaError::new(Condition::ResourceConstraint).text("too many open commands"));
    }
    // §3.4: what the next step may be, and what it is when the client does not say.
    let actions = Element::new(ns::COMMANDS, "actions")
        .attr("execute", "complete")
        .child(Element::new(ns::COMMANDS, "complete"));
    Ok(Some(
        answer(command, &id, "executing")
            .child(actions)
            .child(form.to_element()),
    ))
}

/// The form came back.
async fn go_on(
    command: Command,
    action: Action,
    id: &str,
    caller: Caller,
    payload: &Element,
    dialogues: &Mutex<Dialogues>,
) -> IqAnswer {
    let now = caller.operator.clock.now();
    let found = lock(dialogues).find(id, command.node(), now);
    match found {
        Found::Open => {}
        Found::Over => {
            return Err(StanzaError::new(Condition::NotAllowed)
                .application(Element::new(ns::COMMANDS, "session-expired")));
        }
        Found::Nothing => return Err(bad("bad-sessionid", "no such dialogue of yours")),
    }
    let submitted = payload
        .find(ns::DATA_FORMS, "x")
        .map(Form::parse)
        .transpose();
    let submitted = submitted.map_err(|error| bad("bad-payload", error.to_string()))?;
    let given_up = submitted
        .as_ref()
        .is_some_and(|form| form.kind == FormType::Cancel);
    match action {
        Action::Turn => return Err(bad("bad-action", "there is one form only")),
        Action::GoOn if !given_up => {}
        Action::Cancel | Action::GoOn => {
            lock(dialogues).close(id);
            return Ok(Some(answer(command, id, "canceled")));
        }
    }
    let asked = Box::pin(command.form(&caller)).await?;
    let asked = asked.ok_or(Condition::UnexpectedRequest)?;
    let submitted = submitted.ok_or_else(|| bad("bad-payload", "the form is missing"))?;
    let submission = asked.submission(&submitted);
    let submission = submission.map_err(|error| bad("bad-payload", error.to_string()))?;
    // A refusal leaves the dialogue open: what was filled in can be put right.
    let done = Box::pin(command.run(caller, submission)).await?;
    lock(dialogues).close(id);
    Ok(Some(completed(command, id, done)))
}

fn lock(dialogues: &Mutex<Dialogues>) -> std::sync::MutexGuard<'_, Dialogues> {
    dialogues.lock().unwrap_or_else(PoisonError::into_inner)
}

fn completed(command: Command, id: &str, done: Done) -> Element {
    let note = done.note.map(|(kind, text)| {
        let kind = match kind {
            NoteKind::Info => "info",
            NoteKind::Warn => "warn",
        };
        let note = Element::new(ns::COMMANDS, "note");
        note.attr("type", kind).text(text)
    });
    answer(command, id, "completed")
        .child_opt(note)
        .child_opt(done.form.map(|form| form.to_element()))
        .child_opt(done.beside)
}

fn answer(command: Command, id: &str, status: &str) -> Element {
    Element::new(ns::COMMANDS, "command")
        .attr("node", command.node())
        .attr("sessionid", id)
        .attr("status", status)
        .lang("en")
}

/// §4.4: `bad-request` with the condition of its own.
fn bad(condition: &str, text: impl Into<String>) -> StanzaError {
    StanzaError::new(Condition::BadRequest)
        .text(text)
        .application(Element::new(ns::COMMANDS, condition))
}

#[cfg(test)]
mod tests;
