//! The scratch pad (S3-17): one for each agent, on all of its devices, and nobody else's.

use super::NS;
use super::written::version;
use crate::admin::SCRATCH_PAD;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{self, Refused};
use crate::contact_center::operation::{Caller, Outcome, Shown};
use crate::contact_center::record::{self, Record};
use crate::contact_center::values::Values;
use crate::domain::follow_up::scratch_pad::{Command, Event, Rejection, ScratchPad, apply, decide};
use crate::proto::StanzaError;
use crate::xml::Element;

impl Record for ScratchPad {
    /// What was wiped off is gone.
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = SCRATCH_PAD;
    type Event = Event;

    fn id(&self) -> String {
        self.owner.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        apply(self, event);
    }
}

async fn of(caller: &Caller) -> Result<ScratchPad, Refused> {
    let found = record::find(&caller.services.store, &caller.agent.to_string()).await?;
    Ok(found.unwrap_or_else(|| ScratchPad::new(caller.agent.clone())))
}

/// The operation `scratch-pad` that looks.
pub(super) async fn look(caller: Caller) -> Result<Outcome, Refused> {
    let pad = of(&caller).await?;
    let told = match pad.text.as_str() {
        "" => "There is nothing on your scratch pad.",
        text => text,
    };
    Ok(Outcome::told(told).with(element(&pad)))
}

/// The operation `scratch-pad` that writes.
pub(super) async fn write(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let read = version(&values)?;
    let text = values.optional_text("text").unwrap_or_default();
    let decided = async |mut draft: Draft| {
        let before = of(&caller).await?;
        let text = text.to_owned();
        let events = decide(&before, Command::Write { read, text }, caller.now());
        let events = events.map_err(|rejection| refused(rejection, &before))?;
        let after = draft.change(&before, &events)?;
        Ok((draft, after))
    };
    let after = caller.center.save(&caller.services, decided).await?;
    let told = match after.text.is_empty() {
        true => "Your scratch pad is empty.",
        false => "It is on your scratch pad.",
    };
    Ok(Outcome::told(told).with(element(&after)))
}

/// What is on it, to be changed.
pub(super) async fn shown(caller: Caller) -> Result<Shown, Refused> {
    let pad = of(&caller).await?;
    Ok(Shown {
        values: vec![("version", pad.version.to_string()), ("text", pad.text)],
        ..Shown::default()
    })
}

/// The text of the caller's scratch pad, which is empty when the draft is written.
pub(super) async fn take_over(caller: &Caller, draft: &mut Draft) -> Result<String, Refused> {
    let pad = of(caller).await?;
    let events = decide(&pad, Command::TakeOver, caller.now())?;
    draft.change(&pad, &events)?;
    Ok(pad.text)
}

/// Whoever read an old version is given the present one.
fn refused(rejection: Rejection, present: &ScratchPad) -> Refused {
    if rejection != Rejection::Stale {
        return rejection.into();
    }
    let code = Element::new(errors::NS, rejection.code());
    let error = StanzaError::from(Refused::from(rejection));
    Refused::Stanza(error.application(code.child(element(present))))
}

fn element(pad: &ScratchPad) -> Element {
    let text = (!pad.text.is_empty()).then(|| Element::new(NS, "text").text(pad.text.as_str()));
    Element::new(NS, "scratch-pad")
        .attr("version", pad.version.to_string())
        .attr_opt("at", pad.at.map(|at| at.to_string()))
        .child_opt(text)
}
