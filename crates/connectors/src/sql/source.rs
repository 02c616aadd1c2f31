//! The source: pages of one snapshot, for as long as it lives.

use async_trait::async_trait;
use sterna_core::{
    code::{Code, Finding},
    port::{Cursor, Page, Record, Source, SourceError},
    registry::Context,
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    connection::{Connection, Engine},
    failure::Failure,
    mysql, postgres,
    reading::{Queries, Sent},
    rows::Shape,
    sqlite,
};
use crate::text::{Column, Columns, MENDED, Mistake, rejected};

/// A database as a source.
pub(super) struct SqlSource {
    pub(super) connection: Connection,
    pub(super) columns: Columns,
    pub(super) queries: Queries,
    pub(super) php_roles: bool,
    pub(super) context: Context,
    pub(super) stream: Option<Stream>,
    pub(super) shape: Option<Shape>,
}

/// An open snapshot.
pub(super) struct Stream {
    receiver: mpsc::Receiver<Sent>,
    task: JoinHandle<()>,
    /// What no other stream is called.
    name: String,
    pages: u64,
    rows: u64,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stream {
    fn cursor(&self) -> Cursor {
        Cursor(format!("{}:{}", self.name, self.pages))
    }
}

impl SqlSource {
    /// Begins a snapshot and learns the result's columns.
    async fn begin(&self) -> Result<(Stream, Vec<String>), Failure> {
        let (sender, receiver) = mpsc::channel(1);
        let (connection, queries, key) = (self.connection.clone(), self.queries.clone(), self.key());
        let task = match connection.engine {
            Engine::Postgres => tokio::spawn(postgres::run(connection, queries, key, sender)),
            Engine::Mysql => tokio::spawn(mysql::run(connection, queries, key, sender)),
            Engine::Sqlite => tokio::task::spawn_blocking(move || sqlite::run(&connection, &queries, &key, &sender)),
        };
        let mut random = [0; 16];
        let _ = self.context.entropy.fill(&mut random);
        let name = format!("{:032x}", u128::from_be_bytes(random));
        let mut stream = Stream { receiver, task, name, pages: 0, rows: 0 };
        match self.receive(&mut stream).await? {
            Sent::Columns(names) => Ok((stream, names)),
            Sent::Batch(_) | Sent::End | Sent::Failed(_) => Err(lost()),
        }
    }

    async fn receive(&self, stream: &mut Stream) -> Result<Sent, Failure> {
        match timeout(self.connection.timeout, stream.receiver.recv()).await {
            Err(_) => Err(Failure::timed_out()),
            // a task that ends without a word has not read to the end
            Ok(None) => Err(lost()),
            Ok(Some(Sent::Failed(failure))) => Err(failure),
            Ok(Some(sent)) => Ok(sent),
        }
    }

    fn key(&self) -> String {
        let key = self.columns.table.iter().find(|(column, _)| *column == Column::Named("key"));
        key.map_or("id", |(_, from)| from).to_owned()
    }

    async fn open(&mut self) -> Result<Stream, SourceError> {
        let (stream, names) = self.begin().await.map_err(Failure::into_error)?;
        let shape = Shape::new(&self.columns, names, self.php_roles).map_err(|finding| {
            let (code, text) = (finding.code, finding.message);
            finding
                .hints
                .into_iter()
                .next()
                .map_or(SourceError::new(code, text.clone()), |hint| SourceError::new(code, text).hint(hint))
        })?;
        self.shape = Some(shape);
        Ok(stream)
    }

    async fn page(&self, stream: &mut Stream) -> Result<(Vec<Record>, bool), SourceError> {
        let Some(shape) = &self.shape else { return Err(ended()) };
        match self.receive(stream).await.map_err(Failure::into_error)? {
            Sent::Batch(batch) => {
                let mut records = Vec::with_capacity(batch.rows.len());
                for (row, extra) in batch.rows.iter().zip(&batch.extras) {
                    stream.rows += 1;
                    records.push(shape.record(stream.rows, row, extra));
                }
                Ok((records, false))
            }
            Sent::End => Ok((Vec::new(), true)),
            Sent::Columns(_) | Sent::Failed(_) => Err(lost().into_error()),
        }
    }
}

fn lost() -> Failure {
    Failure::new(super::failure::Fault::Unreachable, "the connection to the database was lost")
}

fn ended() -> SourceError {
    SourceError::new(Code::E3006, "the snapshot ended with the program that took it; it is read again from its start")
}

#[async_trait]
impl Source for SqlSource {
    async fn preflight(&mut self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.connection.open_line().into_iter().collect();
        match self.begin().await {
            Err(failure) => findings.push(failure.into_finding()),
            Ok((_stream, names)) => {
                let told = format!("the query gives the columns {}", names.join(", "));
                match Shape::new(&self.columns, names, self.php_roles) {
                    Err(finding) => findings.push(finding),
                    Ok(shape) => {
                        self.shape = Some(shape);
                        findings.push(Finding::note(Code::E3014, told));
                    }
                }
            }
        }
        findings
    }

    async fn read(&mut self, cursor: Option<&Cursor>) -> Result<Page, SourceError> {
        let held = self.stream.take();
        let mut stream = match cursor {
            None => self.open().await?,
            Some(cursor) => held.filter(|stream| stream.cursor() == *cursor).ok_or_else(ended)?,
        };
        let (records, at_end) = self.page(&mut stream).await?;
        stream.pages += 1;
        let next = (!at_end).then(|| stream.cursor());
        self.stream = next.is_some().then_some(stream);
        Ok(Page { records, next, done: None })
    }

    fn mend(&mut self, raw: &[u8]) -> Record {
        match &self.shape {
            Some(shape) => shape.mend(raw),
            None => match Shape::of_members(&self.columns, raw, self.php_roles) {
                Ok(shape) => shape.mend(raw),
                Err(reason) => rejected(MENDED.to_owned(), Mistake::new(Code::E3101, reason), raw),
            },
        }
    }
}
