//! `sql`: the accounts of an application's own tables in PostgreSQL, MySQL, MariaDB or SQLite, by a query.
//!
//! Start at [`source`](self) in `source.rs`: a task per engine (`postgres.rs`, `mysql.rs`, `sqlite.rs`) reads one
//! read-only snapshot and sends batches through a bounded channel; `rows.rs` makes accounts of them. `preset.rs` holds
//! ready-made queries, `check.rs` the legacy check `sql-hash`. Not here: SQL on our own ledger.

mod array;
mod check;
mod connection;
mod failure;
mod mysql;
mod php;
mod postgres;
mod preset;
mod reading;
mod rows;
mod session;
mod source;
mod sqlite;
mod value;

use sterna_core::{
    code::{Code, Finding},
    port::Source,
    registry::{Context, SourceKind},
    settings::{Kind as Takes, Need, Setting, Values},
    support::{Gives, SourceSupport},
};

use crate::text::{COLUMN_RULES, Columns};
use reading::Queries;
use rows::SIDES;
use source::SqlSource;

pub use array::array;
pub use check::CheckKind;
pub(crate) use connection::{CONNECTION, Connection, Engine};
pub(crate) use failure::{Failure, Fault, Words};
pub use php::capabilities;
pub(crate) use session::Session;
pub(crate) use value::{Cell, Row};

const fn query(name: &'static str, doc: &'static str) -> Setting {
    Setting { name, kind: Takes::Text, need: Need::Optional, doc }
}

/// The settings of `connector = "sql"`.
const SETTINGS: &[Setting] = &[
    CONNECTION[0],
    CONNECTION[1],
    CONNECTION[2],
    CONNECTION[3],
    CONNECTION[4],
    CONNECTION[5],
    Setting {
        name: "preset",
        kind: Takes::Choice(preset::NAMES),
        need: Need::Optional,
        doc: "Queries, columns and password format for the tables of a product; what is set beside it wins.",
    },
    query("table_prefix", "What the names of WordPress's tables begin with, or the realm's name for Keycloak's."),
    query("query", "One SELECT that gives a row for each account."),
    query("identities", "A SELECT of key, issuer, subject: the social identities of the accounts."),
    query("groups", "A SELECT of key, name: the groups of the accounts."),
    query("roles", "A SELECT of key, name: the roles of the accounts."),
    query("attributes", "A SELECT of key, name, value: further attributes of the accounts."),
    Setting {
        name: "columns",
        kind: Takes::TextTable,
        need: Need::Optional,
        doc: "Account attribute = column of the result. `key` is the column with the record's own immutable id (left \
              out: the column `id`). Columns that are not named here are kept as attributes. Without this table \
              columns count by their own names.",
    },
    COLUMN_RULES[0],
    COLUMN_RULES[1],
    COLUMN_RULES[2],
    COLUMN_RULES[3],
    COLUMN_RULES[4],
    COLUMN_RULES[5],
    COLUMN_RULES[6],
];

/// The kind in the registry.
pub struct Kind;

impl SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "sql"
    }

    fn title(&self) -> &'static str {
        "the tables of an application in PostgreSQL, MySQL, MariaDB or SQLite"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "url = \"postgres://reader@db.example.org:5432/app\"   # or mysql://… ; an SQLite file: path = \"app.db\"\n\
         password = { env = \"DB_PASSWORD\" }                  # of a user that may only read\n\
         # preset = \"django\"   # or aspnet-identity, devise, laravel, wordpress, supabase, keycloak; or your own:\n\
         query = \"SELECT id, email, password_hash, active FROM users\"\n\
         # groups = \"SELECT user_id AS key, name FROM user_groups\"\n\
         # password_format = \"bcrypt-2a\"\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport {
            gives: &[Gives::Identities, Gives::Groups, Gives::Roles, Gives::Passwords, Gives::Hashes],
            tested_with: &["PostgreSQL", "MariaDB", "SQLite"],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let connection = Connection::new(values, context)?;
        let preset = values.text("preset").map(str::to_owned);
        let values = match &preset {
            Some(name) => preset::applied(name, values, connection.engine).map_err(|finding| vec![finding])?,
            None => values.clone(),
        };
        let columns = Columns::from_values(&values, "columns", &[])?;
        let Some(main) = values.text("query").map(str::to_owned) else {
            return Err(vec![
                Finding::error(Code::E1005, "`query` is missing")
                    .hint("set `query`, or a `preset` for the tables of a product"),
            ]);
        };
        let sides = SIDES.map(|name| values.text(name).map(str::to_owned));
        Ok(Box::new(SqlSource {
            connection,
            columns,
            queries: Queries { main, sides },
            php_roles: preset.as_deref() == Some("wordpress"),
            context: context.clone(),
            stream: None,
            shape: None,
        }))
    }
}
