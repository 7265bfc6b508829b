//! How files look, and what may not be written in them.

use crate::nothing_found;
use crate::source::{Source, all_sources, root, sources, tracked};

/// Past that a file has two subjects.
const LINES_MAX: usize = 500;

/// Tables of cases may be longer.
const TEST_LINES_MAX: usize = 600;

/// Files that are longer for now, with the length that they may not pass.
const LONGER: &[(&str, usize)] = &[
    // The states of a stream and their transitions, which are one match.
    ("src/stream/machine.rs", 680),
];

fn too_long(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        let lines = source.text.lines().count();
        let usual = match source.path.contains("tests") {
            true => TEST_LINES_MAX,
            false => LINES_MAX,
        };
        let known = LONGER.iter().find(|(path, _)| *path == source.path);
        let max = known.map_or(usual, |(_, max)| *max);
        if lines > max {
            violations.push(format!("{}: {lines} lines; {max} are allowed", source.path));
        }
    }
    violations
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    nothing_found(&too_long(&all_sources()));
    for (path, lines) in [
        ("src/xml/long.rs", LINES_MAX + 1),
        ("src/xml/tests.rs", TEST_LINES_MAX + 1),
    ] {
        let made_up = Source::new(path, &"\n".repeat(lines));
        assert_eq!(too_long(&[made_up]).len(), 1, "{path}");
    }
}

fn without_opening_words(sources: &[Source]) -> Vec<String> {
    let silent = sources
        .iter()
        .filter(|source| !source.text.starts_with("//!"));
    silent
        .map(|source| format!("{}:1: does not begin with what it is for", source.path))
        .collect()
}

/// The tests of a file speak for themselves.
#[test]
fn every_file_begins_with_what_it_is_for() {
    nothing_found(&without_opening_words(&sources()));
    let made_up = Source::new("src/xml/silent.rs", "use std::fmt;\n//! Too late.");
    assert_eq!(without_opening_words(&[made_up]).len(), 1);
}

fn without_bound(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        if let Some((before, _)) = source.code.split_once("unbounded") {
            let place = source.place(before);
            violations.push(format!("{place}: every queue has a bound"));
        }
    }
    violations
}

#[test]
fn no_queue_is_without_a_bound() {
    nothing_found(&without_bound(&sources()));
    let made_up = Source::new(
        "src/net/flood.rs",
        "let (a, b) = mpsc::unbounded_channel();",
    );
    assert_eq!(without_bound(&[made_up]).len(), 1);
}

/// Folders that exist on one machine only, and hosts that only its network knows.
const OF_ONE_MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/tmp/", "wt"),
];

/// Where lock files may fetch from.
const REGISTRIES: &[&str] = &[
    "registry+https://github.com/rust-lang/crates.io-index",
    "https://registry.npmjs.org/",
    // A package that lies in another.
    "node_modules/",
];

/// Files that say where to fetch from, and behind which words.
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json", "requirements.txt"];
const KEYS: &[&str] = &["source = \"", "\"resolved\": \"", "-index-url "];

fn of_one_machine(path: &str, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        for words in OF_ONE_MACHINE {
            if line.contains(words) {
                violations.push(format!("{path}:{number}: {words} is on one machine only"));
            }
        }
        let fetched = KEYS.iter().find_map(|key| line.split_once(key));
        if LOCK_FILES.iter().any(|name| path.ends_with(name))
            && let Some((_, from)) = fetched
            && !REGISTRIES.iter().any(|known| from.starts_with(known))
        {
            violations.push(format!("{path}:{number}: fetched from {from}"));
        }
    }
    violations
}

#[test]
fn no_file_speaks_of_one_machine() {
    let mut violations = Vec::new();
    for path in tracked() {
        // Binary files are data.
        if let Ok(text) = std::fs::read_to_string(root().join(&path)) {
            violations.extend(of_one_machine(&path, &text));
        }
    }
    nothing_found(&violations);
    let words = OF_ONE_MACHINE.concat();
    assert_eq!(
        of_one_machine("notes.md", &words).len(),
        OF_ONE_MACHINE.len()
    );
    let lock = "source = \"registry+https://mirror.example/index\"\n\
                \"resolved\": \"https://mirror.example/a.tgz\",\n\
                source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    assert_eq!(of_one_machine("Cargo.lock", lock).len(), 2);
}

/// Every file and folder below `src/extensions/` is a module that the list registers.
fn unlisted(list: &str, names: &[String]) -> Vec<String> {
    let source = Source::new("src/extensions/mod.rs", list);
    let words = |name: &str| {
        let declared = source.code.contains(&format!("mod {name};"));
        let registered = source.code.contains(&format!("{name}::register"));
        declared && registered
    };
    let missing = names.iter().filter(|name| !words(name));
    missing
        .map(|name| format!("src/extensions/{name}.rs: not in the list of mod.rs"))
        .collect()
}

#[test]
fn every_extension_is_in_the_list() {
    let kept = sources();
    let list = kept
        .iter()
        .find(|source| source.path == "src/extensions/mod.rs")
        .unwrap();
    let mut names: Vec<String> = kept
        .iter()
        .filter_map(|source| source.path.strip_prefix("src/extensions/"))
        .filter(|inside| *inside != "mod.rs")
        .filter_map(|inside| inside.split(['/', '.']).next())
        .map(str::to_owned)
        .collect();
    names.dedup();
    assert!(!names.is_empty());
    nothing_found(&unlisted(&list.text, &names));
    let forgotten = ["forgotten".to_owned()];
    assert_eq!(unlisted(&list.text, &forgotten).len(), 1);
    let declared = "pub mod forgotten;\nconst LIST: &[Register] = &[];";
    assert_eq!(unlisted(declared, &forgotten).len(), 1);
}
