//! Backups: made while the server runs, read into an empty folder, after which it gives the same answers.

use anyhow::{Result, ensure};

use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, body, chat};
use crate::xml::Node;
use crate::{postgres, upload};

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];

fn inside(node: &Node) -> String {
    node.children.iter().map(ToString::to_string).collect()
}

/// What the server answers to Romeo about all that it keeps for him.
async fn answers(house: &House) -> Result<Vec<String>> {
    let mut romeo = Peer::session(house, "romeo", Presence::Silent).await?;
    let mut answers = Vec::new();
    for (number, question) in [
        "<query xmlns='jabber:iq:roster'/>",
        "<vCard xmlns='vcard-temp'/>",
        "<query xmlns='jabber:iq:private'><storage xmlns='urn:example:notes'/></query>",
        "<metadata xmlns='urn:xmpp:mam:2'/>",
        "<blocklist xmlns='urn:xmpp:blocking'/>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:example:node'/></pubsub>",
    ]
    .iter()
    .enumerate()
    {
        let id = format!("q{number}");
        romeo.send(&format!("<iq type='get' id='{id}'>{question}</iq>")).await?;
        let answer = romeo.until(|node| node.attribute("id") == Some(&id)).await?;
        ensure!(answer.attribute("type") == Some("result"), "{question}: {answer}");
        answers.push(inside(&answer));
    }
    romeo
        .send("<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2' queryid='q'/></iq>")
        .await?;
    loop {
        let next = romeo.element().await?;
        answers.push(inside(&next));
        if next.name == "iq" {
            return Ok(answers);
        }
    }
}

/// Something of every kind.
async fn live(house: &House) -> Result<()> {
    let mut romeo = Peer::session(house, "romeo", Presence::Available).await?;
    for (number, request) in [
        "<query xmlns='jabber:iq:roster'><item jid='juliet@localhost' name='Juliet'><group>Verona</group></item></query>",
        "<vCard xmlns='vcard-temp'><FN>Romeo Montague</FN></vCard>",
        "<query xmlns='jabber:iq:private'><storage xmlns='urn:example:notes'>a &amp; b</storage></query>",
        "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></block>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:example:node'><item id='i'><a xmlns='urn:example'/></item></publish></pubsub>",
    ]
    .iter()
    .enumerate()
    {
        let id = format!("s{number}");
        romeo.send(&format!("<iq type='set' id='{id}'>{request}</iq>")).await?;
        let answer = romeo.until(|node| node.attribute("id") == Some(&id)).await?;
        ensure!(answer.attribute("type") == Some("result"), "{request}: {answer}");
    }
    for number in 0..30 {
        romeo
            .send(&chat(
                "juliet@localhost",
                &format!("m{number}"),
                &format!("line {number}"),
            ))
            .await?;
    }
    romeo.barrier().await?;
    Ok(())
}

#[tokio::test]
async fn a_backup_made_while_running_gives_the_same_answers_in_an_empty_folder() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    live(&house).await?;
    let before = answers(&house).await?;
    let folder = house.path("backup");
    let folder = folder.to_str().unwrap_or_default().to_owned();
    house.ask(&["backup", &folder]).await?;
    // It is of that moment: what comes later is not in it.
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    romeo
        .send(&chat("juliet@localhost", "late", "too late"))
        .await?;
    romeo.barrier().await?;
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());

    let mut other = House::with("")?;
    other.ask(&["restore", &folder]).await?;
    other.start().await?;
    let after = answers(&other).await?;
    ensure!(before == after, "{before:#?}\n{after:#?}");
    let mut juliet = Peer::session(&other, "juliet", Presence::Available).await?;
    for number in 0..30 {
        let message = juliet.until(|node| node.name == "message").await?;
        ensure!(body(&message) == format!("line {number}"), "{message}");
    }
    Ok(())
}

/// Names another database in the configuration.
fn serve_from(house: &House, url: &str) -> Result<()> {
    let file = house.path("parlour.toml");
    let mut config: toml::Table = std::fs::read_to_string(&file)?.parse()?;
    let database = toml::Table::from_iter([("url".to_owned(), url.into())]);
    config.insert("database".to_owned(), database.into());
    Ok(std::fs::write(file, toml::to_string(&config)?)?)
}

/// `migrate --from … --to …`, both ways, with the server started on what came of it.
#[tokio::test]
async fn what_is_moved_to_another_kind_of_database_gives_the_same_answers() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    live(&house).await?;
    let before = answers(&house).await?;
    let (small, large) = ("sqlite:data/parlour.db", postgres::database().await);
    let there = ["migrate", "--from", small, "--to", &large];
    refused(&house, &there, "another parlour").await?;
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    house.ask(&there).await?;
    refused(&house, &there, "not empty").await?;
    serve_from(&house, &large)?;
    house.start().await?;
    let after = answers(&house).await?;
    ensure!(before == after, "{before:#?}\n{after:#?}");
    // What is written there comes back, too.
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    romeo
        .send(&chat("juliet@localhost", "new", "from over there"))
        .await?;
    romeo.barrier().await?;
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    let back = "sqlite:data/back.db";
    house
        .ask(&["migrate", "--from", &large, "--to", back])
        .await?;
    serve_from(&house, back)?;
    house.start().await?;
    let back = answers(&house).await?;
    ensure!(back.len() == before.len() + 1, "{before:#?}\n{back:#?}");
    let last = |answers: &[String]| answers.iter().any(|it| it.contains("from over there"));
    ensure!(last(&back) && !last(&before), "{back:#?}");
    Ok(())
}

/// What lies beside the database, and what is nobody's own.
#[tokio::test]
async fn files_and_rooms_come_back_with_a_backup() -> Result<()> {
    let config = "[listen]\nhttp = ['127.0.0.1:0']\nhttps = []\n\
                  [upload]\npublic_url = 'https://files.example/'";
    let mut house = House::serving(config, &PEOPLE).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    let slot = upload::slot(&mut romeo, "balcony.png", 8).await?;
    ensure!(slot.put(&house, b"\x89PNG\r\n\x1a\n").await?.status == 201);
    let room = "hall@rooms.localhost";
    romeo
        .send(&format!(
            "<presence to='{room}/romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ))
        .await?;
    romeo.until(|node| node.child("subject").is_some()).await?;
    let field = |name: &str, value: &str| {
        format!("<field var='muc#roomconfig_{name}'><value>{value}</value></field>")
    };
    romeo
        .send(&format!(
            "<iq type='set' id='own' to='{room}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>{}{}</x></query></iq>",
            field("persistentroom", "1"),
            field("roomname", "The hall"),
        ))
        .await?;
    let answer = romeo
        .until(|node| node.attribute("id") == Some("own"))
        .await?;
    ensure!(answer.attribute("type") == Some("result"), "{answer}");
    romeo
        .send(&format!(
            "<message to='{room}' type='groupchat' id='s'><subject>The ball</subject></message>"
        ))
        .await?;
    romeo.until(|node| node.child("subject").is_some()).await?;
    romeo.barrier().await?;
    house.ask(&["backup", "backup"]).await?;
    let folder = house.path("backup").display().to_string();
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());

    let mut other = House::with(config)?;
    other.ask(&["restore", &folder]).await?;
    other.start().await?;
    let file = slot.get(&other, "").await?;
    ensure!(
        file.status == 200 && file.body == b"\x89PNG\r\n\x1a\n",
        "{file:?}"
    );
    let mut juliet = Peer::session(&other, "juliet", Presence::Available).await?;
    juliet
        .send(&format!(
            "<presence to='{room}/juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ))
        .await?;
    let subject = juliet.until(|node| node.child("subject").is_some()).await?;
    ensure!(
        subject
            .child("subject")
            .is_some_and(|it| it.text == "The ball"),
        "{subject}"
    );
    Ok(())
}

async fn refused(house: &House, arguments: &[&str], why: &str) -> Result<()> {
    let output = house.command(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.code() == Some(1),
        "{arguments:?}: {:?}\n{said}",
        output.status
    );
    ensure!(said.contains(why), "{arguments:?}: {said}");
    Ok(())
}

#[tokio::test]
async fn what_is_there_already_is_not_written_over() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    let backup = house.path("backup").display().to_string();
    house.ask(&["backup", &backup]).await?;
    refused(&house, &["backup", &backup], "is there already").await?;
    refused(&house, &["restore", &backup], "another parlour").await?;
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    refused(&house, &["restore", &backup], "not empty").await?;
    let nothing = house.path("nothing").display().to_string();
    refused(&house, &["restore", &nothing], "manifest.json").await?;
    std::fs::create_dir(house.path("nothing"))?;
    std::fs::write(house.path("nothing/manifest.json"), "{}")?;
    refused(&house, &["restore", &nothing], "not the manifest").await?;
    Ok(())
}

#[tokio::test]
async fn a_backup_is_not_made_within_what_it_copies() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    std::os::unix::fs::symlink("data", house.path("link"))?;
    let whole = house.path("data/whole").display().to_string();
    for folder in [
        "data/backup",
        "data/deep/er/backup",
        "link/backup",
        "none/../data/backup",
        "./data/uploads/../backup",
        &whole,
    ] {
        refused(&house, &["backup", folder], "lies within data_dir").await?;
        ensure!(!house.path(folder).exists(), "{folder}");
    }
    ensure!(!house.path("data/deep").exists(), "nothing is left");
    // Beside it is not within it.
    house.ask(&["backup", "data-backup"]).await?;
    // What is made before it has its name replaces what an attempt has left, and not the server's own.
    let partial = House::with("data_dir = 'data.partial'")?;
    partial.ask(&["account", "list"]).await?;
    refused(&partial, &["backup", "data"], "lies within data_dir").await?;
    Ok(())
}

#[tokio::test]
async fn a_damaged_backup_leaves_the_database_empty() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let backup = house.path("backup").display().to_string();
    house.ask(&["backup", &backup]).await?;
    let accounts = house.path("backup/tables/account.jsonl");
    let whole = std::fs::read_to_string(&accounts)?;
    let first = whole.lines().next().unwrap_or_default();
    for (damaged, why) in [
        (format!("{first}\n"), "the manifest says 2"),
        (format!("{whole}{{}}\n"), "line 3 is no row"),
        (whole.replacen('"', "", 1), "is no row"),
    ] {
        std::fs::write(&accounts, damaged)?;
        let other = House::with("")?;
        refused(&other, &["restore", &backup], why).await?;
        std::fs::write(&accounts, &whole)?;
        other.ask(&["restore", &backup]).await?;
    }
    Ok(())
}
