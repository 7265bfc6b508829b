//! The simulated connector of `parlour demo`, for any server: a component that plays telephones, chats and e-mail.
//!
//! ```sh
//! cargo run --example connector -- 127.0.0.1:5347 phones.example.org SECRET example.org
//! ```
//!
//! The server's address for components, the connector's domain, its secret, and the host whose agents it has. The server knows it by its
//! configuration:
//!
//! ```toml
//! [listen]
//! component = ["127.0.0.1:5347"]
//!
//! [[component]]
//! domain = "phones.example.org"
//! secret = "…"
//! role = "connector"
//!
//! [contact_center]
//! delivery = "phones.example.org"
//! ```
//!
//! What agents pass to customers it prints, and says in the customer's chat where there is one.
//!
//! Anybody of the host steers it by messages to its domain: "help" tells how. Others on this machine may see the secret among the
//! arguments; `-` in its place takes it from `CONNECTOR_SECRET`.

#![expect(
    clippy::print_stdout,
    reason = "whoever started the connector shall see what it does"
)]

use std::env;

use anyhow::{Context as _, Result, bail};
use parlour::demo::connector::{Terms, Told, run};
use parlour::observe::Secret;
use parlour::proto::BareJid;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, domain, secret, host] = arguments.as_slice() else {
        bail!("expected four arguments: ADDRESS:PORT DOMAIN SECRET HOST");
    };
    let secret = match secret.as_str() {
        "-" => env::var("CONNECTOR_SECRET").context("CONNECTOR_SECRET is not set")?,
        secret => secret.to_owned(),
    };
    let center = BareJid::new(&format!("center.{host}"))?;
    let terms = Terms {
        address: address.clone(),
        domain: BareJid::new(domain)?,
        secret: Secret::new(secret),
        host: BareJid::new(host)?,
        center,
        told: Box::new(|happened| match happened {
            Told::Connected => println!("connected"),
            Told::Written(written) => println!("to {}: {}", written.to, written.text),
            Told::Lost(end) => println!("not connected: {end}"),
        }),
    };
    match Box::pin(run(terms)).await {}
}
