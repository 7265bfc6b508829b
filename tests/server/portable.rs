//! Accounts of other servers (XEP-0227): what ejabberd and Prosody exported is read, and its owners find
//! themselves at home with their old passwords.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::house::House;
use crate::peer::Peer;

/// Copies the exports of that server, with the host of the tests in them; their names.
fn exports(house: &House, server: &str) -> Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/import")
        .join(server);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a name")?;
        let text = std::fs::read_to_string(entry.path())?;
        std::fs::write(house.path(&name), text.replace("example.org", "localhost"))?;
        names.push(name);
    }
    names.sort();
    Ok(names)
}

async fn home(house: &House, user: &str, password: &str) -> Result<Peer> {
    let mut peer = Peer::connect(house, "localhost").await?;
    peer.open().await?;
    peer.log_in(user, password, "desk").await?;
    Ok(peer)
}

/// The answer to a question of Romeo's.
async fn asked(romeo: &mut Peer, id: &str, question: &str) -> Result<String> {
    romeo
        .send(&format!("<iq type='get' id='{id}'>{question}</iq>"))
        .await?;
    let answer = romeo.until(|node| node.attribute("id") == Some(id)).await?;
    Ok(answer.to_string())
}

async fn finds(romeo: &mut Peer, questions: &[(&str, &[&str])]) -> Result<()> {
    for (number, (question, expected)) in questions.iter().enumerate() {
        let answer = asked(romeo, &format!("q{number}"), question).await?;
        for part in *expected {
            ensure!(
                answer.contains(part),
                "{question}: {part} is not in {answer}"
            );
        }
    }
    Ok(())
}

const ROSTER: (&str, &[&str]) = (
    "<query xmlns='jabber:iq:roster'/>",
    &[
        "juliet@localhost",
        "Verona",
        "Friends",
        "subscription='from'",
        "mercutio@example.com",
        "ask='subscribe'",
    ],
);
const PRIVATE: (&str, &[&str]) = (
    "<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'/></query>",
    &["Hamlet"],
);

#[tokio::test]
async fn accounts_of_ejabberd_are_at_home() -> Result<()> {
    let mut house = House::with("")?;
    let names = exports(&house, "ejabberd")?;
    let main = names.first().context("a file")?;
    house.ask(&["import", main, "--dry-run"]).await?;
    house.ask(&["import", main]).await?;
    house.start().await?;
    let mut romeo = home(&house, "romeo", "wherefore art thou").await?;
    let card: (&str, &[&str]) = ("<vCard xmlns='vcard-temp'/>", &["Romeo Montague", "Roméo"]);
    let blocked: (&str, &[&str]) = (
        "<blocklist xmlns='urn:xmpp:blocking'/>",
        &["tybalt@example.com"],
    );
    finds(&mut romeo, &[ROSTER, PRIVATE, card, blocked]).await?;
    romeo.send("<presence/>").await?;
    let message = romeo.until(|node| node.name == "message").await?;
    ensure!(
        message.to_string().contains("Good night, good night!"),
        "{message}"
    );
    home(&house, "juliet", "o romeo romeo").await?;
    home(&house, "nurse", "madam").await?;
    Ok(())
}

#[tokio::test]
async fn accounts_of_prosody_are_at_home_and_go_on_to_another_house() -> Result<()> {
    let mut house = House::with("")?;
    let names = exports(&house, "prosody")?;
    let mut words = vec!["import"];
    words.extend(names.iter().map(String::as_str));
    house.ask(&words).await?;
    house.start().await?;
    at_home_from_prosody(&house).await?;
    let first = house.path("first.xml");
    house.ask(&["export", "first.xml"]).await?;

    let mut other = House::with("")?;
    other.ask(&["import", &first.display().to_string()]).await?;
    other.ask(&["export", "second.xml"]).await?;
    let (first, second) = (
        std::fs::read_to_string(first)?,
        std::fs::read_to_string(other.path("second.xml"))?,
    );
    ensure!(first == second, "{first}\n{second}");
    other.start().await?;
    at_home_from_prosody(&other).await?;
    // A running server would not notice.
    let refused = other.command(&["import", "second.xml"]).output().await?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        refused.status.code() == Some(1) && said.contains("another parlour"),
        "{said}"
    );
    Ok(())
}

async fn at_home_from_prosody(house: &House) -> Result<()> {
    let mut romeo = home(house, "romeo", "wherefore art thou").await?;
    let nick: (&str, &[&str]) = (
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/nick'/></pubsub>",
        &["Romy"],
    );
    let bookmarks: (&str, &[&str]) = (
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>",
        &["The Orchard"],
    );
    let config: (&str, &[&str]) = (
        "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='urn:xmpp:bookmarks:1'/></pubsub>",
        &["<value>whitelist</value>"],
    );
    finds(&mut romeo, &[ROSTER, PRIVATE, nick, bookmarks, config]).await?;
    romeo
        .send("<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field><field var='{urn:xmpp:fulltext:0}fulltext'><value>Montague</value></field></x></query></iq>")
        .await?;
    let found = romeo
        .until(|node| node.name == "message" || node.name == "iq")
        .await?;
    ensure!(found.to_string().contains("Art thou not Romeo"), "{found}");
    romeo.send("<presence/>").await?;
    let request = romeo
        .until(|node| node.attribute("type") == Some("subscribe"))
        .await?;
    ensure!(
        request.attribute("from") == Some("nurse@localhost"),
        "{request}"
    );
    home(house, "juliet", "o romeo romeo").await?;
    Ok(())
}

/// What an export with those words says, in JSON.
async fn exported(house: &House, words: &[&str]) -> Result<serde_json::Value> {
    let mut words = words.to_vec();
    words.insert(0, "export");
    words.push("--json");
    let output = house.command(&words).output().await?;
    ensure!(output.status.success(), "{output:?}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[tokio::test]
async fn an_export_is_of_all_of_one_host_or_of_some_accounts() -> Result<()> {
    let hosts = "[[host]]\ndomain = 'localhost'\n[[host]]\ndomain = 'other.localhost'\n";
    let accounts = [
        ("romeo@localhost", "a"),
        ("juliet@localhost", "b"),
        ("romeo@other.localhost", "c"),
    ];
    let house = House::serving(hosts, &accounts).await?;
    for (file, more, expected) in [
        (
            "all.xml",
            &[][..],
            &[(true, "localhost"), (true, "other.localhost")][..],
        ),
        (
            "host.xml",
            &["--host", "other.localhost"],
            &[(false, "localhost"), (true, "other.localhost")],
        ),
        (
            "one.xml",
            &["juliet@localhost"],
            &[(true, "localhost"), (false, "other.localhost")],
        ),
    ] {
        let mut words = vec![file];
        words.extend(more);
        let told = exported(&house, &words).await?;
        let text = std::fs::read_to_string(house.path(file))?;
        let count = text.matches("<user ").count();
        ensure!(told["exported"]["accounts"] == count, "{told}: {text}");
        for (there, host) in expected {
            let named = text.contains(&format!("jid='{host}'"))
                || text.contains(&format!("jid=\"{host}\""));
            ensure!(named == *there, "{file}: {host} in {text}");
        }
    }
    let one = std::fs::read_to_string(house.path("one.xml"))?;
    ensure!(one.contains("juliet") && !one.contains("romeo"), "{one}");
    for words in [
        &["export", "x.xml", "--host", "elsewhere.example"][..],
        &["export", "x.xml", "nobody"],
        &["export", "x.xml", "nobody@localhost"],
        &["export", "x.xml", "romeo@localhost", "--host", "localhost"],
    ] {
        let refused = house.command(words).output().await?;
        ensure!(!refused.status.success(), "{words:?}");
        ensure!(!house.path("x.xml").exists(), "{words:?}");
    }
    Ok(())
}
