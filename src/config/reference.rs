//! The commented reference of all keys, made from the definitions that read them.

use std::fmt::Write;

use super::Config;
use super::section::{Description, Section};

/// The whole configuration as a commented TOML file: every key with its meaning, what it
/// takes and its default. Lines that begin with `#` and no space are the defaults; taking
/// the `#` away changes nothing.
#[must_use]
pub fn reference() -> String {
    let mut page = String::new();
    let config = Config::default().describe();
    prose(&mut page, &config.about.join("\n"));
    table(&mut page, &config, "", KEY);
    page
}

/// Marks a line that can be taken into use as it stands.
const KEY: &str = "#";
/// Marks a line that only shows what could be there.
const EXAMPLE: &str = "# ";

fn table(page: &mut String, description: &Description, header: &str, mark: &str) {
    for key in &description.keys {
        page.push('\n');
        prose(page, &key.about.join("\n"));
        line(page, &format!("# Takes {}.", key.expected));
        if key.secret {
            line(
                page,
                &format!("# {}_file = \"path\" takes it from a file.", key.key),
            );
        }
        line(page, &format!("{mark}{} = {}", key.key, key.value));
    }
    for (name, inner) in &description.tables {
        let inner_header = join(header, name);
        heading(page, inner, &format!("{mark}[{inner_header}]"));
        table(page, inner, &inner_header, mark);
    }
    for array in &description.arrays {
        let inner_header = join(header, array.header);
        let mark = if array.is_default { mark } else { EXAMPLE };
        heading(page, &array.element, &format!("{mark}[[{inner_header}]]"));
        table(page, &array.element, &inner_header, mark);
    }
}

fn heading(page: &mut String, description: &Description, header: &str) {
    page.push_str("\n\n");
    prose(page, &description.about.join("\n"));
    line(page, header);
}

fn join(header: &str, name: &str) -> String {
    if header.is_empty() {
        name.to_owned()
    } else {
        format!("{header}.{name}")
    }
}

/// Doc comments come with the space that follows their slashes; their backticks serve the
/// documentation of the code only.
fn prose(page: &mut String, text: &str) {
    for text in text.replace('`', "").lines() {
        line(page, format!("#{text}").trim_end());
    }
}

fn line(page: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}
