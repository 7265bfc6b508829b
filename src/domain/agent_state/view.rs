//! How colleagues see an agent: Online, Busy or Offline (S0-21), and what plain clients show of it.

use serde::{Deserialize, Serialize};

use super::{Agent, Connection, Reason, Show, State};
use crate::domain::chat_profile::PresenceDisplay;
use crate::domain::reason_code::{Kind, ReasonCodes};

/// What colleagues see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// Available, with a session whose client does not say otherwise. Then and only then the means of contact
    /// are offered (S0-22).
    Online,
    /// Not ready, engaged, in wrap-up, or away as the client says.
    Busy,
    /// Without a session, logged out, or with presence that is not shown (S0-15).
    Offline,
}

impl View {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Busy => "busy",
            Self::Offline => "offline",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::Busy => "Busy",
            Self::Offline => "Offline",
        }
    }
}

impl Agent {
    /// What colleagues see of the agent.
    #[must_use]
    pub fn view(&self, display: PresenceDisplay) -> View {
        if display == PresenceDisplay::Hidden || self.connection != Connection::Online {
            return View::Offline;
        }
        match self.state() {
            State::LoggedOut => View::Offline,
            State::Available if !self.client_busy => View::Online,
            State::Available | State::NotReady | State::Engaged | State::WrapUp => View::Busy,
        }
    }

    /// The text for `<status/>`, so that plain clients show "Busy – Meeting"; reasons in that language.
    /// Of whoever is seen as Offline it says nothing more.
    #[must_use]
    pub fn status(&self, view: View, reasons: &ReasonCodes, language: &str) -> String {
        let detail = match (view, self.state()) {
            (View::Online | View::Offline, _) | (_, State::LoggedOut) => None,
            (View::Busy, State::Available) => Some("Away"),
            (View::Busy, State::Engaged) => Some("In an interaction"),
            (View::Busy, State::WrapUp) => Some("Wrap-up"),
            (View::Busy, State::NotReady) => self.reason().map(|reason| match reason {
                Reason::Code(code) => reasons
                    .find(Kind::NotReady, code)
                    .map_or(code.as_str(), |it| it.label(language)),
                Reason::Client => "Away",
                Reason::ConnectionLost => "Connection lost",
                Reason::RightTaken => "Right taken",
            }),
        };
        match detail {
            Some(detail) => format!("{} – {detail}", view.title()),
            None => view.title().to_owned(),
        }
    }
}

/// The `<show/>` of one of the agent's sessions that colleagues get, where its client has sent `own`. A client
/// that says by itself that its user is away is more exact than we are.
#[must_use]
pub const fn show_beside(view: View, state: State, own: Option<Show>) -> Option<Show> {
    match (view, state, own) {
        (View::Busy, _, None | Some(Show::Chat)) => Some(Show::Dnd),
        // Its client is there, and it takes no part: plain clients have no nearer word.
        (View::Offline, State::LoggedOut, None | Some(Show::Chat)) => Some(Show::Xa),
        (View::Busy | View::Offline, _, Some(Show::Away | Show::Xa | Show::Dnd))
        | (View::Offline, State::Available | State::NotReady | State::Engaged | State::WrapUp, _)
        | (View::Online, _, _) => own,
    }
}
