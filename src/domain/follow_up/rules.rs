//! How administrators edit what may follow: types of transactions and on which channels they are permitted, what is
//! copied, types of notes (S3-3, S3-4, S3-11, S3-12, S3-15).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CHANNELS, Copied, CopyRules, NoteTypes, PermittedTypes, Rejection, SourceKind};
use crate::clock::Timestamp;
use crate::domain::catalogue;

/// What an administrator does with the types of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypesCommand {
    /// Edits the list of them.
    List(catalogue::Command),
    /// On that channel those are permitted and no others.
    Permit {
        /// Which channel.
        channel: String,
        /// The codes of the types.
        types: BTreeSet<String>,
    },
    /// On that channel every type is permitted again.
    Reset {
        /// Which channel.
        channel: String,
    },
}

/// What has happened to the types of transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum TypesEvent {
    /// To the list.
    List(catalogue::Event),
    /// To what is permitted.
    Permitted {
        /// When.
        at: Timestamp,
        /// On which channel.
        channel: String,
        /// Which types; `None` for all.
        types: Option<BTreeSet<String>>,
    },
}

impl PermittedTypes {
    /// What comes of a command. What is so already is no event.
    ///
    /// # Errors
    /// When an entry is malformed or unknown, there are too many, or there is no such channel.
    pub fn decide(
        &self,
        command: TypesCommand,
        now: Timestamp,
    ) -> Result<Vec<TypesEvent>, catalogue::Rejection> {
        let (channel, types) = match command {
            TypesCommand::List(command) => {
                let events = catalogue::decide(&self.types, command, now)?;
                return Ok(events.into_iter().map(TypesEvent::List).collect());
            }
            TypesCommand::Permit { channel, types } => (channel, Some(types)),
            TypesCommand::Reset { channel } => (channel, None),
        };
        let known = |code: &String| self.types.iter().any(|it| it.code == *code);
        let good = types.iter().flatten().all(known) && CHANNELS.contains(&channel.as_str());
        if !good {
            return Err(catalogue::Rejection::Unknown);
        }
        if self.channels.get(&channel) == types.as_ref() {
            return Ok(vec![]);
        }
        let at = now;
        Ok(vec![TypesEvent::Permitted { at, channel, types }])
    }

    /// Makes it what it is after the event. A type that is removed is permitted nowhere, should it be made again.
    pub fn apply(&mut self, event: &TypesEvent) {
        self.version = self.version.saturating_add(1);
        match event {
            TypesEvent::List(event) => {
                catalogue::apply(&mut self.types, event);
                if let catalogue::Event::Removed { code, .. } = event {
                    for types in self.channels.values_mut() {
                        types.remove(code);
                    }
                }
            }
            TypesEvent::Permitted { channel, types, .. } => match types {
                Some(types) => {
                    self.channels.insert(channel.clone(), types.clone());
                }
                None => {
                    self.channels.remove(channel);
                }
            },
        }
    }
}

impl NoteTypes {
    /// What comes of a command.
    ///
    /// # Errors
    /// As [`catalogue::decide`].
    pub fn decide(
        &self,
        command: catalogue::Command,
        now: Timestamp,
    ) -> Result<Vec<catalogue::Event>, catalogue::Rejection> {
        catalogue::decide(&self.types, command, now)
    }

    /// Makes it what it is after the event.
    pub fn apply(&mut self, event: &catalogue::Event) {
        self.version = self.version.saturating_add(1);
        catalogue::apply(&mut self.types, event);
    }
}

/// What is copied from a kind of source to a type of transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRuleSet {
    /// When that was set.
    pub at: Timestamp,
    /// From which kind of source.
    pub source: SourceKind,
    /// To which type of transaction.
    pub transaction_type: String,
    /// What; `None` for what is usual.
    pub copied: Option<BTreeSet<Copied>>,
}

impl CopyRules {
    /// What comes of setting a rule, or of taking it away: nothing where it is so already.
    ///
    /// # Errors
    /// When a rule shall be set for a type that is not there.
    pub fn decide(
        &self,
        set: CopyRuleSet,
        permitted: &PermittedTypes,
    ) -> Result<Option<CopyRuleSet>, Rejection> {
        let known = permitted.types.iter();
        let mut known = known.map(|it| it.code.as_str());
        // A rule for a type that is removed can be taken away.
        if set.copied.is_some() && !known.any(|code| code == set.transaction_type) {
            return Err(Rejection::UnknownType);
        }
        let before = self.rule(set.source, &set.transaction_type);
        Ok((before != set.copied.as_ref()).then_some(set))
    }

    /// Makes it what it is after that.
    pub fn apply(&mut self, set: &CopyRuleSet) {
        self.version = self.version.saturating_add(1);
        let same = |from: SourceKind, to: &str| from == set.source && to == set.transaction_type;
        self.rules.retain(|(from, to, _)| !same(*from, to));
        if let Some(copied) = &set.copied {
            let rule = (set.source, set.transaction_type.clone(), copied.clone());
            self.rules.push(rule);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::Entry;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn codes(codes: &[&str]) -> BTreeSet<String> {
        codes.iter().map(|it| (*it).to_owned()).collect()
    }

    fn permit(channel: &str, types: &[&str]) -> TypesCommand {
        TypesCommand::Permit {
            channel: channel.to_owned(),
            types: codes(types),
        }
    }

    fn reset(channel: &str) -> TypesCommand {
        TypesCommand::Reset {
            channel: channel.to_owned(),
        }
    }

    /// S3-3, S3-4, S3-12: step after step, with what may follow on the telephone behind each.
    #[test]
    fn what_may_follow_on_a_channel_is_what_was_permitted_last() {
        let mut types = PermittedTypes::default();
        let unknown = Err(catalogue::Rejection::Unknown);
        let list = TypesCommand::List;
        let visit = || list(catalogue::Command::Put(Entry::english(("visit", "Visit"))));
        for (command, count, on_voice) in [
            (permit("voice", &["visit"]), unknown.clone(), 6),
            (visit(), Ok(1), 7),
            (permit("voice", &["visit", "task"]), Ok(1), 2),
            (permit("voice", &["task", "visit"]), Ok(0), 2),
            (permit("fax", &["task"]), unknown.clone(), 2),
            (reset("fax"), unknown, 2),
            (permit("none", &[]), Ok(1), 2),
            (
                list(catalogue::Command::Remove("visit".to_owned())),
                Ok(1),
                1,
            ),
            (visit(), Ok(1), 1),
            (reset("voice"), Ok(1), 7),
            (reset("voice"), Ok(0), 7),
        ] {
            let events = types.decide(command.clone(), NOW);
            assert_eq!(events.clone().map(|it| it.len()), count, "{command:?}");
            for event in events.iter().flatten() {
                let json = serde_json::to_string(event).unwrap();
                assert_eq!(&serde_json::from_str::<TypesEvent>(&json).unwrap(), event);
                types.apply(event);
            }
            assert_eq!(types.on("voice").count(), on_voice, "{command:?}");
        }
        assert_eq!(types.on("none").count(), 0);
        assert_eq!(types.require("visit", "chat"), Ok(()));
        assert_eq!(types.version, 6);
    }

    /// S3-11: one rule for a pair, set anew or taken away.
    #[test]
    fn a_copying_rule_is_set_once_for_a_pair() {
        let (mut rules, types) = (CopyRules::default(), PermittedTypes::default());
        let set = |transaction_type: &str, copied: Option<&[Copied]>| CopyRuleSet {
            at: NOW,
            source: SourceKind::Case,
            transaction_type: transaction_type.to_owned(),
            copied: copied.map(|it| it.iter().copied().collect()),
        };
        for (command, happens, kept) in [
            (set("dance", Some(&[])), Err(Rejection::UnknownType), 0),
            (set("dance", None), Ok(false), 0),
            (set("task", Some(&[Copied::Reason])), Ok(true), 1),
            (set("task", Some(&[Copied::Reason])), Ok(false), 1),
            (set("task", Some(&[])), Ok(true), 1),
            (set("email", Some(&[])), Ok(true), 2),
            (set("task", None), Ok(true), 1),
        ] {
            let event = rules.decide(command.clone(), &types);
            let come = event.clone().map(|it| it.is_some());
            assert_eq!(come, happens, "{command:?}");
            if let Ok(Some(event)) = event {
                rules.apply(&event);
            }
            assert_eq!(rules.rules.len(), kept, "{command:?}");
        }
    }
}
