//! The source `sql` and the check `sql-hash` against real servers, through the registry as the program uses them.

mod check;
mod hashes;
mod presets;
mod reading;

use std::{path::Path, sync::Arc};

use sterna_connectors::registry::{CHECKS, SOURCES};
use sterna_core::{
    account::{Account, Credential},
    code::Finding,
    legacy::LegacyCheck,
    port::{Record, Source, SourceError},
    registry::Context,
    secrecy::SecretString,
    settings::{self, Document, SecretRef, Secrets, Setting, Values},
    time::{Clock, Entropy, Moment, NoEntropy, Timestamp},
};

struct World;

impl Secrets for World {
    fn reveal(&self, reference: &SecretRef) -> Result<SecretString, Box<Finding>> {
        // a secret is called what it is: { env = "secret" }
        match reference {
            SecretRef::Env(name) => Ok(name.as_str().into()),
            _ => Ok("".into()),
        }
    }
}

impl Clock for World {
    fn now(&self) -> Moment {
        Moment { wall: Timestamp(0), boot: 0, since_boot_ms: 0 }
    }
}

impl Entropy for World {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(7);
        Ok(())
    }
}

fn context() -> Context {
    let project = Path::new("/").to_owned();
    Context { project, secrets: Arc::new(World), clock: Arc::new(World), entropy: Arc::new(World) }
}

fn values(toml: &str, settings: &'static [Setting]) -> Values {
    let document = Document { file: "sterna.toml".into(), text: toml.to_owned() };
    let table = document.parse().unwrap();
    let mut findings = Vec::new();
    let span = table.span();
    let values = settings::check(&document, table.get_ref(), span, settings, "[x]", &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    values
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
