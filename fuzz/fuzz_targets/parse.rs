//! One element: what is accepted is the same by every way of reading it, after
//! writing it, and spliced behind another head.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parlour::xml::{Content, Element, Limits, Scope, XmlError, document, parse, write};

const CLIENT: &str = "jabber:client";

fuzz_target!(|input: &[u8]| {
    // So small that what is written anew can outgrow them.
    let limits = Limits { stanza_bytes_max: 4_096, ..Limits::default() };
    let scope: Scope = [("", CLIENT), ("s", "urn:s")].into_iter().collect();
    let alone = parse(Bytes::copy_from_slice(input), &Scope::default(), &limits);
    let alone = alone.and_then(|parsed| parsed.to_element());
    if alone != Err(XmlError::TooLong) {
        assert_eq!(alone, document(input, &limits));
    }
    let Ok(parsed) = parse(Bytes::copy_from_slice(input), &scope, &limits) else {
        return;
    };
    assert!(parsed.content.bytes().len() <= 2 * limits.stanza_bytes_max);
    let tree = parsed.to_element().expect("content that was checked");

    let written = written(&tree, "");
    // Writing may declare more than was declared; only the limits can mind.
    assert_eq!(document(&written, &Limits::STORED).as_ref(), Ok(&tree));

    let own = tree.ns();
    let children = tree.children().cloned().collect::<Vec<_>>();
    same_children(&parsed.content, &children, own);
    same_children(&Content::from_elements(&children, own), &children, own);

    // The same bytes behind a head in the same namespace, with nothing declared around them.
    let mut spliced = Vec::new();
    write::element(&mut spliced, &Element::new(own, "head").text("|"), "");
    let at = spliced.iter().rposition(|byte| *byte == b'|').expect("the mark");
    spliced.splice(at..=at, parsed.content.bytes().iter().copied());
    let spliced = document(&spliced, &Limits::STORED).expect("well-formed anywhere");
    assert_eq!(spliced.children().cloned().collect::<Vec<_>>(), children);
});

fn written(element: &Element, inherited_ns: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write::element(&mut out, element, inherited_ns);
    out
}

fn same_children(content: &Content, children: &[Element], own: &str) {
    assert_eq!(content.len(), children.len());
    for (child, element) in content.iter().zip(children) {
        assert_eq!(child.name(), element.name());
        assert_eq!(child.ns().unwrap_or(own), element.ns());
        assert_eq!(child.to_element(own).as_ref(), Ok(element));
        assert_eq!(child.text(), element.text_content());
    }
}
