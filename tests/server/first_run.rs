//! A first start in an empty folder, with nothing but environment variables.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result, ensure};

use crate::authority::{ANY, client};
use crate::house::House;
use crate::peer::Peer;

const VARIABLES: [(&str, &str); 4] = [
    ("PARLOUR_LISTEN_C2S", "127.0.0.1:0"),
    ("PARLOUR_LISTEN_C2S_DIRECT_TLS", "127.0.0.1:0"),
    ("PARLOUR_LISTEN_HTTP", "127.0.0.1:0"),
    ("PARLOUR_LISTEN_HTTPS", "127.0.0.1:0"),
];

#[tokio::test]
async fn a_first_run_in_an_empty_folder_makes_all_that_is_needed_to_log_in() -> Result<()> {
    let mut house = House::empty(&VARIABLES)?;
    house.start().await?;
    house.says("parlour account add NAME@localhost").await?;
    let said = house.said();
    ensure!(said.contains("admin@localhost"), "{said}");
    let password = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("password"))
        .and_then(|rest| rest.split_whitespace().next())
        .context("no password is told")?;
    ensure!(
        !house.log().contains(password),
        "the password is in the log"
    );

    let mode = std::fs::metadata(house.path("data"))?.permissions().mode();
    ensure!(mode & 0o777 == 0o700, "data has mode {mode:o}");

    // The certificate that was made is the only one in the folder.
    let made = pem_files(&house)?;
    let made = made.iter().find(|text| text.contains("BEGIN CERTIFICATE"));
    let tls = client(made.context("no certificate was made")?, None, ANY)?;
    for direct in [true, false] {
        let mut peer = if direct {
            Peer::direct(&house, "localhost", &tls).await?
        } else {
            Peer::starttls(&house, "localhost", &tls).await?
        };
        peer.open().await?;
        let jid = peer.log_in("admin", password, "first").await?;
        ensure!(jid == "admin@localhost/first", "{jid}");
        peer.barrier().await?;
    }

    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    house.start().await?;
    // It speaks of the account before it takes connections for long: a whole login later
    // it has said all that it says.
    let mut peer = Peer::direct(&house, "localhost", &tls).await?;
    peer.open().await?;
    peer.log_in("admin", password, "second").await?;
    ensure!(house.said().is_empty(), "said again: {}", house.said());
    Ok(())
}

#[tokio::test]
async fn a_first_start_that_fails_does_not_use_up_the_password() -> Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let mut house = House::empty(&[
        ("PARLOUR_LISTEN_C2S", &address),
        ("PARLOUR_LISTEN_C2S_DIRECT_TLS", "127.0.0.1:0"),
        ("PARLOUR_LISTEN_HTTP", "127.0.0.1:0"),
        ("PARLOUR_LISTEN_HTTPS", "127.0.0.1:0"),
    ])?;
    ensure!(house.start().await.is_err(), "started on a port in use");
    drop(taken);
    house.start().await?;
    house.says("admin@localhost").await?;
    house.says("(shown only now)").await
}

fn pem_files(house: &House) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![house.path("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "pem") {
                found.push(std::fs::read_to_string(path)?);
            }
        }
    }
    Ok(found)
}
