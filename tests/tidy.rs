//! What the house promises about its own source, checked by reading it: which room uses which,
//! how files begin and how long they are, what may not be written, that the README tells what
//! the extensions declare, and that every namespace sent has a schema.
//!
//! Every rule is shown to find a violation that was made up for it, so that none can pass by
//! being blind. `PARLOUR_BLESS=1 cargo test --test tidy` writes the README's tables anew.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot read what it checks has failed"
)]

#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/measures.rs"]
mod measures;
#[path = "tidy/namespaces.rs"]
mod namespaces;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/source.rs"]
mod source;

/// Fails with one violation a line.
fn nothing_found(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}
