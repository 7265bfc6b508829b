//! What an operator is told when something does not work: a database that is not there, somebody who does not get in.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::house::House;
use crate::peer::{PASSWORD, Peer};

/// How long a start may take that comes to nothing: ten seconds for the database, and some for the machine.
const GIVEN_UP: Duration = Duration::from_secs(15);

/// One where nobody listens, and one that takes connections and says nothing.
#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named_without_its_password() -> Result<()> {
    let silent = TcpListener::bind(("127.0.0.1", 0)).await?;
    for address in ["127.0.0.1:1".to_owned(), silent.local_addr()?.to_string()] {
        let house = House::with(&format!(
            "[database]\nurl = 'postgres://parlour:sesame@{address}/parlour'"
        ))?;
        let output = timeout(GIVEN_UP, house.command(&[]).output()).await;
        let output = output.context("it is not given up")??;
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        ensure!(!output.status.success(), "{said}");
        ensure!(said.contains(&address), "{said}");
        ensure!(said.contains("the database failed"), "{said}");
        ensure!(!said.contains("sesame"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_server_on_the_same_database_does_not_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = format!(
        "[database]\nurl = 'sqlite:{}'",
        folder.path().join("parlour.sqlite").display()
    );
    let mut first = House::serving(&config, &[]).await?;
    let mut second = House::with(&config)?;
    let output = timeout(GIVEN_UP, second.command(&[]).output()).await;
    let output = output.context("it is not given up")??;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success(), "{said}");
    ensure!(said.contains("another server is using it"), "{said}");
    // However the first one ends.
    first.signal("KILL").await?;
    first.ended().await?;
    second.start().await
}

#[tokio::test]
async fn who_does_not_get_in_is_logged_with_address_and_reason_and_no_secret() -> Result<()> {
    let house = House::serving("", &[("romeo@localhost", PASSWORD)]).await?;
    let mut peer = Peer::connect(&house, "localhost").await?;
    peer.open().await?;
    ensure!(peer.log_in("romeo", "open sesame", "desk").await.is_err());
    house.logs("login failed", 1).await?;
    let log = house.log();
    let line = log.lines().find(|line| line.contains("login failed"));
    let line = line.context("no line")?;
    for part in ["INFO", "127.0.0.1", "romeo@localhost", "not-authorized"] {
        ensure!(line.contains(part), "{part}: {line}");
    }
    ensure!(
        !log.contains("open sesame") && !log.contains(PASSWORD),
        "{log}"
    );
    Ok(())
}
