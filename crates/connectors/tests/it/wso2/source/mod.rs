//! The source `wso2-is` over real databases with the product's tables, through the registry as the program uses it.

mod database;
mod tables;

use std::time::{Duration, Instant};

use sterna_connectors::registry::{CHECKS, SOURCES};
use sterna_core::{
    account::{Account, Credential},
    code::{Code, Finding},
    legacy::{Attempt, Verdict},
    port::{Cursor, Record, Source},
};

/// The source that these settings give.
fn try_source(toml: &str) -> Result<Box<dyn Source>, Vec<Finding>> {
    let kind = SOURCES.iter().find(|kind| kind.kind() == "wso2-is").unwrap();
    kind.open(&crate::files::values(kind.settings(), toml)?, &crate::files::context("/".as_ref()))
}

fn source(toml: &str) -> Box<dyn Source> {
    try_source(toml).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// What follows from a cursor to the end.
async fn rest(source: &mut dyn Source, mut cursor: Option<Cursor>) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let page = source.read(cursor.as_ref()).await.unwrap();
        assert!(page.done.is_some_and(|done| (0.0..=1.0).contains(&done)), "{:?}", page.done);
        records.extend(page.records);
        cursor = page.next;
        if cursor.is_none() {
            return records;
        }
    }
}

fn accounts(records: Vec<Record>) -> Vec<Account> {
    let account = |record| match record {
        Record::Account(account) => *account,
        other => panic!("{other:?}"),
    };
    records.into_iter().map(account).collect()
}

fn named<'a>(accounts: &'a [Account], name: &str) -> &'a Account {
    let has =
        |account: &&Account| format!("{:?}", account.profile.attributes.get("login")).contains(&format!("\"{name}\""));
    accounts.iter().find(has).unwrap_or_else(|| panic!("{name}"))
}

/// What the stored-hash check says to a password.
async fn verdict(account: &Account, password: &str) -> Verdict {
    let kind = CHECKS.iter().find(|kind| kind.kind() == "stored-hash").unwrap();
    let values = crate::files::values(kind.settings(), "").unwrap();
    let check = kind.open(&values, &crate::files::context("/".as_ref())).unwrap();
    let (password, deadline) = (password.into(), Instant::now() + Duration::from_secs(30));
    check.check(&Attempt { account, source: "wso2", password: &password, deadline }).await
}

fn formats(account: &Account) -> Vec<&str> {
    let Credential::Hash { format, also, .. } = &account.credential else { return Vec::new() };
    std::iter::once(format.as_str()).chain(also.iter().map(|hash| hash.format.as_str())).collect()
}

fn codes(findings: &[Finding]) -> Vec<Code> {
    findings.iter().map(|finding| finding.code).collect()
}
