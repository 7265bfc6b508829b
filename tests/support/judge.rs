//! Judges what the server sent: every element by the schemas of `schemas/`, every data form by the
//! rules of its documents besides. `xmllint` of libxml2 knows the schemas (Debian: `libxml2-utils`).
//!
//! Payloads in namespaces without a schema are clients' own; they pass wherever a schema is open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::xml::{CLIENT, Node, STREAMS};

/// XEP-0004.
const FORMS: &str = "jabber:x:data";

/// The types of XEP-0068 that the server writes, and what the names of their fields begin or end with.
const FORM_TYPES: [(&str, &[&str]); 10] = [
    (
        "http://jabber.org/protocol/pubsub#node_config",
        &["pubsub#"],
    ),
    ("http://jabber.org/protocol/pubsub#meta-data", &["pubsub#"]),
    (
        "http://jabber.org/protocol/pubsub#subscribe_options",
        &["pubsub#"],
    ),
    ("http://jabber.org/protocol/muc#roomconfig", &["muc#"]),
    ("http://jabber.org/protocol/muc#roominfo", &["muc#"]),
    (
        "http://jabber.org/protocol/muc#register",
        &["muc#register_"],
    ),
    ("http://jabber.org/protocol/muc#request", &["muc#"]),
    (
        "urn:xmpp:mam:2",
        &[
            "with",
            "start",
            "end",
            "before-id",
            "after-id",
            "ids",
            "include-groupchat",
            "{",
        ],
    ),
    ("urn:xmpp:http:upload:0", &["max-file-size"]),
    (
        "urn:xmpp:push:summary",
        &["message-count", "last-message-", "pending-subscription-"],
    ),
];

/// What is wrong with these elements, each with its name (where it was seen).
pub(crate) fn complaints(elements: &BTreeMap<String, (Node, String)>) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let (schema, document) = (
        folder.path().join("all.xsd"),
        folder.path().join("heard.xml"),
    );
    std::fs::write(&schema, driver()?)?;
    let mut text =
        format!("<all:heard xmlns:all='urn:heard' xmlns='{CLIENT}' xmlns:stream='{STREAMS}'>\n");
    for element in elements.keys() {
        text.push_str(element);
        text.push('\n');
    }
    text.push_str("</all:heard>\n");
    std::fs::write(&document, text)?;
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--huge", "--schema"])
        .args([&schema, &document])
        .output()
        .context("xmllint is installed (Debian: libxml2-utils)")?;
    let said = String::from_utf8_lossy(&output.stderr);
    // 3: something is not as its schema has it.
    if !matches!(output.status.code(), Some(0 | 3)) {
        bail!("xmllint: {said}");
    }
    let names: Vec<(&String, &(Node, String))> = elements.iter().collect();
    let mut wrong = Vec::new();
    for line in said
        .lines()
        .filter(|line| line.contains("Schemas validity error"))
    {
        let number = line
            .split(':')
            .nth(1)
            .and_then(|number| number.parse::<usize>().ok());
        let found = number.and_then(|number| names.get(number.checked_sub(2)?));
        let (element, (_, place)) = found.with_context(|| format!("of no element: {line}"))?;
        let why = line
            .split_once("validity error : ")
            .map_or(line, |(_, why)| why);
        wrong.push(format!("{place}: {why}\n    in {element}"));
    }
    if wrong.is_empty() && !output.status.success() {
        bail!("xmllint: {said}");
    }
    for (element, (node, place)) in elements {
        let mut reasons = Vec::new();
        forms(node, &mut reasons);
        // RFC 6120 §8.1.3, which is more than a schema can say.
        if node.name == "iq"
            && node.attribute("id").is_none()
            && node.attribute("type") != Some("error")
        {
            reasons.push("an iq without an id".to_owned());
        }
        wrong.extend(
            reasons
                .iter()
                .map(|why| format!("{place}: {why}\n    in {element}")),
        );
    }
    Ok(wrong)
}

/// A schema of everything: a list of elements that are each in some schema.
fn driver() -> Result<String> {
    let mut text = String::from(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:heard'>\n",
    );
    for path in schemas()? {
        let schema = std::fs::read_to_string(&path)?;
        let target = schema
            .split_once("targetNamespace=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .with_context(|| format!("{} has no namespace", path.display()))?;
        let (target, location) = (target.0, path.display());
        text.push_str(&format!(
            "<xs:import namespace='{target}' schemaLocation='{location}'/>\n"
        ));
    }
    text.push_str(
        "<xs:element name='heard'><xs:complexType><xs:sequence>\
         <xs:any namespace='##other' processContents='strict' minOccurs='0' maxOccurs='unbounded'/>\
         </xs:sequence></xs:complexType></xs:element></xs:schema>",
    );
    Ok(text)
}

fn schemas() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "xsd") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The forms to fill in and the results within `node`. What is submitted comes from clients.
fn forms(node: &Node, wrong: &mut Vec<String>) {
    if node.ns == FORMS
        && node.name == "x"
        && matches!(node.attribute("type"), Some("form" | "result"))
    {
        form(node, wrong);
    }
    for child in &node.children {
        forms(child, wrong);
    }
}

fn form(form: &Node, wrong: &mut Vec<String>) {
    let fields: Vec<&Node> = form
        .children
        .iter()
        .filter(|child| child.name == "field")
        .collect();
    let mut seen = Vec::new();
    for field in &fields {
        let var = field.attribute("var").unwrap_or_default();
        let kind = field.attribute("type");
        // XEP-0004 §3.2.
        if var.is_empty() && kind != Some("fixed") {
            wrong.push("a field without a 'var'".to_owned());
        }
        if !var.is_empty() && seen.contains(&var) {
            wrong.push(format!("the field {var} twice"));
        }
        seen.push(var);
        values(field, var, kind.unwrap_or("text-single"), wrong);
    }
    let Some(known) = fields
        .iter()
        .find(|field| field.attribute("var") == Some("FORM_TYPE"))
    else {
        return;
    };
    // XEP-0068 §3.1.
    if known.attribute("type") != Some("hidden") {
        wrong.push("a FORM_TYPE that is not hidden".to_owned());
    }
    let name = known.child("value").map(|value| value.text.as_str());
    let Some((name, parts)) = FORM_TYPES.iter().find(|(it, _)| Some(*it) == name) else {
        return;
    };
    for var in seen.iter().filter(|var| !matches!(**var, "" | "FORM_TYPE")) {
        if !parts.iter().any(|part| var.starts_with(part)) {
            wrong.push(format!("the field {var} in a form of type {name}"));
        }
    }
}

/// XEP-0004 §3.3.
fn values(field: &Node, var: &str, kind: &str, wrong: &mut Vec<String>) {
    let of = |node: &Node| -> Vec<String> {
        let values = node.children.iter().filter(|child| child.name == "value");
        values.map(|value| value.text.clone()).collect()
    };
    let values = of(field);
    if !kind.ends_with("-multi") && kind != "fixed" && values.len() > 1 {
        wrong.push(format!("{} values in {var}, which is {kind}", values.len()));
    }
    if kind == "boolean"
        && let Some(value) = values
            .iter()
            .find(|it| !matches!(it.as_str(), "0" | "1" | "true" | "false"))
    {
        wrong.push(format!("the value {value} in {var}, which is boolean"));
    }
    let options = field.children.iter().filter(|child| child.name == "option");
    let options: Vec<String> = options.flat_map(of).collect();
    if kind.starts_with("list-")
        && !options.is_empty()
        && let Some(value) = values.iter().find(|it| !options.contains(it))
    {
        wrong.push(format!(
            "the value {value} in {var}, which is no option of it"
        ));
    }
}
