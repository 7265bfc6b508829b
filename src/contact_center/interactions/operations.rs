//! What agents do with interactions, and what they look at.

use super::connector::{LINE_CHARS_MAX, MEDIA};
use super::lists::PAGE_FIELD;
use super::wire::NS;
use super::{active, customer, dial, lists, wanted};
use crate::contact_center::operation::{Act, Field, Kind, Operation, Stands};
use crate::domain::interaction::{
    DATA_MAX, DATA_NAME_BYTES_MAX, DATA_VALUE_BYTES_MAX, Rejection, Verb,
};
use crate::domain::rights::Right;

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "accept",
        node: "urn:parlour:interaction:0#accept",
        title: "Accept an interaction",
        about: "You are connected when the telephony or chat system has done it.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::Accept)),
        ..SET
    },
    Operation {
        name: "reject",
        node: "urn:parlour:interaction:0#reject",
        title: "Reject an interaction",
        about: "Somebody else is asked.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::Reject)),
        ..SET
    },
    Operation {
        name: "hold",
        node: "urn:parlour:interaction:0#hold",
        title: "Hold",
        about: "The customer waits.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::Hold)),
        ..SET
    },
    Operation {
        name: "resume",
        node: "urn:parlour:interaction:0#resume",
        title: "Resume",
        about: "The customer is off hold.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::Resume)),
        ..SET
    },
    Operation {
        name: "end",
        node: "urn:parlour:interaction:0#end",
        title: "End an interaction",
        about: "It is over for everybody.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::End)),
        ..SET
    },
    Operation {
        name: "transfer",
        node: "urn:parlour:interaction:0#transfer",
        title: "Transfer an interaction",
        about: "A colleague takes over, or whoever is found in a queue.",
        fields: &[INTERACTION, COLLEAGUE, QUEUE],
        run: |caller, values| Box::pin(wanted::transfer(caller, values)),
        ..SET
    },
    Operation {
        name: "consult",
        node: "urn:parlour:interaction:0#consult",
        title: "Consult a colleague by voice",
        about: "The customer of a call is put on hold, and your colleague is called.",
        fields: &[INTERACTION, COLLEAGUE],
        shown: Some(|caller| Box::pin(wanted::offered_with_colleague(caller))),
        run: |caller, values| Box::pin(wanted::consult(caller, values)),
        ..SET
    },
    Operation {
        name: "retrieve",
        node: "urn:parlour:interaction:0#retrieve",
        title: "Retrieve the customer",
        about: "The consultation is over, and you talk to the customer again.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::Retrieve)),
        ..SET
    },
    Operation {
        name: "complete-transfer",
        node: "urn:parlour:interaction:0#complete-transfer",
        title: "Complete the transfer",
        about: "The colleague whom you consult takes over.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::CompleteTransfer)),
        ..SET
    },
    Operation {
        name: "conference",
        node: "urn:parlour:interaction:0#conference",
        title: "Conference",
        about: "The colleague whom you consult, or another one, deals with the customer beside you.",
        fields: &[INTERACTION, COLLEAGUE],
        run: |caller, values| Box::pin(wanted::conference(caller, values)),
        ..SET
    },
    Operation {
        name: "leave",
        node: "urn:parlour:interaction:0#leave",
        title: "Leave an interaction",
        about: "The others stay with the customer.",
        run: |caller, values| Box::pin(wanted::plain(caller, values, Verb::Leave)),
        ..SET
    },
    Operation {
        name: "dial",
        node: "urn:parlour:interaction:0#dial",
        title: "Call a customer",
        about: "A number or another address, or a customer who has one.",
        fields: &[ADDRESS, CUSTOMER.optional(), MEDIUM, CONNECTOR, OBJECT],
        shown: None,
        run: |caller, values| Box::pin(dial::dial(caller, values)),
        ..SET
    },
    Operation {
        name: "attach",
        node: "urn:parlour:interaction:0#attach",
        title: "Attach data",
        about: "Everybody who takes part sees it. A name without a value is taken away.",
        fields: &[INTERACTION, DATA, DATA_NAME, DATA_VALUE],
        run: |caller, values| Box::pin(wanted::attach(caller, values)),
        ..SET
    },
    Operation {
        name: "identify",
        node: "urn:parlour:interaction:0#identify",
        title: "Say who the customer is",
        about: "One of those who are known under the address, or another.",
        fields: &[INTERACTION, CUSTOMER],
        shown: Some(|caller| Box::pin(customer::offered(caller))),
        run: |caller, values| Box::pin(customer::identify(caller, values)),
        ..SET
    },
    Operation {
        name: "finish-wrap-up",
        node: "urn:parlour:interaction:0#finish-wrap-up",
        title: "Finish the wrap-up of an interaction",
        about: "What there was to write up is written.",
        run: |caller, values| Box::pin(wanted::finish_wrap_up(caller, values)),
        ..SET
    },
    Operation {
        name: "focus",
        node: "urn:parlour:interaction:0#focus",
        title: "Switch to an interaction",
        about: "Your other devices follow.",
        run: |caller, values| Box::pin(active::focus(caller, values)),
        ..SET
    },
    Operation {
        name: "interactions",
        node: "urn:parlour:interaction:0#interactions",
        act: Act::Get,
        title: "Your interactions",
        about: "What you are offered, take part in, or write up.",
        fields: &[PAGE_FIELD],
        shown: None,
        run: |caller, values| Box::pin(lists::interactions(caller, values)),
        ..SET
    },
    Operation {
        name: "interaction",
        node: "urn:parlour:interaction:0#interaction",
        act: Act::Get,
        title: "One interaction",
        about: "Who takes part, and what is attached.",
        run: |caller, values| Box::pin(lists::look(caller, values)),
        ..SET
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
    right: Right::Interaction,
    fields: &[INTERACTION],
    shown: Some(|caller| Box::pin(wanted::offered(caller))),
    present: None,
    run: |_, _| Box::pin(async { Err(Rejection::Unknown.into()) }),
};

const INTERACTION: Field = Field::required("interaction", Kind::Id, "Interaction");
const COLLEAGUE: Field = Field::required("colleague", Kind::Agent, "Colleague").optional();
const CUSTOMER: Field = Field::required("customer", Kind::Id, "Customer");
const LINE: Kind = Kind::Line {
    chars_max: LINE_CHARS_MAX,
};
const QUEUE: Field = Field::required("queue", LINE, "Queue").optional();
const ADDRESS: Field = Field::required("address", LINE, "Number or address").optional();
const MEDIUM: Field = Field::required("medium", Kind::Word(MEDIA), "Medium").optional();
const CONNECTOR: Field = Field::required("connector", LINE, "Connector").optional();
const OBJECT: Field =
    Field::required("object", LINE, "Type of the object that it is called from").optional();
const DATA: Field = Field::required("data", Kind::Element, "Data").several(DATA_MAX);
const DATA_NAME: Field = Field {
    place: Stands::Form,
    ..Field::required(
        "name",
        Kind::Line {
            chars_max: DATA_NAME_BYTES_MAX,
        },
        "Name",
    )
    .optional()
};
const DATA_VALUE: Field = Field {
    place: Stands::Form,
    ..Field::required(
        "value",
        Kind::Text {
            bytes_max: DATA_VALUE_BYTES_MAX,
        },
        "Value",
    )
    .optional()
};
