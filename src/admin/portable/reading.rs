//! Accounts out of a file, one after the other.

use std::path::Path;

use super::document::{Document, Found, Place};
use super::person::{Person, Reader};
use super::{Imported, PortableError, Rules};
use crate::admin::password;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::proto::BareJid;
use crate::store::{Store, StoreError};
use crate::xml::Parsed;

/// Reads the accounts of a file; with `dry_run` it only tells what would become of them. The server must not run.
///
/// What is wrong with one account is told, and the others go on.
///
/// # Errors
/// When the database fails, or the file cannot be read to its end; `imported` has what was done before.
pub async fn import(
    store: &Store,
    config: &Config,
    rules: &Rules,
    (path, now): (&Path, Timestamp),
    dry_run: bool,
    imported: &mut Imported,
) -> Result<(), PortableError> {
    let reader = Reader { config, rules, now };
    let mut document = Document::open(path)?;
    while let Some(found) = document.next()? {
        let (host, place, user) = match found {
            Found::Problem(remark) => {
                imported.problem(remark);
                continue;
            }
            Found::User { host, place, user } => (host, place, user),
        };
        let name = user.tag.attribute("name").unwrap_or_default();
        let named = format!("{name}@{host}");
        match one(store, &reader, (&host, name), (&place, &user), dry_run).await? {
            Ok((jid, notes)) => {
                imported.accounts += 1;
                for note in notes {
                    imported.note(place.remark(Some(jid.to_string()), note));
                }
            }
            Err(why) => {
                imported.skipped += 1;
                imported.problem(place.remark(Some(named), why));
            }
        }
    }
    Ok(())
}

type Taken = Result<(BareJid, Vec<String>), String>;

/// Takes one account in; the inner error is why it is skipped.
async fn one(
    store: &Store,
    reader: &Reader<'_>,
    (host, name): (&str, &str),
    (place, user): (&Place, &Parsed),
    dry_run: bool,
) -> Result<Taken, PortableError> {
    let jid = match address(reader.config, host, name) {
        Ok(jid) => jid,
        Err(why) => return Ok(Err(why)),
    };
    if store.accounts().find(&jid).await?.is_some() {
        return Ok(Err(EXISTS.to_owned()));
    }
    let person = match reader.person(jid.clone(), place, user) {
        Ok(person) => person,
        Err(why) => return Ok(Err(why)),
    };
    let Person {
        mut arrival,
        password,
        notes,
    } = person;
    if let Some(password) = password {
        let iterations = reader.config.auth.scram_iterations;
        let derived = password::keys_of_many(vec![password], iterations).await;
        let mut derived = derived.map_err(|refusal| PortableError::Keys(refusal.to_string()))?;
        match derived.pop() {
            Some(Ok(keys)) => arrival.keys = keys,
            Some(Err(error)) => return Ok(Err(error.to_string())),
            None => {}
        }
    }
    if dry_run {
        return Ok(Ok((jid, notes)));
    }
    match Box::pin(store.arrivals().take(&arrival, reader.now)).await {
        Ok(()) => Ok(Ok((jid, notes))),
        Err(StoreError::Conflict(_)) => Ok(Err(EXISTS.to_owned())),
        Err(error) => Err(error.into()),
    }
}

const EXISTS: &str = "there is such an account already; it stays as it is";

fn address(config: &Config, host: &str, name: &str) -> Result<BareJid, String> {
    // Put together first, "a@b" of a host "c" would be somebody else's.
    if name.is_empty() || name.contains(['@', '/']) || host.contains(['@', '/']) {
        return Err(format!("{name:?} is no name of an account"));
    }
    let jid = BareJid::new(&format!("{name}@{host}"));
    let jid = jid.map_err(|error| format!("{name:?} is no name of an account: {error}"))?;
    let served = |domain: &str| {
        config
            .hosts
            .iter()
            .any(|host| host.domain.as_str() == domain)
    };
    if served(jid.domain().as_str()) {
        Ok(jid)
    } else {
        Err(format!("{host} is no host of this server"))
    }
}
