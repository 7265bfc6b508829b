//! How a colleague can be reached now: which means are allowed, with their addresses, and why the others
//! are not (S0-3 to S0-5, S0-15, S0-17, S0-22, S0-23, S0-25).
//!
//! Means are offered when the colleague is Online, which includes being ready, and both chat profiles
//! allow them. To be a personal contact is not needed (S0-17). Nothing is stored: each answer holds for the moment.

use super::agent_state::{Agent, State, View};
use super::chat_profile::{Means, PresenceDisplay};
use super::colleague::{Colleague, Prerequisite, colleague, colleagues, uses_im};
use super::ids::AgentId;
use super::refusal::rejections;
use super::rights::Right;

#[cfg(test)]
mod tests;

/// Where a means of contact leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The account; its URI is `xmpp:` (XEP-0147).
    Account(AgentId),
    /// A telephone number as E.164.
    Telephone(String),
    /// An e-mail address.
    Email(String),
}

/// What is known of a colleague's other addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The telephone number as E.164.
    pub telephone: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// Whether one has blocked the other (XEP-0191).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    /// Neither has.
    None,
    /// The one who asks has.
    ByYou,
    /// The colleague has, and so is Offline for the one who asks (XEP-0191 §3.2).
    ByThem,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The account.
    pub colleague: Colleague<'a>,
    /// Its open IM channels, as [`counts_for`](super::im_session::ImSession::counts_for) counts them.
    pub channels: usize,
}

/// Who shall be reached.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The account.
    pub colleague: Colleague<'a>,
    /// Its state.
    pub agent: &'a Agent,
    /// Its addresses.
    pub addresses: &'a Addresses,
    /// Its open IM channels.
    pub channels: usize,
    /// What is between the two.
    pub blocking: Blocking,
}

/// The answer for one means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which means.
    pub means: Means,
    /// Where it leads, or why it is not allowed.
    pub answer: Result<Address, Rejection>,
}

/// How a colleague can be reached now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// What the one who asks sees of the colleague.
    pub view: View,
    /// One answer for each of [`Means::ALL`].
    pub offers: Vec<Offer>,
}

rejections! {
    /// Why a colleague cannot be reached by a means now.
    pub enum Rejection with Prerequisite(Prerequisite) {
        /// Presence is not displayed (S0-15), so nobody can know whether the colleague is Online.
        PresenceHidden = NotAllowed, "presence-hidden", "The presence of this colleague is not displayed.";
        /// The one who asks has blocked the colleague.
        BlockedByYou = NotAllowed, "blocked-by-you", "You have blocked this colleague.";
        /// There is no session, or the colleague is logged out.
        Offline = Busy, "colleague-offline", "This colleague is offline.";
        /// The colleague is not ready.
        NotReady = Busy, "colleague-not-ready", "This colleague is not ready.";
        /// The colleague is engaged.
        Engaged = Busy, "colleague-engaged", "This colleague is in an interaction.";
        /// The colleague is in wrap-up.
        WrapUp = Busy, "colleague-in-wrap-up", "This colleague is finishing an interaction.";
        /// The colleague's client says away or dnd.
        Away = Busy, "colleague-away", "This colleague is away.";
        /// The own profile does not allow the means.
        MeansNotYours = Forbidden, "means-not-yours", "Your chat profile does not allow this means of contact.";
        /// The colleague's profile does not allow the means.
        MeansNotTheirs = NotAllowed, "means-not-theirs", "This colleague cannot be reached in this way.";
        /// The colleague has no address of that sort.
        NoAddress = NotFound, "no-address", "No address of this kind is known for this colleague.";
        /// The own IM channels are all open (S0-26).
        ChannelsFull = Limit, "own-channels-full", "You have as many IM channels open as you may have. End one first.";
        /// The colleague's IM channels are all open (S0-26).
        TheirChannelsFull = Busy, "their-channels-full", "This colleague is busy with other conversations.";
    }
}

/// How the colleague can be reached now, for each means. Without an asker it is what holds for whoever may ask
/// at all: for a program that shows it to several (S0-17).
#[must_use]
pub fn reach(asker: Option<&Asker<'_>>, target: &Target<'_>) -> Reach {
    let general = available(asker, target);
    let offers = Means::ALL.map(|means| Offer {
        means,
        answer: general.clone().and_then(|()| by(means, asker, target)),
    });
    let view = match target.blocking {
        Blocking::ByThem => View::Offline,
        Blocking::None | Blocking::ByYou => target.agent.view(target.colleague.profile.presence),
    };
    Reach {
        view,
        offers: offers.into(),
    }
}

/// Where that means leads now.
///
/// # Errors
/// Why it is not allowed.
pub fn ask(means: Means, asker: &Asker<'_>, target: &Target<'_>) -> Result<Address, Rejection> {
    available(Some(asker), target)?;
    by(means, Some(asker), target)
}

/// Whether the colleague can be reached at all.
fn available(asker: Option<&Asker<'_>>, target: &Target<'_>) -> Result<(), Rejection> {
    match asker {
        Some(asker) => colleagues(&asker.colleague, &target.colleague)?,
        None => colleague(&target.colleague)?,
    }
    let display = target.colleague.profile.presence;
    match target.blocking {
        Blocking::ByThem => return Err(Rejection::Offline),
        Blocking::ByYou => return Err(Rejection::BlockedByYou),
        Blocking::None => {}
    }
    if display == PresenceDisplay::Hidden {
        return Err(Rejection::PresenceHidden);
    }
    match (target.agent.view(display), target.agent.state()) {
        (View::Online, _) => Ok(()),
        (View::Offline, _) | (View::Busy, State::LoggedOut) => Err(Rejection::Offline),
        (View::Busy, State::NotReady) => Err(Rejection::NotReady),
        (View::Busy, State::Engaged) => Err(Rejection::Engaged),
        (View::Busy, State::WrapUp) => Err(Rejection::WrapUp),
        (View::Busy, State::Available) => Err(Rejection::Away),
    }
}

/// Where a means leads to a colleague who is Online.
fn by(means: Means, asker: Option<&Asker<'_>>, target: &Target<'_>) -> Result<Address, Rejection> {
    let (own, theirs) = (asker.map(|it| &it.colleague), &target.colleague);
    if means == Means::InstantMessage {
        uses_im(own, theirs)?;
    }
    if own.is_some_and(|own| !may_use(means, own)) {
        return Err(Rejection::MeansNotYours);
    }
    if !may_use(means, theirs) {
        return Err(Rejection::MeansNotTheirs);
    }
    let full =
        |asker: &Asker<'_>| asker.channels >= usize::from(asker.colleague.profile.im_channels_max);
    let account = || Address::Account(target.colleague.id.clone());
    let addresses = target.addresses;
    let found = match means {
        Means::InstantMessage if asker.is_some_and(full) => {
            return Err(Rejection::ChannelsFull);
        }
        Means::InstantMessage if target.channels >= usize::from(theirs.profile.im_channels_max) => {
            return Err(Rejection::TheirChannelsFull);
        }
        Means::InstantMessage | Means::Context => Some(account()),
        Means::Telephone => addresses.telephone.clone().map(Address::Telephone),
        Means::Email => addresses.email.clone().map(Address::Email),
    };
    found.ok_or(Rejection::NoAddress)
}

/// Whether profile and rights allow the means to somebody (S0-10, S0-12).
fn may_use(means: Means, who: &Colleague<'_>) -> bool {
    let has_right = match means {
        Means::Context => who.rights.has(Right::Context),
        // Of instant messages it is asked before; the others need none.
        Means::InstantMessage | Means::Telephone | Means::Email => true,
    };
    has_right && who.profile.allows(means)
}
