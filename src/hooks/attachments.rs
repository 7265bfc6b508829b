//! What serves files of message streams asks of whoever knows the streams: whether this one may be shown, to whom the
//! link was given, now.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::services::Services;
use crate::store::StoreError;

/// A link to a file, as it was asked for.
#[derive(Clone, Debug)]
pub struct AttachmentLink {
    /// Which file.
    pub id: String,
    /// What the link calls it.
    pub name: String,
    /// What stands behind the question mark.
    pub query: String,
}

/// A file that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownAttachment {
    /// Where it lies.
    pub place: PathBuf,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub media_type: String,
}

/// Whoever knows the streams.
pub trait AttachmentKeeping: Send + Sync {
    /// The file, if whom the link was given may have it now; `None` whatever is missing.
    fn shown(
        &self,
        link: AttachmentLink,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<Option<ShownAttachment>, StoreError>>;
}

/// The same among [`crate::hooks::Hooks::offers`].
pub struct AttachmentDesk(pub Arc<dyn AttachmentKeeping>);
