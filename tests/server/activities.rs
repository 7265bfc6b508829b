//! A CRM as a component that subscribes to activities.

use anyhow::{Result, ensure};

use crate::component_peer::{BOT, bot, configured};
use crate::house::House;
use crate::peer::{PASSWORD, Peer};
use crate::xml::Node;

const NS: &str = "urn:parlour:activity:0";
const PEOPLE: [(&str, &str); 1] = [("romeo@localhost", PASSWORD)];

/// What the service answers to a request.
async fn asked(crm: &mut Peer, id: &str, payload: &str) -> Result<Node> {
    let iq = format!("<iq from='{BOT}' to='center.localhost' type='set' id='{id}'>{payload}</iq>");
    crm.send(&iq).await?;
    let answer = crm.until(|node| node.attribute("id") == Some(id)).await?;
    ensure!(
        answer.attribute("from") == Some("center.localhost"),
        "{answer}"
    );
    Ok(answer)
}

/// A subscription outlives the server, and a cursor that was never given is refused.
#[tokio::test]
async fn a_crm_stays_subscribed_when_the_server_was_killed() -> Result<()> {
    let mut house = House::serving(&configured("role = 'crm'"), &PEOPLE).await?;
    let mut crm = bot(&house).await?;
    let acknowledge = format!("<acknowledge xmlns='{NS}' cursor='0'/>");
    let early = asked(&mut crm, "k1", &acknowledge).await?;
    ensure!(early.attribute("type") == Some("error"), "{early}");
    let subscribe = format!("<subscribe xmlns='{NS}'/>");
    let answer = asked(&mut crm, "s1", &subscribe).await?;
    let subscribed = answer.child("subscribed");
    let after = subscribed.and_then(|it| it.attribute("after"));
    ensure!(after == Some("0"), "{answer}");

    house.signal("KILL").await?;
    house.ended().await?;
    house.start().await?;
    let mut crm = bot(&house).await?;
    let answer = asked(&mut crm, "k2", &acknowledge).await?;
    ensure!(answer.attribute("type") == Some("result"), "{answer}");
    let ahead = format!("<acknowledge xmlns='{NS}' cursor='1'/>");
    let answer = asked(&mut crm, "k3", &ahead).await?;
    let error = answer.child("error");
    let unknown = error.is_some_and(|it| it.child("cursor-unknown").is_some());
    ensure!(unknown, "{answer}");
    Ok(())
}
