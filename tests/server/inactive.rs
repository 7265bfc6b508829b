//! What a client that says that it is not looked at is spared (XEP-0352).

use anyhow::{Result, ensure};

use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, chat};
use crate::xml::Node;

const CONTACTS: usize = 10;
const ROUNDS: usize = 10;

/// Two clients of one account: what changes ten times over at each of ten contacts reaches the one ten times, and the other
/// once, and so it is with what each is doing; what somebody says is not held back.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "two clients and their contacts")]
async fn an_inactive_client_gets_a_tenth_of_what_an_active_one_gets() -> Result<()> {
    let names: Vec<String> = (0..CONTACTS).map(|it| format!("c{it}@localhost")).collect();
    let mut people = vec![("romeo@localhost", PASSWORD)];
    people.extend(names.iter().map(|name| (name.as_str(), PASSWORD)));
    let house = House::serving("", &people).await?;
    let mut active = Peer::session(&house, "romeo", Presence::Available).await?;
    let mut contacts = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let mut contact = Peer::session(&house, &format!("c{number}"), Presence::Available).await?;
        active
            .send(&format!("<presence to='{name}' type='subscribe'/>"))
            .await?;
        contact
            .until(|node| node.attribute("type") == Some("subscribe"))
            .await?;
        contact
            .send("<presence to='romeo@localhost' type='subscribed'/>")
            .await?;
        let from = |node: &Node| {
            node.attribute("from")
                .is_some_and(|it| it.starts_with(name))
        };
        active
            .until(|node| node.name == "presence" && node.attribute("type").is_none() && from(node))
            .await?;
        contacts.push(contact);
    }
    let mut inactive = Peer::connect(&house, "localhost").await?;
    inactive.open().await?;
    inactive.log_in("romeo", PASSWORD, "pocket").await?;
    inactive.send("<presence/>").await?;
    inactive.barrier().await?;
    inactive.send("<inactive xmlns='urn:xmpp:csi:0'/>").await?;
    // What came before that is not counted.
    let ping = "<iq type='get' id='before' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>";
    inactive.send(ping).await?;
    inactive
        .until(|node| node.attribute("id") == Some("before"))
        .await?;
    active.barrier().await?;

    for round in 0..ROUNDS {
        for contact in &mut contacts {
            contact
                .send(&format!("<presence><status>{round}</status></presence>"))
                .await?;
            contact
                .send("<message to='romeo@localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
                .await?;
        }
    }
    for contact in &mut contacts {
        contact.barrier().await?;
    }
    let first = contacts
        .first_mut()
        .ok_or_else(|| anyhow::anyhow!("no contact"))?;
    first.send(&chat("romeo@localhost", "last", "Now!")).await?;
    let until_last = async |peer: &mut Peer| {
        let mut seen = Vec::new();
        loop {
            let node = peer.element().await?;
            let last = node.attribute("id") == Some("last");
            seen.push(node);
            if last {
                return anyhow::Ok(seen);
            }
        }
    };
    let (seen, spared) = (
        until_last(&mut active).await?,
        until_last(&mut inactive).await?,
    );
    let count = |nodes: &[Node], name: &str| nodes.iter().filter(|it| it.name == name).count();
    ensure!(
        count(&seen, "presence") == CONTACTS * ROUNDS,
        "{}",
        count(&seen, "presence")
    );
    ensure!(
        count(&seen, "message") == CONTACTS * ROUNDS + 1,
        "{}",
        count(&seen, "message")
    );
    let (said, came) = (count(&spared, "message"), count(&spared, "presence"));
    // The last thing that each was doing, but for the one whose words came.
    ensure!(said == CONTACTS && came == CONTACTS, "{said} and {came}");
    let bytes = |nodes: &[Node]| nodes.iter().map(|it| it.to_string().len()).sum::<usize>();
    ensure!(
        bytes(&spared) * 9 < bytes(&seen),
        "{} of {}",
        bytes(&spared),
        bytes(&seen)
    );
    Ok(())
}
