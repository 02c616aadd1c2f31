//! The source over the product's tables: pages by the row's own number, so that an interrupted reading goes on where it
//! ended, in another snapshot if need be.

use async_trait::async_trait;
use sterna_core::{
    code::{Code, Finding},
    port::{Cursor, Page, Record, Source, SourceError},
};

use super::{
    person::Rules,
    preflight,
    reading::Snapshot,
    settings::{Databases, Where},
};
use crate::sql::Failure;

/// The source.
pub(super) struct DatabaseSource {
    pub(super) databases: Databases,
    pub(super) place: Where,
    pub(super) rules: Rules,
    pub(super) page_size: usize,
    pub(super) snapshot: Option<Snapshot>,
}

impl DatabaseSource {
    async fn snapshot(&mut self) -> Result<Snapshot, Failure> {
        match self.snapshot.take() {
            Some(snapshot) => Ok(snapshot),
            None => Snapshot::open(&self.databases, &self.place).await,
        }
    }

    /// Where a cursor goes on: behind the row of this number.
    fn after(&self, cursor: Option<&Cursor>) -> Result<i64, SourceError> {
        let Some(cursor) = cursor else { return Ok(i64::from(i32::MIN)) };
        let number = cursor.0.strip_prefix(&self.mark()).and_then(|number| number.parse().ok());
        number.ok_or_else(|| {
            let text =
                "the reading that was interrupted was of another tenant or store; it is read again from its start";
            SourceError::new(Code::E3006, text)
        })
    }

    /// What cursors of this tenant and store begin with.
    fn mark(&self) -> String {
        let tenant = self.place.tenant_id.map_or_else(|| self.place.tenant.clone(), |id| id.to_string());
        format!("{tenant}\u{1f}{}\u{1f}", self.place.store)
    }
}

#[async_trait]
impl Source for DatabaseSource {
    async fn preflight(&mut self) -> Vec<Finding> {
        let mut findings = self.databases.open_lines();
        match self.snapshot().await {
            Err(failure) => findings.push(failure.into_finding()),
            Ok(mut snapshot) => match preflight::look(&mut snapshot, &self.place, &self.rules).await {
                Ok(found) => findings.extend(found),
                Err(failure) => findings.push(failure.into_finding()),
            },
        }
        findings
    }

    async fn read(&mut self, cursor: Option<&Cursor>) -> Result<Page, SourceError> {
        let after = self.after(cursor)?;
        if cursor.is_none() {
            // from the start is from what is there now
            self.snapshot = None;
        }
        let mut snapshot = self.snapshot().await.map_err(Failure::into_error)?;
        let page = snapshot.page(after, self.page_size).await.map_err(Failure::into_error)?;
        let records: Vec<Record> = page.found.iter().map(|person| self.rules.record(person)).collect();
        let last = page.last.filter(|_| page.is_full);
        let next = last.map(|last| Cursor(format!("{}{last}", self.mark())));
        let done = Some(page.last.map_or(1.0, |last| snapshot.done(last)));
        self.snapshot = next.is_some().then_some(snapshot);
        Ok(Page { records, next, done })
    }

    fn mend(&mut self, raw: &[u8]) -> Record {
        self.rules.mend(raw)
    }
}
