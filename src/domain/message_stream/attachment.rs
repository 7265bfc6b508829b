//! Attachments of streams: ten types of files, each told by its name, by what it is declared as, and by how it
//! begins (S4-21). All three must agree, so that no program comes under the name of a picture, and what ends otherwise
//! than it begins is no file of its type. An archive is looked at from outside only: nothing is unpacked here.

use serde::{Deserialize, Serialize};

use crate::domain::refusal::rejections;

/// Bytes of a name.
pub const NAME_BYTES_MAX: usize = 255;
/// How much of a file is looked at.
pub const HEAD_BYTES: usize = 4_096;
/// How much of its end is looked at: an archive ends with its list of contents, and a comment of at most 65,535 bytes
/// behind it (APPNOTE.TXT §4.3.16).
pub const TAIL_BYTES: usize = ARCHIVE_END_BYTES + 65_535;

/// The fixed part of the end of an archive.
const ARCHIVE_END_BYTES: usize = 22;

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
        /// It is no upload of this one, or expired.
        Unknown = NotFound, "attachment-unknown", "There is no such upload.";
        /// The slot is there, but not the file.
        Unfinished = Conflict, "attachment-unfinished", "The file has not been uploaded yet.";
        /// Another stream has it.
        Taken = Conflict, "attachment-taken", "The file is attached to another message already. Upload it once more.";
        /// The operator's bound for all files of the host.
        NoRoom = Limit, "attachments-no-room", "This server has no room for more attachments.";
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
            // The last is what browsers say where Excel is installed.
            Self::Csv => &["text/csv", "text/plain", "application/vnd.ms-excel"],
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

    /// Whether a file that ends so can be one: what is an archive from its end is an archive, and texts are texts to
    /// their ends.
    fn may_end(self, tail: &[u8]) -> bool {
        match self {
            Self::Zip => true,
            Self::Csv | Self::Txt | Self::Json => is_text_to_the_end(tail),
            Self::Bmp | Self::Gif | Self::Jpeg | Self::Pdf | Self::Png | Self::Tiff => {
                !ends_an_archive(tail)
            }
        }
    }
}

/// The type that a file of that name and declaration has, if it is one: what can be told before it is there.
///
/// # Errors
/// When the two do not agree on one of the ten types.
pub fn announced(name: &str, declared: &str) -> Result<FileType, Rejection> {
    let leads =
        name.contains(['/', '\\']) || name.contains(char::is_control) || name.starts_with('.');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || leads {
        return Err(Rejection::Name);
    }
    let found = FileType::of_name(name).ok_or(Rejection::Type)?;
    let declared = declared.split(';').next().unwrap_or_default().trim();
    let mut known = found.media_types().iter();
    match known.any(|media| media.eq_ignore_ascii_case(declared)) {
        true => Ok(found),
        false => Err(Rejection::Declared),
    }
}

/// The type of a file of that name and declaration that begins and ends so ([`HEAD_BYTES`] and [`TAIL_BYTES`], or all of it).
///
/// # Errors
/// When they do not agree on one of the ten types.
pub fn recognize(
    name: &str,
    declared: &str,
    head: &[u8],
    tail: &[u8],
) -> Result<FileType, Rejection> {
    let found = announced(name, declared)?;
    match found.begins(head) && found.may_end(tail) {
        true => Ok(found),
        false => Err(Rejection::Content),
    }
}

/// Whether an archive ends in it: programs find one by its end, whatever stands before it.
fn ends_an_archive(tail: &[u8]) -> bool {
    // Signature, number of this part and of the first one; as many files in this part as in all.
    let is_end =
        |it: &[u8]| it.starts_with(b"PK\x05\x06\0\0\0\0") && it.get(8..10) == it.get(10..12);
    tail.windows(ARCHIVE_END_BYTES).any(is_end)
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

/// The same of an end, which may begin within a character and ends with a whole one.
fn is_text_to_the_end(tail: &[u8]) -> bool {
    let within = tail.iter().take(3).take_while(|it| **it & 0xC0 == 0x80);
    let (_, text) = tail.split_at(within.count());
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    std::str::from_utf8(text).is_ok_and(|text| !text.contains(odd))
}

fn is_json(head: &[u8]) -> bool {
    // What some editors put before a text (RFC 8259 §8.1).
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let first = text.iter().find(|b| !b.is_ascii_whitespace());
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
            (
                "a.csv",
                "application/vnd.ms-excel",
                b"a;b",
                Ok(FileType::Csv),
            ),
            (
                "a.csv",
                "application/vnd.ms-excel",
                b"\xd0\xcf\x11\xe0",
                Err(Rejection::Content),
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
            (
                "a.json",
                "application/json",
                b"\xef\xbb\xbf{}",
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
            ("a.txt", "text/plain", b"f\xc3", Err(Rejection::Content)),
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
                recognize(name, declared, head, head),
                expected,
                "{name} {declared}"
            );
        }
    }

    fn archive() -> Vec<u8> {
        let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
        end.extend([0; 10]);
        end
    }

    /// S4-21: an archive behind a picture is an archive, with a comment, too; what only looks like its mark is none.
    #[test]
    fn a_file_of_two_kinds_is_told_by_its_end() {
        let head = b"\xff\xd8\xff\xe0";
        let picture = |tail: &[u8]| recognize("a.jpg", "image/jpeg", head, tail);
        let with_comment = [archive(), b"a comment".to_vec()].concat();
        let behind = [vec![7; 500], archive()].concat();
        for tail in [archive(), with_comment, behind] {
            assert_eq!(picture(&tail), Err(Rejection::Content));
            let zip = recognize("a.zip", "application/zip", b"PK\x03\x04", &tail);
            assert_eq!(zip, Ok(FileType::Zip));
        }
        for tail in [&b"PK\x05\x06"[..], b"", &[b'P'; 100]] {
            assert_eq!(picture(tail), Ok(FileType::Jpeg));
        }
        let parts = [b"PK\x05\x06\x01\0\0\0".to_vec(), vec![0; 14]].concat();
        assert_eq!(picture(&parts), Ok(FileType::Jpeg));
    }

    #[test]
    fn a_text_is_a_text_to_its_end() {
        let text = |head: &[u8], tail: &[u8]| recognize("a.txt", "text/plain", head, tail);
        // The look at the beginning may end within a character, that at the end begin within one.
        assert_eq!(text(b"f\xc3", b"\xbcr"), Ok(FileType::Txt));
        for tail in [&b"f\xc3"[..], b"a\0", b"\xff", b"\xbc\xbc\xbc\xbc"] {
            assert_eq!(text(b"f", tail), Err(Rejection::Content), "{tail:?}");
        }
    }

    #[test]
    fn what_is_announced_is_looked_at_before_it_is_there() {
        for (name, declared, expected) in [
            ("a.png", "image/png", Ok(FileType::Png)),
            ("a.png", "", Err(Rejection::Declared)),
            ("a.exe", "image/png", Err(Rejection::Type)),
            (
                "a.zip",
                "application/x-zip-compressed; x=y",
                Ok(FileType::Zip),
            ),
        ] {
            assert_eq!(announced(name, declared), expected, "{name}");
        }
        assert_eq!(FileType::Zip.media_type(), "application/zip");
    }
}
