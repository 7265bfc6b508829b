//! Personal eventing between two servers (XEP-0163 §4.3): who sees the other's presence is told of what the other
//! publishes, in both directions.

use anyhow::{Context as _, Result};

use crate::neighbour::Kind;
use crate::person::Person;
use crate::presence::subscribe;
use crate::stage::{Setup, play};
use crate::xml::Node;

const NICK: &str = "http://jabber.org/protocol/nick";
const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";

/// Sends a presence with capabilities, and answers the contact's server when it asks what they are.
async fn announces(person: &mut Person, version: &str, asker: &str) -> Result<()> {
    person
        .says(&format!(
            "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' \
             ver='{version}'/></presence>"
        ))
        .await?;
    let asked = |it: &Node| {
        let query = it.child("query").filter(|query| query.ns == DISCO_INFO);
        it.attribute("type") == Some("get")
            && it.attribute("from") == Some(asker)
            && query.is_some()
    };
    let question = person.hears("a question about capabilities", asked).await?;
    let id = question.attribute("id").context("no id")?;
    let node = question.child("query").and_then(|it| it.attribute("node"));
    let node = node
        .map(|node| format!("node='{node}'"))
        .unwrap_or_default();
    person
        .says(&format!(
            "<iq type='result' id='{id}' to='{asker}'><query xmlns='{DISCO_INFO}' {node}>\
             <identity category='client' type='pc' name='Test'/>\
             <feature var='{DISCO_INFO}'/><feature var='{NICK}+notify'/></query></iq>"
        ))
        .await
}

async fn publishes(person: &mut Person, nick: &str) -> Result<()> {
    let item = format!("<item id='current'><nick xmlns='{NICK}'>{nick}</nick></item>");
    let pubsub = "http://jabber.org/protocol/pubsub";
    let publish =
        format!("<pubsub xmlns='{pubsub}'><publish node='{NICK}'>{item}</publish></pubsub>");
    person.orders("", &publish).await?;
    Ok(())
}

async fn is_told(person: &mut Person, from: &str, nick: &str) -> Result<()> {
    let told = |it: &Node| {
        let event = it.child("event").and_then(|it| it.child("items"));
        let item = event
            .and_then(|it| it.child("item"))
            .and_then(|it| it.child("nick"));
        it.name == "message"
            && it.attribute("from") == Some(from)
            && item.is_some_and(|it| it.text == nick)
    };
    person
        .hears(&format!("that {from} is {nick}"), told)
        .await?;
    Ok(())
}

#[tokio::test]
async fn what_is_published_reaches_contacts_on_the_other_server() -> Result<()> {
    play(Kind::Prosody, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        let (ours, theirs) = (romeo.bare().to_owned(), juliet.bare().to_owned());
        subscribe(&mut romeo, &mut juliet).await?;
        subscribe(&mut juliet, &mut romeo).await?;
        publishes(&mut romeo, "Montague").await?;
        // From here to there: the last item when the client is known, then each.
        announces(&mut juliet, "yond", &ours).await?;
        is_told(&mut juliet, &ours, "Montague").await?;
        publishes(&mut romeo, "Romeo").await?;
        is_told(&mut juliet, &ours, "Romeo").await?;
        // From there to here.
        announces(&mut romeo, "here", &theirs).await?;
        publishes(&mut juliet, "Juliet").await?;
        is_told(&mut romeo, &theirs, "Juliet").await?;
        // Who is gone is told of nothing, and shown the last item when it comes again.
        let gone = juliet.full.clone();
        juliet.leaves().await?;
        romeo
            .hears("the end of theirs", |it| {
                crate::person::is_presence(it, "unavailable", &gone)
            })
            .await?;
        publishes(&mut romeo, "Nobody").await?;
        let mut juliet = stage.theirs("juliet").await?;
        announces(&mut juliet, "anew", &ours).await?;
        is_told(&mut juliet, &ours, "Nobody").await
    })
    .await
}
