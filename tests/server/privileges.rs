//! What components may do in the name of accounts (XEP-0356), and that others may not.

use anyhow::{Context as _, Result, ensure};

use crate::component_peer::{BOT, SECRET, barrier, bot, condition, configured, dial, open, prove};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, body};
use crate::xml::Node;

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];
const PRIVILEGE: &str = "urn:xmpp:privilege:2";

async fn house(privileges: &str) -> Result<House> {
    let more = format!("[component.privileges]\n{privileges}");
    House::serving(&configured(&more), &PEOPLE).await
}

/// A request of the component for the roster of an account.
fn roster(kind: &str, account: &str, items: &str) -> String {
    format!(
        "<iq from='{BOT}' to='{account}' type='{kind}' id='r'>\
         <query xmlns='jabber:iq:roster'>{items}</query></iq>"
    )
}

/// A message of the component in the name of another.
fn in_the_name_of(from: &str, to: &str) -> String {
    format!(
        "<message from='{BOT}' to='localhost' id='w'><privilege xmlns='{PRIVILEGE}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' {from} to='{to}' \
         id='inner'><body>hello</body></message></forwarded></privilege></message>"
    )
}

/// A request of the component in the name of romeo.
fn asks(kind: &str, inner: &str) -> String {
    format!(
        "<iq from='{BOT}' to='romeo@localhost' type='{kind}' id='o'>\
         <privileged_iq xmlns='{PRIVILEGE}'>{inner}</privileged_iq></iq>"
    )
}

async fn answer(bot: &mut Peer, request: &str) -> Result<Node> {
    bot.send(request).await?;
    bot.element().await
}

#[tokio::test]
async fn a_component_learns_what_it_may_do() -> Result<()> {
    let house = house(
        "roster = 'get'\nroster_push = false\nmessage = 'outgoing'\n\
         iq = ['get vcard-temp', 'both urn:example']",
    )
    .await?;
    let mut bot = bot(&house).await?;
    let told = bot.element().await?;
    ensure!(told.attribute("from") == Some("localhost"), "{told}");
    let privilege = told.child("privilege").context("no privilege")?;
    let shown: Vec<_> = privilege
        .children
        .iter()
        .map(|perm| {
            let attribute = |name| perm.attribute(name).unwrap_or_default().to_owned();
            let namespaces = perm.children.iter().map(|it| {
                let named = (it.attribute("type"), it.attribute("ns"));
                format!(
                    "{} {}",
                    named.0.unwrap_or_default(),
                    named.1.unwrap_or_default()
                )
            });
            let namespaces: Vec<_> = namespaces.collect();
            let [access, kind, push] = ["access", "type", "push"].map(attribute);
            format!("{access} {kind} {push} {}", namespaces.join(", "))
        })
        .collect();
    ensure!(
        shown
            == [
                "roster get false ",
                "message outgoing  ",
                "iq   get vcard-temp, both urn:example",
            ],
        "{shown:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_component_without_privileges_is_told_of_none_and_has_none() -> Result<()> {
    let house = house("").await?;
    let mut bot = bot(&house).await?;
    let from = "from='romeo@localhost'";
    let ping = "<iq xmlns='jabber:client' type='get' id='i'><ping xmlns='urn:xmpp:ping'/></iq>";
    for request in [
        roster("get", "romeo@localhost", ""),
        roster("set", "romeo@localhost", "<item jid='a@b.example'/>"),
        in_the_name_of(from, "juliet@localhost"),
        asks("get", ping),
    ] {
        let refused = answer(&mut bot, &request).await?;
        ensure!(condition(&refused) == "forbidden", "{request}: {refused}");
    }
    Ok(())
}

#[tokio::test]
async fn rosters_are_read_and_changed_and_their_changes_are_told() -> Result<()> {
    let house = house("roster = 'both'").await?;
    let mut bot = bot(&house).await?;
    bot.element().await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo
        .send("<iq type='get' id='own'><query xmlns='jabber:iq:roster'/></iq>")
        .await?;
    romeo.element().await?;

    let item = "<item jid='nurse@example.org' name='Nurse'/>";
    bot.send(&roster("set", "romeo@localhost", item)).await?;
    // The push and the answer.
    let told = [bot.element().await?, bot.element().await?];
    let push = told
        .iter()
        .find(|node| node.attribute("type") == Some("set"));
    let push = push.context("no push")?;
    ensure!(push.attribute("from") == Some("romeo@localhost"), "{push}");
    ensure!(
        told.iter()
            .any(|node| node.attribute("type") == Some("result")),
        "{told:?}"
    );
    let shown = romeo.element().await?;
    ensure!(shown.child("query").is_some(), "{shown}");

    let read = answer(&mut bot, &roster("get", "romeo@localhost", "")).await?;
    let query = read.child("query").context("no roster")?;
    let names: Vec<_> = query
        .children
        .iter()
        .map(|it| it.attribute("name"))
        .collect();
    ensure!(names == [Some("Nurse")], "{read}");

    // Not for those who are not there, and not for the addresses of the component.
    let missing = answer(&mut bot, &roster("get", "nobody@localhost", "")).await?;
    ensure!(condition(&missing) == "item-not-found", "{missing}");
    let other = roster("get", "romeo@localhost", "").replace(BOT, &format!("x@{BOT}"));
    let refused = answer(&mut bot, &other).await?;
    ensure!(condition(&refused) == "forbidden", "{refused}");
    Ok(())
}

#[tokio::test]
async fn messages_go_out_in_the_name_of_bare_addresses_of_this_server_only() -> Result<()> {
    let house = house("message = 'outgoing'").await?;
    let mut bot = bot(&house).await?;
    bot.element().await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    juliet.barrier().await?;
    for from in ["romeo@localhost", "localhost"] {
        let wrapped = in_the_name_of(&format!("from='{from}'"), "juliet@localhost");
        bot.send(&wrapped).await?;
        let heard = juliet.until(|node| node.name == "message").await?;
        ensure!(heard.attribute("from") == Some(from), "{heard}");
        ensure!(
            body(&heard) == "hello" && heard.attribute("id") == Some("inner"),
            "{heard}"
        );
    }
    for (from, to, expected) in [
        (
            "from='romeo@localhost/desk'",
            "juliet@localhost",
            "forbidden",
        ),
        (
            "from='a@elsewhere.example'",
            "juliet@localhost",
            "forbidden",
        ),
        ("from='a@bot.localhost'", "juliet@localhost", "forbidden"),
        ("", "juliet@localhost", "forbidden"),
        ("from='@'", "juliet@localhost", "bad-request"),
        ("from='romeo@localhost'", "@", "bad-request"),
    ] {
        let refused = answer(&mut bot, &in_the_name_of(from, to)).await?;
        ensure!(condition(&refused) == expected, "{from} {to}: {refused}");
    }
    let empty = format!(
        "<message from='{BOT}' to='localhost' id='w'><privilege xmlns='{PRIVILEGE}'/></message>"
    );
    let refused = answer(&mut bot, &empty).await?;
    ensure!(condition(&refused) == "bad-request", "{refused}");
    ensure!(juliet.barrier().await?.is_empty(), "nothing of it arrives");
    Ok(())
}

#[tokio::test]
async fn requests_go_out_in_the_name_of_an_account_and_the_answer_comes_back() -> Result<()> {
    let house = house("iq = ['get urn:xmpp:ping', 'set vcard-temp']").await?;
    let mut bot = bot(&house).await?;
    bot.element().await?;
    let inner = |head: &str, payload: &str| {
        format!("<iq xmlns='jabber:client' {head} id='i'>{payload}</iq>")
    };
    let ping = "<ping xmlns='urn:xmpp:ping'/>";
    for (head, kind) in [
        ("type='get' to='localhost'", "result"),
        ("type='get' to='localhost' from='romeo@localhost'", "result"),
        ("type='get' to='a@elsewhere.invalid'", "error"),
    ] {
        let told = answer(&mut bot, &asks("get", &inner(head, ping))).await?;
        ensure!(told.attribute("type") == Some("result"), "{told}");
        ensure!(told.attribute("from") == Some("romeo@localhost"), "{told}");
        ensure!(told.attribute("id") == Some("o"), "{told}");
        let forwarded = told.child("privilege").and_then(|it| it.child("forwarded"));
        let back = forwarded
            .and_then(|it| it.child("iq"))
            .context("no answer")?;
        ensure!(back.attribute("type") == Some(kind), "{told}");
        ensure!(back.attribute("id") == Some("i"), "{told}");
        ensure!(back.attribute("to") == Some("romeo@localhost"), "{told}");
    }
    // The component may ask itself: nobody waits for the answer meanwhile.
    bot.send(&asks(
        "get",
        &inner(&format!("type='get' to='{BOT}'"), ping),
    ))
    .await?;
    let asked = bot.element().await?;
    ensure!(
        asked.attribute("from") == Some("romeo@localhost"),
        "{asked}"
    );
    let id = asked.attribute("id").unwrap_or_default().to_owned();
    ensure!(
        barrier(&mut bot, "meanwhile").await?.is_empty(),
        "it is served on"
    );
    let reply = format!("<iq from='{BOT}' to='romeo@localhost' type='result' id='{id}'/>");
    let told = answer(&mut bot, &reply).await?;
    ensure!(told.attribute("id") == Some("o"), "{told}");

    let version = "<query xmlns='jabber:iq:version'/>";
    for (kind, head, payload, expected) in [
        ("get", "type='get' to='localhost'", version, "forbidden"),
        ("set", "type='set' to='localhost'", ping, "forbidden"),
        (
            "get",
            "type='get' to='localhost' from='juliet@localhost'",
            ping,
            "forbidden",
        ),
        (
            "get",
            "type='get' to='localhost' from='romeo@localhost/x'",
            ping,
            "forbidden",
        ),
        ("get", "type='set' to='localhost'", ping, "bad-request"),
        ("get", "type='get' to='@'", ping, "bad-request"),
    ] {
        let refused = answer(&mut bot, &asks(kind, &inner(head, payload))).await?;
        ensure!(condition(&refused) == expected, "{kind} {head}: {refused}");
    }
    let nobody = asks("get", &inner("type='get'", ping)).replace("romeo", "nobody");
    let refused = answer(&mut bot, &nobody).await?;
    ensure!(condition(&refused) == "item-not-found", "{refused}");
    Ok(())
}

/// XEP-0356 §7.1: the presence of accounts, from login to the end of the connection; §7.2: what there is when the component comes.
#[tokio::test]
async fn the_presence_of_accounts_is_told_to_who_may_know_it() -> Result<()> {
    let house = house("presence = 'managed_entity'").await?;
    let mut early = Peer::session(&house, "juliet", Presence::Available).await?;
    early.barrier().await?;
    let mut bot = bot(&house).await?;
    let privilege = bot.element().await?;
    ensure!(privilege.child("privilege").is_some(), "{privilege}");
    let there = bot.element().await?;
    let from = |node: &Node| node.attribute("from").unwrap_or_default().to_owned();
    ensure!(from(&there).starts_with("juliet@localhost/"), "{there}");
    ensure!(there.attribute("to") == Some(BOT), "{there}");
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    romeo.barrier().await?;
    romeo.send("<presence><show>dnd</show></presence>").await?;
    // What is directed to somebody is no presence of the account.
    romeo
        .send("<presence to='juliet@localhost'><show>chat</show></presence>")
        .await?;
    romeo.barrier().await?;
    drop(romeo);
    let mut told = Vec::new();
    loop {
        let node = bot.element().await?;
        ensure!(from(&node).starts_with("romeo@localhost/"), "{node}");
        ensure!(node.attribute("to") == Some(BOT), "{node}");
        let kind = node.attribute("type").unwrap_or("available").to_owned();
        let show = node.child("show").map(|it| it.text.clone());
        let last = kind == "unavailable";
        told.push((kind, show));
        if last {
            break;
        }
    }
    let told: Vec<_> = told
        .iter()
        .map(|(kind, show)| (kind.as_str(), show.as_deref()))
        .collect();
    ensure!(
        told == [
            ("available", None),
            ("available", Some("dnd")),
            ("unavailable", None)
        ],
        "{told:?}"
    );
    Ok(())
}

/// XEP-0356 §7.4: the presence of contacts, also while the account is offline; of nobody else.
#[tokio::test]
async fn the_presence_of_contacts_is_told_to_who_may_know_rosters() -> Result<()> {
    const SHOP: &str = "shop.localhost";
    let more = format!(
        "roster = 'get'\npresence = 'roster'\n[[component]]\ndomain = '{SHOP}'\nsecret = '{SECRET}'\n"
    );
    let house = house(&more).await?;
    let mut bot = bot(&house).await?;
    bot.element().await?;
    let mut shop = dial(&house).await?;
    let id = open(&mut shop, SHOP).await?;
    prove(&mut shop, &id, SECRET).await?;
    shop.element().await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo
        .send("<iq type='get' id='own'><query xmlns='jabber:iq:roster'/></iq>")
        .await?;
    let subscribe = format!("<presence to='till@{SHOP}' type='subscribe'/>");
    romeo.send(&subscribe).await?;
    shop.until(|node| node.attribute("type") == Some("subscribe"))
        .await?;
    let said = |from: &str, head: &str| {
        format!("<presence from='{from}@{SHOP}/1' to='romeo@localhost' {head}/>")
    };
    // Before the subscription it is a stranger, as the other one stays.
    shop.send(&said("till", "")).await?;
    shop.send(&said("till", "type='subscribed'").replace("/1", ""))
        .await?;
    let granted = |node: &Node| {
        let query = node.child("query").and_then(|query| query.child("item"));
        query.is_some_and(|item| item.attribute("subscription") == Some("to"))
    };
    romeo.until(granted).await?;
    drop(romeo);
    shop.send(&said("stranger", "")).await?;
    shop.send(&said("till", "")).await?;
    shop.send(&said("till", "type='unavailable'")).await?;
    let mut told = Vec::new();
    while told.len() < 2 {
        let node = bot.element().await?;
        if node.name == "presence" {
            ensure!(
                node.attribute("from") == Some("till@shop.localhost/1"),
                "{node}"
            );
            told.push(node.attribute("type").map(str::to_owned));
        }
    }
    ensure!(told == [None, Some("unavailable".to_owned())], "{told:?}");
    ensure!(
        barrier(&mut bot, "no more").await?.is_empty(),
        "nothing else"
    );
    Ok(())
}
