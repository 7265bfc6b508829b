//! The states of a presence subscription and what each stanza does to them
//! (RFC 6121 §A, §3.4): pure.
//!
//! A state is seen from the owner of a roster: "to" means that the owner sees the contact's
//! presence. An outbound stanza is one that the owner sends, an inbound one comes from the
//! contact.

use crate::proto::PresenceType;
use crate::store::{RosterItem, Subscription};

/// RFC 6121 §A.1, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    None,
    NonePendingOut,
    NonePendingIn,
    NonePendingOutIn,
    To,
    ToPendingIn,
    From,
    FromPendingOut,
    Both,
}

/// The four presence types that manage a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
}

/// What a stanza finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: State,
    /// Whether a request of the contact is granted before it comes (§3.4).
    pub(super) approved: bool,
}

/// What a stanza does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What is left behind.
    pub(super) standing: Standing,
    /// Whether the stanza goes on: outbound to the contact, inbound to the owner's sessions.
    pub(super) goes_on: bool,
    /// Whether the server answers `subscribed` for the owner.
    pub(super) answered: bool,
}

/// What a step means for the owner's presence as the contact sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing changes.
    Same,
    /// The contact sees it from now on.
    Opened,
    /// The contact no longer sees it.
    Closed,
}

impl Act {
    /// The act of a presence type; `None` for those that manage no subscription.
    pub(super) const fn of(kind: PresenceType) -> Option<Self> {
        match kind {
            PresenceType::Subscribe => Some(Self::Subscribe),
            PresenceType::Subscribed => Some(Self::Subscribed),
            PresenceType::Unsubscribe => Some(Self::Unsubscribe),
            PresenceType::Unsubscribed => Some(Self::Unsubscribed),
            PresenceType::Available
            | PresenceType::Error
            | PresenceType::Probe
            | PresenceType::Unavailable => None,
        }
    }
}

impl State {
    const fn new(subscription: Subscription, ask: bool, waiting: bool) -> Self {
        match (subscription, ask, waiting) {
            (Subscription::None, false, false) => Self::None,
            (Subscription::None, true, false) => Self::NonePendingOut,
            (Subscription::None, false, true) => Self::NonePendingIn,
            (Subscription::None, true, true) => Self::NonePendingOutIn,
            // Who has what is asked for does not ask; records that say so are read without.
            (Subscription::To, _, false) => Self::To,
            (Subscription::To, _, true) => Self::ToPendingIn,
            (Subscription::From, false, _) => Self::From,
            (Subscription::From, true, _) => Self::FromPendingOut,
            (Subscription::Both, _, _) => Self::Both,
        }
    }

    /// The value of the attribute `subscription` (§2.1.2.5).
    pub(super) const fn subscription(self) -> Subscription {
        match self {
            Self::None | Self::NonePendingOut | Self::NonePendingIn | Self::NonePendingOutIn => {
                Subscription::None
            }
            Self::To | Self::ToPendingIn => Subscription::To,
            Self::From | Self::FromPendingOut => Subscription::From,
            Self::Both => Subscription::Both,
        }
    }

    /// Whether `ask='subscribe'` (§2.1.2.2).
    pub(super) const fn asks(self) -> bool {
        matches!(
            self,
            Self::NonePendingOut | Self::NonePendingOutIn | Self::FromPendingOut
        )
    }

    /// Whether a request of the contact waits for an answer.
    pub(super) const fn waits(self) -> bool {
        matches!(
            self,
            Self::NonePendingIn | Self::NonePendingOutIn | Self::ToPendingIn
        )
    }

    /// The same where the owner asks or no longer does.
    const fn asking(self, ask: bool) -> Self {
        Self::new(self.subscription(), ask, self.waits())
    }

    /// The same where the contact's request waits or no longer does.
    const fn waiting(self, waits: bool) -> Self {
        Self::new(self.subscription(), self.asks(), waits)
    }

    /// The same where the owner sees the contact's presence or not, and does not ask.
    const fn seeing(self, sees: bool) -> Self {
        let subscription = subscription(sees, self.subscription().has_from());
        Self::new(subscription, false, self.waits())
    }

    /// The same where the contact sees the owner's presence or not, and does not wait.
    const fn seen(self, seen: bool) -> Self {
        let subscription = subscription(self.subscription().has_to(), seen);
        Self::new(subscription, self.asks(), false)
    }
}

const fn subscription(to: bool, from: bool) -> Subscription {
    match (to, from) {
        (false, false) => Subscription::None,
        (true, false) => Subscription::To,
        (false, true) => Subscription::From,
        (true, true) => Subscription::Both,
    }
}

impl Standing {
    /// What the roster item says, and whether a request of the contact is kept.
    pub(super) fn of(item: Option<&RosterItem>, waiting: bool) -> Self {
        match item {
            Some(item) => Self {
                state: State::new(item.subscription, item.ask, waiting),
                approved: item.approved,
            },
            None => Self {
                state: State::new(Subscription::None, false, waiting),
                approved: false,
            },
        }
    }

    pub(super) const fn stays(self) -> Step {
        Step {
            standing: self,
            goes_on: false,
            answered: false,
        }
    }

    /// On to `state`, the stanza too.
    const fn goes_on(self, state: State) -> Step {
        Step {
            standing: Self { state, ..self },
            goes_on: true,
            answered: false,
        }
    }

    const fn approves(mut self, approved: bool) -> Self {
        self.approved = approved;
        self
    }

    /// §A.2: the owner sends.
    pub(super) const fn outbound(self, act: Act) -> Step {
        let state = self.state;
        match act {
            // §A.2.1; who sees the presence already asks again without a change.
            Act::Subscribe if state.subscription().has_to() => self.goes_on(state),
            Act::Subscribe => self.goes_on(state.asking(true)),
            // §A.2.2
            Act::Unsubscribe => self.goes_on(state.seeing(false)),
            // §A.2.3
            Act::Subscribed if state.waits() => self.goes_on(state.seen(true)),
            Act::Subscribed if state.subscription().has_from() => self.stays(),
            // §3.4.2: granted before it is asked; the contact is not told.
            Act::Subscribed => self.approves(true).stays(),
            // §A.2.4, and §3.4.2: a grant given before is taken back without a word.
            Act::Unsubscribed if state.waits() || state.subscription().has_from() => {
                self.approves(false).goes_on(state.seen(false))
            }
            Act::Unsubscribed => self.approves(false).stays(),
        }
    }

    /// §A.3: the contact sends.
    pub(super) const fn inbound(self, act: Act) -> Step {
        let state = self.state;
        match act {
            // §A.3.1, §3.1.3: who is granted it already is answered at once.
            Act::Subscribe if state.subscription().has_from() => answered(self.stays()),
            Act::Subscribe if self.approved => {
                let mut step = self.stays();
                step.standing.state = state.seen(true);
                answered(step)
            }
            Act::Subscribe if state.waits() => self.stays(),
            Act::Subscribe => self.goes_on(state.waiting(true)),
            // §A.3.2
            Act::Unsubscribe if state.waits() || state.subscription().has_from() => {
                self.goes_on(state.seen(false))
            }
            Act::Unsubscribe => self.stays(),
            // §A.3.3
            Act::Subscribed if state.asks() => self.goes_on(state.seeing(true)),
            Act::Subscribed => self.stays(),
            // §A.3.4
            Act::Unsubscribed if state.asks() || state.subscription().has_to() => {
                self.goes_on(state.seeing(false))
            }
            Act::Unsubscribed => self.stays(),
        }
    }
}

const fn answered(mut step: Step) -> Step {
    step.answered = true;
    step
}

impl Step {
    /// What becomes of the contact's sight of the owner's presence.
    pub(super) const fn sight(&self, before: Standing) -> Sight {
        let was = before.state.subscription().has_from();
        match (was, self.standing.state.subscription().has_from()) {
            (false, true) => Sight::Opened,
            (true, false) => Sight::Closed,
            (false, false) | (true, true) => Sight::Same,
        }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
