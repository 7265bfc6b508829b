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
    /// White space other than the space.
    pub(super) line_space: bool,
    pub(super) bracket: bool,
}

impl Survey {
    pub(super) fn of(text: &str) -> Self {
        // One flag for each lane of a block and no branch: this compiles to vector instructions.
        let mut lanes = [0_u8; 32];
        let (blocks, rest) = text.as_bytes().as_chunks::<32>();
        for block in blocks {
            for (lane, byte) in lanes.iter_mut().zip(block) {
                *lane |= kinds(*byte);
            }
        }
        let mut last = [b' '; 32];
        if let Some(last) = last.get_mut(..rest.len()) {
            last.copy_from_slice(rest);
        }
        for (lane, byte) in lanes.iter_mut().zip(&last) {
            *lane |= kinds(*byte);
        }
        let found = lanes.iter().fold(0, |found, lane| found | lane);
        Self {
            control: found & CONTROL != 0,
            beyond_ascii: found & BEYOND_ASCII != 0,
            line_space: found & LINE_SPACE != 0,
            bracket: found & BRACKET != 0,
        }
    }

    /// Whether every character of the text, of which this is the survey, is a `Char`.
    pub(super) fn all_chars(self, text: &str) -> bool {
        // U+FFFE and U+FFFF are all that UTF-8 can carry besides control characters.
        let others = || text.contains(['\u{fffe}', '\u{ffff}']);
        !self.control && (!self.beyond_ascii || !others())
    }
}

const CONTROL: u8 = 1;
const LINE_SPACE: u8 = 2;
const BRACKET: u8 = 4;
const BEYOND_ASCII: u8 = 0x80;

fn kinds(byte: u8) -> u8 {
    let space = u8::from(byte == b'\t') | u8::from(byte == b'\n') | u8::from(byte == b'\r');
    let control = u8::from(byte < b' ') & !space;
    let bracket = u8::from(byte == b']');
    (byte & BEYOND_ASCII) | (bracket * BRACKET) | (space * LINE_SPACE) | (control * CONTROL)
}

/// A qualified name (Namespaces in XML 1.0 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QName<'a> {
    /// As written.
    pub(super) whole: &'a str,
    /// Empty when there is none.
    pub(super) prefix: &'a str,
    pub(super) local: &'a str,
}

impl<'a> QName<'a> {
    /// A name known to be well-formed and without a prefix.
    pub(super) const fn unprefixed(name: &'a str) -> Self {
        Self {
            whole: name,
            prefix: "",
            local: name,
        }
    }

    pub(super) fn new(whole: &'a str) -> Result<Self, XmlError> {
        let colon = whole.bytes().position(|byte| byte == b':');
        let (prefix, local) = match colon.and_then(|colon| whole.split_at_checked(colon)) {
            Some((prefix, _)) if !is_ncname(prefix) => {
                return Err(XmlError::NotWellFormed("malformed prefix"));
            }
            Some((prefix, rest)) => (prefix, rest.strip_prefix(':').unwrap_or_default()),
            None => ("", whole),
        };
        if !is_ncname(local) {
            return Err(XmlError::NotWellFormed("malformed name"));
        }
        Ok(Self {
            whole,
            prefix,
            local,
        })
    }
}

/// How many bytes at the front can belong to a qualified name, and whether the
/// look at them was enough to know that they are one and have no prefix, as
/// nearly all names are.
pub(super) fn survey_name(bytes: &[u8]) -> (usize, bool) {
    let mut seen = 0;
    let end = bytes.iter().position(|byte| {
        let class = name_class(*byte);
        seen |= class;
        class == NO_NAME
    });
    let starts = bytes
        .first()
        .is_some_and(|first| name_class(*first) == NAME_START);
    (end.unwrap_or(bytes.len()), starts && seen & NAME_OTHER == 0)
}

const NO_NAME: u8 = 0;
const NAME_START: u8 = 1;
const NAME_CHAR: u8 = 2;
/// The colon, and what is beyond ASCII.
const NAME_OTHER: u8 = 4;

fn name_class(byte: u8) -> u8 {
    static CLASSES: [u8; 256] = {
        let mut classes = [NO_NAME; 256];
        let mut byte = 0_u8;
        loop {
            classes[byte as usize] = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => NAME_START,
                b'0'..=b'9' | b'-' | b'.' => NAME_CHAR,
                b':' | 0x80.. => NAME_OTHER,
                _ => NO_NAME,
            };
            if byte == u8::MAX {
                break classes;
            }
            byte += 1;
        }
    };
    // A table of 256 has a place for every byte.
    CLASSES[usize::from(byte)]
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
        let error = match QName::new(name) {
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
