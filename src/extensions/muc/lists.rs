//! The lists of roles and affiliations that `http://jabber.org/protocol/muc#admin` gives (XEP-0045 §8.5, §9.2, §9.5,
//! §9.8, §10.5, §10.8), to those who may see them.

use super::model::{Affiliation, Role};
use super::room::Room;
use crate::hooks::Iq;
use crate::proto::{Condition, Resource, StanzaError, ns};
use crate::xml::Element;

/// One of the lists.
pub(super) fn list(iq: &Iq, room: &Room, items: &[&Element]) -> Result<Element, StanzaError> {
    let [item] = items else {
        return Err(Condition::BadRequest.into());
    };
    let state = room.lock();
    let asker = state.standing(&iq.from);
    let answer = Element::new(ns::MUC_ADMIN, "query");
    match (item.attribute("role"), item.attribute("affiliation")) {
        (Some(role), None) => {
            let role = Role::from_name(role).ok_or(Condition::BadRequest)?;
            let administers = asker.affiliation >= Affiliation::Admin;
            if asker.role != Role::Moderator || (role == Role::Moderator && !administers) {
                return Err(Condition::Forbidden.into());
            }
            let listed = state
                .occupants
                .iter()
                .filter(|(_, occupant)| occupant.role == role);
            Ok(answer.children_from(listed.map(|(nick, occupant)| {
                let jid = occupant.seats.last().map(|seat| seat.jid.to_string());
                Element::new(ns::MUC_ADMIN, "item")
                    .attr("affiliation", state.affiliation(&occupant.account).name())
                    .attr("role", role.name())
                    .attr("nick", nick.as_str())
                    .attr_opt("jid", jid)
            })))
        }
        (None, Some(affiliation)) => {
            let affiliation = Affiliation::from_name(affiliation).ok_or(Condition::BadRequest)?;
            let may = match affiliation {
                Affiliation::Outcast => asker.affiliation >= Affiliation::Admin,
                Affiliation::None => return Err(Condition::BadRequest.into()),
                Affiliation::Member | Affiliation::Admin | Affiliation::Owner => {
                    state.config.lets_list_members(asker)
                }
            };
            if !may {
                return Err(Condition::Forbidden.into());
            }
            let listed = state
                .associates
                .iter()
                .filter(|(_, it)| it.affiliation == affiliation);
            Ok(answer.children_from(listed.map(|(jid, it)| {
                let reason = it.reason.as_deref();
                Element::new(ns::MUC_ADMIN, "item")
                    .attr("affiliation", affiliation.name())
                    .attr("jid", jid.as_str())
                    .attr_opt("nick", it.nick.as_ref().map(Resource::as_str))
                    .child_opt(reason.map(|text| Element::new(ns::MUC_ADMIN, "reason").text(text)))
            })))
        }
        (Some(_), Some(_)) | (None, None) => Err(Condition::BadRequest.into()),
    }
}
