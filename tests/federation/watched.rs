//! What an administrator sees of the streams with another server, on the command line and in the numbers for
//! Prometheus.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::time::timeout;

use crate::exchange::Exchange;
use crate::house::{House, PATIENCE};
use crate::neighbour::Kind;
use crate::stage::{NOWHERE, OURS, Setup, THEIRS, play};
use crate::with_each_neighbour;

with_each_neighbour!(streams_and_failures_are_seen_by_who_operates_the_server);

async fn told(parlour: &House, arguments: &[&str]) -> Result<Value> {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    let output = timeout(PATIENCE, parlour.command(&arguments).output()).await??;
    ensure!(output.status.success(), "{output:?}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn number(parlour: &House, sample: &str) -> Result<f64> {
    let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n";
    let reply = Exchange::whole(parlour, head, b"").await?;
    let page = String::from_utf8(reply.body)?;
    let line = page.lines().find_map(|line| line.strip_prefix(sample));
    let value = line.with_context(|| format!("{sample} is not in\n{page}"))?;
    Ok(value.trim().parse()?)
}

async fn streams_and_failures_are_seen_by_who_operates_the_server(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let established = "parlour_peers{kind=\"server\",state=\"established\"}";
        ensure!(number(&stage.parlour, established).await? == 0.0);
        let none = told(&stage.parlour, &["s2s", "list"]).await?;
        ensure!(none["total"] == 0, "{none}");

        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        romeo.writes(juliet.bare(), "1", "a word").await?;
        juliet.reads("a word").await?;
        let list = told(&stage.parlour, &["s2s", "list"]).await?;
        let connections = list["connections"].as_array().context("no list")?;
        let ours = |it: &&Value| it["domain"] == THEIRS && it["direction"] != "in";
        let stream = connections
            .iter()
            .find(ours)
            .with_context(|| list.to_string())?;
        ensure!(
            stream["state"] == "established" && stream["local"] == OURS,
            "{list}"
        );
        ensure!(stream["security"] == "TLS and certificate", "{list}");
        ensure!(stream["queued_stanzas"] == 0, "{list}");
        ensure!(number(&stage.parlour, established).await? >= 1.0);

        let to = format!("nobody@{NOWHERE}");
        romeo.writes(&to, "2", "is anybody there?").await?;
        romeo.is_refused("2").await?;
        let all = told(&stage.parlour, &["s2s", "failures"]).await?;
        let latest = all
            .pointer("/failures/0")
            .with_context(|| all.to_string())?;
        ensure!(latest["domain"] == NOWHERE, "{all}");
        let failure = &latest["failure"];
        ensure!(
            failure["reason"].as_str().is_some_and(|it| !it.is_empty()),
            "{all}"
        );
        let of_one = told(&stage.parlour, &["s2s", "failures", "--domain", NOWHERE]).await?;
        ensure!(
            of_one.pointer("/failures/0/failure") == Some(failure),
            "{of_one}"
        );
        let of_other = told(&stage.parlour, &["s2s", "failures", "--domain", THEIRS]).await?;
        ensure!(
            of_other["failures"] == Value::Array(Vec::new()),
            "{of_other}"
        );
        Ok(())
    })
    .await
}
