//! Subscriptions between accounts of two servers (RFC 6121 §3), and presence over them (§4).

use anyhow::{Context as _, Result, ensure};

use crate::neighbour::Kind;
use crate::person::{Person, is_presence};
use crate::stage::{Setup, play};
use crate::with_each_neighbour;
use crate::xml::Node;

with_each_neighbour!(
    people_subscribe_to_each_other_and_see_who_comes_and_goes,
    a_subscription_is_refused_and_withdrawn,
);

/// What the own server says of `contact` (RFC 6121 §2.1.2.5); "none" where it has no item.
async fn subscription(person: &mut Person, contact: &str) -> Result<String> {
    let answer = person.asks("", "<query xmlns='jabber:iq:roster'/>").await?;
    let list = answer.child("query").context("no roster")?;
    let mut items = list.children.iter();
    let item = items.find(|it| it.attribute("jid") == Some(contact));
    let state = item.and_then(|it| it.attribute("subscription"));
    Ok(state.unwrap_or("none").to_owned())
}

/// One asks, the other agrees, and the first is told.
pub(crate) async fn subscribe(one: &mut Person, other: &mut Person) -> Result<()> {
    let (asker, asked) = (one.bare().to_owned(), other.bare().to_owned());
    one.says(&format!("<presence type='subscribe' to='{asked}'/>"))
        .await?;
    other
        .hears("a request", |it| is_presence(it, "subscribe", &asker))
        .await?;
    other
        .says(&format!("<presence type='subscribed' to='{asker}'/>"))
        .await?;
    one.hears("agreement", |it| is_presence(it, "subscribed", &asked))
        .await?;
    let seen = other.full.clone();
    one.hears("presence of the contact", |it| is_presence(it, "", &seen))
        .await?;
    Ok(())
}

/// One has no time, which the other sees (RFC 6121 §4.4).
async fn change(one: &mut Person, other: &mut Person) -> Result<()> {
    let from = one.full.clone();
    one.says("<presence><show>dnd</show></presence>").await?;
    let changed = |it: &Node| is_presence(it, "", &from) && it.child("show").is_some();
    let seen = other.hears("a change", changed).await?;
    ensure!(
        seen.child("show").is_some_and(|it| it.text == "dnd"),
        "{seen}"
    );
    Ok(())
}

/// RFC 6121 §3.1, §4.2, §4.5, appendix A.3
async fn people_subscribe_to_each_other_and_see_who_comes_and_goes(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        let (ours, theirs) = (romeo.full.clone(), juliet.full.clone());
        subscribe(&mut romeo, &mut juliet).await?;
        ensure!(subscription(&mut romeo, "juliet@peer.example").await? == "to");
        ensure!(subscription(&mut juliet, "romeo@parlour.example").await? == "from");
        subscribe(&mut juliet, &mut romeo).await?;
        ensure!(subscription(&mut romeo, "juliet@peer.example").await? == "both");
        ensure!(subscription(&mut juliet, "romeo@parlour.example").await? == "both");
        change(&mut romeo, &mut juliet).await?;
        change(&mut juliet, &mut romeo).await?;
        romeo.leaves().await?;
        juliet
            .hears("the end of ours", |it| {
                is_presence(it, "unavailable", &ours)
            })
            .await?;
        // Who comes is shown who is there (RFC 6121 §4.3).
        let mut romeo = stage.ours("romeo").await?;
        romeo
            .hears("theirs, who is probed", |it| is_presence(it, "", &theirs))
            .await?;
        juliet
            .hears("ours again", |it| is_presence(it, "", &ours))
            .await?;
        juliet.leaves().await?;
        romeo
            .hears("the end of theirs", |it| {
                is_presence(it, "unavailable", &theirs)
            })
            .await?;
        let mut juliet = stage.theirs("juliet").await?;
        juliet
            .hears("ours, who is probed", |it| is_presence(it, "", &ours))
            .await?;
        Ok(())
    })
    .await
}

/// RFC 6121 §3.1.4, §3.2, §3.3
async fn a_subscription_is_refused_and_withdrawn(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        let (ours, theirs) = (romeo.bare().to_owned(), juliet.bare().to_owned());
        romeo
            .says(&format!("<presence type='subscribe' to='{theirs}'/>"))
            .await?;
        juliet
            .hears("a request", |it| is_presence(it, "subscribe", &ours))
            .await?;
        juliet
            .says(&format!("<presence type='unsubscribed' to='{ours}'/>"))
            .await?;
        romeo
            .hears("refusal", |it| is_presence(it, "unsubscribed", &theirs))
            .await?;
        ensure!(subscription(&mut romeo, &theirs).await? == "none");
        subscribe(&mut juliet, &mut romeo).await?;
        juliet
            .says(&format!("<presence type='unsubscribe' to='{ours}'/>"))
            .await?;
        romeo
            .hears("withdrawal", |it| is_presence(it, "unsubscribe", &theirs))
            .await?;
        juliet
            .hears("no more presence", |it| {
                it.attribute("type") == Some("unavailable")
            })
            .await?;
        ensure!(subscription(&mut romeo, &theirs).await? == "none");
        ensure!(subscription(&mut juliet, &ours).await? == "none");
        Ok(())
    })
    .await
}
