//! `parlour demo`: a contact center to walk through, in a folder of its own: agents, reasons, customers, and a connector that
//! plays telephones and chats ([`connector`]).
//!
//! The server is the one that serves everywhere else, started with a configuration that is written into the folder;
//! people and customers come in by the operations of administrators (`people`). Nothing in the server knows of it.

pub mod connector;
mod folder;
mod people;
mod walk;

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use tracing::warn;

use crate::admin::Refusal;
use crate::config::{Component, ComponentRole, Config, ConfigErrors, environment};
use crate::observe::Handle;
use crate::proto::BareJid;
use crate::server::{self, LISTENERS_FILE, Origin, ServerError, Unopened};
use connector::{Terms, Told};
use folder::Folder;

/// The host of the demonstration.
const HOST: &str = "localhost";

/// Between two looks whether the server listens.
const LOOK: Duration = Duration::from_millis(20);

/// Why there is no demonstration.
#[derive(Debug, Error)]
pub enum DemoError {
    /// Its folder, or a file in it.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Its configuration, or a variable that lies over it.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// Its configuration has no connector to play.
    #[error("{}: no [[component]] has role = \"connector\"", .0.display())]
    NoConnector(PathBuf),
    /// Its database.
    #[error(transparent)]
    Store(#[from] Unopened),
    /// People, reasons or customers were not taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server does not start.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// An address of it is none.
    #[error("{0} is no address")]
    Address(String),
    /// No passwords can be made.
    #[error("the system gives no random numbers")]
    Random,
}

/// A demonstration that is ready to be started.
pub struct Demo {
    folder: Folder,
    password: String,
    /// What the server is started with.
    pub config: Config,
}

impl Demo {
    /// Makes the folder, or takes up the one of an earlier demonstration; without a name it is a temporary one,
    /// which goes when this is dropped.
    ///
    /// # Errors
    /// When folder, configuration or database cannot be made.
    pub async fn prepare(keep: Option<PathBuf>) -> Result<Self, DemoError> {
        let folder = Folder::open(keep)?;
        let config = load(&Some(folder.config_file()))?;
        let password = match folder.password()? {
            Some(password) => password,
            None => {
                let password = folder::secret()?;
                Box::pin(people::bring_in(&config, &password)).await?;
                // Last of all: it says that everything is there.
                folder.keep_password(&password)?;
                password
            }
        };
        Ok(Self {
            folder,
            password,
            config,
        })
    }

    /// Serves until it is told to stop, as the server is. `told` gets what is to be printed.
    ///
    /// # Errors
    /// When the server does not start.
    pub async fn serve(self, log: Handle, told: fn(&str)) -> Result<(), DemoError> {
        let listeners = self.config.data_dir.join(LISTENERS_FILE);
        // Of a server that was killed.
        let _ = std::fs::remove_file(&listeners);
        let connector = self.part(ComponentRole::Connector);
        let connector =
            connector.ok_or_else(|| DemoError::NoConnector(self.folder.config_file()))?;
        let walk = walk::Walk {
            password: &self.password,
            connector: connector.domain.as_str(),
            crm: self.part(ComponentRole::Crm),
            kept: self.folder.kept(),
        };
        let terms = (connector.clone(), listeners);
        let origin = Origin {
            load,
            file: Some(self.folder.config_file()),
            log: Some(log),
        };
        let serving = server::run(self.config.clone(), origin);
        let text = move |listeners: &str| walk.text(listeners);
        tokio::select! {
            ending = Box::pin(serving) => ending.map(drop).map_err(DemoError::from),
            never = Box::pin(play(terms, &text, told)) => never.map(|never| match never {}),
        }
    }

    fn part(&self, role: ComponentRole) -> Option<&Component> {
        let mut all = self.config.components.iter();
        all.find(|component| component.role == role)
    }
}

fn load(file: &Option<PathBuf>) -> Result<Config, ConfigErrors> {
    Config::load(file.as_deref(), environment())
}

/// Runs the connector as soon as the server listens, and prints the walk when it is connected.
async fn play(
    (component, listeners): (Component, PathBuf),
    walk: &(dyn Fn(&str) -> String + Sync),
    told: fn(&str),
) -> Result<Infallible, DemoError> {
    let opened = loop {
        match std::fs::read_to_string(&listeners) {
            Ok(opened) => break opened,
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    };
    let address = address(&opened, "component").unwrap_or_default().to_owned();
    let (connected, mut is_connected) = tokio::sync::watch::channel(false);
    let terms = Terms {
        address,
        domain: jid(component.domain.as_str())?,
        secret: component.secret,
        host: jid(HOST)?,
        center: jid(&format!("center.{HOST}"))?,
        told: Box::new(move |happened| match happened {
            Told::Connected => drop(connected.send_replace(true)),
            Told::Written(written) => told(&format!("To {}: {}\n", written.to, written.text)),
            Told::Lost(end) => warn!(%end, "the demonstration's connector is not connected"),
        }),
    };
    let ready = async {
        if is_connected.wait_for(|is| *is).await.is_ok() {
            told(&walk(&opened));
        }
        std::future::pending().await
    };
    tokio::select! {
        never = connector::run(terms) => match never {},
        never = ready => never,
    }
}

fn jid(text: &str) -> Result<BareJid, DemoError> {
    BareJid::new(text).map_err(|_| DemoError::Address(text.to_owned()))
}

/// Where a listener is, as the server has told it.
fn address<'a>(listeners: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = listeners.lines().filter_map(|line| line.split_once(' '));
    lines
        .find(|(name, _)| *name == key)
        .map(|(_, address)| address)
}
