//! What a script expects, held against what arrived.
//!
//! A pattern is an element as it should arrive. The order of attributes and of
//! children does not matter, everything else does, except where the script says:
//!
//! - `…` in a tag: any further attributes; `…` among children: any further content;
//! - `name?='value'`: the attribute may be missing;
//! - `${name}` in a value or text: anything, the same on each use; `${_}`: anything;
//! - `xml:lang` is compared where the pattern names it: a server may stamp its
//!   default (RFC 6120 §8.1.5);
//! - `<stanza-id/>` is compared where the pattern has one: a server may archive the message
//!   (XEP-0313 §3.4);
//! - `<absent>…</absent>`: none of the children matches what it holds.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::xml::{Attribute, Node, XML};

/// What `${name}` stands for, once something has been seen in its place.
pub(crate) type Variables = BTreeMap<String, String>;

/// Reads the patterns in `text`.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>> {
    Node::parse_all(&plain_xml(text)).with_context(|| format!("in the pattern {text}"))
}

/// Holds `actual` against `expected`; the variables are bound only on a match.
/// The error says where they differ.
pub(crate) fn check(
    expected: &Node,
    actual: &Node,
    variables: &mut Variables,
) -> Result<(), String> {
    let mut bound = variables.clone();
    element(expected, actual, &mut bound)?;
    *variables = bound;
    Ok(())
}

const ANY: &str = "any-further";
const OPTIONAL: &str = ".optional";

/// Turns the notation of patterns into XML: `…` becomes an attribute or an
/// element, `name?=` an attribute with a marked name.
fn plain_xml(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    let mut in_tag = false;
    let mut quote = None;
    for c in text.chars() {
        match (c, quote) {
            ('…', None) if in_tag => xml.push_str(&format!(" {ANY}=''")),
            ('…', None) => xml.push_str(&format!("<{ANY}/>")),
            ('?', None) if in_tag => xml.push_str(OPTIONAL),
            (other, _) => {
                match quote {
                    Some(mark) if mark == other => quote = None,
                    None if in_tag && matches!(other, '\'' | '"') => quote = Some(other),
                    None if other == '<' => in_tag = true,
                    None if other == '>' => in_tag = false,
                    _ => {}
                }
                xml.push(other);
            }
        }
    }
    xml
}

fn element(expected: &Node, actual: &Node, bound: &mut Variables) -> Result<(), String> {
    if (&expected.ns, &expected.name) != (&actual.ns, &actual.name) {
        return Err(format!(
            "expected <{}> in {}, found <{}> in {}",
            expected.name, expected.ns, actual.name, actual.ns
        ));
    }
    let at = &expected.name;
    attributes(expected, actual, bound).map_err(|why| format!("<{at}>: {why}"))?;
    let open = expected.children.iter().any(|child| child.name == ANY);
    if !(open && expected.text.trim().is_empty()) {
        value(&expected.text, &actual.text, bound).map_err(|why| format!("<{at}> text: {why}"))?;
    }
    children(expected, actual, open, bound).map_err(|why| format!("<{at}>: {why}"))
}

fn attributes(expected: &Node, actual: &Node, bound: &mut Variables) -> Result<(), String> {
    let mut open = false;
    let mut known: Vec<(&str, &str)> = Vec::new();
    for attribute in &expected.attributes {
        if attribute.name == ANY {
            open = true;
            continue;
        }
        let optional = attribute.name.ends_with(OPTIONAL);
        let name = attribute.name.trim_end_matches(OPTIONAL);
        let found = actual
            .attributes
            .iter()
            .find(|a| a.ns == attribute.ns && a.name == name);
        known.push((&attribute.ns, name));
        match found {
            Some(found) => value(&attribute.value, &found.value, bound)
                .map_err(|why| format!("attribute {name}: {why}"))?,
            None if optional => {}
            None => return Err(format!("the attribute {name} is missing")),
        }
    }
    let extra = |a: &&Attribute| {
        let language = a.ns == XML && a.name == "lang";
        !language && !known.contains(&(a.ns.as_str(), a.name.as_str()))
    };
    match actual.attributes.iter().find(extra) {
        Some(extra) if !open => Err(format!(
            "unexpected attribute {}='{}'",
            extra.name, extra.value
        )),
        _ => Ok(()),
    }
}

fn children(
    expected: &Node,
    actual: &Node,
    open: bool,
    bound: &mut Variables,
) -> Result<(), String> {
    let wanted: Vec<&Node> = expected
        .children
        .iter()
        .filter(|child| child.name != ANY && child.name != "absent")
        .collect();
    let named = |child: &Node| wanted.iter().any(|wanted| wanted.name == child.name);
    let archive_id = |child: &Node| child.name == "stanza-id" && !named(child);
    let mut free: Vec<&Node> = actual
        .children
        .iter()
        .filter(|it| !archive_id(it))
        .collect();
    if free.len() > wanted.len() && !open {
        let names: Vec<_> = free.iter().map(|child| child.to_string()).collect();
        return Err(format!(
            "expected {} children, found {}",
            wanted.len(),
            names.join("")
        ));
    }
    assign(&wanted, &mut free, bound)?;
    for unwanted in expected
        .children
        .iter()
        .filter(|child| child.name == "absent")
    {
        for (pattern, child) in unwanted
            .children
            .iter()
            .flat_map(|p| actual.children.iter().map(move |c| (p, c)))
        {
            if element(pattern, child, &mut bound.clone()).is_ok() {
                return Err(format!("found what should be absent: {child}"));
            }
        }
    }
    Ok(())
}

/// Finds a different child for every wanted one, trying all ways.
fn assign(wanted: &[&Node], free: &mut Vec<&Node>, bound: &mut Variables) -> Result<(), String> {
    let Some((first, rest)) = wanted.split_first() else {
        return Ok(());
    };
    let mut reasons = Vec::new();
    for at in 0..free.len() {
        let candidate = free.remove(at);
        let mut trial = bound.clone();
        let tried =
            element(first, candidate, &mut trial).and_then(|()| assign(rest, free, &mut trial));
        free.insert(at, candidate);
        match tried {
            Ok(()) => {
                *bound = trial;
                return Ok(());
            }
            // The reason of the same kind of element says more than that of another.
            Err(why) if candidate.name == first.name => reasons.insert(0, why),
            Err(why) => reasons.push(why),
        }
    }
    let reason = reasons
        .into_iter()
        .next()
        .unwrap_or_else(|| "there is none".to_owned());
    Err(format!("no child matches {first}: {reason}"))
}

/// Holds a text with `${…}` in it against the real one.
fn value(pattern: &str, actual: &str, bound: &mut Variables) -> Result<(), String> {
    let differ = || Err(format!("expected '{pattern}', found '{actual}'"));
    let known = fill(pattern, bound);
    let Some((before, rest)) = known.split_once("${") else {
        return if known == actual { Ok(()) } else { differ() };
    };
    let Some((name, after)) = rest.split_once('}') else {
        return Err(format!("'{pattern}' has an unfinished variable"));
    };
    let middle = actual
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    match middle {
        Some(middle) if !middle.is_empty() => {
            if name != "_" {
                bound.insert(name.to_owned(), middle.to_owned());
            }
            Ok(())
        }
        _ => differ(),
    }
}

/// Puts the known variables into `text`.
pub(crate) fn fill(text: &str, variables: &Variables) -> String {
    variables
        .iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value)
        })
}
