//! A search among the customers of a host, by the one rule for every door.

use crate::domain::customer::Customer;
use crate::domain::customer::search::Query;
use crate::store::{CustomerPlace, ListOrder, Store, StoreError, customer_place};

/// Rows that one search looks at. Who types a beginning that thousands have, together with a word that hardly
/// anybody has, types one letter more.
const ROWS_MAX: u32 = 1_000;

/// Rows that are read at once.
const ROWS: u32 = 100;

/// What a search has found.
#[derive(Clone, Debug)]
pub struct FoundCustomers {
    /// The customers, in the order that was asked for, each once.
    pub customers: Vec<Customer>,
    /// Whether there is nothing more in that direction.
    pub complete: bool,
    /// The place of the last one that was looked at, found or not.
    pub last: Option<String>,
}

/// Where a customer stands among those that the query finds, for who asks for the next page.
#[must_use]
pub fn told_place(customer: &Customer, query: &Query) -> Option<String> {
    let place = customer_place(customer, query.longest())?;
    Some(place.told(&customer.host))
}

/// The place that is meant: one that was told, whatever has become of the customer, or where the customer of that id stands now.
///
/// # Errors
/// When the database fails.
pub async fn understood_place(
    store: &Store,
    host: &str,
    query: &Query,
    text: &str,
) -> Result<Option<CustomerPlace>, StoreError> {
    if let Some(place) = CustomerPlace::understood(host, text) {
        return Ok(Some(place));
    }
    let known = store.customers().find(host, text).await?;
    Ok(known.and_then(|it| customer_place(&it, query.longest())))
}

/// Customers that the query finds, in the order of the words by which they were found, beginning at `from`, or at
/// the end that the order begins with.
///
/// # Errors
/// When the database fails.
pub async fn found_customers(
    store: &Store,
    host: &str,
    query: &Query,
    from: Option<CustomerPlace>,
    (order, max): (ListOrder, usize),
) -> Result<FoundCustomers, StoreError> {
    let beginning = query.longest();
    let mut place = from;
    let mut customers = Vec::new();
    let mut looked_at = 0;
    let mut last = None;
    let complete = 'rows: loop {
        let limit = ROWS.min(ROWS_MAX - looked_at);
        if limit == 0 {
            break false;
        }
        let store = store.customers();
        let rows = store.search(host, beginning, place.as_ref(), order, limit);
        let rows = rows.await?;
        let read = u32::try_from(rows.len()).unwrap_or(limit);
        looked_at += read;
        for row in rows {
            let at = row.place();
            last = Some(at.told(host));
            place = Some(at);
            if !row.is_first(beginning) || !query.finds(&row.customer.profile) {
                continue;
            }
            if customers.len() >= max {
                break 'rows false;
            }
            customers.push(row.customer);
        }
        if read < limit {
            break true;
        }
    };
    Ok(FoundCustomers {
        customers,
        complete,
        last,
    })
}
