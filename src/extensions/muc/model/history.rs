//! What was said lately, and how much of it one who enters is given (XEP-0045 §7.2.13, §7.2.14).

use std::collections::VecDeque;

use compact_str::CompactString;

use crate::clock::Timestamp;
use crate::proto::{Stanza, ns};
use crate::xml::Element;

/// A message that was said in the room, from its occupant's address and to nobody.
#[derive(Clone, Debug)]
pub(in crate::extensions::muc) struct Said {
    pub(in crate::extensions::muc) at: Timestamp,
    /// The stanza-id that the room gave it (XEP-0359).
    pub(in crate::extensions::muc) id: CompactString,
    /// The occupant id of who said it (XEP-0421).
    pub(in crate::extensions::muc) author: CompactString,
    pub(in crate::extensions::muc) stanza: Stanza,
}

/// The latest messages of a room within two bounds.
#[derive(Debug, Default)]
pub(in crate::extensions::muc) struct History {
    said: VecDeque<Said>,
    bytes: usize,
}

/// What `<history/>` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::extensions::muc) struct Wanted {
    pub(in crate::extensions::muc) maxchars: Option<usize>,
    pub(in crate::extensions::muc) maxstanzas: Option<usize>,
    pub(in crate::extensions::muc) seconds: Option<i64>,
    pub(in crate::extensions::muc) since: Option<Timestamp>,
}

impl Wanted {
    /// Reads the child `<history/>` of `<x xmlns='http://jabber.org/protocol/muc'/>`. What is no
    /// number or no time restricts nothing: nobody is kept out for it.
    pub(in crate::extensions::muc) fn of(x: &Element) -> Self {
        let Some(history) = x.find(ns::MUC, "history") else {
            return Self::default();
        };
        let number = |name| -> Option<i64> { history.attribute(name)?.trim().parse().ok() };
        let size = |name| usize::try_from(number(name)?.max(0)).ok();
        Self {
            maxchars: size("maxchars"),
            maxstanzas: size("maxstanzas"),
            seconds: number("seconds").map(|seconds| seconds.max(0)),
            since: history.attribute("since").and_then(Timestamp::parse),
        }
    }
}

impl History {
    /// Adds a message; older ones go when there are too many.
    pub(in crate::extensions::muc) fn push(
        &mut self,
        said: Said,
        messages_max: usize,
        bytes_max: usize,
    ) {
        self.bytes += said.stanza.weight();
        self.said.push_back(said);
        while self.said.len() > messages_max || self.bytes > bytes_max {
            match self.said.pop_front() {
                Some(gone) => self.bytes -= gone.stanza.weight(),
                None => break,
            }
        }
    }

    /// The message of that stanza-id.
    pub(in crate::extensions::muc) fn find(&self, id: &str) -> Option<&Said> {
        self.said.iter().rev().find(|said| said.id == id)
    }

    /// Takes a message out: it was retracted (XEP-0424 §5).
    pub(in crate::extensions::muc) fn remove(&mut self, id: &str) -> Option<Said> {
        let place = self.said.iter().position(|said| said.id == id)?;
        let gone = self.said.remove(place)?;
        self.bytes -= gone.stanza.weight();
        Some(gone)
    }

    /// The messages that are wanted, oldest first: the least that meets every limit, with the room's
    /// own (§7.2.14).
    pub(in crate::extensions::muc) fn wanted(
        &self,
        wanted: &Wanted,
        now: Timestamp,
        room_max: usize,
    ) -> impl Iterator<Item = &Said> {
        let count = wanted.maxstanzas.map_or(room_max, |max| max.min(room_max));
        let by_seconds = wanted.seconds.map(|seconds| now.plus_seconds(-seconds));
        let oldest = by_seconds.max(wanted.since);
        let mut chars_left = wanted.maxchars;
        let fitting = self.said.iter().rev().take(count).take_while(move |said| {
            oldest.is_none_or(|oldest| said.at >= oldest) && fits(&mut chars_left, &said.stanza)
        });
        let start = self.said.len() - fitting.count();
        self.said.range(start..)
    }
}

/// Takes the characters of the whole stanza from what is left.
fn fits(left: &mut Option<usize>, stanza: &Stanza) -> bool {
    let Some(left) = left else {
        return true;
    };
    let mut bytes = Vec::new();
    stanza.write(&mut bytes, None);
    let chars = String::from_utf8_lossy(&bytes).chars().count();
    match left.checked_sub(chars) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::MessageType;

    fn said(number: i64) -> Said {
        let body = Element::new(ns::CLIENT, "body").text(number.to_string());
        Said {
            at: Timestamp::from_micros(number * 10_000_000),
            id: number.to_string().into(),
            author: "a".into(),
            stanza: Stanza::message(MessageType::Groupchat).child(&body),
        }
    }

    fn history(count: i64, messages_max: usize, bytes_max: usize) -> History {
        let mut history = History::default();
        for number in 1..=count {
            history.push(said(number), messages_max, bytes_max);
        }
        history
    }

    fn ids(said: &mut dyn Iterator<Item = &Said>) -> String {
        said.map(|said| said.id.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn the_least_that_meets_every_limit_is_given() {
        let history = history(5, 100, 1 << 20);
        // Each is `<message type='groupchat'><body>n</body></message>`.
        let one = "<message type='groupchat'><body>1</body></message>".len();
        let now = Timestamp::from_micros(60_000_000);
        let at = |number: i64| Some(Timestamp::from_micros(number * 10_000_000));
        for (wanted, room_max, expected) in [
            (Wanted::default(), 20, "1 2 3 4 5"),
            (Wanted::default(), 2, "4 5"),
            (Wanted::default(), 0, ""),
            (
                Wanted {
                    maxstanzas: Some(3),
                    ..Wanted::default()
                },
                20,
                "3 4 5",
            ),
            (
                Wanted {
                    maxstanzas: Some(30),
                    ..Wanted::default()
                },
                1,
                "5",
            ),
            (
                Wanted {
                    maxstanzas: Some(0),
                    ..Wanted::default()
                },
                20,
                "",
            ),
            (
                Wanted {
                    maxchars: Some(0),
                    ..Wanted::default()
                },
                20,
                "",
            ),
            (
                Wanted {
                    maxchars: Some(2 * one),
                    ..Wanted::default()
                },
                20,
                "4 5",
            ),
            (
                Wanted {
                    maxchars: Some(2 * one - 1),
                    ..Wanted::default()
                },
                20,
                "5",
            ),
            (
                Wanted {
                    seconds: Some(20),
                    ..Wanted::default()
                },
                20,
                "4 5",
            ),
            (
                Wanted {
                    since: at(3),
                    ..Wanted::default()
                },
                20,
                "3 4 5",
            ),
            (
                Wanted {
                    since: at(3),
                    seconds: Some(10),
                    ..Wanted::default()
                },
                20,
                "5",
            ),
            (
                Wanted {
                    since: at(5),
                    seconds: Some(50),
                    ..Wanted::default()
                },
                20,
                "5",
            ),
        ] {
            assert_eq!(
                ids(&mut history.wanted(&wanted, now, room_max)),
                expected,
                "{wanted:?}"
            );
        }
    }

    #[test]
    fn history_is_bounded_by_number_and_by_weight() {
        let all = Wanted::default();
        let now = Timestamp::from_micros(0);
        assert_eq!(
            ids(&mut history(5, 3, 1 << 20).wanted(&all, now, 99)),
            "3 4 5"
        );
        let weight = said(1).stanza.weight();
        assert_eq!(
            ids(&mut history(5, 99, 2 * weight).wanted(&all, now, 99)),
            "4 5"
        );
        assert_eq!(ids(&mut history(5, 99, 0).wanted(&all, now, 99)), "");
        let mut history = history(3, 99, 1 << 20);
        assert_eq!(history.remove("2").unwrap().id, "2");
        assert!(history.remove("2").is_none() && history.find("2").is_none());
        assert_eq!(ids(&mut history.wanted(&all, now, 99)), "1 3");
    }

    #[test]
    fn what_is_no_number_restricts_nothing() {
        let wanted = |attributes: &[(&str, &str)]| {
            let history = Element::new(ns::MUC, "history");
            let history = attributes
                .iter()
                .fold(history, |it, (name, value)| it.attr(name, value));
            Wanted::of(&Element::new(ns::MUC, "x").child(history))
        };
        assert_eq!(
            wanted(&[("maxchars", "x"), ("since", "noon")]),
            Wanted::default()
        );
        assert_eq!(wanted(&[("maxstanzas", "-5")]).maxstanzas, Some(0));
        assert_eq!(wanted(&[("seconds", "180")]).seconds, Some(180));
        assert_eq!(Wanted::of(&Element::new(ns::MUC, "x")), Wanted::default());
    }
}
