//! What agents do in IM sessions, and what they look at.

use super::{
    CHANNEL, LISTED, NS, OF, PENDING_INCOMING, change, is_connected, is_open, is_pending, lists,
    transcript, wire,
};
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::interactions;
use crate::contact_center::operation::{Act, Caller, Field, Kind, Operation, Outcome, Stands};
use crate::contact_center::values::Values;
use crate::domain::ids::{AgentId, ImSessionId, InteractionId};
use crate::domain::im_session::{BODY_BYTES_MAX, Command, ImSession, Rejection};
use crate::domain::interaction::{self, Access};
use crate::domain::rights::Right;

/// The node of what readers of others' transcripts use, too, by the right `transcript-show` and without being agents.
pub(in crate::contact_center) const FOR_READERS: &[&str] = &["urn:parlour:im:0#transcript"];

/// The nodes of what needs no right to talk, and what who has that right uses, too, without the right to an agent's state: who can begin
/// a session can end it.
pub(in crate::contact_center) const FOR_TALKERS: &[&str] = &[
    "urn:parlour:im:0#reject",
    "urn:parlour:im:0#cancel",
    "urn:parlour:im:0#end",
    "urn:parlour:im:0#done",
    "urn:parlour:im:0#sessions",
    "urn:parlour:im:0#session",
    "urn:parlour:im:0#transcript",
];

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "invite",
        node: "urn:parlour:im:0#invite",
        title: "Send an instant message to a colleague",
        about: "Your colleague is asked with your first message whether to talk to you.",
        fields: &[COLLEAGUE, TEXT, ABOUT],
        run: |caller, values| Box::pin(invite(caller, values)),
        ..SET
    },
    Operation {
        name: "accept",
        node: "urn:parlour:im:0#accept",
        title: "Accept an IM invitation",
        about: "You are connected then.",
        shown: Some(|caller| Box::pin(lists::offered(caller, &[PENDING_INCOMING], |_, _| true))),
        run: |caller, values| Box::pin(answered(caller, values, Answer::Accept)),
        ..SET
    },
    Operation {
        name: "reject",
        node: "urn:parlour:im:0#reject",
        title: "Reject an IM invitation",
        about: "Your colleague is told.",
        shown: Some(|caller| Box::pin(lists::offered(caller, &[PENDING_INCOMING], |_, _| true))),
        run: |caller, values| Box::pin(answered(caller, values, Answer::Reject)),
        ..ENDING
    },
    Operation {
        name: "cancel",
        node: "urn:parlour:im:0#cancel",
        title: "Take an IM invitation back",
        about: "Your colleague can accept it no longer.",
        shown: Some(|caller| Box::pin(lists::offered(caller, &[CHANNEL], |it, _| is_pending(it)))),
        run: |caller, values| Box::pin(answered(caller, values, Answer::Cancel)),
        ..ENDING
    },
    Operation {
        name: "say",
        node: "urn:parlour:im:0#say",
        title: "Say something in an IM session",
        about: "Of who is invited, this accepts.",
        fields: &[ID, TEXT],
        shown: Some(|caller| {
            Box::pin(lists::offered(
                caller,
                &[CHANNEL, PENDING_INCOMING],
                |it, _| is_open(it),
            ))
        }),
        run: |caller, values| Box::pin(say(caller, values)),
        ..SET
    },
    Operation {
        name: "end",
        node: "urn:parlour:im:0#end",
        title: "End an IM session",
        about: "Nothing can be said in it any more. An invitation without answer is taken back.",
        shown: Some(|caller| Box::pin(lists::offered(caller, &[CHANNEL], |_, _| true))),
        run: |caller, values| Box::pin(answered(caller, values, Answer::End)),
        ..ENDING
    },
    Operation {
        name: "done",
        node: "urn:parlour:im:0#done",
        title: "Mark an IM session done",
        about: "It leaves your list. What is open in it ends. Its transcript stays.",
        shown: Some(|caller| Box::pin(lists::offered(caller, &[LISTED], closable))),
        run: |caller, values| Box::pin(answered(caller, values, Answer::Done)),
        ..ENDING
    },
    Operation {
        name: "sessions",
        node: "urn:parlour:im:0#sessions",
        act: Act::Get,
        title: "Your IM sessions",
        about: "Those that you have not marked done, or all.",
        fields: &[ALL, PAGE],
        run: |caller, values| Box::pin(lists::sessions(caller, values)),
        ..ENDING
    },
    Operation {
        name: "session",
        node: "urn:parlour:im:0#session",
        act: Act::Get,
        title: "One of your IM sessions",
        about: "With whom it is, and how far.",
        shown: Some(|caller| Box::pin(lists::offered(caller, &[OF], |_, _| true))),
        run: |caller, values| Box::pin(look(caller, values)),
        ..ENDING
    },
    Operation {
        name: "transcript",
        node: "urn:parlour:im:0#transcript",
        act: Act::Get,
        title: "Transcript of an IM session",
        about: "Everything that was said, with who and when.",
        fields: &[ID.optional(), OTHER, ENTRIES],
        shown: Some(|caller| Box::pin(lists::offered(caller, &[OF], |_, _| true))),
        run: |caller, values| Box::pin(transcript::read(caller, values)),
        ..ENDING
    },
];

/// What most of them have.
const SET: Operation = Operation {
    ns: NS,
    name: "",
    node: "",
    act: Act::Set,
    title: "",
    about: "",
    right: Right::InstantMessage,
    fields: &[ID],
    shown: None,
    present: None,
    run: |_, _| Box::pin(async { Err(Rejection::NotInvited.into()) }),
};

/// What needs no right to talk: who has lost that right looks at what is open, and ends it.
const ENDING: Operation = Operation {
    right: Right::AgentState,
    ..SET
};

const ID: Field = Field::required("id", Kind::Id, "Session");
/// A form offers the newest sessions of who asks; of another one, also of others by right, the id is typed.
const OTHER: Field = Field {
    place: Stands::Form,
    ..Field::required("other", Kind::Id, "Another session, by its id").optional()
};
const COLLEAGUE: Field = Field::required("colleague", Kind::Agent, "Colleague");
const TEXT: Field = Field::required(
    "text",
    Kind::Text {
        bytes_max: BODY_BYTES_MAX,
    },
    "Message",
)
.as_child();
const ABOUT: Field = Field::required("about", Kind::Id, "Interaction that it is about").optional();
const ALL: Field = Field::required("all", Kind::Flag, "Also those that are done").optional();
const PAGE: Field = Field::required("set", Kind::Page, "Page").optional();
const ENTRIES: Field = Field::required("set", Kind::PageFromEnd, "Page").optional();

/// What is done by a word: to an invitation, or to a session as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accept,
    Reject,
    Cancel,
    End,
    Done,
}

impl Answer {
    /// The answer of that name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "accept" => Self::Accept,
            "reject" => Self::Reject,
            "cancel" => Self::Cancel,
            "end" => Self::End,
            "done" => Self::Done,
            _ => return None,
        })
    }

    /// In which lists of the agent the sessions are to which that can be answered.
    pub(super) const fn lists(self) -> &'static [&'static str] {
        match self {
            Self::Accept | Self::Reject => &[PENDING_INCOMING],
            Self::Cancel | Self::End => &[CHANNEL],
            Self::Done => &[LISTED],
        }
    }

    /// Which sessions of these.
    pub(super) const fn fits(self) -> lists::Fits {
        match self {
            Self::Accept | Self::Reject => |_, _| true,
            Self::Cancel => |session, _| is_pending(session),
            Self::End => |session, _| is_connected(session),
            Self::Done => closable,
        }
    }

    /// What it needs: who accepts talks, and who has lost that right still ends what is open.
    pub(super) const fn right(self) -> Right {
        match self {
            Self::Accept => Right::InstantMessage,
            Self::Reject | Self::Cancel | Self::End | Self::Done => Right::AgentState,
        }
    }

    const fn command(self, by: AgentId) -> Command {
        match self {
            Self::Accept => Command::Accept { by },
            Self::Reject => Command::Reject { by },
            Self::Cancel => Command::Cancel { by },
            Self::End => Command::End { by },
            Self::Done => Command::Done { by },
        }
    }
}

/// Who is invited answers before marking it done.
fn closable(session: &ImSession, agent: &AgentId) -> bool {
    !(is_pending(session) && session.invitee == *agent)
}

/// Does that in a session of the caller; sessions of others are as unknown as those that there never were.
pub(super) async fn answer(
    caller: &Caller,
    answer: Answer,
    id: &ImSessionId,
) -> Result<ImSession, Refused> {
    lists::own(caller, id).await?.ok_or(Rejection::NotInvited)?;
    let command = answer.command(caller.agent.clone());
    change::command(&caller.center, &caller.services, id, command, None).await
}

async fn answered(caller: Caller, values: Values, word: Answer) -> Result<Outcome, Refused> {
    let session = answer(&caller, word, &id(&values)?).await?;
    Ok(seen(&caller, &session))
}

async fn invite(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let colleague = values.agent("colleague")?;
    let about = values
        .optional_text("about")
        .map(str::parse::<InteractionId>);
    let about = about.transpose();
    let about = about.map_err(|_| malformed("field-malformed", "about must be an id."))?;
    if let Some(about) = &about {
        Box::pin(require_known(&caller, about)).await?;
    }
    let text = values.text("text")?.to_owned();
    let session = change::invite(&caller, colleague, text, about).await?;
    Ok(seen(&caller, &session))
}

/// Nobody learns by a session whether there is an interaction that it does not take part in.
async fn require_known(caller: &Caller, about: &InteractionId) -> Result<(), Refused> {
    let services = &caller.services;
    let access = match interactions::find(services, about).await? {
        Some(found) => interactions::access(services, &found, &caller.agent).await?,
        None => Access::None,
    };
    match access {
        Access::Read | Access::Write => Ok(()),
        Access::None => Err(interaction::Rejection::Unknown.into()),
    }
}

async fn say(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    lists::own(&caller, &id)
        .await?
        .ok_or(Rejection::NotInvited)?;
    let text = change::words(&caller, values.text("text")?.to_owned());
    let by = caller.agent.clone();
    let command = Command::Say { by, text };
    let session = change::command(&caller.center, &caller.services, &id, command, None).await?;
    Ok(seen(&caller, &session))
}

async fn look(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let session = lists::own(&caller, &id(&values)?).await?;
    Ok(seen(&caller, &session.ok_or(Rejection::NotInvited)?))
}

/// The session's id among what an operation was told.
pub(super) fn id(values: &Values) -> Result<ImSessionId, Refused> {
    let id = ["other", "id"].into_iter();
    let id = id.filter_map(|name| values.optional_text(name)).next();
    let id = id.ok_or_else(|| malformed("field-missing", "The id of a session is missing."))?;
    let id = id.parse();
    id.map_err(|_| malformed("field-malformed", "id must be an id."))
}

fn seen(caller: &Caller, session: &ImSession) -> Outcome {
    let with = super::other(session, &caller.agent);
    let status = session.status(&caller.agent).name();
    Outcome::told(format!("IM session with {}: {status}.", with.logon()))
        .with(wire::session(session, &caller.agent))
}
