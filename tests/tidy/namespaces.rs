//! Every namespace that the server sends has a schema of its own in `schemas/`.

use crate::nothing_found;
use crate::source::{Source, root, sources};

/// Namespaces in the code that need no schema: nothing of theirs is sent.
const WITHOUT_SCHEMA: &[(&str, &str)] = &[
    ("urn:xmpp:pie:0", "of files, which nobody is sent"),
    (
        "urn:xmpp:delegation:2:bare:disco#items:*",
        "the name of what is delegated",
    ),
    ("urn:xmpp:delegation:", "the beginning of such names"),
    ("jabber:iq:privacy", "read only, from files"),
    ("urn:xmpp:mam:tmp", "read only, from files"),
    ("urn:xmpp:fulltext:0", "the name of a field of a form"),
    (
        "urn:xmpp:carbons:rules:0",
        "a feature, of which nothing is sent",
    ),
    ("urn:xmpp:message-correct:0", "read only"),
    ("urn:xmpp:message-retract:0", "read only"),
    ("urn:xmpp:reactions:0", "read only"),
    ("urn:xmpp:fasten:0", "read only"),
    ("urn:xmpp:omemo:1", "read only"),
    ("urn:xmpp:omemo:2", "read only"),
    ("urn:xmpp:openpgp:0", "read only"),
    ("jabber:x:encrypted", "read only"),
    ("jabber:x:oob", "read only"),
    ("urn:xmpp:sfs:0", "read only"),
    ("urn:xmpp:jingle-message:0", "read only"),
    ("urn:xmpp:contacts", "the name of a node"),
    ("urn:xmpp:mds:server-assist:0", "a feature only"),
    ("urn:xmpp:pep-vcard-conversion:0", "a feature only"),
    ("http://jabber.org/protocol/chatstates", "read only"),
    ("urn:xmpp:reporting:1", "read only"),
    ("urn:xmpp:pars:0", "read, and passed on as it came"),
    ("urn:xmpp:jingle-message:0", "read only"),
    ("urn:xmpp:eme:0", "read only"),
    ("urn:xmpp:omemo:2", "read only"),
    ("urn:xmpp:openpgp:0", "read only"),
    ("jabber:x:encrypted", "read only"),
    (
        "http://jabber.org/protocol/rosterx",
        "passed on as it came, or refused",
    ),
    (
        "urn:xmpp:push:summary",
        "the type of a form, whose elements are of jabber:x:data",
    ),
    (
        "urn:xmpp:invite",
        "the beginning of command names, whose elements are of their own namespaces",
    ),
    (
        "urn:xmpp:alt-connections:websocket",
        "the name of a relation, in documents of XRD",
    ),
    (
        "urn:xmpp:alt-connections:xbosh",
        "the name of a relation, in documents of XRD",
    ),
    (
        "urn:xmpp:hats:commands",
        "the beginning of command names, whose elements are of their own namespaces",
    ),
    (
        "http://jabber.org/network/serverinfo",
        "the type of a form, whose elements are of jabber:x:data",
    ),
    (
        "http://jabber.org/protocol/admin",
        "the beginning of command names, whose elements are of their own namespaces",
    ),
    (
        "urn:parlour:admin:0",
        "the beginning of command names and the type of forms, whose elements are of jabber:x:data",
    ),
    (
        "http://jabber.org/protocol/rc",
        "the beginning of command names, whose elements are of their own namespaces",
    ),
    (
        "http://www.w3.org/XML/1998/namespace",
        "defined by XML itself",
    ),
    ("http://www.w3.org/2000/xmlns/", "defined by XML itself"),
];

/// How a namespace of XMPP begins.
const BEGINNINGS: &[&str] = &[
    "urn:ietf:params:xml:ns:",
    "urn:xmpp:",
    "urn:parlour:",
    "jabber:",
    "http://jabber.org/",
    "http://etherx.jabber.org/",
];

/// Every literal of the source that is a namespace, with its place.
fn namespaces(source: &Source) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut before = String::new();
    for (number, part) in source.strings.split('"').enumerate() {
        // A text is what stands between two quotes.
        let whole = !part.is_empty() && !part.contains([' ', '\\', '<', '\'']);
        let listed = BEGINNINGS
            .iter()
            .any(|it| part.starts_with(it) && part.len() > it.len());
        if number % 2 == 1 && whole && (listed || part == "vcard-temp") {
            found.push((source.place(&before), part.to_owned()));
        }
        before.push_str(part);
        before.push('"');
    }
    found
}

fn without_schema(sources: &[Source], schemas: &[String]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        for (place, namespace) in namespaces(source) {
            // A node or a feature below a namespace of its own: `urn:xmpp:caps#sha-256.…`.
            let stem = namespace
                .rsplit_once('#')
                .map_or(namespace.as_str(), |(stem, _)| stem);
            let known = |name: &str| {
                schemas.iter().any(|schema| schema == name)
                    || WITHOUT_SCHEMA.iter().any(|(known, _)| *known == name)
            };
            if !known(&namespace) && !known(stem) {
                violations.push(format!("{place}: {namespace} has no schema in schemas/"));
            }
        }
    }
    violations
}

/// The target namespaces of all schemas, each with its file.
fn schemas() -> Vec<(String, String)> {
    let mut schemas = Vec::new();
    for entry in std::fs::read_dir(root().join("schemas")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "xsd") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let target = text
            .split_once("targetNamespace=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .unwrap_or_else(|| panic!("schemas/{name} has no targetNamespace"));
        schemas.push((target.0.to_owned(), name));
    }
    schemas.sort();
    schemas
}

#[test]
fn every_namespace_that_is_sent_has_a_schema() {
    let schemas: Vec<String> = schemas().into_iter().map(|(ns, _)| ns).collect();
    nothing_found(&without_schema(&sources(), &schemas));
}

#[test]
fn a_namespace_without_a_schema_is_found() {
    let code = "const A: &str = \"urn:parlour:attic:0\"; const B: &str = \"jabber:iq:cellar\";\n\
                // \"urn:xmpp:comment\"\nconst C: &str = \"jabber:client\";";
    let made_up = Source::new("src/extensions/attic.rs", code);
    let schemas = ["jabber:client".to_owned()];
    assert_eq!(without_schema(&[made_up], &schemas).len(), 2);
}

#[test]
fn a_namespace_has_one_schema_and_no_excuse_beside_it() {
    let schemas = schemas();
    for pair in schemas.windows(2) {
        if let [(one, file), (other, another)] = pair {
            assert_ne!(one, other, "{file} and {another}");
        }
    }
    for (excused, _) in WITHOUT_SCHEMA {
        // XML's own is written down for the validator, which knows it only from a file.
        if *excused != "http://www.w3.org/XML/1998/namespace" {
            assert!(schemas.iter().all(|(ns, _)| ns != excused), "{excused}");
        }
    }
}

#[test]
fn the_index_names_every_schema() {
    let index = std::fs::read_to_string(root().join("schemas/README.md")).unwrap();
    for (namespace, file) in schemas() {
        assert!(index.contains(&format!("[{file}]({file})")), "{file}");
        assert!(index.contains(&format!("`{namespace}`")), "{namespace}");
    }
}
