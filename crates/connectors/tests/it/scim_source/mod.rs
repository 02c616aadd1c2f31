//! The source `scim` through the registry as the program uses it: against a real server, and against services that misbehave.

mod real;
mod service;
mod traps;
mod users;
mod wso2;

use sterna_connectors::registry::SOURCES;
use sterna_core::{
    account::Account,
    code::Finding,
    port::{Cursor, Record, Source, SourceError},
    registry::Context,
};

use crate::servers::scim::TOKEN;

fn context() -> Context {
    crate::entra::world::context(
        [("TOKEN".to_owned(), TOKEN.to_owned()), ("WRONG".to_owned(), "wrong".to_owned())].into(),
    )
}

/// The source of a kind that these settings give.
fn try_source(kind: &str, toml: &str) -> Result<Box<dyn Source>, Vec<Finding>> {
    let kind = SOURCES.iter().find(|known| known.kind() == kind).unwrap();
    kind.open(&crate::entra::world::values(toml, kind.settings())?, &context())
}

fn source(toml: &str) -> Box<dyn Source> {
    try_source("scim", toml).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// What follows from a cursor to the end, or to an error; and how many pages there were.
async fn rest(source: &mut dyn Source, mut cursor: Option<Cursor>) -> (Vec<Record>, usize, Option<SourceError>) {
    let (mut records, mut pages) = (Vec::new(), 0);
    loop {
        match source.read(cursor.as_ref()).await {
            Err(error) => return (records, pages, Some(error)),
            Ok(page) => {
                pages += 1;
                assert!(pages < 1_000, "a walk ends");
                assert!(page.done.is_none_or(|done| (0.0..=1.0).contains(&done)));
                records.extend(page.records);
                cursor = page.next;
                if cursor.is_none() {
                    return (records, pages, None);
                }
            }
        }
    }
}

async fn all(toml: &str) -> Vec<Account> {
    let (records, _, error) = rest(&mut *source(toml), None).await;
    assert!(error.is_none(), "{error:?}");
    accounts(records)
}

fn accounts(records: Vec<Record>) -> Vec<Account> {
    let account = |record| match record {
        Record::Account(account) => *account,
        other => panic!("{other:?}"),
    };
    records.into_iter().map(account).collect()
}

fn by_key<'a>(accounts: &'a [Account], key: &str) -> &'a Account {
    accounts.iter().find(|account| account.key.as_str() == key).unwrap_or_else(|| panic!("{key}"))
}
