//! Part `side`: figures of single pieces, to see where the time of the other parts goes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, Result};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rusqlite::{Connection, params};
use sterna_connectors::json_lines::read_account;
use sterna_core::{
    account::Account,
    ids::{Ordinal, TargetId},
    plan::Action,
    port::Record,
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
    time::Moment,
};
use sterna_ledger::{
    Ledger,
    key::ProjectKey,
    planning::{Decision, InCohort},
    reading::{SourceName, SourceRow},
    sending::Outcome,
    steps::Standing,
};
use tokio::task::JoinSet;

use crate::{
    Bench, accounts,
    project::Project,
    report::{Figure, Report},
    sign_ins::{now, runtime},
};

/// Records of one page, and accounts of one batch.
const PAGE: usize = 1_000;
const BATCH: usize = 20;
/// Batches under way at once.
const AT_ONCE: usize = 16;

/// Runs it.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let count = if bench.is_quick { 10_000 } else { 100_000 };
    let folder = Project::folder(bench, "side")?;
    let text = texts(&folder, count)?;
    let result = runtime()?.block_on(async {
        let ledger = Ledger::create(&folder.join("ledger"), &ProjectKey::generate()?, now()).await?;
        let name = SourceName { name: "side".into(), formerly: None, connector: "json-lines".into() };
        let rows = ledger.register(vec![name]).await?;
        let row = ledger.begin_pass(rows.first().context("a source")?, true).await?;
        seal(report, &ledger, &row, &text).await?;
        steps(report, ledger, &row, count, &folder).await
    });
    std::fs::remove_dir_all(&folder).context("removing the ledger")?;
    result
}

fn texts(folder: &Path, count: u64) -> Result<String> {
    let path: PathBuf = folder.join("accounts.jsonl");
    accounts::write(&path, count)?;
    std::fs::read_to_string(path).context("reading accounts")
}

/// Sealing of records (encode, digest, seal) on one processor, beside the bare cipher on the same bytes; and storing.
async fn seal(report: &mut Report, ledger: &Ledger, row: &SourceRow, text: &str) -> Result<()> {
    let lines: Vec<&str> = text.lines().collect();
    let began = Instant::now();
    let parsed: Vec<Account> = lines.iter().filter_map(|line| read_account(line).ok()).collect();
    let parsing = began.elapsed().as_secs_f64();
    let records = count(parsed.len());
    let mut pages = Vec::new();
    let mut all = parsed.into_iter().map(|account| Record::Account(Box::new(account))).peekable();
    while all.peek().is_some() {
        pages.push(all.by_ref().take(PAGE).collect::<Vec<_>>());
    }
    let (began, mut next, mut sealed) = (Instant::now(), 1, Vec::new());
    for page in pages {
        sealed.push(ledger.seal_new(row, page, &mut next)?);
    }
    let sealing = began.elapsed().as_secs_f64();
    let megabytes = count(text.len()) / 1e6;
    let bare = megabytes / cipher(&lines)?;
    report.add(Figure::new("parse records, one processor", records / parsing, "/s"))?;
    report.add(Figure::new("encode, digest and seal records, one processor", records / sealing, "/s"))?;
    report.add(Figure::new("the same in bytes, beside the bare cipher", megabytes / sealing, "MB/s").over(bare))?;
    ledger.relax(true);
    let began = Instant::now();
    for page in sealed {
        ledger.store_new(row, page, None).await?;
    }
    report.add(Figure::new("store sealed records", records / began.elapsed().as_secs_f64(), "/s"))?;
    let began = Instant::now();
    ledger.finish_pass(row).await?;
    report.add(Figure::new("build the look-ups", records / began.elapsed().as_secs_f64(), "/s"))
}

/// Seconds that AES-256-GCM alone takes for the lines.
fn cipher(lines: &[&str]) -> Result<f64> {
    let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).ok().context("a key")?;
    let key = LessSafeKey::new(key);
    let began = Instant::now();
    for (number, line) in lines.iter().enumerate() {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let mut bytes = line.as_bytes().to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes).ok().context("sealing")?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Durable intents and answers, in batches as apply makes them, beside one bare commit after the other.
async fn steps(report: &mut Report, ledger: Ledger, row: &SourceRow, accounts: u64, folder: &Path) -> Result<()> {
    let accounts = accounts.min(50_000);
    let ordinals: Vec<Ordinal> = (1..=i64::try_from(accounts)?).map(Ordinal).collect();
    let decision = |ordinal: &Ordinal| Decision {
        ordinal: *ordinal,
        from: Standing { profile: ProfileState::Seen, credential: CredentialState::Dormant },
        event: ProfileEvent::Plan,
        action: Some(Action::Create),
        code: None,
        cohort: InCohort::None,
        planned: None,
    };
    let began = Instant::now();
    ledger.decide(ordinals.iter().map(decision).collect(), now()).await?;
    let total = count(ordinals.len());
    report.add(Figure::new("store decisions without documents", total / began.elapsed().as_secs_f64(), "/s"))?;
    ledger.relax(false);
    let worker = ledger.begin_run("apply", now()).await?;
    let (ledger, began) = (Arc::new(ledger), Instant::now());
    let mut tasks = JoinSet::new();
    for lane in 0..AT_ONCE {
        let (ledger, ordinals) = (Arc::clone(&ledger), ordinals.clone());
        tasks.spawn(async move {
            for batch in ordinals.chunks(BATCH).skip(lane).step_by(AT_ONCE) {
                let until = Moment { wall: now(), boot: 1, since_boot_ms: 1 };
                ledger.intend(worker, batch.to_vec(), until, now()).await?;
                ledger.settle(batch.iter().map(|ordinal| applied(*ordinal)).collect(), now()).await?;
            }
            anyhow::Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect::<Result<()>>()?;
    let rate = total / began.elapsed().as_secs_f64();
    let few = ordinals.len().min(4_000);
    let bare = count(few) / bare_steps(&folder.join("bare.sqlite"), few)?;
    let what = format!("durable intents and answers of accounts, {AT_ONCE} batches of {BATCH} at once");
    report.add(Figure::new(what, rate, "/s").over(bare))?;
    let open = ledger.credentials(CredentialState::AwaitingSignIn).await?;
    anyhow::ensure!(open == accounts, "{open} of {accounts} answers are in the ledger of source {}", row.name);
    Ok(())
}

fn applied(ordinal: Ordinal) -> Outcome {
    Outcome {
        credential: Some(CredentialEvent::Created(CredentialState::AwaitingSignIn)),
        target: Some(TargetId(format!("00000000-0000-4000-8000-{:012x}", ordinal.0))),
        origin: Some(Action::Create),
        ..Outcome::step(ordinal, ProfileEvent::Holds)
    }
}

/// Seconds for the same number of rows, two durable commits for each batch, one after the other.
fn bare_steps(path: &Path, accounts: usize) -> Result<f64> {
    let store = Connection::open(path)?;
    store.pragma_update(None, "journal_mode", "WAL")?;
    store.pragma_update(None, "synchronous", "FULL")?;
    store.execute_batch("CREATE TABLE step (seq INTEGER PRIMARY KEY, ordinal INTEGER, at INTEGER, event INTEGER)")?;
    let mut insert = store.prepare("INSERT INTO step (ordinal, at, event) VALUES (?1, 0, 1)")?;
    let began = Instant::now();
    for _ in 0..accounts / BATCH * 2 {
        store.execute_batch("BEGIN IMMEDIATE")?;
        for ordinal in 0..BATCH {
            insert.execute(params![i64::try_from(ordinal)?])?;
        }
        store.execute_batch("COMMIT")?;
    }
    Ok(began.elapsed().as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
