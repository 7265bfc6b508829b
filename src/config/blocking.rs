//! `[blocking]`, `[reporting]`: whom accounts block, and what becomes of reports.

use jid::BareJid;

use super::section::section;
use super::value::{Scalar, quoted};

section! {
    /// Blocking (XEP-0191): nothing comes from a blocked address, and nothing goes to it.
    pub struct Blocking {
        /// How many addresses one account may block. All of them are sent at once when a client
        /// asks, and are held in memory while the account is online.
        items_max: u32 = 1000, in 1..=100_000;
    }
}

section! {
    /// Reports of spam and abuse, made while blocking (XEP-0377). `parlour report list` shows them.
    pub struct Reporting {
        /// Whether reports are taken.
        enabled: bool = true;
        /// How many are kept. When there are more, the older ones of whoever reports go first, and
        /// then those of whoever has reported most.
        reports_max: u32 = 10_000, in 1..=1_000_000;
        /// How many of one reporter are taken in 24 hours. Those beyond it still block.
        reports_per_day_max: u32 = 50, in 1..=1_000_000;
        /// After how many days one is deleted.
        keep_days: u32 = 90, in 1..=3_650;
        /// Accounts that are sent a message about each report.
        notify: Vec<Address> = Vec::new();
    }
}

/// The bare address of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(pub BareJid);

impl Scalar for Address {
    fn expected() -> String {
        "an address such as \"admin@example.org\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let jid = BareJid::new(text).ok()?;
        (jid.node().is_some() && !text.contains('/')).then_some(Self(jid))
    }

    fn to_toml(&self) -> String {
        quoted(self.0.as_str())
    }
}
