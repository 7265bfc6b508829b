//! The known name that a misspelt one was probably meant to be.

/// The nearest of `known`, when it is near enough to be worth saying.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let bound = (name.chars().count() / 3).max(1);
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Longer names are not misspelt but something else; comparing takes quadratic time.
const NAME_BYTES_MAX: usize = 64;

/// How many characters must be put in, left out or exchanged (Levenshtein's distance).
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (above_first, a) in left.chars().enumerate() {
        let mut diagonal = above_first;
        let mut before = above_first + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(right.chars()) {
            let exchange = diagonal + usize::from(a != b);
            diagonal = *cell;
            before = exchange.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_not() {
        let known = ["require_tls", "stanza_bytes_max", "idle_seconds", "key"];
        for (name, suggestion) in [
            ("require_tsl", Some("require_tls")),
            ("requiretls", Some("require_tls")),
            ("stanza_bytes", Some("stanza_bytes_max")),
            ("keys", Some("key")),
            ("port", None),
            ("", None),
        ] {
            let known = known.into_iter();
            assert_eq!(nearest(name, known), suggestion, "{name}");
        }
        let long = "k".repeat(10_000);
        assert_eq!(nearest(&long, known.into_iter()), None);
    }

    #[test]
    fn distance_counts_single_changes() {
        for (left, right, changes) in [
            ("", "", 0),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("äb", "ab", 1),
        ] {
            assert_eq!(distance(left, right), changes, "{left} {right}");
            assert_eq!(distance(right, left), changes, "{right} {left}");
        }
    }
}
