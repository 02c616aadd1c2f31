//! Extract: reads the sources into the ledger, page by page; each page and the place where reading goes on are one
//! commit, so that a kill loses nothing and doubles nothing.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use sterna_core::{
    account::Credential,
    code::Code,
    codec,
    port::{Cursor, Page, Record, Source, SourceError},
};
use sterna_ledger::{
    LedgerError, PassEnd,
    reading::{Mended, SealedPage, SourceName, SourceRow, Stored},
};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{error::PhaseError, run::Run};

/// A source to read.
pub struct Feed {
    /// Its name and connector.
    pub name: SourceName,
    /// The source itself.
    pub source: Box<dyn Source>,
}

/// What reading one source did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SourceReport {
    /// The source's name.
    pub source: String,
    /// Accounts that are new.
    pub new: u64,
    /// Accounts that changed since they were read last.
    pub changed: u64,
    /// Accounts that are the same as before.
    pub same: u64,
    /// Accounts that changed after they were sent; they are left as they were sent, but for passwords that
    /// wait for a sign-in.
    pub changed_after_apply: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// Of these, records whose key another record has.
    pub duplicates: u64,
    /// Accounts that the source no longer has.
    pub gone: u64,
    /// How many password hashes were read, by format; `unknown` where nothing tells it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hash_formats: BTreeMap<String, u64>,
    /// Whether an interrupted reading was begun again because the source changed in between.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub begun_again: bool,
}

/// What extract did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExtractReport {
    /// By source.
    pub sources: Vec<SourceReport>,
}

impl ExtractReport {
    /// Records that were rejected in this run.
    pub fn rejected(&self) -> u64 {
        self.sources.iter().map(|source| source.rejected).sum()
    }
}

/// How many pages may wait for the sealer, and sealed ones for the writer.
const PAGES: usize = 2;

/// Reads all feeds. `from_start` drops what an interrupted reading has kept.
///
/// # Errors
/// [`PhaseError::Source`] keeps everything that was read before.
pub async fn extract(run: &Run, feeds: Vec<Feed>, from_start: bool) -> Result<ExtractReport, PhaseError> {
    let _lock = run.ledger.lock("extract")?;
    run.ledger.relax(true);
    run.lay_repairs_aside().await?;
    let worker = run.ledger.begin_run("extract", run.now()).await?;
    let rows = run.ledger.register(feeds.iter().map(|feed| feed.name.clone()).collect()).await?;
    let mut report = ExtractReport::default();
    for (feed, row) in feeds.into_iter().zip(rows) {
        report.sources.push(read_source(run, feed, row, from_start).await?);
    }
    let outcome = report.sources.iter().map(|s| format!("{} new, {} rejected", s.new, s.rejected));
    let outcome = outcome.collect::<Vec<_>>().join("; ");
    run.ledger.end_run(worker, "extract", outcome, run.now()).await?;
    Ok(report)
}

async fn read_source(run: &Run, feed: Feed, row: SourceRow, from_start: bool) -> Result<SourceReport, PhaseError> {
    let (name, mut source) = (feed.name.name.clone(), feed.source);
    run.progress.begin(&format!("reading {name}"), 0);
    let mut report = SourceReport { source: name.clone(), ..SourceReport::default() };
    let mut from_start = from_start;
    loop {
        let row = run.ledger.begin_pass(&row, from_start).await?;
        let (back, result) = read_pass(run, source, &row, &mut report).await?;
        source = back;
        match result {
            Ok(end) => {
                report.duplicates += end.duplicates;
                report.rejected += end.duplicates;
                report.new -= end.duplicates.min(report.new);
                report.gone = end.gone;
                return Ok(report);
            }
            // the document was changed or mended since an interrupted reading: what it says now counts
            Err(error) if error.code == Code::E3006 && !from_start => {
                from_start = true;
                report = SourceReport { source: name.clone(), begun_again: true, ..SourceReport::default() };
            }
            Err(source) => return Err(PhaseError::Source { name, source }),
        }
    }
}

type Pages = mpsc::Receiver<Result<Page, SourceError>>;

async fn read_pass(
    run: &Run,
    source: Box<dyn Source>,
    row: &SourceRow,
    report: &mut SourceReport,
) -> Result<(Box<dyn Source>, Result<PassEnd, SourceError>), PhaseError> {
    if row.drained {
        return Ok((source, Ok(run.ledger.finish_pass(row).await?)));
    }
    let (pages, reader) = read_ahead(source, row);
    let stored =
        if row.indexed { store_again(run, row, pages, report).await } else { store_new(run, row, pages, report).await };
    let source = reader.await?;
    match stored? {
        Some(error) => Ok((source, Err(error))),
        None => Ok((source, Ok(run.ledger.finish_pass(row).await?))),
    }
}

/// Reads pages on a task of its own, a few ahead.
fn read_ahead(mut source: Box<dyn Source>, row: &SourceRow) -> (Pages, JoinHandle<Box<dyn Source>>) {
    let (sender, pages) = mpsc::channel(PAGES);
    let mut cursor = row.cursor.clone();
    let reader = tokio::spawn(async move {
        loop {
            let page = source.read(cursor.as_ref()).await;
            let next = page.as_ref().ok().and_then(|page| page.next.clone());
            if sender.send(page).await.is_err() || next.is_none() {
                return source;
            }
            cursor = next;
        }
    });
    (pages, reader)
}

/// A page that is being sealed, where reading goes on after it, and how many records it has.
type Sealing = (JoinHandle<Result<SealedPage, LedgerError>>, Option<Cursor>, u64);

/// Stores the pages of a first reading: sealed side by side, written in order.
async fn store_new(
    run: &Run,
    row: &SourceRow,
    mut pages: Pages,
    report: &mut SourceReport,
) -> Result<Option<SourceError>, PhaseError> {
    let mut next = run.ledger.next_ordinal().await?;
    let mut sealing: VecDeque<Sealing> = VecDeque::new();
    let mut failed = None;
    while let Some(page) = pages.recv().await {
        run.check_stop()?;
        match page {
            Ok(page) => {
                let count = page.records.len() as u64;
                report.count_hashes(&page.records);
                let (ledger, row) = (std::sync::Arc::clone(&run.ledger), row.clone());
                let accounts = page.records.iter().filter(|record| !matches!(record, Record::Rejected(_))).count();
                let mut first = next;
                next += i64::try_from(accounts).unwrap_or_default();
                let seal = tokio::task::spawn_blocking(move || ledger.seal_new(&row, page.records, &mut first));
                sealing.push_back((seal, page.next, count));
            }
            Err(error) => failed = Some(error),
        }
        while sealing.len() > PAGES || (failed.is_some() && !sealing.is_empty()) {
            write_one(run, row, &mut sealing, report).await?;
        }
    }
    while !sealing.is_empty() {
        write_one(run, row, &mut sealing, report).await?;
    }
    Ok(failed)
}

async fn write_one(
    run: &Run,
    row: &SourceRow,
    sealing: &mut VecDeque<Sealing>,
    report: &mut SourceReport,
) -> Result<(), PhaseError> {
    if let Some((seal, cursor, count)) = sealing.pop_front() {
        let stored = run.ledger.store_new(row, seal.await??, cursor).await?;
        report.add(stored);
        run.progress.add(count);
    }
    Ok(())
}

/// Stores the pages of a later reading, matching records by key.
async fn store_again(
    run: &Run,
    row: &SourceRow,
    mut pages: Pages,
    report: &mut SourceReport,
) -> Result<Option<SourceError>, PhaseError> {
    let mut next = run.ledger.next_ordinal().await?;
    while let Some(page) = pages.recv().await {
        run.check_stop()?;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Ok(Some(error)),
        };
        let count = page.records.len() as u64;
        report.count_hashes(&page.records);
        let stored = run.ledger.store_again(row, page.records, page.next, &mut next).await?;
        report.add(stored);
        run.progress.add(count);
    }
    Ok(None)
}

impl SourceReport {
    /// Most formats that are counted apart: records may state names of their own.
    const FORMATS: usize = 500;

    fn count_hashes(&mut self, records: &[Record]) {
        for record in records {
            let Record::Account(account) = record else { continue };
            let Credential::Hash { format, .. } = &account.credential else { continue };
            if let Some(count) = self.hash_formats.get_mut(format.as_str()) {
                *count += 1;
            } else if self.hash_formats.len() < Self::FORMATS {
                self.hash_formats.insert(format.clone(), 1);
            }
        }
    }

    fn add(&mut self, stored: Stored) {
        self.new += stored.new;
        self.changed += stored.changed;
        self.same += stored.same;
        self.changed_after_apply += stored.late;
        self.rejected += stored.rejected;
    }
}

/// A mended record, as `sterna export rejects` wrote it and the operator edited it.
#[derive(Clone, Debug)]
pub struct MendedRecord {
    /// The reject's number.
    pub reject: i64,
    /// The source's name.
    pub source: String,
    /// The record's bytes.
    pub raw: Vec<u8>,
    /// Whether they are in Sterna's account form.
    pub is_account_form: bool,
}

/// What feeding mended records back did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MendReport {
    /// Records that are accounts now.
    pub taken: u64,
    /// Records that still cannot be read, with what is wrong. Not in the reader's words: those may quote the record.
    pub still_rejected: Vec<(i64, Code)>,
    /// Records whose reject is no longer open.
    pub unknown: Vec<i64>,
}

/// Takes mended records in place of their rejects.
pub async fn mend(run: &Run, mut feeds: Vec<Feed>, records: Vec<MendedRecord>) -> Result<MendReport, PhaseError> {
    let _lock = run.ledger.lock("extract")?;
    let rows = run.ledger.register(feeds.iter().map(|feed| feed.name.clone()).collect()).await?;
    if let Some(open) = rows.iter().find(|row| row.open || row.pass == 0) {
        let message = format!("the source `{}` has not been read to its end", open.name);
        return Err(PhaseError::cannot(Code::E5015, message));
    }
    let mut next = run.ledger.next_ordinal().await?;
    let mut report = MendReport::default();
    for mended in records {
        let feed = feeds.iter_mut().find(|feed| feed.name.name == mended.source);
        let record = match (mended.is_account_form, feed) {
            (true, _) => decode_form(&mended.raw),
            (false, Some(feed)) => feed.source.mend(&mended.raw),
            (false, None) => {
                report.unknown.push(mended.reject);
                continue;
            }
        };
        match record {
            Record::Rejected(reject) => report.still_rejected.push((mended.reject, reject.code)),
            record => match run.ledger.mend(mended.reject, record, &mut next).await? {
                Some(Mended::Taken) => report.taken += 1,
                Some(Mended::Duplicate) => {
                    report.still_rejected.push((mended.reject, Code::E3103));
                }
                None => report.unknown.push(mended.reject),
            },
        }
    }
    let entry = format!("extract --mended: {} taken, {} still rejected", report.taken, report.still_rejected.len());
    run.ledger.audit(run.now(), entry).await?;
    Ok(report)
}

fn decode_form(raw: &[u8]) -> Record {
    match codec::decode(raw) {
        Ok(account) => Record::Account(Box::new(account)),
        Err(_) => Record::Rejected(sterna_core::port::Rejected {
            position: "mended record".to_owned(),
            code: Code::E3101,
            reason: "this is not an account in Sterna's form".to_owned(),
            raw: raw.to_vec(),
        }),
    }
}
