//! Files of message streams: given to whom the contact center has given a link, as long as it shows them to that one.
//! Everything else is a file that is not there.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get};

use super::{Door, Refusal, answer, serve};
use crate::hooks::{AttachmentDesk, AttachmentLink};

/// What the path of a file is served by.
pub(super) fn routes() -> MethodRouter<Arc<Door>> {
    get(give).options(preflight)
}

/// GET and HEAD.
async fn give(
    State(door): State<Arc<Door>>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let services = door.services();
    let desk = services.hooks.offers().find::<AttachmentDesk>();
    let desk = desk.ok_or(Refusal::NotFound)?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let link = AttachmentLink { id, name, query };
    let shown = desk.0.shown(link, Arc::clone(services)).await?;
    let shown = shown.ok_or(Refusal::NotFound)?;
    let mut response = serve(shown.place, request).await?;
    let file = answer::File {
        name: &shown.name,
        media_type: Some(&shown.media_type),
    };
    answer::describe(response.headers_mut(), &file);
    answer::forget(response.headers_mut());
    Ok(response)
}

/// OPTIONS; the headers are added to every answer.
async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}
