//! The source `sql` and the check `sql-hash` against real servers, through the registry as the program uses them.

mod check;
mod hashes;
mod presets;
mod reading;

use std::sync::Arc;

use sterna_connectors::registry::{CHECKS, SOURCES};
use sterna_core::{
    account::{Account, Credential},
    code::Finding,
    legacy::LegacyCheck,
    port::{Record, Source, SourceError},
    registry::Context,
    settings::{Setting, Values},
};

fn context() -> Context {
    crate::files::context("/".as_ref())
}

fn values(toml: &str, settings: &'static [Setting]) -> Values {
    crate::files::values(settings, toml).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// The source that these settings give.
fn try_source(toml: &str) -> Result<Box<dyn Source>, Vec<Finding>> {
    let kind = SOURCES.iter().find(|kind| kind.kind() == "sql").unwrap();
    kind.open(&values(toml, kind.settings()), &context())
}

fn source(toml: &str) -> Box<dyn Source> {
    try_source(toml).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// The check that these settings give.
fn check(toml: &str) -> Arc<dyn LegacyCheck> {
    let kind = CHECKS.iter().find(|kind| kind.kind() == "sql-hash").unwrap();
    kind.open(&values(toml, kind.settings()), &context()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// Everything that the source gives; the largest page beside it.
async fn read_all(source: &mut dyn Source) -> Result<(Vec<Record>, usize), SourceError> {
    let (mut records, mut largest, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = source.read(cursor.as_ref()).await?;
        largest = largest.max(page.records.len());
        records.extend(page.records);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok((records, largest)),
        }
    }
}

async fn accounts(toml: &str) -> Vec<Account> {
    let (records, _) = read_all(&mut *source(toml)).await.unwrap();
    records
        .into_iter()
        .map(|record| match record {
            Record::Account(account) => *account,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn format(account: &Account) -> Option<&str> {
    match &account.credential {
        Credential::Hash { format, .. } => Some(format),
        _ => None,
    }
}
