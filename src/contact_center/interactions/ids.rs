//! What interactions are called. Each connector has its own words for those of each host; agents see the word as the id, unless
//! another connector uses the same one already: then the id is made of connector, host and word.

use super::change::Work;
use super::{find, host};
use crate::clock::Timestamp;
use crate::contact_center::errors::Refused;
use crate::domain::ids::InteractionId;
use crate::domain::interaction::Interaction;

/// The id of an interaction, and the word of its connector where that is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) id: InteractionId,
    pub(super) word: Option<InteractionId>,
}

impl Named {
    /// What the connector calls that, whether there is one already or not.
    pub(super) async fn find(
        work: Work<'_>,
        connector: &str,
        word: &InteractionId,
    ) -> Result<Self, Refused> {
        let plain = Self {
            id: word.clone(),
            word: None,
        };
        let holder = find(work.services, word).await?;
        if holder
            .as_ref()
            .is_some_and(|it| plain.is_of(work, connector, it))
        {
            return Ok(plain);
        }
        let other = Self {
            id: other_id(work, connector, word),
            word: Some(word.clone()),
        };
        // One that began while its word was taken keeps its id when the other is forgotten.
        let taken = holder.is_some() || find(work.services, &other.id).await?.is_some();
        Ok(if taken { other } else { plain })
    }

    /// Whether that interaction is the connector's own under this name.
    pub(super) fn is_of(&self, work: Work<'_>, connector: &str, it: &Interaction) -> bool {
        let here = |host: &str| host == work.place.host.as_str();
        it.connector == connector && it.word == self.word && host(it).is_none_or(here)
    }
}

/// The same each time, so that nothing has to be looked up.
fn other_id(work: Work<'_>, connector: &str, word: &InteractionId) -> InteractionId {
    let name = format!("{connector} {} {word}", work.place.host);
    InteractionId::derived(Timestamp::from_micros(0), &name)
}
