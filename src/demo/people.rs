//! Who is in a demonstration: agents, why they are not ready, what comes of calls, and customers; all brought in as
//! administrators do it, before the server runs.

use std::sync::Arc;

use super::{DemoError, HOST};
use crate::admin::{Actor, Given, Operator, perform};
use crate::clock::Clock;
use crate::config::Config;
use crate::server::open_store;

/// Name before the `@`, role, name.
pub(super) const PEOPLE: &[(&str, &str, &str)] = &[
    ("romeo", "agent", "Romeo Montague"),
    ("juliet", "agent", "Juliet Capulet"),
    ("mercutio", "agent", "Mercutio della Scala"),
    ("escalus", "supervisor", "Escalus della Scala"),
];

/// Kind, code, label.
const REASONS: &[(&str, &str, &str)] = &[
    ("not-ready", "lunch", "en: Lunch"),
    ("not-ready", "meeting", "en: Meeting"),
    ("logout", "shift-over", "en: Shift is over"),
    ("wrap-up", "resolved", "en: Resolved"),
    ("wrap-up", "sold", "en: Sold"),
    ("wrap-up", "call-back", "en: To be called back"),
];

/// Two of them have one number: who calls is then to be chosen.
const CUSTOMERS: &str = "\
name,company,telephone,email,crm_id,url
Mary Example,,+39 06 698 1234,mary@example.com,C-1001,https://crm.example/customers/C-1001
Abram Montague,Montague & Sons,+39 045 800 1000,abram@montague.example,C-1002,https://crm.example/customers/C-1002
Balthasar Montague,Montague & Sons,+39 045 800 1000,balthasar@montague.example,C-1003,https://crm.example/customers/C-1003
Laurence,The Friary,+39 045 800 2000,laurence@friary.example,C-1004,https://crm.example/customers/C-1004
";

pub(super) async fn bring_in(config: &Config, password: &str) -> Result<(), DemoError> {
    if let Some(folder) = config.data_dir.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let store = open_store(config).await?;
    let operator = Operator::stopped(store.clone(), Clock::system(), Arc::new(config.clone()));
    let done = Box::pin(all(&operator, password)).await;
    store.close().await;
    done
}

async fn all(operator: &Operator, password: &str) -> Result<(), DemoError> {
    let mut accounts = "jid,password,role,name\n".to_owned();
    for (local, role, name) in PEOPLE {
        accounts.push_str(&format!("{local}@{HOST},{password},{role},{name}\n"));
    }
    Box::pin(does(operator, "account import", &[("file", &accounts)])).await?;
    for (kind, code, label) in REASONS {
        let given = [("kind", *kind), ("code", *code), ("label", *label)];
        Box::pin(does(operator, "reason put", &given)).await?;
    }
    Box::pin(does(operator, "customer import", &[("file", CUSTOMERS)])).await
}

async fn does(operator: &Operator, name: &str, given: &[(&str, &str)]) -> Result<(), DemoError> {
    let given = given.iter();
    let given: Given = given
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    perform(operator, &Actor::command_line(None), name, &given).await?;
    Ok(())
}
