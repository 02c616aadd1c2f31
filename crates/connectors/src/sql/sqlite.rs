//! SQLite: the file opened read-only, one read transaction, on a thread of its own.

use std::{path::Path, time::Duration};

use rusqlite::{OpenFlags, types::ValueRef};

use super::{
    connection::Connection,
    failure::{self, Failure, Fault, Words},
    reading::{
        AT_START, Batch, Queries, SIDE_ROWS, Sender, Sent, deal, for_keys, is_full, literals, side_places, too_many,
        trimmed,
    },
    rows::{Extra, position},
    value::{Cell, Row, size},
};

/// Opens a database file that nothing here can change.
pub(super) fn open(path: &Path, timeout: Duration) -> Result<rusqlite::Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let told = |error: rusqlite::Error| failure::sqlite(&error, AT_START);
    let database = rusqlite::Connection::open_with_flags(path, flags).map_err(told)?;
    database.busy_timeout(timeout).map_err(told)?;
    database.execute_batch("PRAGMA query_only = 1; BEGIN").map_err(told)?;
    Ok(database)
}

/// Reads to the end, or as long as somebody takes what is read.
pub(super) fn run(connection: &Connection, queries: &Queries, key: &str, sender: &Sender) {
    if let Err(failure) = read(connection, queries, key, sender) {
        let _ = sender.blocking_send(Sent::Failed(failure));
    }
}

struct Side {
    at: usize,
    query: String,
    places: Vec<usize>,
    key: String,
}

fn read(connection: &Connection, queries: &Queries, key: &str, sender: &Sender) -> Result<(), Failure> {
    let database = open(&connection.file, connection.timeout)?;
    let mut statement = prepare(&database, trimmed(&queries.main))?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = names.len();
    let key = position(&names, key);
    let mut sides = Vec::new();
    for (at, query) in queries.sides.iter().enumerate() {
        if let Some(query) = query {
            let names: Vec<String> = prepare(&database, trimmed(query))?.column_names().map(str::to_owned).collect();
            let places = side_places(at, &names)?;
            let key = format!("\"{}\"", names[places[0]].replace('"', "\"\""));
            sides.push(Side { at, query: trimmed(query).to_owned(), places, key });
        }
    }
    if sender.blocking_send(Sent::Columns(names)).is_err() {
        return Ok(());
    }
    let failed = |error: rusqlite::Error| failure::sqlite(&error, Words::Withhold);
    let mut result = statement.query([]).map_err(failed)?;
    loop {
        let (mut rows, mut bytes, mut ended) = (Vec::new(), 0, false);
        while !is_full(&rows, bytes) {
            let Some(row) = result.next().map_err(failed)? else {
                ended = true;
                break;
            };
            let row = cells(row, width).map_err(failed)?;
            bytes += size(&row);
            rows.push(row);
        }
        if !rows.is_empty() {
            let mut extras = vec![Extra::default(); rows.len()];
            if let Some(key) = key {
                add_sides(&database, &sides, &rows, key, &mut extras)?;
            }
            if sender.blocking_send(Sent::Batch(Batch { rows, extras })).is_err() {
                return Ok(());
            }
        }
        if ended {
            let _ = sender.blocking_send(Sent::End);
            return Ok(());
        }
    }
}

fn add_sides(
    database: &rusqlite::Connection,
    sides: &[Side],
    rows: &[Row],
    key: usize,
    extras: &mut [Extra],
) -> Result<(), Failure> {
    let failed = |error: rusqlite::Error| failure::sqlite(&error, Words::Withhold);
    let list = literals(rows, key, literal);
    if list.is_empty() {
        return Ok(());
    }
    for side in sides {
        let mut statement = database.prepare(&for_keys(&side.query, &side.key, &list)).map_err(failed)?;
        let width = statement.column_count();
        let mut result = statement.query([]).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = result.next().map_err(failed)? {
            found.push(cells(row, width).map_err(failed)?);
            if found.len() > SIDE_ROWS {
                return Err(too_many(side.at));
            }
        }
        deal(extras, rows, key, side.at, &side.places, found)?;
    }
    Ok(())
}

/// One statement that gives rows and changes nothing.
pub(super) fn prepare<'d>(database: &'d rusqlite::Connection, query: &str) -> Result<rusqlite::Statement<'d>, Failure> {
    let statement = database.prepare(query).map_err(|error| failure::sqlite(&error, AT_START))?;
    if statement.column_count() == 0 || !statement.readonly() {
        return Err(Failure::new(Fault::Query, "the query must be one SELECT"));
    }
    Ok(statement)
}

/// The values of a row.
pub(super) fn cells(row: &rusqlite::Row<'_>, width: usize) -> rusqlite::Result<Row> {
    (0..width)
        .map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Number(number.to_string()),
                ValueRef::Real(number) => Cell::Number(number.to_string()),
                ValueRef::Text(text) => Cell::text(text.to_vec()),
                ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
            })
        })
        .collect()
}

fn literal(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Number(text) => Some(text.clone()),
        cell => cell.key().map(|text| format!("'{}'", text.replace('\'', "''"))),
    }
}
