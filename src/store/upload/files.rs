//! The bytes of uploads: one file each under `data_dir/upload`, two folders deep by its id.
//!
//! A file is written beside its place (`<id>.part`), synced, and then renamed, so that what lies in
//! its place is whole and survives the loss of power. One that is given up leaves nothing. What a
//! crash leaves behind, and files of accounts that are gone, are found by [`UploadFiles::sweep`].
//! Files of message streams lie in the same manner under `data_dir/attachment`.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tokio::fs::{self, DirBuilder, File, OpenOptions};
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tracing::warn;

use super::{UploadId, Uploads};
use crate::clock::Timestamp;
use crate::store::{Attachments, StoreError};

/// What goes to the disk at once.
const WRITE_BYTES: usize = 256 * 1024;

/// The end of the name of a file that is not whole.
const PART: &str = ".part";

/// Where the files lie; clones speak of the same folder.
#[derive(Clone, Debug)]
pub struct UploadFiles {
    folder: PathBuf,
}

/// The rows that speak of the files of a folder.
#[derive(Clone, Copy, Debug)]
pub enum FileRows<'a> {
    /// Those of uploads: each is there before its file.
    Uploads(Uploads<'a>),
    /// Those of attachments, each of which is there after its file: files that have changed since then stay.
    Attachments(Attachments<'a>, Timestamp),
}

/// A file that is coming in; dropped, it leaves nothing.
#[derive(Debug)]
pub struct Partial {
    file: BufWriter<File>,
    part: PathBuf,
    place: PathBuf,
    kept: bool,
}

impl UploadFiles {
    /// The files of that `data_dir`.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("upload"),
        }
    }

    /// The files of message streams of that `data_dir`.
    #[must_use]
    pub fn of_attachments(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("attachment"),
        }
    }

    /// Behind all ids that begin with that text: `g` comes after every hexadecimal digit.
    pub(in crate::store) fn behind(prefix: &str) -> String {
        format!("{prefix}g")
    }

    /// Where the file of that id lies when it has come.
    #[must_use]
    pub fn place(&self, id: &UploadId) -> PathBuf {
        let mut digits = id.as_str().chars();
        let first: String = digits.by_ref().take(2).collect();
        let second: String = digits.take(2).collect();
        self.folder.join(first).join(second).join(id.as_str())
    }

    /// Begins to write a file. Only one at a time can be written for an id.
    ///
    /// # Errors
    /// `AlreadyExists` while another one is being written, and what the system says.
    pub async fn begin(&self, id: &UploadId) -> io::Result<Partial> {
        let place = self.place(id);
        if let Some(folder) = place.parent() {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder).await?;
        }
        let part = part_of(&place);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600);
        let file = BufWriter::with_capacity(WRITE_BYTES, file.open(&part).await?);
        Ok(Partial {
            file,
            part,
            place,
            kept: false,
        })
    }

    /// Deletes the file and what was written of it. One that is not there is no error.
    ///
    /// # Errors
    /// What the system says.
    pub async fn remove(&self, id: &UploadId) -> io::Result<()> {
        let place = self.place(id);
        for path in [part_of(&place), place] {
            remove_if_there(&path).await?;
        }
        Ok(())
    }

    /// Puts the file of that id here, too, which lies there. When it returns, both survive the loss of power. One that lies
    /// here already is not touched until there is another link to it.
    ///
    /// # Errors
    /// What the system says; `NotFound` when it does not lie there.
    pub async fn link_from(&self, other: &Self, id: &UploadId) -> io::Result<()> {
        let (from, place) = (other.place(id), self.place(id));
        if let Some(folder) = place.parent() {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder).await?;
        }
        let part = part_of(&place);
        remove_if_there(&part).await?;
        fs::hard_link(&from, &part).await?;
        fs::rename(&part, &place).await?;
        // Of two names of one file POSIX leaves both.
        remove_if_there(&part).await?;
        sync_folders(&place).await
    }

    /// Deletes every file that no row speaks of, and returns how many.
    ///
    /// # Errors
    /// When the database fails; what cannot be read or deleted is logged and passed over.
    pub async fn sweep(&self, rows: FileRows<'_>) -> Result<u64, StoreError> {
        let mut swept = 0;
        for first in names(&self.folder).await {
            for second in names(&self.folder.join(&first)).await {
                // Before the rows: what comes in between has its row already.
                let files = names(&self.folder.join(&first).join(&second)).await;
                let known = rows.beginning_with(&format!("{first}{second}")).await?;
                for name in files {
                    let stem = name.strip_suffix(PART).unwrap_or(&name);
                    let Some(id) = UploadId::parse(stem) else {
                        continue;
                    };
                    if known.contains(&id) || rows.is_too_young(&self.place(&id)).await {
                        continue;
                    }
                    match self.remove(&id).await {
                        Ok(()) => swept += 1,
                        Err(error) => warn!(%error, "a file without owner could not be deleted"),
                    }
                }
            }
        }
        Ok(swept)
    }
}

impl FileRows<'_> {
    async fn beginning_with(self, prefix: &str) -> Result<Vec<UploadId>, StoreError> {
        match self {
            Self::Uploads(uploads) => uploads.beginning_with(prefix).await,
            Self::Attachments(attachments, _) => attachments.beginning_with(prefix).await,
        }
    }

    /// Whether a row may still come for that file.
    async fn is_too_young(self, place: &Path) -> bool {
        match self {
            Self::Uploads(_) => false,
            Self::Attachments(_, before) => fs::metadata(place).await.is_ok_and(|it| {
                // A link changes the file's status, also when it was made long ago.
                Timestamp::from_micros(it.ctime().saturating_mul(1_000_000)) >= before
            }),
        }
    }
}

impl Partial {
    /// Writes more of it.
    ///
    /// # Errors
    /// What the system says, `StorageFull` for one.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Puts the whole file in its place. When it returns, the file survives the loss of power.
    ///
    /// # Errors
    /// What the system says; nothing is left then.
    pub async fn keep(mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.get_ref().sync_all().await?;
        fs::rename(&self.part, &self.place).await?;
        self.kept = true;
        sync_folders(&self.place).await
    }
}

/// The folder, and those above that may have been made for it.
async fn sync_folders(place: &Path) -> io::Result<()> {
    for folder in place.ancestors().skip(1).take(3) {
        File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_file(&self.part)
        {
            warn!(%error, "an upload that was given up could not be deleted");
        }
    }
}

async fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn part_of(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(PART);
    name.into()
}

/// The names in a folder; none when it cannot be read.
async fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut entries = match fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                warn!(%error, "a folder of uploads cannot be read");
            }
            return names;
        }
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn id() -> UploadId {
        UploadId::parse("0123456789abcdef0123456789abcdef").unwrap()
    }

    fn all(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(all(&path));
            } else {
                found.push(path);
            }
        }
        found
    }

    #[tokio::test]
    async fn a_file_lies_two_folders_deep_for_the_server_only() {
        let folder = tempfile::tempdir().unwrap();
        let files = UploadFiles::new(folder.path());
        let mut partial = files.begin(&id()).await.unwrap();
        partial.write(b"hello").await.unwrap();
        let second = files.begin(&id()).await;
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        partial.keep().await.unwrap();
        let place = folder
            .path()
            .join("upload/01/23/0123456789abcdef0123456789abcdef");
        assert_eq!(all(folder.path()), std::slice::from_ref(&place));
        assert_eq!(std::fs::read(&place).unwrap(), b"hello");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place), 0o600);
        assert_eq!(mode(place.parent().unwrap()), 0o700);
        files.remove(&id()).await.unwrap();
        files.remove(&id()).await.unwrap();
        assert_eq!(all(folder.path()), Vec::<PathBuf>::new());
    }

    #[tokio::test]
    async fn what_is_given_up_leaves_nothing_and_can_be_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = UploadFiles::new(folder.path());
        for _ in 0..2 {
            let mut partial = files.begin(&id()).await.unwrap();
            partial.write(&[7; 300_000]).await.unwrap();
            drop(partial);
            assert_eq!(all(folder.path()), Vec::<PathBuf>::new());
        }
    }
}
