//! An agent's sessions, as far as its state depends on them.

/// What a client says of its user's presence (RFC 6121 §4.7.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Wants to talk.
    Chat,
    /// Is away for a moment.
    Away,
    /// Is away for long.
    Xa,
    /// Does not want to be disturbed.
    Dnd,
}

/// An agent's sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// How many sessions there are, with those that wait for their client to come back (XEP-0198).
    pub sessions: usize,
    /// What each session says that has sent available presence.
    pub shows: Vec<Option<Show>>,
}

impl Devices {
    /// Whether the agent's clients say that it is busy: one says dnd, or all say away. A desk that
    /// falls asleep beside a telephone in use makes nobody busy. `None` when no session has sent presence.
    #[must_use]
    pub fn busy(&self) -> Option<bool> {
        if self.sessions == 0 || self.shows.is_empty() {
            return None;
        }
        let away = |show: &Option<Show>| matches!(show, Some(Show::Away | Show::Xa | Show::Dnd));
        let dnd = self.shows.contains(&Some(Show::Dnd));
        Some(dnd || self.shows.iter().all(away))
    }
}
