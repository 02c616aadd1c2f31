//! What is read (the queries) and how it comes: batches through a bounded channel, from a task that owns the connection.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::{
    failure::{Failure, Fault, Words},
    rows::{Extra, SIDES, position},
    value::{Cell, Row, size},
};

/// Most rows of a batch.
pub(super) const BATCH_ROWS: usize = 1_000;

/// A batch ends when its rows take about this much memory, in bytes.
pub(super) const BATCH_BYTES: usize = 4 << 20;

/// Most side rows of one batch; one that has more is no query about these keys.
pub(super) const SIDE_ROWS: usize = 200_000;

/// The queries of a source.
#[derive(Clone, Debug, Default)]
pub(super) struct Queries {
    pub(super) main: String,
    pub(super) sides: [Option<String>; 4],
}

/// What a side query's result must have, in order.
pub(super) const SIDE_COLUMNS: [&[&str]; 4] =
    [&["key", "issuer", "subject"], &["key", "name"], &["key", "name"], &["key", "name", "value"]];

/// Rows and what belongs to them.
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    pub(super) extras: Vec<Extra>,
}

/// What a reading task sends: the result's columns first, then batches; it ends with [`Sent::End`] alone.
pub(super) enum Sent {
    Columns(Vec<String>),
    Batch(Batch),
    End,
    Failed(Failure),
}

/// The way to the source.
pub(super) type Sender = mpsc::Sender<Sent>;

/// The query as a table, for the keys of one batch.
pub(super) fn for_keys(query: &str, quoted_key: &str, literals: &str) -> String {
    format!("SELECT * FROM (\n{query}\n) AS q WHERE q.{quoted_key} IN ({literals})")
}

/// The operator's query without the semicolon at its end.
pub(super) fn trimmed(query: &str) -> &str {
    query.trim_end().trim_end_matches(';').trim_end()
}

/// Where in a side query's result the wanted columns stand.
pub(super) fn side_places(side: usize, names: &[String]) -> Result<Vec<usize>, Failure> {
    SIDE_COLUMNS[side]
        .iter()
        .map(|wanted| {
            position(names, wanted).ok_or_else(|| {
                let text = format!("the query `{}` gives no column `{wanted}`", SIDES[side]);
                Failure::new(Fault::Query, text)
            })
        })
        .collect()
}

/// The keys of a batch as SQL literals, by the given way to quote one.
pub(super) fn literals(rows: &[Row], key: usize, quote: impl Fn(&Cell) -> Option<String>) -> String {
    rows.iter().filter_map(|row| quote(row.get(key)?)).collect::<Vec<_>>().join(",")
}

/// Deals side rows out to the accounts that they belong to.
///
/// # Errors
/// When a row belongs to none of them: the database takes keys for the same that differ, and its rows would be lost.
pub(super) fn deal(
    extras: &mut [Extra],
    rows: &[Row],
    key: usize,
    side: usize,
    places: &[usize],
    found: Vec<Row>,
) -> Result<(), Failure> {
    // of rows with one key the first is kept, and the others are rejected as duplicates
    let (mut by_key, mut alike): (HashMap<&str, usize>, HashMap<String, usize>) = (HashMap::new(), HashMap::new());
    for (at, row) in rows.iter().enumerate() {
        if let Some(key) = row.get(key).and_then(Cell::key) {
            by_key.entry(key).or_insert(at);
            alike.entry(collated(key)).or_insert(at);
        }
    }
    for mut row in found {
        let key = places.first().and_then(|place| row.get(*place)?.key());
        let at = key.and_then(|key| by_key.get(key).or_else(|| alike.get(&collated(key))).copied());
        let Some(extra) = at.and_then(|at| extras.get_mut(at)) else {
            let text = format!("the query `{}` gives a key that is not written as the account's is", SIDES[side]);
            return Err(Failure::new(Fault::Query, text));
        };
        let rest = places.iter().skip(1);
        extra.rows[side].push(rest.map(|place| std::mem::replace(&mut row[*place], Cell::Null)).collect());
    }
    Ok(())
}

/// The form in which databases mostly take two keys for the same: without case, and without spaces behind.
fn collated(key: &str) -> String {
    key.trim_end().to_lowercase()
}

/// Whether a batch is full.
pub(super) fn is_full(rows: &[Row], bytes: usize) -> bool {
    rows.len() >= BATCH_ROWS || bytes >= BATCH_BYTES
}

/// How many rows to ask for next, by how large the last ones were.
pub(super) fn next_fetch(last: &[Row]) -> usize {
    let bytes: usize = last.iter().map(|row| size(row)).sum();
    let average = bytes / last.len().max(1);
    (BATCH_BYTES / average.max(1)).clamp(1, BATCH_ROWS)
}

/// Too many side rows.
pub(super) fn too_many(side: usize) -> Failure {
    Failure::new(Fault::Query, format!("the query `{}` gives more than {SIDE_ROWS} rows for one page", SIDES[side]))
}

/// What may be told before rows are read.
pub(super) const AT_START: Words = Words::Tell;

#[cfg(test)]
mod tests {
    use super::*;

    /// The groups of each account of a page, by the keys of both queries.
    fn dealt(accounts: &[&str], groups: &[(&str, &str)]) -> Result<Vec<usize>, Fault> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let rows: Vec<Row> = accounts.iter().map(|key| vec![text(key)]).collect();
        let found = groups.iter().map(|(key, name)| vec![text(key), text(name)]).collect();
        let mut extras: Vec<Extra> = rows.iter().map(|_| Extra { rows: [const { Vec::new() }; 4] }).collect();
        deal(&mut extras, &rows, 0, 1, &[0, 1], found).map_err(|failure| failure.fault)?;
        Ok(extras.iter().map(|extra| extra.rows[1].len()).collect())
    }

    #[test]
    fn side_rows_find_their_account_or_the_reading_ends() {
        assert_eq!(dealt(&["1", "2"], &[("2", "a"), ("1", "b"), ("2", "c")]), Ok(vec![1, 2]));
        assert_eq!(dealt(&["7", "7"], &[("7", "a")]), Ok(vec![1, 0]), "the first of two with one key is kept");
        assert_eq!(dealt(&["Ana", "bo"], &[("ana", "a"), ("bo  ", "b")]), Ok(vec![1, 1]));
        assert_eq!(dealt(&["ana"], &[("zoe", "a")]), Err(Fault::Query));
    }
}
