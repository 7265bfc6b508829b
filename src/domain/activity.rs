//! Activities: the CRM's record of one agent's part in one interaction (S2-17, S2-21 to S2-27, S2-36 to S2-45).
//!
//! One is opened for each participant when the screen pops, whether anybody matches or not, and closed when that
//! participant leaves; from then on only notes, the wrap-up and the customer change. A participant who was thought not to have
//! taken the offer and talks nevertheless has it opened again. Machine: [`decide`] and [`apply`] on [`Activity`].

use serde::{Deserialize, Serialize};

use super::ids::{ActivityId, AgentId, CustomerId, InteractionId};
use super::interaction::{Direction, Medium, Role};
use super::refusal::rejections;
use crate::clock::Timestamp;

#[cfg(test)]
mod tests;

/// Notes of one activity.
pub const NOTES_MAX: usize = 200;
/// Bytes of a note.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;
/// Characters of a name.
pub const NAME_CHARS_MAX: usize = 256;

/// Where the CRM files an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Phone calls (S2-24).
    PhoneCall,
    /// Chats, and e-mails with them (S2-39, S2-45).
    Chat,
}

impl Category {
    /// Where activities on that medium are filed.
    #[must_use]
    pub const fn of(medium: Medium) -> Self {
        match medium {
            Medium::Voice => Self::PhoneCall,
            Medium::Chat | Medium::Email => Self::Chat,
        }
    }

    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PhoneCall => "phone-call",
            Self::Chat => "chat",
        }
    }
}

/// What an activity is about, as it is when it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Which interaction.
    pub interaction: InteractionId,
    /// Whose part.
    pub agent: AgentId,
    /// In which role.
    pub role: Role,
    /// On what.
    pub medium: Medium,
    /// Who began.
    pub direction: Direction,
    /// Where the customer is: number or address.
    pub address: String,
    /// Who the customer is, when that is known.
    pub customer: Option<CustomerId>,
    /// What it is called (S2-22).
    pub name: String,
}

/// An activity, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Which one.
    pub id: ActivityId,
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// What it is about; `None` before it opens.
    #[serde(default)]
    pub subject: Option<Subject>,
    /// When the screen popped.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When the agent was connected.
    #[serde(default)]
    pub connected_at: Option<Timestamp>,
    /// When the agent left.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// When the agent had written up.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// What the agent wrote, the oldest first.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// What came of it: a reason code of kind wrap-up.
    #[serde(default)]
    pub wrap_up: Option<String>,
}

/// What stands in a record where there was a customer who is erased.
pub const ERASED: &str = "erased";

impl Activity {
    /// Makes it one with nobody: what the agent did and when stays, whom and what it was about goes. Tells whether anything was
    /// left to be taken away.
    pub fn forget_customer(&mut self) -> bool {
        let mut changed = !self.notes.is_empty();
        self.notes.clear();
        if let Some(subject) = &mut self.subject {
            changed |= subject.customer.is_some() || subject.address != ERASED;
            subject.customer = None;
            subject.address = ERASED.to_owned();
            subject.name = ERASED.to_owned();
        }
        self.version = self.version.saturating_add(u64::from(changed));
        changed
    }
}

/// The activity of the part that stands at that place among all of an interaction, and was offered then. There is one, however
/// often it is made: what an agent is offered again later is another part.
#[must_use]
pub fn id_of(interaction: &InteractionId, place: usize, offered_at: Timestamp) -> ActivityId {
    ActivityId::derived(offered_at, &format!("{interaction} {place}"))
}

/// Something that the agent wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Its language (BCP 47), if it is known.
    pub language: Option<String>,
    /// What.
    pub text: String,
}

/// What happens to an activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The screen pops.
    Open(Subject),
    /// The agent takes part.
    Connect,
    /// The agent's part is another than it was.
    ChangeRole(Role),
    /// The customer is known, or another one.
    Link(CustomerId),
    /// The agent writes something.
    Write {
        /// Who.
        by: AgentId,
        /// In which language.
        language: Option<String>,
        /// What.
        text: String,
    },
    /// What came of it.
    WrapUp {
        /// Who.
        by: AgentId,
        /// A reason code of kind wrap-up that was chosen from the list.
        code: String,
    },
    /// The agent has left.
    Close,
    /// The agent has written up.
    Finish,
}

/// What has happened to an activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It is opened.
    Opened {
        /// When.
        at: Timestamp,
        /// About what.
        subject: Subject,
    },
    /// The agent takes part.
    Connected {
        /// When.
        at: Timestamp,
    },
    /// The agent's part is another.
    RoleChanged {
        /// When.
        at: Timestamp,
        /// Which.
        role: Role,
    },
    /// The customer is known.
    Linked {
        /// When.
        at: Timestamp,
        /// Who.
        customer: CustomerId,
    },
    /// Something was written.
    Noted {
        /// What.
        note: Note,
    },
    /// What came of it is known.
    WrappedUp {
        /// When.
        at: Timestamp,
        /// The code.
        code: String,
    },
    /// The agent has left.
    Closed {
        /// When.
        at: Timestamp,
    },
    /// The agent has written up.
    Finished {
        /// When.
        at: Timestamp,
    },
}

rejections! {
    /// Why an activity is not written.
    pub enum Rejection {
        /// There is none, or none that this one may know of.
        Unknown = NotFound, "activity-unknown", "There is no such activity.";
        /// It is open already.
        Exists = Conflict, "activity-exists", "There is already an activity of this part.";
        /// Another's.
        NotYours = Forbidden, "not-your-activity", "Only the agent whose activity it is writes into it.";
        /// It is closed.
        Closed = NotAllowed, "activity-closed", "This activity is closed.";
        /// A note without words.
        Empty = Invalid, "note-empty", "The note is empty.";
        /// [`NOTE_BYTES_MAX`].
        TooLong = Invalid, "note-too-long", "The note is too long.";
        /// [`NOTES_MAX`].
        TooMany = Limit, "notes-full", "This activity has as many notes as it may have.";
        /// [`NAME_CHARS_MAX`].
        Name = Invalid, "activity-name-malformed", "A name has one line of at most 256 characters.";
        /// None was named, and the agent takes part in nothing.
        NoneOpen = NotFound, "no-open-activity", "You have no open activity. Say which one you mean.";
        /// None was named, and the agent takes part in several.
        Unclear = Invalid, "activity-unclear", "You have several open activities. Say which one you mean.";
    }
}

/// Why a follower of the changes is not where it wants to be.
pub mod follower {
    use super::rejections;

    rejections! {
        /// Why a follower of the changes is not where it wants to be.
        pub enum Rejection {
            /// It does not follow.
            NotSubscribed = NotFound, "not-subscribed", "You are not subscribed to activities.";
            /// No change has that place yet.
            CursorUnknown {
                /// The last place.
                last: i64,
            } = NotFound, "cursor-unknown", "There is no change at this place yet. The last is at {last}.";
            /// What came behind that place was deleted.
            CursorGone {
                /// The oldest place.
                first: i64,
            } = NotFound, "cursor-gone", "Changes behind this place are deleted already. The oldest that is kept is at {first}.";
        }
    }
}

impl Activity {
    /// Nothing has happened yet.
    #[must_use]
    pub const fn new(id: ActivityId) -> Self {
        Self {
            id,
            version: 0,
            subject: None,
            created_at: None,
            connected_at: None,
            closed_at: None,
            finished_at: None,
            notes: Vec::new(),
            wrap_up: None,
        }
    }

    /// Whether the agent takes part, is asked to, or still writes up.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        match (self.closed_at, self.connected_at) {
            (None, _) => self.subject.is_some(),
            (Some(_), Some(_)) => self.finished_at.is_none(),
            (Some(_), None) => false,
        }
    }

    /// Seconds that the agent took part (S2-23): from the connection to the end, or to now; none for an offer
    /// that was not taken.
    #[must_use]
    pub fn duration_seconds(&self, now: Timestamp) -> i64 {
        let until = self.closed_at.unwrap_or(now);
        let since = self.connected_at.unwrap_or(until);
        until.seconds_since(since).max(0)
    }
}

/// What comes of a command. What is so already is no event; a note is one each time.
///
/// # Errors
/// When it is not the agent's own, is closed, or over a limit.
pub fn decide(
    activity: &Activity,
    command: Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let at = now;
    let Some(subject) = &activity.subject else {
        return match command {
            Command::Open(subject) => open(subject, at),
            Command::Connect
            | Command::ChangeRole(_)
            | Command::Link(_)
            | Command::Write { .. }
            | Command::WrapUp { .. }
            | Command::Close
            | Command::Finish => Err(Rejection::Unknown),
        };
    };
    let is_closed = activity.closed_at.is_some();
    match command {
        Command::Open(again)
            if again.interaction == subject.interaction && again.agent == subject.agent =>
        {
            Ok(vec![])
        }
        Command::Open(_) => Err(Rejection::Exists),
        Command::Connect if activity.connected_at.is_some() => Ok(vec![]),
        Command::ChangeRole(_) if is_closed => Err(Rejection::Closed),
        // The offer was over before its connector said that the agent has answered.
        Command::Connect => Ok(vec![Event::Connected { at }]),
        Command::ChangeRole(role) if role == subject.role => Ok(vec![]),
        Command::ChangeRole(role) => Ok(vec![Event::RoleChanged { at, role }]),
        Command::Link(customer) if subject.customer.as_ref() == Some(&customer) => Ok(vec![]),
        Command::Link(customer) => Ok(vec![Event::Linked { at, customer }]),
        Command::Write { by, .. } | Command::WrapUp { by, .. } if by != subject.agent => {
            Err(Rejection::NotYours)
        }
        Command::Write { language, text, .. } => note(activity, language, text, at),
        Command::WrapUp { code, .. } if activity.wrap_up.as_ref() == Some(&code) => Ok(vec![]),
        Command::WrapUp { code, .. } => Ok(vec![Event::WrappedUp { at, code }]),
        Command::Close if is_closed => Ok(vec![]),
        Command::Close => Ok(vec![Event::Closed { at }]),
        Command::Finish if activity.is_current() && is_closed => Ok(vec![Event::Finished { at }]),
        Command::Finish => Ok(vec![]),
    }
}

fn open(subject: Subject, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    let name = &subject.name;
    let one_line = !name.trim().is_empty() && !name.contains(char::is_control);
    match one_line && name.chars().count() <= NAME_CHARS_MAX {
        true => Ok(vec![Event::Opened { at, subject }]),
        false => Err(Rejection::Name),
    }
}

fn note(
    activity: &Activity,
    language: Option<String>,
    text: String,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    if text.trim().is_empty() {
        return Err(Rejection::Empty);
    }
    if text.len() > NOTE_BYTES_MAX {
        return Err(Rejection::TooLong);
    }
    if activity.notes.len() >= NOTES_MAX {
        return Err(Rejection::TooMany);
    }
    let note = Note { at, language, text };
    Ok(vec![Event::Noted { note }])
}

/// Makes the activity what it is after the event.
pub fn apply(activity: &mut Activity, event: &Event) {
    activity.version = activity.version.saturating_add(1);
    match event {
        Event::Opened { at, subject } => {
            activity.created_at = Some(*at);
            activity.subject = Some(subject.clone());
        }
        Event::Connected { at } => {
            activity.connected_at = Some(*at);
            activity.closed_at = None;
        }
        Event::RoleChanged { role, .. } => {
            if let Some(subject) = &mut activity.subject {
                subject.role = *role;
            }
        }
        Event::Linked { customer, .. } => {
            if let Some(subject) = &mut activity.subject {
                subject.customer = Some(customer.clone());
            }
        }
        Event::Noted { note } => activity.notes.push(note.clone()),
        Event::WrappedUp { code, .. } => activity.wrap_up = Some(code.clone()),
        Event::Closed { at } => activity.closed_at = Some(*at),
        Event::Finished { at } => activity.finished_at = Some(*at),
    }
}
