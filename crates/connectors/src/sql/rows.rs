//! Makes accounts of rows and of what side queries add to them. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sterna_core::{
    account::Account,
    code::{Code, Finding},
    port::Record,
};

use super::{
    php,
    value::{Cell, Row},
};
use crate::text::{Column, Columns, Given, MENDED, Mistake, account_or_rejected};

/// The side queries, in the order of [`Extra::rows`].
pub(super) const SIDES: [&str; 4] = ["identities", "groups", "roles", "attributes"];

/// Begins the names under which side rows stand in a rejected row's JSON: no column begins so.
const MARK: &str = "@";

/// What a row becomes.
#[derive(Clone)]
pub(super) struct Shape {
    columns: Columns,
    /// Names of the result's columns.
    pub(super) names: Vec<String>,
    places: Vec<Vec<Column>>,

    php_roles: bool,
}

/// The side rows of one account: for each of [`SIDES`] the values behind the key.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    pub(super) rows: [Vec<Row>; 4],
}

impl Shape {
    /// Says what each column of the result is.
    ///
    /// # Errors
    /// E3011 when `columns` names a column that the result lacks, or none is the key.
    pub(super) fn new(columns: &Columns, names: Vec<String>, php_roles: bool) -> Result<Self, Finding> {
        let mut columns = columns.clone();
        columns.needs_key = true;
        let mut places: Vec<Vec<Column>> = vec![Vec::new(); names.len()];
        let mut missing = Vec::new();
        for (column, from) in &columns.table {
            match position(&names, from) {
                Some(at) => places[at].push(column.clone()),
                None => missing.push(format!("`{from}`")),
            }
        }
        if !missing.is_empty() {
            let text = format!("the query's result has no column {}", missing.join(", "));
            return Err(Finding::error(Code::E3011, text).hint(format!("it has: {}", names.join(", "))));
        }
        let mapped = !columns.table.is_empty();
        for (place, name) in
            places.iter_mut().zip(&names).filter(|(place, name)| place.is_empty() && !columns.ignores(name))
        {
            place.push(if mapped { Column::Attribute(name.clone()) } else { Column::by_own_name(name) });
        }
        let key_column = Column::Named("key");
        if !places.iter().any(|place| place.contains(&key_column)) {
            let at = position(&names, "id").ok_or_else(|| {
                Finding::error(Code::E3011, "no column of the query's result is the key")
                    .hint("name the immutable id: [sources.NAME.columns] key = \"id\"")
            })?;
            places[at] = vec![key_column];
        }
        Ok(Self { columns, names, places, php_roles })
    }

    /// The shape of a row that is given as JSON, where nothing has been asked of the database.
    pub(super) fn of_members(columns: &Columns, raw: &[u8], php_roles: bool) -> Result<Self, &'static str> {
        let members: Map<String, Value> =
            serde_json::from_slice(raw).map_err(|_| "the mended row is no JSON object")?;
        let names = members.keys().filter(|name| !name.starts_with(MARK)).cloned().collect();
        Self::new(columns, names, php_roles).map_err(|_| "the mended row lacks a member that `columns` names")
    }

    /// The record of the `number`th row.
    pub(super) fn record(&self, number: u64, row: &[Cell], extra: &Extra) -> Record {
        let read = self.account(row, extra);
        let raw = if read.is_err() { self.raw(row, extra) } else { Vec::new() };
        account_or_rejected(read, || format!("row {number}"), &raw)
    }

    fn account(&self, row: &[Cell], extra: &Extra) -> Result<Account, Mistake> {
        let mut values: Vec<(Column, Given<'_>)> = Vec::new();
        for ((cell, places), name) in row.iter().zip(&self.places).zip(&self.names) {
            for place in places {
                let given = cell.given(place).map_err(|()| {
                    Mistake::new(Code::E3106, format!("the column `{name}` holds bytes that are no text, or NUL"))
                })?;
                values.extend(given.map(|given| (place.clone(), given)));
            }
        }
        self.extra(extra, &mut values)?;
        self.columns.account(values.iter().map(|(column, given)| (column, given.clone())))
    }

    fn extra<'r>(&self, extra: &'r Extra, values: &mut Vec<(Column, Given<'r>)>) -> Result<(), Mistake> {
        let [identities, groups, roles, attributes] = &extra.rows;
        for row in identities {
            if let (Some(issuer), Some(subject)) = (text_of(row, 0)?, text_of(row, 1)?) {
                values.push((Column::Federated(issuer.to_owned()), Given::Text(subject)));
            }
        }
        for (name, rows) in [("groups", groups), ("roles", roles)] {
            let mut list = Vec::new();
            for row in rows {
                let Some(text) = text_of(row, 0)? else { continue };
                if name == "roles" && self.php_roles {
                    list.extend(php::capabilities(text).ok_or_else(|| {
                        Mistake::new(Code::E3108, "the value for `roles` is no serialised list of capabilities")
                    })?);
                } else {
                    list.push(text);
                }
            }
            if !list.is_empty() {
                values.push((Column::Named(name), Given::Texts(list)));
            }
        }
        let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in attributes {
            if let (Some(name), Some(value)) = (text_of(row, 0)?, text_of(row, 1)?) {
                by_name.entry(name).or_default().push(value);
            }
        }
        for (name, list) in by_name {
            let given = if let [one] = list[..] { Given::Text(one) } else { Given::Texts(list) };
            values.push((Column::Attribute(name.to_owned()), given));
        }
        Ok(())
    }

    fn raw(&self, row: &[Cell], extra: &Extra) -> Vec<u8> {
        let mut members: Map<String, Value> =
            self.names.iter().zip(row).map(|(name, cell)| (name.clone(), cell.to_json())).collect();
        for (side, rows) in SIDES.iter().zip(&extra.rows).filter(|(_, rows)| !rows.is_empty()) {
            let rows: Value = rows.iter().map(|row| row.iter().map(Cell::to_json).collect::<Value>()).collect();
            members.insert(format!("{MARK}{side}"), rows);
        }
        Value::Object(members).to_string().into_bytes()
    }

    /// Reads a row in the form of [`Self::raw`] again.
    pub(super) fn mend(&self, raw: &[u8]) -> Record {
        let read = serde_json::from_slice::<Map<String, Value>>(raw)
            .map_err(|_| Mistake::new(Code::E3101, "the mended row is no JSON object"))
            .and_then(|members| self.mended(&members));
        account_or_rejected(read, || MENDED.to_owned(), raw)
    }

    fn mended(&self, members: &Map<String, Value>) -> Result<Account, Mistake> {
        let cell = |name: &String| members.get(name).map_or(Cell::Null, Cell::from_json);
        let row: Row = self.names.iter().map(cell).collect();
        let side = |name: &str| -> Vec<Row> {
            let rows = members.get(&format!("{MARK}{name}")).and_then(Value::as_array);
            let rows = rows.into_iter().flatten().filter_map(Value::as_array);
            rows.map(|row| row.iter().map(Cell::from_json).collect()).collect()
        };
        self.account(&row, &Extra { rows: SIDES.map(side) })
    }
}

/// Where a column stands: by its name, else by its name without case where that is one column only.
pub(super) fn position(names: &[String], wanted: &str) -> Option<usize> {
    names.iter().position(|name| name == wanted).or_else(|| {
        let mut like = names.iter().enumerate().filter(|(_, name)| name.eq_ignore_ascii_case(wanted));
        like.next().map(|(at, _)| at).filter(|_| like.next().is_none())
    })
}

fn text_of(row: &[Cell], at: usize) -> Result<Option<&str>, Mistake> {
    match row.get(at) {
        Some(Cell::Text(text) | Cell::Number(text)) => Ok(Some(text)),
        Some(Cell::Flag(flag)) => Ok(Some(if *flag { "true" } else { "false" })),
        Some(Cell::Json(Value::String(text))) => Ok(Some(text)),
        Some(Cell::Bytes(bytes)) if std::str::from_utf8(bytes).is_ok() => Ok(std::str::from_utf8(bytes).ok()),
        Some(Cell::Null) | None => Ok(None),
        Some(_) => Err(Mistake::new(Code::E3108, "a side query gives a value that is no text")),
    }
}
