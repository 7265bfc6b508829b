//! The reading of pages (XEP-0059), each of which is compared with what it must have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scene;
use super::book::{Book, COMMON, Entry, word};
use crate::report::{Record, cpu_per_unit};
use crate::scan;
use crate::session::Session;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The list of notes, the newest first.
    Newest,
    /// The list of notes, the oldest first.
    Oldest,
    /// Notes with a word that few have, the newest first.
    Rare,
    /// Notes with a word that all have, the newest first.
    Common,
    /// All that there is about the customer, the newest first.
    History,
}

/// Every kind.
pub(super) const KINDS: [Kind; 5] = [
    Kind::Newest,
    Kind::Oldest,
    Kind::Rare,
    Kind::Common,
    Kind::History,
];

impl Kind {
    const fn load(self) -> &'static str {
        match self {
            Self::Newest => "notes, newest first",
            Self::Oldest => "notes, oldest first",
            Self::Rare => "notes, a word that few have",
            Self::Common => "notes, a word that all have",
            Self::History => "notes, history",
        }
    }

    /// What is asked of whom, without the page and the end.
    fn request(self, customer: &str, number: usize) -> (String, &'static str) {
        let streams = |order: &str, text: &str| {
            let text = match text {
                "" => String::new(),
                text => format!("<text>{text}</text>"),
            };
            let ns = "urn:parlour:message-stream:0";
            format!("<streams xmlns='{ns}' customer='{customer}'{order}>{text}")
        };
        match self {
            Self::Newest => (streams("", ""), "</streams>"),
            Self::Oldest => (streams(" order='ascending'", ""), "</streams>"),
            Self::Rare => (streams("", &word(number)), "</streams>"),
            Self::Common => (streams("", COMMON), "</streams>"),
            Self::History => (
                format!("<history xmlns='urn:parlour:customer:0' id='{customer}'>"),
                "</history>",
            ),
        }
    }

    /// By what a page says where an entry stands.
    fn place(self, entry: &Entry) -> String {
        match self {
            Self::History => entry.place(),
            _ => entry.id.clone(),
        }
    }
}

/// In which direction pages are turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Forwards,
    Backwards,
}

impl Way {
    /// The page of the list that begins behind the first `at` entries, or ends with them; and whether nothing is left behind it.
    fn page<T>(self, list: &[T], at: usize, size: usize) -> (&[T], bool) {
        let (start, end) = match self {
            Self::Forwards => (at, list.len().min(at.saturating_add(size))),
            Self::Backwards => (at.saturating_sub(size), at),
        };
        let complete = match self {
            Self::Forwards => end == list.len(),
            Self::Backwards => start == 0,
        };
        (list.get(start..end).unwrap_or_default(), complete)
    }

    /// How many entries go before that place, where a whole page is left if there is one. Others with each round, the list's
    /// end first.
    const fn place(self, round: usize, entries: usize, size: usize) -> usize {
        let places = entries.saturating_sub(size) + 1;
        let skipped = (round * PLACE_STEP) % places;
        match self {
            Self::Forwards => skipped,
            Self::Backwards => entries - skipped,
        }
    }

    /// What a request says of it.
    fn asked(self, list: &[&Entry], at: usize, kind: Kind) -> String {
        let neighbour = match self {
            Self::Forwards => at.checked_sub(1),
            Self::Backwards => Some(at),
        };
        let place = neighbour.and_then(|position| list.get(position));
        match (self, place.map(|it| kind.place(it))) {
            (Self::Forwards, None) => String::new(),
            (Self::Forwards, Some(place)) => format!("<after>{place}</after>"),
            (Self::Backwards, None) => "<before/>".to_owned(),
            (Self::Backwards, Some(place)) => format!("<before>{place}</before>"),
        }
    }
}

/// From one place to the next; prime, so that all come.
const PLACE_STEP: usize = 7_919;
/// From one word to the next.
const WORD_STEP: usize = 31;

/// The agent who reads.
pub(super) struct Reader {
    session: Session,
    scene: Arc<Scene>,
    /// Entries of a page.
    size: usize,
}

impl Reader {
    pub(super) fn new(session: Session, scene: &Arc<Scene>, size: usize) -> Self {
        Self {
            session,
            scene: Arc::clone(scene),
            size,
        }
    }

    /// Reads one list page by page from end to end, which is not measured.
    pub(super) async fn walk(&mut self, book: &Book, kind: Kind, way: Way) -> Result<()> {
        let list = book.list(kind, 0);
        let mut at = match way {
            Way::Forwards => 0,
            Way::Backwards => list.len(),
        };
        loop {
            self.read(&list, (kind, 0), way, at).await?;
            let (page, complete) = way.page(&list, at, self.size);
            at = match way {
                Way::Forwards => at + page.len(),
                Way::Backwards => at - page.len(),
            };
            if complete {
                return Ok(());
            }
        }
    }

    /// Pages one after the other, each from another place.
    pub(super) async fn measure(
        &mut self,
        book: &Book,
        kind: Kind,
        way: Way,
        times: usize,
    ) -> Result<Record> {
        let mut latencies = Vec::with_capacity(times);
        let (entries, size) = (book.list(kind, 0).len(), self.size);
        // Each page of the rare words is of another word.
        let word = |round: usize| match kind {
            Kind::Rare => round * WORD_STEP % book.words(),
            _ => 0,
        };
        let lists: Vec<_> = match kind {
            Kind::Rare => (0..times)
                .map(|round| book.list(kind, word(round)))
                .collect(),
            _ => vec![book.list(kind, 0)],
        };
        let (before, began) = (self.scene.target.usage()?, Instant::now());
        for (round, list) in (0..times).zip(lists.iter().cycle()) {
            let at = way.place(round, list.len(), size);
            latencies.push(self.read(list, (kind, word(round)), way, at).await?);
        }
        let seconds = began.elapsed().as_secs_f64();
        let after = self.scene.target.usage()?;
        let direction = match way {
            Way::Forwards => "forwards",
            Way::Backwards => "backwards",
        };
        let shape = format!("pages of {size} {direction}, of {entries} entries");
        let count = times as u64;
        let target = &self.scene.target;
        Ok(Record {
            count,
            seconds,
            cpu_us: cpu_per_unit(before.as_ref(), after.as_ref(), count),
            ..target
                .record(kind.load(), "page", shape)
                .with_latencies(latencies)
        })
    }

    /// One page, which must have what the list has there; the time until its last byte.
    async fn read(
        &mut self,
        list: &[&Entry],
        (kind, word): (Kind, usize),
        way: Way,
        at: usize,
    ) -> Result<Duration> {
        let (open, close) = kind.request(&self.scene.customer, word);
        let request = format!(
            "<iq type='get' id='page' to='{}'>{open}<set xmlns='http://jabber.org/protocol/rsm'>\
             <max>{}</max>{}</set>{close}</iq>",
            self.scene.service,
            self.size,
            way.asked(list, at, kind)
        );
        let began = Instant::now();
        let answer = self.session.ask("page", &request, |_| Ok(())).await?;
        let took = began.elapsed();
        let (page, complete) = way.page(list, at, self.size);
        compare(&answer, kind, page, complete).with_context(|| request)?;
        Ok(took)
    }

    pub(super) async fn close(self) -> Result<()> {
        self.session.close().await
    }
}

/// Whether the answer has these entries in that order and no other, and says rightly whether there are more.
fn compare(answer: &[u8], kind: Kind, page: &[&Entry], complete: bool) -> Result<()> {
    let text = || String::from_utf8_lossy(answer).into_owned();
    ensure!(scan::attribute(answer, "type") == Some("result"), text());
    let (list, open) = match kind {
        Kind::History => ("<history ", "<entry "),
        _ => ("<streams ", "<stream "),
    };
    let list = scan::elements(answer, list).next().with_context(text)?;
    let told = scan::attribute(list, "complete");
    ensure!(
        told == Some(if complete { "true" } else { "false" }),
        "complete={told:?} where it is {complete}"
    );
    let mut found = 0;
    for (position, element) in scan::elements(list, open).enumerate() {
        let id = scan::attribute(element, "id").with_context(text)?;
        let title = scan::between(element, "<title>", "</title>").with_context(text)?;
        let expected = page
            .get(position)
            .with_context(|| format!("{title}, {id}, is the entry {position} of {}", page.len()))?;
        let place = match (kind, scan::attribute(element, "kind")) {
            (Kind::History, Some(kind)) => format!("{kind}/{id}"),
            _ => id.to_owned(),
        };
        ensure!(
            place == kind.place(expected) && title == expected.title,
            "the entry {position} is {title}, {place}, and not {expected:?}"
        );
        found = position + 1;
    }
    ensure!(found == page.len(), "{found} entries, not {}", page.len());
    let ends = [
        ("<first>", "</first>", page.first()),
        ("<last>", "</last>", page.last()),
    ];
    for (open, close, entry) in ends {
        let told = scan::between(list, open, close);
        let place = entry.map(|it| kind.place(it));
        ensure!(
            told == place.as_deref(),
            "{open}{told:?} where it is {place:?}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::book::Of;
    use super::*;

    #[test]
    fn pages_are_cut_from_either_side() {
        let list = [0, 1, 2, 3, 4];
        let (forwards, backwards) = (Way::Forwards, Way::Backwards);
        assert_eq!(forwards.page(&list, 0, 2), (&[0, 1][..], false));
        assert_eq!(forwards.page(&list, 3, 2), (&[3, 4][..], true));
        assert_eq!(forwards.page(&list, 4, 2), (&[4][..], true));
        assert_eq!(backwards.page(&list, 5, 2), (&[3, 4][..], false));
        assert_eq!(backwards.page(&list, 2, 2), (&[0, 1][..], true));
        for round in 0..100 {
            for entries in [3, 50, 51, 12_345] {
                let (at, back) = (
                    forwards.place(round, entries, 50),
                    backwards.place(round, entries, 50),
                );
                let whole = entries.min(50);
                assert!(at + whole <= entries && back >= whole && back <= entries);
            }
        }
        assert_eq!(
            (forwards.place(0, 99, 50), backwards.place(0, 99, 50)),
            (0, 99)
        );
    }

    #[test]
    fn a_page_is_compared_entry_by_entry() {
        let entry = |id: &str, of| Entry {
            id: id.to_owned(),
            title: format!("Note {id}"),
            of,
        };
        let (a, b) = (entry("a", Of::Note(1)), entry("b", Of::FollowUp));
        let shown = |id: &str, kind| {
            format!("<entry kind='{kind}' id='{id}'><title>Note {id}</title></entry>")
        };
        let answer = |entries: &str, complete| {
            format!(
                "<iq type='result' id='page'><history id='c' complete='{complete}'>{entries}<set>\
                 <first>follow-up/b</first><last>message-stream/a</last></set></history></iq>"
            )
        };
        let (b_shown, a_shown) = (shown("b", "follow-up"), shown("a", "message-stream"));
        let is_good = |answer: &str| {
            let page = [&b, &a];
            compare(answer.as_bytes(), Kind::History, &page, true).is_ok()
        };
        assert!(is_good(&answer(&format!("{b_shown}{a_shown}"), "true")));
        for (what, entries, complete) in [
            ("turned", format!("{a_shown}{b_shown}"), "true"),
            ("twice", format!("{b_shown}{a_shown}{a_shown}"), "true"),
            ("too few", b_shown.clone(), "true"),
            (
                "of another kind",
                format!("{}{a_shown}", shown("b", "activity")),
                "true",
            ),
            ("not the last", format!("{b_shown}{a_shown}"), "false"),
        ] {
            assert!(!is_good(&answer(&entries, complete)), "{what}");
        }
        assert!(!is_good("<iq type='error' id='page'><error/></iq>"));
    }
}
