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

/// What some editors put before a text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

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

    /// Whether a file that begins so is one. Texts have no mark of their own: they have no control
    /// characters, are UTF-8 or of eight bits a character, as Excel writes tables, and JSON texts are UTF-8.
    fn begins(self, head: &[u8]) -> bool {
        let starts = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
        match self {
            Self::Bmp => is_bitmap(head),
            Self::Gif => starts(&[b"GIF87a", b"GIF89a"]),
            Self::Jpeg => starts(&[b"\xff\xd8\xff"]),
            Self::Pdf => starts(&[b"%PDF-"]),
            Self::Png => starts(&[b"\x89PNG\r\n\x1a\n"]),
            Self::Tiff => starts(&[b"II*\0", b"MM\0*"]),
            // With files, empty, or in parts.
            Self::Zip => starts(&[b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]),
            Self::Csv | Self::Txt => is_text(head),
            Self::Json => is_utf8(head) && is_text(head) && is_json(head),
        }
    }

    /// Whether a file that ends so can be one: what is an archive from its end is an archive, and texts are texts to
    /// their ends.
    fn may_end(self, tail: &[u8]) -> bool {
        match self {
            Self::Zip => ends_an_archive(tail),
            Self::Csv | Self::Txt => has_no_controls(tail),
            Self::Json => is_utf8_to_the_end(tail) && has_no_controls(tail),
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

/// Whether an archive ends in it: programs find one by its end, whatever stands before it, and which part of several it says that
/// it is matters to few of them (APPNOTE.TXT §4.3.16).
fn ends_an_archive(tail: &[u8]) -> bool {
    // As many files in this part as in all, or a comment that is as long as what is left.
    let is_end = |at: usize| {
        let end = tail.get(at..).unwrap_or_default();
        let comment = end.get(20..22).map(|it| it.iter().rev());
        let comment = comment.map(|it| it.fold(0, |sum, byte| sum * 256 + usize::from(*byte)));
        end.starts_with(b"PK\x05\x06")
            && (end.get(8..10) == end.get(10..12) || comment == Some(end.len() - ARCHIVE_END_BYTES))
    };
    let last = tail.len().checked_sub(ARCHIVE_END_BYTES);
    last.is_some_and(|last| (0..=last).any(is_end))
}

/// Whether a bitmap begins so: behind the head of the file stands how long the head of the picture is, of which there are few.
fn is_bitmap(head: &[u8]) -> bool {
    let length = head.get(14..18);
    let is_known = |it: &[u8]| matches!(it, [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]);
    head.starts_with(b"BM") && length.is_some_and(is_known)
}

/// Without what no text has, and not what browsers take for a page or a program. Text of sixteen bits a character has what no
/// text has.
fn is_text(head: &[u8]) -> bool {
    let text = head.strip_prefix(MARK).unwrap_or(head);
    let start = text.trim_ascii_start();
    let is_wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    has_no_controls(head) && !is_wide && !start.starts_with(b"#!") && !start.starts_with(b"<")
}

fn has_no_controls(text: &[u8]) -> bool {
    let odd = |b: &u8| b.is_ascii_control() && !matches!(b, b'\n' | b'\r' | b'\t');
    !text.iter().any(odd)
}

/// UTF-8 as far as it goes: the look may end within a character.
fn is_utf8(head: &[u8]) -> bool {
    std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// The same of an end, which may begin within a character and ends with a whole one.
fn is_utf8_to_the_end(tail: &[u8]) -> bool {
    let within = tail.iter().take(3).take_while(|it| **it & 0xC0 == 0x80);
    let (_, text) = tail.split_at(within.count());
    std::str::from_utf8(text).is_ok()
}

/// Whether what stands outside of strings is nothing but JSON's words, numbers and signs (RFC 8259 §2), as far as it goes.
fn is_json(head: &[u8]) -> bool {
    let mut rest = head.strip_prefix(MARK).unwrap_or(head).trim_ascii_start();
    let mut is_empty = true;
    while let Some((first, behind)) = rest.split_first() {
        is_empty = false;
        rest = match first {
            b'"' => behind_string(behind),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => behind,
            _ if first.is_ascii_whitespace() => behind,
            _ => {
                let is_word = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
                let end = rest.iter().position(|b| !is_word(b));
                let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
                if !is_json_word(word, end.is_none()) {
                    return false;
                }
                behind
            }
        };
    }
    !is_empty
}

/// What stands behind a string that has begun, its quote included.
fn behind_string(text: &[u8]) -> &[u8] {
    let mut is_escaped = false;
    let end = text.iter().position(|b| {
        let is_end = !is_escaped && *b == b'"';
        is_escaped = !is_escaped && *b == b'\\';
        is_end
    });
    let (_, behind) = end.map_or((text, &[][..]), |end| text.split_at(end));
    behind.strip_prefix(b"\"").unwrap_or_default()
}

/// A number, or one of three words, of which the look may have cut the end off.
fn is_json_word(word: &[u8], is_cut: bool) -> bool {
    let words = [&b"true"[..], b"false", b"null"];
    let is_number = word
        .first()
        .is_some_and(|b| b.is_ascii_digit() || *b == b'-')
        && word
            .iter()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(b));
    let is_one = |it: &&[u8]| *it == word || (is_cut && it.starts_with(word));
    is_number || (!word.is_empty() && words.iter().any(is_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S4-21: by name, by declaration and by content; renamed programs and files of two kinds are none.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_file_is_what_its_name_its_declaration_and_its_beginning_agree_on() {
        for (name, declared, head, expected) in [
            (
                "a.bmp",
                "image/bmp",
                &b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"[..],
                Ok(FileType::Bmp),
            ),
            (
                "a.bmp",
                "image/bmp",
                b"BM is no mark of its own",
                Err(Rejection::Content),
            ),
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
            // Of eight bits a character.
            ("a.csv", "text/csv", b"f\xfcr;\x80", Ok(FileType::Csv)),
            (
                "a.json",
                "application/json",
                b"\"f\xfcr\"",
                Err(Rejection::Content),
            ),
            (
                "a.json",
                "application/json",
                b"function x(){}",
                Err(Rejection::Content),
            ),
            (
                "a.json",
                "application/json",
                br#"[true,{"a\\\"f()":-1.5e+3},nu"#,
                Ok(FileType::Json),
            ),
            (
                "a.json",
                "application/json",
                b"nu ",
                Err(Rejection::Content),
            ),
            (
                "a.json",
                "application/json",
                b"[1];f()",
                Err(Rejection::Content),
            ),
            (
                "a.zip",
                "application/zip",
                b"PK\x03\x04",
                Err(Rejection::Content),
            ),
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
        // Which part of several it is matters to few programs.
        assert_eq!(picture(&parts), Err(Rejection::Content));
    }

    #[test]
    fn a_text_is_a_text_to_its_end() {
        let text = |head: &[u8], tail: &[u8]| recognize("a.txt", "text/plain", head, tail);
        // The look at the beginning may end within a character, that at the end begin within one.
        assert_eq!(text(b"f\xc3", b"\xbcr"), Ok(FileType::Txt));
        assert_eq!(text(b"f", b"a\0"), Err(Rejection::Content));
        let json = |head: &[u8], tail: &[u8]| recognize("a.json", "application/json", head, tail);
        assert_eq!(json(b"\"f\xc3", b"\xbcr\""), Ok(FileType::Json));
        for tail in [&b"f\xc3"[..], b"a\0", b"\xff", b"\xbc\xbc\xbc\xbc"] {
            assert_eq!(json(b"\"f", tail), Err(Rejection::Content), "{tail:?}");
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
