//! The scratch pad: what an agent writes before it knows where to, kept by the server (S3-17).
//!
//! Each agent has one. Its text can be taken over into a note, which empties it. Machine: [`decide`] and [`apply`] on
//! [`ScratchPad`].

use serde::{Deserialize, Serialize};

use super::NOTE_BYTES_MAX;
use crate::clock::Timestamp;
use crate::domain::ids::AgentId;
use crate::domain::refusal::rejections;

/// Bytes of the text: as many as a note takes, into which it is taken over.
pub const TEXT_BYTES_MAX: usize = NOTE_BYTES_MAX;

/// An agent's scratch pad, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScratchPad {
    /// Whose.
    pub owner: AgentId,
    /// Counts the events; a write may name the version that it read.
    pub version: u64,
    /// What it says.
    #[serde(default)]
    pub text: String,
    /// When that was written.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// What happens to a scratch pad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It says that from now on; nothing empties it.
    Write {
        /// Which version was read, if that is known: another device may have written meanwhile.
        read: Option<u64>,
        /// What.
        text: String,
    },
    /// The text is taken over elsewhere.
    TakeOver,
}

/// What has happened to a scratch pad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It says that.
    Written {
        /// When.
        at: Timestamp,
        /// What.
        text: String,
    },
}

impl ScratchPad {
    /// One with nothing on it.
    #[must_use]
    pub const fn new(owner: AgentId) -> Self {
        Self {
            owner,
            version: 0,
            text: String::new(),
            at: None,
        }
    }
}

/// What comes of a command. What is so already is no event.
///
/// # Errors
/// When the text is too long, another device has written meanwhile, or there is nothing to take over.
pub fn decide(pad: &ScratchPad, command: Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
    let text = match command {
        Command::Write { read, .. } if read.is_some_and(|read| read != pad.version) => {
            return Err(Rejection::Stale);
        }
        Command::Write { text, .. } if text.len() > TEXT_BYTES_MAX => {
            return Err(Rejection::TooLong);
        }
        Command::Write { text, .. } => text,
        Command::TakeOver if pad.text.trim().is_empty() => return Err(Rejection::Empty),
        Command::TakeOver => String::new(),
    };
    let news = text != pad.text;
    let event = Event::Written { at: now, text };
    Ok(news.then_some(event).into_iter().collect())
}

/// Makes the scratch pad what it is after the event.
pub fn apply(pad: &mut ScratchPad, event: &Event) {
    pad.version = pad.version.saturating_add(1);
    match event {
        Event::Written { at, text } => {
            pad.at = Some(*at);
            pad.text.clone_from(text);
        }
    }
}

rejections! {
    /// Why a scratch pad is not written or taken over.
    pub enum Rejection {
        /// Another device has written since it was read.
        Stale = Conflict, "scratch-pad-changed", "Your scratch pad was changed on another device since you have read it.";
        /// [`TEXT_BYTES_MAX`].
        TooLong = Invalid, "scratch-pad-too-long", "The text is too long for the scratch pad.";
        /// There is nothing to take over.
        Empty = NotAllowed, "scratch-pad-empty", "There is nothing on your scratch pad.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S3-17: the columns are an empty scratch pad and one with a text in version 1.
    #[test]
    fn every_command_on_an_empty_pad_and_on_a_written_one() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let empty = ScratchPad::new("ann@h".parse().unwrap());
        let write = |read, text: &str| Command::Write {
            read,
            text: text.to_owned(),
        };
        let mut written = empty.clone();
        for event in decide(&empty, write(Some(0), "Call."), now).unwrap() {
            apply(&mut written, &event);
        }
        assert_eq!((written.version, written.text.as_str()), (1, "Call."));
        let (fits, long) = ("x".repeat(TEXT_BYTES_MAX), "x".repeat(TEXT_BYTES_MAX + 1));
        use Rejection::{Empty, Stale, TooLong};
        for (command, expected) in [
            (write(None, "Call."), [Ok(1), Ok(0)]),
            (write(Some(0), "Visit."), [Ok(1), Err(Stale)]),
            (write(Some(1), "Visit."), [Err(Stale), Ok(1)]),
            (write(None, ""), [Ok(0), Ok(1)]),
            (write(None, &fits), [Ok(1), Ok(1)]),
            (write(None, &long), [Err(TooLong), Err(TooLong)]),
            (Command::TakeOver, [Err(Empty), Ok(1)]),
        ] {
            let come = [&empty, &written].map(|pad| {
                let come = decide(pad, command.clone(), now);
                come.map(|events| events.len())
            });
            assert_eq!(come, expected, "{command:?}");
        }
        for event in decide(&written, Command::TakeOver, now).unwrap() {
            apply(&mut written, &event);
        }
        assert_eq!((written.version, written.text.as_str()), (2, ""));
    }
}
