//! Customers for administrators: brought in from files, looked through, taken out.
//!
//! What the contact center's own operations need of it, too, is here, for they may use this room and not the other way
//! round: how a written profile is understood, what becomes of somebody who is known elsewhere, the search.

mod disclose;
mod erase;
mod export;
mod import;
mod kept;
mod known;
mod list;
mod mention;
mod profile;
mod searching;
mod tables;

use super::center::HOST;
use super::operation::{Argument, Face, Kind, Operation, own};
use crate::domain::rights::Right;

pub use erase::ERASED_FOLLOW_UP;
pub use known::{KnownCustomer, known_customer};
pub use mention::is_about;
pub use profile::{WrittenProfile, telephone};
pub use searching::{FoundCustomers, found_customers, told_place, understood_place};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "customer import",
        "Makes and changes customers from a table (CSV with the columns name, company, telephone, email, crm_id, url) or vCards.",
        Face::new(own!("customer-import"), "Import customers"),
        &[
            Argument::required("file", Kind::Table, "the table or vCards; - reads standard input"),
            HOST,
            Argument::optional("dry-run", Kind::Flag, "only tells what would be done"),
        ],
        |operator, arguments| Box::pin(import::import(operator, arguments)),
    )
    .with_right(Right::CustomerImport),
    Operation::new(
        "customer list",
        "Lists customers, all of them or those that are found.",
        Face::new(own!("customer-list"), "List customers"),
        &[
            Argument::optional(
                "text",
                Kind::Name,
                "the beginning of a name, number or address: three letters or more",
            ),
            HOST,
            AFTER,
            Argument::optional(
                "max",
                Kind::Number {
                    min: 1,
                    max: list::MAX,
                },
                "how many at most; 100 if left out",
            ),
        ],
        |operator, arguments| Box::pin(list::list(operator, arguments)),
    )
    .with_right(Right::CustomerImport),
    Operation::new(
        export::NAME,
        "Writes customers as a table or as vCards, which can be imported again.",
        Face::new(own!("customer-export"), "Export customers"),
        &[
            Argument::optional(
                "format",
                Kind::Choice(export::FORMATS),
                "csv if left out",
            ),
            HOST,
            AFTER,
            Argument::optional(
                "max",
                Kind::Number {
                    min: 1,
                    max: export::MAX,
                },
                "how many at most; 10000 if left out",
            ),
        ],
        |operator, arguments| Box::pin(export::export(operator, arguments)),
    )
    .with_right(Right::CustomerImport),
    Operation::new(
        "customer disclose",
        "Shows everything that is kept of a customer; with --json all of it, else how much.",
        Face::new(own!("customer-disclose"), "Show what is kept of a customer"),
        &[
            ID,
            HOST,
            Argument::optional(
                "after",
                Kind::Name,
                "goes on behind this, which is the next_after of the part before",
            ),
        ],
        |operator, arguments| Box::pin(disclose::disclose(operator, arguments)),
    )
    .with_right(Right::CustomerErase),
    Operation::new(
        "customer erase",
        "Erases everything that is kept of a customer, for good. Tells what is left and why.",
        Face::new(own!("customer-erase"), "Erase a customer"),
        &[
            ID,
            HOST,
            Argument::optional("confirm", Kind::Flag, "it cannot be taken back: yes, erase"),
        ],
        |operator, arguments| Box::pin(erase::erase(operator, arguments)),
    )
    .with_right(Right::CustomerErase),
];

const ID: Argument = Argument::required("id", Kind::Name, "the id of the customer");

const AFTER: Argument = Argument::optional(
    "after",
    Kind::Name,
    "only what comes behind this, to go on with a long list: the id of a customer, or the place that a search names",
);
