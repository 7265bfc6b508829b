//! Rooms (XEP-0045) as operators see them. The extension that has them does it; here is what it looks like.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::arguments::Arguments;
use super::operation::{Argument, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::hooks::Services;
use crate::proto::{BareJid, Condition, StanzaError};

const ROOM: Argument =
    Argument::required("room", Kind::Room, "the room's address, name@rooms.domain");

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "room list",
        "Lists rooms by their addresses.",
        Face::new(own!("room-list"), "List rooms"),
        &[],
        |operator, arguments| Box::pin(list(operator, arguments)),
    ),
    Operation::new(
        "room create",
        "Makes a room that stays when it is empty.",
        Face::new(own!("room-create"), "Make a room"),
        &[
            ROOM,
            Argument::required("owner", Kind::Account, "the account that owns it"),
            Argument::optional("name", Kind::Name, "its name for people"),
        ],
        |operator, arguments| Box::pin(create(operator, arguments)),
    ),
    Operation::new(
        "room destroy",
        "Destroys a room with its archive; who is in it is told.",
        Face::new(own!("room-destroy"), "Destroy a room"),
        &[
            ROOM,
            Argument::optional("reason", Kind::Name, "why, for those who are in it"),
        ],
        |operator, arguments| Box::pin(destroy(operator, arguments)),
    ),
];

/// Rooms that one list shows at most.
const LIST_MAX: usize = 1_000;

/// What the service of rooms does for operators.
pub trait RoomKeeping: Send + Sync {
    /// All rooms of all hosts, in the order of their addresses.
    fn list(&self, services: Arc<Services>)
    -> BoxFuture<'_, Result<Vec<RoomSummary>, StanzaError>>;

    /// Makes a room that stays, with the configuration that new rooms have.
    fn create(
        &self,
        room: BareJid,
        owner: BareJid,
        name: Option<String>,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StanzaError>>;

    /// Destroys a room (XEP-0045 §10.9).
    fn destroy(
        &self,
        room: BareJid,
        reason: Option<String>,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StanzaError>>;
}

/// The service of rooms among [`crate::hooks::Hooks::offers`].
pub struct RoomDesk(pub Arc<dyn RoomKeeping>);

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSummary {
    /// Its address.
    pub jid: BareJid,
    /// Its name for people; may be empty.
    pub name: String,
    /// How many are in it.
    pub occupants: usize,
    /// Whether it stays when it is empty.
    pub persistent: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

fn desk(operator: &Operator) -> Result<(Arc<dyn RoomKeeping>, Arc<Services>), Refusal> {
    let services = operator.services()?;
    let desk = services.hooks.offers().find::<RoomDesk>();
    let desk = desk.ok_or_else(|| Refusal::NotRunning("[rooms] enabled is false".to_owned()))?;
    Ok((Arc::clone(&desk.0), Arc::clone(services)))
}

/// What the service of rooms refuses, in the words of operators.
fn refused(error: StanzaError) -> Refusal {
    let condition = error.condition;
    let text = error.text.unwrap_or_else(|| condition.name().to_owned());
    match condition {
        Condition::ItemNotFound => Refusal::NotFound("there is no such room".to_owned()),
        Condition::Conflict => Refusal::Conflict("there is a room of that name already".to_owned()),
        Condition::InternalServerError => Refusal::Failed(text),
        _ => Refusal::NotAcceptable(text),
    }
}

fn includes(operator: &Operator, room: &BareJid) -> bool {
    let domain = room.domain();
    operator
        .reach
        .includes_service_of(&operator.config, domain.as_str())
}

fn within_reach(operator: &Operator, room: &BareJid) -> Result<(), Refusal> {
    match includes(operator, room) {
        true => Ok(()),
        false => Err(Refusal::Forbidden(format!(
            "you are an administrator of another host than that of {room}"
        ))),
    }
}

async fn list(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let (desk, services) = desk(&operator)?;
    let mut rooms = desk.list(services).await.map_err(refused)?;
    rooms.retain(|room| includes(&operator, &room.jid));
    let total = rooms.len();
    rooms.truncate(LIST_MAX);
    let mut data = Vec::with_capacity(rooms.len());
    let mut rows = Vec::with_capacity(rooms.len());
    for room in rooms {
        data.push(json!({
            "jid": room.jid.as_str(),
            "name": room.name,
            "occupants": room.occupants,
            "persistent": room.persistent,
            "created_at": room.created_at.to_string(),
        }));
        let stays = if room.persistent {
            "stays"
        } else {
            "while used"
        };
        rows.push([
            room.jid.to_string(),
            room.occupants.to_string(),
            stays.to_owned(),
            room.name,
        ]);
    }
    let text = match total {
        total if total > LIST_MAX => format!("The first {LIST_MAX} of {total}.\n"),
        total => format!("{total} in all.\n"),
    };
    let table = Table::new(["ROOM", "OCCUPANTS", "", "NAME"], rows);
    Ok(Outcome::told(json!({ "rooms": data, "total": total }), text).with(table))
}

async fn create(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let room = arguments.room("room")?;
    let owner = arguments.account("owner")?;
    within_reach(&operator, room)?;
    let (desk, services) = desk(&operator)?;
    if operator.store.accounts().find(owner).await?.is_none() {
        return Err(Refusal::no_account(owner));
    }
    let name = arguments.text("name").filter(|name| !name.is_empty());
    let name = name.map(str::to_owned);
    let made = desk.create(room.clone(), owner.clone(), name, services);
    made.await.map_err(refused)?;
    let text = format!("{room} is made; {owner} owns it.\n");
    Ok(Outcome::told(
        json!({ "room": room.as_str(), "owner": owner.as_str() }),
        text,
    ))
}

async fn destroy(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let room = arguments.room("room")?;
    within_reach(&operator, room)?;
    let (desk, services) = desk(&operator)?;
    let reason = arguments.text("reason").filter(|reason| !reason.is_empty());
    let destroyed = desk.destroy(room.clone(), reason.map(str::to_owned), services);
    destroyed.await.map_err(refused)?;
    let text = format!("{room} is destroyed.\n");
    Ok(Outcome::told(json!({ "room": room.as_str() }), text))
}
