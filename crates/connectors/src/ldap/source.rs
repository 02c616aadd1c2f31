//! Pages of accounts out of a search.

use std::sync::Arc;

use async_trait::async_trait;
use ldap3::Ldap;
use sterna_core::{
    code::{Code, Finding},
    port::{Cursor, Page, Record, Source, SourceError},
    settings::Secrets,
};

use super::{
    reading::{Stream, connect, groups, next, sample, search},
    settings::Config,
};
use crate::{
    directory::{Entry, Memberships, Rules},
    ldif::{self, written},
    text::{MENDED, Mistake, account_or_rejected, rejected},
};

/// Most records of a page.
const PAGE_RECORDS: usize = 1_000;
/// A page ends when its entries took about so many bytes.
const PAGE_BYTES: usize = 4 << 20;

/// A directory as a source.
pub(super) struct LdapSource {
    config: Config,
    rules: Rules,
    most: usize,
    secrets: Arc<dyn Secrets>,
    reading: Option<Reading>,
}

/// A search under way: a paged one ends with its connection, so it cannot be gone on with later.
struct Reading {
    stream: Stream,
    groups: Memberships,
    /// How many records were given; the cursor.
    given: u64,
    /// Kept for the search.
    _ldap: Ldap,
}

impl LdapSource {
    pub(super) fn new(config: Config, rules: Rules, most: usize, secrets: Arc<dyn Secrets>) -> Self {
        Self { config, rules, most, secrets, reading: None }
    }

    async fn begin(&self) -> Result<Reading, SourceError> {
        let mut ldap = connect(&self.config, self.secrets.as_ref()).await?;
        let groups = groups(&mut ldap, &self.config, self.most).await?;
        let Config { base, filter, attributes, .. } = &self.config;
        let stream = search(&mut ldap, &self.config, base, filter, attributes.clone()).await?;
        Ok(Reading { stream, groups, given: 0, _ldap: ldap })
    }

    fn record(&self, entry: &Entry, groups: &Memberships, position: impl FnOnce() -> String) -> Record {
        match self.rules.account(entry, groups) {
            Ok(account) => Record::Account(Box::new(account)),
            Err(mistake) => {
                // the record is mended alone: its groups go along
                let mut whole = entry.clone();
                for group in groups.of(entry) {
                    whole.add("memberOf", group.into_bytes());
                }
                account_or_rejected(Err(mistake), position, &written(&whole))
            }
        }
    }

    async fn page(&self, reading: &mut Reading) -> Result<Page, SourceError> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < PAGE_RECORDS && bytes < PAGE_BYTES {
            let Some(entry) = next(&mut reading.stream, &self.config).await? else {
                return Ok(Page { records, next: None, done: None });
            };
            if self.rules.is_account(&entry) {
                bytes += entry.size();
                reading.given += 1;
                let number = reading.given;
                records.push(self.record(&entry, &reading.groups, || format!("entry {number}")));
            }
        }
        Ok(Page { records, next: Some(Cursor(reading.given.to_string())), done: None })
    }
}

#[async_trait]
impl Source for LdapSource {
    async fn preflight(&mut self) -> Vec<Finding> {
        let seen = match connect(&self.config, self.secrets.as_ref()).await {
            Ok(mut ldap) => sample(&mut ldap, &self.config).await,
            Err(error) => Err(error),
        };
        let (entries, referred) = match seen {
            Ok(seen) => seen,
            Err(error) => {
                let mut finding = Finding::error(error.code, error.message);
                finding.hints.extend(error.hint);
                return vec![finding];
            }
        };
        let people: Vec<&Entry> = entries.iter().filter(|entry| self.rules.is_account(entry)).collect();
        if people.is_empty() {
            let text = "nobody is found under `base` by `filter`";
            return vec![
                Finding::warning(Code::E3011, text)
                    .hint("check `base`, `filter`, `object_classes` and the account's rights"),
            ];
        }
        if people.iter().all(|entry| entry.values("userPassword").is_empty()) {
            let text =
                "people are found, and `userPassword` of none: the directory hides it from this account, or has none";
            return vec![Finding::warning(Code::E3013, text).hint(Code::E3013.mend())];
        }
        if !referred.is_empty() {
            let text = format!("the directory refers to {referred} for a part of `base`, which is not read");
            return vec![Finding::warning(Code::E3014, text).hint("read that part as a source of its own")];
        }
        Vec::new()
    }

    async fn read(&mut self, cursor: Option<&Cursor>) -> Result<Page, SourceError> {
        let mut reading = match (self.reading.take(), cursor) {
            (Some(open), Some(cursor)) if cursor.0 == open.given.to_string() => open,
            (_, None) => self.begin().await?,
            (_, Some(_)) => {
                let text = "a paged search ends with the program that began it";
                return Err(SourceError::new(Code::E3006, text).hint("extract again with --from-start"));
            }
        };
        let page = self.page(&mut reading).await?;
        if page.next.is_some() {
            self.reading = Some(reading);
        }
        Ok(page)
    }

    fn mend(&mut self, raw: &[u8]) -> Record {
        match ldif::entry(raw) {
            Ok(Some(entry)) => self.record(&entry, &Memberships::default(), || MENDED.to_owned()),
            Ok(None) => rejected(MENDED.to_owned(), Mistake::new(Code::E3110, "this is no entry"), raw),
            Err(mistake) => rejected(MENDED.to_owned(), mistake, raw),
        }
    }
}
