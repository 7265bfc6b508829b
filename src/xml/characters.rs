//! Characters, names and references: the productions of XML 1.0 (fifth edition)
//! §2.2 Char, §2.3 Name, §4.1 Reference, and Namespaces in XML 1.0 §4 QName.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::XmlError;

/// Whether this is white space as XML 1.0 §2.3 has it, which is less than ASCII's.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether `Char` (XML 1.0 §2.2) allows it, raw or by reference.
pub(super) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether every character of the text is a `Char`.
pub(super) fn all_chars(text: &str) -> bool {
    let control = |byte: u8| byte < 0x20 && !is_space(byte);
    // Written without an early return, so that it compiles to vector instructions.
    let controls = text
        .bytes()
        .fold(false, |found, byte| found | control(byte));
    let bytes = text.as_bytes();
    // U+FFFE and U+FFFF are the only others that UTF-8 can carry.
    let others = || {
        memmem::find(bytes, b"\xef\xbf\xbe").is_some()
            || memmem::find(bytes, b"\xef\xbf\xbf").is_some()
    };
    !controls && (text.is_ascii() || !others())
}

/// Splits a qualified name into prefix (empty when there is none) and local part.
pub(super) fn split_name(name: &str) -> Result<(&str, &str), XmlError> {
    let (prefix, local) = match memchr(b':', name.as_bytes()) {
        Some(colon) => {
            let (prefix, rest) = name.split_at_checked(colon).unwrap_or((name, ""));
            if !is_ncname(prefix) {
                return Err(XmlError::NotWellFormed("malformed prefix"));
            }
            (prefix, rest.strip_prefix(':').unwrap_or(rest))
        }
        None => ("", name),
    };
    if is_ncname(local) {
        Ok((prefix, local))
    } else {
        Err(XmlError::NotWellFormed("malformed name"))
    }
}

/// A name without colon (Namespaces in XML 1.0 §3).
fn is_ncname(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

const fn is_name_start(c: char) -> bool {
    matches!(c,
        'a'..='z' | 'A'..='Z' | '_'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

const fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c,
            '-' | '.' | '0'..='9' | '\u{b7}'
            | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// What `&name;` stands for. Only the predefined entities exist (RFC 6120 §11.1).
pub(super) fn resolve_reference(name: &str) -> Result<char, XmlError> {
    match name {
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "amp" => return Ok('&'),
        "apos" => return Ok('\''),
        "quot" => return Ok('"'),
        _ => {}
    }
    let Some(number) = name.strip_prefix('#') else {
        let error = match split_name(name) {
            Ok(_) => XmlError::Restricted("entity that is not predefined"),
            Err(_) => XmlError::NotWellFormed("malformed reference"),
        };
        return Err(error);
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // from_str_radix alone would let a plus sign through.
    let code = digits
        .chars()
        .all(|digit| digit.is_digit(radix))
        .then(|| u32::from_str_radix(digits, radix).ok())
        .flatten();
    code.and_then(char::from_u32)
        .filter(|c| is_char(*c))
        .ok_or(XmlError::NotWellFormed("malformed character reference"))
}

/// The value of an attribute: references resolved, white space turned into
/// spaces (XML 1.0 §3.3.3).
pub(super) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, XmlError> {
    let special = |byte: u8| matches!(byte, b'&' | b'\t' | b'\n' | b'\r');
    if !raw.bytes().any(special) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(special) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        value.push_str(before);
        rest = match after.strip_prefix('&') {
            Some(after) => {
                let (name, after) = after
                    .split_once(';')
                    .ok_or(XmlError::NotWellFormed("unterminated reference"))?;
                value.push(resolve_reference(name)?);
                after
            }
            None => {
                value.push(' ');
                after
                    .strip_prefix("\r\n")
                    .or_else(|| after.strip_prefix(['\r', '\n', '\t']))
                    .unwrap_or("")
            }
        };
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}

/// Character data with line ends turned into line feeds (XML 1.0 §2.11).
pub(super) fn line_ends(raw: &str) -> Cow<'_, str> {
    if memchr(b'\r', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
}
