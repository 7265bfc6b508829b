//! Requests that a component answers in the server's place (XEP-0355), and what people see of it: nothing,
//! but that they are answered.

use anyhow::{Context as _, Result, ensure};

use crate::component_peer::{BOT, barrier, bot, condition, configured};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence};
use crate::xml::Node;

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];
const DELEGATION: &str = "urn:xmpp:delegation:2";
const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";

async fn house(delegations: &str) -> Result<House> {
    House::serving(&configured(delegations), &PEOPLE).await
}

/// The component, and what it was sent before anything else: what is delegated, then the questions.
async fn connected(house: &House) -> Result<(Peer, Vec<Node>)> {
    let mut bot = bot(house).await?;
    let first = barrier(&mut bot, "connected").await?;
    Ok((bot, first))
}

/// The request inside of what was forwarded.
fn inside(wrapped: &Node) -> Result<&Node> {
    ensure!(wrapped.attribute("type") == Some("set"), "{wrapped}");
    ensure!(wrapped.attribute("from") == Some("localhost"), "{wrapped}");
    let delegation = wrapped.child("delegation").filter(|it| it.ns == DELEGATION);
    let forwarded = delegation.and_then(|it| it.child("forwarded"));
    let inner = forwarded.and_then(|it| it.child("iq"));
    let inner = inner.with_context(|| wrapped.to_string())?;
    ensure!(inner.ns == "jabber:client", "{wrapped}");
    Ok(inner)
}

/// The component's answer to what was forwarded.
async fn answer(bot: &mut Peer, wrapped: &Node, inner: &str) -> Result<()> {
    let id = wrapped.attribute("id").context("no id")?;
    bot.send(&format!(
        "<iq from='{BOT}' to='localhost' type='result' id='{id}'><delegation xmlns='{DELEGATION}'>\
         <forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></delegation></iq>"
    ))
    .await
}

async fn told(peer: &mut Peer, id: &str) -> Result<Node> {
    peer.until(|node| node.attribute("id") == Some(id)).await
}

fn result(to: &str, id: &str, payload: &str) -> String {
    format!("<iq xmlns='jabber:client' type='result' id='{id}' to='{to}'>{payload}</iq>")
}

// §4.2
#[tokio::test]
async fn a_component_learns_what_is_delegated_and_is_asked_what_it_can_do() -> Result<()> {
    let house = house("delegations = ['urn:xmpp:mam:2 node queryid', 'urn:example']").await?;
    let (_bot, first) = connected(&house).await?;
    let told = first.first().context("nothing is told")?;
    ensure!(
        told.attribute("from") == Some("localhost") && told.name == "message",
        "{told}"
    );
    let delegation = told.child("delegation").context("no delegation")?;
    let shown: Vec<_> = delegation
        .children
        .iter()
        .map(|it| {
            let attributes: Vec<_> = it
                .children
                .iter()
                .filter_map(|it| it.attribute("name"))
                .collect();
            format!(
                "{} {}",
                it.attribute("namespace").unwrap_or_default(),
                attributes.join(",")
            )
        })
        .collect();
    ensure!(
        shown == ["urn:xmpp:mam:2 node,queryid", "urn:example "],
        "{told}"
    );
    let asked: Vec<_> = first
        .iter()
        .filter_map(|it| it.child("query")?.attribute("node"))
        .collect();
    ensure!(
        asked
            == [
                "urn:xmpp:delegation:2::urn:example",
                "urn:xmpp:delegation:2:bare:urn:example",
                "urn:xmpp:delegation:2::urn:xmpp:mam:2",
                "urn:xmpp:delegation:2:bare:urn:xmpp:mam:2",
            ],
        "{asked:?}"
    );
    Ok(())
}

// §4.3
#[tokio::test]
async fn requests_of_a_delegated_namespace_are_answered_by_the_component() -> Result<()> {
    let house = house("delegations = ['urn:example', 'urn:filtered node']").await?;
    let (mut bot, _) = connected(&house).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let full = "romeo@localhost/desk";
    let own = Some(full);
    for (to, id) in [
        ("", "a"),
        ("to='localhost'", "b"),
        ("to='romeo@localhost'", "c"),
        ("to='juliet@localhost'", "d"),
    ] {
        romeo
            .send(&format!(
                "<iq type='set' id='{id}' {to}><q xmlns='urn:example'><x/></q></iq>"
            ))
            .await?;
        let wrapped = bot.element().await?;
        let inner = inside(&wrapped)?;
        ensure!(
            inner.attribute("from") == own && inner.attribute("id") == Some(id),
            "{inner}"
        );
        ensure!(
            inner.child("q").and_then(|it| it.child("x")).is_some(),
            "{inner}"
        );
        // Nobody waits: what is asked meanwhile is answered before.
        ensure!(
            romeo.barrier().await?.is_empty(),
            "it waits for the component only"
        );
        answer(
            &mut bot,
            &wrapped,
            &result(full, id, "<q xmlns='urn:example'><y/></q>"),
        )
        .await?;
        let answered = told(&mut romeo, id).await?;
        ensure!(answered.attribute("type") == Some("result"), "{answered}");
        let y = answered.child("q").and_then(|it| it.child("y"));
        ensure!(y.is_some() && answered.attribute("to") == own, "{answered}");
        let from = answered.attribute("from").map(|it| format!("to='{it}'"));
        ensure!(from.unwrap_or_default() == to, "{answered}");
    }
    // With the attribute that filters it goes out, without it the server answers as ever (N.B. 3).
    romeo
        .send("<iq type='get' id='e'><q xmlns='urn:filtered'/></iq>")
        .await?;
    let refused = told(&mut romeo, "e").await?;
    ensure!(condition(&refused) == "service-unavailable", "{refused}");
    ensure!(
        barrier(&mut bot, "e").await?.is_empty(),
        "nothing was forwarded"
    );
    romeo
        .send("<iq type='get' id='f'><q xmlns='urn:filtered' node='n'/></iq>")
        .await?;
    let wrapped = bot.element().await?;
    answer(&mut bot, &wrapped, &result("romeo@localhost/desk", "f", "")).await?;
    let empty = told(&mut romeo, "f").await?;
    ensure!(empty.attribute("type") == Some("result"), "{empty}");
    // §4.3.1: what the component asks itself is not forwarded to it.
    bot.send(&format!(
        "<iq from='{BOT}' to='localhost' type='get' id='g'><q xmlns='urn:example'/></iq>"
    ))
    .await?;
    let refused = bot.element().await?;
    ensure!(condition(&refused) == "service-unavailable", "{refused}");
    Ok(())
}

// §4.3 N.B. 1 and 2
#[tokio::test]
async fn what_the_component_answers_badly_late_or_not_at_all_is_not_available() -> Result<()> {
    let house =
        house("delegations = ['urn:example']\ndelegated_seconds = 1\ndelegated_requests_max = 2")
            .await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let ask = |id: &str| format!("<iq type='get' id='{id}'><q xmlns='urn:example'/></iq>");
    romeo.send(&ask("away")).await?;
    let refused = told(&mut romeo, "away").await?;
    ensure!(condition(&refused) == "service-unavailable", "{refused}");

    let (mut bot, _) = connected(&house).await?;
    let full = "romeo@localhost/desk";
    for (id, inner) in [
        ("bad-id", result(full, "another", "")),
        ("bad-to", result("juliet@localhost/desk", "bad-to", "")),
        (
            "bad-from",
            result(full, "bad-from", "").replace("<iq ", "<iq from='juliet@localhost' "),
        ),
        (
            "bad-type",
            result(full, "bad-type", "").replace("result", "error"),
        ),
        ("nothing", String::new()),
    ] {
        romeo.send(&ask(id)).await?;
        let wrapped = bot.element().await?;
        answer(&mut bot, &wrapped, &inner).await?;
        let refused = told(&mut romeo, id).await?;
        ensure!(
            condition(&refused) == "service-unavailable",
            "{id}: {refused}"
        );
    }
    romeo.send(&ask("refused")).await?;
    let wrapped = bot.element().await?;
    let id = wrapped.attribute("id").context("no id")?;
    bot.send(&format!(
        "<iq from='{BOT}' to='localhost' type='error' id='{id}'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ))
    .await?;
    let refused = told(&mut romeo, "refused").await?;
    ensure!(condition(&refused) == "service-unavailable", "{refused}");

    // Two may wait, the third is refused at once, the others when their time is over.
    for id in ["late-1", "late-2", "late-3"] {
        romeo.send(&ask(id)).await?;
    }
    let refused = told(&mut romeo, "late-3").await?;
    ensure!(condition(&refused) == "resource-constraint", "{refused}");
    let wrapped = bot.element().await?;
    let refused = told(&mut romeo, "late-1").await?;
    ensure!(condition(&refused) == "service-unavailable", "{refused}");
    told(&mut romeo, "late-2").await?;
    // Too late: nobody is told twice.
    answer(&mut bot, &wrapped, &result(full, "late-1", "")).await?;
    barrier(&mut bot, "late").await?;
    ensure!(romeo.barrier().await?.is_empty(), "answered twice");

    // With the connection goes what was asked over it.
    romeo.send(&ask("gone")).await?;
    romeo.barrier().await?;
    bot.until(|it| it.child("delegation").is_some()).await?;
    drop(bot);
    let refused = told(&mut romeo, "gone").await?;
    ensure!(condition(&refused) == "service-unavailable", "{refused}");
    Ok(())
}

fn features(node: &Node) -> Vec<String> {
    let query = node.child("query");
    let children = query.map(|it| it.children.as_slice()).unwrap_or_default();
    let named = children.iter().filter_map(|it| it.attribute("var"));
    named.map(str::to_owned).collect()
}

// §7.2
#[tokio::test]
async fn what_the_component_can_do_is_nested_into_discovery() -> Result<()> {
    let pubsub = "http://jabber.org/protocol/pubsub";
    let house = house(&format!("delegations = ['{pubsub}']")).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let info = |id: &str, to: &str| {
        format!("<iq type='get' id='{id}' to='{to}'><query xmlns='{DISCO_INFO}'/></iq>")
    };
    let (mut bot, first) = connected(&house).await?;
    for question in first.iter().filter(|it| it.name == "iq") {
        let node = question
            .child("query")
            .and_then(|it| it.attribute("node"))
            .context("no node")?;
        let id = question.attribute("id").context("no id")?;
        let kind = if node.contains(":bare:") {
            "account"
        } else {
            "host"
        };
        bot.send(&format!(
            "<iq from='{BOT}' to='localhost' type='result' id='{id}'>\
             <query xmlns='{DISCO_INFO}' node='{node}'><identity category='pubsub' type='theirs'/>\
             <feature var='{pubsub}#of-{kind}'/></query></iq>"
        ))
        .await?;
    }
    barrier(&mut bot, "told").await?;
    for (to, own, other) in [
        ("localhost", "host", "account"),
        ("romeo@localhost", "account", "host"),
    ] {
        romeo.send(&info(to, to)).await?;
        let shown = told(&mut romeo, to).await?;
        let features = features(&shown);
        let has = |name: &str| features.iter().any(|it| it == name);
        ensure!(
            has(&format!("{pubsub}#of-{own}")) && !has(&format!("{pubsub}#of-{other}")),
            "{shown}"
        );
        // What the server itself could do is not done by it any more.
        ensure!(!has(&format!("{pubsub}#publish")), "{shown}");
        ensure!(has(DISCO_INFO), "{shown}");
        let query = shown.child("query").context("no query")?;
        let theirs = |it: &Node| it.attribute("type") == Some("theirs");
        ensure!(query.children.iter().any(theirs), "{shown}");
    }
    // The hash in the stream features is that of the same answer (XEP-0115 §6.3).
    let mut juliet = Peer::connect(&house, "localhost").await?;
    let offered = juliet.open().await?;
    let caps = offered.child("c").context("no capabilities")?;
    let node = format!(
        "{}#{}",
        caps.attribute("node").unwrap_or_default(),
        caps.attribute("ver").unwrap_or_default()
    );
    romeo
        .send(&format!(
            "<iq type='get' id='caps' to='localhost'><query xmlns='{DISCO_INFO}' node='{node}'/></iq>"
        ))
        .await?;
    let shown = told(&mut romeo, "caps").await?;
    ensure!(
        features(&shown).contains(&format!("{pubsub}#of-host")),
        "{shown}"
    );
    Ok(())
}

#[tokio::test]
async fn a_component_acts_for_its_hosts_only() -> Result<()> {
    let config = format!(
        "{}[component.privileges]\nroster = 'get'\nmessage = 'outgoing'\n[[host]]\ndomain = 'localhost'\n\
         [[host]]\ndomain = 'other.localhost'\n",
        configured("hosts = ['other.localhost']\ndelegations = ['urn:example']\n")
    );
    let house = House::serving(&config, &[PEOPLE[0], ("romeo@other.localhost", PASSWORD)]).await?;
    let (mut bot, first) = connected(&house).await?;
    let from: Vec<_> = first.iter().filter_map(|it| it.attribute("from")).collect();
    ensure!(
        !from.is_empty() && from.iter().all(|it| *it == "other.localhost"),
        "{from:?}"
    );
    for (account, allowed) in [("romeo@localhost", false), ("romeo@other.localhost", true)] {
        bot.send(&format!(
            "<iq from='{BOT}' to='{account}' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"
        ))
        .await?;
        let shown = bot.element().await?;
        ensure!((condition(&shown) != "forbidden") == allowed, "{shown}");
    }
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo
        .send("<iq type='get' id='q'><q xmlns='urn:example'/></iq>")
        .await?;
    let refused = told(&mut romeo, "q").await?;
    ensure!(condition(&refused) == "service-unavailable", "{refused}");
    ensure!(
        barrier(&mut bot, "none").await?.is_empty(),
        "nothing was forwarded"
    );
    Ok(())
}

// XEP-0356 §7
#[tokio::test]
async fn presence_is_told_to_a_component_that_may_know_it() -> Result<()> {
    let house = house("[component.privileges]\npresence = 'managed_entity'").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    romeo.barrier().await?;
    // It was there before the component.
    let (mut bot, first) = connected(&house).await?;
    let privilege = first
        .first()
        .and_then(|it| it.child("privilege"))
        .context("no privilege")?;
    let perm = privilege.child("perm").context("no permission")?;
    ensure!(perm.attribute("access") == Some("presence"), "{perm}");
    ensure!(perm.attribute("type") == Some("managed_entity"), "{perm}");
    let shown = first
        .iter()
        .find(|it| it.name == "presence")
        .context("no presence")?;
    ensure!(
        shown.attribute("from") == Some("romeo@localhost/desk"),
        "{shown}"
    );
    ensure!(shown.attribute("to") == Some(BOT), "{shown}");
    // Changes, but neither subscriptions nor what is for others.
    romeo
        .send("<presence to='juliet@localhost' type='subscribe'/>")
        .await?;
    romeo.send("<presence to='juliet@localhost'/>").await?;
    romeo.send("<presence><show>away</show></presence>").await?;
    let changed = bot.element().await?;
    let show = changed.child("show").map(|it| it.text.clone());
    ensure!(show.as_deref() == Some("away"), "{changed}");
    // The end, said or not, and once.
    romeo.send("<presence type='unavailable'/>").await?;
    ensure!(bot.element().await?.attribute("type") == Some("unavailable"));
    romeo.send("<presence/>").await?;
    ensure!(bot.element().await?.attribute("type").is_none());
    drop(romeo);
    let gone = bot.element().await?;
    ensure!(gone.attribute("type") == Some("unavailable"), "{gone}");
    ensure!(barrier(&mut bot, "once").await?.is_empty(), "told twice");
    // Without the component nobody is bothered.
    drop(bot);
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    let shown = juliet.barrier().await?;
    ensure!(
        shown.iter().all(|it| it.attribute("type") != Some("error")),
        "{shown:?}"
    );
    Ok(())
}
