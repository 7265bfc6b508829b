//! Attachments of streams: ten types of files, each told by its name, by what it is declared as, and by how it
//! begins (S4-21). All three must agree, so that no program comes under the name of a picture. An archive is
//! looked at from outside only: nothing is unpacked here.

use serde::{Deserialize, Serialize};

use crate::domain::refusal::rejections;

/// Bytes of a name.
pub const NAME_BYTES_MAX: usize = 255;
/// How much of a file is looked at.
pub const HEAD_BYTES: usize = 4_096;

/// A file of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub file_type: FileType,
    /// How large it is.
    pub bytes: u64,
    /// Where it is: the slot of the upload.
    pub slot: String,
}

/// What a file of a stream can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of the types say what they are")]
pub enum FileType {
    Bmp,
    Csv,
    Gif,
    Jpeg,
    Json,
    Pdf,
    Png,
    Tiff,
    Txt,
    Zip,
}

rejections! {
    /// Why a file is not attached.
    pub enum Rejection {
        /// [`NAME_BYTES_MAX`], or a name that leads elsewhere.
        Name = Invalid, "attachment-name-malformed", "The file has a name that cannot be used.";
        /// Its name ends otherwise than those of the ten types.
        Type = NotAllowed, "attachment-type", "Only bmp, csv, gif, jpeg, json, pdf, png, tiff, txt and zip can be attached.";
        /// It is declared as something else than its name says.
        Declared = NotAllowed, "attachment-declared-otherwise", "The file is declared as something else than its name says.";
        /// It begins otherwise than files of its type.
        Content = NotAllowed, "attachment-content-otherwise", "The file is not what its name says.";
    }
}

impl FileType {
    /// By the end of a name.
    fn of_name(name: &str) -> Option<Self> {
        let (stem, ending) = name.rsplit_once('.')?;
        let found = match ending.to_ascii_lowercase().as_str() {
            "bmp" => Self::Bmp,
            "csv" => Self::Csv,
            "gif" => Self::Gif,
            "jpg" | "jpeg" => Self::Jpeg,
            "json" => Self::Json,
            "pdf" => Self::Pdf,
            "png" => Self::Png,
            "tif" | "tiff" => Self::Tiff,
            "txt" => Self::Txt,
            "zip" => Self::Zip,
            _ => return None,
        };
        (!stem.is_empty()).then_some(found)
    }

    /// What it is declared as when it is handed out (RFC 6838).
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self.media_types() {
            [first, ..] => first,
            [] => "application/octet-stream",
        }
    }

    /// What such a file may be declared as (RFC 6838).
    const fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Bmp => &["image/bmp", "image/x-ms-bmp"],
            Self::Csv => &["text/csv", "text/plain"],
            Self::Gif => &["image/gif"],
            Self::Jpeg => &["image/jpeg"],
            Self::Json => &["application/json", "text/plain"],
            Self::Pdf => &["application/pdf"],
            Self::Png => &["image/png"],
            Self::Tiff => &["image/tiff"],
            Self::Txt => &["text/plain"],
            Self::Zip => &["application/zip", "application/x-zip-compressed"],
        }
    }

    /// Whether a file that begins so is one. Texts have no mark of their own: they are UTF-8 without control
    /// characters, and a JSON text begins like one.
    fn begins(self, head: &[u8]) -> bool {
        let starts = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
        match self {
            Self::Bmp => starts(&[b"BM"]),
            Self::Gif => starts(&[b"GIF87a", b"GIF89a"]),
            Self::Jpeg => starts(&[b"\xff\xd8\xff"]),
            Self::Pdf => starts(&[b"%PDF-"]),
            Self::Png => starts(&[b"\x89PNG\r\n\x1a\n"]),
            Self::Tiff => starts(&[b"II*\0", b"MM\0*"]),
            // With files, empty, or in parts.
            Self::Zip => starts(&[b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]),
            Self::Csv | Self::Txt => is_text(head),
            Self::Json => is_text(head) && is_json(head),
        }
    }
}

/// The type of a file of that name, declaration and beginning ([`HEAD_BYTES`], or all of it).
///
/// # Errors
/// When the three do not agree on one of the ten types.
pub fn recognize(name: &str, declared: &str, head: &[u8]) -> Result<FileType, Rejection> {
    let leads =
        name.contains(['/', '\\']) || name.contains(char::is_control) || name.starts_with('.');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || leads {
        return Err(Rejection::Name);
    }
    let found = FileType::of_name(name).ok_or(Rejection::Type)?;
    let declared = declared.split(';').next().unwrap_or_default().trim();
    let mut known = found.media_types().iter();
    if !known.any(|media| media.eq_ignore_ascii_case(declared)) {
        return Err(Rejection::Declared);
    }
    match found.begins(head) {
        true => Ok(found),
        false => Err(Rejection::Content),
    }
}

/// UTF-8 as far as it goes, without what no text has, and not what browsers take for a page or a program.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The look may end within a character.
        Err(error) if error.error_len().is_none() => {
            let (good, _) = head.split_at(error.valid_up_to());
            std::str::from_utf8(good).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let start = text.trim_start_matches('\u{feff}').trim_start();
    !text.contains(odd) && !start.starts_with("#!") && !start.starts_with('<')
}

fn is_json(head: &[u8]) -> bool {
    let first = head.iter().find(|b| !b.is_ascii_whitespace());
    first.is_some_and(|b| {
        matches!(
            b,
            b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S4-21: by name, by declaration and by content; renamed programs and files of two kinds are none.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_file_is_what_its_name_its_declaration_and_its_beginning_agree_on() {
        for (name, declared, head, expected) in [
            ("a.bmp", "image/bmp", &b"BM6\0"[..], Ok(FileType::Bmp)),
            (
                "a.csv",
                "text/csv; charset=utf-8",
                b"a;b\n1;2",
                Ok(FileType::Csv),
            ),
            ("a.gif", "image/gif", b"GIF89a..", Ok(FileType::Gif)),
            (
                "a.JPG",
                "image/jpeg",
                b"\xff\xd8\xff\xe0",
                Ok(FileType::Jpeg),
            ),
            (
                "a.json",
                "application/json",
                b" {\"a\":1}",
                Ok(FileType::Json),
            ),
            ("a.pdf", "application/pdf", b"%PDF-1.7", Ok(FileType::Pdf)),
            (
                "a.png",
                "image/png",
                b"\x89PNG\r\n\x1a\n",
                Ok(FileType::Png),
            ),
            ("a.tif", "image/tiff", b"II*\0", Ok(FileType::Tiff)),
            ("a.txt", "text/plain", "für".as_bytes(), Ok(FileType::Txt)),
            ("a.txt", "text/plain", b"f\xc3", Ok(FileType::Txt)),
            ("a.zip", "application/zip", b"PK\x03\x04", Ok(FileType::Zip)),
            (
                "a.exe",
                "image/png",
                b"\x89PNG\r\n\x1a\n",
                Err(Rejection::Type),
            ),
            ("a.png.exe", "image/png", b"MZ", Err(Rejection::Type)),
            ("a.svg", "image/svg+xml", b"<svg/>", Err(Rejection::Type)),
            (
                "png",
                "image/png",
                b"\x89PNG\r\n\x1a\n",
                Err(Rejection::Type),
            ),
            (
                "a.png",
                "text/html",
                b"\x89PNG\r\n\x1a\n",
                Err(Rejection::Declared),
            ),
            ("a.png", "image/png", b"MZ\x90", Err(Rejection::Content)),
            ("a.txt", "text/plain", b"#!/bin/sh", Err(Rejection::Content)),
            ("a.txt", "text/plain", b" <script>", Err(Rejection::Content)),
            ("a.txt", "text/plain", b"a\0b", Err(Rejection::Content)),
            ("a.csv", "text/csv", b"\xff\xfe", Err(Rejection::Content)),
            (
                "a.json",
                "application/json",
                b"hello",
                Err(Rejection::Content),
            ),
            (
                "a.pdf",
                "application/pdf",
                b"MZ%PDF-",
                Err(Rejection::Content),
            ),
            ("../a.png", "image/png", b"", Err(Rejection::Name)),
            (".png", "image/png", b"", Err(Rejection::Name)),
            ("", "image/png", b"", Err(Rejection::Name)),
        ] {
            assert_eq!(
                recognize(name, declared, head),
                expected,
                "{name} {declared}"
            );
        }
    }
}
