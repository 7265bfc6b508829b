//! What is refused, and as what; every check that quick-xml leaves to its user
//! has a line here.

use bytes::Bytes;

use crate::xml::XmlError::{
    BadNamespacePrefix, InvalidUtf8, NotWellFormed, Restricted, TooDeep, TooLong,
    TooManyAttributes, TooManyDeclarations,
};
use crate::xml::{Limits, Scope, XmlError, document, parse};

fn verdict(bytes: &[u8], limits: &Limits) -> Result<(), XmlError> {
    let tree = document(bytes, limits);
    let parsed = parse(Bytes::copy_from_slice(bytes), &Scope::default(), limits);
    match (tree, parsed) {
        (Ok(tree), Ok(parsed)) => {
            assert_eq!(parsed.to_element(), Ok(tree));
            Ok(())
        }
        (Err(tree), Err(parsed)) => {
            assert_eq!(tree, parsed, "the tree and the pass without one disagree");
            Err(tree)
        }
        (tree, parsed) => panic!("{tree:?} but {parsed:?}"),
    }
}

fn kind(error: XmlError) -> XmlError {
    match error {
        NotWellFormed(_) => NotWellFormed(""),
        Restricted(_) => Restricted(""),
        BadNamespacePrefix(_) => BadNamespacePrefix(""),
        other => other,
    }
}

#[test]
fn well_formed_elements_are_accepted() {
    for text in WELL_FORMED {
        assert_eq!(
            verdict(text.as_bytes(), &Limits::default()),
            Ok(()),
            "{text}"
        );
    }
}

#[test]
fn malformed_elements_are_refused() {
    for text in MALFORMED {
        let got = verdict(text.as_bytes(), &Limits::default()).map_err(kind);
        assert_eq!(got, Err(NotWellFormed("")), "{text:?}");
    }
}

#[test]
fn restricted_markup_is_refused() {
    for text in RESTRICTED {
        let got = verdict(text.as_bytes(), &Limits::default()).map_err(kind);
        assert_eq!(got, Err(Restricted("")), "{text:?}");
    }
}

#[test]
fn bad_prefixes_are_refused() {
    for text in [
        "<p:a/>",
        "<a p:x='1'/>",
        "<a><p:b/></a>",
        "<a><b xmlns:p='u'/><p:c/></a>",
        "<a xmlns:p=''/>",
        "<a xmlns:p='u'><b xmlns:p=''/></a>",
        "<a xmlns:xml='u'/>",
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<xmlns:a/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns&#x2f;'/>",
    ] {
        let got = verdict(text.as_bytes(), &Limits::default()).map_err(kind);
        assert_eq!(got, Err(BadNamespacePrefix("")), "{text:?}");
    }
}

#[test]
fn other_encodings_are_refused() {
    for bytes in [
        &b"<a>\xff</a>"[..],
        b"<a x='\xc3'/>",
        b"<a>\xc0\x80</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<a>\xf4\x90\x80\x80</a>",
        b"\xff\xfe<\0a\0/\0>\0",
    ] {
        assert_eq!(
            verdict(bytes, &Limits::default()),
            Err(InvalidUtf8),
            "{bytes:?}"
        );
    }
}

#[test]
fn limits_are_inclusive() {
    let limits = Limits {
        stanza_bytes_max: 100,
        depth_max: 3,
        attributes_max: 2,
        declarations_max: 2,
        name_bytes_max: 7,
    };
    let long = |bytes: usize| format!("<a>{}</a>", "x".repeat(bytes - 7));
    for (text, expected) in [
        (long(100), Ok(())),
        (long(101), Err(TooLong)),
        ("<a><b><c/></b></a>".into(), Ok(())),
        ("<a><b><c><d/></c></b></a>".into(), Err(TooDeep)),
        ("<a x='1' y='2' xmlns='u'/>".into(), Ok(())),
        ("<a x='1' y='2' z='3'/>".into(), Err(TooManyAttributes)),
        ("<a xmlns='u' xmlns:p='v' x='1'/>".into(), Ok(())),
        (
            "<a xmlns='u' xmlns:p='v' xmlns:q='w'/>".into(),
            Err(TooManyDeclarations),
        ),
        ("<abcdefg a:bcdef='' xmlns:a='abcdefg'/>".into(), Ok(())),
        ("<abcdefgh/>".into(), Err(TooLong)),
        ("<a:bcdefg xmlns:a='u'/>".into(), Err(TooLong)),
        ("<a abcdefgh=''/>".into(), Err(TooLong)),
        ("<a xmlns:ab='u'/>".into(), Err(TooLong)),
        ("<a xmlns='abcdefgh'/>".into(), Err(TooLong)),
        ("<a xmlns='abcdef&lt;'/>".into(), Ok(())),
        // Those in force count, and those of the elements around are.
        (
            "<a xmlns='u'><b xmlns='v'><c xmlns='w'/></b></a>".into(),
            Err(TooManyDeclarations),
        ),
        (
            "<a xmlns='u'><b xmlns='v'/><b xmlns='v'/></a>".into(),
            Ok(()),
        ),
    ] {
        assert_eq!(verdict(text.as_bytes(), &limits), expected, "{text}");
    }
}

#[test]
fn values_are_normalised_as_the_standard_says() {
    let text =
        "<a x=' 1\t2\n3\r\n4\r5&#9;&#10;&#13;6 '>a\r\nb\rc&#13;<![CDATA[\r\n&amp;]]>&lt;</a>";
    let element = document(text.as_bytes(), &Limits::default()).unwrap();
    // XML 1.0 §3.3.3, §2.11.
    assert_eq!(element.attribute("x"), Some(" 1 2 3 4 5\t\n\r6 "));
    assert_eq!(element.text_content(), "a\nb\nc\r\n&amp;<");
}

#[test]
fn names_are_resolved_with_the_scope_of_the_stream() {
    let scope: Scope = [("", "jabber:client"), ("s", "urn:s")]
        .into_iter()
        .collect();
    let bytes = Bytes::from_static(b"<message s:x='1' y='2' xml:lang='en'><s:b/></message>");
    let parsed = parse(bytes, &scope, &Limits::default()).unwrap();
    assert!(parsed.tag.is("jabber:client", "message"));
    assert_eq!(parsed.tag.attribute_ns("urn:s", "x"), Some("1"));
    assert_eq!(parsed.tag.attribute("x"), None);
    assert_eq!(parsed.tag.attribute("y"), Some("2"));
    assert_eq!(parsed.tag.lang(), Some("en"));
    assert!(parsed.content.contains(Some("urn:s"), "b"));
}

pub(super) const WELL_FORMED: &[&str] = &[
    "<a/>",
    "<a></a >",
    "<a\n/>",
    " <a/>\r\n\t",
    "<a x='1' y=\"2\"/>",
    "<a x = '1'\ty\n=\n'2' />",
    "<a x='>'/>",
    "<a x='\"/>' y=\"'\"/>",
    "<a>]]</a>",
    "<a>]] ></a>",
    "<a>></a>",
    "<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;&#x9;&#10;&#13;</a>",
    "<a x='&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;'/>",
    "<a><![CDATA[<&]]></a>",
    "<a><![CDATA[]]]]><![CDATA[>]]></a>",
    "<a><![CDATA[]]></a>",
    "<a>\u{feff}\u{85}\u{2028}\u{fffd}\u{1f600}</a>",
    "<é·/>",
    "<a.b-c_d1/>",
    "<_/>",
    "<p:a xmlns:p='urn:p'/>",
    "<p:a xmlns:p='urn:p' p:x='1' x='2'/>",
    "<a xmlns='urn:a'><b xmlns=''/></a>",
    "<a xml:lang='en'/>",
    "<xml:a/>",
    "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'/>",
    "<a xmlns:p='urn:p' xmlns:q='urn:q' p:x='1' q:x='2'/>",
    "<a xmlns:p='urn:p'><b xmlns:p='urn:q'><p:c/></b><p:d/></a>",
    "<a xmlns:p='urn:p' xmlns:q='urn:p'/>",
    "<xmlfoo/>",
];

pub(super) const MALFORMED: &[&str] = &[
    // Tags and their ends.
    "",
    " ",
    "a",
    "<",
    "<a",
    "<a>",
    "<a><b></b>",
    "<a></b>",
    "</a>",
    "<a/></a>",
    "<a></a></a>",
    "<a></ a>",
    "<a></a",
    "<a><b></a></b>",
    "<A></a>",
    "<p:a xmlns:p='u'></a>",
    // What stands beside the root.
    "<a/>x",
    "x<a/>",
    "<a/><b/>",
    "<a/>&amp;",
    "<a/><![CDATA[x]]>",
    "\u{feff}<a/>",
    "<a/>\u{feff}",
    "\u{a0}<a/>",
    "\u{c}<a/>",
    // Names.
    "<1a/>",
    "<:a/>",
    "<a:/>",
    "<></>",
    "<a=b/>",
    "<a:b:c xmlns:a='u'/>",
    "<-a/>",
    "<.a/>",
    "<a\u{d7}/>",
    "<a/b/>",
    "<a&b/>",
    "< a/>",
    "<a 1='x'/>",
    "<a :x='1'/>",
    "<a x:='1'/>",
    "<a b:c:d='1' xmlns:b='u'/>",
    "<a xmlns:='u'/>",
    "<a xmlns:1='u'/>",
    "<a xmlns:a:b='u'/>",
    "<a\"/>",
    "<a'b'/>",
    // Attributes.
    "<a x/>",
    "<a x=/>",
    "<a x=1/>",
    "<a x='1/>",
    "<a ='1'/>",
    "<a x='1'y='2'/>",
    "<a x='1' x='2'/>",
    "<a x=\"1\"y=\"2\"/>",
    "<ax='1'/>",
    "<a x='1' / >",
    "<a / >",
    "<a x='1'z/>",
    "<a 'x'/>",
    "<a x='<'/>",
    "<a x='1<2' y='3'/>",
    "<a <b/></a>",
    "<a x==''/>",
    "<a xmlns='u' xmlns='v'/>",
    "<a xmlns:p='u' xmlns:p='u'/>",
    "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>",
    "<a xmlns:p='u'><b xmlns:q='u' p:x='1' q:x='2'/></a>",
    "<a xmlns:x='http://www.w3.org/XML/1998/namespac' x:l='1' x:l='2'/>",
    // Characters, raw and by reference.
    "<a>\0</a>",
    "<a>\u{1}</a>",
    "<a>\u{b}</a>",
    "<a>\u{1f}</a>",
    "<a>\u{ffff}</a>",
    "<a>\u{fffe}</a>",
    "<a x='\0'/>",
    "<a x='\u{1}'/>",
    "<a x='\u{ffff}'/>",
    "<a><![CDATA[\u{1}]]></a>",
    "<a>&#0;</a>",
    "<a>&#1;</a>",
    "<a>&#xFFFF;</a>",
    "<a>&#xD800;</a>",
    "<a>&#x110000;</a>",
    "<a x='&#0;'/>",
    "<a x='&#1;'/>",
    "<a x='&#xFFFF;'/>",
    "<a x='&#xD800;'/>",
    "<a>&#;</a>",
    "<a>&#x;</a>",
    "<a>&#+65;</a>",
    "<a>&#x+41;</a>",
    "<a>&#-1;</a>",
    "<a>&#X41;</a>",
    "<a>&#99999999999999999999;</a>",
    "<a>&# 65;</a>",
    "<a>&#6_5;</a>",
    // References and sections.
    "<a>&</a>",
    "<a>a & b</a>",
    "<a>&amp</a>",
    "<a>&;</a>",
    "<a>& amp;</a>",
    "<a>&a b;</a>",
    "<a>&&amp;</a>",
    "<a x='&'/>",
    "<a x='a & b'/>",
    "<a x='&amp'/>",
    "<a x='&;'/>",
    "<a>]]></a>",
    "<a>x]]>y</a>",
    "<a><![CDATA[x]]>]]></a>",
    "<a><![CDATA[x]></a>",
    "<a><![CDATA[x</a>",
    "<a><![cdata[x]]></a>",
    "<a><![CDATA x]]></a>",
    "<a><!ELEMENT b></a>",
    "<a><!></a>",
    "<a><!</a>",
];

pub(super) const RESTRICTED: &[&str] = &[
    "<!-- c --><a/>",
    "<a><!-- c --></a>",
    "<a/><!-- c -->",
    "<?pi x?><a/>",
    "<a><?pi x?></a>",
    "<a/><?pi?>",
    "<?xml version='1.0'?><a/>",
    "<a><?xml version='1.0'?></a>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
    "<a><!DOCTYPE a></a>",
    "<a>&foo;</a>",
    "<a>&LT;</a>",
    "<a x='&foo;'/>",
];
