//! XEP-0401, XEP-0445: from the operator's command to the account of the invited.

use anyhow::{Context as _, Result, ensure};

use crate::house::House;
use crate::peer::{PASSWORD, Peer};

async fn invite(house: &House, arguments: &[&str]) -> Result<String> {
    let arguments = [&["invite", "create", "--json"], arguments].concat();
    let output = house.command(&arguments).output().await?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{said}");
    let said: serde_json::Value = serde_json::from_str(&said)?;
    let uri = said.get("uri").and_then(|uri| uri.as_str());
    let uri = uri.context("the link is told")?;
    let token = uri.strip_prefix("xmpp:localhost?register;preauth=");
    Ok(token.with_context(|| uri.to_owned())?.to_owned())
}

#[tokio::test]
async fn who_is_invited_makes_an_account_and_nobody_else_does() -> Result<()> {
    let config = "[registration]\nmode = 'invite'";
    let house = House::serving(config, &[("romeo@localhost", PASSWORD)]).await?;
    let token = invite(&house, &["--inviter", "romeo@localhost"]).await?;
    let register = format!(
        "<iq type='set' id='r' to='localhost'><query xmlns='jabber:iq:register'>\
         <username>benvolio</username><password>{PASSWORD}</password></query></iq>"
    );
    let mut stranger = Peer::connect(&house, "localhost").await?;
    let features = stranger.open().await?;
    let offers = features
        .children
        .iter()
        .any(|it| it.ns == "urn:xmpp:ibr-token:0" && it.name == "register");
    ensure!(offers, "{features}");
    stranger.send(&register).await?;
    let refused = stranger.element().await?;
    ensure!(refused.attribute("type") == Some("error"), "{refused}");
    stranger
        .send(&format!(
            "<iq type='set' id='p' to='localhost'><preauth xmlns='urn:xmpp:pars:0' token='{token}'/></iq>"
        ))
        .await?;
    let accepted = stranger.element().await?;
    ensure!(accepted.attribute("type") == Some("result"), "{accepted}");
    stranger.send(&register).await?;
    let made = stranger.element().await?;
    ensure!(made.attribute("type") == Some("result"), "{made}");
    stranger.log_in("benvolio", PASSWORD, "desk").await?;
    stranger
        .send("<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>")
        .await?;
    let roster = stranger.element().await?;
    let item = roster.child("query").and_then(|it| it.child("item"));
    let item = item.with_context(|| format!("no contact: {roster}"))?;
    ensure!(item.attribute("jid") == Some("romeo@localhost"), "{roster}");
    ensure!(item.attribute("subscription") == Some("both"), "{roster}");
    Ok(())
}
