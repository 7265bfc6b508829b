//! Reason codes: the administrator's lists of why an agent is not ready, logs out, or ends a wrap-up (S2-5 to
//! S2-7).
//!
//! There is one list; each code in it is of a [`Kind`]. A code that was used stays readable in records: it
//! is made inactive and not removed. Machine: [`decide`] and [`apply`] on [`ReasonCodes`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalogue;
use super::refusal::rejections;
use crate::clock::Timestamp;

#[cfg(test)]
mod tests;

/// What a code is a reason for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// For being not ready: a meeting, lunch.
    NotReady,
    /// For logging out: end of shift.
    Logout,
    /// What came of an interaction.
    WrapUp,
    /// What an interaction, or what follows it, is about (S3-20).
    Interaction,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotReady => "not-ready",
            Self::Logout => "logout",
            Self::WrapUp => "wrap-up",
            Self::Interaction => "interaction",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCode {
    /// What it is a reason for.
    pub kind: Kind,
    /// What programs call it; letters, digits, hyphens. Unique within its kind.
    pub code: String,
    /// What people read, by language (BCP 47).
    pub labels: BTreeMap<String, String>,
    /// Whether it is taken when no one is asked: of a kind at most one.
    #[serde(default)]
    pub default: bool,
    /// Whether it can be chosen.
    #[serde(default = "yes")]
    pub active: bool,
}

const fn yes() -> bool {
    true
}

/// Codes in the list; no agent chooses from more.
pub const CODES_MAX: usize = 500;

impl ReasonCode {
    /// What people of that language read, or else the code.
    #[must_use]
    pub fn label(&self, language: &str) -> &str {
        catalogue::label(&self.labels, language).unwrap_or(&self.code)
    }

    fn check(&self) -> Result<(), Rejection> {
        if !catalogue::is_code(&self.code) {
            return Err(Rejection::Malformed);
        }
        if !catalogue::are_labels(&self.labels) {
            return Err(Rejection::Labels);
        }
        if self.default && !self.active {
            return Err(Rejection::InactiveDefault);
        }
        Ok(())
    }
}

/// The administrator's list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReasonCodes {
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// In the order in which they were made.
    pub codes: Vec<ReasonCode>,
}

impl ReasonCodes {
    /// The code that an agent has chosen.
    ///
    /// # Errors
    /// When there is nothing to choose from (S2-7), or the code is not there or not in use any more.
    pub fn choose(&self, kind: Kind, code: &str) -> Result<&ReasonCode, Rejection> {
        if self.choice(kind).next().is_none() {
            return Err(Rejection::NotConfigured { kind });
        }
        match self.find(kind, code) {
            None => Err(Rejection::Unknown { kind }),
            Some(found) if !found.active => Err(Rejection::Inactive),
            Some(found) => Ok(found),
        }
    }

    /// What an agent can choose from.
    pub fn choice(&self, kind: Kind) -> impl Iterator<Item = &ReasonCode> {
        self.codes
            .iter()
            .filter(move |it| it.kind == kind && it.active)
    }

    /// The code that is taken when no one is asked.
    #[must_use]
    pub fn default_of(&self, kind: Kind) -> Option<&ReasonCode> {
        self.choice(kind).find(|it| it.default)
    }

    /// The code of that name, in use or not.
    #[must_use]
    pub fn find(&self, kind: Kind, code: &str) -> Option<&ReasonCode> {
        self.codes
            .iter()
            .find(|it| it.kind == kind && it.code == code)
    }
}

/// What an administrator has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes a code, or writes an existing one anew.
    Put(ReasonCode),
    /// Takes it out of use; records that name it keep their labels.
    Retire {
        /// Of which kind.
        kind: Kind,
        /// Which one.
        code: String,
    },
}

/// What has happened to the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The code is there as said, and the only default of its kind if it is one.
    Put {
        /// When.
        at: Timestamp,
        /// The code as it is now.
        code: ReasonCode,
    },
    /// The code can no longer be chosen and is no default.
    Retired {
        /// When.
        at: Timestamp,
        /// Of which kind.
        kind: Kind,
        /// Which one.
        code: String,
    },
}

/// What comes of a command. Whether the one who asks has [`Right::ReasonCodeEdit`] is asked before.
///
/// [`Right::ReasonCodeEdit`]: super::rights::Right::ReasonCodeEdit
///
/// # Errors
/// When the code is malformed, there are too many, or there is none to retire.
pub fn decide(
    list: &ReasonCodes,
    command: Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Put(code) => {
            code.check()?;
            let known = list.find(code.kind, &code.code);
            if known == Some(&code) {
                return Ok(vec![]);
            }
            if known.is_none() && list.codes.len() >= CODES_MAX {
                return Err(Rejection::TooMany);
            }
            Ok(vec![Event::Put { at: now, code }])
        }
        Command::Retire { kind, code } => match list.find(kind, &code) {
            None => Err(Rejection::Unknown { kind }),
            Some(found) if !found.active => Ok(vec![]),
            Some(_) => Ok(vec![Event::Retired {
                at: now,
                kind,
                code,
            }]),
        },
    }
}

/// Makes the list what it is after the event.
pub fn apply(list: &mut ReasonCodes, event: &Event) {
    list.version = list.version.saturating_add(1);
    match event {
        Event::Put { code: new, .. } => {
            let mut same_kind = list.codes.iter_mut().filter(|it| it.kind == new.kind);
            if new.default {
                same_kind.by_ref().for_each(|it| it.default = false);
            }
            let known = list
                .codes
                .iter_mut()
                .find(|it| it.kind == new.kind && it.code == new.code);
            match known {
                Some(known) => known.clone_from(new),
                None => list.codes.push(new.clone()),
            }
        }
        Event::Retired { kind, code, .. } => {
            for it in list
                .codes
                .iter_mut()
                .filter(|it| it.kind == *kind && it.code == *code)
            {
                it.active = false;
                it.default = false;
            }
        }
    }
}

rejections! {
    /// Why a reason code is not taken.
    pub enum Rejection {
        /// There is no active code of the kind (S2-7).
        NotConfigured {
            /// Of which kind.
            kind: Kind,
        } = NotAllowed, "reason-codes-not-configured", "No {kind} reason codes are configured. An administrator has to add some first.";
        /// There is no such code.
        Unknown {
            /// Of which kind.
            kind: Kind,
        } = NotFound, "reason-code-unknown", "There is no such {kind} reason code.";
        /// The code is out of use.
        Inactive = NotAllowed, "reason-code-inactive", "This reason code is no longer in use.";
        /// [`catalogue::CODE_BYTES_MAX`].
        Malformed = Invalid, "reason-code-malformed", "A reason code has 1 to 64 letters, digits and hyphens.";
        /// [`catalogue::LABELS_MAX`] and [`catalogue::LABEL_BYTES_MAX`].
        Labels = Invalid, "reason-code-labels", "A reason code needs a label of at most 256 bytes in at least one language.";
        /// A default that cannot be chosen.
        InactiveDefault = Invalid, "reason-code-inactive-default", "A reason code that is not in use cannot be the default.";
        /// [`CODES_MAX`].
        TooMany = Limit, "too-many-reason-codes", "There are already 500 reason codes.";
    }
}
