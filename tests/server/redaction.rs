//! What never stands in the log, however much is logged.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::authority::{ANY, client, repository_authority};
use crate::house::House;
use crate::peer::{Peer, chat};
use crate::scram_client::{Hash, Login};

const OLD: &str = "old-pass-zkq81";
const NEW: &str = "new-pass-vbw27";
const OTHER: &str = "cli-pass-hjx53";
const BODY: &str = "body-text-pmr94";

/// Logs in twice, changes a password, writes to somebody there and to somebody away, has an
/// account added. Returns what the log may not have.
async fn talk(house: &House) -> Result<Vec<String>> {
    let mut secrets: Vec<String> = [OLD, NEW, OTHER, BODY].map(str::to_owned).to_vec();
    let tls = client(&repository_authority()?, None, ANY)?;
    let mut peer = Peer::starttls(house, "localhost", &tls).await?;
    peer.open().await?;
    peer.authenticate("PLAIN", b"\0anna\0wrong-pass-qqq")
        .await?;
    secrets.push("wrong-pass-qqq".to_owned());
    peer.log_in("anna", OLD, "plain").await?;
    secrets.push(BASE64.encode(format!("\0anna\0{OLD}")));
    peer.send("<presence/>").await?;
    peer.send(&format!(
        "<iq type='set' id='change'><query xmlns='jabber:iq:register'>\
         <username>anna</username><password>{NEW}</password></query></iq>"
    ))
    .await?;
    let changed = peer
        .until(|node| node.attribute("id") == Some("change"))
        .await?;
    ensure!(changed.attribute("type") == Some("result"), "{changed}");

    let mut second = Peer::direct(house, "localhost", &tls).await?;
    second.open().await?;
    let login = Login {
        hash: Hash::Sha256,
        plus: false,
        flag: "n",
        binding: Vec::new(),
        user: "anna",
        password: NEW,
        offered: None,
    };
    let outcome = login.run(&mut second).await?;
    ensure!(outcome.answer.name == "success", "{}", outcome.answer);
    secrets.extend(outcome.secrets);
    secrets.push(outcome.answer.text);
    second.open().await?;
    second.bind("scram").await?;
    house
        .ask(&["account", "add", "carl@localhost", "--password", OTHER])
        .await?;
    for to in ["anna@localhost", "carl@localhost", "nobody@localhost"] {
        second.send(&chat(to, "m", BODY)).await?;
    }
    second.barrier().await?;
    // Not well-formed, and said to be so.
    second
        .send(&format!("<message><body>{BODY}</bad></message>"))
        .await?;
    second.end().await?;
    Ok(secrets)
}

async fn logged(format: &str) -> Result<String> {
    let config = format!("[log]\nlevel = 'trace'\nformat = '{format}'");
    let mut house = House::serving(&config, &[("anna@localhost", OLD)]).await?;
    let secrets = talk(&house).await?;
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    let log = house.log();
    // It is the log of all that: both logins are in it.
    for told in ["anna@localhost/plain", "anna@localhost/scram"] {
        ensure!(log.contains(told), "{told} is not in the log");
    }
    for secret in secrets {
        let found = log.lines().find(|line| line.contains(&secret));
        ensure!(found.is_none(), "{secret} is in the log: {found:?}");
    }
    Ok(log)
}

#[tokio::test]
async fn a_log_in_text_holds_no_secret_at_the_finest_level() -> Result<()> {
    logged("text").await.map(drop)
}

#[tokio::test]
async fn a_log_in_json_holds_no_secret_and_names_the_connection_in_every_line_of_it() -> Result<()>
{
    let log = logged("json").await?;
    let mut of_connections = 0;
    for line in log.lines() {
        let event: Value =
            serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
        let target = event["target"].as_str().unwrap_or_default();
        let connection = ["parlour::session", "parlour::stream", "rustls::server"];
        if !connection.iter().any(|part| target.starts_with(part)) {
            continue;
        }
        of_connections += 1;
        let spans = event["spans"].as_array().cloned().unwrap_or_default();
        let named = spans
            .iter()
            .any(|span| span["name"] == "session" && span["id"].is_string());
        ensure!(named, "no connection is named: {line}");
    }
    ensure!(of_connections > 4, "no line is of a connection:\n{log}");
    Ok(())
}
