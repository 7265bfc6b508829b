//! What may follow from what: types of transactions, on which channels they are permitted, and what is copied from
//! the source (S3-3, S3-4, S3-11, S3-12).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Plan, Rejection, SourceKind};

/// A type of transaction that an administrator has defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionType {
    /// What programs call it: `phone-call`, `email`, `task`, `service-order` …
    pub code: String,
    /// What people read, by language (BCP 47).
    pub labels: BTreeMap<String, String>,
}

/// Which types there are, and on which channels they may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PermittedTypes {
    /// Counts the writes; a write names the version that it read.
    pub version: u64,
    /// Every type, in the order in which they were made.
    pub types: Vec<TransactionType>,
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
        let made = |(code, label): (&str, &str)| TransactionType {
            code: code.to_owned(),
            labels: [("en".to_owned(), label.to_owned())].into(),
        };
        Self {
            version: 0,
            types: usual.into_iter().map(made).collect(),
            channels: BTreeMap::new(),
        }
    }
}

impl PermittedTypes {
    /// The types that may follow on a channel, in the order of the list.
    pub fn on<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a TransactionType> {
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

/// A type of notes that an administrator has named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedNoteType {
    /// What programs call it: `note`, `report`, `preparation` …
    pub code: String,
    /// What people read, by language (BCP 47).
    pub labels: BTreeMap<String, String>,
}

/// The types of notes that agents choose from (S3-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoteTypes {
    /// Counts the writes; a write names the version that it read.
    pub version: u64,
    /// Every type, in the order in which they were made.
    pub types: Vec<NamedNoteType>,
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
        let made = |(code, label): (&str, &str)| NamedNoteType {
            code: code.to_owned(),
            labels: [("en".to_owned(), label.to_owned())].into(),
        };
        Self {
            version: 0,
            types: usual.into_iter().map(made).collect(),
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
    /// The plan with what is copied from the source: what the agent has filled in stays.
    #[must_use]
    pub fn fill(&self, kind: SourceKind, plan: Plan, source: &Plan) -> Plan {
        let mut rules = self.rules.iter();
        let rule = rules.find(|(from, to, _)| *from == kind && *to == plan.transaction_type);
        let usual = BTreeSet::from([Copied::Title, Copied::Customer]);
        let copied = rule.map_or(&usual, |(_, _, copied)| copied);
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
            plan.start = plan.start.or(source.start);
            plan.end = plan.end.or(source.end);
            plan.due = plan.due.or(source.due);
        }
        plan
    }
}
