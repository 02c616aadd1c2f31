//! The legacy check `sql-hash`: asks the old database for one account's hash at sign-in, and checks it here.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, PoolError, RecyclingMethod};
use mysql_async::prelude::Queryable;
use secrecy::SecretString;
use sterna_core::{
    account::UNKNOWN_FORMAT,
    code::{Code, Finding},
    legacy::{Attempt, LegacyCheck, Outage, Verdict, login_name},
    password::held,
    registry::{self, Context},
    settings::{Kind, Need, SecretRef, Setting, Values},
    support::{CheckSupport, Tells},
};
use tokio::{sync::OnceCell, time::timeout_at};
use tokio_postgres::{
    NoTls,
    types::{FromSql, IsNull, ToSql, Type, private::BytesMut},
};

use super::{
    connection::{CONNECTION, Connection, Engine},
    failure::{self, Failure, Fault, Words},
    mysql, postgres,
    reading::trimmed,
    sqlite,
    value::Cell,
};
use crate::{
    checks::HashPool,
    text::{NO as NO_WORDS, YES as YES_WORDS},
};

/// The settings of `connector = "sql-hash"`.
const SETTINGS: &[Setting] = &[
    CONNECTION[0],
    CONNECTION[1],
    CONNECTION[2],
    CONNECTION[3],
    CONNECTION[4],
    CONNECTION[5],
    Setting {
        name: "query",
        kind: Kind::Text,
        need: Need::Required,
        doc: "One SELECT with one placeholder ($1 for PostgreSQL, else ?) for the login name. It gives the column `hash`, \
              and may give format, active, locked and password.NAME.",
    },
    Setting {
        name: "login",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "The account attribute that is put in for the placeholder; left out, the first local sign-in name.",
    },
    Setting {
        name: "format",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "The format of hashes for which the query gives none; left out, each hash's own text tells it.",
    },
    Setting {
        name: "keys",
        kind: Kind::Secrets,
        need: Need::Optional,
        doc: "Peppers and keys that the formats need beside the hash (docs/password-hashes.md).",
    },
];

/// The kind in the registry.
pub struct CheckKind;

impl registry::CheckKind for CheckKind {
    fn kind(&self) -> &'static str {
        "sql-hash"
    }

    fn title(&self) -> &'static str {
        "the password hash in a database, asked for at each sign-in and checked here"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "url = \"postgres://reader@db.example.org:5432/app\"\n\
         password = { env = \"DB_PASSWORD\" }\n\
         query = \"SELECT password_hash AS hash, active FROM users WHERE email = $1\"\n\
         # login = \"email\"\n\
         # format = \"bcrypt-2a\"\n"
    }

    fn support(&self) -> Option<CheckSupport> {
        Some(CheckSupport {
            tells: &[Tells::Unknown, Tells::Locked, Tells::Disabled, Tells::Upgrade],
            tested_with: &["PostgreSQL", "MariaDB"],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Arc<dyn LegacyCheck>, Vec<Finding>> {
        Ok(Arc::new(SqlHash {
            connection: Connection::new(values, context)?,
            query: trimmed(values.text("query").unwrap_or_default()).to_owned(),
            login: values.text("login").map(str::to_owned),
            format: values.text("format").map(str::to_owned),
            keys: values.secrets("keys"),
            context: context.clone(),
            ready: OnceCell::new(),
        }))
    }
}

/// Most connections; `max_concurrent` of the check bounds them before.
const POOL: usize = 1_000;

struct SqlHash {
    connection: Connection,
    query: String,
    login: Option<String>,
    format: Option<String>,
    keys: BTreeMap<String, SecretRef>,
    context: Context,
    ready: OnceCell<Ready>,
}

/// Connections, and secrets that were read.
struct Ready {
    pool: Pool,
    keys: Arc<BTreeMap<String, SecretString>>,
}

enum Pool {
    Postgres(deadpool_postgres::Pool),
    Mysql(mysql_async::Pool),
    Sqlite,
}

/// What the query gave for one name: values by their column, or that there were several rows.
enum Answer {
    None,
    One(HashMap<String, Cell>),
    Several,
}

impl SqlHash {
    async fn ready(&self) -> Result<&Ready, Failure> {
        self.ready
            .get_or_try_init(|| async {
                let mut keys = BTreeMap::new();
                for (name, reference) in &self.keys {
                    let key = self.context.secrets.reveal(reference);
                    let key = key.map_err(|finding| Failure::new(Fault::Secret, finding.message))?;
                    keys.insert(name.clone(), key);
                }
                Ok(Ready { pool: self.pool()?, keys: Arc::new(keys) })
            })
            .await
    }

    fn pool(&self) -> Result<Pool, Failure> {
        match self.connection.engine {
            Engine::Sqlite => Ok(Pool::Sqlite),
            Engine::Mysql => {
                let bounds = mysql_async::PoolConstraints::new(0, POOL);
                let options = mysql_async::PoolOpts::new().with_constraints(bounds.unwrap_or_default());
                Ok(Pool::Mysql(mysql_async::Pool::new(mysql::opts(&self.connection)?.pool_opts(options))))
            }
            Engine::Postgres => {
                let config = postgres::config(&self.connection)?;
                let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
                let manager = if self.connection.encrypted {
                    Manager::from_config(config, postgres::encryption(&self.connection)?, how)
                } else {
                    Manager::from_config(config, NoTls, how)
                };
                let timeout = self.connection.timeout.as_millis();
                let session = format!(
                    "SET default_transaction_read_only = on; SET statement_timeout = {timeout}; \
                     SET application_name = 'sterna'"
                );
                let hook = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
                    let session = session.clone();
                    Box::pin(async move { client.batch_execute(&session).await.map_err(HookError::Backend) })
                });
                let pool = deadpool_postgres::Pool::builder(manager).max_size(POOL).post_create(hook).build();
                pool.map(Pool::Postgres).map_err(|_| Failure::new(Fault::Unreachable, "no pool of connections"))
            }
        }
    }

    async fn ask(&self, ready: &Ready, login: Option<&str>) -> Result<Answer, Failure> {
        match &ready.pool {
            Pool::Postgres(pool) => ask_postgres(pool, &self.query, login).await,
            Pool::Mysql(pool) => ask_mysql(pool, &self.query, login).await,
            Pool::Sqlite => {
                let (connection, query) = (self.connection.clone(), self.query.clone());
                let login = login.map(str::to_owned);
                let asked =
                    tokio::task::spawn_blocking(move || ask_sqlite(&connection, &query, login.as_deref())).await;
                asked.unwrap_or_else(|_| Err(Failure::new(Fault::Unreachable, "the thread that reads SQLite ended")))
            }
        }
    }

    async fn decide(&self, ready: &Ready, answer: Answer, password: &SecretString, deadline: Instant) -> Verdict {
        let mut row = match answer {
            Answer::None => return Verdict::Unknown,
            Answer::Several => return Verdict::Unavailable(Outage::Unclear),
            Answer::One(row) => row,
        };
        let flag = |row: &HashMap<String, Cell>, name: &str| match row.get(name) {
            None | Some(Cell::Null) => Ok(None),
            Some(cell) => truth(cell).map(Some).ok_or(Verdict::Unavailable(Outage::Unclear)),
        };
        match (flag(&row, "locked"), flag(&row, "active")) {
            (Err(verdict), _) | (_, Err(verdict)) => return verdict,
            (Ok(Some(true)), _) => return Verdict::Locked,
            (_, Ok(Some(false))) => return Verdict::Disabled,
            _ => {}
        }
        let beside = row
            .iter()
            .filter_map(|(name, cell)| Some((name.strip_prefix("password.")?.to_owned(), cell.key()?.to_owned())))
            .collect();
        let format = row.get("format").and_then(Cell::key).map(str::to_owned).or_else(|| self.format.clone());
        let hash = match row.remove("hash") {
            None => return Verdict::Unavailable(Outage::NotUnderstood),
            Some(Cell::Null) => return Verdict::Unavailable(Outage::NotForThis),
            Some(cell) => cell,
        };
        let Some(text) = hash.key() else {
            return Verdict::Unavailable(Outage::HashNotComputed);
        };
        match held::stored_hash(text, format.as_deref(), &beside) {
            None => Verdict::Unavailable(Outage::NotForThis),
            Some(hash) if hash.format == UNKNOWN_FORMAT => Verdict::Unavailable(Outage::HashNotComputed),
            Some(hash) => {
                let stored = vec![(hash.format, hash.value)];
                HashPool::shared().verify(stored, Arc::clone(&ready.keys), password.clone(), deadline).await
            }
        }
    }
}

#[async_trait]
impl LegacyCheck for SqlHash {
    async fn preflight(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.connection.open_line().into_iter().collect();
        let asked = tokio::time::timeout(self.connection.timeout, async {
            let ready = self.ready().await?;
            // NULL equals nothing, so no row is read
            self.ask(ready, None).await
        });
        match asked.await.unwrap_or_else(|_| Err(Failure::timed_out())) {
            Err(failure) => findings.push(failure.into_check_finding()),
            Ok(Answer::One(row)) if !row.contains_key("hash") => {
                findings.push(Finding::error(Code::E2303, "the query gives no column `hash`"));
            }
            Ok(_) => {}
        }
        findings
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        let Some(login) = login_name(attempt.account, self.login.as_deref()) else {
            return Verdict::Unavailable(Outage::NotForThis);
        };
        let asked = timeout_at(attempt.deadline.into(), async {
            let ready = self.ready().await?;
            Ok((ready, self.ask(ready, Some(&login)).await?))
        });
        match asked.await {
            Err(_) => Verdict::Unavailable(Outage::TimedOut),
            Ok(Err(failure)) => Verdict::Unavailable(Failure::outage(&failure)),
            Ok(Ok((ready, answer))) => self.decide(ready, answer, attempt.password, attempt.deadline).await,
        }
    }
}

fn truth(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Flag(flag) => Some(*flag),
        cell => {
            let text = cell.key()?;
            let among = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
            if among(YES_WORDS) { Some(true) } else { among(NO_WORDS).then_some(false) }
        }
    }
}

/// A connection that is thrown away when the question that it was taken for is not answered to the end.
struct Lent(Option<deadpool_postgres::Object>);

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(deadpool_postgres::Object::take(object));
        }
    }
}

async fn ask_postgres(pool: &deadpool_postgres::Pool, query: &str, login: Option<&str>) -> Result<Answer, Failure> {
    let object = pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            failure::postgres(&error, Words::Tell)
        }
        _ => Failure::timed_out(),
    })?;
    let mut lent = Lent(Some(object));
    let Some(client) = lent.0.as_ref() else { return Err(Failure::timed_out()) };
    let words = if login.is_none() { Words::Tell } else { Words::Withhold };
    let told = |error: tokio_postgres::Error| failure::postgres(&error, words);
    let statement = client.prepare_cached(query).await.map_err(told)?;
    if statement.params().len() != 1 {
        return Err(Failure::new(Fault::Query, "the query must have one placeholder, $1"));
    }
    let missing = !statement.columns().iter().any(|column| column.name() == "hash");
    if missing {
        return Err(Failure::new(Fault::Query, "the query gives no column `hash`"));
    }
    let rows = client.query(&statement, &[&Param(login)]).await.map_err(told)?;
    // answered to the end: the connection may be used again
    drop(lent.0.take());
    let row = match rows.as_slice() {
        [] => return Ok(Answer::None),
        [row] => row,
        _ => return Ok(Answer::Several),
    };
    let unread = |_| Failure::new(Fault::Query, "the query gives a column of a type that is not read");
    let cells = row.columns().iter().enumerate().map(|(at, column)| {
        let cell = row.try_get::<_, Option<Any>>(at).map_err(unread)?;
        Ok((column.name().to_owned(), cell.map_or(Cell::Null, |any| any.0)))
    });
    cells.collect::<Result<_, Failure>>().map(Answer::One)
}

async fn ask_mysql(pool: &mysql_async::Pool, query: &str, login: Option<&str>) -> Result<Answer, Failure> {
    let words = if login.is_none() { Words::Tell } else { Words::Withhold };
    let told = |error: mysql_async::Error| failure::mysql(&error, words);
    let mut conn = pool.get_conn().await.map_err(|error| failure::mysql(&error, Words::Tell))?;
    let statement = conn.prep(query).await.map_err(told)?;
    if statement.num_params() != 1 || !statement.columns().iter().any(|column| column.name_str() == "hash") {
        return Err(Failure::new(Fault::Query, "the query must have one placeholder, ?, and give the column `hash`"));
    }
    let rows: Vec<mysql_async::Row> = conn.exec(&statement, (login,)).await.map_err(told)?;
    let mut rows = rows.into_iter();
    match (rows.next(), rows.next()) {
        (None, _) => Ok(Answer::None),
        (Some(_), Some(_)) => Ok(Answer::Several),
        (Some(row), None) => {
            let names: Vec<_> = row.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
            let is_bit = |column: &mysql_async::Column| {
                column.column_type() == mysql_async::consts::ColumnType::MYSQL_TYPE_BIT && column.column_length() == 1
            };
            let bits: Vec<bool> = row.columns_ref().iter().map(is_bit).collect();
            let cells = row.unwrap().into_iter().zip(bits).map(|(value, bit)| match value {
                mysql_async::Value::NULL => Cell::Null,
                mysql_async::Value::Bytes(bytes) if bit => Cell::Flag(bytes == [1]),
                mysql_async::Value::Bytes(bytes) => Cell::text(bytes),
                mysql_async::Value::Int(number) => Cell::Number(number.to_string()),
                mysql_async::Value::UInt(number) => Cell::Number(number.to_string()),
                // dates and fractions say neither yes nor no, and are no hash: never to be taken for nothing
                _ => Cell::Broken(Vec::new()),
            });
            Ok(Answer::One(names.into_iter().zip(cells).collect()))
        }
    }
}

fn ask_sqlite(connection: &Connection, query: &str, login: Option<&str>) -> Result<Answer, Failure> {
    let database = sqlite::open(&connection.file, connection.timeout)?;
    let mut statement = sqlite::prepare(&database, query)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if statement.parameter_count() != 1 || !names.iter().any(|name| name == "hash") {
        return Err(Failure::new(Fault::Query, "the query must have one placeholder, ?, and give the column `hash`"));
    }
    let failed = |error: rusqlite::Error| failure::sqlite(&error, Words::Withhold);
    let mut rows = statement.query([login]).map_err(failed)?;
    let Some(row) = rows.next().map_err(failed)? else { return Ok(Answer::None) };
    let cells = sqlite::cells(row, names.len()).map_err(failed)?;
    if rows.next().map_err(failed)?.is_some() {
        return Ok(Answer::Several);
    }
    Ok(Answer::One(names.into_iter().zip(cells).collect()))
}

/// The login name for a placeholder of any type, by its text.
#[derive(Debug)]
struct Param<'l>(Option<&'l str>);

impl ToSql for Param<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            None => Ok(IsNull::Yes),
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> tokio_postgres::types::Format {
        tokio_postgres::types::Format::Text
    }

    tokio_postgres::types::to_sql_checked!();
}

/// A value of a type that has a plain binary form.
struct Any(Cell);

impl<'a> FromSql<'a> for Any {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let number = |number: i64| Cell::Number(number.to_string());
        Ok(Self(match *kind {
            Type::BOOL => Cell::Flag(bool::from_sql(kind, raw)?),
            Type::INT2 => number(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => number(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => number(i64::from_sql(kind, raw)?),
            Type::JSONB => Cell::text(raw.get(1..).unwrap_or_default().to_vec()),
            _ => Cell::text(raw.to_vec()),
        }))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
