//! vCards as text, of the versions 3.0 (RFC 2426) and 4.0 (RFC 6350), as far as an import reads them: lines are unfolded,
//! properties taken apart, texts unescaped. What a property means is for whoever asks; parameters but for types are
//! passed over, and so is the quoted-printable of version 2.1.

/// A card, with the line in which it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextCard {
    /// The line of its beginning, from 1.
    pub line: u64,
    /// Its properties, in their order.
    pub properties: Vec<TextProperty>,
}

/// One property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextProperty {
    /// Its name in upper case, without the group before it.
    pub name: String,
    /// Its types in lower case (RFC 6350 §5.6).
    pub types: Vec<String>,
    /// Its value as it stands.
    pub value: String,
}

impl TextCard {
    /// The first text under that name, unescaped.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<String> {
        let property = self.properties.iter().find(|it| it.name == name)?;
        Some(property.text())
    }

    /// All properties of that name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &TextProperty> {
        self.properties.iter().filter(move |it| it.name == name)
    }
}

impl TextProperty {
    /// The value as one text (RFC 6350 §3.4).
    #[must_use]
    pub fn text(&self) -> String {
        unescaped(&self.value)
    }

    /// The first of the parts between semicolons, as of an organization (RFC 6350 §6.6.4).
    #[must_use]
    pub fn first_part(&self) -> String {
        let mut escaped = false;
        let mut end = self.value.len();
        for (at, c) in self.value.char_indices() {
            match c {
                ';' if !escaped => {
                    end = at;
                    break;
                }
                _ => escaped = c == '\\' && !escaped,
            }
        }
        unescaped(self.value.get(..end).unwrap_or_default())
    }

    /// Whether it has one of those types.
    #[must_use]
    pub fn is_one_of(&self, types: &[&str]) -> bool {
        self.types.iter().any(|it| types.contains(&it.as_str()))
    }
}

/// The cards in a text.
///
/// # Errors
/// The line, and what is wrong with it: a text outside of cards, a card that does not end, a line without a value.
pub fn cards(text: &str) -> Result<Vec<TextCard>, (u64, String)> {
    let mut found = Vec::new();
    let mut open: Option<TextCard> = None;
    let mut last = 1;
    for (number, line) in unfolded(text) {
        last = number;
        let (head, value) = line
            .split_once(colon())
            .ok_or_else(|| (number, "there is no colon in this line".to_owned()))?;
        let property = property(head, value);
        let about_card = value.trim().eq_ignore_ascii_case("vcard");
        match (property.name.as_str(), &mut open) {
            ("BEGIN", None) if about_card => {
                open = Some(TextCard {
                    line: number,
                    properties: Vec::new(),
                });
            }
            ("BEGIN", Some(_)) if about_card => {
                return Err((number, "a card begins in a card".to_owned()));
            }
            ("END", Some(_)) if about_card => found.extend(open.take()),
            (_, Some(card)) => card.properties.push(property),
            (_, None) => return Err((number, "this is outside of a card".to_owned())),
        }
    }
    match open {
        Some(card) => Err((last, format!("the card of line {} does not end", card.line))),
        None => Ok(found),
    }
}

/// The colon behind name and parameters: the first one that is not within quotes. As a pattern for `split_once`, which
/// looks at one character after the other.
fn colon() -> impl FnMut(char) -> bool {
    let mut quoted = false;
    move |c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    }
}

/// Lines with those joined that were folded (RFC 6350 §3.2), and without empty ones; numbered from 1.
fn unfolded(text: &str) -> Vec<(u64, String)> {
    let mut lines: Vec<(u64, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end_matches('\r');
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            (Some(_), None) | (None, _) if line.trim().is_empty() => {}
            (Some(_), None) | (None, _) => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// `item1.TEL;TYPE=work,voice;PREF=1:+49…`; of version 3 also `TEL;WORK;VOICE:`.
fn property(head: &str, value: &str) -> TextProperty {
    let mut parts = head.split(';');
    let name = parts.next().unwrap_or_default();
    let name = name.rsplit('.').next().unwrap_or_default();
    let mut types = Vec::new();
    for part in parts {
        let list = match part.split_once('=') {
            Some((key, list)) if key.eq_ignore_ascii_case("type") => list,
            Some(_) => continue,
            None => part,
        };
        let list = list.trim_matches('"').split(',');
        types.extend(list.map(|it| it.trim().to_lowercase()));
    }
    TextProperty {
        name: name.trim().to_uppercase(),
        types,
        value: value.trim().to_owned(),
    }
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_of_both_versions_are_taken_apart() {
        let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Smith;Ann;;;\r\nFN:Ann\\, the\r\n  first\r\nORG:A\\;B;Sales\r\n\
                    item1.TEL;WORK;VOICE:+49 30 1\r\nTEL;TYPE=\"cell,fax\";PREF=1:tel:+49-30-2\r\nEND:VCARD\r\n\r\n\
                    begin:vcard\nVERSION:4.0\nNOTE;X=\"a:b\":one\\ntwo\nend:vcard\n";
        let cards = cards(text).unwrap();
        assert_eq!(cards.iter().map(|it| it.line).collect::<Vec<_>>(), [1, 11]);
        let first = &cards[0];
        assert_eq!(first.first("FN").unwrap(), "Ann, the first");
        let org = first.all("ORG").next().unwrap();
        assert_eq!(org.first_part(), "A;B");
        let numbers: Vec<_> = first.all("TEL").collect();
        assert_eq!(numbers[0].types, ["work", "voice"]);
        assert!(numbers[1].is_one_of(&["fax"]) && !numbers[0].is_one_of(&["fax", "cell"]));
        assert_eq!(numbers[1].value, "tel:+49-30-2");
        assert_eq!(cards[1].first("NOTE").unwrap(), "one\ntwo");
        assert_eq!(cards[1].first("FN"), None);
    }

    #[test]
    fn what_is_no_card_is_told_with_its_line() {
        for (text, line, says) in [
            ("hello", 1, "no colon"),
            ("FN:x", 1, "outside"),
            ("BEGIN:VCARD\nFN:x", 2, "does not end"),
            ("BEGIN:VCARD\nBEGIN:VCARD", 2, "begins in a card"),
            ("BEGIN:VCARD\nFN:x\nEND:VCARD\n\nEND:VCARD", 5, "outside"),
        ] {
            let (at, what) = cards(text).unwrap_err();
            assert!(at == line && what.contains(says), "{text:?}: {at} {what}");
        }
        assert_eq!(cards("\n \n"), Ok(vec![]));
    }
}
