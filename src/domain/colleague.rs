//! Colleagues: what has to hold before two accounts work together at all (S0-6, S0-9 to S0-12).

use super::chat_profile::{ChatProfile, InstantMessaging};
use super::ids::AgentId;
use super::refusal::rejections;
use super::rights::{Right, Rights, Role};

/// What is known of an account that shall work with another.
#[derive(Clone, Copy, Debug)]
pub struct Colleague<'a> {
    /// The account.
    pub id: &'a AgentId,
    /// Its role; `None` when there is no such account.
    pub role: Option<Role>,
    /// What it may do.
    pub rights: &'a Rights,
    /// Its chat profile.
    pub profile: &'a ChatProfile,
}

impl Colleague<'_> {
    /// Whether the account takes part in the contact center: agents, and who stands above them (S0-9).
    #[must_use]
    pub fn is_agent(&self) -> bool {
        self.role.is_some_and(|role| role >= Role::Agent)
    }

    fn uses_im(&self) -> bool {
        self.profile.instant_messaging == InstantMessaging::Enabled
    }
}

/// Whether the two are colleagues: two agents of one host.
///
/// # Errors
/// The first rule that does not hold, from the most general on.
pub fn colleagues(own: &Colleague<'_>, other: &Colleague<'_>) -> Result<(), Prerequisite> {
    if own.id == other.id {
        return Err(Prerequisite::Oneself);
    }
    if own.id.host() != other.id.host() {
        return Err(Prerequisite::OtherHost);
    }
    if other.role.is_none() {
        return Err(Prerequisite::NoAccount);
    }
    if !own.is_agent() {
        return Err(Prerequisite::NoAgentYourself);
    }
    colleague(other)
}

/// Whether the account is a colleague of the agents of its host.
///
/// # Errors
/// The first rule that does not hold.
pub fn colleague(other: &Colleague<'_>) -> Result<(), Prerequisite> {
    if other.role.is_none() {
        return Err(Prerequisite::NoAccount);
    }
    if !other.is_agent() {
        return Err(Prerequisite::NoAgent);
    }
    Ok(())
}

/// Whether the two are colleagues who both may send instant messages and do (S0-10, S0-12, S0-18, S1-4).
///
/// # Errors
/// The first rule that does not hold.
pub fn may_message(own: &Colleague<'_>, other: &Colleague<'_>) -> Result<(), Prerequisite> {
    colleagues(own, other)?;
    uses_im(Some(own), other)
}

/// Whether both of two colleagues may send instant messages and do. Without the first it is what holds for whoever it may be.
///
/// # Errors
/// The first rule that does not hold.
pub fn uses_im(own: Option<&Colleague<'_>>, other: &Colleague<'_>) -> Result<(), Prerequisite> {
    if own.is_some_and(|own| !own.rights.has(Right::InstantMessage)) {
        return Err(Prerequisite::ImNotYours);
    }
    if !other.rights.has(Right::InstantMessage) {
        return Err(Prerequisite::ImNotTheirs);
    }
    if own.is_some_and(|own| !own.uses_im()) {
        return Err(Prerequisite::ImDisabledForYou);
    }
    if !other.uses_im() {
        return Err(Prerequisite::ImDisabledForThem);
    }
    Ok(())
}

rejections! {
    /// Which rule about two accounts does not hold.
    pub enum Prerequisite {
        /// Own and other account are the same.
        Oneself = NotAllowed, "oneself", "This is your own account.";
        /// Only colleagues on one host work together (S0-6).
        OtherHost = NotAllowed, "other-host", "This account is not one of this company.";
        /// There is no such account.
        NoAccount = NotFound, "no-account", "There is no such account.";
        /// The one who asks is no agent (S0-9).
        NoAgentYourself = Forbidden, "no-agent-yourself", "Your account takes no part in the contact center.";
        /// The other is no agent (S0-9).
        NoAgent = NotAllowed, "no-agent", "This account takes no part in the contact center.";
        /// The own account has no right to instant messages (S0-10, S1-4).
        ImNotYours = Forbidden, "im-not-yours", "You do not have the right to instant messages.";
        /// The other has no right to instant messages (S0-10, S1-4).
        ImNotTheirs = NotAllowed, "im-not-theirs", "This colleague does not have the right to instant messages.";
        /// The own profile has no instant messages (S0-12).
        ImDisabledForYou = Forbidden, "im-disabled-for-you", "Instant messaging is switched off in your chat profile.";
        /// The other's profile has no instant messages (S0-12).
        ImDisabledForThem = NotAllowed, "im-disabled-for-them", "Instant messaging is switched off for this colleague.";
    }
}

impl Prerequisite {
    /// Whether the two are colleagues, and one of them has no instant messages.
    #[must_use]
    pub const fn is_about_im(&self) -> bool {
        match self {
            Self::ImNotYours
            | Self::ImNotTheirs
            | Self::ImDisabledForYou
            | Self::ImDisabledForThem => true,
            Self::Oneself
            | Self::OtherHost
            | Self::NoAccount
            | Self::NoAgentYourself
            | Self::NoAgent => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S0-6, S0-9, S0-12, S0-18, S1-4: each missing prerequisite has its name.
    #[test]
    fn two_agents_of_one_host_with_instant_messaging_may_message() {
        let on = ChatProfile::default();
        let off = ChatProfile {
            instant_messaging: InstantMessaging::Disabled,
            ..ChatProfile::default()
        };
        let agent = Some(Role::Agent);
        for (id, role, own, own_role, theirs, expected) in [
            ("b@h", agent, &on, agent, &on, Ok(())),
            (
                "b@h",
                Some(Role::Supervisor),
                &on,
                Some(Role::Administrator),
                &on,
                Ok(()),
            ),
            ("a@h", agent, &on, agent, &on, Err(Prerequisite::Oneself)),
            ("b@x", agent, &on, agent, &on, Err(Prerequisite::OtherHost)),
            ("b@h", None, &on, agent, &on, Err(Prerequisite::NoAccount)),
            (
                "b@h",
                agent,
                &on,
                Some(Role::Member),
                &on,
                Err(Prerequisite::NoAgentYourself),
            ),
            (
                "b@h",
                Some(Role::Member),
                &on,
                agent,
                &on,
                Err(Prerequisite::NoAgent),
            ),
            (
                "b@h",
                agent,
                &off,
                agent,
                &on,
                Err(Prerequisite::ImDisabledForYou),
            ),
            (
                "b@h",
                agent,
                &on,
                agent,
                &off,
                Err(Prerequisite::ImDisabledForThem),
            ),
        ] {
            let (a, b) = ("a@h".parse().unwrap(), id.parse().unwrap());
            let rights = Rights::of_agent();
            let own = Colleague {
                id: &a,
                role: own_role,
                rights,
                profile: own,
            };
            let other = Colleague {
                id: &b,
                role,
                rights,
                profile: theirs,
            };
            assert_eq!(may_message(&own, &other), expected);
        }
    }

    /// S0-10, S1-4: the right to instant messages is asked of both.
    #[test]
    fn who_has_no_right_to_instant_messages_is_named() {
        let (a, b) = ("a@h".parse().unwrap(), "b@h".parse().unwrap());
        let (all, none, profile) = (
            Rights::of_agent(),
            Rights::default(),
            ChatProfile::default(),
        );
        let role = Some(Role::Agent);
        for (own, other, expected) in [
            (all, all, Ok(())),
            (&none, all, Err(Prerequisite::ImNotYours)),
            (all, &none, Err(Prerequisite::ImNotTheirs)),
        ] {
            let of = |id, rights| Colleague {
                id,
                role,
                rights,
                profile: &profile,
            };
            assert_eq!(may_message(&of(&a, own), &of(&b, other)), expected);
        }
    }
}
