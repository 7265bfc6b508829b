//! Rooms as their occupants see them.

mod affiliations;
mod archiving;
mod ending;
mod entering;
mod hats;
mod lasting;
mod messages;
mod order;
mod owning;
mod refusing;
mod requests;

use crate::extensions::testing::{Client, House};

pub(super) const ROOM: &str = "cave@rooms.localhost";

/// Enters the room under that nickname.
pub(super) async fn enter(client: &mut Client, nick: &str) {
    let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
    client
        .send(&format!("<presence to='{ROOM}/{nick}'>{x}</presence>"))
        .await;
}

/// A house with a room that `juliet` owns as `Jule`, and that is open.
pub(super) async fn cave(accounts: &[&str]) -> (House, Client) {
    let house = House::new(accounts).await;
    let mut juliet = house.client("juliet/balcony");
    enter(&mut juliet, "Jule").await;
    configure(&mut juliet, &[]).await;
    juliet.received();
    (house, juliet)
}

/// Fills in the form of the configuration.
pub(super) async fn configure(owner: &mut Client, fields: &[(&str, &str)]) {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='muc#{var}'><value>{value}</value></field>"))
        .collect();
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
    let query = format!("<query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query>");
    owner
        .send(&format!("<iq type='set' id='c' to='{ROOM}'>{query}</iq>"))
        .await;
}

/// Sends a request of muc#admin with those items.
pub(super) async fn admin(client: &mut Client, kind: &str, items: &str) {
    let query = format!("<query xmlns='http://jabber.org/protocol/muc#admin'>{items}</query>");
    client
        .send(&format!(
            "<iq type='{kind}' id='a' to='{ROOM}'>{query}</iq>"
        ))
        .await;
}

pub(super) async fn say(client: &mut Client, text: &str) {
    let body = format!("<body>{text}</body>");
    client
        .send(&format!(
            "<message to='{ROOM}' type='groupchat' id='m'>{body}</message>"
        ))
        .await;
}

/// What was received, each in short: who, what, the item and the codes.
pub(super) fn told(client: &mut Client) -> Vec<String> {
    client.received_xml().iter().map(|xml| brief(xml)).collect()
}

fn brief(xml: &str) -> String {
    let name = xml
        .trim_start_matches('<')
        .split([' ', '>', '/'])
        .next()
        .unwrap_or_default();
    let attribute = |element: &str, name: &str| {
        let rest = xml.split_once(element)?.1;
        let tag = rest.split_once('>').map_or(rest, |(tag, _)| tag);
        let value = tag.split_once(&format!(" {name}='"))?.1;
        value.split_once('\'').map(|(value, _)| value.to_owned())
    };
    let mut words = vec![name.to_owned()];
    words.extend(attribute(&format!("<{name}"), "type"));
    let from = attribute(&format!("<{name}"), "from").unwrap_or_default();
    words.push(from.strip_prefix(ROOM).unwrap_or(&from).to_owned());
    if let Some(affiliation) = attribute("<item", "affiliation") {
        let role = attribute("<item", "role").unwrap_or_default();
        words.push(format!("{affiliation}/{role}"));
    }
    words.extend(attribute("<item", "jid"));
    words.extend(attribute("<item", "nick").map(|nick| format!("nick={nick}")));
    let codes = xml.split("<status code='").skip(1);
    words.extend(codes.filter_map(|it| it.split_once('\'').map(|(code, _)| code.to_owned())));
    for text in ["body", "subject", "reason", "destroy", "password"] {
        let open = format!("<{text}>");
        if let Some((_, rest)) = xml.split_once(&open) {
            let content = rest.split_once('<').map_or("", |(content, _)| content);
            words.push(format!("{text}:{content}"));
        } else if xml.contains(&format!("<{text}/>")) || xml.contains(&format!("<{text} ")) {
            words.push(text.to_owned());
        }
    }
    if let Some((before, _)) = xml.split_once(" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'") {
        words.extend(before.rsplit_once('<').map(|(_, name)| name.to_owned()));
    }
    if xml.contains("<delay ") {
        words.push("delayed".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}
