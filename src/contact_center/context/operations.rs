//! What agents do with business context, and what they are told to do it.

use super::objects::{NEW_ID, NEW_STATUS, NEW_TITLE, NEW_TYPE, NEW_URL};
use super::wire::NS;
use super::{lists, sending};
use crate::contact_center::operation::{Act, Field, Kind, Need, Operation};
use crate::domain::context::transfer::{NOTE_BYTES_MAX, OBJECTS_MAX, RECIPIENTS_MAX};
use crate::domain::rights::Right;

/// The nodes of what who may send, and so is sent, business objects uses without the right to an agent's state, too.
pub(in crate::contact_center) const FOR_SENDERS: &[&str] = &[
    "urn:parlour:context:0#contexts",
    "urn:parlour:context:0#context",
    "urn:parlour:context:0#open",
    "urn:parlour:context:0#recent",
    "urn:parlour:context:0#opened",
    "urn:parlour:context:0#forget",
];

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        ns: NS,
        name: "send",
        node: "urn:parlour:context:0#send",
        act: Act::Set,
        title: "Send business objects",
        about: "Colleagues get what you choose, with your note.",
        right: Right::Context,
        fields: SENDING,
        shown: Some(|caller| Box::pin(lists::recent_shown(caller))),
        present: None,
        run: |caller, values| Box::pin(sending::send(caller, values)),
    },
    Operation {
        ns: NS,
        name: "contexts",
        node: "urn:parlour:context:0#contexts",
        act: Act::Get,
        title: "Business objects sent and received",
        about: "How far each sending is.",
        right: Right::AgentState,
        fields: &[
            Field::required("list", Kind::Word(&["received", "sent"]), "Which"),
            PAGE,
        ],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(lists::contexts(caller, values)),
    },
    Operation {
        ns: NS,
        name: "context",
        node: "urn:parlour:context:0#context",
        act: Act::Get,
        title: "Look at business objects that were sent",
        about: "What you have sent or were sent.",
        right: Right::AgentState,
        fields: &[Field::required("id", Kind::Id, "Which one")],
        shown: Some(|caller| Box::pin(lists::received_shown(caller))),
        present: None,
        run: |caller, values| Box::pin(lists::context(caller, values)),
    },
    Operation {
        ns: NS,
        name: "open",
        node: "urn:parlour:context:0#open",
        act: Act::Set,
        title: "Open business objects that you were sent",
        about: "Your colleague learns that you have opened them.",
        right: Right::AgentState,
        fields: &[Field::required("id", Kind::Id, "Which one")],
        shown: Some(|caller| Box::pin(lists::received_shown(caller))),
        present: None,
        run: |caller, values| Box::pin(lists::open(caller, values)),
    },
    Operation {
        ns: NS,
        name: "recent",
        node: "urn:parlour:context:0#recent",
        act: Act::Get,
        title: "Your recent business objects",
        about: "What you have opened, attached, sent or received last.",
        right: Right::AgentState,
        fields: &[],
        shown: None,
        present: None,
        run: |caller, _| Box::pin(lists::recent(caller)),
    },
    Operation {
        ns: NS,
        name: "opened",
        node: "urn:parlour:context:0#opened",
        act: Act::Set,
        title: "Add a recent business object",
        about: "It becomes the first of your recent ones.",
        right: Right::AgentState,
        fields: OPENED,
        shown: None,
        present: None,
        run: |caller, values| Box::pin(lists::opened(caller, values)),
    },
    Operation {
        ns: NS,
        name: "forget",
        node: "urn:parlour:context:0#forget",
        act: Act::Set,
        title: "Forget a recent business object",
        about: "It goes off your list; nothing else happens to it.",
        right: Right::AgentState,
        fields: &[Field::required("object", Kind::Element, "Which one").as_child()],
        shown: Some(|caller| Box::pin(lists::recent_shown(caller))),
        present: None,
        run: |caller, values| Box::pin(lists::forget(caller, values)),
    },
];

const PAGE: Field = Field {
    need: Need::Optional,
    ..Field::required("set", Kind::Page, "Page")
};

const OBJECTS: Field =
    Field::required("object", Kind::Element, "Of your recent objects").several(OBJECTS_MAX);

const SENDING: &[Field] = &[
    Field::required("to", Kind::Agent, "To whom").several(RECIPIENTS_MAX),
    OBJECTS,
    NEW_TYPE,
    NEW_ID,
    NEW_TITLE,
    NEW_URL,
    NEW_STATUS,
    Field::required(
        "note",
        Kind::Text {
            bytes_max: NOTE_BYTES_MAX,
        },
        "What you say to it",
    )
    .optional()
    .as_child(),
    Field::required("session", Kind::Id, "In this IM session").optional(),
];

const OPENED: &[Field] = &[
    Field::required("object", Kind::Element, "Which one")
        .optional()
        .as_child(),
    NEW_TYPE,
    NEW_ID,
    NEW_TITLE,
    NEW_URL,
    NEW_STATUS,
];
