//! Characters, names and references: the productions of XML 1.0 (fifth edition)
//! §2.2 Char, §2.3 Name, §4.1 Reference, and Namespaces in XML 1.0 §4 QName.

use std::borrow::Cow;

use memchr::memchr;

use super::XmlError;

/// Whether this is white space as XML 1.0 §2.3 has it, which is less than ASCII's.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether `Char` (XML 1.0 §2.2) allows it, raw or by reference.
pub(super) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// What occurs anywhere in a text, found in one look over it, so that the checks
/// for what does not occur can be left out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Survey {
    control: bool,
    beyond_ascii: bool,
    /// `&`, or white space that is not a space.
    pub(super) to_resolve: bool,
    pub(super) bracket: bool,
}

impl Survey {
    pub(super) fn of(text: &str) -> Self {
        let mut found = [0_u8; 4];
        // Blocks of fixed size and no branch: this compiles to vector instructions.
        let (blocks, rest) = text.as_bytes().as_chunks::<16>();
        for block in blocks {
            look(block, &mut found);
        }
        let mut last = [b' '; 16];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        look(&last, &mut found);
        let [control, beyond_ascii, to_resolve, bracket] = found.map(|flag| flag != 0);
        Self {
            control,
            beyond_ascii,
            to_resolve,
            bracket,
        }
    }

    /// Whether every character of the text, of which this is the survey, is a `Char`.
    pub(super) fn all_chars(self, text: &str) -> bool {
        // U+FFFE and U+FFFF are all that UTF-8 can carry besides control characters.
        let others = || text.contains(['\u{fffe}', '\u{ffff}']);
        !self.control && !(self.beyond_ascii && others())
    }
}

fn look(block: &[u8; 16], found: &mut [u8; 4]) {
    let [mut control, mut beyond_ascii, mut to_resolve, mut bracket] = *found;
    for &byte in block {
        let space = u8::from(byte == b'\t') | u8::from(byte == b'\n') | u8::from(byte == b'\r');
        control |= u8::from(byte < b' ') & !space;
        beyond_ascii |= byte & 0x80;
        to_resolve |= space | u8::from(byte == b'&');
        bracket |= u8::from(byte == b']');
    }
    *found = [control, beyond_ascii, to_resolve, bracket];
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
    let first = name.bytes().next();
    let starts = matches!(first, Some(b'a'..=b'z' | b'A'..=b'Z' | b'_'));
    if starts && name.bytes().all(is_ascii_name) {
        return true;
    }
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

const fn is_ascii_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.')
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
