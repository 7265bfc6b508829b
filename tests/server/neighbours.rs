//! What operators see of components: in lists, in what went wrong last, and in the numbers for Prometheus.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::time::timeout;

use crate::component_peer::{BOT, barrier, bot, condition, configured, dial, header, open, prove};
use crate::house::{House, PATIENCE};
use crate::peer::{PASSWORD, Peer, Presence, chat};
use crate::web_client::ask;

const PEOPLE: [(&str, &str); 1] = [("romeo@localhost", PASSWORD)];

/// What a command says with `--json`.
async fn told(house: &House, arguments: &[&str]) -> Result<Value> {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    let output = timeout(PATIENCE, house.command(&arguments).output()).await??;
    ensure!(output.status.success(), "{output:?}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The only component as the list shows it.
async fn component(house: &House) -> Result<Value> {
    let list = told(house, &["component", "list"]).await?;
    let first = list.pointer("/components/0").cloned();
    first.with_context(|| list.to_string())
}

async fn number(house: &House, sample: &str) -> Result<f64> {
    let answer = ask(house, "GET", "/metrics", &[], "").await?;
    let line = answer
        .body
        .lines()
        .find_map(|line| line.strip_prefix(sample));
    let value = line.with_context(|| format!("{sample} is not in\n{}", answer.body))?;
    Ok(value.trim().parse()?)
}

#[tokio::test]
async fn a_component_is_shown_with_its_state_and_with_what_waits_for_it() -> Result<()> {
    let house = House::serving(&configured(""), &PEOPLE).await?;
    let connected = format!("parlour_component_connected{{domain=\"{BOT}\"}}");
    let waiting = "parlour_peer_queue_stanzas{kind=\"component\",of=\"all\"}";
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo.send(&chat(BOT, "m1", "are you there?")).await?;
    ensure!(romeo.barrier().await?.is_empty(), "it waits");
    let shown = component(&house).await?;
    ensure!(
        shown["state"] == "away" && shown["queued_stanzas"] == 1,
        "{shown}"
    );
    ensure!(shown["last_failure"].is_null(), "{shown}");
    ensure!(number(&house, &connected).await? == 0.0);
    ensure!(number(&house, waiting).await? == 1.0);

    let mut peer = bot(&house).await?;
    peer.element().await?;
    barrier(&mut peer, "taken").await?;
    let shown = component(&house).await?;
    ensure!(
        shown["state"] == "established" && shown["queued_stanzas"] == 0,
        "{shown}"
    );
    ensure!(shown["address"] == "127.0.0.1", "{shown}");
    ensure!(number(&house, &connected).await? == 1.0);
    ensure!(number(&house, waiting).await? == 0.0);
    let there = "parlour_peers{kind=\"component\",state=\"established\"}";
    ensure!(number(&house, there).await? == 1.0);

    // A stream that was ended for a mistake is over, and says why.
    peer.send("<nonsense/>").await?;
    ensure!(peer.end().await?.as_deref() == Some("unsupported-stanza-type"));
    let shown = component(&house).await?;
    ensure!(
        shown["state"] == "away" && shown["address"].is_null(),
        "{shown}"
    );
    let reason = shown
        .pointer("/last_failure/reason")
        .and_then(Value::as_str);
    ensure!(
        reason == Some("ended with unsupported-stanza-type"),
        "{shown}"
    );
    ensure!(number(&house, &connected).await? == 0.0);
    Ok(())
}

/// What finds no room in the queue, and what waited in vain, is refused and counted.
#[tokio::test]
async fn what_a_component_never_gets_is_counted() -> Result<()> {
    let config = configured("queue_stanzas_max = 16\nreconnect_seconds = 1\n");
    let house = House::serving(&config, &PEOPLE).await?;
    let full = "parlour_stanza_errors_total{condition=\"resource-constraint\"}";
    let away = "parlour_stanza_errors_total{condition=\"remote-server-timeout\"}";
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    for id in 0..17 {
        romeo
            .send(&chat(BOT, &id.to_string(), "are you there?"))
            .await?;
    }
    let mut refused = Vec::new();
    while refused.len() < 17 {
        let node = romeo.element().await?;
        ensure!(node.attribute("type") == Some("error"), "{node}");
        refused.push(condition(&node));
    }
    let count = |name: &str| refused.iter().filter(|it| *it == name).count();
    ensure!(
        count("resource-constraint") == 1 && count("remote-server-timeout") == 16,
        "{refused:?}"
    );
    ensure!(number(&house, full).await? == 1.0);
    ensure!(number(&house, away).await? == 16.0);
    Ok(())
}

#[tokio::test]
async fn who_is_not_let_in_as_a_component_is_remembered_without_what_was_tried() -> Result<()> {
    let house = House::serving(&configured(""), &PEOPLE).await?;
    let mut wrong = dial(&house).await?;
    let id = open(&mut wrong, BOT).await?;
    prove(&mut wrong, &id, "a guess").await?;
    ensure!(wrong.end().await?.as_deref() == Some("not-authorized"));
    let mut unknown = dial(&house).await?;
    unknown.send(&header("sms.localhost")).await?;
    ensure!(unknown.end().await?.as_deref() == Some("host-unknown"));

    let shown = component(&house).await?;
    ensure!(shown["state"] == "away", "{shown}");
    let failure = &shown["last_failure"];
    ensure!(failure["step"] == "handshake", "{shown}");
    ensure!(
        failure["reason"] == "127.0.0.1 was not let in: the secret is wrong",
        "{shown}"
    );
    let all = told(&house, &["s2s", "failures"]).await?;
    let domains = all["failures"].as_array().context("no list")?;
    let domains: Vec<_> = domains.iter().map(|it| it["domain"].as_str()).collect();
    ensure!(domains == [Some("sms.localhost"), Some(BOT)], "{all}");
    ensure!(
        all.pointer("/failures/0/failure/reason")
            .and_then(Value::as_str)
            == Some("127.0.0.1 was not let in: no such component is configured"),
        "{all}"
    );
    Ok(())
}
