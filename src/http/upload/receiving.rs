//! A body on its way to the disk.

use std::io;
use std::pin::pin;

use axum::body::Body;
use futures_util::TryFutureExt as _;
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use tracing::{error, warn};

use super::Refusal;
use crate::config::Upload as Settings;
use crate::store::{Partial, UploadFiles, UploadId};

/// Writes a body of exactly `size` bytes to its place; whatever goes wrong, nothing is left.
pub(super) async fn receive(
    files: &UploadFiles,
    id: &UploadId,
    size: u64,
    body: Body,
    settings: &Settings,
) -> Result<(), Refusal> {
    let transfer = settings.transfer_seconds_max.duration();
    let work = async {
        let mut partial = files.begin(id).await.map_err(|error| refusal(&error))?;
        copy(body, size, &mut partial, settings).await?;
        partial.keep().map_err(|error| refusal(&error)).await
    };
    timeout(transfer, work)
        .await
        .map_err(|_| Refusal::TimedOut)?
}

async fn copy(
    body: Body,
    size: u64,
    partial: &mut Partial,
    settings: &Settings,
) -> Result<(), Refusal> {
    let mut body = pin!(body);
    let mut left = size;
    loop {
        let frame = timeout(settings.idle_seconds.duration(), body.frame()).await;
        let frame = match frame.map_err(|_| Refusal::TimedOut)? {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Err(Refusal::Incomplete),
            None if left == 0 => return Ok(()),
            None => return Err(Refusal::Incomplete),
        };
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        left = left.checked_sub(length).ok_or(Refusal::TooLarge)?;
        let written = partial.write(&bytes).await;
        written.map_err(|error| refusal(&error))?;
    }
}

/// Deletes a file that came and may not stay.
pub(super) async fn discard(files: &UploadFiles, id: &UploadId) {
    if let Err(error) = files.remove(id).await {
        warn!(%error, "an upload could not be deleted");
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Refusal::Conflict,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            error!(%error, "no room for uploads");
            Refusal::NoSpace
        }
        _ => {
            error!(%error, "an upload cannot be written");
            Refusal::Internal
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures_util::stream;

    use super::*;
    use crate::config::Config;

    fn id() -> UploadId {
        UploadId::parse("0123456789abcdef0123456789abcdef").unwrap()
    }

    fn body(parts: Vec<Result<&'static [u8], io::Error>>) -> Body {
        let parts = parts.into_iter().map(|part| part.map(Bytes::from_static));
        Body::from_stream(stream::iter(parts))
    }

    #[tokio::test]
    async fn a_body_of_another_length_leaves_nothing() {
        let broken = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
        for (parts, outcome) in [
            (vec![Ok(b"hello".as_slice()), Ok(b" you")], Ok(())),
            (vec![Ok(b"hello".as_slice())], Err(Refusal::Incomplete)),
            (vec![], Err(Refusal::Incomplete)),
            (
                vec![Ok(b"hello".as_slice()), Ok(b" you!")],
                Err(Refusal::TooLarge),
            ),
            (
                vec![Ok(b"hello".as_slice()), broken()],
                Err(Refusal::Incomplete),
            ),
            (
                vec![Ok(b"hello you".as_slice()), broken()],
                Err(Refusal::Incomplete),
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let files = UploadFiles::new(folder.path());
            let settings = Config::default().upload;
            let done = receive(&files, &id(), 9, body(parts), &settings).await;
            assert_eq!(done, outcome);
            let place = files.place(&id());
            assert_eq!(place.exists(), outcome.is_ok());
            assert!(!place.with_extension("part").exists());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let files = UploadFiles::new(folder.path());
        let settings = Config::default().upload;
        let silent = Body::from_stream(stream::pending::<Result<Bytes, io::Error>>());
        let done = receive(&files, &id(), 9, silent, &settings).await;
        assert_eq!(done, Err(Refusal::TimedOut));
        assert!(!files.place(&id()).with_extension("part").exists());
    }

    #[test]
    fn what_the_disk_says_becomes_a_status() {
        for (kind, wanted) in [
            (io::ErrorKind::StorageFull, Refusal::NoSpace),
            (io::ErrorKind::QuotaExceeded, Refusal::NoSpace),
            (io::ErrorKind::FileTooLarge, Refusal::NoSpace),
            (io::ErrorKind::AlreadyExists, Refusal::Conflict),
            (io::ErrorKind::PermissionDenied, Refusal::Internal),
        ] {
            assert_eq!(refusal(&kind.into()), wanted, "{kind}");
        }
        // ENOSPC and EDQUOT, as Linux numbers them.
        for number in [28, 122] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(refusal(&error), Refusal::NoSpace, "{error}");
        }
    }
}
