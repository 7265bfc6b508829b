//! The same input through rxml, a parser that shares nothing with ours.
//!
//! What it refuses we refuse; what both accept gives the same tree. What only
//! we refuse is listed in [`only_ours`], where rxml departs from the standard in [`only_theirs`].

use proptest::collection::vec;
use proptest::prelude::*;
use rxml::{Event, Parse, Parser};

use super::well_formed::{MALFORMED, RESTRICTED, WELL_FORMED};
use crate::xml::{Element, Limits, XmlError, document};

/// Refusals that are ours alone.
fn only_ours(error: XmlError) -> bool {
    matches!(
        error,
        // Namespaces in XML 1.0 §6.3 forbids it; rxml keeps the last.
        XmlError::NotWellFormed("repeated declaration")
            // Only rxml's reader of whole documents knows the declaration.
            | XmlError::Restricted("XML declaration")
            // rxml has no limits of this kind.
            | XmlError::TooDeep
            | XmlError::TooManyAttributes
            | XmlError::TooManyDeclarations
    )
}

/// Where rxml departs from the standard: its table of name characters lacks the
/// last range of XML 1.0 §2.3 in the basic plane, and it loses a lone carriage
/// return before a quote and stumbles over one at the end (§2.11).
fn only_theirs(text: &str) -> bool {
    text.contains(|c| matches!(c, '\u{fdf0}'..='\u{fffd}'))
        || ["\r'", "\r\""].iter().any(|end| text.contains(end))
        || text.ends_with('\r')
}

/// The tree that rxml reads, `None` where it refuses.
fn oracle(mut bytes: &[u8]) -> Option<Element> {
    let mut parser = Parser::new();
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match parser.parse(&mut bytes, true).ok()? {
            Some(Event::XmlDeclaration(..)) => {}
            Some(Event::StartElement(_, (ns, name), attributes)) => {
                let mut element = Element::new(ns.as_str(), name.as_str());
                for ((ns, name), value) in attributes.iter() {
                    element.set_attribute(ns.as_str(), name.as_str(), value);
                }
                open.push(element);
            }
            Some(Event::Text(_, text)) => open.last_mut()?.push_text(text),
            Some(Event::EndElement(_)) => {
                let closed = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.push_child(closed),
                    None => root = Some(closed),
                }
            }
            None => return root,
        }
    }
}

/// The tree with attributes in one order, which rxml does not keep.
fn sorted(element: &Element) -> Element {
    let mut attributes = element.attributes().iter().collect::<Vec<_>>();
    attributes.sort_by_key(|attribute| (&attribute.ns, &attribute.name));
    let mut copy = Element::new(element.ns(), element.name());
    for attribute in attributes {
        copy.set_attribute(&attribute.ns, &attribute.name, &attribute.value);
    }
    for node in element.nodes() {
        match node {
            crate::xml::Node::Element(child) => copy.push_child(sorted(child)),
            crate::xml::Node::Text(text) => copy.push_text(text.clone()),
        }
    }
    copy
}

fn compare(text: &str) -> Result<(), String> {
    // rxml takes no white space before the root, we take it off.
    let text = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let ours = document(text.as_bytes(), &Limits::default());
    match (ours, oracle(text.as_bytes())) {
        (Ok(ours), Some(theirs)) if sorted(&ours) == sorted(&theirs) => Ok(()),
        (Ok(_), _) if only_theirs(text) => Ok(()),
        (Ok(ours), Some(theirs)) => Err(format!("{text:?}: ours {ours}, theirs {theirs}")),
        (Ok(_), None) => Err(format!("{text:?}: only ours accepts it")),
        (Err(error), Some(_)) if !only_ours(error) => {
            Err(format!("{text:?}: only ours refuses it: {error}"))
        }
        (Err(_), _) => Ok(()),
    }
}

#[test]
fn both_parsers_agree_on_the_tables() {
    let tables = [WELL_FORMED, MALFORMED, RESTRICTED];
    let differences = tables
        .into_iter()
        .flatten()
        .filter_map(|text| compare(text).err());
    assert_eq!(differences.collect::<Vec<_>>(), Vec::<String>::new());
}

/// Pieces that are nearly XML when put together.
fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "<a",
        "<b",
        "<p:c",
        "</a>",
        "</b>",
        "</p:c>",
        ">",
        "/>",
        "<a>",
        "<b>",
        "<",
        "&",
        ";",
        "'",
        "\"",
        "=",
        " x='1'",
        " y=\"2\"",
        " p:x='3'",
        " xml:lang='en'",
        " xmlns='u'",
        " xmlns=''",
        " xmlns:p='u'",
        " xmlns:p='v'",
        " xmlns:q='u'",
        " q:x='4'",
        " xmlns:xml='u'",
        " xmlns:p=''",
        " ",
        "\n",
        "\r\n",
        "\t",
        "x",
        "é",
        ":",
        "-",
        ".",
        "1",
        "&amp;",
        "&lt;",
        "&#65;",
        "&#x1F600;",
        "&#1;",
        "&#xFFFF;",
        "&foo;",
        "]]>",
        "<![CDATA[",
        "]]",
        "<!--",
        "-->",
        "<?x",
        "?>",
        "<!DOCTYPE a>",
        "\u{1}",
        "\u{ffff}",
        "\u{feff}",
        "/",
        "!",
    ]);
    vec(piece, 1..14).prop_map(|pieces| pieces.concat())
}

/// An element that is right but for the inside, so that most of it is accepted.
fn nearly_right() -> impl Strategy<Value = String> {
    let attribute = proptest::sample::select(vec![
        "",
        " x='1'",
        " y='a&amp;b\n'",
        " p:x='&#9;'",
        " xml:lang='en'",
        " xmlns='u'",
        " xmlns:p='u'",
        " xmlns:q='u' q:x='1'",
        " x='>'",
        " x = \"'\" ",
        " x='<'",
        " x='1' x='2'",
        " é='é'",
    ]);
    let text = proptest::sample::select(vec![
        "",
        "text",
        "a\r\nb\rc",
        "&lt;&#13;",
        "<![CDATA[<&\r\n]]>",
        "]]&gt;",
        "]]>",
        "\u{85}",
        "&x;",
        "<b/>",
        "<p:b/>",
    ]);
    let level = (
        attribute,
        text,
        proptest::sample::select(vec!["a", "b", "p:c"]),
    );
    vec(level, 1..5).prop_map(|levels| {
        let mut out = String::new();
        for (attribute, text, name) in &levels {
            out += &format!("<{name}{attribute}>{text}");
        }
        for (_, text, name) in levels.iter().rev() {
            out += &format!("{text}</{name}>");
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn both_parsers_agree_on_what_is_nearly_xml(text in pieces()) {
        prop_assert_eq!(compare(&text), Ok(()));
    }

    #[test]
    fn both_parsers_agree_on_the_trees(text in nearly_right()) {
        prop_assert_eq!(compare(&text), Ok(()));
    }

    #[test]
    fn both_parsers_agree_on_any_character_anywhere(c in any::<char>()) {
        for text in places(c) {
            prop_assert_eq!(compare(&text), Ok(()));
        }
    }
}

fn places(c: char) -> [String; 10] {
    let code = u32::from(c);
    [
        format!("<a>{c}</a>"),
        format!("<a x='{c}'/>"),
        format!("<{c}/>"),
        format!("<a{c}/>"),
        format!("<a>&#{code};</a>"),
        format!("<a x='&#x{code:x};'/>"),
        format!("<a {c}='1'/>"),
        format!("<a><![CDATA[{c}]]></a>"),
        format!("{c}<a/>"),
        format!("<a/>{c}"),
    ]
}

#[test]
fn both_parsers_agree_on_the_ends_of_every_range_of_characters() {
    let ends = [
        0x80,
        0xb7,
        0xc0,
        0xd7,
        0xd8,
        0xf7,
        0xf8,
        0x300,
        0x370,
        0x37e,
        0x37f,
        0x2000,
        0x200c,
        0x200e,
        0x203f,
        0x2041,
        0x2070,
        0x2190,
        0x2c00,
        0x2ff0,
        0x3001,
        0xd800,
        0xe000,
        0xf900,
        0xfdd0,
        0xfdf0,
        0xfeff,
        0xfffe,
        0x10000,
        0xf0000,
        0x0010_ffff,
    ];
    let near = ends.iter().flat_map(|end| end - 1..=end + 1);
    let characters = (0..0x80).chain(near).filter_map(char::from_u32);
    let differences = characters
        .flat_map(places)
        .filter_map(|text| compare(&text).err());
    assert_eq!(differences.collect::<Vec<_>>(), Vec::<String>::new());
}
