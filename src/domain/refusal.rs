//! Refusals: why something is not done, for programs by a code and for people by a sentence.
//!
//! Each record of the room has a `Rejection` of its own, whose variants a test can tell apart. What
//! the doors need of any of them is the same three things, a [`Refusal`]: the class from which the
//! standard's condition follows, a stable code for the application's condition, and a text that an
//! agent can read. Codes and texts stand in one place, the list that makes the enum.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of refusal it is; a door has one condition of RFC 6120 §8.3.3 for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Whoever asks may not do it, now or later, unless rights change.
    Forbidden,
    /// What it is about is not there.
    NotFound,
    /// It may not be done in the present state.
    NotAllowed,
    /// What was given cannot be taken: too long, empty, malformed.
    Invalid,
    /// It is there already, or has changed since it was read.
    Conflict,
    /// A limit is reached; what is there has to go first.
    Limit,
    /// The other side cannot take it now; later it may.
    Busy,
}

/// A refusal as the doors tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which condition of the standard fits.
    pub class: Class,
    /// The application's condition: lower case, words joined by hyphens, never changed once published.
    pub code: &'static str,
    /// A sentence for the agent, in English; clients that speak other languages go by the code.
    pub text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Makes an enum of rejections from one list: variant, class, code, text.
///
/// `with Name(Other)` adds the rejections of another enum, which keep their own codes.
macro_rules! rejections {
    ($(#[$meta:meta])* pub enum $name:ident $(with $inner:ident($other:ty))? {
        $(
            $(#[$doc:meta])*
            $variant:ident $({ $($(#[$about:meta])* $field:ident: $type:ty),+ $(,)? })?
                = $class:ident, $code:literal, $text:literal;
        )+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum $name {
            $(
                $(#[$doc])*
                #[error($text)]
                $variant $({ $($(#[$about])* $field: $type),+ })?,
            )+
            $(
                /// A rule that several records share.
                #[error(transparent)]
                $inner(#[from] $other),
            )?
        }

        impl $name {
            /// The codes of this list, without those of a list that it shares with others.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// The application's condition: lower case, words joined by hyphens.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)+
                    $(Self::$inner(inner) => <$other>::code(inner),)?
                }
            }

            /// Which condition of the standard fits.
            #[must_use]
            pub fn class(&self) -> $crate::domain::refusal::Class {
                match self {
                    $(Self::$variant { .. } => $crate::domain::refusal::Class::$class,)+
                    $(Self::$inner(inner) => <$other>::class(inner),)?
                }
            }

            /// A sentence that an agent can read.
            #[must_use]
            pub fn text(&self) -> String {
                self.to_string()
            }
        }

        impl From<$name> for $crate::domain::refusal::Refusal {
            fn from(rejection: $name) -> Self {
                Self {
                    class: rejection.class(),
                    code: rejection.code(),
                    text: rejection.text(),
                }
            }
        }
    };
}
pub(crate) use rejections;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        activity, agent_state, catalogue, chat_profile, colleague, context, customer, directory,
        follow_up, im_session, interaction, message_stream, personal_contact, reach, reason_code,
        rights,
    };

    /// One code means one thing, whichever record says it.
    #[test]
    fn codes_are_words_joined_by_hyphens_and_none_means_two_things() {
        let mut codes: Vec<&str> = [
            activity::Rejection::CODES,
            activity::follower::Rejection::CODES,
            agent_state::Rejection::CODES,
            catalogue::Rejection::CODES,
            chat_profile::Rejection::CODES,
            colleague::Prerequisite::CODES,
            context::Rejection::CODES,
            customer::Rejection::CODES,
            directory::Rejection::CODES,
            follow_up::Rejection::CODES,
            follow_up::scratch_pad::Rejection::CODES,
            im_session::Rejection::CODES,
            interaction::Rejection::CODES,
            message_stream::Rejection::CODES,
            message_stream::attachment::Rejection::CODES,
            message_stream::tags::Rejection::CODES,
            personal_contact::Rejection::CODES,
            reach::Rejection::CODES,
            reason_code::Rejection::CODES,
            rights::Rejection::CODES,
        ]
        .concat();
        for code in &codes {
            let word =
                |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
            assert!(code.split('-').all(word), "{code}");
        }
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn a_refusal_keeps_code_class_and_text_of_a_shared_rule() {
        let inner = colleague::Prerequisite::Oneself;
        let refusal = Refusal::from(personal_contact::Rejection::from(inner.clone()));
        assert_eq!(refusal, Refusal::from(inner));
        assert_eq!(refusal.code, "oneself");
        assert_eq!(refusal.to_string(), refusal.text);
    }
}
