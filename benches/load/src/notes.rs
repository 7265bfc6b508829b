//! Notes about one customer: agents write them, all about the same one, then one agent reads pages of them.
//!
//! The agents have the rights to see and to write messages, replies and properties (`benches/compare` gives them). Every tenth
//! note of an agent is for one other; the reader, who is the first of the agents, also plans follow-ups while notes are written,
//! so that the history has entries of several lists. Whatever was written is known here, and each page is compared with
//! exactly the entries that it must have.

mod book;
mod pages;
mod writing;

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::report::Record;
use crate::scan;
use crate::session::Session;
use crate::target::{Target, TargetOptions};
use book::{Book, Rules};
use pages::{KINDS, Reader, Way};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: TargetOptions,
    /// Notes to write.
    #[arg(long, default_value_t = 100_000)]
    notes: usize,
    /// Agents who write, each the next note when the last is there: so many are under way at once.
    #[arg(long, default_value_t = 100)]
    writers: usize,
    /// The account of the first of them, which also reads.
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// How many words there are, of which each note has twelve.
    #[arg(long, default_value_t = 4_000)]
    words: usize,
    /// Pages to read of each kind in each direction.
    #[arg(long, default_value_t = 300)]
    times: usize,
    /// Entries of a page; a history gives 50 at most.
    #[arg(long, default_value_t = 50)]
    page: usize,
    /// The notes must be there after this many seconds.
    #[arg(long, default_value_t = 1_800)]
    seconds: u64,
    /// Where the contact center is.
    #[arg(long, default_value = "center.localhost")]
    service: String,
}

/// Where the notes are, about whom, and by whom.
struct Scene {
    target: Arc<Target>,
    service: String,
    customer: String,
    /// The account of the first agent.
    first: usize,
    rules: Rules,
}

/// One record for writing, and one for each kind of page in each direction.
pub(crate) async fn run(options: Options) -> Result<Vec<Record>> {
    let rules = Rules {
        writers: options.writers,
        words: options.words,
    };
    let (writers, page) = (options.writers, options.page);
    ensure!(writers > 0, "nobody writes");
    ensure!((1..=50).contains(&page), "no history has pages of {page}");
    rules.check()?;
    let target = Target::new(options.target)?;
    let mut session = Session::log_in(&target, options.first, "reader").await?;
    let customer = make_customer(&mut session, &options.service).await?;
    let scene = Arc::new(Scene {
        target,
        service: options.service,
        customer,
        first: options.first,
        rules,
    });
    let (entries, written) =
        writing::write(&scene, &mut session, options.notes, options.seconds).await?;
    let book = Book::new(entries, &scene.rules)?;
    let mut records = vec![written];
    let mut reader = Reader::new(session, &scene, page);
    for kind in KINDS {
        for way in [Way::Forwards, Way::Backwards] {
            reader.walk(&book, kind, way).await?;
            records.push(reader.measure(&book, kind, way, options.times).await?);
        }
    }
    reader.close().await?;
    Ok(records)
}

/// A customer of its own, about whom there is nothing yet; its id.
async fn make_customer(reader: &mut Session, service: &str) -> Result<String> {
    let request = format!(
        "<iq type='set' id='customer' to='{service}'><create xmlns='urn:parlour:customer:0'>\
         <name>Benedetta Ravenscroft</name></create></iq>"
    );
    let answer = reader.ask("customer", &request, |_| Ok(())).await?;
    Ok(made(&answer, "<customer ")?.0)
}

/// The id of what was made, and the rest of the answer; an error where it was refused.
fn made<'a>(answer: &'a [u8], open: &str) -> Result<(String, &'a [u8])> {
    let text = || String::from_utf8_lossy(answer).into_owned();
    ensure!(scan::attribute(answer, "type") == Some("result"), text());
    let element = scan::elements(answer, open).next().with_context(text)?;
    let id = scan::attribute(element, "id").with_context(text)?;
    Ok((id.to_owned(), element))
}
