//! Reads tables and variables into sections, and remembers where each value came from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::{PREFIX, Place, join};
use super::problem::{Origin, Problem};
use super::section::Section;
use super::suggest;
use super::value::{Limits, Mismatch, Value, shown};

/// Reads one configuration.
pub(crate) struct Reader<'a> {
    /// The file's name and text.
    file: Option<(&'a str, &'a str)>,
    /// Variables that no key has asked for yet.
    environment: BTreeMap<String, String>,
    /// Every variable that a key has asked for.
    variables: Vec<String>,
    /// Where each value that is set stands, by its path.
    origins: BTreeMap<String, Origin>,
    /// Paths of values that were set wrongly, so that a default stands in for them.
    broken: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        file: Option<(&'a str, &'a str)>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Self {
        Self {
            file,
            environment: environment
                .filter(|(name, _)| name.starts_with(PREFIX))
                .collect(),
            variables: Vec::new(),
            origins: BTreeMap::new(),
            broken: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Reads a key: the variable, else the file's value, else the default.
    pub(super) fn value<T: Value>(
        &mut self,
        table: &DeTable<'_>,
        place: &Place,
        key: &str,
        default: T,
        limits: &Limits<T>,
    ) -> T {
        let before = self.problems.len();
        let in_file = self.in_file(table, place, key, limits);
        let in_environment = self.in_environment(place, key, limits);
        if self.problems.len() > before {
            self.broken.insert(join(&place.path, key));
        }
        in_environment.or(in_file).unwrap_or(default)
    }

    /// Reads a table; absent is the same as empty.
    pub(super) fn table<S: Section>(
        &mut self,
        parent: &DeTable<'_>,
        place: &Place,
        name: &str,
    ) -> S {
        let place = place.table(name);
        let empty = DeTable::new();
        let table = match parent.get(name) {
            None => &empty,
            Some(value) => value.get_ref().as_table().unwrap_or_else(|| {
                let origin = self.origin_of(&value.span());
                let found = shown(value.get_ref());
                let message = format!("expected a table {}, found {found}", place.label);
                self.complain(origin, String::new(), message);
                &empty
            }),
        };
        S::read(table, &place, self)
    }

    /// Reads an array of tables; absent is `default`.
    pub(super) fn array<S: Section>(
        &mut self,
        parent: &DeTable<'_>,
        place: &Place,
        header: &str,
        required: &[&str],
        default: Vec<S>,
    ) -> Vec<S> {
        let Some(value) = parent.get(header) else {
            return default;
        };
        let origin = self.origin_of(&value.span());
        self.origins.insert(join(&place.path, header), origin);
        let elements = value.get_ref().as_array();
        let tables = elements.map(|elements| {
            let tables = elements.iter();
            tables.map(|element| Some((element.get_ref().as_table()?, element.span())))
        });
        let Some(tables) = tables.and_then(Iterator::collect::<Option<Vec<_>>>) else {
            let origin = self.origin_of(&value.span());
            let found = shown(value.get_ref());
            let message = format!("expected tables [[{header}]], found {found}");
            self.complain(origin, String::new(), message);
            return default;
        };
        let mut sections = Vec::with_capacity(tables.len());
        for (index, (table, span)) in tables.into_iter().enumerate() {
            let place = place.element(header, index);
            for key in required {
                if !table.contains_key(*key) && !table.contains_key(file_key(key).as_str()) {
                    let origin = self.origin_of(&span);
                    self.complain(origin, place.key(key), "missing".to_owned());
                }
            }
            sections.push(S::read(table, &place, self));
        }
        sections
    }

    /// Complains about every key of the table that is not one of `known`: names, and whether
    /// the key is a secret, which can also be given as a file.
    pub(super) fn refuse_unknown(
        &mut self,
        table: &DeTable<'_>,
        place: &Place,
        known: &[(&str, bool)],
    ) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            let is_known = known.iter().any(|(known, secret)| {
                *known == name || (*secret && name.strip_suffix(FILE_SUFFIX) == Some(*known))
            });
            if !is_known {
                let origin = self.origin_of(&key.span());
                let names = known.iter().map(|(name, _)| *name);
                let message = unknown("key", name, suggest::nearest(name, names));
                self.complain(origin, place.label.clone(), message);
            }
        }
    }

    /// Reads the variable `name`, for lists that are no key of a table.
    pub(super) fn variable<T: Value>(&mut self, name: &str) -> Option<T> {
        self.variables.push(name.to_owned());
        let text = self.environment.remove(name)?;
        match T::from_text(&text) {
            Ok(value) => Some(value),
            Err(mismatches) => {
                self.mismatches(
                    &Origin::Variable(name.to_owned()),
                    "",
                    &T::expected(),
                    mismatches,
                );
                None
            }
        }
    }

    /// Complains about the variables that nothing asked for, and hands over what is wrong.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        for name in std::mem::take(&mut self.environment).into_keys() {
            let known = self.variables.iter().map(String::as_str);
            let message = unknown("variable", &name, suggest::nearest(&name, known));
            self.complain(Origin::Variable(name), String::new(), message);
        }
        self.problems
    }

    /// Complains about the value at `path` (`c2s.require_tls`, `host[1].domain`).
    pub(super) fn complain_at(&mut self, path: &str, key: &str, message: String) {
        let origin = self.origins.get(path).cloned().unwrap_or(Origin::Default);
        self.complain(origin, key.to_owned(), message);
    }

    /// Complains about a variable that is no key of a table.
    pub(super) fn complain_variable(&mut self, name: &str, message: String) {
        self.complain(Origin::Variable(name.to_owned()), String::new(), message);
    }

    /// Whether the value at `path` was set, and well.
    pub(super) fn is_set(&self, path: &str) -> bool {
        self.origins.contains_key(path) && !self.is_broken(path)
    }

    /// Whether the value at `path` was set wrongly. Rules across keys leave it alone: the
    /// default that stands in for it is not what the operator meant.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.broken.contains(path)
    }

    /// What is wrong so far, when reading ends early.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Complains about a piece of the file that is no TOML.
    pub(super) fn complain_syntax(&mut self, error: &toml::de::Error) {
        let (name, text) = self.file.unwrap_or_default();
        let file = name.to_owned();
        let mut message = error.message().to_owned();
        let origin = match error.span() {
            None => Origin::File { file },
            Some(span) => {
                // The parser takes `level = info` for a misspelt `inf`.
                let before = text.get(..span.start).unwrap_or_default();
                let after = text.get(span.start..).unwrap_or_default();
                if before.trim_end().ends_with('=') && after.starts_with(char::is_alphabetic) {
                    message.push_str("; text stands in quotes");
                }
                self.origin_of(&span)
            }
        };
        self.complain(origin, String::new(), message);
    }

    fn complain(&mut self, origin: Origin, key: String, message: String) {
        self.problems.push(Problem {
            origin,
            key,
            message,
        });
    }

    fn in_file<T: Value>(
        &mut self,
        table: &DeTable<'_>,
        place: &Place,
        key: &str,
        limits: &Limits<T>,
    ) -> Option<T> {
        let value = table.get(key);
        if T::SECRET
            && let Some(path) = table.get(file_key(key).as_str())
        {
            let origin = self.origin_of(&path.span());
            return self.secret_of_toml(place, key, path, value.is_some(), origin);
        }
        let value = value?;
        let origin = self.origin_of(&value.span());
        self.origins.insert(join(&place.path, key), origin.clone());
        let read = T::from_toml(value);
        self.settle(read, limits, &origin, &place.key(key))
    }

    fn in_environment<T: Value>(
        &mut self,
        place: &Place,
        key: &str,
        limits: &Limits<T>,
    ) -> Option<T> {
        let name = format!("{}{}", place.variables.as_ref()?, key.to_uppercase());
        let name_of_file = format!("{name}{}", FILE_SUFFIX.to_uppercase());
        self.variables.push(name.clone());
        let text = self.environment.remove(&name);
        if T::SECRET {
            self.variables.push(name_of_file.clone());
            if let Some(path) = self.environment.remove(&name_of_file) {
                let origin = Origin::Variable(name_of_file);
                return self.secret_of_file(place, key, &path, text.is_some(), origin, "");
            }
        }
        let text = text?;
        let origin = Origin::Variable(name);
        self.origins.insert(join(&place.path, key), origin.clone());
        self.settle(T::from_text(&text), limits, &origin, "")
    }

    fn settle<T: Value>(
        &mut self,
        read: Result<T, Vec<Mismatch>>,
        limits: &Limits<T>,
        origin: &Origin,
        key: &str,
    ) -> Option<T> {
        let mismatches = match read {
            Ok(value) if limits.allow(&value) => return Some(value),
            Ok(value) => vec![Mismatch {
                span: None,
                found: value.to_toml(),
                element: None,
            }],
            Err(mismatches) => mismatches,
        };
        self.mismatches(origin, key, &limits.expected(), mismatches);
        None
    }

    fn mismatches(&mut self, origin: &Origin, key: &str, expected: &str, all: Vec<Mismatch>) {
        for Mismatch {
            span,
            found,
            element,
        } in all
        {
            let expected = element.as_deref().unwrap_or(expected);
            let origin = span.map_or_else(|| origin.clone(), |span| self.origin_of(&span));
            let message = format!("expected {expected}, found {found}");
            self.complain(origin, key.to_owned(), message);
        }
    }

    fn secret_of_toml<T: Value>(
        &mut self,
        place: &Place,
        key: &str,
        path: &Spanned<DeValue<'_>>,
        also_given: bool,
        origin: Origin,
    ) -> Option<T> {
        let label = place.key(&file_key(key));
        let Some(text) = path.get_ref().as_str() else {
            let found = shown(path.get_ref());
            self.complain(origin, label, format!("expected a path, found {found}"));
            return None;
        };
        self.secret_of_file(place, key, text, also_given, origin, &label)
    }

    /// Reads a secret from a file, without the line break at its end.
    fn secret_of_file<T: Value>(
        &mut self,
        place: &Place,
        key: &str,
        path: &str,
        also_given: bool,
        origin: Origin,
        label: &str,
    ) -> Option<T> {
        if also_given {
            let message = format!("expected either {key} or {}, found both", file_key(key));
            self.complain(origin, label.to_owned(), message);
            return None;
        }
        self.origins.insert(join(&place.path, key), origin.clone());
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let secret = T::from_text(text.trim_end_matches(['\r', '\n']));
                self.settle(secret, &Limits::none(), &origin, label)
            }
            Err(error) => {
                let message = format!("cannot read the secret's file {path:?}: {error}");
                self.complain(origin, label.to_owned(), message);
                None
            }
        }
    }

    fn origin_of(&self, span: &Range<usize>) -> Origin {
        let Some((file, text)) = self.file else {
            return Origin::Default;
        };
        let before = text.get(..span.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Origin::Line {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.chars().count() - before.get(..start).map_or(0, |b| b.chars().count())
                + 1,
        }
    }
}

/// What is appended to the key of a secret to name the file that holds it.
const FILE_SUFFIX: &str = "_file";

fn file_key(key: &str) -> String {
    format!("{key}{FILE_SUFFIX}")
}

fn unknown(what: &str, name: &str, nearest: Option<&str>) -> String {
    let name = shown(&DeValue::String(name.into()));
    match nearest {
        Some(nearest) => format!("unknown {what} {name}; did you mean \"{nearest}\"?"),
        None => format!("unknown {what} {name}"),
    }
}
