//! Every dependency has a sentence of why in `CONTRIBUTING.md`.

use crate::source::root;

/// The names under the headings of dependencies.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut listed = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            listed = matches!(line, "[dependencies]" | "[dev-dependencies]");
        } else if listed
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once([' ', '=', '.'])
        {
            names.push(name.to_owned());
        }
    }
    names
}

fn without_reason(manifest: &str, contributing: &str) -> Vec<String> {
    let names = dependencies(manifest);
    let missing = names
        .into_iter()
        .filter(|name| !contributing.contains(&format!("| `{name}` |")));
    missing.collect()
}

#[test]
fn every_dependency_has_its_reason_in_contributing() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let (manifest, contributing) = (read("Cargo.toml"), read("CONTRIBUTING.md"));
    assert_eq!(
        without_reason(&manifest, &contributing),
        Vec::<String>::new()
    );
    let more =
        "[dependencies]\nleft-pad = \"1\"\n[dev-dependencies]\nright-pad = \"1\"\n[lints]\na = 1";
    assert_eq!(
        without_reason(more, &contributing),
        ["left-pad", "right-pad"]
    );
}
