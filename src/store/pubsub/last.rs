//! The last items of many nodes at once, for somebody who comes online (XEP-0163 §4.3.4).

use sqlx::FromRow;

use super::super::db::{queries, reading};
use super::super::error::StoreError;
use super::Pubsub;
use super::item::{PubsubItem, Row};
use crate::proto::jid::BareJid;

queries! {
    OF_OWNER = "select n.service, n.node, n.config, i.id, i.publisher, i.published_at, i.revision,
            i.payload, 'both' as subscription, '' as group_names, 'owner' as affiliation
        from pubsub_node n
        join pubsub_item i on i.service = n.service and i.node = n.node
        where n.service = $1 and n.node in
                ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                $14, $15, $16, $17)
            and i.revision = (select max(l.revision) from pubsub_item l
                where l.service = n.service and l.node = n.node)
        order by n.node limit cast($18 as bigint)";
    OF_CONTACTS = "select n.service, n.node, n.config, i.id, i.publisher, i.published_at, i.revision,
            i.payload, b.subscription, b.group_names, a.affiliation
        from roster_item r
        join pubsub_node n on n.service = r.contact and n.node in
                ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                $14, $15, $16, $17)
        join pubsub_item i on i.service = n.service and i.node = n.node
        left join roster_item b on b.owner = r.contact and b.contact = r.owner and not b.removed
        left join pubsub_affiliation a
            on a.service = n.service and a.node = n.node and a.jid = r.owner
        where r.owner = $1 and not r.removed and r.subscription in ('to', 'both')
            and i.revision = (select max(l.revision) from pubsub_item l
                where l.service = n.service and l.node = n.node)
        order by n.node, n.service limit cast($18 as bigint)";
}

/// Names of nodes of one query for last items.
pub const LAST_NAMES_MAX: usize = 16;

/// Whose last items are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastOf {
    /// The owner's own.
    Owner,
    /// Those of the local contacts that the owner sees the presence of.
    Contacts,
}

/// The last item of a node of the owner's or a contact's, with what decides whether it may be seen.
#[derive(Clone, Debug)]
pub struct ContactItem {
    /// Whose node it is.
    pub service: BareJid,
    /// The node's name.
    pub node: String,
    /// How the node is configured.
    pub config: Vec<u8>,
    /// The item.
    pub item: PubsubItem,
    /// Whether the contact lets the owner see its presence.
    pub presence: bool,
    /// The groups in which the contact has the owner.
    pub groups: Vec<String>,
    /// The owner's affiliation with the node.
    pub affiliation: Option<String>,
}

impl Pubsub<'_> {
    /// The last items of the nodes of those names, [`LAST_NAMES_MAX`] at most; what is more is passed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_items(
        &self,
        owner: &BareJid,
        whose: LastOf,
        names: &[&str],
        limit: u32,
    ) -> Result<Vec<ContactItem>, StoreError> {
        let sql = match whose {
            LastOf::Owner => OF_OWNER,
            LastOf::Contacts => OF_CONTACTS,
        };
        // No node has an empty name: it stands where there is none.
        let names = names.iter().copied().chain(std::iter::repeat(""));
        let rows: Vec<ContactRow> = reading!(self.db, pool => {
            let mut query = sqlx::query_as(sql).bind(owner.as_str());
            for name in names.clone().take(LAST_NAMES_MAX) {
                query = query.bind(name);
            }
            query.bind(i64::from(limit)).fetch_all(pool).await?
        });
        rows.into_iter().map(ContactItem::try_from).collect()
    }
}

/// After each group of a roster item.
const GROUP_END: char = '\u{1F}';

#[derive(FromRow)]
struct ContactRow {
    service: String,
    node: String,
    config: Vec<u8>,
    #[sqlx(flatten)]
    item: Row,
    subscription: Option<String>,
    group_names: Option<String>,
    affiliation: Option<String>,
}

impl TryFrom<ContactRow> for ContactItem {
    type Error = StoreError;

    fn try_from(row: ContactRow) -> Result<Self, StoreError> {
        let subscription = row.subscription.as_deref();
        let groups = row.group_names.unwrap_or_default();
        Ok(Self {
            service: BareJid::new(&row.service)
                .map_err(|error| StoreError::corrupt("pubsub_node.service", error))?,
            node: row.node,
            config: row.config,
            item: row.item.into(),
            presence: matches!(subscription, Some("from" | "both")),
            groups: groups
                .split_terminator(GROUP_END)
                .map(str::to_owned)
                .collect(),
            affiliation: row.affiliation,
        })
    }
}
