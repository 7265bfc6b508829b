//! The published documents, `schemas/*.md`: every example in them is judged by the schemas, and each
//! document says what a reader expects of it.
//!
//! An example stands between the lines ```` ```xml ```` and ```` ``` ````: one stanza or several, or any element that a schema
//! has. The namespace is `jabber:client` where none is named. An example that is to be refused opens with ```` ```xml wrong ````.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::schema_files;

/// What each of our own documents has, by words of its headings. A document of a protocol without states
/// says that there are none.
const SECTIONS: &[&str] = &[
    "introduction",
    "requirements",
    "glossary",
    "use cases",
    "business rules",
    "state",
    "errors",
    "security",
    "accessibility",
    "xml schema",
];

/// How our own namespaces begin.
const OWN: &str = "urn:parlour:";

/// Namespaces of ours that only name commands and forms.
const WITHOUT_ELEMENTS: &[&str] = &["urn:parlour:admin:0"];

/// An example of a document.
#[derive(Debug, PartialEq, Eq)]
struct Example<'a> {
    /// The line of its first line, from 1.
    line: usize,
    /// Whether it is to be refused.
    wrong: bool,
    lines: Vec<&'a str>,
}

/// The examples of a document; an error where one does not end.
fn examples(text: &str) -> Result<Vec<Example<'_>>, String> {
    let mut found: Vec<Example<'_>> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        match (open, line.trim_end()) {
            (false, "```xml" | "```xml wrong") => {
                open = true;
                found.push(Example {
                    line: at + 2,
                    wrong: line.trim_end().ends_with("wrong"),
                    lines: Vec::new(),
                });
            }
            (true, "```") => open = false,
            (true, _) => found.last_mut().unwrap().lines.push(line),
            (false, other) if other.starts_with("```xml") => {
                return Err(format!("{}: {other:?} is not understood", at + 1));
            }
            (false, _) => {}
        }
    }
    match open {
        true => Err(format!(
            "{}: the example does not end",
            text.lines().count()
        )),
        false => Ok(found),
    }
}

/// A file with those examples at their lines and nothing else, so that complaints have the lines of the document.
fn laid_out(examples: &[&Example<'_>]) -> String {
    let mut text = String::from(
        "<all:heard xmlns:all='urn:heard' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    );
    let mut at = 1;
    for example in examples {
        while at < example.line {
            text.push('\n');
            at += 1;
        }
        text.push_str(&example.lines.join("\n"));
        at += example.lines.len().saturating_sub(1);
    }
    text.push_str("\n</all:heard>\n");
    text
}

/// A schema of a list of elements that are each in one of those schemas.
fn driver(schemas: &[PathBuf]) -> String {
    let mut text = String::from(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:heard'>\n",
    );
    for path in schemas {
        let location = path.display();
        let target = target(path);
        text.push_str(&format!(
            "<xs:import namespace='{target}' schemaLocation='{location}'/>\n"
        ));
    }
    text.push_str(
        "<xs:element name='heard'><xs:complexType><xs:sequence>\
         <xs:any namespace='##other' processContents='strict' minOccurs='0' maxOccurs='unbounded'/>\
         </xs:sequence></xs:complexType></xs:element></xs:schema>",
    );
    text
}

/// The namespace of a schema.
fn target(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("targetNamespace=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// What is wrong with the examples of one document, with its lines.
fn judged(name: &str, text: &str, schemas: &[PathBuf]) -> Vec<String> {
    let examples = match examples(text) {
        Ok(examples) => examples,
        Err(why) => return vec![format!("{name}:{why}")],
    };
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("all.xsd");
    std::fs::write(&schema, driver(schemas)).unwrap();
    let right: Vec<&Example<'_>> = examples.iter().filter(|it| !it.wrong).collect();
    let mut found = complaints(name, &laid_out(&right), &schema).1;
    found.extend(unknown_elements(name, &right, schemas));
    for example in examples.iter().filter(|it| it.wrong) {
        let line = example.line;
        match complaints(name, &laid_out(&[example]), &schema) {
            (Verdict::Refused, _) => {}
            (Verdict::Taken, _) => {
                found.push(format!("{name}:{line}: a wrong example is taken"));
            }
            (Verdict::Unreadable, why) => found.extend(why),
        }
    }
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Taken,
    Refused,
    Unreadable,
}

/// What xmllint says of a file that has the lines of the document.
fn complaints(name: &str, laid_out: &str, schema: &Path) -> (Verdict, Vec<String>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), laid_out).unwrap();
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(schema)
        .arg(file.path())
        .output()
        .expect("xmllint is installed (Debian: libxml2-utils)");
    let said = String::from_utf8_lossy(&output.stderr);
    let verdict = match output.status.code() {
        Some(0) => Verdict::Taken,
        Some(1) => Verdict::Unreadable,
        Some(3) => Verdict::Refused,
        other => panic!("xmllint: {other:?}: {said}"),
    };
    let path = format!("{}:", file.path().display());
    let about = said.lines().filter_map(|line| line.strip_prefix(&path));
    (verdict, about.map(|why| format!("{name}:{why}")).collect())
}

/// Elements of our namespaces that no schema has. What a schema leaves open it takes whatever it is called, and an
/// example must not have what nobody has defined.
fn unknown_elements(name: &str, examples: &[&Example<'_>], schemas: &[PathBuf]) -> Vec<String> {
    let own: Vec<(String, String)> = schemas
        .iter()
        .map(|path| (target(path), std::fs::read_to_string(path).unwrap()))
        .filter(|(target, _)| target.starts_with(OWN))
        .collect();
    let mut found = Vec::new();
    for example in examples {
        for (at, line) in example.lines.iter().enumerate() {
            for (element, namespace) in opened(line) {
                let schema = own.iter().find(|(target, _)| *target == namespace);
                let known = schema.is_some_and(|(_, text)| {
                    text.contains(&format!("<xs:element name=\"{element}\""))
                });
                if namespace.starts_with(OWN) && !known {
                    let line = example.line + at;
                    found.push(format!(
                        "{name}:{line}: no schema has <{element} xmlns='{namespace}'>"
                    ));
                }
            }
        }
    }
    found
}

/// The elements of a line that name their namespace.
fn opened(line: &str) -> Vec<(&str, &str)> {
    let tags = line.split('<').skip(1);
    tags.filter_map(|tag| {
        let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
        let name = tag.split([' ', '/']).next()?;
        let (_, rest) = tag.split_once("xmlns=")?;
        let quote = rest.chars().next()?;
        let namespace = rest.get(1..)?.split(quote).next()?;
        Some((name, namespace))
    })
    .collect()
}

/// The published documents, each with its name and text.
fn documents() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn every_example_of_the_documents_is_what_the_schemas_take() {
    let schemas = schema_files();
    let documents = documents();
    let found = documents
        .iter()
        .flat_map(|(name, text)| judged(&format!("schemas/{name}"), text, &schemas));
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// The judge is not blind: it finds each kind of mistake, with its line.
#[test]
fn a_mistake_in_an_example_is_found_at_its_line() {
    let schemas = schema_files();
    let text = |fence: &str, example: &str| format!("# T\n\nWords.\n\n{fence}\n{example}\n```\n");
    let iq = "<iq type='get' id='a' from='a@b/c' to='d'><query xmlns='jabber:iq:version'/></iq>";
    for (fence, example, expected) in [
        ("```xml", iq, None),
        ("```xml", "<iq type='ask' id='a'/>", Some("d.md:6: ")),
        (
            "```xml",
            "<message to='a@b'>\n<body>x</message>",
            Some("d.md:7: "),
        ),
        (
            "```xml",
            "<message>\n\n<ping xmlns='urn:xmpp:ping'>no</ping></message>",
            Some("d.md:8: "),
        ),
        (
            "```xml",
            "<message><nothing xmlns='urn:parlour:none:0'/></message>",
            Some("d.md:6: no schema has <nothing xmlns='urn:parlour:none:0'>"),
        ),
        ("```xml wrong", "<iq type='ask' id='a'/>", None),
        ("```xml wrong", iq, Some("d.md:6: a wrong example is taken")),
        ("```xml wrong", "<iq", Some("d.md:")),
        (
            "```xml right",
            iq,
            Some("d.md:5: \"```xml right\" is not understood"),
        ),
        ("```sh", "nothing of ours", None),
    ] {
        let found = judged("d.md", &text(fence, example), &schemas);
        match expected {
            None => assert!(found.is_empty(), "{fence} {example}: {found:?}"),
            Some(expected) => assert!(
                found.iter().any(|it| it.starts_with(expected)),
                "{fence} {example}: {found:?}"
            ),
        }
    }
    let open = judged("d.md", "```xml\n<iq/>\n", &schemas);
    assert_eq!(open, ["d.md:2: the example does not end"]);
}

/// What our namespaces lack: a schema has a document beside it, a document a schema, and each its sections.
fn lacking(schemas: &[(String, String)], documents: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (stem, namespace) in schemas {
        match documents
            .iter()
            .find(|(name, _)| *name == format!("{stem}.md"))
        {
            None => found.push(format!("schemas/{stem}.xsd has no document {stem}.md")),
            Some((name, text)) if !text.contains(&format!("`{namespace}`")) => {
                found.push(format!("schemas/{name} does not name {namespace}"));
            }
            Some(_) => {}
        }
    }
    for (name, text) in documents.iter().filter(|(name, _)| name != "README.md") {
        let stem = name.trim_end_matches(".md");
        if !schemas.iter().any(|(known, _)| known == stem) {
            found.push(format!("schemas/{name} has no schema {stem}.xsd"));
        }
        let headings = text.lines().filter(|line| line.starts_with("##"));
        let headings: Vec<String> = headings.map(str::to_lowercase).collect();
        for section in SECTIONS {
            if !headings.iter().any(|heading| heading.contains(section)) {
                found.push(format!("schemas/{name} has no section {section:?}"));
            }
        }
    }
    found
}

#[test]
fn each_namespace_of_ours_has_a_schema_and_a_whole_document() {
    let schemas: Vec<(String, String)> = schema_files()
        .iter()
        .map(|path| {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (stem, target(path))
        })
        .filter(|(_, target)| {
            target.starts_with(OWN) && !WITHOUT_ELEMENTS.contains(&target.as_str())
        })
        .collect();
    let found = lacking(&schemas, &documents());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn what_a_document_lacks_is_found() {
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let schema = [pair("x", "urn:parlour:x:0")];
    assert_eq!(
        lacking(&schema, &[]),
        ["schemas/x.xsd has no document x.md"]
    );
    let whole: String = SECTIONS.iter().map(|it| format!("## {it}\n")).collect();
    let whole = format!("`urn:parlour:x:0`\n{whole}");
    assert!(lacking(&schema, &[pair("x.md", &whole)]).is_empty());
    let found = lacking(&schema, &[pair("x.md", "# X"), pair("y.md", &whole)]);
    assert_eq!(found.len(), SECTIONS.len() + 2, "{found:?}");
}
