//! What agents have passed to customers: shown to whoever runs the connector, and said in the customer's chat where there is one.

use super::super::Written;
use super::super::wire;
use super::{Desk, refusal};
use crate::proto::{Condition, Jid, Stanza};

/// Deliveries that are known again: more than the server sends before it learns that they came.
const KNOWN_MAX: usize = 1_000;

impl Desk {
    /// Takes a delivery; one without an address is refused.
    pub(super) fn passes_on(&mut self, stanza: &Stanza) -> Vec<Stanza> {
        let from = stanza.from.as_ref().map(Jid::bare);
        let Some(delivery) = wire::delivery(stanza).filter(|_| from == Some(&self.center)) else {
            return refusal(stanza, Condition::NotAcceptable, None);
        };
        let Some(first) = delivery.addresses.first() else {
            let why = "The customer has no address.".to_owned();
            return refusal(stanza, Condition::ItemNotFound, Some(why));
        };
        let id = stanza.id.as_deref().unwrap_or_default();
        if self.delivered.iter().any(|it| it == id) {
            return Vec::new();
        }
        self.delivered.push_back(id.to_owned());
        if self.delivered.len() > KNOWN_MAX {
            self.delivered.pop_front();
        }
        self.written.push(Written {
            to: first.clone(),
            text: delivery.text.clone(),
        });
        let is_with = |address: &str| delivery.addresses.iter().any(|it| it == address);
        let mut chats = self.board.all();
        let chat = chats.find(|(_, chat)| chat.medium != "voice" && is_with(&chat.address));
        let player = chat.and_then(|(id, _)| Some((id, self.players.get(id)?)));
        let said = player.map(|(id, player)| self.to_player(player.clone(), id, &delivery.text));
        said.into_iter().collect()
    }

    /// What customers were written since the last call.
    pub(in super::super) fn written(&mut self) -> Vec<Written> {
        std::mem::take(&mut self.written)
    }
}
