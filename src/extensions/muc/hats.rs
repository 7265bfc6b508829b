//! XEP-0317: Hats, version 0.3.1: owners and admins make hats and give them away by the ad-hoc commands
//! of §3.2 to §3.7; everybody sees them in the presence of those who wear them.
//!
//! A command is done at once when its form comes with it, or else after that form; nothing is kept in
//! between, so that any `sessionid` will do. What clients say of hats is dropped (`availability`).

use std::sync::Arc;

use sha1::{Digest, Sha1};

use super::model::hat::{self, HATS_MAX, Hat, WORN_MAX};
use super::model::{Affiliation, Standing};
use super::persistence::Draft;
use super::presence::{News, Shown, codes};
use super::room::{Associate, Phase, Post, Room, State};
use super::rooms::Rooms;
use crate::hooks::{Identity, Info, Iq, IqAnswer, Item};
use crate::proto::common::forms::{Field, FieldType, Form, FormType, Submission};
use crate::proto::{BareJid, Condition, MessageType, Stanza, StanzaError, ns};
use crate::xml::Element;

/// The `FORM_TYPE`, and what the nodes begin with.
const COMMANDS: &str = "urn:xmpp:hats:commands";

/// One of the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Create,
    Destroy,
    List,
    Assign,
    Unassign,
    ListAssigned,
}

use Command::{Assign, Create, Destroy, List, ListAssigned, Unassign};

const ALL: [Command; 6] = [Create, Destroy, List, Assign, Unassign, ListAssigned];

impl Command {
    const fn name(self) -> &'static str {
        match self {
            Create => "create",
            Destroy => "destroy",
            List => "list",
            Assign => "assign",
            Unassign => "unassign",
            ListAssigned => "list-assigned",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Create => "Create or change a hat",
            Destroy => "Destroy a hat",
            List => "List hats",
            Assign => "Assign a hat",
            Unassign => "Remove a hat",
            ListAssigned => "List assigned hats",
        }
    }

    fn node(self) -> String {
        format!("{COMMANDS}:{}", self.name())
    }

    fn from_node(node: &str) -> Option<Self> {
        ALL.into_iter().find(|command| command.node() == node)
    }

    /// Hats are the admins' affair; who sees members' addresses may see who wears which, and who may be
    /// in the room what there is.
    fn lets(self, state: &State, asker: Standing) -> bool {
        let admin = asker.affiliation >= Affiliation::Admin;
        match self {
            Create | Destroy | Assign | Unassign => admin,
            List => {
                let here = asker.role > super::model::Role::None;
                here || asker.affiliation >= Affiliation::Member
            }
            ListAssigned => admin || state.config.lets_list_members(asker),
        }
    }

    /// What is asked; none where nothing is.
    fn form(self, hats: &[Hat]) -> Option<Form> {
        let form = Form::new(FormType::Form)
            .title(self.title())
            .form_type(COMMANDS);
        let uri = hats.iter().fold(
            Field::new("hats#uri", FieldType::ListSingle)
                .label("The hat")
                .required(),
            |field, hat| field.option(&hat.uri, Some(&hat.title)),
        );
        let jid = Field::new("hats#jid", FieldType::JidSingle)
            .label("User address")
            .required();
        let text = |var, label| Field::new(var, FieldType::TextSingle).label(label);
        match self {
            Create => Some(
                form.field(text("hats#title", "Hat title").required())
                    .field(text("hats#uri", "Hat URI").required())
                    .field(text("hats#hue", "Hat hue")),
            ),
            Destroy => Some(form.field(uri)),
            Assign | Unassign => Some(form.field(jid).field(uri)),
            List | ListAssigned => None,
        }
    }
}

impl Rooms {
    /// XEP-0050 §2.2, §2.4 at a room.
    pub(super) async fn command(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        let node = iq.payload.attribute("node").unwrap_or_default();
        let command = Command::from_node(node).ok_or(Condition::ItemNotFound)?;
        let mut saved = room.saving.lock().await;
        let (done, draft) = {
            let state = room.lock();
            if !command.lets(&state, state.standing(&iq.from)) {
                return Err(Condition::Forbidden.into());
            }
            let submitted = iq.payload.find(ns::DATA_FORMS, "x");
            let submitted = submitted.map(Form::parse).transpose()?;
            let given_up = |form: &Form| form.kind == FormType::Cancel;
            match iq.payload.attribute("action") {
                None | Some("execute" | "complete") => {}
                Some("cancel") => return Ok(Some(answer(iq, "canceled"))),
                Some(_) => return Err(Condition::BadRequest.into()),
            }
            match (command.form(&state.hats), submitted) {
                (Some(_), Some(form)) if given_up(&form) => {
                    return Ok(Some(answer(iq, "canceled")));
                }
                (Some(asked), Some(form)) => (
                    None,
                    Some(plan(command, &state, &asked.submission(&form)?)?),
                ),
                (Some(asked), None) => {
                    return Ok(Some(answer(iq, "executing").child(asked.to_element())));
                }
                (None, _) => (Some(list(command, &state)), None),
            }
        };
        if let Some(draft) = draft {
            if command == Assign {
                self.check_room_for(room, &draft)?;
            }
            self.write(room, &mut saved, &draft, &iq.services).await?;
            let mut post = Post::default();
            apply(&mut room.lock(), room, draft, &mut post);
            drop(saved);
            post.carry_out(&iq.services).await;
        }
        let answer = answer(iq, "completed");
        Ok(Some(answer.child_opt(done.map(|form| form.to_element()))))
    }

    fn check_room_for(&self, room: &Room, draft: &Draft) -> Result<(), StanzaError> {
        let state = room.lock();
        let mut accounts = draft.associates.keys();
        if accounts.any(|account| !state.associates.contains_key(account)) {
            self.check_associates(&state, 0)?;
        }
        Ok(())
    }
}

/// What the command is to change.
fn plan(command: Command, state: &State, filled: &Submission) -> Result<Draft, StanzaError> {
    if state.phase != Phase::Open {
        return Err(Condition::NotAllowed.into());
    }
    let mut draft = Draft::default();
    let uri = filled.value("hats#uri").ok_or(Condition::BadRequest)?;
    let mut hats = state.hats.clone();
    match command {
        Create => {
            let title = filled.value("hats#title").unwrap_or_default();
            let hue = filled.value("hats#hue").filter(|hue| !hue.is_empty());
            let made = Hat::new(uri, title, hue).ok_or_else(|| {
                StanzaError::bad_request("expected a URI, a title, and a hue from 0 to 360")
            })?;
            let full = hats.len() >= HATS_MAX;
            match hats.iter_mut().find(|hat| hat.uri == uri) {
                Some(known) => *known = made,
                None if full => return Err(too_many()),
                None => hats.push(made),
            }
            draft.hats = Some(hats);
        }
        Destroy => {
            hats.retain(|hat| hat.uri != uri);
            draft.hats = Some(hats);
            let wearers = state.associates.iter();
            draft.associates = wearers
                .filter(|(_, it)| it.hats.iter().any(|worn| worn == uri))
                .map(|(jid, it)| (jid.clone(), without(it, uri)))
                .collect();
        }
        Assign | Unassign => {
            let account = filled.jid("hats#jid").ok_or(Condition::BadRequest)?;
            let account = account.bare().clone();
            let before = state.associates.get(&account).cloned().unwrap_or_default();
            let mut after = without(&before, uri);
            if command == Assign {
                if before.affiliation == Affiliation::Outcast {
                    return Err(Condition::NotAllowed.into());
                }
                if after.hats.len() >= WORN_MAX {
                    return Err(too_many());
                }
                after.hats.push(uri.to_owned());
            }
            draft.associates.insert(account, after);
        }
        List | ListAssigned => {}
    }
    Ok(draft)
}

fn without(associate: &Associate, uri: &str) -> Associate {
    let mut left = associate.clone();
    left.hats.retain(|worn| worn != uri);
    left
}

fn too_many() -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint).text("there are too many hats")
}

/// Makes the change that is written, and tells of it (§3.2, §3.3, §3.6).
fn apply(state: &mut State, room: &Room, draft: Draft, post: &mut Post) {
    if let Some(hats) = draft.hats.clone() {
        state.hats = hats;
        let told = Stanza::message(MessageType::Groupchat)
            .from(room.jid.clone())
            .child(&codes(&[104]));
        for (_, _, seat) in state.seats() {
            post.send(seat, told.clone());
        }
    }
    state.associate_all(draft);
    let here = state.occupants.iter();
    let here: Vec<_> = here
        .map(|(nick, it)| (nick.clone(), it.account.clone()))
        .collect();
    for (nick, account) in here {
        let hats = state.hats_of(&account);
        let Some(occupant) = state.occupants.get_mut(&nick) else {
            continue;
        };
        if occupant.hats == hats {
            continue;
        }
        occupant.hats = hats;
        occupant.shown = Shown::default();
        state.announce(room, &nick, &News::default(), post);
    }
}

impl State {
    /// The element `<hats/>` of an account; none where it wears none.
    pub(super) fn hats_of(&self, account: &BareJid) -> Option<Element> {
        let worn = &self.associates.get(account)?.hats;
        let known = self.hats.iter().filter(|hat| worn.contains(&hat.uri));
        let hats: Vec<&Hat> = known.collect();
        (!hats.is_empty()).then(|| hat::element(hats))
    }

    /// The field `hats#hash` of the room's disco#info (§2): another one when the hats are others.
    pub(super) fn hats_hash(&self) -> Option<String> {
        let mut hash = Sha1::new();
        for hat in &self.hats {
            for text in [&hat.uri, &hat.title, hat.hue.as_ref().unwrap_or(&hat.uri)] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
        }
        (!self.hats.is_empty()).then(|| super::vcard::hex(&hash.finalize()))
    }
}

/// §3.4, §3.7.
fn list(command: Command, state: &State) -> Form {
    let field = |var: &str, value: &str| Field::new(var, FieldType::TextSingle).value(value);
    let told = |hat: &Hat| {
        let mut fields = vec![field("hats#title", &hat.title), field("hats#uri", &hat.uri)];
        fields.extend(hat.hue.as_ref().map(|hue| field("hats#hue", hue)));
        fields
    };
    let mut form = Form::new(FormType::Result)
        .title(command.title())
        .form_type(COMMANDS);
    let columns = ["hats#title", "hats#uri", "hats#hue"];
    let columns = columns.map(|var| Field::new(var, FieldType::TextSingle));
    form.reported.extend(columns);
    if command == List {
        form.items = state.hats.iter().map(told).collect();
        return form;
    }
    form.reported
        .push(Field::new("hats#jid", FieldType::JidSingle));
    let wearers = state.associates.iter();
    form.items = wearers
        .flat_map(|(jid, it)| {
            let worn = state.hats.iter().filter(|hat| it.hats.contains(&hat.uri));
            worn.map(move |hat| {
                let mut fields = told(hat);
                let jid = Field::new("hats#jid", FieldType::JidSingle).value(jid.as_str());
                fields.push(jid);
                fields
            })
        })
        .take(LISTED_MAX)
        .collect();
    form
}

/// Who wears which: the first of them, in the order of their addresses.
const LISTED_MAX: usize = 200;

fn answer(iq: &Iq, status: &str) -> Element {
    let session = iq.payload.attribute("sessionid").map(str::to_owned);
    Element::new(ns::COMMANDS, "command")
        .attr("node", iq.payload.attribute("node").unwrap_or_default())
        .attr("sessionid", session.unwrap_or_else(crate::id::random))
        .attr("status", status)
}

/// XEP-0050 §2.2: the commands that the asker may execute.
pub(super) fn items(iq: &Iq, room: &Room) -> Element {
    let state = room.lock();
    let asker = state.standing(&iq.from);
    let allowed = ALL
        .into_iter()
        .filter(|command| command.lets(&state, asker));
    let items = allowed.map(|command| {
        let item = Item {
            jid: room.jid.clone().into(),
            node: Some(command.node()),
            name: Some(command.title().to_owned()),
        };
        item.to_element()
    });
    Element::new(ns::DISCO_ITEMS, "query")
        .attr("node", ns::COMMANDS)
        .children_from(items)
}

/// XEP-0050 §2.3: one of them, or the list; none for another node.
pub(super) fn info(node: &str) -> Option<Info> {
    let (kind, name) = match Command::from_node(node) {
        Some(command) => ("command-node", command.title()),
        None if node == ns::COMMANDS => ("command-list", "Commands"),
        None => return None,
    };
    Some(Info {
        identities: vec![Identity::new("automation", kind, name)],
        features: vec![ns::COMMANDS.into(), ns::DATA_FORMS.into()],
        ..Info::default()
    })
}
