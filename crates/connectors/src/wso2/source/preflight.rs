//! What is looked at before a reading over the tables: whether it will be whole, right and quick.

use sterna_core::code::{Code, Finding};

use super::{
    person::Rules,
    reading::Snapshot,
    settings::Where,
    tables::{Home, Table, number},
};
use crate::sql::{Cell, Engine, Failure, Row};

/// How many people's password columns are looked at.
const SAMPLE: usize = 200;

/// The most indexes of a table, by their columns.
const INDEX_ROWS: usize = 500;

/// Everything worth saying.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn look(snapshot: &mut Snapshot, place: &Where, rules: &Rules) -> Result<Vec<Finding>, Failure> {
    let mut findings = missing(snapshot);
    findings.extend(passwords(snapshot, rules).await?);
    findings.extend(indexes(snapshot).await?);
    let system = if snapshot.tables.has(Table::SystemUser) {
        let query = format!("SELECT COUNT(*) FROM {}", snapshot.tables.name(Table::SystemUser));
        number(snapshot.ask(Home::Users, &query, 1).await?.first().and_then(|row| row.first()))?
    } else {
        0
    };
    let text = format!(
        "store {} of tenant {} ({}) has {} people; passwords are kept {}; {system} internal users of the product are left out, \
         and so are secrets of second factors and recovery",
        place.store,
        place.tenant,
        snapshot.tenant,
        snapshot.people,
        rules.digests.words()
    );
    findings.push(Finding::note(Code::E3014, text));
    Ok(findings)
}

/// Tables that are not there, by what is not read for want of them.
fn missing(snapshot: &Snapshot) -> Vec<Finding> {
    let lost = [
        (Table::Attribute, "attributes (names, addresses) are not read", "let the database user read it"),
        (Table::UserRole, "groups are not read", "let the database user read it"),
        (
            Table::IdentityData,
            "whether accounts are locked or disabled is not read, unless the user store keeps that itself",
            "set `identity_url` to the identity database",
        ),
        (Table::AssociatedId, "federated identities are not read", "set `identity_url` to the identity database"),
        (Table::HybridRole, "roles of the product are not read", "set `shared_url` to the shared database"),
    ];
    let lost = lost.into_iter().filter(|(table, ..)| !snapshot.tables.has(*table));
    let mut findings: Vec<Finding> = lost
        .map(|(table, what, hint)| {
            Finding::warning(Code::E3014, format!("there is no table {}: {what}", table.name())).hint(hint)
        })
        .collect();
    if snapshot.tables.has(Table::HybridRole) && snapshot.domain.is_none() {
        let text = "UM_DOMAIN has no store of the name in `user_store`: roles of the product are not read";
        findings.push(Finding::warning(Code::E3014, text).hint("write `user_store` as UM_DOMAIN has it"));
    }
    findings
}

/// Whether stored passwords look as the settings have it.
async fn passwords(snapshot: &mut Snapshot, rules: &Rules) -> Result<Option<Finding>, Failure> {
    if !snapshot.tables.has_column(Table::User, "UM_USER_PASSWORD") {
        let text = "the database user may not read the column UM_USER_PASSWORD";
        return Ok(Some(Finding::warning(Code::E3013, text)));
    }
    let query = snapshot.tables.people(snapshot.tenant, i64::from(i32::MIN), SAMPLE);
    let rows = snapshot.ask(Home::Users, &query, SAMPLE).await?;
    let of = |row: &Row, at: usize| row.get(at).and_then(Cell::key).map(str::to_owned);
    let kept: Vec<_> = rows.iter().filter_map(|row| Some((of(row, 3)?, of(row, 4)))).collect();
    let other = kept.iter().filter(|(hash, salt)| !rules.digests.is_as_stated(hash, salt.as_deref())).count();
    if other == 0 {
        return Ok(None);
    }
    let text = format!(
        "of the first {} stored passwords {other} are not kept {}: they are taken for what their shape allows",
        kept.len(),
        rules.digests.words()
    );
    Ok(Some(Finding::warning(Code::E3021, text).hint(
        "copy `password_digest`, `store_salted_password` and `hash_algorithm_properties` from the store's settings, and \
         name what it was set to before in `earlier_digests`",
    )))
}

/// Indexes that make reading quick: the one that pages of attributes need, and the one that WSO2 itself needs to find
/// people by an attribute (issue 9882 of product-is), which also every import and SCIM filter waits for.
async fn indexes(snapshot: &mut Snapshot) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    if !snapshot.tables.has(Table::Attribute) {
        return Ok(findings);
    }
    let led = leading(snapshot).await?;
    let has = |columns: &[&str]| {
        led.iter().any(|index| columns.iter().zip(index).filter(|(a, b)| a == b).count() == columns.len())
    };
    if !has(&["UM_USER_ID"]) && !has(&["UM_TENANT_ID", "UM_USER_ID"]) {
        let text = "UM_USER_ATTRIBUTE has no index that begins with UM_USER_ID: every page reads the whole table";
        findings.push(
            Finding::warning(Code::E3020, text).hint("CREATE INDEX UM_USER_ID_INDEX ON UM_USER_ATTRIBUTE (UM_USER_ID)"),
        );
    }
    if !has(&["UM_ATTR_NAME", "UM_ATTR_VALUE"]) {
        let text = "UM_USER_ATTRIBUTE has no index on UM_ATTR_NAME, UM_ATTR_VALUE, as databases from before it was shipped: \
                    WSO2 looks people up by an attribute, and checks that one is unique, by reading the whole table";
        findings.push(
            Finding::warning(Code::E3020, text)
                .hint("CREATE INDEX UM_ATTR_NAME_VALUE_INDEX ON UM_USER_ATTRIBUTE (UM_ATTR_NAME, UM_ATTR_VALUE)"),
        );
    }
    Ok(findings)
}

/// The columns of each index of `UM_USER_ATTRIBUTE`, in order.
async fn leading(snapshot: &mut Snapshot) -> Result<Vec<Vec<String>>, Failure> {
    let table = snapshot.tables.name(Table::Attribute).to_owned();
    let query = match snapshot.engine() {
        Engine::Postgres => format!(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY AS k(num, pos) \
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num \
             WHERE i.indrelid = '{table}'::regclass ORDER BY c.relname, k.pos"
        ),
        Engine::Mysql | Engine::Sqlite => format!(
            "SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = DATABASE() \
             AND table_name = '{table}' ORDER BY index_name, seq_in_index"
        ),
    };
    let mut indexes: Vec<(String, Vec<String>)> = Vec::new();
    for row in snapshot.ask(Home::Users, &query, INDEX_ROWS).await? {
        let [Some(name), Some(column)] = [0, 1].map(|at| row.get(at).and_then(Cell::key)) else { continue };
        match indexes.last_mut() {
            Some((last, columns)) if last == name => columns.push(column.to_ascii_uppercase()),
            _ => indexes.push((name.to_owned(), vec![column.to_ascii_uppercase()])),
        }
    }
    Ok(indexes.into_iter().map(|(_, columns)| columns).collect())
}
