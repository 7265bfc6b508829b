//! What the service and its rooms tell of themselves (XEP-0045 §6, §7.12; XEP-0030; XEP-0059).

use super::model::Affiliation;
use super::model::hat::HATS;
use super::presence::OCCUPANT_ID;
use super::room::{Phase, Room, State};
use super::rooms::Rooms;
use crate::hooks::{At, Identity, Info, Iq, IqAnswer, Item};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::proto::{Condition, Jid, Resource, StanzaError, ns};
use crate::xml::Element;

const ROOM_INFO: &str = "http://jabber.org/protocol/muc#roominfo";

/// What every room can do.
const FEATURES: [&str; 13] = [
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::MUC,
    "http://jabber.org/protocol/muc#request",
    "http://jabber.org/protocol/muc#stable_id",
    "http://jabber.org/protocol/muc#self-ping-optimization",
    ns::REGISTER,
    ns::VCARD,
    OCCUPANT_ID,
    HATS,
    ns::COMMANDS,
    super::moderation::MODERATE,
    super::retraction::RETRACT,
];

/// Items of a list where the asker names no number.
const ITEMS_MAX: usize = 100;

impl Rooms {
    /// §6.2: the service.
    pub(super) fn service_info(&self, iq: &Iq) -> IqAnswer {
        if iq
            .payload
            .attribute("node")
            .is_some_and(|node| !node.is_empty())
        {
            return Err(Condition::ItemNotFound.into());
        }
        let mut info = iq.services.hooks.disco().info(At::Service, &iq.to);
        info.identities
            .push(Identity::new("conference", "text", "Rooms"));
        let own = [
            ns::DISCO_INFO,
            ns::DISCO_ITEMS,
            ns::MUC,
            ns::RSM,
            OCCUPANT_ID,
            UNIQUE,
        ];
        info.features.extend(own.map(Into::into));
        info.features.sort_unstable();
        info.features.dedup();
        Ok(Some(info.to_element(None)))
    }

    /// §6.3: the rooms that are listed publicly, in pages.
    pub(super) fn service_items(&self, iq: &Iq) -> IqAnswer {
        let page = PageRequest::of(&iq.payload)?;
        let listed: Vec<Item> = self
            .all()
            .iter()
            .filter_map(|room| {
                let state = room.lock();
                let listed = state.config.public && state.phase == Phase::Open;
                listed.then(|| Item {
                    jid: room.jid.clone().into(),
                    node: None,
                    name: state.config.name.clone(),
                })
            })
            .collect();
        let (start, end) = cut(&listed, &page)?;
        let shown = listed.get(start..end).unwrap_or_default();
        let ends = shown.first().zip(shown.last());
        let told = Page {
            ends: ends.map(|(first, last)| (first.jid.to_string(), last.jid.to_string())),
            index: u64::try_from(start).ok(),
            count: u64::try_from(listed.len()).ok(),
        };
        let asked = iq.payload.find(ns::RSM, "set").is_some() || shown.len() < listed.len();
        let query = Element::new(ns::DISCO_ITEMS, "query")
            .children_from(shown.iter().map(Item::to_element))
            .child_opt(asked.then(|| told.to_element()));
        Ok(Some(query))
    }

    /// §6.4, §7.12: a room.
    pub(super) fn room_info(&self, iq: &Iq, room: &Room) -> IqAnswer {
        match iq.payload.attribute("node").filter(|node| !node.is_empty()) {
            None => Ok(Some(
                describe(room, &iq.from, self.config.archive.full_text).to_element(None),
            )),
            Some(node @ "x-roomuser-item") => {
                let state = room.lock();
                let associate = state.associates.get(iq.from.bare());
                let nick = associate
                    .and_then(|it| it.nick.as_ref())
                    .map(Resource::as_str);
                let identity =
                    nick.map(|nick| Identity::new("conference", "text", nick.to_owned()));
                let info = Info {
                    identities: identity.into_iter().collect(),
                    ..Info::default()
                };
                Ok(Some(info.to_element(Some(node))))
            }
            // §16.1.1: everything passes.
            Some("http://jabber.org/protocol/muc#traffic") => {
                Err(Condition::ServiceUnavailable.into())
            }
            Some(node) => {
                let info = super::hats::info(node).ok_or(Condition::ItemNotFound)?;
                Ok(Some(info.to_element(Some(node))))
            }
        }
    }

    /// §6.5: who is in a room, for those who are in it themselves.
    pub(super) fn room_items(&self, iq: &Iq, room: &Room) -> IqAnswer {
        if iq.payload.attribute("node") == Some(ns::COMMANDS) {
            return Ok(Some(super::hats::items(iq, room)));
        }
        let state = room.lock();
        let query = Element::new(ns::DISCO_ITEMS, "query");
        if state.occupant_of(&iq.from).is_none() {
            return Ok(Some(query));
        }
        let shown = state
            .occupants
            .iter()
            .filter(|(_, occupant)| occupant.visible);
        let items = shown.map(|(nick, _)| Item {
            jid: room.occupant_jid(nick),
            node: None,
            name: None,
        });
        Ok(Some(
            query.children_from(items.map(|item| item.to_element())),
        ))
    }
}

/// XEP-0045 version 1.24 §10.1.4: a name that no room has; clients of that time still ask.
pub(super) const UNIQUE: &str = "http://jabber.org/protocol/muc#unique";

/// Where a page begins and ends.
fn cut(listed: &[Item], page: &PageRequest) -> Result<(usize, usize), StanzaError> {
    let max = page
        .max
        .map_or(ITEMS_MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
    let max = max.min(ITEMS_MAX);
    let place = |id: &str| {
        let mut jids = listed.iter().map(|item| item.jid.to_string());
        jids.position(|jid| jid == id)
            .ok_or(Condition::ItemNotFound)
    };
    let (start, end) = match &page.from {
        PageFrom::First => (0, max),
        PageFrom::After(id) => {
            let start = place(id)? + 1;
            (start, start.saturating_add(max))
        }
        PageFrom::Before(id) => {
            let end = place(id)?;
            (end.saturating_sub(max), end)
        }
        PageFrom::Last => (listed.len().saturating_sub(max), listed.len()),
        PageFrom::Index(index) => {
            let start = usize::try_from(*index).unwrap_or(usize::MAX);
            (start, start.saturating_add(max))
        }
    };
    let start = start.min(listed.len());
    Ok((start, end.min(listed.len()).max(start)))
}

fn describe(room: &Room, asker: &Jid, full_text: bool) -> Info {
    let state = room.lock();
    let config = &state.config;
    let name = config
        .name
        .clone()
        .or_else(|| room.jid.node().map(|it| it.to_string()));
    let own = FEATURES.into_iter().chain(config.features());
    let archived = super::archive::features(config, full_text);
    let mut features: Vec<_> = own.chain(archived).map(Into::into).collect();
    features.sort_unstable();
    Info {
        identities: vec![Identity::new(
            "conference",
            "text",
            name.unwrap_or_default(),
        )],
        features,
        forms: vec![extended(&state, asker)],
    }
}

/// The form `muc#roominfo` (§16.5.4). What goes on in the room is for those who may enter it.
fn extended(state: &State, asker: &Jid) -> Form {
    let open = state.is_open_to(asker);
    let config = &state.config;
    let subject = state
        .subject
        .as_ref()
        .and_then(|it| it.stanza.find(ns::CLIENT, "subject"));
    let subject = subject.map(|it| it.text().into_owned());
    let photo = state.card.as_ref().and_then(|card| card.photo.clone());
    let occupants = state.occupants.len().to_string();
    let texts = [
        ("muc#roominfo_description", config.description.clone()),
        ("muc#roominfo_lang", config.lang.clone()),
        ("muc#roominfo_subject", subject.filter(|_| open)),
        ("muc#roominfo_occupants", open.then_some(occupants)),
        ("muc#roominfo_avatarhash", photo),
        ("muc#maxhistoryfetch", Some(config.history_max.to_string())),
        ("muc#roomconfig_pubsub", config.pubsub.clone()),
        ("hats#hash", state.hats_hash()),
        ("muc#roomconfig_roomname", config.name.clone()),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(var, value)| Some(Field::new(var, FieldType::TextSingle).value(value?)));
    let flags = [
        ("muc#roominfo_subjectmod", config.change_subject),
        ("muc#roomconfig_changesubject", config.change_subject),
        ("muc#roomconfig_allowinvites", config.allow_invites),
    ];
    let flags = flags.into_iter().map(|(var, value)| {
        Field::new(var, FieldType::Boolean).value(if value { "1" } else { "0" })
    });
    let form = Form::new(FormType::Result).form_type(ROOM_INFO);
    let form = texts.chain(flags).fold(form, Form::field);
    if !config.nonanonymous {
        return form;
    }
    let owners = state
        .associates
        .iter()
        .filter(|(_, it)| it.affiliation == Affiliation::Owner);
    let contacts = Field::new("muc#roominfo_contactjid", FieldType::JidMulti);
    form.field(owners.fold(contacts, |field, (jid, _)| field.value(jid.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_as_xep_0059_says() {
        let item = |name: &str| Item {
            jid: format!("{name}@rooms.localhost").parse().unwrap(),
            node: None,
            name: None,
        };
        let listed: Vec<Item> = ["a", "b", "c", "d", "e"].into_iter().map(item).collect();
        let id = |name: &str| format!("{name}@rooms.localhost");
        for (max, from, expected) in [
            (None, PageFrom::First, Ok((0, 5))),
            (Some(2), PageFrom::First, Ok((0, 2))),
            (Some(0), PageFrom::First, Ok((0, 0))),
            (Some(2), PageFrom::After(id("b")), Ok((2, 4))),
            (Some(9), PageFrom::After(id("e")), Ok((5, 5))),
            (Some(2), PageFrom::Before(id("d")), Ok((1, 3))),
            (Some(2), PageFrom::Last, Ok((3, 5))),
            (Some(2), PageFrom::Index(4), Ok((4, 5))),
            (Some(2), PageFrom::Index(u64::MAX), Ok((5, 5))),
            (
                Some(2),
                PageFrom::After(id("x")),
                Err(Condition::ItemNotFound),
            ),
        ] {
            let page = PageRequest { max, from };
            let found = cut(&listed, &page).map_err(|error| error.condition);
            assert_eq!(found, expected, "{page:?}");
        }
    }
}
