//! The steps of a dialogue (XEP-0050 §2.4, §3): a form is sent, comes back, and what it asks for is done.
//! What it is about is an [`Executable`], from here or from elsewhere in the house.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use super::dialogues::{Dialogues, Found, Step};
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::forms::{Form, FormType, Submission};
use crate::proto::{Condition, StanzaError, ns};
use crate::xml::Element;

/// A command that its caller may execute.
pub(crate) trait Executable: Send + Sync {
    /// The node it is known by.
    fn node(&self) -> &'static str;

    /// The form that is asked; `None` when nothing is.
    fn form(&self) -> BoxFuture<'_, Result<Option<Form>, StanzaError>>;

    /// The form that is asked when the first was filled in so; `None` where that was all.
    fn second<'a>(
        &'a self,
        _first: &'a Submission,
    ) -> BoxFuture<'a, Result<Option<Form>, StanzaError>> {
        Box::pin(async { Ok(None) })
    }

    /// The second form as it is read when it comes back: what it held is with the client. `None` where there is one form only.
    fn read_second(&self) -> Option<Form> {
        None
    }

    /// Does it.
    fn run(&self, filled: Submission) -> BoxFuture<'_, Result<Done, StanzaError>>;
}

/// What a command that is completed shows.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(super) note: Option<(NoteKind, String)>,
    pub(super) form: Option<Form>,
    /// What a standard puts beside the form.
    pub(super) beside: Option<Element>,
}

/// §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoteKind {
    Info,
    Warn,
}

impl Done {
    /// One sentence.
    pub(crate) fn note(text: impl Into<String>) -> Self {
        Self::default().saying(text)
    }

    /// The same with a sentence.
    pub(crate) fn saying(self, text: impl Into<String>) -> Self {
        let note = Some((NoteKind::Info, text.into()));
        Self { note, ..self }
    }

    /// The same with a sentence that warns.
    pub(crate) fn warning(self, text: impl Into<String>) -> Self {
        let note = Some((NoteKind::Warn, text.into()));
        Self { note, ..self }
    }

    /// A form of the type result.
    pub(crate) fn form(form: Form) -> Self {
        Self {
            form: Some(form),
            ..Self::default()
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
    /// From the first form to the second.
    Next,
    /// And back.
    Back,
}

/// Answers a request with a command that the asker may execute.
pub(crate) async fn execute(iq: &Iq, command: &dyn Executable) -> IqAnswer {
    let slots = iq.session()?.slots();
    let dialogues = slots.find_or(Mutex::<Dialogues>::default);
    let action = action(iq.payload.attribute("action"))?;
    match iq.payload.attribute("sessionid") {
        None => begin(iq, command, action, &dialogues).await,
        Some(id) => go_on(iq, command, action, id, &dialogues).await,
    }
}

fn action(text: Option<&str>) -> Result<Action, StanzaError> {
    match text {
        None | Some("" | "execute" | "complete") => Ok(Action::GoOn),
        Some("cancel") => Ok(Action::Cancel),
        Some("next") => Ok(Action::Next),
        Some("prev") => Ok(Action::Back),
        Some(_) => Err(bad("malformed-action", "no such action")),
    }
}

/// The first request of a dialogue.
async fn begin(
    iq: &Iq,
    command: &dyn Executable,
    action: Action,
    dialogues: &Mutex<Dialogues>,
) -> IqAnswer {
    if action != Action::GoOn {
        return Err(bad("bad-action", "a command begins with execute"));
    }
    let id = crate::id::random();
    let Some(form) = command.form().await? else {
        let done = command.run(Submission::default()).await?;
        return Ok(Some(completed(command, &id, done)));
    };
    let now = iq.services.clock.now();
    let opened = lock(dialogues).open(id.clone(), command.node(), now);
    if !opened {
        return Err(StanzaError::new(Condition::ResourceConstraint).text("too many open commands"));
    }
    Ok(Some(asking(command, &id, Step::First, &form)))
}

/// A form to be filled in. §3.4: what the next step may be, and what it is when the client does not say.
fn asking(command: &dyn Executable, id: &str, step: Step, form: &Form) -> Element {
    let named = |name: &str| Element::new(ns::COMMANDS, name);
    let actions = match (step, command.read_second()) {
        (Step::First, Some(_)) => named("actions")
            .attr("execute", "next")
            .child(named("next")),
        (Step::First, None) => named("actions")
            .attr("execute", "complete")
            .child(named("complete")),
        (Step::Second, _) => named("actions")
            .attr("execute", "complete")
            .child(named("prev"))
            .child(named("complete")),
    };
    answer(command, id, "executing")
        .child(actions)
        .child(form.to_element())
}

/// The form came back.
async fn go_on(
    iq: &Iq,
    command: &dyn Executable,
    action: Action,
    id: &str,
    dialogues: &Mutex<Dialogues>,
) -> IqAnswer {
    let now = iq.services.clock.now();
    let found = lock(dialogues).find(id, command.node(), now);
    let step = match found {
        Found::Open(step) => step,
        Found::Over => {
            return Err(StanzaError::new(Condition::NotAllowed)
                .application(Element::new(ns::COMMANDS, "session-expired")));
        }
        Found::Nothing => return Err(bad("bad-sessionid", "no such dialogue of yours")),
    };
    let submitted = iq
        .payload
        .find(ns::DATA_FORMS, "x")
        .map(Form::parse)
        .transpose();
    let submitted = submitted.map_err(|error| bad("bad-payload", error.to_string()))?;
    let given_up = submitted
        .as_ref()
        .is_some_and(|form| form.kind == FormType::Cancel);
    let second = command.read_second();
    match (action, step) {
        (Action::Next, Step::First) if second.is_some() => {}
        (Action::Back, Step::Second) => {
            let form = command.form().await?;
            let form = form.ok_or(Condition::UnexpectedRequest)?;
            lock(dialogues).turn(id, Step::First);
            return Ok(Some(asking(command, id, Step::First, &form)));
        }
        (Action::Next | Action::Back, _) => return Err(bad("bad-action", "there is no such form")),
        (Action::GoOn, _) if !given_up => {}
        (Action::Cancel | Action::GoOn, _) => {
            lock(dialogues).close(id);
            return Ok(Some(answer(command, id, "canceled")));
        }
    }
    let asked = match step {
        Step::First => command.form().await?,
        Step::Second => second,
    };
    let asked = asked.ok_or(Condition::UnexpectedRequest)?;
    let submitted = submitted.ok_or_else(|| bad("bad-payload", "the form is missing"))?;
    let submission = asked.submission(&submitted);
    let submission = submission.map_err(|error| bad("bad-payload", error.to_string()))?;
    if step == Step::First
        && let Some(form) = command.second(&submission).await?
    {
        lock(dialogues).turn(id, Step::Second);
        return Ok(Some(asking(command, id, Step::Second, &form)));
    }
    // A refusal leaves the dialogue open: what was filled in can be put right.
    let done = command.run(submission).await?;
    lock(dialogues).close(id);
    Ok(Some(completed(command, id, done)))
}

fn lock(dialogues: &Mutex<Dialogues>) -> MutexGuard<'_, Dialogues> {
    dialogues.lock().unwrap_or_else(PoisonError::into_inner)
}

fn completed(command: &dyn Executable, id: &str, done: Done) -> Element {
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

fn answer(command: &dyn Executable, id: &str, status: &str) -> Element {
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
