//! The presence of occupants as the room tells it (XEP-0045 §7.2.2, §7.2.3, §8 to §10): with
//! `<x xmlns='http://jabber.org/protocol/muc#user'/>` and the occupant's id (XEP-0421).

use std::sync::Arc;

use super::model::{Affiliation, Role};
use super::room::{Occupant, Post, Room, Seat, State};
use crate::hooks::Mail;
use crate::proto::{Jid, PresenceType, Resource, Stanza, ns};
use crate::xml::{Content, Element};

/// XEP-0421 §3.
pub(super) const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";

/// An occupant's presence, to each, in the two ways in which others see it.
#[derive(Debug, Default)]
pub(super) struct Shown {
    plain: Option<Mail>,
    with_jid: Option<Mail>,
}

/// What a presence tells besides who is there.
#[derive(Clone, Debug, Default)]
pub(super) struct News<'a> {
    /// For everybody.
    pub(super) codes: &'a [u16],
    /// For the occupant itself.
    pub(super) own_codes: &'a [u16],
    /// Who did it, by nickname and address.
    pub(super) actor: Option<(Option<Resource>, Jid)>,
    pub(super) reason: Option<&'a str>,
    /// The next nickname (§7.6).
    pub(super) nick: Option<&'a Resource>,
    /// What it says in parting (§7.14).
    pub(super) parting: Option<&'a Content>,
}

/// The element `<occupant-id/>`.
pub(super) fn occupant_id(id: &str) -> Element {
    Element::new(OCCUPANT_ID, "occupant-id").attr("id", id)
}

pub(super) fn status(code: u16) -> Element {
    Element::new(ns::MUC_USER, "status").attr("code", code.to_string())
}

/// `<x/>` with nothing but status codes.
pub(super) fn codes(codes: &[u16]) -> Element {
    Element::new(ns::MUC_USER, "x").children_from(codes.iter().map(|code| status(*code)))
}

fn item(
    (affiliation, role): (Affiliation, Role),
    jid: Option<&Jid>,
    news: &News<'_>,
    actor_jid: bool,
) -> Element {
    let actor = news.actor.as_ref().map(|(nick, jid)| {
        Element::new(ns::MUC_USER, "actor")
            .attr_opt("nick", nick.as_ref().map(Resource::as_str))
            .attr_opt("jid", actor_jid.then(|| jid.bare().to_string()))
    });
    let reason = news
        .reason
        .map(|text| Element::new(ns::MUC_USER, "reason").text(text));
    Element::new(ns::MUC_USER, "item")
        .attr("affiliation", affiliation.name())
        .attr("role", role.name())
        .attr_opt("jid", jid.map(ToString::to_string))
        .attr_opt("nick", news.nick.map(Resource::as_str))
        .child_opt(actor)
        .child_opt(reason)
}

impl Occupant {
    fn payload(
        &self,
        kind: PresenceType,
        (affiliation, role): (Affiliation, Role),
        with_jid: bool,
        own: bool,
        news: &News<'_>,
    ) -> Content {
        let jid = self.seats.last().map(|seat| &seat.jid).filter(|_| with_jid);
        let mut codes: Vec<u16> = news.codes.to_vec();
        if own {
            codes.extend(news.own_codes);
            codes.push(110);
        }
        codes.sort_unstable();
        codes.dedup();
        let x = Element::new(ns::MUC_USER, "x")
            .child(item((affiliation, role), jid, news, with_jid))
            .children_from(codes.into_iter().map(status));
        let mut payload = match kind {
            PresenceType::Unavailable => news.parting.cloned().unwrap_or_default(),
            _ => self.presence.clone(),
        };
        let gone = kind == PresenceType::Unavailable;
        let hats = self.hats.clone().filter(|_| !gone);
        let own_parts: Vec<Element> = [occupant_id(&self.id), x].into_iter().chain(hats).collect();
        payload.append(&Content::from_elements(&own_parts, ns::CLIENT));
        payload
    }
}

impl State {
    /// Whether somebody of that role sees real addresses (§4.2).
    pub(super) fn sees_jids(&self, role: Role) -> bool {
        self.config.nonanonymous || role == Role::Moderator
    }

    /// The presence of an occupant for one who asks for it, without news.
    pub(super) fn presence_of(
        &mut self,
        room: &Room,
        nick: &Resource,
        with_jid: bool,
    ) -> Option<Mail> {
        let account = self.occupants.get(nick)?.account.clone();
        let affiliation = self.affiliation(&account);
        let occupant = self.occupants.get_mut(nick)?;
        let known = if with_jid {
            &occupant.shown.with_jid
        } else {
            &occupant.shown.plain
        };
        if let Some(known) = known {
            return Some(Arc::clone(known));
        }
        let kind = PresenceType::Available;
        let mut stanza = Stanza::presence(kind).from(room.occupant_jid(nick));
        let standing = (affiliation, occupant.role);
        stanza.payload = occupant.payload(kind, standing, with_jid, false, &News::default());
        let made = stanza.to_each();
        let place = if with_jid {
            &mut occupant.shown.with_jid
        } else {
            &mut occupant.shown.plain
        };
        *place = Some(Arc::clone(&made));
        Some(made)
    }

    /// Tells everybody of an occupant's presence, the occupant itself last. Others are not told of one
    /// whose role is not shown, unless they know of it.
    pub(super) fn announce(
        &mut self,
        room: &Room,
        nick: &Resource,
        news: &News<'_>,
        post: &mut Post,
    ) {
        self.tell(room, nick, PresenceType::Available, news, post);
    }

    /// Tells everybody that an occupant is no longer there under that nickname, and the occupant
    /// itself.
    pub(super) fn farewell(
        &mut self,
        room: &Room,
        nick: &Resource,
        news: &News<'_>,
        post: &mut Post,
    ) {
        self.tell(room, nick, PresenceType::Unavailable, news, post);
    }

    fn tell(
        &mut self,
        room: &Room,
        nick: &Resource,
        kind: PresenceType,
        news: &News<'_>,
        post: &mut Post,
    ) {
        let Some(account) = self.occupants.get(nick).map(|it| it.account.clone()) else {
            return;
        };
        let affiliation = self.affiliation(&account);
        let shows = |role: Role| self.config.shows(role);
        let shown = self
            .occupants
            .get(nick)
            .is_some_and(|it| it.visible || shows(it.role));
        if let Some(occupant) = self.occupants.get_mut(nick) {
            occupant.shown = Shown::default();
            occupant.visible = shown;
        }
        let Some(occupant) = self.occupants.get(nick) else {
            return;
        };
        // §7.6: while the nickname changes, the role stays.
        let role = match kind {
            PresenceType::Unavailable if news.nick.is_none() => Role::None,
            _ => occupant.role,
        };
        let make = |with_jid: bool, own: bool| {
            let mut stanza = Stanza::presence(kind).from(room.occupant_jid(nick));
            stanza.payload = occupant.payload(kind, (affiliation, role), with_jid, own, news);
            stanza
        };
        if shown {
            let mut variants: [Option<Mail>; 2] = [None, None];
            let [plain, full] = &mut variants;
            let others = self.seats().filter(|(other, ..)| *other != nick);
            for (_, other_role, seat) in others {
                let mail = if self.sees_jids(other_role) {
                    full.get_or_insert_with(|| make(true, false).to_each())
                } else {
                    plain.get_or_insert_with(|| make(false, false).to_each())
                };
                post.share(seat, mail);
            }
        }
        let own = make(self.sees_jids(occupant.role), true);
        for seat in &occupant.seats {
            post.answer(seat, own.clone());
        }
    }

    /// Tells those who have seen nicknames only who is behind them: the room is non-anonymous now
    /// (§10.2.1).
    pub(super) fn reveal(&mut self, room: &Room, post: &mut Post) {
        let visible = self.occupants.iter().filter(|(_, it)| it.visible);
        let nicks: Vec<Resource> = visible.map(|(nick, _)| nick.clone()).collect();
        for nick in nicks {
            let Some(mail) = self.presence_of(room, &nick, true) else {
                continue;
            };
            let others = self.seats();
            for (_, _, seat) in
                others.filter(|(other, role, _)| *role != Role::Moderator && **other != nick)
            {
                post.share(seat, &mail);
            }
        }
    }

    /// What an occupant is told of its own leaving.
    pub(super) fn farewell_payload(&self, nick: &Resource, news: &News<'_>) -> Option<Content> {
        let occupant = self.occupants.get(nick)?;
        let standing = (self.affiliation(&occupant.account), Role::None);
        Some(occupant.payload(PresenceType::Unavailable, standing, false, true, news))
    }

    /// Tells one session of its own presence, which ends what it is told at entering (§7.2.2).
    pub(super) fn tell_own(
        &self,
        room: &Room,
        nick: &Resource,
        seat: &Seat,
        news: &News<'_>,
        post: &mut Post,
    ) {
        let Some(occupant) = self.occupants.get(nick) else {
            return;
        };
        let standing = (self.affiliation(&occupant.account), occupant.role);
        let with_jid = self.sees_jids(occupant.role);
        let kind = PresenceType::Available;
        let mut stanza = Stanza::presence(kind).from(room.occupant_jid(nick));
        stanza.payload = occupant.payload(kind, standing, with_jid, true, news);
        post.answer(seat, stanza);
    }
}
