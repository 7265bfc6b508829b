//! Colleagues through both doors, and in the way of plain clients.

mod directory;
mod email;
mod personal;
mod plain;
mod reach;

use crate::config::Config;
use crate::contact_center::settings::CHAT_PROFILE;
use crate::contact_center::testing::{Floor, ask};
use crate::domain::chat_profile::ChatProfile;
use crate::extensions::testing::Client;

const GET: &str = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>";

/// The items of the client's roster.
async fn items(client: &mut Client) -> String {
    client.received();
    client.send(GET).await;
    let roster = client.heard().concat();
    match roster.split_once("'><") {
        Some((_, items)) => format!("<{}", items.strip_suffix("</query>").unwrap()),
        None => String::new(),
    }
}

/// Asks for something about a colleague.
async fn about(client: &mut Client, kind: &str, ns: &str, name: &str, colleague: &str) -> String {
    let payload = format!("<{name} xmlns='{ns}' colleague='{colleague}'/>");
    ask(client, kind, &payload).await
}

/// The code of our own in a refusal.
fn code(answer: &str) -> &str {
    let (before, _) = answer
        .split_once(" xmlns='urn:parlour:errors:0'/>")
        .unwrap_or(("", ""));
    before.rsplit('<').next().unwrap()
}

/// Gives an account a chat profile of its own.
async fn give_profile(floor: &Floor, account: &str, profile: &ChatProfile) {
    let id = format!("{account}@localhost");
    floor.set(CHAT_PROFILE, &id, 1, profile).await;
}

/// Publishes a vCard with that in it.
async fn give_card(client: &mut Client, inside: &str) {
    let card = format!("<iq type='set' id='card'><vCard xmlns='vcard-temp'>{inside}</vCard></iq>");
    client.send(&card).await;
    assert_eq!(client.heard(), ["result card"]);
}

/// A session of an agent who has logged in and is available.
async fn agent(floor: &Floor, name: &str) -> Client {
    let mut client = floor.online(name).await;
    let login = ask(&mut client, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
    assert!(login.contains("state='available'"), "{login}");
    client.received();
    client
}

fn with(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}
