//! What agents do with message streams, and what they look at.

use super::fields::{
    ATTACHMENT, BILLABLE, CONFIRM, CUSTOMER, DELIVER, DRAFT, ID, KEEP, MESSAGE, MESSAGES, MINUTES,
    NAME, ORDER, PAGE, RECIPIENT, STATE, TAG, TEXT, TITLE, TITLE_ANEW, VERSION, WATCH_ACTION,
    WHISPER, WORDS,
};
use super::{NS, changes, deletion, lists, live, look, present, stop_watches, suggestions, unread};
use crate::contact_center::operation::{Act, Field, Kind, Operation, Present};
use crate::domain::rights::Right;

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "create",
        node: "urn:parlour:message-stream:0#create",
        title: "Write a message about a customer",
        about: "For all colleagues, or for those you name. A whisper has no minutes; billing needs a billable tag.",
        fields: &[
            CUSTOMER, TITLE, TEXT, RECIPIENT, TAG, WHISPER, MINUTES, DRAFT, BILLABLE, DELIVER,
            ATTACHMENT,
        ],
        shown: Some(|caller| Box::pin(async move { Ok(suggestions::tags_shown(&caller)) })),
        run: |caller, values| Box::pin(changes::create(caller, values)),
        ..SET
    },
    Operation {
        name: "reply",
        node: "urn:parlour:message-stream:0#reply",
        title: "Reply to a message",
        about: "Whoever sees the message sees the reply.",
        right: Right::CommentCreate,
        fields: &[ID, TEXT, ATTACHMENT],
        run: |caller, values| Box::pin(changes::reply(caller, values)),
        ..SET
    },
    Operation {
        name: "edit",
        node: "urn:parlour:message-stream:0#edit",
        title: "Edit a message",
        about: "What you have written yourself. What it said before is kept.",
        right: Right::MessageShow,
        fields: &[ID, MESSAGE, VERSION, TITLE_ANEW, TEXT, KEEP, ATTACHMENT],
        present: Some(Present {
            of: &[ID, MESSAGE],
            unseen: &["version"],
            find: |caller, values| Box::pin(present::message(caller, values)),
        }),
        run: |caller, values| Box::pin(changes::edit(caller, values)),
        ..SET
    },
    Operation {
        name: "properties",
        node: "urn:parlour:message-stream:0#properties",
        title: "Change who sees a message, and its minutes",
        about: "All of it is set anew, for the whole message with its replies: without recipients everybody sees it.",
        right: Right::PropertyCreate,
        fields: &[
            ID, VERSION, RECIPIENT, WHISPER, MINUTES, DRAFT, BILLABLE, DELIVER,
        ],
        present: Some(Present {
            of: &[ID],
            unseen: &["version"],
            find: |caller, values| Box::pin(present::properties(caller, values)),
        }),
        run: |caller, values| Box::pin(changes::properties(caller, values)),
        ..SET
    },
    Operation {
        name: "tags",
        node: "urn:parlour:message-stream:0#tags",
        title: "Change the tags of a message",
        about: "Those that you choose are its tags from now on, if nobody has changed the message since you have read it.",
        right: Right::TagCreate,
        fields: &[ID, VERSION, TAG],
        shown: Some(|caller| Box::pin(async move { Ok(suggestions::tags_shown(&caller)) })),
        present: Some(Present {
            of: &[ID],
            unseen: &["version"],
            find: |caller, values| Box::pin(present::tags(caller, values)),
        }),
        run: |caller, values| Box::pin(changes::tags(caller, values)),
        ..SET
    },
    Operation {
        name: "complete",
        node: "urn:parlour:message-stream:0#complete",
        title: "Complete a message",
        about: "Everybody sees that nothing is left to do.",
        fields: &[ID, VERSION.optional()],
        present: Some(PRESENT),
        run: |caller, values| Box::pin(changes::complete(caller, values)),
        ..SET
    },
    Operation {
        name: "reopen",
        node: "urn:parlour:message-stream:0#reopen",
        title: "Open a completed message again",
        about: "Replies can be written again.",
        fields: &[ID, VERSION.optional()],
        present: Some(PRESENT),
        run: |caller, values| Box::pin(changes::reopen(caller, values)),
        ..SET
    },
    Operation {
        name: "delete",
        node: "urn:parlour:message-stream:0#delete",
        title: "Delete a message with all replies",
        about: "The message, its replies and its files are lost for everybody, and nobody can bring them back.",
        fields: &[ID, VERSION.optional(), CONFIRM],
        present: Some(PRESENT),
        run: |caller, values| Box::pin(deletion::delete(caller, values)),
        ..SET
    },
    Operation {
        name: "stream",
        node: "urn:parlour:message-stream:0#stream",
        title: "Read a message with its replies",
        about: "The last messages, or those before one that you name.",
        fields: &[ID, MESSAGES],
        run: |caller, values| Box::pin(look::one(caller, values)),
        ..GET
    },
    Operation {
        name: "versions",
        node: "urn:parlour:message-stream:0#versions",
        title: "What a message said before",
        about: "The last earlier versions of one message, or those before one that you name by its number.",
        fields: &[ID, MESSAGE, MESSAGES],
        run: |caller, values| Box::pin(look::versions(caller, values)),
        ..GET
    },
    Operation {
        name: "streams",
        node: "urn:parlour:message-stream:0#streams",
        title: "Messages about a customer",
        about: "All that you see, by date; or those that are open, have a tag, or have words that begin so.",
        fields: &[CUSTOMER, ORDER, STATE, FILTER_TAG, WORDS, PAGE],
        run: |caller, values| Box::pin(lists::streams(caller, values)),
        ..GET
    },
    Operation {
        name: "unread",
        node: "urn:parlour:message-stream:0#unread",
        title: "Messages that you have not read",
        about: "Those for you or in which you have written, and new ones for everybody.",
        fields: &[PAGE],
        run: |caller, values| Box::pin(unread::list(caller, values)),
        ..GET
    },
    Operation {
        name: "mark-read",
        node: "urn:parlour:message-stream:0#mark-read",
        title: "Mark messages as read",
        about: "One of them, or without its id all that there are.",
        right: Right::MessageShow,
        fields: &[ID.optional(), MESSAGE.optional()],
        run: |caller, values| Box::pin(unread::mark(caller, values)),
        ..SET
    },
    Operation {
        name: "stop-watch",
        node: "urn:parlour:message-stream:0#stop-watch",
        title: "Stop watch",
        about: "Counts the time of a message that you are writing. Choose any word for the draft, and name it when you send.",
        fields: &[DRAFT_REQUIRED, WATCH_ACTION],
        run: |caller, values| Box::pin(stop_watches::act(caller, values)),
        ..SET
    },
    Operation {
        name: "suggest",
        node: "urn:parlour:message-stream:0#suggest",
        title: "Find recipients and tags",
        about: "The beginning of a name: three letters or more.",
        fields: &[WORDS_REQUIRED],
        run: |caller, values| Box::pin(suggestions::suggest(caller, values)),
        ..GET
    },
    Operation {
        name: "watch",
        node: "urn:parlour:message-stream:0#watch",
        title: "Be told of changes as they happen",
        about: "On this device, until it disconnects.",
        right: Right::MessageShow,
        fields: &[Field::required("on", Kind::Flag, "Be told")],
        run: |caller, values| Box::pin(live::watch(caller, values)),
        ..SET
    },
];

/// Which stream is meant is asked first; the version that is seen then comes back with the form.
const PRESENT: Present = Present {
    of: &[ID],
    unseen: &["version"],
    find: |caller, values| Box::pin(present::as_it_is(caller, values)),
};

const GET: Operation = Operation {
    ns: NS,
    name: "",
    node: "",
    act: Act::Get,
    title: "",
    about: "",
    right: Right::MessageShow,
    fields: &[],
    shown: None,
    present: None,
    run: |caller, values| Box::pin(look::one(caller, values)),
};

const SET: Operation = Operation {
    act: Act::Set,
    right: Right::MessageCreate,
    ..GET
};

/// As one, where it is what to filter by.
const FILTER_TAG: Field = Field::required("tag", NAME, "With this tag").optional();
const DRAFT_REQUIRED: Field = Field::required("draft", Kind::Id, "Draft");
const WORDS_REQUIRED: Field =
    Field::required("text", Kind::Line { chars_max: 1_000 }, "Beginning").as_child();
