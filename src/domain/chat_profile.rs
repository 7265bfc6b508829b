//! Chat profiles: what an administrator allows an agent in talking to colleagues (S0-10, S0-12, S0-15,
//! S0-26, S1-4), and how many interactions of a medium the agent can have at once (S2-46).
//!
//! A profile is a record that is written whole. What is stored may lack keys that came later; they
//! have their defaults then.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::refusal::rejections;

/// A way of reaching a colleague (S0-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// An IM session.
    InstantMessage,
    /// A call, placed by the agent's telephony connector.
    Telephone,
    /// An e-mail.
    Email,
    /// Business objects sent to the colleague.
    Context,
}

impl Means {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [
        Self::InstantMessage,
        Self::Telephone,
        Self::Email,
        Self::Context,
    ];

    /// The word for it in protocol and configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstantMessage => "instant-message",
            Self::Telephone => "telephone",
            Self::Email => "email",
            Self::Context => "context",
        }
    }

    /// The means of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.name() == name)
    }
}

/// Whether agents with the profile use instant messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstantMessaging {
    /// They do, and colleagues can add them as personal contacts.
    Enabled,
    /// They do not.
    Disabled,
}

/// Whether colleagues see in which state the agent is (S0-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresenceDisplay {
    /// They see Online, Busy or Offline.
    Shown,
    /// They see Offline, always.
    Hidden,
}

/// How many interactions of each medium an agent can have at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capacity {
    /// Calls: one, since an agent has one pair of ears.
    pub voice: u16,
    /// Chats with customers.
    pub chat: u16,
    /// E-mails in work.
    pub email: u16,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            voice: 1,
            chat: 5,
            email: 10,
        }
    }
}

/// What an administrator allows the agents that have this profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatProfile {
    /// Counts the writes; a write names the version that it read.
    pub version: u64,
    /// Instant messages, on or off (S0-12).
    pub instant_messaging: InstantMessaging,
    /// IM channels that an agent has open at most, pending outgoing and connected (S0-26).
    pub im_channels_max: u16,
    /// Seconds after which the inviter is told that the invitation has timed out (S1-9).
    pub invitation_seconds: u32,
    /// Whether colleagues see the state.
    pub presence: PresenceDisplay,
    /// How the agent may reach colleagues, and be reached.
    pub means: BTreeSet<Means>,
    /// Interactions at once.
    pub capacity: Capacity,
}

/// IM channels that a profile may allow: more than anyone follows, and a bound for the server.
pub const IM_CHANNELS_MAX: u16 = 100;
/// A shorter time nobody can answer in.
pub const INVITATION_SECONDS_MIN: u32 = 5;
/// After an hour the notification is of no use.
pub const INVITATION_SECONDS_MAX: u32 = 3_600;
/// Interactions of one medium that a profile may allow.
pub const CAPACITY_MAX: u16 = 100;

impl Default for ChatProfile {
    fn default() -> Self {
        Self {
            version: 0,
            instant_messaging: InstantMessaging::Enabled,
            im_channels_max: 5,
            invitation_seconds: 30,
            presence: PresenceDisplay::Shown,
            means: Means::ALL.into(),
            capacity: Capacity::default(),
        }
    }
}

impl ChatProfile {
    /// The profile, when its numbers are within their bounds.
    ///
    /// # Errors
    /// Names the first number that is not.
    pub fn checked(self) -> Result<Self, Rejection> {
        if !(1..=IM_CHANNELS_MAX).contains(&self.im_channels_max) {
            return Err(Rejection::ImChannels);
        }
        if !(INVITATION_SECONDS_MIN..=INVITATION_SECONDS_MAX).contains(&self.invitation_seconds) {
            return Err(Rejection::InvitationSeconds);
        }
        let Capacity { voice, chat, email } = self.capacity;
        if [voice, chat, email].into_iter().any(|n| n > CAPACITY_MAX) {
            return Err(Rejection::Capacity);
        }
        Ok(self)
    }

    /// Whether the agent may reach colleagues and be reached in that way.
    #[must_use]
    pub fn allows(&self, means: Means) -> bool {
        let im = self.instant_messaging == InstantMessaging::Enabled;
        self.means.contains(&means) && (im || means != Means::InstantMessage)
    }
}

rejections! {
    /// Why a chat profile is not taken.
    pub enum Rejection {
        /// [`IM_CHANNELS_MAX`].
        ImChannels = Invalid, "im-channels-out-of-range", "An agent can have from 1 to 100 open IM channels.";
        /// [`INVITATION_SECONDS_MIN`] and [`INVITATION_SECONDS_MAX`].
        InvitationSeconds = Invalid, "invitation-time-out-of-range", "An invitation times out after 5 to 3600 seconds.";
        /// [`CAPACITY_MAX`].
        Capacity = Invalid, "capacity-out-of-range", "An agent can have at most 100 interactions of a medium at once.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S0-26, S1-9, S2-46: the numbers that hold when nobody says others.
    #[test]
    fn defaults_are_five_channels_and_thirty_seconds_and_stand_in_for_what_is_missing() {
        let stored: ChatProfile = serde_json::from_str("{}").unwrap();
        assert_eq!(stored, ChatProfile::default());
        assert_eq!((stored.im_channels_max, stored.invitation_seconds), (5, 30));
        assert_eq!(stored.capacity.voice, 1);
        assert_eq!(stored.clone().checked(), Ok(stored));
        let older: ChatProfile =
            serde_json::from_str(r#"{"im_channels_max":3,"capacity":{"chat":2}}"#).unwrap();
        assert_eq!((older.im_channels_max, older.capacity.chat), (3, 2));
        assert_eq!(older.capacity.voice, 1);
    }

    #[test]
    fn numbers_out_of_their_bounds_are_refused() {
        let profile = ChatProfile::default;
        let capacity = Capacity {
            email: 101,
            ..Capacity::default()
        };
        for (bad, rejection) in [
            (
                ChatProfile {
                    im_channels_max: 0,
                    ..profile()
                },
                Rejection::ImChannels,
            ),
            (
                ChatProfile {
                    im_channels_max: 101,
                    ..profile()
                },
                Rejection::ImChannels,
            ),
            (
                ChatProfile {
                    invitation_seconds: 4,
                    ..profile()
                },
                Rejection::InvitationSeconds,
            ),
            (
                ChatProfile {
                    invitation_seconds: 3_601,
                    ..profile()
                },
                Rejection::InvitationSeconds,
            ),
            (
                ChatProfile {
                    capacity,
                    ..profile()
                },
                Rejection::Capacity,
            ),
        ] {
            assert_eq!(bad.checked(), Err(rejection));
        }
    }

    /// S0-12: instant messages are off as a means when they are off at all.
    #[test]
    fn a_profile_without_instant_messaging_allows_the_other_means_only() {
        let profile = ChatProfile {
            instant_messaging: InstantMessaging::Disabled,
            means: [Means::InstantMessage, Means::Email].into(),
            ..ChatProfile::default()
        };
        let allowed: Vec<_> = Means::ALL
            .into_iter()
            .filter(|m| profile.allows(*m))
            .collect();
        assert_eq!(allowed, [Means::Email]);
        for means in Means::ALL {
            assert_eq!(Means::from_name(means.name()), Some(means));
        }
    }
}
