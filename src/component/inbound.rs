//! What a component may send: the checks of XEP-0114 §3 on each element.

use bytes::Bytes;
use compact_str::CompactString;

use crate::hooks::refusal;
use crate::proto::reading::{self, ReadError};
use crate::proto::{BareJid, Condition, Stanza, StanzaError, StreamCondition, StreamError, ns};
use crate::xml::{Limits, Scope, parse};

/// Why an element is not routed.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The stream ends.
    Fatal(StreamError),
    /// The stanza is refused, with an answer where one is allowed; the stream goes on.
    Refused(Option<Box<Stanza>>),
}

/// What elements are read by.
pub(super) struct Rules<'a> {
    /// The component's domain.
    pub(super) domain: &'a BareJid,
    pub(super) scope: &'a Scope,
    pub(super) lang: Option<&'a CompactString>,
    pub(super) limits: &'a Limits,
}

/// Reads one element: a stanza with both addresses, of which the sender's is one of the component's
/// domain, whatever stands before and behind that.
pub(super) fn read(bytes: Bytes, rules: &Rules<'_>) -> Result<Stanza, Unfit> {
    let fatal = |condition: StreamCondition| Unfit::Fatal(condition.into());
    let parsed = parse(bytes, rules.scope, rules.limits);
    let parsed = parsed.map_err(|error| Unfit::Fatal(error.into()))?;
    let (mut stanza, refusal) = match reading::stanza(parsed, ns::COMPONENT) {
        Ok(stanza) => (stanza, None),
        Err(ReadError::NotAStanza) => return Err(fatal(StreamCondition::UnsupportedStanzaType)),
        Err(ReadError::From) => return Err(fatal(StreamCondition::InvalidFrom)),
        Err(ReadError::Refused(stanza, error)) => (*stanza, Some(error)),
    };
    let Some(from) = &stanza.from else {
        return Err(fatal(StreamCondition::ImproperAddressing));
    };
    if from.domain() != rules.domain.as_str() {
        return Err(fatal(StreamCondition::InvalidFrom));
    }
    if let Some(error) = refusal {
        return Err(refused(stanza, &error));
    }
    // As between servers (RFC 6120 §8.1.1.2).
    if stanza.to.is_none() {
        return Err(fatal(StreamCondition::ImproperAddressing));
    }
    if stanza.lang.is_none() {
        stanza.lang = rules.lang.cloned();
    }
    Ok(stanza)
}

fn refused(mut stanza: Stanza, error: &StanzaError) -> Unfit {
    if error.condition == Condition::JidMalformed {
        // The malformed address cannot be the sender of the answer.
        stanza.to = None;
    }
    Unfit::Refused(refusal(&stanza, error).map(Box::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Stanza, Unfit> {
        let rules = Rules {
            domain: &BareJid::new("bot.localhost").unwrap(),
            scope: &Scope::with_default(ns::COMPONENT),
            lang: Some(&"de".into()),
            limits: &Limits::default(),
        };
        read(text.to_owned().into(), &rules)
    }

    #[test]
    fn a_component_speaks_for_every_address_of_its_domain() {
        for from in ["bot.localhost", "a@bot.localhost", "a@BOT.localhost/b"] {
            let text = format!("<message from='{from}' to='b@localhost'><body>x</body></message>");
            let stanza = read_text(&text).unwrap();
            assert!(stanza.has(ns::CLIENT, "body"), "{from}");
            assert_eq!(stanza.lang.as_deref(), Some("de"), "{from}");
        }
    }

    #[test]
    fn what_is_wrong_ends_the_stream_or_is_refused() {
        let good = "from='bot.localhost' to='b@localhost'";
        for (text, expected) in [
            (
                "<message from='b@localhost' to='c@localhost'/>",
                "invalid-from",
            ),
            (
                "<message from='a.bot.localhost' to='c@localhost'/>",
                "invalid-from",
            ),
            ("<message from='@' to='c@localhost'/>", "invalid-from"),
            ("<message to='c@localhost'/>", "improper-addressing"),
            ("<message from='bot.localhost'/>", "improper-addressing"),
            (&format!("<handshake {good}/>"), "unsupported-stanza-type"),
            (
                &format!("<message xmlns='jabber:client' {good}/>"),
                "unsupported-stanza-type",
            ),
            ("<message", "not-well-formed"),
            (&format!("<iq {good} type='get'/>"), "bad-request"),
            (&format!("<presence {good} type='here'/>"), "bad-request"),
            ("<message from='bot.localhost' to='@'/>", "jid-malformed"),
            // An answer is not answered.
            (&format!("<iq {good} type='result'/>"), ""),
        ] {
            let found = match read_text(text) {
                Err(Unfit::Fatal(error)) => error.condition.name().to_owned(),
                Err(Unfit::Refused(None)) => String::new(),
                Err(Unfit::Refused(Some(answer))) => {
                    let error = answer.find(ns::CLIENT, "error").unwrap();
                    let error = error.to_element(ns::CLIENT).unwrap();
                    let condition = error.children().next().unwrap();
                    condition.name().to_owned()
                }
                Ok(stanza) => panic!("{text} was read as {stanza:?}"),
            };
            assert_eq!(found, expected, "{text}");
        }
    }
}
