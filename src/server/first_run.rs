//! The first run: an account to log in with, and a word on how to go on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ServerError;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::rights::Role;
use crate::proto::BareJid;
use crate::proto::scram::{SALT_BYTES, derive_all};
use crate::store::Store;

/// What is told once.
pub(super) struct Welcome {
    account: BareJid,
    password: String,
}

/// Makes `admin@` the first host when the database holds no account at all; `None` on
/// every later start.
pub(super) async fn welcome(
    store: &Store,
    config: &Config,
    clock: &Clock,
) -> Result<Option<Welcome>, ServerError> {
    for host in &config.hosts {
        if store.accounts().count(host.domain.as_str()).await? > 0 {
            return Ok(None);
        }
    }
    let Some(account) = config
        .hosts
        .first()
        .and_then(|host| BareJid::new(&format!("admin@{}", host.domain.as_str())).ok())
    else {
        return Ok(None);
    };
    let mut random = [0; 15];
    getrandom::fill(&mut random).map_err(|_| ServerError::Random)?;
    let password = URL_SAFE_NO_PAD.encode(random);
    let mut salts = [[0; SALT_BYTES]; 3];
    for salt in &mut salts {
        getrandom::fill(salt).map_err(|_| ServerError::Random)?;
    }
    let keys = derive_all(&password, config.auth.scram_iterations, salts)
        .map_err(|_| ServerError::Random)?;
    let accounts = store.accounts();
    Box::pin(accounts.create(&account, Role::Administrator, &keys, clock.now())).await?;
    Ok(Some(Welcome { account, password }))
}

impl Welcome {
    /// On standard output, past the log: a password never goes into a log.
    #[expect(
        clippy::print_stdout,
        reason = "told once, to whoever started the server"
    )]
    pub(super) fn print(&self) {
        let Self { account, password } = self;
        let domain = account.domain();
        println!(
            "\nParlour is ready for {domain}.\n\n  \
             Log in as  {account}\n  \
             password   {password}    (shown only now)\n\n\
             Add people:  parlour account add NAME@{domain}\n\
             Settings:    parlour config prints them all\n"
        );
    }
}
