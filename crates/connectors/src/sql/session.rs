//! One read-only snapshot that is asked several queries: for connectors that know a product's tables and read them page
//! by page. Every answer is bounded in rows and in time.

use tokio::time::timeout;

use super::{
    connection::{Connection, Engine},
    failure::{Failure, Fault, Words},
    mysql, postgres,
    value::Row,
};

/// A snapshot and the connection that holds it.
pub(crate) struct Session {
    line: Line,
    limit: std::time::Duration,
}

enum Line {
    Postgres(tokio_postgres::Client),
    Mysql(Box<mysql_async::Conn>),
}

impl Session {
    /// Connects, and begins a snapshot.
    ///
    /// # Errors
    /// When there is no connection, or the database is of a kind that has no sessions.
    pub(crate) async fn open(connection: &Connection) -> Result<Self, Failure> {
        let opening = async {
            Ok(match connection.engine {
                Engine::Postgres => Line::Postgres(postgres::snapshot(connection).await?),
                Engine::Mysql => Line::Mysql(Box::new(mysql::snapshot(connection).await?)),
                Engine::Sqlite => return Err(Failure::new(Fault::File, "an SQLite file is not read in this way")),
            })
        };
        let line = timeout(connection.timeout, opening).await.unwrap_or_else(|_| Err(Failure::timed_out()))?;
        Ok(Self { line, limit: connection.timeout })
    }

    /// All rows of one SELECT.
    ///
    /// # Errors
    /// When the database does not take the query, gives no answer in time, or gives more than `most` rows.
    pub(crate) async fn ask(&mut self, query: &str, most: usize, words: Words) -> Result<Vec<Row>, Failure> {
        let asking = async {
            match &mut self.line {
                Line::Postgres(client) => postgres::ask(client, query, most, words).await,
                Line::Mysql(conn) => mysql::ask(conn, query, most, words).await,
            }
        };
        let rows = timeout(self.limit, asking).await.unwrap_or_else(|_| Err(Failure::timed_out()))?;
        if rows.len() > most {
            return Err(Failure::new(Fault::Query, format!("one query gives more than {most} rows")));
        }
        Ok(rows)
    }

    /// A text as a literal of this database.
    pub(crate) fn literal(&self, text: &str) -> String {
        match &self.line {
            Line::Postgres(_) => postgres::literal(text),
            Line::Mysql(_) => mysql::quoted(text),
        }
    }

    /// Which database it is.
    pub(crate) fn engine(&self) -> Engine {
        match &self.line {
            Line::Postgres(_) => Engine::Postgres,
            Line::Mysql(_) => Engine::Mysql,
        }
    }
}
