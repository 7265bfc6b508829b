//! Logging in with SASL (RFC 6120 §6), by the `sasl` crate.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sasl::client::Mechanism;
use sasl::client::mechanisms::{Plain, Scram};
use sasl::common::scram::{Sha1, Sha256};
use sasl::common::{ChannelBinding, Credentials};

use crate::client::Client;
use crate::xml::Node;

const NS: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SASL2: &str = "urn:xmpp:sasl:2";

/// Authenticates by SASL2 (XEP-0388) and gives the features behind `<success/>`.
pub(crate) async fn authenticate2(
    client: &mut Client,
    features: &Node,
    (user, password): (&str, &str),
    name: &str,
) -> Result<Node> {
    let offered = features.child("authentication").is_some_and(|list| {
        let mut offered = list.children.iter();
        offered.any(|it| it.name == "mechanism" && it.text == name)
    });
    ensure!(offered, "{name} is not on offer: {features}");
    let mut mechanism = mechanism(client, name, user, password)?;
    let initial = BASE64.encode(mechanism.initial());
    let initial = format!("<initial-response>{initial}</initial-response>");
    client
        .send(
            format!("<authenticate xmlns='{SASL2}' mechanism='{name}'>{initial}</authenticate>")
                .as_bytes(),
        )
        .await?;
    loop {
        let answer = client.element().await?;
        match answer.name.as_str() {
            "challenge" => {
                let data = BASE64.decode(&answer.text).context("not base64")?;
                let said = mechanism.response(&data).map_err(|why| anyhow!("{why}"))?;
                let said = BASE64.encode(said);
                client
                    .send(format!("<response xmlns='{SASL2}'>{said}</response>").as_bytes())
                    .await?;
            }
            "success" => {
                let data = answer.child("additional-data");
                let data = data.map_or("", |data| data.text.as_str());
                let data = BASE64.decode(data).context("not base64")?;
                mechanism.success(&data).map_err(|why| anyhow!("{why}"))?;
                let features = client.element().await?;
                ensure!(features.name == "features", "no features but {features}");
                return Ok(features);
            }
            _ => bail!("authentication failed: {answer}"),
        }
    }
}

/// What is tried when a script names nothing, the best first.
const PREFERRED: [&str; 3] = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"];

/// Authenticates on a stream whose `features` were just read, and opens the next stream.
pub(crate) async fn authenticate(
    client: &mut Client,
    features: &Node,
    (user, password): (&str, &str),
    wanted: Option<&str>,
) -> Result<()> {
    let offered: Vec<&str> = features
        .child("mechanisms")
        .map(|list| {
            list.children
                .iter()
                .map(|name| name.text.as_str())
                .collect()
        })
        .unwrap_or_default();
    let name = wanted
        .or_else(|| PREFERRED.into_iter().find(|name| offered.contains(name)))
        .with_context(|| format!("no mechanism fits: {features}"))?;
    ensure!(
        offered.contains(&name),
        "{name} is not on offer: {offered:?}"
    );
    let mut mechanism = mechanism(client, name, user, password)?;
    let initial = BASE64.encode(mechanism.initial());
    client
        .send(format!("<auth xmlns='{NS}' mechanism='{name}'>{initial}</auth>").as_bytes())
        .await?;
    loop {
        let answer = client.element().await?;
        let data = BASE64.decode(&answer.text).context("not base64")?;
        match answer.name.as_str() {
            "challenge" => {
                let said = mechanism.response(&data).map_err(|why| anyhow!("{why}"))?;
                let said = BASE64.encode(said);
                client
                    .send(format!("<response xmlns='{NS}'>{said}</response>").as_bytes())
                    .await?;
            }
            // The mechanism checks the server's signature (RFC 5802 §3).
            "success" => {
                mechanism.success(&data).map_err(|why| anyhow!("{why}"))?;
                return Ok(());
            }
            _ => bail!("authentication failed: {answer}"),
        }
    }
}

fn mechanism(
    client: &Client,
    name: &str,
    user: &str,
    password: &str,
) -> Result<Box<dyn Mechanism>> {
    let credentials = Credentials::default()
        .with_username(user)
        .with_password(password)
        .with_channel_binding(ChannelBinding::None);
    let bound = || -> Result<Credentials> {
        let exported = client
            .tls_exporter()
            .context("channel binding without TLS")?;
        Ok(credentials
            .clone()
            .with_channel_binding(ChannelBinding::TlsExporter(exported)))
    };
    let made: Box<dyn Mechanism> = match name {
        "PLAIN" => Box::new(Plain::new(user, password)),
        "SCRAM-SHA-1" => {
            Box::new(Scram::<Sha1>::from_credentials(credentials).map_err(|why| anyhow!("{why}"))?)
        }
        "SCRAM-SHA-256" => Box::new(
            Scram::<Sha256>::from_credentials(credentials).map_err(|why| anyhow!("{why}"))?,
        ),
        "SCRAM-SHA-1-PLUS" => {
            Box::new(Scram::<Sha1>::from_credentials(bound()?).map_err(|why| anyhow!("{why}"))?)
        }
        "SCRAM-SHA-256-PLUS" => {
            Box::new(Scram::<Sha256>::from_credentials(bound()?).map_err(|why| anyhow!("{why}"))?)
        }
        _ => bail!("the test client does not speak {name}"),
    };
    Ok(made)
}
