//! What a message was before an edit (S4-30): its text, the title that the stream had with it, and the files that were taken away.

use serde::{Deserialize, Serialize};

use super::{Attachment, Message, Stream};
use crate::clock::Timestamp;

/// Bytes of a file that was taken away beside its name, about.
const FILE_BYTES: usize = 128;

/// An earlier version of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Earlier {
    /// Until when it was so.
    pub until: Timestamp,
    /// What it said.
    pub text: String,
    /// What the stream was called, where that became another with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Files that were taken away then. What was in them is gone: the history tells what they were called, of which type they
    /// were and how large.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Attachment>,
}

/// As it is kept, and as it was kept when there was nothing but the text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(Timestamp, String),
    Whole {
        until: Timestamp,
        text: String,
        #[serde(default)]
        title: Option<String>,
        #[serde(default)]
        taken: Vec<Attachment>,
    },
}

impl From<Stored> for Earlier {
    fn from(stored: Stored) -> Self {
        let (until, text, title, taken) = match stored {
            Stored::Text(until, text) => (until, text, None, Vec::new()),
            Stored::Whole {
                until,
                text,
                title,
                taken,
            } => (until, text, title, taken),
        };
        Self {
            until,
            text,
            title,
            taken,
        }
    }
}

impl Earlier {
    /// Bytes that it takes of what a stream may have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len() + self.title.as_ref().map_or(0, String::len) + of_files(&self.taken)
    }
}

/// The same of files that are taken away.
pub(super) fn of_files<'a, I: IntoIterator<Item = &'a Attachment>>(files: I) -> usize {
    let files = files.into_iter();
    files.map(|it| it.name.len() + FILE_BYTES).sum()
}

impl Stream {
    /// What the stream was called when that version of its main message was there: the first is 0. `None` of a reply, which has no
    /// title.
    #[must_use]
    pub fn title_of(&self, message: &Message, version: usize) -> Option<&str> {
        let first = self.messages.first()?;
        let mut changed = first.earlier.iter().skip(version);
        let title = changed.find_map(|it| it.title.as_deref());
        (first.id == message.id).then(|| title.unwrap_or(&self.title))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was stored before a version had more than a text is read as it was meant.
    #[test]
    fn what_was_kept_as_a_text_is_read() {
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let old = serde_json::to_string(&(at, "So.")).unwrap();
        let read: Earlier = serde_json::from_str(&old).unwrap();
        let expected = Earlier {
            until: at,
            text: "So.".to_owned(),
            title: None,
            taken: vec![],
        };
        assert_eq!(read, expected);
        let titled = Earlier {
            title: Some("Call".to_owned()),
            ..expected
        };
        for version in [read, titled] {
            let json = serde_json::to_string(&version).unwrap();
            assert_eq!(serde_json::from_str::<Earlier>(&json).unwrap(), version);
        }
    }
}
