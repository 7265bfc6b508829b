//! What people tell the connector, in plain words: to let a customer call, to hang up, to list.

/// What shall be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// A customer calls or writes to an agent.
    Arrive {
        medium: &'static str,
        agent: String,
        address: String,
    },
    /// The customer of a chat writes something.
    Say {
        call: String,
        text: String,
    },
    /// The customer is gone.
    HangUp {
        call: String,
    },
    /// A customer who waits is put through to an agent.
    Pass {
        call: String,
        agent: String,
    },
    List,
    Help,
}

/// What is said to who asks for help, and to who is not understood.
pub(super) const HELP: &str = "\
I play telephones and chats. Tell me:
call romeo from +39 06 698 1234
chat romeo from mary@example.com
mail romeo from mary@example.com
say CALL I need two roses
pass CALL to juliet
hang up CALL
list";

/// Characters of an order; longer ones are not meant for a telephone.
const CHARS_MAX: usize = 500;

const MEDIA: &[(&str, &str)] = &[("call", "voice"), ("chat", "chat"), ("mail", "email")];

/// Understands an order; the answer to one that is none says how to say it.
pub(super) fn understand(text: &str) -> Result<Order, String> {
    let text = text.trim();
    if text.chars().count() > CHARS_MAX {
        return Err("That is too long for me.".to_owned());
    }
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_lowercase();
    let rest: Vec<&str> = words.collect();
    if let Some((word, medium)) = MEDIA.iter().find(|(word, _)| *word == first) {
        let (agent, address) = between(&rest, "from");
        if agent.len() != 1 || address.is_empty() {
            return Err(format!("Say: {word} AGENT from ADDRESS"));
        }
        return Ok(Order::Arrive {
            medium,
            agent: agent.concat(),
            address: address.join(" "),
        });
    }
    match (first.as_str(), rest.as_slice()) {
        ("say", [call, words @ ..]) if !words.is_empty() => Ok(Order::Say {
            call: (*call).to_owned(),
            text: words.join(" "),
        }),
        ("say", _) => Err("Say: say CALL WORDS".to_owned()),
        ("hang", [up, call]) if up.eq_ignore_ascii_case("up") => Ok(Order::HangUp {
            call: (*call).to_owned(),
        }),
        ("hang", _) => Err("Say: hang up CALL".to_owned()),
        ("pass", [call, to, agent]) if to.eq_ignore_ascii_case("to") => Ok(Order::Pass {
            call: (*call).to_owned(),
            agent: (*agent).to_owned(),
        }),
        ("pass", _) => Err("Say: pass CALL to AGENT".to_owned()),
        ("list", []) => Ok(Order::List),
        ("help" | "?", []) => Ok(Order::Help),
        _ => Err(format!("I do not understand.\n{HELP}")),
    }
}

fn between<'a>(words: &'a [&'a str], word: &str) -> (&'a [&'a str], &'a [&'a str]) {
    let mut parts = words.splitn(2, |it| it.eq_ignore_ascii_case(word));
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_understood() {
        let arrive = |medium, address: &str| Order::Arrive {
            medium,
            agent: "romeo".to_owned(),
            address: address.to_owned(),
        };
        let call = || "c1".to_owned();
        for (text, expected) in [
            (
                "call romeo from +39 06 698 1234",
                arrive("voice", "+39 06 698 1234"),
            ),
            (
                "  Call  romeo FROM +39066981234\n",
                arrive("voice", "+39066981234"),
            ),
            (
                "chat romeo from mary@example.com",
                arrive("chat", "mary@example.com"),
            ),
            (
                "mail romeo from mary@example.com",
                arrive("email", "mary@example.com"),
            ),
            ("hang up c1", Order::HangUp { call: call() }),
            ("Hang Up c1", Order::HangUp { call: call() }),
            (
                "pass c1 to juliet",
                Order::Pass {
                    call: call(),
                    agent: "juliet".to_owned(),
                },
            ),
            (
                "say c1 two  roses",
                Order::Say {
                    call: call(),
                    text: "two roses".to_owned(),
                },
            ),
            ("list", Order::List),
            ("help", Order::Help),
            ("?", Order::Help),
        ] {
            assert_eq!(understand(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told_how_to_say_it() {
        for (text, expected) in [
            ("call", "Say: call AGENT from ADDRESS"),
            ("call romeo", "Say: call AGENT from ADDRESS"),
            ("call from +39", "Say: call AGENT from ADDRESS"),
            ("call romeo juliet from +39", "Say: call AGENT from ADDRESS"),
            ("chat romeo from", "Say: chat AGENT from ADDRESS"),
            ("say c1", "Say: say CALL WORDS"),
            ("hang", "Say: hang up CALL"),
            ("hang up", "Say: hang up CALL"),
            ("pass c1", "Say: pass CALL to AGENT"),
            ("", "I do not understand."),
            ("list everything", "I do not understand."),
            ("\u{1F339}", "I do not understand."),
        ] {
            let told = understand(text).unwrap_err();
            assert!(told.starts_with(expected), "{text}: {told}");
        }
        assert_eq!(
            understand(&"call ".repeat(200)),
            Err("That is too long for me.".to_owned())
        );
    }
}
