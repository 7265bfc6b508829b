//! What agents write to the service itself, for clients without ad-hoc commands: "juliet: can you help me?" invites
//! (S1-6), "accept" in the session's thread accepts (S1-22). What is not understood is answered with how it is done.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::operations::{Answer, answer};
use super::{change, lists, other, wire};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors::{self, Asker};
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::domain::ids::{AgentId, ImSessionId};
use crate::domain::im_session::ImSession;
use crate::domain::rights::{Rejection, Right, Rights};
use crate::hooks::{Effects, Parcel};
use crate::proto::{MessageType, Stanza, StanzaError, ns};
use crate::xml::Element;

const HELP: &str = "Write \u{201c}juliet: can you help me?\u{201d} to invite juliet to an IM session. \
    Answer an invitation with \u{201c}accept\u{201d} or \u{201c}reject\u{201d}, take your own back with \
    \u{201c}cancel\u{201d}, end a session with \u{201c}end\u{201d}, and close it with \u{201c}done\u{201d}. \
    Where there are several, write \u{201c}accept juliet\u{201d}.";

/// What somebody wants of the service.
#[derive(Debug, PartialEq, Eq)]
enum Wish<'a> {
    /// An answer to an invitation, or the end of a session; `of` is with whom, where that is said.
    Answer { answer: Answer, of: Option<&'a str> },
    /// A first message to the colleague that the word names; `sure` when nothing else can be meant.
    Invite {
        word: &'a str,
        text: &'a str,
        sure: bool,
    },
    /// To know what can be wished.
    Help,
}

impl Wish<'_> {
    /// What it needs. How things are done is told to every agent, and to who may talk.
    fn require(&self, rights: &Rights) -> Result<(), Rejection> {
        let right = match self {
            Self::Answer { answer, .. } => answer.right(),
            Self::Invite { .. } => Right::InstantMessage,
            Self::Help => Right::AgentState,
        };
        match rights.has(Right::InstantMessage) {
            true => Ok(()),
            false => rights.require(right),
        }
    }
}

/// Takes a message to the service.
pub(in crate::contact_center) async fn take(
    center: &Arc<Center>,
    place: &Arc<Place>,
    parcel: Parcel,
) -> Result<Effects, StanzaError> {
    let (Some(from), Some(body)) = (&parcel.stanza.from, wire::body(&parcel.stanza)) else {
        // Chat states and receipts.
        return Ok(Effects::default());
    };
    let asker = Asker {
        from,
        language: parcel.stanza.lang.as_deref(),
    };
    let caller = doors::known(center, place, &parcel.services, asker).await?;
    let thread = wire::thread(&parcel.stanza);
    let reply = Box::pin(fulfil(&caller, &body, thread.as_deref())).await?;
    let mut effects = Effects::default();
    effects.route.extend(reply);
    Ok(effects)
}

/// Does what is wished, and answers where no event tells of it.
async fn fulfil(
    caller: &Caller,
    body: &str,
    thread: Option<&str>,
) -> Result<Option<Stanza>, Refused> {
    let wish = understood(body);
    wish.require(&caller.rights)?;
    match wish {
        Wish::Answer { answer: wished, of } => match session(caller, wished, of, thread).await? {
            Ok(id) => {
                answer(caller, wished, &id).await?;
                Ok(None)
            }
            Err(told) => Ok(Some(reply(caller, &told))),
        },
        Wish::Invite { word, text, sure } => {
            let Some(colleague) = colleague(caller, word, sure).await? else {
                return Ok(Some(reply(caller, HELP)));
            };
            let session = change::invite(caller, &colleague, text.to_owned(), None).await?;
            let told = format!("{} is invited.", colleague.logon());
            let thread = Element::new(ns::CLIENT, "thread").text(session.id.as_str());
            let seen = wire::session(&session, &caller.agent);
            Ok(Some(reply(caller, &told).child(&thread).child(&seen)))
        }
        Wish::Help => Ok(Some(reply(caller, HELP))),
    }
}

/// The session that the thread names, else the only one to which that can be answered; or what is told where there is none, or more
/// than one.
async fn session(
    caller: &Caller,
    wished: Answer,
    of: Option<&str>,
    thread: Option<&str>,
) -> Result<Result<ImSessionId, String>, Refused> {
    let named = thread.and_then(|thread| thread.parse::<ImSessionId>().ok());
    if let (Some(id), None) = (named, of)
        && lists::own(caller, &id).await?.is_some()
    {
        return Ok(Ok(id));
    }
    let mut fitting = lists::candidates(caller, wished.lists(), wished.fits()).await?;
    fitting.retain(|it| of.is_none_or(|of| is_with(caller, it, of)));
    Ok(match fitting.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => Err(format!("There is no IM session that this fits. {HELP}")),
        several => {
            let names: BTreeSet<&str> = several.iter().map(|it| with(caller, it)).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let names = names.join(", ");
            Err(format!("Several IM sessions fit, with {names}. {HELP}"))
        }
    })
}

/// Whether the word names the colleague with whom the session is.
fn is_with(caller: &Caller, session: &ImSession, word: &str) -> bool {
    let word = word.trim_start_matches('@').to_lowercase();
    let with = other(session, &caller.agent);
    word == with.logon() || word == with.jid().as_str()
}

/// The logon of the colleague with whom the session is.
fn with<'a>(caller: &Caller, session: &'a ImSession) -> &'a str {
    other(session, &caller.agent).logon()
}

/// Who is meant. A word that is sure to name somebody is one even where nobody is called so: the refusal
/// says it.
async fn colleague(caller: &Caller, word: &str, sure: bool) -> Result<Option<AgentId>, Refused> {
    let address = match word.contains('@') {
        true => word.to_owned(),
        false => format!("{word}@{}", caller.place.host),
    };
    let Ok(agent) = address.parse::<AgentId>() else {
        return Ok(None);
    };
    if agent.host() != caller.place.host.as_str() && !sure {
        return Ok(None);
    }
    if sure {
        return Ok(Some(agent));
    }
    let known = caller.services.store.accounts().find(agent.jid()).await?;
    Ok(known.map(|_| agent))
}

fn understood(body: &str) -> Wish<'_> {
    let body = body.trim();
    let (first, text) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
    let of = text.trim().trim_end_matches(['.', '!']);
    let bare = first.trim_end_matches(['.', '!']).to_lowercase();
    // A second word names a colleague; of more words it is something else that is said.
    if let Some(answer) = Answer::from_name(&bare).filter(|_| !of.contains(char::is_whitespace)) {
        let of = Some(of).filter(|of| !of.is_empty());
        return Wish::Answer { answer, of };
    }
    let word = first.trim_start_matches('@').trim_end_matches([':', ',']);
    let text = text.trim();
    match word.is_empty() || text.is_empty() {
        true => Wish::Help,
        false => Wish::Invite {
            word,
            text,
            sure: first.ends_with(':') || first.starts_with('@'),
        },
    }
}

fn reply(caller: &Caller, text: &str) -> Stanza {
    let mut reply = Stanza::message(MessageType::Chat)
        .from(caller.place.address.clone())
        .to(caller.from.clone())
        .child(&Element::new(ns::CLIENT, "body").text(text));
    reply.id = Some(crate::id::sorted(caller.now()).as_str().into());
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_answer_an_invitation_or_nothing_that_is_known() {
        let invite = |word, text, sure| Wish::Invite { word, text, sure };
        let answer = |answer, of| Wish::Answer { answer, of };
        for (body, expected) in [
            ("accept", answer(Answer::Accept, None)),
            (" Reject! ", answer(Answer::Reject, None)),
            ("done.", answer(Answer::Done, None)),
            ("accept juliet.", answer(Answer::Accept, Some("juliet"))),
            ("end of the day", invite("end", "of the day", false)),
            ("juliet: help me", invite("juliet", "help me", true)),
            ("@juliet help", invite("juliet", "help", true)),
            ("juliet, help", invite("juliet", "help", false)),
            ("juliet\nhelp\nme", invite("juliet", "help\nme", false)),
            ("juliet:", Wish::Help),
            (": help", Wish::Help),
            ("help", Wish::Help),
        ] {
            assert_eq!(understood(body), expected, "{body}");
        }
    }
}
