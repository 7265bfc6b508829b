//! Every command begun once: the form or the answer is as the schemas have it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};

use crate::house::House;
use crate::judge::complaints;
use crate::peer::{PASSWORD, Peer, Presence};
use crate::xml::Node;

const COMMANDS: &str = "http://jabber.org/protocol/commands";

/// What a service answers to each of its commands, by the texts of the answers.
async fn begun(peer: &mut Peer, service: &str) -> Result<BTreeMap<String, (Node, String)>> {
    peer.send(&format!(
        "<iq type='get' id='list' to='{service}'>\
         <query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/></iq>"
    ))
    .await?;
    let list = peer
        .until(|node| node.attribute("id") == Some("list"))
        .await?;
    let query = list.child("query").with_context(|| list.to_string())?;
    let nodes = query.children.iter().filter_map(|it| it.attribute("node"));
    let mut answers = BTreeMap::from([(list.to_string(), (list.clone(), service.to_owned()))]);
    for (number, node) in nodes.enumerate() {
        let id = format!("c{number}");
        peer.send(&format!(
            "<iq type='set' id='{id}' to='{service}'><command xmlns='{COMMANDS}' node='{node}' action='execute'/></iq>"
        ))
        .await?;
        let answer = peer.until(|it| it.attribute("id") == Some(&id)).await?;
        let begun = answer
            .child("command")
            .and_then(|it| it.attribute("sessionid"));
        let begun = begun.map(str::to_owned);
        answers.insert(answer.to_string(), (answer, node.to_owned()));
        // A session has few forms open at once.
        if let Some(begun) = begun {
            peer.send(&format!(
                "<iq type='set' id='x{number}' to='{service}'>\
                 <command xmlns='{COMMANDS}' node='{node}' sessionid='{begun}' action='cancel'/></iq>"
            ))
            .await?;
        }
    }
    Ok(answers)
}

/// For whoever may do most at each of the two services.
#[tokio::test]
async fn every_command_answers_as_the_schemas_have_it() -> Result<()> {
    let people = [("romeo@localhost", PASSWORD)];
    let house = House::serving("", &people).await?;
    house
        .ask(&["account", "role", "romeo@localhost", "administrator"])
        .await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    for (service, least) in [("localhost", 60), ("center.localhost", 40)] {
        let answers = begun(&mut romeo, service).await?;
        ensure!(answers.len() > least, "{service}: {}", answers.len());
        let forms = answers.keys().filter(|it| it.contains("type='form'"));
        ensure!(forms.count() > least / 2, "{service}");
        let wrong = complaints(&answers)?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    Ok(())
}
