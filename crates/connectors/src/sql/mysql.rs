//! MySQL and MariaDB: one read-only snapshot, rows streamed as text; side queries on a second connection.

use mysql_async::{
    Conn, Opts, OptsBuilder, SslOpts, Value,
    consts::{ColumnFlags, ColumnType},
    prelude::Queryable,
};
use secrecy::ExposeSecret;

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

/// The character set number of columns that hold bytes.
const BINARY: u16 = 63;

/// The driver's own form of the connection's settings.
pub(super) fn opts(connection: &Connection) -> Result<OptsBuilder, Failure> {
    // the driver builds its TLS settings with the process's provider; a second installation changes nothing
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let password = connection.password()?.map(|password| password.expose_secret().to_owned());
    let tls = connection.encrypted.then(|| {
        let options = SslOpts::default();
        match &connection.ca_file {
            Some(path) => options.with_disable_built_in_roots(true).with_root_certs(vec![path.clone().into()]),
            None => options,
        }
    });
    Ok(OptsBuilder::default()
        .ip_or_hostname(connection.host.clone())
        .tcp_port(connection.port)
        .socket(connection.socket.as_ref().map(|path| path.display().to_string()))
        .prefer_socket(Some(connection.socket.is_some()))
        .user(Some(connection.user.clone()))
        .pass(password)
        .db_name(Some(connection.database.clone()))
        .ssl_opts(tls)
        .setup(vec!["SET SESSION TRANSACTION READ ONLY"]))
}

/// Connects, and begins a read-only snapshot.
pub(super) async fn snapshot(connection: &Connection) -> Result<Conn, Failure> {
    let connecting = Conn::new(Opts::from(opts(connection)?));
    let connected = tokio::time::timeout(connection.timeout, connecting).await.map_err(|_| Failure::timed_out())?;
    let mut conn = connected.map_err(|error| failure::mysql(&error, Words::Tell))?;
    for statement in [
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ] {
        conn.query_drop(statement).await.map_err(|error| failure::mysql(&error, AT_START))?;
    }
    Ok(conn)
}

/// All rows of a query, of which there may be `most`.
pub(super) async fn ask(conn: &mut Conn, query: &str, most: usize, words: Words) -> Result<Vec<Row>, Failure> {
    let (_, sorts) = prepared(conn, query, words).await?;
    let failed = |error: mysql_async::Error| failure::mysql(&error, Words::Withhold);
    let mut rows = Vec::new();
    let mut result = conn.query_iter(query).await.map_err(failed)?;
    while let Some(row) = result.next().await.map_err(failed)? {
        rows.push(cells(row, &sorts));
        if rows.len() > most {
            break;
        }
    }
    Ok(rows)
}

/// Reads to the end, or as long as somebody takes what is read.
pub(super) async fn run(connection: Connection, queries: Queries, key: String, sender: Sender) {
    if let Err(failure) = read(&connection, &queries, &key, &sender).await {
        let _ = sender.send(Sent::Failed(failure)).await;
    }
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Number,
    Flag,
    Bit,
    Json,
    Time,
    Bytes,
}

struct Side {
    at: usize,
    query: String,
    sorts: Vec<Sort>,
    places: Vec<usize>,
    key: String,
}

async fn read(connection: &Connection, queries: &Queries, key: &str, sender: &Sender) -> Result<(), Failure> {
    let mut conn = snapshot(connection).await?;
    let main = trimmed(&queries.main);
    let (names, sorts) = prepared(&mut conn, main, AT_START).await?;
    let key = position(&names, key);
    let mut beside = if queries.sides.iter().any(Option::is_some) { Some(snapshot(connection).await?) } else { None };
    let mut sides = Vec::new();
    for (at, query) in queries.sides.iter().enumerate() {
        if let (Some(query), Some(beside)) = (query, &mut beside) {
            let query = trimmed(query).to_owned();
            let (names, sorts) = prepared(beside, &query, AT_START).await?;
            let places = side_places(at, &names)?;
            let key = format!("`{}`", names[places[0]].replace('`', "``"));
            sides.push(Side { at, query, sorts, places, key });
        }
    }
    if sender.send(Sent::Columns(names)).await.is_err() {
        return Ok(());
    }
    let failed = |error: mysql_async::Error| failure::mysql(&error, Words::Withhold);
    let mut result = conn.query_iter(main).await.map_err(failed)?;
    loop {
        let (mut rows, mut bytes, mut ended) = (Vec::new(), 0, false);
        while !is_full(&rows, bytes) {
            let Some(row) = result.next().await.map_err(failed)? else {
                ended = true;
                break;
            };
            let row = cells(row, &sorts);
            bytes += size(&row);
            rows.push(row);
        }
        if !rows.is_empty() {
            let mut extras = vec![Extra::default(); rows.len()];
            if let (Some(key), Some(beside)) = (key, &mut beside) {
                add_sides(beside, &sides, &rows, key, &mut extras).await?;
            }
            if sender.send(Sent::Batch(Batch { rows, extras })).await.is_err() {
                return Ok(());
            }
        }
        if ended {
            let _ = sender.send(Sent::End).await;
            return Ok(());
        }
    }
}

async fn add_sides(
    conn: &mut Conn,
    sides: &[Side],
    rows: &[Row],
    key: usize,
    extras: &mut [Extra],
) -> Result<(), Failure> {
    let failed = |error: mysql_async::Error| failure::mysql(&error, Words::Withhold);
    let list = literals(rows, key, literal);
    if list.is_empty() {
        return Ok(());
    }
    for side in sides {
        let mut found = Vec::new();
        let mut result = conn.query_iter(for_keys(&side.query, &side.key, &list)).await.map_err(failed)?;
        while let Some(row) = result.next().await.map_err(failed)? {
            found.push(cells(row, &side.sorts));
            if found.len() > SIDE_ROWS {
                return Err(too_many(side.at));
            }
        }
        deal(extras, rows, key, side.at, &side.places, found)?;
    }
    Ok(())
}

/// The columns of a query that is one statement and gives rows.
async fn prepared(conn: &mut Conn, query: &str, words: Words) -> Result<(Vec<String>, Vec<Sort>), Failure> {
    let statement = conn.prep(query).await.map_err(|error| failure::mysql(&error, words))?;
    let columns: Vec<_> = statement
        .columns()
        .iter()
        .map(|column| {
            let is_bytes = column.character_set() == BINARY && column.flags().contains(ColumnFlags::BINARY_FLAG);
            let sort = sort(column.column_type(), column.column_length(), is_bytes);
            (column.name_str().into_owned(), sort)
        })
        .collect();
    let _ = conn.close(statement).await;
    if columns.is_empty() {
        return Err(Failure::new(Fault::Query, "the query gives no columns: it must be one SELECT"));
    }
    Ok(columns.into_iter().unzip())
}

fn sort(kind: ColumnType, length: u32, is_bytes: bool) -> Sort {
    use ColumnType as T;
    match kind {
        T::MYSQL_TYPE_TINY if length == 1 => Sort::Flag,
        T::MYSQL_TYPE_BIT if length == 1 => Sort::Bit,
        T::MYSQL_TYPE_TINY
        | T::MYSQL_TYPE_SHORT
        | T::MYSQL_TYPE_LONG
        | T::MYSQL_TYPE_INT24
        | T::MYSQL_TYPE_LONGLONG => Sort::Number,
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_TIMESTAMP => Sort::Time,
        T::MYSQL_TYPE_JSON => Sort::Json,
        T::MYSQL_TYPE_BIT => Sort::Bytes,
        T::MYSQL_TYPE_VAR_STRING
        | T::MYSQL_TYPE_STRING
        | T::MYSQL_TYPE_BLOB
        | T::MYSQL_TYPE_TINY_BLOB
        | T::MYSQL_TYPE_MEDIUM_BLOB
        | T::MYSQL_TYPE_LONG_BLOB
            if is_bytes =>
        {
            Sort::Bytes
        }
        _ => Sort::Text,
    }
}

fn cells(row: mysql_async::Row, sorts: &[Sort]) -> Row {
    let sorts = sorts.iter().copied().chain(std::iter::repeat(Sort::Text));
    row.unwrap().into_iter().zip(sorts).map(|(value, sort)| cell(value, sort)).collect()
}

fn cell(value: Value, sort: Sort) -> Cell {
    let Value::Bytes(bytes) = value else {
        return Cell::Null;
    };
    if sort == Sort::Bytes {
        return Cell::Bytes(bytes);
    }
    if sort == Sort::Bit {
        return Cell::Flag(bytes.last().is_some_and(|byte| *byte == 1));
    }
    match (sort, Cell::text(bytes)) {
        (Sort::Number, Cell::Text(text)) => Cell::Number(text),
        (Sort::Flag, Cell::Text(text)) if text == "0" || text == "1" => Cell::Flag(text == "1"),
        (Sort::Flag, Cell::Text(text)) => Cell::Number(text),
        (Sort::Json, Cell::Text(text)) => Cell::json(text),
        (Sort::Time, Cell::Text(text)) if text.starts_with("0000-00-00") => Cell::Null,
        (_, cell) => cell,
    }
}

/// A key as a literal: numbers bare, so that an index is used; texts with both characters escaped that have a meaning.
fn literal(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Number(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            Some(text.clone())
        }
        cell => cell.key().map(quoted),
    }
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
