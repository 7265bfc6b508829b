//! What those see who watch the server: systemd, whoever sends clients to it, Prometheus.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use crate::house::{House, PATIENCE};
use crate::peer::{PASSWORD, Peer, Presence};
use crate::postgres;
use crate::web_client::ask;

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];

async fn told(socket: &UnixDatagram, what: &str) -> Result<()> {
    let mut datagram = [0; 512];
    let hearing = async {
        loop {
            let count = socket.recv(&mut datagram).await?;
            let said = String::from_utf8_lossy(datagram.get(..count).unwrap_or_default());
            if said.lines().any(|line| line == what) {
                return anyhow::Ok(());
            }
        }
    };
    let heard = timeout(PATIENCE, hearing).await;
    heard.with_context(|| format!("{what} is not said"))?
}

// sd_notify(3)
#[tokio::test]
async fn systemd_is_told_that_the_server_serves_lives_and_stops() -> Result<()> {
    let mut house = House::with("")?;
    let path = house.path("notify");
    let socket = UnixDatagram::bind(&path)?;
    house.variable("NOTIFY_SOCKET", &path.display().to_string());
    house.variable("WATCHDOG_USEC", "200000");
    house.start().await?;
    told(&socket, "READY=1").await?;
    told(&socket, "WATCHDOG=1").await?;
    house.signal("TERM").await?;
    told(&socket, "STOPPING=1").await?;
    ensure!(house.ended().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_server_is_ready_until_it_begins_to_stop_and_healthy_to_the_end() -> Result<()> {
    let mut house = House::serving("[c2s]\ndrain_seconds = 600", &PEOPLE).await?;
    for path in ["/healthz", "/readyz"] {
        ensure!(
            ask(&house, "GET", path, &[], "").await?.status == 200,
            "{path}"
        );
    }
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    house.signal("TERM").await?;
    // One of the two is ended at once, the other after five minutes, or by the second signal.
    let first = timeout(PATIENCE, async {
        tokio::select! {
            end = romeo.end() => (end, "romeo"),
            end = juliet.end() => (end, "juliet"),
        }
    });
    let (end, who) = first.await.context("nobody is ended")?;
    ensure!(end?.as_deref() == Some("system-shutdown"));
    ensure!(ask(&house, "GET", "/readyz", &[], "").await?.status == 503);
    ensure!(ask(&house, "GET", "/healthz", &[], "").await?.status == 200);
    let other = if who == "romeo" {
        &mut juliet
    } else {
        &mut romeo
    };
    other.barrier().await.context("the other one goes on")?;
    let refused = timeout(PATIENCE, async {
        while Peer::connect(&house, "localhost").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    refused.await.context("new sessions are let in")?;
    house.signal("TERM").await?;
    ensure!(other.end().await?.as_deref() == Some("system-shutdown"));
    ensure!(house.ended().await?.success());
    Ok(())
}

/// A database that is gone makes the server unready, not unhealthy: another start would not bring it back.
#[tokio::test]
async fn a_server_without_its_database_is_not_ready() -> Result<()> {
    let url = postgres::database().await;
    let house = House::serving(&format!("[database]\nurl = \"{url}\""), &PEOPLE).await?;
    let status = async |path| anyhow::Ok(ask(&house, "GET", path, &[], "").await?.status);
    ensure!(status("/readyz").await? == 200);
    let options: PgConnectOptions = url.parse()?;
    let name = options.get_database().context("no name")?.to_owned();
    let mut other = options.database("postgres").connect().await?;
    let says = |text: String| AssertSqlSafe(text);
    other
        .execute(says(format!(
            "alter database {name} with allow_connections false"
        )))
        .await?;
    other
        .execute(says(format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
        )))
        .await?;
    ensure!(status("/readyz").await? == 503);
    ensure!(status("/healthz").await? == 200);
    other
        .execute(says(format!(
            "alter database {name} with allow_connections true"
        )))
        .await?;
    let ready = timeout(PATIENCE, async {
        while status("/readyz").await? != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    });
    ready.await.context("it is not ready again")??;
    // It serves as before.
    Peer::session(&house, "romeo", Presence::Available)
        .await?
        .barrier()
        .await?;
    Ok(())
}

#[tokio::test]
async fn numbers_are_for_operators_and_nobody_behind_a_proxy_is_one() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    for (headers, status) in [
        (&[][..], 200),
        (&[("x-forwarded-for", "203.0.113.7")], 403),
        (&[("x-forwarded-for", "127.0.0.1, 203.0.113.7")], 403),
    ] {
        let answer = ask(&house, "GET", "/metrics", headers, "").await?;
        ensure!(answer.status == status, "{headers:?}: {answer:?}");
    }
    let closed = House::serving("[http]\noperator_networks = ['10.0.0.0/8']", &PEOPLE).await?;
    ensure!(ask(&closed, "GET", "/metrics", &[], "").await?.status == 403);
    Ok(())
}
