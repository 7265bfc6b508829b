//! The README's table of supported documents is what the code declares.

use std::sync::Arc;

use parlour::config::Config;
use parlour::proto::document::{CORE, Document};

use crate::source::root;

const BEGIN: &str = "<!-- documents:begin -->\n";
const END: &str = "<!-- documents:end -->";

/// The core's documents and those of every extension.
fn documents() -> Vec<Document> {
    let config = Arc::new(Config::default());
    let mut documents = parlour::server::hooks(&config).documents();
    documents.extend_from_slice(CORE);
    documents.sort_unstable();
    documents
}

/// The table, RFCs before XEPs. Who does a part of a document declares it with a note: it has
/// one line, with all notes.
fn table(documents: &[Document]) -> String {
    let mut table = String::from("| Document | Title | Version | Remarks |\n|---|---|---|---|\n");
    for parts in documents.chunk_by(|one, other| one.number == other.number) {
        let Some(Document {
            number,
            title,
            version,
            ..
        }) = parts.first()
        else {
            continue;
        };
        let notes = parts.iter().map(|part| part.note);
        let notes: Vec<&str> = notes.filter(|note| !note.is_empty()).collect();
        let (address, notes) = (address(number), notes.join("; "));
        table.push_str(&format!(
            "| [{number}]({address}) | {title} | {version} | {notes} |\n"
        ));
    }
    table
}

fn address(number: &str) -> String {
    match number.split_once([' ', '-']) {
        Some(("RFC", digits)) => format!("https://www.rfc-editor.org/rfc/rfc{digits}"),
        Some(("XEP", digits)) => format!("https://xmpp.org/extensions/xep-{digits}.html"),
        Some(_) | None => format!("schemas/{number}.md"),
    }
}

/// The README with the table between its markers replaced.
fn with_table(readme: &str, table: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[test]
fn the_readme_lists_what_the_extensions_declare() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let wanted = with_table(&readme, &table(&documents()))
        .expect("README.md has the markers documents:begin and documents:end");
    if std::env::var_os("PARLOUR_BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        readme == wanted,
        "the table in README.md is not what the code declares; \
         `PARLOUR_BLESS=1 cargo test --test tidy` writes it anew"
    );
}

/// What Advanced Server of all five categories demands (XEP-0479 §3), and what every web client needs beside.
const SUITES: &[&str] = &[
    "RFC 6120", "RFC 6121", "RFC 7395", "RFC 7590", "XEP-0030", "XEP-0045", "XEP-0048", "XEP-0049",
    "XEP-0054", "XEP-0114", "XEP-0115", "XEP-0124", "XEP-0153", "XEP-0156", "XEP-0163", "XEP-0191",
    "XEP-0198", "XEP-0206", "XEP-0215", "XEP-0223", "XEP-0249", "XEP-0280", "XEP-0313", "XEP-0352",
    "XEP-0357", "XEP-0363", "XEP-0368", "XEP-0398", "XEP-0402", "XEP-0410",
];

#[test]
fn nothing_of_the_compliance_suites_is_missing() {
    let documents = documents();
    let declared = |number: &&&str| documents.iter().any(|it| it.number == **number);
    let missing: Vec<_> = SUITES.iter().filter(|it| !declared(it)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_table_that_says_less_than_the_code_is_found() {
    let documents = documents();
    let less = documents.split_last().unwrap().1;
    let readme = format!("# Title\n{BEGIN}{}{END}\nmore\n", table(less));
    let wanted = with_table(&readme, &table(&documents)).unwrap();
    assert_ne!(readme, wanted);
    assert_eq!(with_table(&wanted, &table(less)).unwrap(), readme);
    assert_eq!(with_table("no markers", ""), None);
}

#[test]
fn a_document_is_cited_by_its_number_and_everywhere_alike() {
    let documents = documents();
    for pair in documents.windows(2) {
        if let [one, other] = pair
            && one.number == other.number
        {
            assert_eq!(
                (one.title, one.version),
                (other.title, other.version),
                "{}",
                one.number
            );
            assert_ne!(one.note, other.note, "{} is declared twice", one.number);
        }
    }
    for document in documents {
        let number = document.number;
        let digits = number
            .strip_prefix("RFC ")
            .or_else(|| number.strip_prefix("XEP-"));
        let right =
            digits.is_some_and(|it| it.len() == 4 && it.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(right, "{number}");
        assert_eq!(
            document.version.is_empty(),
            number.starts_with("RFC"),
            "{number}"
        );
    }
}
