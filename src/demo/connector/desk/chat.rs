//! What is said in chats: agents write to the chat's own address, whoever has ordered it plays the customer.

use super::super::wire::local;
use super::Desk;
use super::ordered::words;
use crate::proto::{BareJid, Jid, MessageType, Stanza, ns};
use crate::xml::Element;

impl Desk {
    /// An agent has written to the address of a chat.
    pub(super) fn relayed(&self, stanza: &Stanza, call: &str, text: &str) -> Vec<Stanza> {
        let from = stanza.from.as_ref().map(Jid::bare);
        let takes_part = self.board.find(call).is_some_and(|chat| {
            let mut talking = chat.talking();
            talking.any(|agent| from.is_some_and(|from| from.as_str() == agent))
        });
        let player = self.players.get(call).filter(|_| takes_part);
        let (Some(player), Some(from)) = (player, from) else {
            return vec![words(stanza, "You are not in this chat.")];
        };
        let text = format!("{call}, {}: {text}", local(from.as_str()));
        vec![written(&self.own, player.clone(), call, &text)]
    }

    /// The customer writes to everybody who is in the chat.
    pub(super) fn said(&self, order: &Stanza, call: &str, text: &str) -> Vec<Stanza> {
        let chat = self.board.find(call).filter(|it| it.medium != "voice");
        let Some(chat) = chat else {
            return vec![words(order, "There is no such chat.")];
        };
        let agents = chat.talking().filter_map(|agent| BareJid::new(agent).ok());
        let agents: Vec<BareJid> = agents.collect();
        match agents.is_empty() {
            true => vec![words(order, "Nobody is in this chat.")],
            false => {
                let each = agents.into_iter();
                each.filter_map(|agent| self.in_chat(agent, call, text))
                    .collect()
            }
        }
    }

    /// Who has accepted a chat learns where it is.
    pub(super) fn welcomed(&self, agent: &str, call: &str) -> Option<Stanza> {
        let chat = self.board.find(call).filter(|it| it.medium != "voice")?;
        let text = format!("What you write here goes to {}.", chat.address);
        self.in_chat(BareJid::new(agent).ok()?, call, &text)
    }

    /// What the customer of a chat gets.
    pub(super) fn to_player(&self, player: Jid, call: &str, text: &str) -> Stanza {
        written(&self.own, player, call, &format!("{call}: {text}"))
    }

    fn in_chat(&self, agent: BareJid, call: &str, text: &str) -> Option<Stanza> {
        let address = BareJid::new(&format!("{call}@{}", self.own)).ok()?;
        Some(written(&address, agent, call, text))
    }
}

fn written(from: &BareJid, to: impl Into<Jid>, call: &str, text: &str) -> Stanza {
    let mut message = Stanza::message(MessageType::Chat)
        .from(from.clone())
        .to(to)
        .child(&Element::new(ns::CLIENT, "body").text(text))
        .child(&Element::new(ns::CLIENT, "thread").text(call));
    message.id = Some(crate::id::random().into());
    message
}
