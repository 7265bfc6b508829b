//! Passwords become keys (RFC 5802 §3) on threads that may block: deriving takes
//! milliseconds to tenths of a second.

use futures_util::{StreamExt, stream};

use super::refusal::Refusal;
use crate::observe::Secret;
use crate::proto::scram::{PasswordError, SALT_BYTES, ScramHash, ScramKeys, derive_all};

/// The keys of a password for every hash, with fresh salts.
///
/// # Errors
/// [`Refusal::NotAcceptable`] when the password cannot be set.
pub async fn keys(password: Secret<String>, iterations: u32) -> Result<Vec<ScramKeys>, Refusal> {
    match derive(password, iterations).await? {
        Ok(keys) => Ok(keys),
        Err(error) => Err(Refusal::NotAcceptable(error.to_string())),
    }
}

/// As [`keys`] for many passwords, on all processors; the answers are in their order.
///
/// # Errors
/// When the system fails; what is wrong with a password stands at its place.
pub(super) async fn keys_of_many(
    passwords: Vec<Secret<String>>,
    iterations: u32,
) -> Result<Vec<Result<Vec<ScramKeys>, PasswordError>>, Refusal> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut derived = stream::iter(passwords)
        .map(|password| derive(password, iterations))
        .buffered(threads);
    let mut all = Vec::new();
    while let Some(keys) = derived.next().await {
        all.push(keys?);
    }
    Ok(all)
}

async fn derive(
    password: Secret<String>,
    iterations: u32,
) -> Result<Result<Vec<ScramKeys>, PasswordError>, Refusal> {
    let mut salts = [[0; SALT_BYTES]; ScramHash::ALL.len()];
    for salt in &mut salts {
        getrandom::fill(salt).map_err(|error| {
            Refusal::Failed(format!("the system gives no random numbers: {error}"))
        })?;
    }
    let work = move || derive_all(password.expose(), iterations, salts);
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Refusal::Failed(format!("deriving the keys broke off: {error}")))
}
