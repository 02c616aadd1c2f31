//! The bare way to do what extract and plan do, in a process of its own: parse each line into a struct, map it to the
//! target's shape, insert a narrow row and the mapped document. No sealing, no digests, no look-ups, no rules.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Bench,
    child::{Child, Took},
};

/// Rows of one commit.
const COMMIT: u64 = 5_000;

/// Runs it on a file of accounts; the store is made anew.
pub(crate) fn run(bench: &Bench, file: &Path, store: &Path) -> Result<Took> {
    let mut command = Command::new(&bench.me);
    command.arg("as-baseline").arg(file).arg(store).stdin(Stdio::null());
    let took = Child::start(&mut command)?.wait()?;
    if took.code != 0 {
        bail!("the baseline ended with {}", took.code);
    }
    Ok(took)
}

/// What the bare way does in its own process.
pub(crate) fn child(file: &Path, store: &Path) -> Result<()> {
    let store = Connection::open(store).context("opening the bare store")?;
    store.pragma_update(None, "journal_mode", "WAL")?;
    store.pragma_update(None, "synchronous", "NORMAL")?;
    store.pragma_update(None, "cache_size", -32_000)?;
    store.execute_batch(
        "CREATE TABLE account (ordinal INTEGER PRIMARY KEY, source INTEGER NOT NULL, pass INTEGER NOT NULL,
             profile INTEGER NOT NULL, credential INTEGER NOT NULL, action INTEGER, cohort INTEGER, code TEXT);
         CREATE TABLE plan (ordinal INTEGER PRIMARY KEY, document BLOB NOT NULL);",
    )?;
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
    let (mut line, mut number) = (String::new(), 0_u64);
    let mut narrow = store.prepare(
        "INSERT INTO account (ordinal, source, pass, profile, credential, action) VALUES (?1, 1, 1, 5, 0, 1)",
    )?;
    let mut wide = store.prepare("INSERT INTO plan (ordinal, document) VALUES (?1, ?2)")?;
    store.execute_batch("BEGIN IMMEDIATE")?;
    while {
        line.clear();
        lines.read_line(&mut line)?
    } > 0
    {
        let account: Account = serde_json::from_str(&line).context("an account that was just written")?;
        number += 1;
        let document = serde_json::to_vec(&map(account, number))?;
        narrow.execute([number])?;
        wide.execute(params![number, document])?;
        if number % COMMIT == 0 {
            store.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        }
    }
    store.execute_batch("COMMIT").context("committing")
}

#[derive(Deserialize)]
struct Account {
    id: String,
    display_name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    preferred_language: Option<String>,
    #[serde(default)]
    emails: Vec<Contact>,
    #[serde(default)]
    phones: Vec<Contact>,
    #[serde(default)]
    identities: Vec<Identity>,
    active: Option<bool>,
    address: Option<Address>,
    #[serde(default)]
    attributes: std::collections::BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Contact {
    value: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Identity {
    Local { name: String, value: String },
    Federated { issuer: String, subject: String },
}

#[derive(Deserialize)]
struct Address {
    locality: Option<String>,
    country: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mapped {
    user_principal_name: String,
    mail_nickname: String,
    display_name: String,
    given_name: Option<String>,
    surname: Option<String>,
    preferred_language: Option<String>,
    mail: Option<String>,
    mobile_phone: Option<String>,
    city: Option<String>,
    country: Option<String>,
    account_enabled: bool,
    identities: Vec<Value>,
    extensions: std::collections::BTreeMap<String, Value>,
}

fn map(account: Account, number: u64) -> Mapped {
    let key = format!("{number:032x}");
    let identity = |identity: Identity| match identity {
        Identity::Local { name, value } => {
            json!({ "signInType": name, "issuer": "contoso.onmicrosoft.com", "issuerAssignedId": value.to_lowercase() })
        }
        Identity::Federated { issuer, subject } => {
            json!({ "signInType": "federated", "issuer": issuer.to_lowercase(), "issuerAssignedId": subject })
        }
    };
    let (city, country) = account.address.map(|address| (address.locality, address.country)).unwrap_or_default();
    Mapped {
        user_principal_name: format!("{key}@contoso.onmicrosoft.com"),
        mail_nickname: key,
        display_name: account.display_name.unwrap_or(account.id),
        given_name: account.given_name,
        surname: account.family_name,
        preferred_language: account.preferred_language,
        mail: account.emails.into_iter().next().map(|contact| contact.value.to_lowercase()),
        mobile_phone: account.phones.into_iter().next().map(|contact| contact.value),
        city,
        country,
        account_enabled: account.active.unwrap_or(true),
        identities: account.identities.into_iter().map(identity).collect(),
        extensions: account.attributes,
    }
}
