//! What moderators and admins do by `http://jabber.org/protocol/muc#admin` (XEP-0045 §8, §9, §10.3 to
//! §10.8): roles by nickname, affiliations by address, and the lists of both.
//!
//! All items of a request are looked at before the first is carried out: one that is refused
//! changes nothing.

use std::sync::Arc;

use super::leaving::expel;
use super::lists;
use super::model::rank::{may_set_affiliation, may_set_role};
use super::model::{Affiliation, Role, Standing};
use super::notices::reason;
use super::persistence::Draft;
use super::presence::{News, status};
use super::room::{Associate, Post, Room, State};
use super::rooms::Rooms;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::{
    BareJid, Condition, IqType, Jid, MessageType, Resource, Stanza, StanzaError, ns,
};
use crate::xml::Element;

/// Items of one request.
const ITEMS_MAX: usize = 200;

/// One item that is to be carried out.
enum Change {
    Role {
        nick: Resource,
        role: Role,
        reason: Option<String>,
    },
    Affiliation {
        account: BareJid,
        affiliation: Affiliation,
        nick: Option<Resource>,
        reason: Option<String>,
    },
}

impl Rooms {
    /// Answers a request.
    pub(super) async fn administer(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        let items: Vec<&Element> = iq
            .payload
            .children()
            .filter(|it| it.is(ns::MUC_ADMIN, "item"))
            .collect();
        if items.is_empty() || items.len() > ITEMS_MAX {
            return Err(Condition::BadRequest.into());
        }
        if iq.kind == IqType::Get {
            return lists::list(iq, room, &items).map(Some);
        }
        let mut saved = room.saving.lock().await;
        let (changes, draft) = {
            let state = room.lock();
            let actor = state.standing(&iq.from);
            let changes = items
                .iter()
                .map(|item| read(&state, item))
                .collect::<Result<Vec<_>, _>>()?;
            self.check(&state, actor, &iq.from, &changes)?;
            let draft = draft(&state, &changes);
            (changes, draft)
        };
        if !draft.associates.is_empty() {
            self.write(room, &mut saved, &draft, &iq.services).await?;
        }
        let mut post = Post::default();
        {
            let mut state = room.lock();
            let nick = state.occupant_of(&iq.from).map(|(nick, _)| nick.clone());
            let actor = (nick, iq.from.clone());
            for change in changes {
                carry_out(&mut state, room, &actor, change, &mut post);
            }
        }
        drop(saved);
        post.carry_out(&iq.services).await;
        self.tidy(room, &iq.services).await;
        Ok(None)
    }

    fn check(
        &self,
        state: &State,
        actor: Standing,
        from: &Jid,
        changes: &[Change],
    ) -> Result<(), StanzaError> {
        let mut added = 0;
        for change in changes {
            match change {
                Change::Role { nick, role, .. } => {
                    let target = state.occupants.get(nick).ok_or(Condition::ItemNotFound)?;
                    let target = Standing {
                        affiliation: state.affiliation(&target.account),
                        role: target.role,
                    };
                    may_set_role(actor, target, *role)?;
                }
                Change::Affiliation {
                    account,
                    affiliation,
                    nick,
                    ..
                } => {
                    let current = state.affiliation(account);
                    let last = state.is_last_owner(account);
                    let own = account == from.bare();
                    may_set_affiliation(actor.affiliation, current, *affiliation, own, last)?;
                    let new = *affiliation != Affiliation::None;
                    if new && !state.associates.contains_key(account) {
                        self.check_associates(state, added)?;
                        added += 1;
                    }
                    let owner = nick.as_ref().and_then(|nick| state.reserved_for(nick));
                    if owner.is_some_and(|owner| owner != account) {
                        return Err(Condition::Conflict.into());
                    }
                }
            }
        }
        // One request may take several owners away, but not all of them.
        let removed = |jid: &BareJid| {
            changes.iter().any(|change| {
                matches!(change, Change::Affiliation { account, affiliation, .. }
                    if account == jid && *affiliation != Affiliation::Owner)
            })
        };
        let made = changes.iter().any(|change| {
            matches!(
                change,
                Change::Affiliation {
                    affiliation: Affiliation::Owner,
                    ..
                }
            )
        });
        let mut owners = state
            .associates
            .iter()
            .filter(|(_, it)| it.affiliation == Affiliation::Owner);
        if !made && !owners.any(|(jid, _)| !removed(jid)) {
            return Err(Condition::Conflict.into());
        }
        Ok(())
    }
}

/// Reads an item: a role for a nickname, or an affiliation for an address (§15.4 rules 4 to 6).
fn read(state: &State, item: &Element) -> Result<Change, StanzaError> {
    let nick = item.attribute("nick").map(Resource::new).transpose();
    let nick = nick.map_err(|_| Condition::JidMalformed)?;
    let reason = reason(item);
    match (item.attribute("role"), item.attribute("affiliation")) {
        (Some(role), None) => {
            let role = Role::from_name(role).ok_or(Condition::BadRequest)?;
            let nick = nick.ok_or(Condition::BadRequest)?;
            Ok(Change::Role { nick, role, reason })
        }
        (None, Some(affiliation)) => {
            let affiliation = Affiliation::from_name(affiliation).ok_or(Condition::BadRequest)?;
            let account = match item.attribute("jid") {
                Some(jid) => Jid::parse(jid)
                    .map_err(|_| Condition::JidMalformed)?
                    .bare()
                    .clone(),
                None => {
                    // Who is there may be named by the nickname.
                    let nick = nick.as_ref().ok_or(Condition::BadRequest)?;
                    let occupant = state.occupants.get(nick).ok_or(Condition::ItemNotFound)?;
                    occupant.account.clone()
                }
            };
            let nick = nick.filter(|_| item.attribute("jid").is_some());
            Ok(Change::Affiliation {
                account,
                affiliation,
                nick,
                reason,
            })
        }
        (Some(_), Some(_)) | (None, None) => Err(Condition::BadRequest.into()),
    }
}

/// What the database is told before anything is carried out.
fn draft(state: &State, changes: &[Change]) -> Draft {
    let mut draft = Draft::default();
    for change in changes {
        if let Change::Affiliation {
            account,
            affiliation,
            nick,
            reason,
        } = change
        {
            let before = draft.associate(state, account);
            let after = affiliated(before, *affiliation, nick.clone(), reason.clone());
            draft.associates.insert(account.clone(), after);
        }
    }
    draft
}

/// What somebody is with a new affiliation: who is banned or none has no nickname any more.
fn affiliated(
    before: Option<&Associate>,
    affiliation: Affiliation,
    nick: Option<Resource>,
    reason: Option<String>,
) -> Associate {
    let before = before.cloned().unwrap_or_default();
    let keeps_nick = !matches!(affiliation, Affiliation::Outcast | Affiliation::None);
    let banned = affiliation == Affiliation::Outcast;
    Associate {
        affiliation,
        nick: nick.or(before.nick).filter(|_| keeps_nick),
        reason,
        hats: if banned { Vec::new() } else { before.hats },
    }
}

fn carry_out(
    state: &mut State,
    room: &Room,
    actor: &(Option<Resource>, Jid),
    change: Change,
    post: &mut Post,
) {
    match change {
        Change::Role { nick, role, reason } => {
            let mut news = News {
                reason: reason.as_deref(),
                ..News::default()
            };
            if role == Role::None {
                // §8.2.
                news.codes = &[307];
                news.actor = Some(actor.clone());
                expel(state, room, &nick, &news, post);
                return;
            }
            let changed = state.occupants.get_mut(&nick).is_some_and(|occupant| {
                let changed = occupant.role != role;
                occupant.role = role;
                changed
            });
            if changed {
                state.announce(room, &nick, &news, post);
            }
        }
        Change::Affiliation {
            account,
            affiliation,
            nick,
            reason,
        } => {
            affiliate(
                state,
                room,
                actor,
                (&account, affiliation),
                nick,
                reason.as_deref(),
                post,
            );
        }
    }
}

/// Makes an account what it shall be, and tells it and everybody (§9.1 to §9.5, §10.3 to §10.7).
fn affiliate(
    state: &mut State,
    room: &Room,
    actor: &(Option<Resource>, Jid),
    (account, affiliation): (&BareJid, Affiliation),
    nick: Option<Resource>,
    reason: Option<&str>,
    post: &mut Post,
) {
    let before = state.associates.get(account).cloned();
    let associate = affiliated(
        before.as_ref(),
        affiliation,
        nick,
        reason.map(str::to_owned),
    );
    let same = before
        .as_ref()
        .map_or(Affiliation::None, |it| it.affiliation)
        == affiliation;
    state.associate(account, associate);
    let here = state.nicks_of(account);
    if here.is_empty() && !same && affiliation > Affiliation::None {
        post.remote.push(out_of_room(room, account, affiliation));
    }
    for nick in here {
        if affiliation == Affiliation::Outcast {
            let news = News {
                codes: &[301],
                actor: Some(actor.clone()),
                reason,
                ..News::default()
            };
            expel(state, room, &nick, &news, post);
        } else if affiliation == Affiliation::None && state.config.members_only {
            // §9.4.
            let news = News {
                codes: &[321],
                actor: Some(actor.clone()),
                reason,
                ..News::default()
            };
            expel(state, room, &nick, &news, post);
        } else if !same {
            let moderated = state.config.moderated;
            let initial = affiliation.initial_role(moderated);
            let was_high = before
                .as_ref()
                .is_some_and(|it| it.affiliation >= Affiliation::Admin);
            if let Some(occupant) = state.occupants.get_mut(&nick) {
                // §5.1.3: what comes with an affiliation is gained with it, and goes with that of an
                // admin or owner.
                occupant.role = if was_high {
                    initial
                } else {
                    occupant.role.max(initial)
                };
            }
            state.announce(
                room,
                &nick,
                &News {
                    reason,
                    ..News::default()
                },
                post,
            );
        }
    }
}

/// §16.1: somebody who is not there is told of the new affiliation.
pub(super) fn out_of_room(room: &Room, account: &BareJid, affiliation: Affiliation) -> Stanza {
    let item = Element::new(ns::MUC_USER, "item")
        .attr("affiliation", affiliation.name())
        .attr("role", Role::None.name())
        .attr("jid", account.as_str());
    let x = Element::new(ns::MUC_USER, "x")
        .child(item)
        .child(status(101));
    Stanza::message(MessageType::Normal)
        .from(room.jid.clone())
        .to(account.clone())
        .child(&x)
}
