//! What ends from outside: accounts that are removed, and the server (XEP-0045 §14.2).

use super::leaving::expel;
use super::presence::News;
use super::room::Post;
use super::rooms::{Rooms, left};
use crate::hooks::Services;
use crate::proto::{BareJid, PresenceType, Stanza};

impl Rooms {
    /// An account is removed: whoever gets its address later is nothing in any room. The database has
    /// forgotten it already. A room whose only owner it was has none from then on.
    pub(super) async fn account_removed(&self, account: &BareJid, services: &Services) {
        for room in self.all() {
            // Who is about to write the room does so first.
            let saved = room.saving.lock().await;
            let mut post = Post::default();
            {
                let mut state = room.lock();
                state.associates.remove(account);
                for nick in state.nicks_of(account) {
                    let news = News::default();
                    expel(&mut state, &room, &nick, &news, &mut post);
                }
                state.departed.retain(|(known, _)| known != account);
            }
            drop(saved);
            post.carry_out(services).await;
            self.tidy(&room, services).await;
        }
    }

    /// The server stops: each occupant is told of its own end (§14.2), and of nobody else's.
    pub(super) async fn stop(&self, services: &Services) {
        for room in self.all() {
            let mut post = Post::default();
            {
                let mut state = room.lock();
                let news = News {
                    codes: &[332],
                    ..News::default()
                };
                let nicks: Vec<_> = state.occupants.keys().cloned().collect();
                for nick in nicks {
                    let payload = state.farewell_payload(&nick, &news);
                    let Some(occupant) = state.occupants.remove(&nick) else {
                        continue;
                    };
                    let mut stanza =
                        Stanza::presence(PresenceType::Unavailable).from(room.occupant_jid(&nick));
                    stanza.payload = payload.unwrap_or_default();
                    for seat in &occupant.seats {
                        if let Some(session) = &seat.session {
                            left(session, &room.jid);
                        }
                        post.send(seat, stanza.clone());
                    }
                }
                state.nicks.clear();
            }
            post.carry_out(services).await;
            self.tidy(&room, services).await;
        }
    }
}
