//! The tables and columns that are there, and the queries over them (wso2-scim.md 7.5 and the kernel's own scripts).
//!
//! Names are taken as the database has them: PostgreSQL folds them to lower case, MySQL may tell cases apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::{Cell, Engine, Failure, Fault, Session, Words};

/// The most columns that the tables below may have together.
const CATALOGUE_ROWS: usize = 2_000;

/// Which database of the product a table belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// The user store's own.
    Users,
    /// The shared one: tenants, stores, roles of the product.
    Shared,
    /// The identity one.
    Identity,
}

/// The tables that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    User,
    Attribute,
    Role,
    UserRole,
    SystemUser,
    Tenant,
    Domain,
    HybridRole,
    HybridUserRole,
    HybridGroupRole,
    IdentityData,
    AssociatedId,
    Idp,
}

impl Table {
    const ALL: [Self; 13] = [
        Self::User,
        Self::Attribute,
        Self::Role,
        Self::UserRole,
        Self::SystemUser,
        Self::Tenant,
        Self::Domain,
        Self::HybridRole,
        Self::HybridUserRole,
        Self::HybridGroupRole,
        Self::IdentityData,
        Self::AssociatedId,
        Self::Idp,
    ];

    /// Its name in the product's scripts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "UM_USER",
            Self::Attribute => "UM_USER_ATTRIBUTE",
            Self::Role => "UM_ROLE",
            Self::UserRole => "UM_USER_ROLE",
            Self::SystemUser => "UM_SYSTEM_USER",
            Self::Tenant => "UM_TENANT",
            Self::Domain => "UM_DOMAIN",
            Self::HybridRole => "UM_HYBRID_ROLE",
            Self::HybridUserRole => "UM_HYBRID_USER_ROLE",
            Self::HybridGroupRole => "UM_HYBRID_GROUP_ROLE",
            Self::IdentityData => "IDN_IDENTITY_USER_DATA",
            Self::AssociatedId => "IDN_ASSOCIATED_ID",
            Self::Idp => "IDP",
        }
    }

    /// Which database it belongs to.
    pub(super) fn home(self) -> Home {
        match self {
            Self::User | Self::Attribute | Self::Role | Self::UserRole | Self::SystemUser => Home::Users,
            Self::Tenant | Self::Domain | Self::HybridRole | Self::HybridUserRole | Self::HybridGroupRole => {
                Home::Shared
            }
            Self::IdentityData | Self::AssociatedId | Self::Idp => Home::Identity,
        }
    }
}

/// What is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables(BTreeMap<Table, Found>);

#[derive(Clone, Debug)]
struct Found {
    /// As the database writes it.
    name: String,
    /// In upper case.
    columns: BTreeSet<String>,
}

impl Tables {
    /// Looks which of the tables of these homes are there, and which of their columns this user may see.
    pub(super) async fn learn(&mut self, session: &mut Session, homes: &[Home]) -> Result<(), Failure> {
        let wanted: Vec<Table> = Table::ALL.into_iter().filter(|table| homes.contains(&table.home())).collect();
        let names: Vec<String> = wanted.iter().map(|table| session.literal(table.name())).collect();
        let here = match session.engine() {
            Engine::Postgres => "table_schema = ANY (current_schemas(false))",
            Engine::Mysql | Engine::Sqlite => "table_schema = DATABASE()",
        };
        let query = format!(
            "SELECT table_name, column_name FROM information_schema.columns WHERE {here} AND UPPER(table_name) IN ({})",
            names.join(", ")
        );
        for row in session.ask(&query, CATALOGUE_ROWS, Words::Tell).await? {
            let [Some(name), Some(column)] = [0, 1].map(|at| row.get(at).and_then(Cell::key)) else { continue };
            let Some(table) = wanted.iter().find(|table| table.name().eq_ignore_ascii_case(name)) else { continue };
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                continue;
            }
            let new = || Found { name: name.to_owned(), columns: BTreeSet::new() };
            let found = self.0.entry(*table).or_insert_with(new);
            found.columns.insert(column.to_ascii_uppercase());
        }
        Ok(())
    }

    /// Whether a table is there.
    pub(super) fn has(&self, table: Table) -> bool {
        self.0.contains_key(&table)
    }

    /// Whether a column is there.
    pub(super) fn has_column(&self, table: Table, column: &str) -> bool {
        self.0.get(&table).is_some_and(|found| found.columns.contains(column))
    }

    /// A table's name as the database writes it.
    pub(super) fn name(&self, table: Table) -> &str {
        self.0.get(&table).map_or(table.name(), |found| found.name.as_str())
    }

    /// The columns of `UM_USER` that are read, in order; what an older schema lacks is NULL.
    fn user_columns(&self) -> String {
        USER_COLUMNS
            .iter()
            .map(|column| if self.has_column(Table::User, column) { (*column).to_owned() } else { "NULL".to_owned() })
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// A page of people behind the row `after`.
    pub(super) fn people(&self, tenant: i64, after: i64, most: usize) -> String {
        format!(
            "SELECT {} FROM {} WHERE UM_TENANT_ID = {tenant} AND UM_ID > {after} ORDER BY UM_ID LIMIT {most}",
            self.user_columns(),
            self.name(Table::User)
        )
    }

    /// How many people there are, and their first and last number.
    pub(super) fn count(&self, tenant: i64) -> String {
        let table = self.name(Table::User);
        format!("SELECT COUNT(*), MIN(UM_ID), MAX(UM_ID) FROM {table} WHERE UM_TENANT_ID = {tenant}")
    }

    /// The attributes of these people: number, name, value.
    pub(super) fn attributes(&self, tenant: i64, ids: &str) -> String {
        format!(
            "SELECT UM_USER_ID, UM_ATTR_NAME, UM_ATTR_VALUE FROM {} WHERE UM_TENANT_ID = {tenant} \
             AND UM_PROFILE_ID = 'default' AND UM_USER_ID IN ({ids}) ORDER BY UM_ID",
            self.name(Table::Attribute)
        )
    }

    /// The groups of these people: number, name.
    pub(super) fn groups(&self, tenant: i64, ids: &str) -> String {
        format!(
            "SELECT ur.UM_USER_ID, r.UM_ROLE_NAME FROM {} ur JOIN {} r ON r.UM_ID = ur.UM_ROLE_ID \
             AND r.UM_TENANT_ID = ur.UM_TENANT_ID WHERE ur.UM_TENANT_ID = {tenant} AND ur.UM_USER_ID IN ({ids}) \
             ORDER BY r.UM_ROLE_NAME",
            self.name(Table::UserRole),
            self.name(Table::Role)
        )
    }

    /// The roles that these names have by themselves (people), or that come with groups: name, role.
    pub(super) fn roles(&self, by: Table, tenant: i64, domain: i64, names: &str) -> String {
        let column = role_holder(by);
        format!(
            "SELECT h.{column}, r.UM_ROLE_NAME FROM {} h JOIN {} r ON r.UM_ID = h.UM_ROLE_ID \
             AND r.UM_TENANT_ID = h.UM_TENANT_ID WHERE h.UM_TENANT_ID = {tenant} AND h.UM_DOMAIN_ID = {domain} \
             AND {names} ORDER BY r.UM_ROLE_NAME",
            self.name(by),
            self.name(Table::HybridRole)
        )
    }

    /// The identity claims of these names: name, claim, value.
    pub(super) fn claims(&self, tenant: i64, names: &str) -> String {
        format!(
            "SELECT d.USER_NAME, d.DATA_KEY, d.DATA_VALUE FROM {} d WHERE d.TENANT_ID = {tenant} AND {names}",
            self.name(Table::IdentityData)
        )
    }

    /// The identities of these names at other providers: name, connection, id there.
    pub(super) fn federated(&self, tenant: i64, store: &str, names: &str) -> String {
        format!(
            "SELECT a.USER_NAME, p.NAME, a.IDP_USER_ID FROM {} a JOIN {} p ON p.ID = a.IDP_ID \
             WHERE a.TENANT_ID = {tenant} AND UPPER(a.DOMAIN_NAME) = UPPER({store}) AND {names} ORDER BY a.ID",
            self.name(Table::AssociatedId),
            self.name(Table::Idp)
        )
    }
}

/// The column that says who holds a role.
pub(super) fn role_holder(table: Table) -> &'static str {
    if table == Table::HybridGroupRole { "UM_GROUP_NAME" } else { "UM_USER_NAME" }
}

/// The columns of `UM_USER`, in the order of [`Tables::people`].
pub(super) const USER_COLUMNS: [&str; 7] = [
    "UM_ID",
    "UM_USER_ID",
    "UM_USER_NAME",
    "UM_USER_PASSWORD",
    "UM_SALT_VALUE",
    "UM_REQUIRE_CHANGE",
    "UM_CHANGED_TIME",
];

/// A condition that a column is one of these names. Names of JDBC stores compare without case unless the store says
/// otherwise (wso2-scim.md 2.5). MySQL's usual collations do so by themselves; the lower form helps where one does not.
pub(super) fn one_of(session: &Session, column: &str, names: &[&str], case: Case) -> String {
    let mut forms: BTreeSet<String> = BTreeSet::new();
    for name in names {
        let (lower, ascii) = (name.to_lowercase(), name.to_ascii_lowercase());
        match (case, session.engine()) {
            (Case::Sensitive, _) => forms.extend([(*name).to_owned()]),
            (Case::Insensitive, Engine::Postgres) => forms.extend([lower, ascii]),
            (Case::Insensitive, Engine::Mysql | Engine::Sqlite) => forms.extend([(*name).to_owned(), lower]),
        }
    }
    let list: Vec<String> = forms.iter().map(|form| session.literal(form)).collect();
    let list = if list.is_empty() { "NULL".to_owned() } else { list.join(", ") };
    match (case, session.engine()) {
        (Case::Insensitive, Engine::Postgres) => format!("LOWER({column}) IN ({list})"),
        _ => format!("{column} IN ({list})"),
    }
}

/// Whether user names that differ in case only are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// They are not.
    Sensitive,
    /// They are.
    Insensitive,
}

impl Case {
    /// The form in which two names are the same.
    pub(super) fn fold(self, name: &str) -> String {
        match self {
            Self::Sensitive => name.to_owned(),
            Self::Insensitive => name.to_lowercase(),
        }
    }
}

/// A whole number of a row.
pub(super) fn number(cell: Option<&Cell>) -> Result<i64, Failure> {
    let number = cell.and_then(Cell::key).and_then(|text| text.parse().ok());
    number.ok_or_else(|| Failure::new(Fault::Query, "a column that must be a whole number is none"))
}
