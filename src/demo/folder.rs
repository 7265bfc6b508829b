//! The folder of a demonstration: its configuration, its data, and the password of its people.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{DemoError, HOST};

/// Where it is, and whether it stays.
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// That folder, or a new one that goes when this is dropped. A configuration that lies in it already stays as it is.
    pub(super) fn open(keep: Option<PathBuf>) -> Result<Self, DemoError> {
        let kept = keep.is_some();
        let path = keep.unwrap_or_else(|| {
            let name = format!("parlour-demo-{}", crate::id::random());
            std::env::temp_dir().join(name)
        });
        let mut builder = DirBuilder::new();
        // A folder of that name by somebody else is none of ours.
        let made = builder.mode(0o700).recursive(kept).create(&path);
        made.map_err(failed(&path))?;
        let path = path.canonicalize().map_err(failed(&path))?;
        let folder = Self { path, kept };
        let file = folder.config_file();
        if !file.exists() {
            let text = configuration(&folder.path.join("data"))?;
            write(&file, &text)?;
        }
        Ok(folder)
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.path.join("parlour.toml")
    }

    /// The folder, if it stays.
    pub(super) fn kept(&self) -> Option<&Path> {
        self.kept.then_some(self.path.as_path())
    }

    /// The password of everybody; `None` as long as nobody is there.
    pub(super) fn password(&self) -> Result<Option<String>, DemoError> {
        let path = self.password_file();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path)(error)),
        }
    }

    pub(super) fn keep_password(&self, password: &str) -> Result<(), DemoError> {
        write(&self.password_file(), password)
    }

    fn password_file(&self) -> PathBuf {
        self.path.join("password")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is in the folder for temporary files.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Twelve letters and digits that nobody guesses.
pub(super) fn secret() -> Result<String, DemoError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(|_| DemoError::Random)?;
    let letters = random
        .iter()
        .map(|byte| LETTERS.get(usize::from(byte % 32)));
    Ok(letters
        .flatten()
        .map(|letter| char::from(*letter))
        .collect())
}

/// For this machine only: passwords are shown on a screen, and nothing is behind a certificate that others would know.
fn configuration(data: &Path) -> Result<String, DemoError> {
    // What JSON calls a string is one of TOML, too.
    let data = serde_json::Value::String(data.display().to_string());
    let (phones, crm) = (secret()?, secret()?);
    Ok(format!(
        r#"# The demonstration of Parlour. `parlour config` prints every key with its meaning.
data_dir = {data}

[[host]]
domain = "{HOST}"

[listen]
c2s = ["127.0.0.1:5222"]
c2s_direct_tls = ["127.0.0.1:5223"]
http = ["127.0.0.1:5280"]
https = ["127.0.0.1:5443"]
component = ["127.0.0.1:5347"]

[log]
level = "warn"

[contact_center]
# Numbers without a country are Italian.
region = "IT"
# Somebody who reads a walk needs longer than somebody at work.
offer_seconds = 120
# Passes notes to customers.
delivery = "phones.{HOST}"

[[component]]
domain = "phones.{HOST}"
name = "Telephones and chats"
role = "connector"
secret = "{phones}"

[[component]]
domain = "crm.{HOST}"
name = "CRM"
role = "crm"
secret = "{crm}"
"#
    ))
}

/// Writes a file that only its owner reads.
fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> DemoError + use<> {
    let path = path.to_owned();
    move |cause| DemoError::File {
        path: path.clone(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_configuration_is_good() {
        let text = configuration(Path::new("/tmp/a \"folder\"")).unwrap();
        let config = Config::parse("demo", &text, std::iter::empty()).unwrap();
        assert_eq!(config.components.len(), 2);
        assert_eq!(config.data_dir, Path::new("/tmp/a \"folder\""));
    }

    #[test]
    fn a_temporary_folder_goes_and_another_stays() {
        let path = {
            let folder = Folder::open(None).unwrap();
            assert!(folder.config_file().exists() && folder.kept().is_none());
            folder.path.clone()
        };
        assert!(!path.exists());
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("kept");
        for password in [None, Some("secret".to_owned())] {
            let folder = Folder::open(Some(inside.clone())).unwrap();
            assert_eq!(folder.password().unwrap(), password);
            if password.is_none() {
                folder.keep_password("secret").unwrap();
            }
        }
        assert!(inside.exists());
    }

    #[test]
    fn secrets_differ() {
        let secret = secret().unwrap();
        assert_eq!(secret.len(), 12);
        assert_ne!(secret, super::secret().unwrap());
    }
}
