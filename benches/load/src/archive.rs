//! The archive (XEP-0313): the chat load on a server that archives, then all of it read back.
//!
//! Two records: what a message costs that is archived for both sides, and what one costs that is fetched
//! in pages. Each archive must hold each message once, in order, unchanged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::task::JoinSet;

use crate::chat;
use crate::report::{Record, cpu_per_unit};
use crate::scan;
use crate::session::Session;
use crate::target::Target;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    chat: chat::Options,
    /// Messages in a page.
    #[arg(long, default_value_t = 50)]
    page: usize,
    /// Archives that are read at once.
    #[arg(long, default_value_t = 4)]
    readers: usize,
    /// How often each archive is read.
    #[arg(long, default_value_t = 1)]
    times: usize,
}

pub(crate) async fn run(options: Options) -> Result<Vec<Record>> {
    let target = Target::new(options.chat.target.clone())?;
    let (pairs, body) = (options.chat.pairs, options.chat.body);
    let written = chat::run(options.chat.clone()).await?;
    let written = Record {
        load: "archive write".to_owned(),
        ..written
    };
    let (page, readers) = (options.page, options.readers.clamp(1, pairs.max(1)));
    let (before, began) = (target.usage()?, Instant::now());
    let mut tasks = JoinSet::new();
    for reader in 0..readers {
        let target = Arc::clone(&target);
        let archives: Vec<usize> = (reader..pairs).step_by(readers).collect();
        let times = options.times.max(1);
        tasks.spawn(async move {
            let mut pages = Vec::new();
            let mut found = Vec::new();
            for pair in archives {
                let mut session = Session::log_in(&target, 2 * pair + 1, "archive").await?;
                for _ in 0..times {
                    found.push(read(&mut session, &target, pair, page, body, &mut pages).await?);
                }
                session.close().await?;
            }
            anyhow::Ok((pages, found))
        });
    }
    let (mut latencies, mut count) = (Vec::new(), 0);
    while let Some(done) = tasks.join_next().await {
        let (pages, found) = done??;
        latencies.extend(pages);
        count += found.iter().sum::<usize>();
    }
    let seconds = began.elapsed().as_secs_f64();
    let after = target.usage()?;
    // What was measured and what went before lie in the archives.
    let (archived, count) = (count / options.times.max(1), count as u64);
    ensure!(
        archived as u64 >= written.count,
        "{} were written and {archived} are in the archives",
        written.count
    );
    let shape = format!("{readers} readers, pages of {page}, {body}-byte bodies");
    let fetched = Record {
        count,
        seconds,
        cpu_us: cpu_per_unit(before.as_ref(), after.as_ref(), count),
        ..target
            .record("archive read", "fetched", shape)
            .with_latencies(latencies)
    };
    Ok(vec![written, fetched])
}

/// Reads what the pair's reader has archived of its writer, page by page from the oldest (XEP-0313 §4);
/// the number of messages.
async fn read(
    session: &mut Session,
    target: &Target,
    pair: usize,
    page: usize,
    body: usize,
    latencies: &mut Vec<Duration>,
) -> Result<usize> {
    let with = format!("{}@{}", target.account(2 * pair), target.domain());
    let mut after = String::new();
    let mut found = 0;
    loop {
        let id = format!("page{found}");
        let query = format!(
            "<iq type='set' id='{id}'><query xmlns='urn:xmpp:mam:2' queryid='{id}'>\
             <x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>\
             <field var='with'><value>{with}</value></field></x>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>{page}</max>{after}</set></query></iq>"
        );
        let began = Instant::now();
        let mut of_page = 0;
        let end = session
            .ask(&id, &query, |child| {
                if scan::contains(child, "<result") {
                    expect(child, pair, found + of_page, body)?;
                    of_page += 1;
                }
                Ok(())
            })
            .await?;
        latencies.push(began.elapsed());
        found += of_page;
        let text = || format!("{with}: {}", String::from_utf8_lossy(&end));
        ensure!(scan::attribute(&end, "type") == Some("result"), text());
        ensure!(of_page <= page, "{of_page} in a page of {page}");
        // Debian's ejabberd says it with double quotes.
        let complete = ["complete='true'", "complete=\"true\""];
        if complete.iter().any(|it| scan::contains(&end, it)) {
            return Ok(found);
        }
        let last = scan::between(&end, "<last>", "</last>").with_context(text)?;
        after = format!("<after>{last}</after>");
    }
}

/// Whether this is the next message of the pair.
fn expect(child: &[u8], pair: usize, next: usize, body: usize) -> Result<()> {
    let found = scan::between(child, "<body>", "</body>");
    let mut wanted = String::new();
    chat::body(&mut wanted, pair, next, body)?;
    ensure!(
        found == Some(&wanted),
        "pair {pair}, archived message {next}: {}",
        String::from_utf8_lossy(child)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archived_message_is_the_next_and_unchanged() {
        let of = |pair, sequence| {
            let mut text = String::new();
            chat::body(&mut text, pair, sequence, 64).unwrap();
            format!(
                "<message><result><forwarded><message><body>{text}</body></message></forwarded></result></message>"
            )
        };
        assert!(expect(of(3, 5).as_bytes(), 3, 5, 64).is_ok());
        assert!(expect(of(3, 6).as_bytes(), 3, 5, 64).is_err());
        assert!(expect(of(4, 5).as_bytes(), 3, 5, 64).is_err());
        assert!(expect(b"<message><result/></message>", 3, 5, 64).is_err());
    }
}
