//! XEP-0482: Call Invites, version 0.1.0, of the service: who is asked to take a call by voice is invited on its clients, too, where the
//! connector has said where they join it. What a client answers does what the operation of that name does.
//!
//! Invitations by XEP-0353 are for sessions of Jingle, of which the service has none.

use std::sync::Arc;

use super::change::{self, Work};
use super::{find, is_open};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors::{self, Asker};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{Refused, malformed};
use crate::domain::ids::{AgentId, InteractionId, RequestId};
use crate::domain::interaction::{Command, Interaction, Leg, Participant, Rejection, Role, Verb};
use crate::domain::rights::Right;
use crate::hooks::{Effects, Parcel};
use crate::proto::{MessageType, Stanza, StanzaError, ns};
use crate::xml::Element;

/// XEP-0482 §2.
const NS: &str = "urn:xmpp:call-invites:0";

/// Characters of where a call is.
pub(super) const URI_CHARS_MAX: usize = 1_024;

/// What a client can open: telephones and web pages.
const SCHEMES: &[&str] = &["tel:", "sip:", "sips:", "https:", "xmpp:"];

/// Where a call is, in the words of a connector.
pub(super) fn uri(text: &str) -> Result<String, Refused> {
    let fits = text.len() <= URI_CHARS_MAX && text.chars().all(|it| it.is_ascii_graphic());
    let known = SCHEMES.iter().any(|scheme| {
        let rest = text.strip_prefix(scheme);
        rest.is_some_and(|rest| !rest.is_empty())
    });
    match fits && known {
        true => Ok(text.to_owned()),
        false => {
            let text = "uri must be one of tel:, sip:, sips:, https: or xmpp:.";
            Err(malformed("field-malformed", text))
        }
    }
}

/// The id of the invitation to that part, from which the part is found again.
fn id_of(interaction: &InteractionId, place: usize) -> String {
    format!("call-{place}-{interaction}")
}

fn part_of(id: &str) -> Option<(usize, InteractionId)> {
    let (place, interaction) = id.strip_prefix("call-")?.split_once('-')?;
    Some((place.parse().ok()?, interaction.parse().ok()?))
}

/// Invites to what has become a call, and takes back what nobody has answered and is answered elsewhere, or over.
pub(super) fn tell(work: Work<'_>, draft: &mut Draft, before: &Interaction, after: &Interaction) {
    for (place, part) in after.participants.iter().enumerate() {
        let known = before.participants.get(place);
        let uri = |part: &Participant| part.invite.as_ref().map(|it| it.uri.clone());
        let was = known.and_then(uri);
        let rang = known.is_some_and(|it| matches!(it.leg, Leg::Offered { .. }));
        let rings = matches!(part.leg, Leg::Offered { .. });
        let id = id_of(&after.id, place);
        let Some(invite) = &part.invite else {
            continue;
        };
        if rings && was.as_ref() != Some(&invite.uri) {
            let external = Element::new(NS, "external").attr("uri", &invite.uri);
            let invite = Element::new(NS, "invite").child(external);
            let mut invited = message(work, &part.agent, &invite);
            invited.id = Some(id.as_str().into());
            draft.pass(invited);
        } else if rang && !rings && was.is_some() && !invite.answered {
            let retract = Element::new(NS, "retract").attr("id", id);
            draft.tell(message(work, &part.agent, &retract));
        }
    }
}

/// It is kept, so that a device that comes later knows what it has missed.
fn message(work: Work<'_>, to: &AgentId, payload: &Element) -> Stanza {
    Stanza::message(MessageType::Chat)
        .from(work.place.address.clone())
        .to(to.jid().clone())
        .child(payload)
        .child(&Element::new(ns::HINTS, "store"))
}

/// What a client answers to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Accept,
    Reject,
    Left,
}

impl Said {
    /// With the id of the invitation.
    fn of(stanza: &Stanza) -> Option<(Self, String)> {
        let all = [
            ("accept", Self::Accept),
            ("reject", Self::Reject),
            ("left", Self::Left),
        ];
        all.into_iter().find_map(|(name, said)| {
            let child = stanza.find(NS, name)?.to_element(ns::CLIENT).ok()?;
            Some((said, child.attribute("id")?.to_owned()))
        })
    }
}

/// Whether the message answers an invitation to a call.
pub(in crate::contact_center) fn is_answer(stanza: &Stanza) -> bool {
    Said::of(stanza).is_some()
}

/// A client has answered an invitation.
pub(in crate::contact_center) async fn take(
    center: &Arc<Center>,
    place: &Arc<Place>,
    parcel: Parcel,
) -> Result<Effects, StanzaError> {
    Box::pin(answered(center, place, parcel)).await?;
    Ok(Effects::default())
}

async fn answered(center: &Arc<Center>, place: &Arc<Place>, parcel: Parcel) -> Result<(), Refused> {
    let (stanza, services) = (&parcel.stanza, &parcel.services);
    let (Some((said, id)), Some(from)) = (Said::of(stanza), &stanza.from) else {
        return Ok(());
    };
    let asker = Asker {
        from,
        language: stanza.lang.as_deref(),
    };
    let caller = doors::known(center, place, services, asker).await?;
    caller.rights.require(Right::Interaction)?;
    let by = &caller.agent;
    let (number, id) = part_of(&id).ok_or(Rejection::Unknown)?;
    let found = find(services, &id).await?.filter(|it| is_open(it, by));
    let interaction = match (found, said) {
        (Some(interaction), _) => interaction,
        // It is over for the agent already.
        (None, Said::Left) => return Ok(()),
        (None, Said::Accept | Said::Reject) => return Err(Rejection::Unknown.into()),
    };
    // An invitation to an earlier part is over.
    let present = interaction
        .participants
        .iter()
        .rposition(|it| it.agent == *by);
    if present != Some(number) {
        return Err(Rejection::Unknown.into());
    }
    let work = Work {
        center,
        services,
        place,
    };
    let request = RequestId::made(services.clock.now());
    let commands = |it: &Interaction| Ok(wanted(it, by, said, &request));
    change::all(work, &id, (None, None), &commands).await?;
    Ok(())
}

/// What the client wants by that.
fn wanted(it: &Interaction, by: &AgentId, said: Said, request: &RequestId) -> Vec<Command> {
    let part = it.part(by);
    let verb = match (said, part.map(|part| part.leg)) {
        // It was connected by what the connector has said meanwhile.
        (Said::Accept, Some(Leg::Connected)) => None,
        (Said::Accept, _) => Some(Verb::Accept),
        (Said::Reject, _) => Some(Verb::Reject),
        (Said::Left, Some(Leg::WrapUp)) => None,
        (Said::Left, _) if is_last(it, by) => Some(Verb::End),
        (Said::Left, _) => Some(Verb::Leave),
    };
    let answer = Command::AnswerInvite { by: by.clone() };
    let want = verb.map(|verb| Command::Want {
        by: by.clone(),
        verb,
        request: request.clone(),
    });
    std::iter::once(answer).chain(want).collect()
}

/// Whether nobody else is with the customer.
fn is_last(it: &Interaction, by: &AgentId) -> bool {
    let mut others = it.participants.iter().filter(|part| part.agent != *by);
    let with = |part: &Participant| part.role == Role::Conferenced && part.leg == Leg::Connected;
    let primary = it.primary().is_some_and(|part| part.agent == *by);
    primary && !others.any(with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_at_a_telephone_or_a_web_page() {
        for good in [
            "tel:+493012345678",
            "sip:a@b.example",
            "https://pbx.example/1?x=y",
            "xmpp:a@b",
        ] {
            assert_eq!(uri(good).unwrap(), good);
        }
        let long = format!("tel:{}", "1".repeat(URI_CHARS_MAX));
        for bad in [
            "",
            "tel:",
            "+49",
            "javascript:alert(1)",
            "http://a",
            "tel:1 2",
            "tel:ü",
            &long,
        ] {
            assert!(uri(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_invitation_leads_to_its_part() {
        let id: InteractionId = "call-17-b".parse().unwrap();
        assert_eq!(part_of(&id_of(&id, 12)), Some((12, id)));
        for bad in ["", "call-", "call-x-1", "call-1", "call-1-", "c1"] {
            assert_eq!(part_of(bad), None, "{bad}");
        }
    }
}
