//! What is written is read back the same, and however it is read it is the same.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::xml::element::XML_NS;
use crate::xml::{Content, Element, Frame, Framer, Limits, Parsed, Scope, document, parse, write};

const CLIENT: &str = "jabber:client";

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "[a-zA-Z_é][a-zA-Z0-9_.é-]{0,6}"]
}

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(CLIENT.to_owned()),
        Just("urn:a".to_owned()),
        "urn:[a-z&'\"<>\t ]{0,4}",
    ]
}

fn attribute_namespace() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        1 => Just(XML_NS.to_owned()),
        1 => namespace(),
    ]
}

/// Any text, with what needs care more often than chance would have it.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z ]{0,8}",
        "[<>&'\"\r\n\t;#\\]]{1,4}",
        Just("]]>".to_owned()),
        any::<char>()
            .prop_filter("XML 1.0 §2.2", |c| {
                matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
            })
            .prop_map(String::from),
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn bare() -> impl Strategy<Value = Element> {
    let attributes = vec((attribute_namespace(), name(), text()), 0..4);
    (namespace(), name(), attributes).prop_map(|(ns, name, attributes)| {
        let mut element = Element::new(&ns, &name);
        for (ns, name, value) in attributes {
            element.set_attribute(&ns, &name, &value);
        }
        element
    })
}

fn element() -> impl Strategy<Value = Element> {
    bare().prop_recursive(4, 24, 4, |inner| {
        let node = prop_oneof![inner.prop_map(Ok), text().prop_map(Err)];
        (bare(), vec(node, 0..4)).prop_map(|(mut element, nodes)| {
            for node in nodes {
                match node {
                    Ok(child) => element.push_child(child),
                    Err(text) => element.push_text(text),
                }
            }
            element
        })
    })
}

fn written(element: &Element, inherited_ns: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write::element(&mut out, element, inherited_ns);
    out
}

fn parsed(bytes: &[u8], scope: &Scope) -> Parsed {
    let bytes = Bytes::copy_from_slice(bytes);
    parse(bytes, scope, &Limits::default()).expect("what was written is well-formed")
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_the_same(element in element()) {
        let out = written(&element, "");
        prop_assert_eq!(document(&out, &Limits::default()), Ok(element.clone()));
        prop_assert_eq!(element.to_string().into_bytes(), out);
        let out = written(&element, CLIENT);
        let scope = Scope::with_default(CLIENT);
        prop_assert_eq!(parsed(&out, &scope).to_element(), Ok(element));
    }

    #[test]
    fn content_means_the_elements_it_was_made_of(elements in vec(element(), 0..5), own in namespace()) {
        let content = Content::from_elements(&elements, &own);
        prop_assert_eq!(content.len(), elements.len());
        let mut pushed = Content::empty();
        for (child, element) in content.iter().zip(&elements) {
            prop_assert_eq!(child.to_element(&own), Ok(element.clone()));
            prop_assert_eq!(child.name(), element.name());
            prop_assert_eq!(child.ns(), Some(element.ns()).filter(|ns| *ns != own));
            prop_assert_eq!(child.text(), element.text_content());
            pushed.push(element, &own);
        }
        prop_assert_eq!(&pushed, &content);
        // Behind a head in its stream, and read again.
        let head = Element::new(&own, "message").children_from(elements.iter().cloned());
        let again = parsed(&written(&head, ""), &Scope::default());
        prop_assert_eq!(again.to_element(), Ok(head));
        let names = |content: &Content| {
            let names = content.iter().map(|child| (child.ns().map(str::to_owned), child.name().to_owned()));
            names.collect::<Vec<_>>()
        };
        prop_assert_eq!(names(&again.content), names(&content));
    }

    #[test]
    fn a_framed_element_is_the_one_that_was_sent(elements in vec(element(), 1..4), size in 1_usize..80) {
        let mut stream = b"<stream xmlns='jabber:client'>".to_vec();
        for element in &elements {
            stream.extend_from_slice(&written(element, CLIENT));
            stream.push(b'\n');
        }
        let mut framer = Framer::new(Limits::default());
        let mut buffer = BytesMut::new();
        let mut seen = Vec::new();
        let mut scope = Scope::default();
        for piece in stream.chunks(size) {
            buffer.extend_from_slice(piece);
            while let Some(frame) = framer.next(&mut buffer).unwrap() {
                match frame {
                    Frame::Open(opening) => scope = opening.scope,
                    Frame::Element(bytes) => seen.push(parsed(&bytes, &scope).to_element().unwrap()),
                    Frame::Close => panic!("nothing closes the stream"),
                }
            }
        }
        prop_assert_eq!(seen, elements);
    }
}

#[test]
fn characters_that_xml_has_no_form_for_are_replaced() {
    let element = Element::new("", "a")
        .attr("x", "\u{1}\u{ffff}")
        .text("a\0\u{fffe}b\u{ef}");
    let replaced = Element::new("", "a")
        .attr("x", "\u{fffd}\u{fffd}")
        .text("a\u{fffd}\u{fffd}b\u{ef}");
    assert_eq!(
        document(&written(&element, ""), &Limits::default()),
        Ok(replaced)
    );
}

#[test]
fn a_namespace_is_declared_only_where_it_changes() {
    let body = Element::new(CLIENT, "body").text("a<b");
    let inner = Element::new("urn:x", "x").child(Element::new("urn:x", "y"));
    let message = Element::new(CLIENT, "message")
        .attr("to", "a'b")
        .lang("en")
        .child(body)
        .child(inner.child(Element::new("", "z")));
    assert_eq!(
        String::from_utf8(written(&message, CLIENT)).unwrap(),
        "<message to='a&apos;b' xml:lang='en'><body>a&lt;b</body>\
         <x xmlns='urn:x'><y/><z xmlns=''/></x></message>"
    );
}
