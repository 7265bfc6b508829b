//! What agents do with follow-ups, and what they look at.

use super::{NS, changes, lists, notes, scratch_pad, shown};
use crate::contact_center::activities::LANGUAGE;
use crate::contact_center::operation::{Act, Field, Kind, Need, Operation, Present, Stands};
use crate::domain::follow_up::NOTE_BYTES_MAX;
use crate::domain::rights::Right;

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "plan",
        node: "urn:parlour:follow-up:0#plan",
        title: "Plan a follow-up",
        about: "Something that is to be done because of an interaction, a service ticket, a service order, a complaint or a case: of what you have in hand one is chosen, of anything else say the kind and the id.",
        fields: &[
            FROM,
            SOURCE,
            SOURCE_ID,
            TYPE,
            TITLE,
            CUSTOMER,
            START,
            END,
            DUE,
            REASON,
            Field::required("responsible", Kind::Agent, "Who does it, if not you").optional(),
            NOTE_TYPE.optional(),
            Field::required("note", TEXT, "First note")
                .as_child()
                .optional(),
            LANGUAGE,
            FROM_PAD,
        ],
        shown: Some(|caller| Box::pin(shown::plan(caller))),
        run: |caller, values| Box::pin(changes::plan(caller, values)),
        ..SET
    },
    Operation {
        name: "edit",
        node: "urn:parlour:follow-up:0#edit",
        title: "Plan a follow-up otherwise",
        about: "The plan is written anew: what is left out is taken away.",
        fields: &[ID, READ, TYPE, TITLE, CUSTOMER, START, END, DUE, REASON],
        shown: Some(|caller| Box::pin(shown::edit(caller))),
        present: Some(Present {
            of: &[ID],
            unseen: &["version"],
            find: |caller, values| Box::pin(shown::present(caller, values)),
        }),
        run: |caller, values| Box::pin(changes::edit(caller, values)),
        ..SET
    },
    Operation {
        name: "reassign",
        node: "urn:parlour:follow-up:0#reassign",
        title: "Give a follow-up to another agent",
        about: "The agent is told.",
        fields: &[
            ID,
            READ.optional(),
            Field::required("responsible", Kind::Agent, "Who does it"),
        ],
        present: Some(Present {
            find: |caller, values| Box::pin(shown::present_responsible(caller, values)),
            ..PRESENT
        }),
        run: |caller, values| Box::pin(changes::reassign(caller, values)),
        ..SET
    },
    Operation {
        name: "complete",
        node: "urn:parlour:follow-up:0#complete",
        title: "Complete a follow-up",
        about: "It is done.",
        fields: &[ID, READ.optional()],
        present: Some(PRESENT),
        run: |caller, values| Box::pin(changes::complete(caller, values)),
        ..SET
    },
    Operation {
        name: "cancel",
        node: "urn:parlour:follow-up:0#cancel",
        title: "Cancel a follow-up",
        about: "It is not going to be done.",
        fields: &[ID, READ.optional()],
        present: Some(PRESENT),
        run: |caller, values| Box::pin(changes::cancel(caller, values)),
        ..SET
    },
    Operation {
        name: "note",
        node: "urn:parlour:follow-up:0#note",
        title: "Write a note into a follow-up",
        about: "There is one of each type in each language; its earlier versions are kept.",
        fields: &[
            ID,
            READ.optional(),
            NOTE_TYPE.optional(),
            Field::required("text", TEXT, "Note").as_child().optional(),
            LANGUAGE,
            FROM_PAD,
        ],
        shown: Some(|caller| Box::pin(shown::note(caller))),
        present: Some(Present {
            find: |caller, values| Box::pin(shown::present_note(caller, values)),
            ..PRESENT
        }),
        run: |caller, values| Box::pin(notes::note(caller, values)),
        ..SET
    },
    Operation {
        name: "follow-up",
        node: "urn:parlour:follow-up:0#follow-up",
        title: "Look at a follow-up",
        about: "What is planned, with the notes as they are now.",
        fields: &[ID, NEWEST],
        run: |caller, values| Box::pin(notes::look(caller, values)),
        ..GET
    },
    Operation {
        name: "notes-history",
        node: "urn:parlour:follow-up:0#notes-history",
        title: "Look at the notes history of a follow-up",
        about: "What a note said before.",
        fields: &[ID, NOTE_TYPE, OF_LANGUAGE, NEWEST],
        shown: Some(|caller| Box::pin(shown::history(caller))),
        run: |caller, values| Box::pin(notes::history(caller, values)),
        ..GET
    },
    Operation {
        name: "follow-ups",
        node: "urn:parlour:follow-up:0#follow-ups",
        title: "Follow-ups, the newest first",
        about: "Your own, or those of a customer, of an interaction or of an object of the CRM.",
        fields: &[
            Field::required("list", Kind::Word(lists::OWN), "Which of your own").optional(),
            CUSTOMER,
            SOURCE,
            SOURCE_ID,
            Field::required("status", Kind::Word(lists::STATUSES), "Status").optional(),
            PAGE,
        ],
        run: |caller, values| Box::pin(lists::follow_ups(caller, values)),
        ..GET
    },
    Operation {
        name: "scratch-pad",
        node: "urn:parlour:follow-up:0#scratch-pad",
        title: "Look at your scratch pad",
        about: "What you have written down before you know where to.",
        run: |caller, _| Box::pin(scratch_pad::look(caller)),
        fields: &[],
        ..GET
    },
    Operation {
        name: "scratch-pad",
        node: "urn:parlour:follow-up:0#write-scratch-pad",
        title: "Write on your scratch pad",
        about: "What is there is written over. A note can take it from there.",
        fields: &[
            Field::required("version", NUMBER, "Version that you have read").optional(),
            Field::required("text", TEXT, "Text").as_child().optional(),
        ],
        shown: Some(|caller| Box::pin(shown::pad(caller))),
        run: |caller, values| Box::pin(scratch_pad::write(caller, values)),
        ..SET
    },
];

const GET: Operation = Operation {
    ns: NS,
    name: "",
    node: "",
    act: Act::Get,
    title: "",
    about: "",
    right: Right::FollowUp,
    fields: &[ID],
    shown: None,
    present: None,
    run: |caller, values| Box::pin(notes::look(caller, values)),
};

const SET: Operation = Operation {
    act: Act::Set,
    shown: Some(|caller| Box::pin(shown::open(caller))),
    ..GET
};

/// Which follow-up is meant is asked first; the version that is seen then comes back with the form.
const PRESENT: Present = Present {
    of: &[ID],
    unseen: &["version"],
    find: |caller, values| Box::pin(shown::present_as_it_is(caller, values)),
};

/// A line that is taken as a text at all; the domain has the true bounds, and says so.
const LINE: Kind = Kind::Line { chars_max: 2_048 };
/// Characters of a time.
const TIME: Kind = Kind::Line { chars_max: 40 };
/// Digits of a number of 64 bits.
const NUMBER: Kind = Kind::Line { chars_max: 20 };
const TEXT: Kind = Kind::Text {
    bytes_max: NOTE_BYTES_MAX,
};

const ID: Field = Field::required("id", Kind::Id, "Follow-up");
const READ: Field = Field::required("version", NUMBER, "Version that you have read");
const PAGE: Field = Field::required("set", Kind::Page, "Page").optional();
/// Of what is written down the last is what people want to see first.
const NEWEST: Field = Field::required("set", Kind::PageFromEnd, "Page").optional();
/// In a typed request it has a name.
const FROM: Field = Field {
    name: "from",
    kind: Kind::Element,
    need: Need::Optional,
    place: Stands::Form,
    label: "What it follows from, of what you have in hand",
};
const SOURCE: Field = Field::required(
    "source",
    Kind::Word(SOURCES),
    "Kind of what it follows from",
)
.optional();
const SOURCES: &[&str] = &[
    "interaction-record",
    "service-ticket",
    "service-order",
    "complaint",
    "case",
];
const SOURCE_ID: Field =
    Field::required("source-id", LINE, "Id of what it follows from").optional();
const TYPE: Field = Field::required("type", Kind::Code, "Type of transaction");
const TITLE: Field = Field::required(
    "title",
    LINE,
    "Title; left out, that of what it follows from",
)
.as_child()
.optional();
const CUSTOMER: Field = Field::required("customer", Kind::Id, "Id of the customer").optional();
const START: Field =
    Field::required("start", TIME, "Start, such as 2026-01-31T18:00:00Z").optional();
const END: Field = Field::required("end", TIME, "End").optional();
const DUE: Field = Field::required(
    "due",
    TIME,
    "Due, such as 2026-01-31T18:00:00Z: then you are reminded",
)
.optional();
const REASON: Field = Field::required("reason", Kind::Code, "Interaction reason").optional();
const NOTE_TYPE: Field = Field::required("note-type", Kind::Code, "Type of note");
const OF_LANGUAGE: Field = Field::required(
    "language",
    Kind::Line { chars_max: 64 },
    "Its language, such as en",
)
.optional();
const FROM_PAD: Field = Field::required(
    "scratch-pad",
    Kind::Flag,
    "Take the note from your scratch pad",
)
.optional();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::follow_up::SourceKind;

    /// S3-13.
    #[test]
    fn every_kind_of_source_can_be_named() {
        assert_eq!(SourceKind::ALL.map(SourceKind::name), SOURCES);
    }
}
