//! PostgreSQL: one read-only snapshot, a cursor, every value by its text.

use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use secrecy::ExposeSecret;
use tokio_postgres::{
    Client, Config, NoTls, SimpleQueryMessage, SimpleQueryRow, Statement,
    config::SslMode,
    types::{Kind, Type},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    array::array,
    connection::Connection,
    failure::{self, Failure, Fault, Words},
    reading::{
        AT_START, Batch, Queries, SIDE_ROWS, Sender, Sent, deal, for_keys, literals, next_fetch, side_places, too_many,
        trimmed,
    },
    rows::{Extra, position},
    value::{Cell, Row},
};
use crate::tls;

/// What the reading session is set to: forms of values that are understood here.
const SESSION: &str = "SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET bytea_output = 'hex'; \
                       SET standard_conforming_strings = on; SET client_encoding = 'UTF8'; \
                       SET default_transaction_read_only = on; SET application_name = 'sterna'";

/// How many rows the first fetch asks for, before anything is known of their size.
const FIRST_FETCH: usize = 100;

/// The driver's own form of the connection's settings.
pub(super) fn config(connection: &Connection) -> Result<Config, Failure> {
    let mut config = Config::new();
    config.user(&connection.user).dbname(&connection.database).port(connection.port);
    match &connection.socket {
        Some(path) => config.host_path(path),
        None => config.host(&connection.host),
    };
    config.connect_timeout(connection.timeout).keepalives_idle(Duration::from_secs(30));
    config.ssl_mode(if connection.encrypted { SslMode::Require } else { SslMode::Disable });
    if let Some(password) = connection.password()? {
        config.password(password.expose_secret());
    }
    Ok(config)
}

/// TLS by the connection's settings.
pub(super) fn encryption(connection: &Connection) -> Result<MakeRustlsConnect, Failure> {
    let client = tls::client(connection.ca_file.as_deref());
    let client = client.map_err(|error| Failure::new(Fault::Untrusted, error.to_string()))?;
    Ok(MakeRustlsConnect::new((*client).clone()))
}

/// Connects.
pub(super) async fn connect(connection: &Connection) -> Result<Client, Failure> {
    let config = config(connection)?;
    let refused = |error: tokio_postgres::Error| failure::postgres(&error, Words::Tell);
    let connect = async {
        if connection.encrypted {
            let (client, line) = config.connect(encryption(connection)?).await.map_err(refused)?;
            tokio::spawn(line);
            Ok(client)
        } else {
            let (client, line) = config.connect(NoTls).await.map_err(refused)?;
            tokio::spawn(line);
            Ok(client)
        }
    };
    tokio::time::timeout(connection.timeout, connect).await.unwrap_or_else(|_| Err(Failure::timed_out()))
}

/// Connects, and begins a read-only snapshot.
pub(super) async fn snapshot(connection: &Connection) -> Result<Client, Failure> {
    let client = connect(connection).await?;
    for statement in [SESSION, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"] {
        client.batch_execute(statement).await.map_err(|error| failure::postgres(&error, AT_START))?;
    }
    Ok(client)
}

/// All rows of a query, of which there may be `most`.
pub(super) async fn ask(client: &Client, query: &str, most: usize, words: Words) -> Result<Vec<Row>, Failure> {
    let statement = client.prepare(query).await.map_err(|error| failure::postgres(&error, words))?;
    select(client, query, &columns(&statement).1, most).await
}

/// Reads to the end, or as long as somebody takes what is read.
pub(super) async fn run(connection: Connection, queries: Queries, key: String, sender: Sender) {
    if let Err(failure) = read(&connection, &queries, &key, &sender).await {
        let _ = sender.send(Sent::Failed(failure)).await;
    }
}

struct Side {
    at: usize,
    query: String,
    types: Vec<Type>,
    places: Vec<usize>,
    key: String,
}

async fn read(connection: &Connection, queries: &Queries, key: &str, sender: &Sender) -> Result<(), Failure> {
    let client = snapshot(connection).await?;
    let told = |error: tokio_postgres::Error| failure::postgres(&error, AT_START);
    let main = trimmed(&queries.main);
    let statement = client.prepare(main).await.map_err(told)?;
    let (names, types) = columns(&statement);
    let key = position(&names, key);
    let mut sides = Vec::new();
    for (at, query) in queries.sides.iter().enumerate() {
        if let Some(query) = query {
            sides.push(side(&client, at, trimmed(query)).await?);
        }
    }
    client.batch_execute(&format!("DECLARE sterna NO SCROLL CURSOR FOR\n{main}")).await.map_err(told)?;
    if sender.send(Sent::Columns(names)).await.is_err() {
        return Ok(());
    }
    let mut fetch = FIRST_FETCH;
    loop {
        let rows = select(&client, &format!("FETCH {fetch} FROM sterna"), &types, usize::MAX).await?;
        if rows.is_empty() {
            let _ = sender.send(Sent::End).await;
            return Ok(());
        }
        fetch = next_fetch(&rows);
        let mut extras = vec![Extra::default(); rows.len()];
        for side in &sides {
            let Some(key) = key else { break };
            let list = literals(&rows, key, |cell| cell.key().map(literal));
            if list.is_empty() {
                continue;
            }
            let found = select(&client, &for_keys(&side.query, &side.key, &list), &side.types, SIDE_ROWS).await?;
            if found.len() > SIDE_ROWS {
                return Err(too_many(side.at));
            }
            deal(&mut extras, &rows, key, side.at, &side.places, found)?;
        }
        if sender.send(Sent::Batch(Batch { rows, extras })).await.is_err() {
            return Ok(());
        }
    }
}

async fn side(client: &Client, at: usize, query: &str) -> Result<Side, Failure> {
    let statement = client.prepare(query).await.map_err(|error| failure::postgres(&error, AT_START))?;
    let (names, types) = columns(&statement);
    let places = side_places(at, &names)?;
    let key = format!("\"{}\"", names[places[0]].replace('"', "\"\""));
    Ok(Side { at, query: query.to_owned(), types, places, key })
}

fn columns(statement: &Statement) -> (Vec<String>, Vec<Type>) {
    statement.columns().iter().map(|column| (column.name().to_owned(), column.type_().clone())).unzip()
}

/// A literal of any type: with standard strings, quotes alone have a meaning.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

async fn select(client: &Client, query: &str, types: &[Type], most: usize) -> Result<Vec<Row>, Failure> {
    let failed = |error: tokio_postgres::Error| failure::postgres(&error, Words::Withhold);
    let stream = client.simple_query_raw(query).await.map_err(failed)?;
    pin_mut!(stream);
    let mut rows = Vec::new();
    while let Some(message) = stream.next().await {
        if let SimpleQueryMessage::Row(row) = message.map_err(failed)? {
            rows.push(types.iter().enumerate().map(|(at, kind)| cell(&row, at, kind)).collect());
            if rows.len() > most {
                break;
            }
        }
    }
    Ok(rows)
}

fn cell(row: &SimpleQueryRow, at: usize, kind: &Type) -> Cell {
    match row.try_get(at) {
        Ok(Some(text)) => value(text, kind),
        Ok(None) => Cell::Null,
        Err(_) => Cell::Broken(Vec::new()),
    }
}

/// A value by its text and type.
fn value(text: &str, kind: &Type) -> Cell {
    let owned = || text.to_owned();
    match kind.kind() {
        Kind::Domain(inner) => return value(text, inner),
        Kind::Array(_) => return array(text).map_or_else(|| Cell::Text(owned()), Cell::Texts),
        _ => {}
    }
    match *kind {
        Type::BOOL => Cell::Flag(text == "t"),
        Type::INT2 | Type::INT4 | Type::INT8 => Cell::Number(owned()),
        Type::JSON | Type::JSONB => Cell::json(owned()),
        Type::BYTEA => text.strip_prefix("\\x").and_then(hex).map_or_else(|| Cell::Text(owned()), Cell::Bytes),
        Type::TIMESTAMPTZ => Cell::Text(rfc3339(text)),
        _ => Cell::Text(owned()),
    }
}

/// `2024-01-02 03:04:05.123+00` as RFC 3339; the session's zone is UTC. Infinities stay as they are.
fn rfc3339(text: &str) -> String {
    match text.strip_suffix("+00") {
        Some(plain) => format!("{}Z", plain.replacen(' ', "T", 1)),
        None => text.to_owned(),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
