//! Cuts the children of an XML stream out of the bytes that arrive, by counting tags.
//!
//! It finds where elements begin and end and nothing more: no names, no namespaces, no
//! well-formedness. Comments and CDATA sections, which no server sends, are not understood.

use anyhow::{Result, bail};
use memchr::{memchr, memchr3, memmem};

/// What arrived next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// The opening tag of the stream.
    Header,
    /// A complete child of the stream.
    Child(&'a [u8]),
    /// The closing tag of the stream.
    End,
}

/// Bytes received and the place reached in them.
#[derive(Debug)]
pub(crate) struct Scanner {
    bytes: Vec<u8>,
    /// Everything before has been handed out.
    consumed: usize,
    /// Everything before has been looked at.
    seen: usize,
    depth: usize,
}

/// The kinds of tag that matter for counting.
enum Tag {
    Open,
    Close,
    Empty,
    Declaration,
}

impl Scanner {
    /// For a stream whose header has not been received yet.
    pub(crate) const fn before_header() -> Self {
        Self {
            bytes: Vec::new(),
            consumed: 0,
            seen: 0,
            depth: 0,
        }
    }

    /// For bytes that consist of children alone, as the relay hands them on.
    pub(crate) const fn inside_stream() -> Self {
        Self {
            bytes: Vec::new(),
            consumed: 0,
            seen: 0,
            depth: 1,
        }
    }

    /// Where to put what is read next. Frees what was handed out.
    pub(crate) fn space(&mut self) -> Result<&mut Vec<u8>> {
        self.bytes.drain(..self.consumed);
        self.seen -= self.consumed;
        self.consumed = 0;
        if self.bytes.len() > BYTES_MAX {
            bail!("an element of more than {BYTES_MAX} bytes arrived");
        }
        self.bytes.reserve(READ_BYTES);
        Ok(&mut self.bytes)
    }

    /// The next complete item, if its last byte has arrived.
    pub(crate) fn next(&mut self) -> Option<Item<'_>> {
        loop {
            let start = self.seen + memchr(b'<', self.bytes.get(self.seen..)?)?;
            let Some(end) = tag_end(&self.bytes, start) else {
                self.seen = start;
                return None;
            };
            if self.depth == 1 && self.consumed < start {
                // White space between children is a keep-alive.
                self.consumed = start;
            }
            self.seen = end;
            let complete = match kind(self.bytes.get(start..end)?) {
                Tag::Declaration => false,
                Tag::Empty => self.depth == 1,
                Tag::Open => {
                    self.depth += 1;
                    self.depth == 1
                }
                Tag::Close => {
                    self.depth = self.depth.saturating_sub(1);
                    self.depth <= 1
                }
            };
            if complete {
                let from = std::mem::replace(&mut self.consumed, end);
                let tag = self.bytes.get(start..end)?;
                return Some(match (self.depth, kind(tag)) {
                    (0, _) => Item::End,
                    (1, Tag::Open) => Item::Header,
                    _ => Item::Child(self.bytes.get(from..end)?),
                });
            }
        }
    }
}

/// The place after the `>` that ends the tag at `start`; a `>` inside quotes does not.
fn tag_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let found = at + memchr3(b'>', b'"', b'\'', bytes.get(at..)?)?;
        let byte = *bytes.get(found)?;
        if byte == b'>' {
            return Some(found + 1);
        }
        at = found + 2 + memchr(byte, bytes.get(found + 1..)?)?;
    }
}

fn kind(tag: &[u8]) -> Tag {
    match tag {
        [b'<', b'?', ..] => Tag::Declaration,
        [b'<', b'/', ..] => Tag::Close,
        [.., b'/', b'>'] => Tag::Empty,
        _ => Tag::Open,
    }
}

/// An attribute of the element's own opening tag, as it is written there.
pub(crate) fn attribute<'a>(element: &'a [u8], name: &str) -> Option<&'a str> {
    let tag = element.get(..tag_end(element, 0)?)?;
    let mut rest = tag;
    loop {
        let equals = memchr(b'=', rest)?;
        let key = rest.get(..equals)?.rsplit(u8::is_ascii_whitespace).next()?;
        let quote = *rest.get(equals + 1)?;
        let value = rest.get(equals + 2..)?;
        let length = memchr(quote, value)?;
        if key == name.as_bytes() {
            return std::str::from_utf8(value.get(..length)?).ok();
        }
        rest = value.get(length + 1..)?;
    }
}

/// What stands between the first `open` and the next `close`.
pub(crate) fn between<'a>(bytes: &'a [u8], open: &str, close: &str) -> Option<&'a str> {
    let start = memmem::find(bytes, open.as_bytes())? + open.len();
    let rest = bytes.get(start..)?;
    let end = memmem::find(rest, close.as_bytes())?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// The character data after the element's opening tag.
pub(crate) fn text(element: &[u8]) -> Option<&str> {
    let rest = element.get(tag_end(element, 0)?..)?;
    std::str::from_utf8(rest.get(..memchr(b'<', rest)?)?).ok()
}

/// Whether `needle` stands anywhere in the element.
pub(crate) fn contains(element: &[u8], needle: &str) -> bool {
    memmem::find(element, needle.as_bytes()).is_some()
}

/// The elements that begin so, `<name `, each with what follows until the next begins.
pub(crate) fn elements<'a>(bytes: &'a [u8], open: &str) -> impl Iterator<Item = &'a [u8]> {
    let finder = memmem::Finder::new(open.as_bytes()).into_owned();
    let mut rest = memmem::find(bytes, open.as_bytes()).and_then(|start| bytes.get(start..));
    std::iter::from_fn(move || {
        let element = rest?;
        let next = finder.find(element.get(1..)?).map(|it| it + 1);
        rest = next.and_then(|next| element.get(next..));
        element.get(..next.unwrap_or(element.len()))
    })
}

/// The address without its resource.
pub(crate) fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

/// Room made for one read: some hundred chat messages would not arrive faster in more.
const READ_BYTES: usize = 8 * 1024;
/// No element of these loads comes near; it bounds the memory of a connection.
const BYTES_MAX: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_one_after_the_other() {
        let list = b"<list><item id='a'><item-id/></item><item id='b'/></list>";
        let ids = elements(list, "<item ").map(|it| attribute(it, "id").unwrap());
        assert_eq!(ids.collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(elements(list, "<other ").count(), 0);
    }

    fn items(scanner: &mut Scanner, input: &[u8]) -> Vec<String> {
        scanner.space().unwrap().extend_from_slice(input);
        let mut found = Vec::new();
        while let Some(item) = scanner.next() {
            found.push(match item {
                Item::Header => "header".to_owned(),
                Item::End => "end".to_owned(),
                Item::Child(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            });
        }
        found
    }

    const STREAM: &str = "<?xml version='1.0'?><stream:stream a='>'><a/> <b c=\"/>\"><b/>x</b>\n<c></c></stream:stream>";

    #[test]
    fn children_are_cut_whole() {
        let expected = ["header", "<a/>", "<b c=\"/>\"><b/>x</b>", "<c></c>", "end"];
        assert_eq!(
            items(&mut Scanner::before_header(), STREAM.as_bytes()),
            expected
        );
    }

    #[test]
    fn the_place_where_reads_end_does_not_matter() {
        for split in 0..STREAM.len() {
            let mut scanner = Scanner::before_header();
            let (first, second) = STREAM.as_bytes().split_at(split);
            let mut found = items(&mut scanner, first);
            found.extend(items(&mut scanner, second));
            assert_eq!(found.len(), 5, "split at {split}: {found:?}");
            assert_eq!(found[2], "<b c=\"/>\"><b/>x</b>");
        }
    }

    #[test]
    fn without_a_header_the_first_element_is_a_child() {
        assert_eq!(
            items(&mut Scanner::inside_stream(), b"<a><b/></a><c/>"),
            ["<a><b/></a>", "<c/>"]
        );
    }

    #[test]
    fn attributes_are_those_of_the_opening_tag() {
        let iq = b"<iq from='a@b/c' type=\"set\"><item jid='d@e' id='no'/></iq>";
        assert_eq!(attribute(iq, "from"), Some("a@b/c"));
        assert_eq!(attribute(iq, "type"), Some("set"));
        assert_eq!(attribute(iq, "id"), None);
        assert_eq!(attribute(iq, "jid"), None);
    }
}
