//! Children stay the bytes they came in, unless they lean on what is outside.

use bytes::Bytes;

use crate::xml::{Content, Element, Limits, Parsed, Scope, XmlError, document, parse};

const CLIENT: &str = "jabber:client";

fn scope() -> Scope {
    [("", CLIENT), ("s", "urn:s")].into_iter().collect()
}

fn parsed(text: &str) -> Parsed {
    parse(text.to_owned().into(), &scope(), &Limits::default()).expect(text)
}

fn tree(text: &str) -> Element {
    document(text.as_bytes(), &Limits::default()).expect(text)
}

fn text_of(content: &Content) -> &str {
    str::from_utf8(content.bytes()).unwrap()
}

/// The same children under another default namespace.
fn spliced(content: &Content, ns: &str) -> Element {
    tree(&format!(
        "<message xmlns='{ns}'>{}</message>",
        text_of(content)
    ))
}

fn names(content: &Content) -> Vec<(Option<&str>, &str)> {
    content
        .iter()
        .map(|child| (child.ns(), child.name()))
        .collect()
}

#[test]
fn ordinary_children_are_kept_as_the_bytes_they_came_in() {
    let inside = "<body>a &amp; b</body><active xmlns='http://jabber.org/protocol/chatstates'/>\
        <x:y a='1' xmlns:x='urn:x'><x:z/></x:y><n xmlns=''/><xml:t/>";
    let source = Bytes::from(format!("<message to='a'>{inside}</message>"));
    let parsed = parse(source.clone(), &scope(), &Limits::default()).unwrap();
    let content = &parsed.content;
    assert_eq!(text_of(content), inside);
    let offset = content.bytes().as_ptr().addr() - source.as_ptr().addr();
    assert_eq!(offset, "<message to='a'>".len(), "no copy was made");
    assert_eq!(
        names(content),
        [
            (None, "body"),
            (Some("http://jabber.org/protocol/chatstates"), "active"),
            (Some("urn:x"), "y"),
            (Some(""), "n"),
            (Some("http://www.w3.org/XML/1998/namespace"), "t"),
        ]
    );
    let body = content.find(None, "body").unwrap();
    assert_eq!(body.bytes(), b"<body>a &amp; b</body>");
    assert_eq!(body.text(), "a & b");
    assert!(content.find(Some(CLIENT), "body").is_none());
}

#[test]
fn children_that_lean_on_the_outside_are_written_anew() {
    for (text, expected) in [
        // A prefix of the stream header, of an element or an attribute.
        ("<message><s:a/></message>", "<a xmlns='urn:s'/>"),
        (
            "<message><a xmlns='urn:a'><s:b/></a></message>",
            "<a xmlns='urn:a'><b xmlns='urn:s'/></a>",
        ),
        (
            "<message><a s:x='1'/></message>",
            "<a xmlns:a0='urn:s' a0:x='1'/>",
        ),
        // A prefix of the stanza.
        (
            "<message xmlns:p='urn:p'><p:a/></message>",
            "<a xmlns='urn:p'/>",
        ),
        // The namespace that no declaration can give stays with its prefix.
        (
            "<message><a s:x='1'><xml:b><c/><d xmlns=''/></xml:b></a><xml:e s:x='1'/></message>",
            "<a xmlns:a0='urn:s' a0:x='1'><xml:b><c/><d xmlns=''/></xml:b></a>\
             <xml:e xmlns:a0='urn:s' a0:x='1'/>",
        ),
        // The parent is prefixed.
        (
            "<c:message xmlns:c='jabber:client'><c:body/></c:message>",
            "<body/>",
        ),
        (
            "<c:message xmlns:c='jabber:client' xmlns='urn:d'><a/></c:message>",
            "<a xmlns='urn:d'/>",
        ),
        (
            "<s:message><body/></s:message>",
            "<body xmlns='jabber:client'/>",
        ),
        // The child names the parent's namespace itself.
        (
            "<message><body xmlns='jabber:client'>x</body></message>",
            "<body>x</body>",
        ),
        (
            "<message><c:body xmlns:c='jabber:client'/></message>",
            "<body/>",
        ),
        // Only such a child is touched.
        (
            "<message><b  x=\"1\" /><s:a/><c  xmlns='urn:c' /></message>",
            "<b  x=\"1\" /><a xmlns='urn:s'/><c  xmlns='urn:c' />",
        ),
        // A namespace of one inside, by declaration, is not relative.
        (
            "<message><f xmlns='urn:f'><message xmlns='jabber:client'><body/></message></f></message>",
            "<f xmlns='urn:f'><message xmlns='jabber:client'><body/></message></f>",
        ),
        // Character data between children goes.
        ("<message> <a/>x<b/>&amp;\n</message>", "<a/><b/>"),
        ("<message>x</message>", ""),
        ("<message><![CDATA[x]]></message>", ""),
        ("<message/>", ""),
    ] {
        let parsed = parsed(text);
        assert_eq!(text_of(&parsed.content), expected, "{text}");
        let same = parse(
            format!("<message>{expected}</message>").into(),
            &Scope::with_default(parsed.tag.ns()),
            &Limits::default(),
        );
        assert_eq!(
            names(&parsed.content),
            names(&same.unwrap().content),
            "{text}"
        );
    }
}

#[test]
fn content_means_the_same_in_another_stream() {
    for text in [
        "<message><body>x</body><s:a s:b='1'><s:c/></s:a><d xmlns='urn:d'/></message>",
        "<c:message xmlns:c='jabber:client'><c:body>x</c:body><e xmlns=''/></c:message>",
        "<message xmlns:p='urn:p'>\n  <p:a><b/></p:a>\n  <body xmlns='jabber:client'/></message>",
    ] {
        let parsed = parsed(text);
        let whole = parsed.to_element().unwrap();
        let here = spliced(&parsed.content, CLIENT);
        let children = |element: &Element| element.children().cloned().collect::<Vec<_>>();
        assert_eq!(children(&here), children(&whole), "{text}");
        let there = spliced(&parsed.content, "jabber:component:accept");
        let there = children(&there);
        for (child, tree) in parsed.content.iter().zip(&there) {
            assert_eq!(tree.name(), child.name(), "{text}");
            assert_eq!(
                tree.ns(),
                child.ns().unwrap_or("jabber:component:accept"),
                "{text}"
            );
        }
        assert_eq!(there.len(), parsed.content.len(), "{text}");
    }
}

#[test]
fn namespaces_that_need_resolving_are_told_resolved() {
    let parsed = parsed("<message><a xmlns='urn:a?b&amp;c'/><b xmlns='urn:\tb'/></message>");
    assert_eq!(
        names(&parsed.content),
        [(Some("urn:a?b&c"), "a"), (Some("urn: b"), "b")]
    );
    let element = Element::new("urn:a?b&c'", "a");
    let content = Content::from_elements(std::slice::from_ref(&element), CLIENT);
    assert_eq!(names(&content), [(Some("urn:a?b&c'"), "a")]);
    let child = content.iter().next().unwrap();
    assert_eq!(child.to_element(CLIENT), Ok(element));
}

#[test]
fn the_tree_of_a_stanza_keeps_its_text() {
    for text in [
        "<auth xmlns='urn:x' mechanism='PLAIN'>AGFhAGJi</auth>",
        "<a xmlns='urn:x'>x<b/>y&amp;<c>z</c></a>",
        "<a xmlns='urn:x'>\n<b/>\n</a>",
        "<a xmlns='urn:x'><b x='1'>y</b><c xmlns='urn:c'/></a>",
        "<a xmlns='urn:x'/>",
    ] {
        assert_eq!(parsed(text).to_element(), Ok(tree(text)), "{text}");
    }
    assert_eq!(parsed("<auth>AG&#65;<![CDATA[=]]></auth>").text(), "AGA=");
    assert_eq!(parsed("<a>x<s:b>no</s:b></a>").text(), "x");
    assert_eq!(parsed("<auth/>").text(), "");
}

#[test]
fn the_text_of_a_child_is_only_its_own() {
    for (inside, expected) in [
        ("<b>plain</b>", "plain"),
        ("<b/>", ""),
        ("<b>a<c>no</c>b</b>", "ab"),
        ("<b>&lt;<![CDATA[<&]]>&#65;\r\n</b>", "<<&A\n"),
    ] {
        let parsed = parsed(&format!("<message>{inside}</message>"));
        let child = parsed.content.iter().next().unwrap();
        assert_eq!(child.text(), expected, "{inside}");
    }
}

#[test]
fn content_can_be_made_and_changed() {
    let body = Element::new(CLIENT, "body").text("x");
    let delay = Element::new("urn:xmpp:delay", "delay").attr("stamp", "y");
    let hint = Element::new("urn:xmpp:hints", "store");
    let mut content = Content::from_elements(&[body.clone(), delay.clone()], CLIENT);
    assert_eq!(
        text_of(&content),
        "<body>x</body><delay xmlns='urn:xmpp:delay' stamp='y'/>"
    );
    let before = content.clone();
    content.push(&hint, CLIENT);
    assert_eq!(content.len(), 3);
    assert_eq!(before.len(), 2, "a clone is not touched");
    assert!(content.contains(Some("urn:xmpp:hints"), "store"));

    content.retain(|child| child.ns() != Some("urn:xmpp:delay"));
    assert_eq!(
        text_of(&content),
        "<body>x</body><store xmlns='urn:xmpp:hints'/>"
    );
    content.append(&before);
    assert_eq!(
        names(&content),
        [
            (None, "body"),
            (Some("urn:xmpp:hints"), "store"),
            (None, "body"),
            (Some("urn:xmpp:delay"), "delay"),
        ]
    );
    let trees = content
        .iter()
        .map(|child| child.to_element(CLIENT).unwrap());
    assert_eq!(trees.collect::<Vec<_>>(), [body.clone(), hint, body, delay]);

    content.retain(|_| false);
    assert!(content.is_empty() && content.bytes().is_empty());
    content.append(&before);
    assert_eq!(content, before);
    assert!(Content::empty().find(None, "body").is_none());
}

#[test]
fn keeping_every_child_copies_nothing() {
    let mut content = parsed("<message><a/><b/></message>").content;
    let address = content.bytes().as_ptr();
    content.retain(|_| true);
    assert_eq!(content.bytes().as_ptr(), address);
}

#[test]
fn the_types_on_the_way_of_a_stanza_stay_small() {
    assert!(size_of::<Content>() <= 144, "{}", size_of::<Content>());
    assert!(size_of::<Parsed>() <= 272, "{}", size_of::<Parsed>());
}

#[test]
fn a_name_is_not_multiplied_by_its_uses() {
    let long = "u".repeat(20_000);
    let declared = |ns: &str, count: usize| {
        let uses = "<a:b/>".repeat(count);
        format!("<message xmlns:a='{ns}'>{uses}</message>")
    };
    let outcome = |text: String| {
        let parsed = parse(text.into(), &scope(), &Limits::default());
        parsed.map(|parsed| parsed.content.bytes().len())
    };
    assert_eq!(outcome(declared(&long, 1_000)), Err(XmlError::TooLong));
    // Inherited, it would be copied into every element of a tree.
    let inherited = format!("<query xmlns='{long}'>{}</query>", "<b/>".repeat(1_000));
    assert_eq!(outcome(inherited), Err(XmlError::TooLong));
    // Many uses of an ordinary name add up as well, before anything is built of them.
    let ordinary = "u".repeat(200);
    let inherited = format!(
        "<query xmlns='{ordinary}'>{}</query>",
        "<b/>".repeat(40_000)
    );
    assert_eq!(outcome(inherited), Err(XmlError::TooLong));
    assert_eq!(outcome(declared(&ordinary, 10)), Ok(2_130));
    assert_eq!(outcome(declared(&ordinary, 40_000)), Err(XmlError::TooLong));
    let attributes = format!(
        "<message xmlns:a='{ordinary}'>{}</message>",
        "<b a:c=''/>".repeat(20_000)
    );
    assert_eq!(outcome(attributes), Err(XmlError::TooLong));
}

#[test]
fn what_was_written_out_is_one_child_and_other_bytes_are_none() {
    let written = Bytes::from_static(b"<result xmlns='urn:example' id='1'><a/></result>");
    let content = Content::from_written(written, "urn:example", "result");
    let child = content.find(Some("urn:example"), "result").unwrap();
    assert_eq!(child.to_element("").unwrap().attribute("id"), Some("1"));
    for (bytes, ns, name) in [
        (
            "<result id='1' xmlns='urn:example'/>",
            "urn:example",
            "result",
        ),
        ("<results xmlns='urn:example'/>", "urn:example", "result"),
        ("<result xmlns='urn:example:2'/>", "urn:example", "result"),
        ("", "urn:example", "result"),
    ] {
        let content = Content::from_written(Bytes::from(bytes), ns, name);
        assert!(content.is_empty(), "{bytes}");
    }
}

/// What is written is made room for once: what is kept for long holds no more than it needs.
#[test]
fn an_element_is_as_long_as_was_thought() {
    for text in [
        "<a/>",
        "<a b='c' d=''/>",
        "<a>text</a>",
        "<a xml:lang='en'><b xmlns='urn:other' c='d'/>text<e><f/></e></a>",
    ] {
        let element = tree(text);
        for inherited in ["", element.ns(), "urn:other"] {
            let mut out = Vec::new();
            crate::xml::write::element(&mut out, &element, inherited);
            assert_eq!(
                crate::xml::write::length(&element, inherited),
                out.len(),
                "{text} in {inherited}"
            );
        }
    }
}
