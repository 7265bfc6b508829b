//! What a change of certain nodes of an account leads to elsewhere. A conversion that fails is logged and does not take the
//! change back: it was the client's, and is done.

use tracing::warn;

use super::place::{Face, Node, Place};
use crate::extensions::{avatars, bookmarks};
use crate::proto::{BareJid, StanzaError};
use crate::xml::Element;

/// Before an account's owner looks for a node, or makes it.
pub(super) async fn sought(place: &Place, name: &str, who: &BareJid) {
    if matches!(name, bookmarks::NATIVE | bookmarks::LEGACY) && place.owns_all(who) {
        let done = Box::pin(bookmarks::sought(place)).await;
        report(name, "", done);
    }
}

/// After an item was published.
pub(super) async fn published(place: &Place, node: &Node, payload: Option<&Element>, id: &str) {
    if place.face != Face::Account {
        return;
    }
    let done = match node.name.as_str() {
        avatars::METADATA => Box::pin(avatars::published(place, payload)).await,
        bookmarks::NATIVE => Box::pin(bookmarks::native_changed(place)).await,
        bookmarks::LEGACY => Box::pin(bookmarks::legacy_published(place)).await,
        _ => return,
    };
    report(&node.name, id, done);
}

/// After items went.
pub(super) async fn retracted(place: &Place, node: &Node) {
    if place.face == Face::Account {
        deleted(place, &node.name).await;
    }
}

/// After a node went.
pub(super) async fn deleted(place: &Place, name: &str) {
    if place.face != Face::Account {
        return;
    }
    let done = match name {
        avatars::METADATA => Box::pin(avatars::published(place, None)).await,
        bookmarks::NATIVE => Box::pin(bookmarks::native_changed(place)).await,
        _ => return,
    };
    report(name, "", done);
}

fn report(node: &str, id: &str, done: Result<(), StanzaError>) {
    if let Err(error) = done {
        warn!(
            node,
            id,
            condition = error.condition.name(),
            "not converted"
        );
    }
}
