//! Where files of XEP-0363 (HTTP File Upload) come in and go out: `/upload/<id>/<name>`.
//!
//! A file is taken once, for a slot that was granted over XMPP, from whoever has the slot's token; it
//! must be exactly as long as the slot says. It is given to everybody who knows its URL, always in a way
//! in which a browser runs nothing of it. The name in the URL is for people: it is compared, and no path
//! is ever made of it. Files of message streams go out the same way at `/attachment/<id>/<name>`, to whom the
//! contact center shows them.

mod answer;
mod attachment;
mod coming;
mod receiving;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tower_http::services::ServeFile;
use tracing::{debug, error};

pub(super) use coming::Coming;

use super::{Web, cors};
use crate::config::Upload as Settings;
use crate::hooks::Services;
use crate::proto::MediaType;
use crate::store::{StoreError, Upload, UploadFiles, UploadId};

/// How long one who finds all places taken should wait, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// The routes of this file.
pub(super) fn routes(web: &Arc<Web>) -> Router {
    let door = Arc::new(Door {
        files: UploadFiles::new(&web.config().data_dir),
        web: Arc::clone(web),
    });
    let file = get(give).put(take).options(preflight);
    Router::new()
        .route("/upload/{id}/{name}", file)
        .route("/attachment/{id}/{name}", attachment::routes())
        .layer(from_fn_with_state(Arc::clone(&door), allow_origins))
        .with_state(door)
}

struct Door {
    files: UploadFiles,
    web: Arc<Web>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// There is no such file or slot.
    NotFound,
    /// The token is wrong or missing, or the slot's time is over.
    Forbidden,
    /// The file is there already, or coming in.
    Conflict,
    /// It is not said how long the file is.
    LengthRequired,
    /// It is longer than the slot.
    TooLarge,
    /// It is shorter than the slot, or broke off.
    Incomplete,
    /// It is of another type than the slot.
    UnsupportedType,
    /// Nothing came for too long.
    TimedOut,
    /// Too many files are coming in.
    Busy,
    /// The disk is full.
    NoSpace,
    /// Our fault.
    Internal,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "no such file"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "not allowed, or too late"),
            Self::Conflict => (StatusCode::CONFLICT, "uploaded already"),
            Self::LengthRequired => (StatusCode::LENGTH_REQUIRED, "Content-Length is missing"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "longer than the slot"),
            Self::Incomplete => (StatusCode::BAD_REQUEST, "shorter than the slot"),
            Self::UnsupportedType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "another type than the slot",
            ),
            Self::TimedOut => (StatusCode::REQUEST_TIMEOUT, "nothing came"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "too many uploads"),
            Self::NoSpace => (StatusCode::INSUFFICIENT_STORAGE, "no room left"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        };
        let mut response = (status, format!("{text}\n")).into_response();
        if self == Self::Busy {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        error!(error = &error as &dyn std::error::Error, "store failed");
        Self::Internal
    }
}

impl Door {
    fn services(&self) -> &Arc<Services> {
        self.web.listener.router.services()
    }

    fn settings(&self) -> &Settings {
        &self.services().config.upload
    }

    /// The slot or file of that URL.
    async fn find(&self, id: &UploadId, name: &str) -> Result<Upload, Refusal> {
        let found = self.services().store.uploads().find(id).await?;
        let upload = found.filter(|upload| upload.file_name == name);
        upload.ok_or(Refusal::NotFound)
    }

    /// What becomes of a file that lies in its place and could not be noted. It is deleted only when
    /// nothing speaks of it any more: what is noted already may have been given to somebody.
    async fn unnoted(&self, id: &UploadId) -> Refusal {
        match self.services().store.uploads().find(id).await {
            Ok(None) => {
                receiving::discard(&self.files, id).await;
                Refusal::NotFound
            }
            Ok(Some(_)) => Refusal::Conflict,
            Err(error) => error.into(),
        }
    }
}

fn parse(id: &str) -> Result<UploadId, Refusal> {
    UploadId::parse(id).ok_or(Refusal::NotFound)
}

/// PUT.
async fn take(
    State(door): State<Arc<Door>>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let id = parse(&id)?;
    // Before the look and until the file is noted: another upload must not come in between.
    let mut entered = door.web.uploads.enter(&id)?;
    let slot = door.find(&id, &name).await?;
    admit(&slot, request.headers(), &door)?;
    entered.take_place(&slot.owner)?;
    let body = request.into_body();
    receiving::receive(&door.files, &id, slot.size, body, door.settings()).await?;
    let now = door.services().clock.now();
    let stored = door.services().store.uploads().stored(&id, now).await;
    match stored {
        Ok(true) => {
            debug!(bytes = slot.size, "file uploaded");
            Ok(StatusCode::CREATED.into_response())
        }
        // The account went while its file came.
        Ok(false) => Err(door.unnoted(&id).await),
        Err(error) => {
            door.unnoted(&id).await;
            Err(error.into())
        }
    }
}

/// Whether the upload may begin (§7): before a byte of it is read.
fn admit(slot: &Upload, headers: &HeaderMap, door: &Door) -> Result<(), Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(Refusal::Forbidden)?;
    let hash = Sha256::digest(token.as_bytes());
    if !bool::from(hash.as_slice().ct_eq(&slot.token_hash)) {
        return Err(Refusal::Forbidden);
    }
    if slot.stored_at.is_some() {
        return Err(Refusal::Conflict);
    }
    if door.services().clock.now() > slot.put_until {
        return Err(Refusal::Forbidden);
    }
    let length = headers.get(header::CONTENT_LENGTH);
    let length: u64 = length
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .ok_or(Refusal::LengthRequired)?;
    match length.cmp(&slot.size) {
        std::cmp::Ordering::Less => Err(Refusal::Incomplete),
        std::cmp::Ordering::Greater => Err(Refusal::TooLarge),
        std::cmp::Ordering::Equal => same_type(slot, headers),
    }
}

/// A type that was declared for the slot is the type of the upload.
fn same_type(slot: &Upload, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(declared) = slot.media_type.as_deref().and_then(MediaType::parse) else {
        return Ok(());
    };
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| MediaType::parse(value.to_str().ok()?));
    match sent {
        Some(sent) if sent.essence() == declared.essence() => Ok(()),
        Some(_) | None => Err(Refusal::UnsupportedType),
    }
}

/// GET and HEAD, parts included (RFC 9110 §14).
async fn give(
    State(door): State<Arc<Door>>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let id = parse(&id)?;
    let upload = door.find(&id, &name).await?;
    let now = door.services().clock.now();
    let over = upload.expires_at.is_some_and(|end| end <= now);
    if upload.stored_at.is_none() || over {
        return Err(Refusal::NotFound);
    }
    let mut response = serve(door.files.place(&id), request).await?;
    let left = upload.expires_at.map(|end| end.seconds_since(now));
    let file = answer::File {
        name: &upload.file_name,
        media_type: upload.media_type.as_deref(),
    };
    answer::describe(response.headers_mut(), &file);
    answer::remember(response.headers_mut(), left);
    Ok(response)
}

/// The file that lies there, or parts of it.
async fn serve(place: PathBuf, mut request: Request) -> Result<Response, Refusal> {
    // RFC 9110 §14.2: a unit that is not understood is passed over.
    let units = request.headers().get(header::RANGE);
    if units.is_some_and(|range| !range.as_bytes().starts_with(b"bytes=")) {
        request.headers_mut().remove(header::RANGE);
    }
    let mut file = ServeFile::new(place).ignore_multi_range_requests(true);
    let served = file.try_call(request).await.map_err(|error| {
        error!(%error, "a file cannot be read");
        Refusal::Internal
    })?;
    match served.status() {
        StatusCode::NOT_FOUND => Err(Refusal::NotFound),
        _ => Ok(served.map(axum::body::Body::new)),
    }
}

/// OPTIONS; the headers are added to every answer.
async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// What lets web clients of other origins in (§8), also to read why they are refused.
async fn allow_origins(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let origin = cors::answer(&door.web.config().http.origins, request.headers());
    let mut response = next.run(request).await;
    answer::allow(response.headers_mut(), origin);
    response
}
