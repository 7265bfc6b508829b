//! Streams cut into frames, however they are fragmented.

use bytes::BytesMut;

use crate::xml::XmlError::{
    BadNamespacePrefix, InvalidUtf8, NotWellFormed, Restricted, TextBetweenElements, TooDeep,
    TooLong, UnsupportedEncoding,
};
use crate::xml::{Frame, Framer, Limits, XmlError};

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>";

/// Feeds the pieces and tells the frames as short lines.
fn frames<P: AsRef<[u8]>>(
    framer: &mut Framer,
    pieces: impl IntoIterator<Item = P>,
) -> Result<Vec<String>, XmlError> {
    let mut buffer = BytesMut::new();
    let mut seen = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece.as_ref());
        while let Some(frame) = framer.next(&mut buffer)? {
            seen.push(match frame {
                Frame::Open(opening) => format!("open {}", opening.tag.name()),
                Frame::Element(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Frame::Close => "close".into(),
            });
        }
        assert_eq!(framer.within_stanza(), !buffer.is_empty());
    }
    Ok(seen)
}

fn stream(children: &str) -> Result<Vec<String>, XmlError> {
    let text = format!("{HEADER}{children}");
    frames(&mut Framer::new(Limits::default()), [text.as_bytes()])
}

#[test]
fn fragments_of_any_size_give_the_same_frames() {
    let children = [
        "<message><body>a &gt; b</body></message>",
        "<a x='/>' y=\"</a>'\"/>",
        "<a><![CDATA[</a>]]]]><![CDATA[>]]></a>",
        "<a/>",
        "<a><a><a/></a>é<a x='>'></a></a>",
        "<a></a >",
    ];
    let text = format!(
        "<?xml version='1.0'?>\n{HEADER} \n{}\n </stream:stream > ",
        children.join(" \r\n\t")
    );
    let mut expected = vec!["open stream".to_owned()];
    expected.extend(children.map(str::to_owned));
    expected.push("close".into());
    for size in 1..=text.len() {
        let mut framer = Framer::new(Limits::default());
        let got = frames(&mut framer, text.as_bytes().chunks(size));
        assert_eq!(got.as_ref(), Ok(&expected), "in pieces of {size}");
    }
}

#[test]
fn refusals_do_not_depend_on_fragments() {
    let wrong: [(&str, XmlError); 6] = [
        (
            "<a><!-- c --></a>",
            Restricted("comment or markup declaration"),
        ),
        (
            "<a><![CDAT[x]]></a>",
            Restricted("comment or markup declaration"),
        ),
        ("<?pi?>", Restricted("processing instruction")),
        ("<!DOCTYPE a>", Restricted("markup declaration")),
        ("x<a/>", TextBetweenElements),
        ("</b>", NotWellFormed("wrong end tag of the stream")),
    ];
    for (children, expected) in wrong {
        let text = format!("{HEADER}{children}");
        for size in 1..=text.len() {
            let mut framer = Framer::new(Limits::default());
            let got = frames(&mut framer, text.as_bytes().chunks(size));
            assert_eq!(got, Err(expected), "{children} in pieces of {size}");
        }
    }
}

#[test]
fn restricted_and_stray_input_is_refused_between_and_within_children() {
    for (children, expected) in [
        ("<a><?pi?></a>", Restricted("processing instruction")),
        (
            "<a><!DOCTYPE b></a>",
            Restricted("comment or markup declaration"),
        ),
        ("<![CDATA[x]]>", Restricted("markup declaration")),
        ("<!-- c -->", Restricted("markup declaration")),
        (
            "<?xml version='1.0'?>",
            Restricted("processing instruction"),
        ),
        ("&amp;", TextBetweenElements),
        ("\u{feff}", TextBetweenElements),
        ("\0", TextBetweenElements),
        ("<a/>x", TextBetweenElements),
        (
            "</stream:stream><a/>",
            NotWellFormed("something after the end of the stream"),
        ),
        (
            "</stream:stream>x",
            NotWellFormed("something after the end of the stream"),
        ),
        (
            "</streams:stream>",
            NotWellFormed("wrong end tag of the stream"),
        ),
        (
            "</stream:streamx>",
            NotWellFormed("wrong end tag of the stream"),
        ),
        ("</stream>", NotWellFormed("wrong end tag of the stream")),
    ] {
        assert_eq!(stream(children), Err(expected), "{children}");
    }
}

#[test]
fn declarations_and_headers_are_checked() {
    let header = |text: &str| frames(&mut Framer::new(Limits::default()), [text.as_bytes()]);
    let bad = Err(NotWellFormed("malformed XML declaration"));
    let open = |name: &str| Ok(vec![format!("open {name}")]);
    for (text, expected) in [
        ("<?xml version='1.0'?><a>", open("a")),
        ("<?xml version=\"1.0\" encoding=\"utf-8\"?><a>", open("a")),
        (
            "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><a>",
            open("a"),
        ),
        ("\n<?xml version='1.0'?>\n<a>", open("a")),
        ("<a>", open("a")),
        ("<p:a xmlns:p='u'>", open("a")),
        ("<a/>", Ok(vec!["open a".into(), "close".into()])),
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>",
            Err(UnsupportedEncoding),
        ),
        (
            "<?xml version='1.0' encoding='UTF-16'?><a>",
            Err(UnsupportedEncoding),
        ),
        ("<?xml version='1.1'?><a>", bad.clone()),
        ("<?xml?><a>", bad.clone()),
        ("<?xml encoding='UTF-8'?><a>", bad.clone()),
        ("<?xml encoding='UTF-8' version='1.0'?><a>", bad.clone()),
        ("<?xml version='1.0' version='1.0'?><a>", bad.clone()),
        ("<?xml version='1.0'encoding='UTF-8'?><a>", bad.clone()),
        ("<?xml version='1.0' x='y'?><a>", bad.clone()),
        ("<?xml version='1.0' standalone='maybe'?><a>", bad.clone()),
        ("<?xml version=1.0?><a>", bad),
        (
            "<?xml version='1.0'?><?xml version='1.0'?><a>",
            Err(Restricted("second XML declaration")),
        ),
        (
            "<?xm version='1.0'?><a>",
            Err(Restricted("processing instruction")),
        ),
        ("<??><a>", Err(Restricted("processing instruction"))),
        ("<!DOCTYPE a><a>", Err(Restricted("markup declaration"))),
        ("<!-- c --><a>", Err(Restricted("markup declaration"))),
        (
            "</a>",
            Err(NotWellFormed("end tag before the stream header")),
        ),
        ("x", Err(TextBetweenElements)),
        ("\u{feff}<a>", Err(TextBetweenElements)),
        ("<p:a>", Err(BadNamespacePrefix("undeclared prefix"))),
        ("<1>", Err(NotWellFormed("malformed name"))),
        ("<a x='1' x='2'>", Err(NotWellFormed("repeated attribute"))),
        ("<a <b>", Err(NotWellFormed("malformed name"))),
    ] {
        assert_eq!(header(text), expected, "{text}");
    }
    let bytes: &[u8] = b"<a x='\xff'>";
    assert_eq!(
        frames(&mut Framer::new(Limits::default()), [bytes]),
        Err(InvalidUtf8)
    );
}

#[test]
fn the_header_tells_its_attributes_and_its_scope() {
    let mut buffer = BytesMut::from(HEADER);
    let Ok(Some(Frame::Open(opening))) = Framer::new(Limits::default()).next(&mut buffer) else {
        panic!("no header");
    };
    assert!(opening.tag.is("http://etherx.jabber.org/streams", "stream"));
    assert_eq!(opening.tag.attribute("to"), Some("example.org"));
    assert_eq!(opening.scope.default_ns(), "jabber:client");
    assert_eq!(
        opening.scope.resolve("stream"),
        Some("http://etherx.jabber.org/streams")
    );
    assert_eq!(opening.scope.resolve("other"), None);
}

#[test]
fn limits_are_felt_before_an_element_is_complete() {
    let limits = Limits {
        stanza_bytes_max: 200,
        depth_max: 3,
        ..Limits::default()
    };
    let run = |children: &str| {
        let text = format!("{HEADER}{children}");
        frames(&mut Framer::new(limits), [text.as_bytes()]).map(|frames| frames.len())
    };
    let fill = |bytes: usize| "x".repeat(bytes);
    assert_eq!(run(&format!("<a>{}", fill(197))), Ok(1));
    assert_eq!(run(&format!("<a>{}", fill(198))), Err(TooLong));
    assert_eq!(run(&format!("<a>{}</a>", fill(193))), Ok(2));
    assert_eq!(run(&format!("<a>{}</a>", fill(194))), Err(TooLong));
    assert_eq!(run(&format!("<a x='{}", fill(200))), Err(TooLong));
    assert_eq!(run(&format!("<a><![CDATA[{}", fill(200))), Err(TooLong));
    assert_eq!(run(&format!("</{}", fill(200))), Err(TooLong));
    // Beyond the limit nothing is looked at, whatever it is.
    assert_eq!(run(&format!("<a>{}<!--", fill(197))), Err(TooLong));
    // Many small ones are no long one.
    assert_eq!(run(&"<a/>".repeat(1000)), Ok(1001));
    assert_eq!(run("<a><b><c>"), Ok(1));
    assert_eq!(run("<a><b><c><d"), Err(TooDeep));
    assert_eq!(run("<a><b><c/><c></c><c/></b></a>"), Ok(2));
    let mut framer = Framer::new(limits);
    let header = format!("<a x='{}", fill(200));
    assert_eq!(frames(&mut framer, [header.as_bytes()]), Err(TooLong));
}

#[test]
fn a_name_in_the_header_is_bounded() {
    let long = "u".repeat(2_000);
    for header in [
        format!("<s xmlns='{long}'>"),
        format!("<s xmlns='u' xmlns:p='{long}'>"),
        format!("<s xmlns='u' xmlns:{long}='u'>"),
        format!("<s xmlns='u' {long}='u'>"),
        format!("<{long} xmlns='u'>"),
    ] {
        let mut framer = Framer::new(Limits::default());
        assert_eq!(frames(&mut framer, [header.as_bytes()]), Err(TooLong));
    }
}

#[test]
fn white_space_between_children_leaves_the_buffer_empty() {
    let mut framer = Framer::new(Limits::default());
    let mut buffer = BytesMut::from(HEADER);
    assert!(framer.next(&mut buffer).unwrap().is_some());
    for _ in 0..100 {
        buffer.extend_from_slice(b" \n");
        assert!(framer.next(&mut buffer).unwrap().is_none());
        assert!(buffer.is_empty());
        assert!(!framer.within_stanza());
    }
    buffer.extend_from_slice(b"<");
    assert!(framer.next(&mut buffer).unwrap().is_none());
    assert!(framer.within_stanza());
}

#[test]
fn a_restarted_stream_has_a_header_again() {
    let mut framer = Framer::new(Limits::default());
    let mut buffer = BytesMut::from(format!("{HEADER}<auth/>").as_str());
    assert!(matches!(framer.next(&mut buffer), Ok(Some(Frame::Open(_)))));
    assert!(matches!(
        framer.next(&mut buffer),
        Ok(Some(Frame::Element(_)))
    ));
    framer.restart();
    buffer.extend_from_slice(b"<?xml version='1.0'?><other xmlns='urn:o'></other>");
    let Ok(Some(Frame::Open(opening))) = framer.next(&mut buffer) else {
        panic!("no header");
    };
    assert!(opening.tag.is("urn:o", "other"));
    assert!(matches!(framer.next(&mut buffer), Ok(Some(Frame::Close))));
}
