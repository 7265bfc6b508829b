//! What comes of a command to a stream.

use std::collections::BTreeSet;

use super::event::Written;
use super::{
    ATTACHMENTS_MAX, Availability, Command, Event, Facts, MESSAGES_MAX, MINUTES_MAX, Properties,
    RECIPIENTS_MAX, Recipients, Rejection, STREAM_BYTES_MAX, Stream, TAGS_MAX, TEXT_BYTES_MAX,
    TITLE_CHARS_MAX,
};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, CustomerId};
use crate::domain::rights::Right;

/// What comes of a command. What is so already is no event; a reply is one each time.
///
/// # Errors
/// When a right is missing, the stream is not seen, or something does not go together.
pub fn decide(
    stream: &Stream,
    command: Command,
    now: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let it = Decision {
        stream,
        at: now,
        facts,
    };
    match command {
        Command::Create {
            by,
            customer,
            title,
            message,
            properties,
            tags,
        } => {
            it.may_create(&title, &message)?;
            it.may_set(&properties, &Properties::default(), &tags)?;
            it.may_tag(&tags)?;
            Ok(vec![Event::Created {
                at: now,
                by,
                customer,
                title: title.trim().to_owned(),
                message,
                properties,
                tags,
            }])
        }
        Command::Reply { by, message } => it.reply(by, message),
        Command::Edit { by, read, message } => it.edit(&by, read, message),
        Command::SetProperties {
            by,
            read,
            properties,
        } => it.set_properties(&by, read, properties),
        Command::SetTags { by, tags } => it.set_tags(&by, tags),
        Command::Complete { by } => it.complete(&by, true),
        Command::Reopen { by } => it.complete(&by, false),
        Command::Move { customer } => it.moved(customer),
        Command::Delete { by, confirmed } => it.delete(&by, confirmed),
    }
}

struct Decision<'a> {
    stream: &'a Stream,
    at: Timestamp,
    facts: &'a Facts<'a>,
}

type Decided = Result<Vec<Event>, Rejection>;

impl Decision<'_> {
    /// Who does not see it learns nothing of it.
    fn require_seen(&self, by: &AgentId) -> Result<(), Rejection> {
        match self
            .stream
            .is_seen_by(by, self.facts.since, self.facts.rights)
        {
            true => Ok(()),
            false => Err(Rejection::Unknown),
        }
    }

    fn require(&self, right: Right) -> Result<(), Rejection> {
        Ok(self.facts.rights.require(right)?)
    }

    fn require_room(&self, message: &Written) -> Result<(), Rejection> {
        let bytes = self.stream.text_bytes() + message.text.len();
        match bytes <= STREAM_BYTES_MAX {
            true => Ok(()),
            false => Err(Rejection::Full),
        }
    }

    fn may_create(&self, title: &str, message: &Written) -> Result<(), Rejection> {
        self.require(Right::MessageCreate)?;
        if self.stream.version > 0 {
            return Err(Rejection::Exists);
        }
        let title = title.trim();
        if title.is_empty()
            || title.chars().count() > TITLE_CHARS_MAX
            || title.contains(char::is_control)
        {
            return Err(Rejection::Title);
        }
        check(message)
    }

    /// Whether that can be set. What is not changed needs no right.
    fn may_set(
        &self,
        properties: &Properties,
        known: &Properties,
        tags: &BTreeSet<String>,
    ) -> Result<(), Rejection> {
        if properties != known {
            self.require(Right::PropertyCreate)?;
        }
        if properties.whisper && (properties.minutes.is_some() || properties.billable) {
            return Err(Rejection::WhisperMinutes);
        }
        if properties.whisper && properties.delivered {
            return Err(Rejection::WhisperDelivered);
        }
        if properties
            .minutes
            .is_some_and(|minutes| minutes > MINUTES_MAX)
        {
            return Err(Rejection::Minutes);
        }
        if properties.billable && !self.is_billable(tags) {
            return Err(Rejection::BillableTag);
        }
        match &properties.recipients {
            Recipients::All => Ok(()),
            Recipients::Some(recipients) => {
                let good = !recipients.is_empty() && recipients.len() <= RECIPIENTS_MAX;
                match good && self.facts.strangers == 0 {
                    true => Ok(()),
                    false => Err(Rejection::Recipients),
                }
            }
        }
    }

    fn is_billable(&self, tags: &BTreeSet<String>) -> bool {
        let known = self.facts.tags.iter();
        let mut billable =
            known.filter(|it| it.availability.contains(&Availability::MessageBillable));
        billable.any(|it| tags.contains(&it.name))
    }

    fn may_tag(&self, tags: &BTreeSet<String>) -> Result<(), Rejection> {
        if tags.is_empty() {
            return Ok(());
        }
        self.require(Right::TagCreate)?;
        self.check_tags(tags)
    }

    /// A tag that was chosen when it was in the list stays.
    fn check_tags(&self, tags: &BTreeSet<String>) -> Result<(), Rejection> {
        if tags.len() > TAGS_MAX {
            return Err(Rejection::TooManyTags);
        }
        let known = |tag: &str| {
            let listed = self
                .facts
                .tags
                .iter()
                .any(|it| it.name == tag && !it.availability.is_empty());
            listed || self.stream.tags.contains(tag)
        };
        match tags.iter().find(|tag| !known(tag)) {
            Some(tag) => Err(Rejection::TagUnknown { tag: tag.clone() }),
            None => Ok(()),
        }
    }

    fn reply(&self, by: AgentId, message: Written) -> Decided {
        self.require_seen(&by)?;
        self.require(Right::CommentCreate)?;
        if self.stream.completed_at.is_some() {
            return Err(Rejection::Completed);
        }
        if self.stream.messages.len() >= MESSAGES_MAX {
            return Err(Rejection::Full);
        }
        check(&message)?;
        self.require_room(&message)?;
        let at = self.at;
        Ok(vec![Event::Replied { at, by, message }])
    }

    fn edit(&self, by: &AgentId, read: u64, message: Written) -> Decided {
        self.require_seen(by)?;
        let found = self
            .stream
            .messages
            .iter()
            .position(|it| it.id == message.id);
        let known = found.and_then(|at| self.stream.messages.get(at));
        let known = known.ok_or(Rejection::NoMessage)?;
        let right = match found {
            Some(0) => Right::MessageCreate,
            _ => Right::CommentCreate,
        };
        self.require(right)?;
        if known.author != *by || known.at < self.facts.since {
            return Err(Rejection::NotAuthor);
        }
        if read != self.stream.version_for(self.facts.rights) {
            return Err(Rejection::Stale);
        }
        check(&message)?;
        if known.text == message.text && known.attachments == message.attachments {
            return Ok(vec![]);
        }
        self.require_room(&message)?;
        let at = self.at;
        Ok(vec![Event::Edited { at, message }])
    }

    fn set_properties(&self, by: &AgentId, read: u64, properties: Properties) -> Decided {
        self.require_seen(by)?;
        self.require(Right::PropertyCreate)?;
        if read != self.stream.version_for(self.facts.rights) {
            return Err(Rejection::Stale);
        }
        self.may_set(&properties, &self.stream.properties, &self.stream.tags)?;
        if properties == self.stream.properties {
            return Ok(vec![]);
        }
        let at = self.at;
        Ok(vec![Event::PropertiesSet { at, properties }])
    }

    fn set_tags(&self, by: &AgentId, tags: BTreeSet<String>) -> Decided {
        self.require_seen(by)?;
        self.require(Right::TagCreate)?;
        self.check_tags(&tags)?;
        if self.stream.properties.billable && !self.is_billable(&tags) {
            return Err(Rejection::BillableTag);
        }
        if tags == self.stream.tags {
            return Ok(vec![]);
        }
        let at = self.at;
        Ok(vec![Event::TagsSet { at, tags }])
    }

    fn complete(&self, by: &AgentId, completed: bool) -> Decided {
        self.require_seen(by)?;
        self.require(Right::MessageCreate)?;
        if self.stream.completed_at.is_some() == completed {
            return Ok(vec![]);
        }
        let at = self.at;
        Ok(vec![Event::Completed { at, completed }])
    }

    /// Nobody's wish: the record of the customer is another one now.
    fn moved(&self, customer: CustomerId) -> Decided {
        match &self.stream.customer {
            None => Err(Rejection::Unknown),
            Some(known) if *known == customer => Ok(vec![]),
            Some(_) => Ok(vec![Event::Moved {
                at: self.at,
                customer,
            }]),
        }
    }

    fn delete(&self, by: &AgentId, confirmed: bool) -> Decided {
        self.require_seen(by)?;
        self.require(Right::MessageCreate)?;
        match confirmed {
            true => Ok(vec![Event::Deleted { at: self.at }]),
            false => Err(Rejection::NotConfirmed),
        }
    }
}

fn check(message: &Written) -> Result<(), Rejection> {
    if message.text.trim().is_empty() {
        return Err(Rejection::Text);
    }
    if message.text.len() > TEXT_BYTES_MAX {
        return Err(Rejection::TooLong);
    }
    match message.attachments.len() <= ATTACHMENTS_MAX {
        true => Ok(()),
        false => Err(Rejection::TooManyAttachments),
    }
}
