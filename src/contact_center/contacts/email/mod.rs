//! E-mail to a colleague (S0-3): through the operator's relay, or by a link for the agent's own program.
//!
//! What shall be sent is a record that is due at once, so that a crash loses none; whoever serves what is due hands
//! it to a few tasks, which wait for the relay. One that was being sent during a crash is sent again, with the same
//! Message-ID. When it cannot be sent the agent is told.

mod letter;
mod record;
mod sending;

use std::sync::Arc;

use super::addresses::uri;
use super::reach::{NS, Question};
use super::{COLLEAGUE, addresses};
use crate::contact_center::center::Center;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Act, Caller, Field, Kind, Operation, Outcome};
use crate::contact_center::values::Values;
use crate::domain::chat_profile::Means;
use crate::domain::ids::AgentId;
use crate::domain::reach::Address;
use crate::domain::refusal::{Class, Refusal};
use crate::domain::rights::Right;
use crate::hooks::{Hooks, Services};
use crate::proto::Condition;
use crate::proto::uri::encode;
use crate::xml::Element;

pub(in crate::contact_center) use record::KIND;
use record::{Email, Event};
pub(in crate::contact_center) use sending::time_is_up;

/// Characters of a subject: RFC 5322 §2.1.1 has lines of at most 998 bytes, and nobody reads more than one.
const SUBJECT_CHARS_MAX: usize = 200;

/// Bytes of a text: longer ones are documents, which belong into files.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// Bytes of a text that go into a link; programs take links of some two thousand bytes.
const LINK_TEXT_BYTES_MAX: usize = 500;

/// What the operations are.
pub(super) const OPERATIONS: &[Operation] = &[Operation {
    ns: NS,
    name: "send-email",
    node: "urn:parlour:reach:0#send-email",
    act: Act::Set,
    title: "Send an e-mail to a colleague",
    about: "Answers go to the e-mail address in your vCard.",
    right: Right::Directory,
    fields: &[COLLEAGUE, SUBJECT, TEXT],
    shown: None,
    present: None,
    run: |caller, values| Box::pin(send(caller, values)),
}];

const SUBJECT: Field = Field::required(
    "subject",
    Kind::Line {
        chars_max: SUBJECT_CHARS_MAX,
    },
    "Subject",
)
.as_child();

const TEXT: Field = Field::required(
    "text",
    Kind::Text {
        bytes_max: TEXT_BYTES_MAX,
    },
    "Text",
)
.as_child();

/// Registers the tasks that wait for the relay, where there is one.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let starting = Arc::clone(center);
    hooks.starting(move |services| {
        let center = Arc::clone(&starting);
        async move {
            sending::start(&center, &services);
            Ok(())
        }
    });
    hooks.stopping(|services| async move { sending::stop(&services).await });
}

/// Whether the service sends e-mail itself.
pub(super) fn has_relay(services: &Services) -> bool {
    sending::is_started(services)
}

async fn send(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let (subject, text) = (values.text("subject")?, values.text("text")?);
    if subject.trim().is_empty() || text.trim().is_empty() {
        return Err(malformed(
            "email-empty",
            "An e-mail needs a subject and a text.",
        ));
    }
    let question = Question::of(&caller, &values).await?;
    let to = match question.ask(Means::Email)? {
        Address::Email(to) => to,
        Address::Account(_) | Address::Telephone(_) => {
            return Err(Condition::InternalServerError.into());
        }
    };
    let answer = Element::new(NS, "send-email");
    if !has_relay(&caller.services) {
        let link = link(&to, subject, text);
        let told = format!("Write to {link}");
        return Ok(Outcome::told(told).with(answer.attr("uri", link)));
    }
    let colleague = question.colleague.person.id.clone();
    let email = written(&caller, colleague, to, (subject, text)).await?;
    queue(&caller, &email).await?;
    let told = format!("On its way to {}.", email.to);
    Ok(Outcome::told(told).with(answer.attr("id", &email.id)))
}

/// RFC 6068 §2: with the text where it is short.
fn link(to: &str, subject: &str, text: &str) -> String {
    let link = uri(&Address::Email(to.to_owned()));
    let link = format!("{link}?subject={}", encode(subject));
    if text.len() > LINK_TEXT_BYTES_MAX {
        return link;
    }
    // RFC 6068 §5: lines end as in e-mail.
    let text = text.lines().map(encode).collect::<Vec<_>>();
    format!("{link}&body={}", text.join("%0D%0A"))
}

async fn written(
    caller: &Caller,
    colleague: AgentId,
    to: String,
    (subject, text): (&str, &str),
) -> Result<Email, Refused> {
    let services = &caller.services;
    let names = services.store.directory().names(caller.agent.jid()).await?;
    let name = names.and_then(|names| names.full.or(names.nickname));
    let own = addresses::of(services, &caller.agent).await?;
    Ok(Email {
        id: crate::id::sorted(caller.now()),
        version: 0,
        sender: caller.agent.clone(),
        sender_name: name.unwrap_or_else(|| caller.agent.logon().to_owned()),
        reply_to: own.email,
        colleague,
        to,
        subject: subject.to_owned(),
        text: text.to_owned(),
        queued_at: caller.now(),
        tries: 0,
        stage: record::Stage::New,
    })
}

/// Writes it down, unless as many wait as may.
async fn queue(caller: &Caller, email: &Email) -> Result<(), Refused> {
    let host = email.sender.host();
    let records = caller.services.store.records();
    let max = caller.services.config.contact_center.email.waiting_max;
    let decided = async |mut draft: crate::contact_center::draft::Draft| {
        let guard = records.guard(&format!("{KIND}/{host}")).await?;
        if records.count(KIND, (record::WAITING, host)).await? >= u64::from(max) {
            return Err(full());
        }
        draft.guard(guard);
        draft.change(email, &[Event::Queued { at: caller.now() }])?;
        Ok((draft, ()))
    };
    caller.center.save(&caller.services, decided).await
}

fn full() -> Refused {
    Refused::Rule(Refusal {
        class: Class::Limit,
        code: "email-queue-full",
        text: "Too many e-mails wait to be sent. Try again later.".to_owned(),
    })
}
