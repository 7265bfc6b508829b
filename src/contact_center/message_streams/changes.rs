//! Streams written: made, replied to, edited, set, tagged, completed and opened again. Each is decided, saved with who has not read
//! it, with what the customer gets and with who has done it, and told to whom it concerns.

use std::collections::BTreeSet;

use super::fields::{id, properties as properties_of, read, tags as tags_of, version};
use super::live::What;
use super::readers;
use super::{attachments, audit, delivery, seen, stop_watches, wire};
use crate::contact_center::customers;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{self, Refused};
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::trail;
use crate::contact_center::values::Values;
use crate::domain::customer;
use crate::domain::ids::{AgentId, CustomerId, MessageId, StreamId};
use crate::domain::message_stream::{
    Attachment, Command, Event, Facts, Rejection, Stream, Written, decide,
};
use crate::hooks::Turn;
use crate::proto::StanzaError;
use crate::xml::Element;

/// A stream before and after what was done.
pub(super) struct Done {
    pub(super) before: Stream,
    pub(super) after: Stream,
    /// Nothing, where it was so already.
    pub(super) events: Vec<Event>,
    pub(super) what: What,
}

/// What is to be done to a stream.
pub(super) struct Wish {
    pub(super) command: Command,
    /// Recipients that are no employees.
    pub(super) strangers: BTreeSet<AgentId>,
    /// The draft whose stop watch is read and of no use afterwards.
    draft: Option<String>,
}

impl Wish {
    pub(super) const fn of(command: Command) -> Self {
        Self {
            command,
            strangers: BTreeSet::new(),
            draft: None,
        }
    }

    /// What it is to those who watch.
    const fn what(&self) -> What {
        match &self.command {
            Command::Create { .. } => What::Created,
            Command::Reply { .. } => What::Replied,
            Command::Edit { .. } => What::Edited,
            Command::SetProperties { .. } => What::Properties,
            Command::SetTags { .. } => What::Tags,
            Command::Complete { .. } => What::Completed,
            Command::Reopen { .. } => What::Reopened,
            Command::Move { .. } => What::Moved,
            Command::Delete { .. } => What::Deleted,
        }
    }

    /// The same with files.
    fn with(mut self, files: Vec<Attachment>) -> Self {
        match &mut self.command {
            Command::Create { message, .. }
            | Command::Reply { message, .. }
            | Command::Edit { message, .. } => message.attachments.extend(files),
            Command::SetProperties { .. }
            | Command::SetTags { .. }
            | Command::Complete { .. }
            | Command::Reopen { .. }
            | Command::Move { .. }
            | Command::Delete { .. } => {}
        }
        self
    }
}

/// The operation `create`: S4-10 to S4-26.
pub(super) async fn create(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let named: CustomerId = id(&values, "customer")?;
    let found = customers::find(&caller.services, &caller.place, &named).await?;
    let customer = found.ok_or(customer::Rejection::Unknown)?;
    let (properties, strangers) = properties_of(&caller, &values).await?;
    let now = caller.now();
    let id = StreamId::made(now);
    let command = Command::Create {
        by: caller.agent.clone(),
        customer: customer.id.clone(),
        title: values.optional_text("title").unwrap_or_default().to_owned(),
        message: message(&values, MessageId::made(now)),
        properties,
        tags: tags_of(&values),
    };
    let wish = Wish {
        command,
        strangers,
        draft: values.optional_text("draft").map(str::to_owned),
    };
    let fresh = Stream::new(id.clone());
    let _turn = caller.center.turns.take(id.to_string()).await;
    decided(&caller, &fresh, &wish, wish.command.clone())?;
    let wish = with_files(&caller, &values, &fresh, wish).await?;
    let done = Box::pin(save(&caller, &id, &wish)).await?;
    finish(&caller, &done).await;
    let told = format!(
        "Your message about {} is sent.",
        customers::title(&customer)
    );
    Ok(written(&caller, &done.after, &told))
}

/// The operation `reply`: S4-36.
pub(super) async fn reply(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let _turn = turn(&caller, &values).await?;
    let command = Command::Reply {
        by: caller.agent.clone(),
        message: message(&values, MessageId::made(caller.now())),
    };
    let done = Box::pin(write_with_files(&caller, &values, command)).await?;
    finish(&caller, &done).await;
    Ok(written(&caller, &done.after, "Your reply is sent."))
}

/// The operation `edit`: S4-30.
pub(super) async fn edit(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let _turn = turn(&caller, &values).await?;
    let mut message = message(&values, id(&values, "message")?);
    let stream = shown(&caller, &values).await?;
    let known = stream.messages.iter().find(|it| it.id == message.id);
    // A reply of somebody else is none for whoever sees no replies.
    let readable = |it: &MessageId| stream.read_by(&caller.rights).any(|known| known.id == *it);
    let known = known.filter(|it| {
        let is_own = it.author == caller.agent && it.at >= caller.since;
        is_own || readable(&it.id)
    });
    let known = known.ok_or(Rejection::NoMessage)?;
    let kept = values.texts("keep");
    let keeps = |it: &&Attachment| kept.contains(&it.slot.as_str());
    message.attachments = known.attachments.iter().filter(keeps).cloned().collect();
    if message.attachments.len() < kept.len() {
        return Err(errors::malformed(
            "attachment-unknown",
            "The message has no such file.",
        ));
    }
    let command = Command::Edit {
        by: caller.agent.clone(),
        read: version(&values)?,
        title: values.optional_text("title").map(str::to_owned),
        message,
    };
    let done = Box::pin(write_with_files(&caller, &values, command)).await?;
    finish(&caller, &done).await;
    Ok(written(&caller, &done.after, "The message is changed."))
}

/// The operation `properties`: S4-22 to S4-24, S4-34, S4-35.
pub(super) async fn properties(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let _turn = turn(&caller, &values).await?;
    let read = version(&values)?;
    let (properties, strangers) = properties_of(&caller, &values).await?;
    let wish = Wish {
        command: Command::SetProperties {
            by: caller.agent.clone(),
            read,
            properties,
        },
        strangers,
        draft: values.optional_text("draft").map(str::to_owned),
    };
    let done = Box::pin(save(&caller, &id(&values, "id")?, &wish)).await?;
    finish(&caller, &done).await;
    // Whoever takes itself off a stream sees no more of it.
    let told = "This holds for the whole message from now on.";
    match done
        .after
        .is_seen_by(&caller.agent, caller.since, &caller.rights)
    {
        true => Ok(written(&caller, &done.after, told)),
        false => Ok(Outcome::told(told)),
    }
}

/// The operation `tags`: S4-38.
pub(super) async fn tags(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let _turn = turn(&caller, &values).await?;
    let command = Command::SetTags {
        by: caller.agent.clone(),
        read: version(&values)?,
        tags: tags_of(&values),
    };
    let done = write(&caller, &values, command).await?;
    finish(&caller, &done).await;
    Ok(written(&caller, &done.after, "The tags are saved."))
}

/// The operation `complete`: S4-31.
pub(super) async fn complete(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let _turn = turn(&caller, &values).await?;
    let by = caller.agent.clone();
    let read = read(&values)?;
    let done = write(&caller, &values, Command::Complete { by, read }).await?;
    finish(&caller, &done).await;
    Ok(written(&caller, &done.after, "The message is completed."))
}

/// The operation `reopen`: S4-32.
pub(super) async fn reopen(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let _turn = turn(&caller, &values).await?;
    let by = caller.agent.clone();
    let read = read(&values)?;
    let done = write(&caller, &values, Command::Reopen { by, read }).await?;
    finish(&caller, &done).await;
    Ok(written(&caller, &done.after, "The message is open again."))
}

fn message(values: &Values, id: MessageId) -> Written {
    Written {
        id,
        text: values.optional_text("text").unwrap_or_default().to_owned(),
        attachments: Vec::new(),
    }
}

/// Waits until nobody else writes in the stream that is named. A turn lasts from the look at what is there until it is settled
/// which files belong to it: what one message names no more, the next may name again.
pub(super) async fn turn<'a>(
    caller: &'a Caller,
    values: &Values,
) -> Result<Turn<'a, String>, Refused> {
    let id: StreamId = id(values, "id")?;
    Ok(caller.center.turns.take(id.to_string()).await)
}

/// The stream that is named, if the caller may see it.
pub(super) async fn shown(caller: &Caller, values: &Values) -> Result<Stream, Refused> {
    let found = seen(caller, &id(values, "id")?).await?;
    found.ok_or_else(|| Rejection::Unknown.into())
}

async fn write(caller: &Caller, values: &Values, command: Command) -> Result<Done, Refused> {
    Box::pin(save(caller, &id(values, "id")?, &Wish::of(command))).await
}

/// The same of a message with new files, which are taken over when all else is known to be right.
async fn write_with_files(
    caller: &Caller,
    values: &Values,
    command: Command,
) -> Result<Done, Refused> {
    let id: StreamId = id(values, "id")?;
    let wish = Wish::of(command);
    let before = seen(caller, &id).await?.ok_or(Rejection::Unknown)?;
    decided(caller, &before, &wish, wish.command.clone())?;
    let wish = with_files(caller, values, &before, wish).await?;
    Box::pin(save(caller, &id, &wish)).await
}

/// The same with the files that are named, which are taken over when the stream may have them.
async fn with_files(
    caller: &Caller,
    values: &Values,
    before: &Stream,
    wish: Wish,
) -> Result<Wish, Refused> {
    let urls = values.texts("attachment");
    if urls.is_empty() {
        return Ok(wish);
    }
    let found = Box::pin(attachments::look(caller, &before.id, &urls)).await?;
    let wish = wish.with(found.iter().map(attachments::Found::attachment).collect());
    decided(caller, before, &wish, wish.command.clone())?;
    Box::pin(attachments::take(caller, &before.id, found)).await?;
    Ok(wish)
}

/// What comes of a wish. Whoever read an old version is given the present one with the refusal, so that nobody has to ask for it.
fn decided(
    caller: &Caller,
    before: &Stream,
    wish: &Wish,
    command: Command,
) -> Result<Vec<Event>, Refused> {
    let settings = caller.place.settings.load_full();
    let config = &caller.services.config.contact_center;
    let facts = Facts {
        rights: &caller.rights,
        since: caller.since,
        tags: &settings.tags.tags,
        strangers: &wish.strangers,
        attachment_bytes_max: config.stream_attachments_bytes_max.as_u64(),
    };
    let events = decide(before, command, caller.now(), &facts);
    events.map_err(|rejection| {
        let stale = rejection == Rejection::Stale;
        let refused = Refused::from(rejection);
        if !stale {
            return refused;
        }
        let error = StanzaError::from(refused);
        let code = Element::new(errors::NS, "stream-changed");
        let present = wire::whole(caller, before);
        Refused::Stanza(error.application(code.child(present)))
    })
}

/// Has it done, with everything that belongs to it, all or nothing.
pub(super) async fn save(caller: &Caller, id: &StreamId, wish: &Wish) -> Result<Done, Refused> {
    let creates = matches!(wish.command, Command::Create { .. });
    let attempt = async |mut draft: Draft| {
        let before = match creates {
            true => Stream::new(id.clone()),
            false => seen(caller, id).await?.ok_or(Rejection::Unknown)?,
        };
        let mut command = wish.command.clone();
        if let Command::Create {
            customer: about, ..
        } = &mut command
        {
            // Who was erased or merged at this moment has no new one.
            let held = customers::hold(&mut draft, &caller.services, &caller.place, about).await?;
            *about = held.ok_or(customer::Rejection::Unknown)?.id;
        }
        let events = decided(caller, &before, wish, command)?;
        let after = draft.change(&before, &events)?;
        if !events.is_empty() {
            readers::follow(&mut draft, &caller.services, &after).await?;
            delivery::deliver(caller, &mut draft, (&before, &after), &events).await?;
            trail::wrote(&mut draft, caller, wish.what().operation(), id.as_str());
        }
        if let Some(used) = &wish.draft {
            stop_watches::put_away(&mut draft, caller, used).await?;
        }
        let done = Done {
            before,
            after,
            events,
            what: wish.what(),
        };
        Ok((draft, done))
    };
    caller.center.save(&caller.services, attempt).await
}

/// Has those told who watch, and settles which files belong to it. What was so already is no news.
pub(super) async fn finish(caller: &Caller, done: &Done) {
    if done.events.is_empty() {
        return;
    }
    caller.center.streams.note(&caller.place, done);
    if done.before.is_for_the_customer() && !done.after.is_for_the_customer() {
        caller.center.outbox.deliveries.switched_off();
    }
    let has_files = |it: &Stream| it.messages.iter().any(|it| !it.attachments.is_empty());
    if has_files(&done.before) || has_files(&done.after) {
        audit::settled(attachments::forget(&caller.services, &done.after.id).await);
    }
}

fn written(caller: &Caller, stream: &Stream, told: &str) -> Outcome {
    let told = format!("{told} Its id is {}.", stream.id);
    Outcome::told(told).with(wire::whole(caller, stream))
}
