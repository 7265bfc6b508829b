//! What is taken away of an interaction when its customer is erased.

use super::Interaction;
use crate::domain::activity::ERASED;

impl Interaction {
    /// Makes one that is over an interaction with nobody: who took part and when stays, with whom and what was known of that
    /// one goes. Tells whether anything was left to be taken away.
    pub fn forget_customer(&mut self) -> bool {
        let changed = self.customer.is_some() || self.address != ERASED || !self.data.is_empty();
        self.customer = None;
        self.address = ERASED.to_owned();
        self.data.clear();
        self.version = self.version.saturating_add(u64::from(changed));
        changed
    }
}
