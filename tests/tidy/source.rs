//! The project's files as text, and Rust source without what a rule should not look at.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of Rust source.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the project.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Without comments, the insides of strings, and items that exist in tests only.
    pub(crate) code: String,
    /// The same with its strings.
    pub(crate) strings: String,
    /// Modules that exist in tests only and lie in files of their own: paths without `.rs`.
    test_modules: Vec<String>,
}

/// Where the project lies.
pub(crate) fn root() -> PathBuf {
    std::env::var("CARGO_MANIFEST_DIR")
        .expect("cargo runs the tests")
        .into()
}

/// Every file under `src/`, without those that exist in tests only.
pub(crate) fn sources() -> Vec<Source> {
    let all = all_sources();
    let of_tests: Vec<&String> = all.iter().flat_map(|source| &source.test_modules).collect();
    let is_of_tests = |source: &Source| {
        of_tests.iter().any(|module| {
            let rest = source.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    };
    let keep: Vec<bool> = all.iter().map(|source| !is_of_tests(source)).collect();
    all.into_iter()
        .zip(keep)
        .filter_map(|(source, keep)| keep.then_some(source))
        .collect()
}

/// Every file under `src/`.
pub(crate) fn all_sources() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root().join("src"), &mut paths);
    paths.sort();
    let sources = paths.iter().map(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        Source::new(&relative(path), &text)
    });
    sources.collect()
}

/// Every file that git knows or would take, from the root of the project.
pub(crate) fn tracked() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files of the project");
    assert!(listed.status.success(), "this is no working copy of git");
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().map(str::to_owned).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap();
    path.to_str().unwrap().replace('\\', "/")
}

impl Source {
    /// Reads source.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let mut letters = classify(text);
        let test_modules = blank_tests(path, &mut letters);
        let show = |strings: bool| {
            let letters = letters.iter().map(|(letter, class)| match class {
                Class::Code => *letter,
                Class::Text if strings => *letter,
                Class::Text | Class::Comment if *letter == '\n' => '\n',
                Class::Text | Class::Comment => ' ',
            });
            letters.collect()
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: show(false),
            strings: show(true),
            test_modules,
        }
    }

    /// The room that the file belongs to: the first name below `src/`.
    pub(crate) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside
            .split('/')
            .next()
            .and_then(|first| first.split('.').next())
            .unwrap_or(inside)
    }

    /// `path:line` of a place in [`Source::code`] or [`Source::strings`], which are as long in
    /// letters as the file.
    pub(crate) fn place(&self, before: &str) -> String {
        let line = before.matches('\n').count() + 1;
        format!("{}:{line}", self.path)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Code,
    Comment,
    Text,
}

type Letters = Vec<(char, Class)>;

/// Tells code from comments and from the insides of literals. Every letter keeps its place.
fn classify(text: &str) -> Letters {
    let letters: Vec<char> = text.chars().collect();
    let at = |place: usize| letters.get(place).copied().unwrap_or('\0');
    let mut classes = Vec::with_capacity(letters.len());
    while classes.len() < letters.len() {
        let here = classes.len();
        let before = here.checked_sub(1).map_or('\0', at);
        let (length, class) = match (at(here), at(here + 1)) {
            ('/', '/') => (until(here, |it| at(it) == '\n'), Class::Comment),
            ('/', '*') => (block_comment(here, at, letters.len()), Class::Comment),
            ('r', '"' | '#') if !name(before) || before == 'b' => (raw(here, at), Class::Text),
            ('"', _) => (quoted(here, '"', at, letters.len()), Class::Text),
            ('\'', '\\') => (quoted(here, '\'', at, letters.len()), Class::Text),
            ('\'', _) if at(here + 2) == '\'' => (3, Class::Text),
            _ => (1, Class::Code),
        };
        let end = (here + length.max(1)).min(letters.len());
        classes.extend((here..end).map(|_| class));
    }
    letters.into_iter().zip(classes).collect()
}

const fn name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// How many letters there are before the first that `ends`, or the end of the text.
fn until(start: usize, ends: impl Fn(usize) -> bool) -> usize {
    // A file has no line as long as this.
    (0..100_000)
        .find(|length| ends(start + length))
        .unwrap_or(100_000)
}

fn block_comment(start: usize, at: impl Fn(usize) -> char, end: usize) -> usize {
    let (mut place, mut depth) = (start, 0_usize);
    while place < end {
        match (at(place), at(place + 1)) {
            ('/', '*') => (place, depth) = (place + 2, depth + 1),
            ('*', '/') => (place, depth) = (place + 2, depth - 1),
            _ => place += 1,
        }
        if depth == 0 {
            break;
        }
    }
    place - start
}

fn quoted(start: usize, quote: char, at: impl Fn(usize) -> char, end: usize) -> usize {
    let mut place = start + 1;
    while place < end && at(place) != quote {
        place += if at(place) == '\\' { 2 } else { 1 };
    }
    place + 1 - start
}

fn raw(start: usize, at: impl Fn(usize) -> char) -> usize {
    let hashes = until(start + 1, |it| at(it) != '#');
    let open = start + 1 + hashes;
    if at(open) != '"' {
        // A raw name, `r#type`.
        return 1;
    }
    let closes = |it: usize| at(it) == '"' && (1..=hashes).all(|more| at(it + more) == '#');
    1 + hashes + 1 + until(open + 1, closes) + 1 + hashes
}

/// Turns every item under `#[cfg(test)]` into a comment and lists the modules among them that
/// lie in files of their own.
fn blank_tests(path: &str, letters: &mut Letters) -> Vec<String> {
    let mark: Vec<char> = "#[cfg(test)]".chars().collect();
    let mut modules = Vec::new();
    let mut place = 0;
    while place + mark.len() <= letters.len() {
        let found = mark
            .iter()
            .zip(letters.iter().skip(place))
            .all(|(wanted, (letter, class))| wanted == letter && *class == Class::Code);
        if !found {
            place += 1;
            continue;
        }
        let end = item_end(letters, place + mark.len());
        let item: String = letters
            .iter()
            .take(end)
            .skip(place)
            .map(|(letter, _)| letter)
            .collect();
        modules.extend(module_file(path, &item));
        for (_, class) in letters.iter_mut().take(end).skip(place) {
            *class = Class::Comment;
        }
        place = end;
    }
    modules
}

/// Behind the brace or semicolon that ends the item.
fn item_end(letters: &Letters, start: usize) -> usize {
    let mut depth = 0_usize;
    for (place, (letter, class)) in letters.iter().enumerate().skip(start) {
        match letter {
            _ if *class != Class::Code => {}
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return place + 1;
                }
            }
            ';' if depth == 0 => return place + 1,
            _ => {}
        }
    }
    letters.len()
}

/// The file of `mod name;` without `.rs`.
fn module_file(path: &str, item: &str) -> Option<String> {
    let module = item.strip_suffix(';')?;
    let (before, module) = module.rsplit_once("mod ")?;
    let (folder, file) = path.rsplit_once('/')?;
    if let Some((_, told)) = before.split_once("#[path = \"") {
        let (told, _) = told.split_once(".rs\"")?;
        return Some(format!("{folder}/{told}"));
    }
    Some(match file {
        "mod.rs" | "lib.rs" | "main.rs" => format!("{folder}/{module}"),
        _ => format!("{folder}/{}/{module}", file.strip_suffix(".rs")?),
    })
}

#[test]
fn comments_strings_and_tests_are_told_from_code() {
    let text = r##"
        // comment
        /* a /* nested */ one */
        const A: &str = "a \" quote";
        const B: &str = r#"raw " one"#;
        const C: [char; 3] = ['"', '\'', 'x'];
        fn shown<'a>(it: &'a str) {}
        #[cfg(test)]
        #[path = "odd_tests.rs"]
        mod odd;
        #[cfg(test)]
        mod apart;
        #[cfg(test)]
        mod tests { fn hidden() { let brace = '}'; } }
        fn last() {}
    "##;
    let source = Source::new("src/room/file.rs", text);
    for hidden in [
        "comment", "nested", "one", "quote", "raw", "hidden", "apart", "odd",
    ] {
        assert!(!source.code.contains(hidden), "{hidden}: {}", source.code);
    }
    for shown in [
        "const A",
        "const B",
        "const C",
        "fn shown<'a>(it: &'a str) {}",
        "fn last() {}",
    ] {
        assert!(source.code.contains(shown), "{shown}: {}", source.code);
    }
    assert!(source.strings.contains("a \\\" quote"));
    assert_eq!(
        source.test_modules,
        ["src/room/odd_tests", "src/room/file/apart"]
    );
    assert_eq!(source.room(), "room");
    assert_eq!(source.code.chars().count(), text.chars().count());
}
