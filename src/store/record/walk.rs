//! Going through records one after the other, whose pages nobody has to count.

use super::{ListOrder, Records, StoredRecord};
use crate::store::StoreError;

/// Goes through records by ascending ids; from [`Records::walk`] and [`Records::walk_list`]. What is written meanwhile behind
/// the page that it holds is seen, what stands on that page is as it was read.
pub struct Walk<'a> {
    records: Records<'a>,
    kind: &'a str,
    /// The list and its owner; without one it is all records of the kind.
    list: Option<(&'a str, &'a str)>,
    at_once: u32,
    behind: Option<String>,
    page: std::vec::IntoIter<StoredRecord>,
}

impl<'a> Records<'a> {
    /// Through all records of a kind, of which that many are read at once.
    #[must_use]
    pub fn walk(self, kind: &'a str, at_once: u32) -> Walk<'a> {
        Walk {
            records: self,
            kind,
            list: None,
            at_once,
            behind: None,
            page: Vec::new().into_iter(),
        }
    }

    /// Through the records of a kind in that list of that owner.
    #[must_use]
    pub fn walk_list(self, kind: &'a str, list: (&'a str, &'a str), at_once: u32) -> Walk<'a> {
        Walk {
            list: Some(list),
            ..self.walk(kind, at_once)
        }
    }
}

impl Walk<'_> {
    /// Begins behind that id.
    #[must_use]
    pub fn behind(self, id: Option<String>) -> Self {
        Self { behind: id, ..self }
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Option<StoredRecord>, StoreError> {
        if self.page.len() == 0 {
            self.page = Box::pin(self.read()).await?.into_iter();
        }
        let next = self.page.next();
        if let Some(record) = &next {
            self.behind = Some(record.id.clone());
        }
        Ok(next)
    }

    async fn read(&self) -> Result<Vec<StoredRecord>, StoreError> {
        let (records, behind) = (self.records, self.behind.as_deref());
        match self.list {
            None => {
                let behind = behind.unwrap_or_default();
                records.all(self.kind, behind, self.at_once).await
            }
            Some(list) => {
                let order = ListOrder::Ascending;
                let page = records.listed(self.kind, list, behind, order, self.at_once);
                page.await
            }
        }
    }
}
