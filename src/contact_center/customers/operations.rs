//! What agents do with customers, and what they look at.

use super::{NS, changes, history, present, reading};
use crate::contact_center::operation::{Act, Field, Kind, Need, Operation, Present, Stands};
use crate::domain::customer::ADDRESSES_MAX;
use crate::domain::rights::Right;

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "find",
        node: "urn:parlour:customer:0#find",
        title: "Who calls or writes",
        about: "The customers of a telephone number or e-mail address.",
        fields: &[Field::required(
            "address",
            LINE,
            "Telephone number or e-mail address",
        )],
        run: |caller, values| Box::pin(reading::of_address(caller, values)),
        ..GET
    },
    Operation {
        name: "search",
        node: "urn:parlour:customer:0#search",
        title: "Search for a customer",
        about: "The beginning of a name, company, number or address: three letters or digits or more.",
        fields: &[
            Field::required("text", LINE, "Name, number or address").as_child(),
            LIST,
        ],
        run: |caller, values| Box::pin(reading::search(caller, values)),
        ..GET
    },
    Operation {
        name: "customer",
        node: "urn:parlour:customer:0#customer",
        title: "Show a customer",
        about: "All that is known of one customer.",
        fields: &[ID],
        run: |caller, values| Box::pin(reading::one(caller, values)),
        ..GET
    },
    Operation {
        name: "history",
        node: "urn:parlour:customer:0#history",
        title: "History of a customer",
        about: "Interactions, activities, follow-ups and messages, the newest first, as far as you see them.",
        fields: &[ID, LIST],
        run: |caller, values| Box::pin(history::history(caller, values)),
        ..GET
    },
    Operation {
        name: "export",
        node: "urn:parlour:customer:0#export",
        title: "Show a customer as a vCard",
        about: "For an address book.",
        fields: &[ID],
        run: |caller, values| Box::pin(reading::card(caller, values)),
        ..GET
    },
    Operation {
        name: "create",
        node: "urn:parlour:customer:0#create",
        title: "Add a customer",
        about: "A customer needs a name or a company.",
        fields: &[NAME, COMPANY, TELEPHONE, EMAIL, CRM_ID, URL],
        run: |caller, values| Box::pin(changes::create(caller, values)),
        ..SET
    },
    Operation {
        name: "edit",
        node: "urn:parlour:customer:0#edit",
        title: "Change a customer",
        about: "The record is written anew: what is left out is taken away.",
        fields: &[ID, VERSION, NAME, COMPANY, TELEPHONE, EMAIL, CRM_ID, URL],
        present: Some(Present {
            of: &[ID],
            unseen: &["version"],
            find: |caller, values| Box::pin(present::edit(caller, values)),
        }),
        run: |caller, values| Box::pin(changes::edit(caller, values)),
        ..SET
    },
    Operation {
        name: "merge",
        node: "urn:parlour:customer:0#merge",
        title: "Merge two customers",
        about: "For two that are one: the first gets what the second has, and stands for both from then on.",
        right: Right::CustomerMerge,
        fields: &[ID, VERSION, OTHER, OTHER_VERSION],
        present: Some(Present {
            of: &[ID, OTHER],
            unseen: &["version", "other-version"],
            find: |caller, values| Box::pin(present::merge(caller, values)),
        }),
        run: |caller, values| Box::pin(changes::merge(caller, values)),
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
    right: Right::CustomerShow,
    fields: &[],
    shown: None,
    present: None,
    run: |caller, values| Box::pin(reading::one(caller, values)),
};

const SET: Operation = Operation {
    act: Act::Set,
    right: Right::CustomerEdit,
    ..GET
};

/// A line that is taken as a text at all; the domain has the true bounds, and says so.
const LINE: Kind = Kind::Line { chars_max: 2_048 };

/// Digits of a number of 64 bits.
const NUMBER: Kind = Kind::Line { chars_max: 20 };

const ID: Field = Field::required("id", Kind::Id, "Id of the customer");
const VERSION: Field = Field::required("version", NUMBER, "Version that you have read");
const OTHER: Field = Field::required("other", Kind::Id, "Id of the second");
const OTHER_VERSION: Field = Field::required(
    "other-version",
    NUMBER,
    "Version of the second that you have read",
);
const NAME: Field = Field::required("name", LINE, "Name").as_child().optional();
const COMPANY: Field = Field::required("company", LINE, "Company")
    .as_child()
    .optional();
const TELEPHONE: Field =
    Field::required("telephone", LINE, "Telephone numbers, one a line").several(ADDRESSES_MAX);
const EMAIL: Field =
    Field::required("email", LINE, "E-mail addresses, one a line").several(ADDRESSES_MAX);
const CRM_ID: Field = Field::required("crm-id", LINE, "Id in the CRM").optional();
const URL: Field = Field::required("url", LINE, "Link to the CRM").optional();

/// Which part of a list is asked for.
const LIST: Field = Field {
    name: "set",
    kind: Kind::Page,
    need: Need::Optional,
    place: Stands::Child,
    label: "Page",
};
