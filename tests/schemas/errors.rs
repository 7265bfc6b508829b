//! The schema of our own conditions of errors has every code that the source has, and no other.
//! `PARLOUR_BLESS=1 cargo test --test schemas` writes it anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a code is said in the source: what stands before its quote.
const BEFORE: &[&str] = &[
    "malformed(",
    "code: ",
    "Element::new(NS, ",
    "= Forbidden, ",
    "= NotFound, ",
    "= NotAllowed, ",
    "= Invalid, ",
    "= Conflict, ",
    "= Limit, ",
    "= Busy, ",
];

/// The codes in which the present record stands: of writes from an old version.
const CARRYING: &[&str] = &[
    "customer-changed",
    "follow-up-changed",
    "scratch-pad-changed",
    "stream-changed",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder and those below it, without tests.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let tests = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.is_dir() {
            files(&path, found);
        } else if !tests && path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The codes in a text of the source. Of elements only those of the file that has the namespace of errors.
fn codes(text: &str, of_errors: bool) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = BTreeSet::new();
    for before in BEFORE {
        if before.starts_with("Element") && !of_errors {
            continue;
        }
        for (at, _) in code.match_indices(before) {
            let rest = code
                .get(at + before.len()..)
                .unwrap_or_default()
                .trim_start();
            let quoted = rest.strip_prefix('"').and_then(|it| it.split_once('"'));
            let word = |it: &str| it.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            if let Some((code, _)) = quoted.filter(|(code, _)| word(code)) {
                found.insert(code.to_owned());
            }
        }
    }
    found
}

fn schema(codes: &BTreeSet<String>) -> String {
    let mut text = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!--
  Conditions of Errors, version 0.1: errors.md. Written from the source.
-->
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
           xmlns="urn:parlour:errors:0"
           targetNamespace="urn:parlour:errors:0"
           elementFormDefault="qualified">

"#,
    );
    for code in codes {
        let carries = CARRYING.contains(&code.as_str());
        let kind = if carries { "record" } else { "empty" };
        text.push_str(&format!(
            "  <xs:element name=\"{code}\" type=\"{kind}\"/>\n"
        ));
    }
    text.push_str(
        r###"
  <xs:complexType name="empty"/>

  <!-- What the record is now. -->
  <xs:complexType name="record">
    <xs:sequence>
      <xs:any namespace="##other" processContents="lax"/>
    </xs:sequence>
  </xs:complexType>

</xs:schema>
"###,
    );
    text
}

#[test]
fn every_code_of_a_refusal_is_in_the_schema_of_errors() {
    let mut all = BTreeSet::new();
    let mut paths = Vec::new();
    for room in ["src/domain", "src/contact_center"] {
        files(&root().join(room), &mut paths);
    }
    for path in paths {
        let of_errors = path.ends_with("contact_center/errors.rs");
        all.extend(codes(&std::fs::read_to_string(&path).unwrap(), of_errors));
    }
    let expected = schema(&all);
    let path = root().join("schemas/errors.xsd");
    if std::env::var_os("PARLOUR_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "schemas/errors.xsd lacks codes of the source or has others; PARLOUR_BLESS=1 writes it anew"
    );
}

#[test]
fn codes_are_found_however_they_are_written() {
    let text = "malformed(\n    \"field-missing\",\n    \"A is missing\")\n A = Invalid, \"too-long\", \"Too long.\";\n\
                code: \"stranger\",\n Element::new(NS, \"stale\")\n#[cfg(test)]\nmod tests {\n code: \"no\"";
    let found: Vec<String> = codes(text, true).into_iter().collect();
    assert_eq!(found, ["field-missing", "stale", "stranger", "too-long"]);
    assert!(!codes(text, false).contains("stale"));
}
