//! Sorts more look-up entries than fit in memory: sorted runs in a temporary table, merged as they are read.
//!
//! A row of the temporary table holds some thousand entries: one by one, as rows that the store sorts, they cost three
//! times as much. Memory is bounded by one run, and one row of each run while they are merged.

use std::{cmp::Reverse, collections::BinaryHeap};

use rusqlite::{Connection, params};

use crate::{error::LedgerError, seal::Digest};

/// Entries of one run: 16 MB.
const RUN: usize = 500_000;
/// Entries of one row.
const ROW: usize = 2_048;
/// Bytes of one entry as it is kept.
const BYTES: usize = 25;

/// A digest of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) digest: Digest,
    pub(crate) kind: u8,
    pub(crate) ordinal: i64,
}

impl Entry {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.digest);
        out.push(self.kind);
        out.extend_from_slice(&self.ordinal.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk()?;
        let ([kind], rest) = rest.split_first_chunk()?;
        Some(Self { digest: *digest, kind: *kind, ordinal: i64::from_be_bytes(rest.try_into().ok()?) })
    }
}

/// Takes entries in any order.
pub(crate) struct Sorter<'s> {
    store: &'s Connection,
    limit: usize,
    run: Vec<Entry>,
    runs: i64,
}

impl<'s> Sorter<'s> {
    /// An empty one; what an earlier one has left is dropped.
    pub(crate) fn new(store: &'s Connection) -> Result<Self, LedgerError> {
        store
            .execute_batch(
                "DROP TABLE IF EXISTS temp.run;
                 CREATE TEMP TABLE run (id INTEGER PRIMARY KEY, entries BLOB NOT NULL);",
            )
            .map_err(LedgerError::store("sorting"))?;
        Ok(Self { store, limit: RUN, run: Vec::new(), runs: 0 })
    }

    /// Takes one entry.
    pub(crate) fn push(&mut self, entry: Entry) -> Result<(), LedgerError> {
        self.run.push(entry);
        if self.run.len() >= self.limit { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), LedgerError> {
        let doing = LedgerError::store("sorting");
        self.run.sort_unstable();
        let mut insert =
            self.store.prepare_cached("INSERT INTO temp.run (id, entries) VALUES (?1, ?2)").map_err(&doing)?;
        let mut bytes = Vec::with_capacity(ROW * BYTES);
        for (id, entries) in (row_id(self.runs)..).zip(self.run.chunks(ROW)) {
            bytes.clear();
            for entry in entries {
                entry.write(&mut bytes);
            }
            insert.execute(params![id, bytes]).map_err(&doing)?;
        }
        self.run.clear();
        self.runs += 1;
        Ok(())
    }

    /// All entries in order.
    pub(crate) fn sorted(mut self) -> Result<Sorted<'s>, LedgerError> {
        if self.runs > 0 && !self.run.is_empty() {
            self.spill()?;
        }
        self.run.sort_unstable();
        let mut runs = vec![Run { next_row: None, entries: self.run, at: 0 }];
        runs.extend((0..self.runs).map(|run| Run { next_row: Some(row_id(run)), entries: Vec::new(), at: 0 }));
        let mut sorted = Sorted { store: self.store, heads: BinaryHeap::with_capacity(runs.len()), runs };
        for run in 0..sorted.runs.len() {
            sorted.advance(run)?;
        }
        Ok(sorted)
    }
}

/// The first row of a run; no run has 2^32 rows.
fn row_id(run: i64) -> i64 {
    run << 32
}

struct Run {
    /// Where its next row is; `None` when all of it is in memory.
    next_row: Option<i64>,
    entries: Vec<Entry>,
    at: usize,
}

/// Entries in order.
pub(crate) struct Sorted<'s> {
    store: &'s Connection,
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl Sorted<'_> {
    /// The next entry.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, LedgerError> {
        let Some(Reverse((entry, run))) = self.heads.pop() else { return Ok(None) };
        self.advance(run)?;
        Ok(Some(entry))
    }

    /// Drops what was kept of it.
    pub(crate) fn end(self) -> Result<(), LedgerError> {
        self.store.execute_batch("DROP TABLE temp.run").map_err(LedgerError::store("sorting"))
    }

    /// Makes the next entry of a run one of the heads.
    fn advance(&mut self, number: usize) -> Result<(), LedgerError> {
        let Some(run) = self.runs.get_mut(number) else { return Ok(()) };
        if run.at >= run.entries.len() {
            run.refill(self.store)?;
        }
        if let Some(entry) = run.entries.get(run.at) {
            run.at += 1;
            self.heads.push(Reverse((*entry, number)));
        }
        Ok(())
    }
}

impl Run {
    fn refill(&mut self, store: &Connection) -> Result<(), LedgerError> {
        let doing = LedgerError::store("sorting");
        let Some(id) = self.next_row else { return Ok(()) };
        (self.at, self.next_row) = (0, None);
        self.entries.clear();
        let mut select = store.prepare_cached("SELECT entries FROM temp.run WHERE id = ?1").map_err(&doing)?;
        let mut rows = select.query([id]).map_err(&doing)?;
        if let Some(row) = rows.next().map_err(&doing)? {
            let bytes = row.get_ref(0).and_then(|value| Ok(value.as_blob()?)).map_err(&doing)?;
            self.entries.extend(bytes.chunks_exact(BYTES).filter_map(Entry::read));
            self.next_row = Some(id + 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: i64, limit: usize) {
        let store = Connection::open_in_memory().unwrap();
        let mut sorter = Sorter { limit, ..Sorter::new(&store).unwrap() };
        let entry = |number: i64| {
            let scattered = number.wrapping_mul(0x5851_F42D_4C95_7F2D).cast_unsigned();
            let digest = u128::from(scattered).rotate_left(40).to_be_bytes();
            Entry { digest, kind: u8::try_from(number % 2).unwrap(), ordinal: -number }
        };
        let mut expected: Vec<Entry> = (0..count).map(entry).collect();
        for entry in &expected {
            sorter.push(*entry).unwrap();
        }
        expected.sort_unstable();
        let mut sorted = sorter.sorted().unwrap();
        let mut got = Vec::new();
        while let Some(entry) = sorted.next().unwrap() {
            got.push(entry);
        }
        assert!(got == expected, "{count} entries in runs of {limit}");
        sorted.end().unwrap();
    }

    #[test]
    fn entries_come_in_order_whether_they_fit_in_memory_or_not() {
        for (count, limit) in [(0, 10), (7, 10), (10, 10), (95, 10), (9_000, 4_500), (9_001, 4_500), (5_000, 9_000)] {
            check(count, limit);
        }
    }
}
