//! XEP-0402: PEP Native Bookmarks, version 1.2.0, kept the same as the bookmarks of XEP-0048, version 1.2: in private
//! storage (XEP-0049) and in the node `storage:bookmarks`.
//!
//! Whichever of the three a client writes, the other two follow. What only XEP-0402 knows (`<extensions/>`) stays
//! where it is; what only XEP-0048 knows (`<url/>`) stays in private storage. A conversion
//! is one transaction: it is done, or has not begun.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use crate::config::Config;
use crate::extensions::pubsub::{Change, NodeConfig, Place, all, change};
use crate::hooks::{At, Hooks, Services, Turns};
use crate::proto::common::kept;
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, Jid, StanzaError};
use crate::store::PubsubItem;
use crate::xml::Element;

/// XEP-0402 §3.
pub(in crate::extensions) const NATIVE: &str = "urn:xmpp:bookmarks:1";
/// XEP-0048 §3: the node, and the namespace there and in private storage.
pub(in crate::extensions) const LEGACY: &str = "storage:bookmarks";

/// Announces the conversion (XEP-0402 §5).
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0402", "PEP Native Bookmarks", "1.2.0"));
    hooks.document(Document::new("XEP-0048", "Bookmarks", "1.2"));
    hooks.feature(&[At::Own, At::Account], "urn:xmpp:bookmarks:1#compat");
    hooks.feature(&[At::Own, At::Account], "urn:xmpp:bookmarks:1#compat-pep");
}

/// One conversion of an account's bookmarks at a time.
static TURNS: LazyLock<Turns<BareJid>> = LazyLock::new(Turns::default);

/// What both formats say of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bookmark {
    room: Jid,
    name: Option<String>,
    autojoin: bool,
    nick: Option<String>,
    password: Option<String>,
}

impl Bookmark {
    /// Reads `<conference/>` in either namespace.
    fn parse(conference: &Element, room: &str) -> Option<Self> {
        let ns = conference.ns();
        Some(Self {
            room: Jid::parse(room).ok()?,
            name: conference.attribute("name").map(str::to_owned),
            autojoin: matches!(conference.attribute("autojoin"), Some("1" | "true")),
            nick: conference.child_text(ns, "nick"),
            password: conference.child_text(ns, "password"),
        })
    }

    fn native(item: &PubsubItem) -> Option<(Self, Element)> {
        let element = kept::from_bytes(&item.payload).ok()?;
        let known = element.is(NATIVE, "conference");
        let bookmark = known.then(|| Self::parse(&element, &item.id)).flatten()?;
        Some((bookmark, element))
    }

    fn to_element(&self, ns: &str) -> Element {
        let named = |name: &str, text: &Option<String>| {
            text.as_ref()
                .map(|text| Element::new(ns, name).text(text.as_str()))
        };
        Element::new(ns, "conference")
            .attr_opt("name", self.name.as_ref())
            .attr_opt("autojoin", self.autojoin.then_some("true"))
            .child_opt(named("nick", &self.nick))
            .child_opt(named("password", &self.password))
    }
}

/// The rooms of `<storage/>`, each once.
///
/// # Errors
/// `policy-violation` when they are more than [`ROOMS_MAX`]: each is an item of its own, written by itself.
fn rooms(storage: &Element) -> Result<Vec<Bookmark>, StanzaError> {
    let mut rooms: Vec<Bookmark> = Vec::new();
    let mut known = HashSet::new();
    for child in storage
        .children()
        .filter(|child| child.is(LEGACY, "conference"))
    {
        let room = child.attribute("jid").unwrap_or_default();
        if let Some(bookmark) = Bookmark::parse(child, room)
            && known.insert(bookmark.room.clone())
        {
            if rooms.len() == ROOMS_MAX {
                return Err(Condition::PolicyViolation.into());
            }
            rooms.push(bookmark);
        }
    }
    Ok(rooms)
}

/// Rooms that are converted.
const ROOMS_MAX: usize = 500;

/// `<storage/>` of those rooms, and of what it holds besides.
fn storage(bookmarks: &[Bookmark], before: Option<&Element>) -> Element {
    let urls = before.into_iter().flat_map(Element::children);
    let urls = urls
        .filter(|child| !child.is(LEGACY, "conference"))
        .cloned();
    let rooms = bookmarks.iter().map(|bookmark| {
        let element = bookmark.to_element(LEGACY);
        element.attr("jid", bookmark.room.to_string())
    });
    Element::new(LEGACY, "storage")
        .children_from(rooms)
        .children_from(urls)
}

/// A client looks for bookmarks: what was kept before there was a node of XEP-0402, by an older version or from another
/// server, becomes one now. A node that is there is left alone, even an empty one.
pub(in crate::extensions) async fn sought(place: &Place) -> Result<(), StanzaError> {
    let _turn = TURNS.take(place.address().clone()).await;
    if place.find(NATIVE).await?.is_some() {
        return Ok(());
    }
    let legacy = all(place, LEGACY).await?.pop();
    let private = stored(place.services(), place.address()).await?;
    let known = match (private, &legacy) {
        (Some(storage), _) => storage,
        (None, Some(item)) => kept::from_bytes(&item.payload)?,
        (None, None) => return Ok(()),
    };
    if !known.is(LEGACY, "storage") {
        return Ok(());
    }
    let mut changes = Box::pin(followed(place, &rooms(&known)?)).await?;
    changes.push(match legacy {
        None => published(known),
        Some(_) => Change::Store(known),
    });
    Box::pin(change(place, changes)).await
}

/// A client changed the node of XEP-0402.
pub(in crate::extensions) async fn native_changed(place: &Place) -> Result<(), StanzaError> {
    let _turn = TURNS.take(place.address().clone()).await;
    let (services, owner) = (place.services(), place.address());
    let items = all(place, NATIVE).await?;
    let rooms = items
        .iter()
        .filter_map(Bookmark::native)
        .map(|(bookmark, _)| bookmark);
    let rooms: Vec<Bookmark> = rooms.collect();
    let before = stored(services, owner).await?;
    let after = storage(&rooms, before.as_ref());
    if before.as_ref() == Some(&after) {
        return Ok(());
    }
    Box::pin(change(
        place,
        vec![Change::Store(after.clone()), published(after)],
    ))
    .await
}

/// A client published the node of XEP-0048. What counts is what it holds when the turn comes: of several that
/// publish at once all may see the last one's.
pub(in crate::extensions) async fn legacy_published(place: &Place) -> Result<(), StanzaError> {
    let _turn = TURNS.take(place.address().clone()).await;
    let Some(last) = all(place, LEGACY).await?.pop() else {
        return Ok(());
    };
    let given = kept::from_bytes(&last.payload)?;
    if !given.is(LEGACY, "storage") {
        return Ok(());
    }
    let mut changes = Box::pin(followed(place, &rooms(&given)?)).await?;
    changes.push(Change::Store(given));
    Box::pin(change(place, changes)).await
}

/// A client set private storage.
pub(in crate::extensions) async fn private_set(
    services: &Arc<Services>,
    owner: &BareJid,
    given: &Element,
) -> Result<(), StanzaError> {
    if !given.is(LEGACY, "storage") {
        return Ok(());
    }
    let _turn = TURNS.take(owner.clone()).await;
    let Some(given) = stored(services, owner).await? else {
        return Ok(());
    };
    let place = Place::account(services, owner);
    let mut changes = Box::pin(followed(&place, &rooms(&given)?)).await?;
    changes.push(published(given));
    Box::pin(change(&place, changes)).await
}

/// `<storage/>` in the node of XEP-0048.
fn published(storage: Element) -> Change {
    Change::Publish {
        node: LEGACY,
        config: NodeConfig::private(),
        id: CURRENT.to_owned(),
        payload: storage,
    }
}

/// What makes the node of XEP-0402 hold these rooms; of what is the same already nobody is told
/// (XEP-0402 §4.1.2).
async fn followed(place: &Place, rooms: &[Bookmark]) -> Result<Vec<Change>, StanzaError> {
    let items = all(place, NATIVE).await?;
    let by_id: HashMap<&str, &PubsubItem> = items.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut wanted = HashSet::new();
    let mut changes = Vec::new();
    for bookmark in rooms {
        let id = bookmark.room.to_string();
        let item = by_id.get(id.as_str()).copied();
        let known = item.and_then(Bookmark::native);
        wanted.insert(id.clone());
        let extensions = match &known {
            Some((same, _)) if same == bookmark => continue,
            Some((_, element)) => element.find(NATIVE, "extensions").cloned(),
            None => None,
        };
        changes.push(Change::Publish {
            node: NATIVE,
            config: NodeConfig::private(),
            id,
            payload: bookmark.to_element(NATIVE).child_opt(extensions),
        });
    }
    let gone = items.into_iter().filter(|item| !wanted.contains(&item.id));
    changes.extend(gone.map(|item| Change::Retract {
        node: NATIVE,
        id: item.id,
    }));
    Ok(changes)
}

async fn stored(services: &Services, owner: &BareJid) -> Result<Option<Element>, StanzaError> {
    let found = services
        .store
        .private_xml()
        .find(owner, LEGACY, "storage")
        .await?;
    found.map(|bytes| kept::from_bytes(&bytes)).transpose()
}

/// The id of the one item of the node of XEP-0048 (XEP-0223 §3).
const CURRENT: &str = "current";

#[cfg(test)]
mod tests;
