//! The account of somebody who is known elsewhere: made at the first login, with the role that the source
//! gives at every one.

use tracing::{info, warn};

use super::Person;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::domain::rights::Role;
use crate::proto::common::vcard;
use crate::store::{Put, Store, StoreError, Vcard};

/// What became of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is the person's. Whether it is enabled has not been looked at.
    Theirs,
    /// The same, and it has another role than before.
    WithAnotherRole,
    /// It has a password of its own here, or is somebody's whom another source knows: whoever took the
    /// name first. It is not given to the person, for the other would still get in, and the
    /// person would find what is the other's.
    NotTheirs,
}

/// Sees to it that the person has an account.
///
/// # Errors
/// When the database fails.
pub async fn admit(
    store: &Store,
    config: &Config,
    person: &Person,
    now: Timestamp,
) -> Result<Admitted, StoreError> {
    // Compiled for both databases; on the heap it does not swell its callers' futures.
    Box::pin(async {
        let found = store.accounts().find(&person.account).await?;
        let role = match found {
            Some(account) => account.role,
            None => make(store, config, person, now).await?,
        };
        let source = person.source.as_str();
        let sources = store.account_sources();
        let noted = sources.find(&person.account).await?;
        let is_theirs = noted.as_deref() == Some(source)
            || sources.put(&person.account, source).await?;
        if !is_theirs {
            warn!(
                account = %person.account,
                source,
                "the account is somebody else's; an administrator has to remove it before this person gets in"
            );
            return Ok(Admitted::NotTheirs);
        }
        if let Some(given) = person.role.filter(|given| *given != role) {
            store.accounts().set_role(&person.account, given).await?;
            info!(account = %person.account, role = given.name(), source, "role given");
            return Ok(Admitted::WithAnotherRole);
        }
        Ok(Admitted::Theirs)
    })
    .await
}

async fn make(
    store: &Store,
    config: &Config,
    person: &Person,
    now: Timestamp,
) -> Result<Role, StoreError> {
    let role = person.role.unwrap_or(Role::Member);
    match store
        .accounts()
        .create(&person.account, role, &[], now)
        .await
    {
        Ok(()) => {
            info!(account = %person.account, source = person.source.as_str(), "account made");
        }
        // Another login of the same person was first.
        Err(StoreError::Conflict(_)) => return Ok(role),
        Err(error) => return Err(error),
    }
    if let Some(name) = &person.name {
        let vcard = Vcard {
            xml: vcard::named(name),
            updated_at: now,
        };
        let bytes_max = config.vcard.bytes_max.as_usize();
        match store
            .vcards()
            .put(&person.account, &vcard, bytes_max)
            .await?
        {
            Put::Stored => {}
            Put::Full => warn!(account = %person.account, "the name is too long for a vCard"),
        }
    }
    Ok(role)
}
