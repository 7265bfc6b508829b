//! The stop watch of a draft: started, stopped, reset; what it shows can fill the minutes (S4-13, S4-14, S4-22).

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A stop watch; it runs on the server, so that a closed window does not stop it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopWatch {
    /// Since when it runs; `None` while it stands.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Seconds before that.
    #[serde(default)]
    pub seconds: i64,
}

impl StopWatch {
    /// Lets it run on.
    #[must_use]
    pub fn started(self, now: Timestamp) -> Self {
        Self {
            since: self.since.or(Some(now)),
            ..self
        }
    }

    /// Lets it stand.
    #[must_use]
    pub fn stopped(self, now: Timestamp) -> Self {
        Self {
            since: None,
            seconds: self.shown_seconds(now),
        }
    }

    /// Back to nothing; one that runs goes on from there.
    #[must_use]
    pub fn reset(self, now: Timestamp) -> Self {
        Self {
            since: self.since.map(|_| now),
            seconds: 0,
        }
    }

    /// What it shows.
    #[must_use]
    pub fn shown_seconds(self, now: Timestamp) -> i64 {
        let running = self
            .since
            .map_or(0, |since| now.seconds_since(since).max(0));
        self.seconds.saturating_add(running)
    }

    /// Whole minutes for the message, a begun one counted.
    #[must_use]
    pub fn minutes(self, now: Timestamp) -> u32 {
        let minutes = self.shown_seconds(now).saturating_add(59) / 60;
        u32::try_from(minutes).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S4-13, S4-14.
    #[test]
    fn it_runs_stands_and_goes_back_to_nothing() {
        let at = |seconds| Timestamp::from_micros(1_790_000_000_000_000).plus_seconds(seconds);
        let watch = StopWatch::default().started(at(0));
        assert_eq!(watch.started(at(5)), watch);
        assert_eq!(watch.shown_seconds(at(61)), 61);
        assert_eq!((watch.minutes(at(60)), watch.minutes(at(61))), (1, 2));
        let watch = watch.stopped(at(30));
        assert_eq!(watch.shown_seconds(at(100)), 30);
        assert_eq!(watch.started(at(100)).shown_seconds(at(110)), 40);
        assert_eq!(watch.reset(at(100)), StopWatch::default());
        let running = watch.started(at(100)).reset(at(110));
        assert_eq!(running.shown_seconds(at(115)), 5);
        // A clock that was set back shows nothing less than before.
        assert_eq!(running.shown_seconds(at(0)), 0);
    }
}
