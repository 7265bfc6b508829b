//! What comes of a command to a stream.

use std::collections::BTreeSet;

use super::earlier::of_files;
use super::event::Written;
use super::{
    ATTACHMENTS_MAX, Attachment, Availability, Command, Event, Facts, MESSAGES_MAX, MINUTES_MAX,
    Message, Properties, RECIPIENTS_MAX, Recipients, Rejection, STREAM_ATTACHMENTS_MAX,
    STREAM_BYTES_MAX, Stranger, Stream, TAGS_MAX, TEXT_BYTES_MAX, TITLE_CHARS_MAX,
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
        Command::Edit {
            by,
            read,
            title,
            message,
        } => it.edit(&by, read, title, message),
        Command::SetProperties {
            by,
            read,
            properties,
        } => it.set_properties(&by, read, properties),
        Command::SetTags { by, read, tags } => it.set_tags(&by, read, tags),
        Command::Complete { by, read } => it.complete(&by, read, true),
        Command::Reopen { by, read } => it.complete(&by, read, false),
        Command::Move { customer } => it.moved(customer),
        Command::Delete {
            by,
            read,
            confirmed,
        } => it.delete(&by, read, confirmed),
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

    /// Two who have read the same write one after the other.
    fn require_read(&self, read: u64) -> Result<(), Rejection> {
        match read == self.stream.version_for(self.facts.rights) {
            true => Ok(()),
            false => Err(Rejection::Stale),
        }
    }

    fn require_room(&self, message: &Written, more: usize) -> Result<(), Rejection> {
        let bytes = self.stream.text_bytes() + message.text.len() + more;
        match bytes <= STREAM_BYTES_MAX {
            true => Ok(()),
            false => Err(Rejection::Full),
        }
    }

    /// The files of a message: how many it has, and how many the stream has with it, in the place of what that message had. Taking
    /// some away is never too much.
    fn require_files(&self, message: &Written) -> Result<(), Rejection> {
        if message.attachments.len() > ATTACHMENTS_MAX {
            return Err(Rejection::TooManyAttachments);
        }
        let messages = self.stream.messages.iter();
        let (known, others): (Vec<&Message>, Vec<&Message>) =
            messages.partition(|it| it.id == message.id);
        let known = sum(known.iter().flat_map(|it| &it.attachments));
        let own = sum(&message.attachments);
        if own.0 <= known.0 && own.1 <= known.1 {
            return Ok(());
        }
        let others = sum(others.iter().flat_map(|it| &it.attachments));
        let count = others.0 + own.0;
        let bytes = others.1.saturating_add(own.1);
        match count <= STREAM_ATTACHMENTS_MAX && bytes <= self.facts.attachment_bytes_max {
            true => Ok(()),
            false => Err(Rejection::AttachmentsFull),
        }
    }

    fn may_create(&self, title: &str, message: &Written) -> Result<(), Rejection> {
        self.require(Right::MessageCreate)?;
        if self.stream.version > 0 {
            return Err(Rejection::Exists);
        }
        titled(title)?;
        check(message)?;
        self.require_files(message)
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
        self.may_bill(properties, known, tags)?;
        match &properties.recipients {
            Recipients::All => Ok(()),
            Recipients::Some(recipients) => {
                let good = !recipients.is_empty() && recipients.len() <= RECIPIENTS_MAX;
                let stranger = Stranger(self.stranger(known));
                match good && stranger.0.is_none() {
                    true => Ok(()),
                    false => Err(Rejection::Recipients { stranger }),
                }
            }
        }
    }

    /// A recipient who is no employee. One who was one when it was named stays a recipient, where the one who acts sees that it is
    /// one: others would learn it by the answer.
    fn stranger(&self, known: &Properties) -> Option<AgentId> {
        let is_known = |it: &AgentId| match &known.recipients {
            Recipients::All => false,
            Recipients::Some(known) => {
                self.facts.rights.has(Right::PropertyShow) && known.contains(it)
            }
        };
        let mut strangers = self.facts.strangers.iter();
        strangers.find(|it| !is_known(it)).cloned()
    }

    /// Billing needs a tag. Of tags that it does not see nobody learns by that whether there is such a one, and needs to see
    /// them first; what is billed already, and known to be, stays so.
    fn may_bill(
        &self,
        properties: &Properties,
        known: &Properties,
        tags: &BTreeSet<String>,
    ) -> Result<(), Rejection> {
        if !properties.billable {
            return Ok(());
        }
        let rights = self.facts.rights;
        let is_new = self.stream.version == 0;
        // Its tag may not be on the list any more.
        if !is_new && known.billable && rights.has(Right::PropertyShow) {
            return Ok(());
        }
        if !is_new && !rights.has(Right::TagShow) {
            return self.require(Right::TagShow);
        }
        match self.is_billable(tags) {
            true => Ok(()),
            false => Err(Rejection::BillableTag),
        }
    }

    /// What is billed keeps a tag for it. Whoever does not see whether it is billed takes no such tag away, billed or not;
    /// and without seeing the tags either, sets none but with one: else the answer would tell.
    fn keeps_billing(&self, tags: &BTreeSet<String>) -> Result<(), Rejection> {
        if self.is_billable(tags) {
            return Ok(());
        }
        let rights = self.facts.rights;
        if rights.has(Right::PropertyShow) {
            return match self.stream.properties.billable && self.loses_billing(tags) {
                true => Err(Rejection::BillableTag),
                false => Ok(()),
            };
        }
        match rights.has(Right::TagShow) && !self.is_billable(&self.stream.tags) {
            true => Ok(()),
            false => self.require(Right::PropertyShow),
        }
    }

    /// Whether a tag is taken away that the stream is, or may be, billed by: one that is on the list no more may have been such.
    fn loses_billing(&self, tags: &BTreeSet<String>) -> bool {
        let is_other = |name: &String| {
            let mut known = self.facts.tags.iter();
            let known = known.find(|it| it.name == *name);
            known.is_some_and(|it| !it.availability.contains(&Availability::MessageBillable))
        };
        !self.stream.tags.difference(tags).all(is_other)
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
        let sees = self.facts.rights.has(Right::TagShow);
        let known = |tag: &str| {
            let listed = self
                .facts
                .tags
                .iter()
                .any(|it| it.name == tag && !it.availability.is_empty());
            listed || (sees && self.stream.tags.contains(tag))
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
        self.require_room(&message, 0)?;
        self.require_files(&message)?;
        let at = self.at;
        Ok(vec![Event::Replied { at, by, message }])
    }

    fn edit(&self, by: &AgentId, read: u64, title: Option<String>, message: Written) -> Decided {
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
        self.require_read(read)?;
        let title = match title {
            Some(_) if found != Some(0) => return Err(Rejection::ReplyTitled),
            Some(title) => Some(titled(&title)?).filter(|it| *it != self.stream.title),
            None => None,
        };
        check(&message)?;
        let same = known.text == message.text && known.attachments == message.attachments;
        if same && title.is_none() {
            return Ok(vec![]);
        }
        // What it was stays beside what it is.
        let taken = known.attachments.iter();
        let taken = of_files(taken.filter(|it| !message.attachments.contains(it)));
        let before = title.as_ref().map_or(0, |_| self.stream.title.len());
        self.require_room(&message, taken + before)?;
        self.require_files(&message)?;
        let at = self.at;
        Ok(vec![Event::Edited { at, title, message }])
    }

    fn set_properties(&self, by: &AgentId, read: u64, properties: Properties) -> Decided {
        self.require_seen(by)?;
        self.require(Right::PropertyCreate)?;
        self.require_read(read)?;
        self.may_set(&properties, &self.stream.properties, &self.stream.tags)?;
        if properties == self.stream.properties {
            return Ok(vec![]);
        }
        let at = self.at;
        Ok(vec![Event::PropertiesSet { at, properties }])
    }

    fn set_tags(&self, by: &AgentId, read: u64, tags: BTreeSet<String>) -> Decided {
        self.require_seen(by)?;
        self.require(Right::TagCreate)?;
        self.require_read(read)?;
        self.check_tags(&tags)?;
        self.keeps_billing(&tags)?;
        if tags == self.stream.tags {
            return Ok(vec![]);
        }
        let at = self.at;
        Ok(vec![Event::TagsSet { at, tags }])
    }

    fn complete(&self, by: &AgentId, read: Option<u64>, completed: bool) -> Decided {
        self.require_seen(by)?;
        self.require(Right::MessageCreate)?;
        read.map_or(Ok(()), |read| self.require_read(read))?;
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

    fn delete(&self, by: &AgentId, read: Option<u64>, confirmed: bool) -> Decided {
        self.require_seen(by)?;
        self.require(Right::MessageCreate)?;
        read.map_or(Ok(()), |read| self.require_read(read))?;
        match confirmed {
            true => Ok(vec![Event::Deleted { at: self.at }]),
            false => Err(Rejection::NotConfirmed),
        }
    }
}

/// How many files, and their bytes.
fn sum<'a, I: IntoIterator<Item = &'a Attachment>>(files: I) -> (usize, u64) {
    let add =
        |(count, bytes): (usize, u64), it: &Attachment| (count + 1, bytes.saturating_add(it.bytes));
    files.into_iter().fold((0, 0), add)
}

/// The title as it is kept, if it is one.
fn titled(title: &str) -> Result<String, Rejection> {
    let title = title.trim();
    let malformed = title.is_empty()
        || title.chars().count() > TITLE_CHARS_MAX
        || title.contains(char::is_control);
    match malformed {
        true => Err(Rejection::Title),
        false => Ok(title.to_owned()),
    }
}

fn check(message: &Written) -> Result<(), Rejection> {
    if message.text.trim().is_empty() {
        return Err(Rejection::Text);
    }
    if message.text.len() > TEXT_BYTES_MAX {
        return Err(Rejection::TooLong);
    }
    Ok(())
}
