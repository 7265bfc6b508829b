//! Files of message streams over HTTP (S4-20, S4-21, S4-35): whoever sees the stream at that moment gets them.

use anyhow::{Context as _, Result, ensure};

use crate::exchange::{Exchange, Reply};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence};
use crate::upload::{Slot, files_below, slot};
use crate::xml::Node;

const NS: &str = "urn:parlour:message-stream:0";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
const PEOPLE: [(&str, &str); 3] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
    ("nurse@localhost", PASSWORD),
];

/// Romeo administers, the others are agents who read messages.
async fn house() -> Result<House> {
    let config = "[listen]\nhttp = ['127.0.0.1:0']\nhttps = []\n\
                  [upload]\npublic_url = 'https://files.example/'\n";
    let house = House::serving(config, &PEOPLE).await?;
    for (account, role) in [
        ("romeo", "administrator"),
        ("juliet", "agent"),
        ("nurse", "agent"),
    ] {
        let account = format!("{account}@localhost");
        house.ask(&["account", "role", &account, role]).await?;
    }
    for right in ["message-show", "comment-show"] {
        house
            .ask(&["right", "give", right, "--role", "agent"])
            .await?;
    }
    Ok(house)
}

/// What the service answers.
async fn ask(peer: &mut Peer, kind: &str, payload: &str) -> Result<Node> {
    let iq = format!("<iq type='{kind}' id='ask' to='center.localhost'>{payload}</iq>");
    peer.send(&iq).await?;
    peer.until(|node| node.attribute("id") == Some("ask")).await
}

/// An uploaded file.
async fn uploaded(house: &House, romeo: &mut Peer, name: &str, body: &[u8]) -> Result<Slot> {
    let slot = slot(romeo, name, body.len()).await?;
    let put = slot.put(house, body).await?;
    ensure!(put.status == 201, "{put:?}");
    Ok(slot)
}

async fn customer(romeo: &mut Peer) -> Result<String> {
    let create = "<create xmlns='urn:parlour:customer:0'><name>Ann Smith</name></create>";
    let answer = ask(romeo, "set", create).await?;
    let id = answer.child("customer").and_then(|it| it.attribute("id"));
    Ok(id.with_context(|| format!("{answer}"))?.to_owned())
}

/// A stream for juliet with that file.
async fn create(romeo: &mut Peer, customer: &str, url: &str) -> Result<Node> {
    let create = format!(
        "<create xmlns='{NS}' customer='{customer}'><title>Picture</title><text>See there.</text>\
         <recipient>juliet@localhost</recipient><attachment>{url}</attachment></create>"
    );
    ask(romeo, "set", &create).await
}

/// The link to the only file of the stream that this one is given.
async fn link(peer: &mut Peer, stream: &str) -> Result<String> {
    let look = format!("<stream xmlns='{NS}' id='{stream}'/>");
    let answer = ask(peer, "get", &look).await?;
    let message = answer.child("stream").and_then(|it| it.child("message"));
    let url = message
        .and_then(|it| it.child("attachment"))
        .and_then(|it| it.attribute("url"));
    Ok(url
        .with_context(|| format!("no link: {answer}"))?
        .to_owned())
}

async fn get(house: &House, url: &str, more: &str) -> Result<Reply> {
    let path = url
        .strip_prefix("https://files.example")
        .context("another URL")?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: files.example\r\n{more}");
    Exchange::whole(house, &head, b"").await
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one moment after the other")]
async fn a_file_is_given_to_who_sees_the_message_at_that_moment() -> Result<()> {
    let mut house = house().await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Silent).await?;
    let customer = customer(&mut romeo).await?;
    let slot = uploaded(&house, &mut romeo, "très cool.png", PNG).await?;
    let answer = create(&mut romeo, &customer, &slot.url).await?;
    let stream = answer
        .child("stream")
        .with_context(|| format!("{answer}"))?;
    let id = stream.attribute("id").context("no id")?.to_owned();
    // The public URL is dead from then on.
    let public = slot.get(&house, "").await?;
    ensure!(public.status == 404, "{public:?}");
    let url = link(&mut juliet, &id).await?;
    // It holds over a restart.
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    house.start().await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Silent).await?;
    let given = get(&house, &url, "").await?;
    ensure!(given.status == 200 && given.body == PNG, "{given:?}");
    for (name, value) in [
        ("content-type", "image/png"),
        (
            "content-disposition",
            "inline; filename=\"tr_s cool.png\"; filename*=UTF-8''tr%C3%A8s%20cool.png",
        ),
        ("cache-control", "private, no-store"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "sandbox; default-src 'none'; frame-ancestors 'none'",
        ),
        ("access-control-allow-origin", "*"),
    ] {
        ensure!(given.header(name) == Some(value), "{name}: {given:?}");
    }
    let part = get(&house, &url, "Range: bytes=1-3\r\n").await?;
    ensure!(part.status == 206 && part.body == b"PNG", "{part:?}");
    let (path, query) = url.split_once('?').context("no query")?;
    let (folder, name) = path.rsplit_once('/').context("no name")?;
    for wrong in [
        path.to_owned(),
        format!("{path}?for=x.y"),
        format!("{url}x"),
        format!("{folder}/other.png?{query}"),
        format!("{folder}/..%2F{name}?{query}"),
        format!("{folder}0/{name}?{query}"),
        format!("https://files.example/attachment/..%2F..%2Fparlour.toml/{name}?{query}"),
    ] {
        let refused = get(&house, &wrong, "").await?;
        ensure!(refused.status == 404, "{wrong}: {refused:?}");
        ensure!(refused.body == b"no such file\n", "{wrong}: {refused:?}");
    }
    // S4-35: juliet loses it at once, with her device open and a link that is not over.
    let look = format!("<stream xmlns='{NS}' id='{id}'/>");
    let answer = ask(&mut romeo, "get", &look).await?;
    let known = answer.child("stream").context("no stream")?;
    let version = known.attribute("version").context("no version")?;
    let change = format!(
        "<properties xmlns='{NS}' id='{id}' version='{version}'>\
         <recipient>nurse@localhost</recipient></properties>"
    );
    let answer = ask(&mut romeo, "set", &change).await?;
    ensure!(answer.attribute("type") == Some("result"), "{answer}");
    let refused = get(&house, &url, "").await?;
    ensure!(refused.status == 404, "{refused:?}");
    let answer = ask(&mut juliet, "get", &look).await?;
    ensure!(answer.attribute("type") == Some("error"), "{answer}");
    // S4-37: with the stream its file goes.
    let own = link(&mut romeo, &id).await?;
    let before = get(&house, &own, "").await?;
    ensure!(before.status == 200, "{before:?}");
    let delete = format!("<delete xmlns='{NS}' id='{id}' confirm='true'/>");
    let answer = ask(&mut romeo, "set", &delete).await?;
    ensure!(answer.attribute("type") == Some("result"), "{answer}");
    let gone = get(&house, &own, "").await?;
    ensure!(gone.status == 404, "{gone:?}");
    let left = files_below(&house.path("data/attachment"));
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_what_it_says_is_not_attached_and_stays_an_upload() -> Result<()> {
    let house = house().await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Silent).await?;
    let customer = customer(&mut romeo).await?;
    let two = [PNG, b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0"].concat();
    let mut cases = Vec::new();
    for (name, body, code) in [
        ("a.png", &b"MZ\x90\0"[..], "attachment-content-otherwise"),
        ("b.png", &two, "attachment-content-otherwise"),
        ("c.exe", PNG, "attachment-type"),
        ("d.pdf", b"%PDF-1.7", "attachment-declared-otherwise"),
    ] {
        let slot = uploaded(&house, &mut romeo, name, body).await?;
        cases.push((slot, code, 200));
    }
    let others = uploaded(&house, &mut juliet, "e.png", PNG).await?;
    cases.push((others, "attachment-unknown", 200));
    let unfinished = slot(&mut romeo, "f.png", 5).await?;
    cases.push((unfinished, "attachment-unfinished", 404));
    for (slot, code, status) in cases {
        let answer = create(&mut romeo, &customer, &slot.url).await?;
        let error = answer.child("error").with_context(|| format!("{answer}"))?;
        ensure!(error.child(code).is_some(), "{code}: {answer}");
        let get = slot.get(&house, "").await?;
        ensure!(get.status == status, "{code}: {get:?}");
    }
    let left = files_below(&house.path("data/attachment"));
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}
