//! What may follow from what: types of transactions, on which channels they are permitted, and what is copied from
//! the source (S3-3, S3-4, S3-11, S3-12).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Plan, Rejection, SourceKind};
use crate::domain::catalogue::Entry;

/// Which types there are, and on which channels they may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PermittedTypes {
    /// Counts the writes; a write names the version that it read.
    pub version: u64,
    /// Every type, in the order in which they were made.
    pub types: Vec<Entry>,
    /// By channel; on a channel that is not here every type is permitted.
    pub channels: BTreeMap<String, BTreeSet<String>>,
}

impl Default for PermittedTypes {
    /// The usual types, on every channel.
    fn default() -> Self {
        let usual = [
            ("phone-call", "Phone call"),
            ("email", "E-mail"),
            ("task", "Task"),
            ("interaction", "Interaction"),
            ("service-order", "Service order"),
            ("sales-order", "Sales order"),
        ];
        Self {
            version: 0,
            types: usual.map(Entry::english).into(),
            channels: BTreeMap::new(),
        }
    }
}

impl PermittedTypes {
    /// The types that may follow on a channel, in the order of the list.
    pub fn on<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a Entry> {
        let permitted = self.channels.get(channel);
        let all = self.types.iter();
        all.filter(move |it| permitted.is_none_or(|permitted| permitted.contains(&it.code)))
    }

    /// Whether that type may follow on that channel.
    ///
    /// # Errors
    /// When there is no such type, or not on this channel.
    pub fn require(&self, code: &str, channel: &str) -> Result<(), Rejection> {
        if !self.types.iter().any(|it| it.code == code) {
            return Err(Rejection::UnknownType);
        }
        match self.on(channel).any(|it| it.code == code) {
            true => Ok(()),
            false => Err(Rejection::NotPermitted {
                channel: channel.to_owned(),
            }),
        }
    }
}

/// The types of notes that agents choose from (S3-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoteTypes {
    /// Counts the writes; a write names the version that it read.
    pub version: u64,
    /// Every type, in the order in which they were made.
    pub types: Vec<Entry>,
}

impl Default for NoteTypes {
    /// The six of the seed.
    fn default() -> Self {
        let usual = [
            ("note", "Note"),
            ("report", "Report information"),
            ("preparation", "Preparation information"),
            ("business-partner", "Business partner information"),
            ("correspondence", "Correspondence"),
            ("internal", "Internal note"),
        ];
        Self {
            version: 0,
            types: usual.map(Entry::english).into(),
        }
    }
}

impl NoteTypes {
    /// Whether agents can choose that type.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.types.iter().any(|it| it.code == code)
    }
}

/// The word for the channel of an agent who plans without an interaction.
pub const NO_CHANNEL: &str = "none";

/// Every channel: the media of interactions, and none of them.
pub const CHANNELS: &[&str] = &["voice", "chat", "email", NO_CHANNEL];

/// A part of the source that is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Copied {
    /// The title.
    Title,
    /// The business partner.
    Customer,
    /// The interaction reason.
    Reason,
    /// The planned dates.
    Dates,
}

impl Copied {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Title, Self::Customer, Self::Reason, Self::Dates];

    /// The word for it in commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Customer => "customer",
            Self::Reason => "reason",
            Self::Dates => "dates",
        }
    }
}

/// What is copied, by source and type of what follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CopyRules {
    /// Counts the writes; a write names the version that it read.
    pub version: u64,
    /// For pairs that are not here, title and customer are copied.
    pub rules: Vec<(SourceKind, String, BTreeSet<Copied>)>,
}

impl CopyRules {
    /// What is copied from such a source to such a transaction, if that is set.
    #[must_use]
    pub fn rule(&self, kind: SourceKind, transaction_type: &str) -> Option<&BTreeSet<Copied>> {
        let mut rules = self.rules.iter();
        let rule = rules.find(|(from, to, _)| *from == kind && *to == transaction_type);
        rule.map(|(_, _, copied)| copied)
    }

    /// The plan with what is copied from the source: what the agent has filled in stays.
    #[must_use]
    pub fn fill(&self, kind: SourceKind, plan: Plan, source: &Plan) -> Plan {
        let usual = BTreeSet::from([Copied::Title, Copied::Customer]);
        let rule = self.rule(kind, &plan.transaction_type);
        let copied = rule.unwrap_or(&usual);
        let mut plan = plan;
        if copied.contains(&Copied::Title) && plan.title.trim().is_empty() {
            plan.title.clone_from(&source.title);
        }
        if copied.contains(&Copied::Customer) {
            plan.customer = plan.customer.or_else(|| source.customer.clone());
        }
        if copied.contains(&Copied::Reason) {
            plan.reason = plan.reason.or_else(|| source.reason.clone());
        }
        if copied.contains(&Copied::Dates) {
            let (start, end) = (plan.start.or(source.start), plan.end.or(source.end));
            // What does not go with what the agent has filled in is not copied: nobody could take it out.
            if start.zip(end).is_none_or(|(start, end)| start <= end) {
                (plan.start, plan.end) = (start, end);
            }
            plan.due = plan.due.or(source.due);
        }
        plan
    }
}
