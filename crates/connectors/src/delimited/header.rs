//! Which column of a CSV file is what.

use std::io::Read;

use sterna_core::{
    code::{Code, Finding},
    port::SourceError,
};

use super::grammar::{Grammar, Row};
use crate::text::{Column, Columns, Encoding, Reader, fingerprint, twice, unreadable};

/// How much of the file the delimiter is detected in, in bytes.
const SAMPLE: usize = 64 * 1024;

/// How many rows the delimiter is detected in.
const SAMPLE_ROWS: usize = 20;

/// The header row, understood.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// How many columns there are.
    pub(super) width: usize,
    /// What is taken from which column, by its number from 0.
    pub(super) slots: Vec<(Column, usize)>,
    /// Its digest, which the cursor keeps.
    pub(super) mark: String,
    delimiter: u8,
}

impl Header {
    /// Reads the header row; what the reader holds then begins with the first row.
    ///
    /// # Errors
    /// E3005 when it does not fit the configuration, E3004 when there is none.
    pub(super) fn read<R: Read>(
        reader: &mut Reader<R>,
        grammar: &mut Grammar,
        delimiter: u8,
        columns: &Columns,
    ) -> Result<Self, SourceError> {
        let length = match grammar.next(reader, 0)? {
            Row::Whole { length } => length,
            Row::Broken(mistake, _) => {
                let text = format!("the header row cannot be read: {}", mistake.reason);
                return Err(SourceError::new(Code::E3005, text));
            }
            Row::End => return Err(SourceError::new(Code::E3004, "the file has no header row")),
        };
        let names = grammar.fields().map_err(|mistake| {
            SourceError::new(Code::E3003, format!("the header row is no text: {}", mistake.reason))
                .hint("set `encoding` to what the file really is")
        })?;
        let names = names.enumerate().map(|(at, name)| match name.trim() {
            "" => format!("column_{}", at + 1),
            name => name.to_owned(),
        });
        let names: Vec<String> = names.collect();
        let slots = slots(&names, columns)?;
        let mark = fingerprint(&[&[delimiter], &reader.held()[..length]]);
        reader.take(length);
        Ok(Self { width: names.len(), slots, mark, delimiter })
    }

    /// What is good to know before anything is extracted.
    pub(super) fn notes(&self) -> Vec<Finding> {
        let delimiter = char::from(self.delimiter).escape_default();
        let kept = self.slots.iter().filter(|(column, _)| matches!(column, Column::Attribute(_))).count();
        let text = format!("{} columns, cut at `{delimiter}`; {kept} of them are kept as attributes", self.width);
        let mut notes = vec![Finding::note(Code::E3005, text)];
        let signs_in = |(column, _): &(Column, usize)| {
            matches!(column, Column::Named("user_name" | "email" | "phone") | Column::Federated(_))
        };
        if !self.slots.iter().any(signs_in) {
            let text = "no column is a sign-in name: the accounts would have nothing to sign in with";
            let hint = "name user_name, email, phone or federated.ISSUER in `columns`";
            notes.push(Finding::warning(Code::E3102, text).hint(hint));
        }
        notes
    }
}

/// The delimiter that cuts the header and the first rows most evenly; the comma when none cuts anything.
pub(super) fn detect_delimiter<R: Read>(reader: &mut Reader<R>, quote: Option<u8>) -> Result<u8, SourceError> {
    while reader.held().len() < SAMPLE {
        if !reader.more().map_err(unreadable)? {
            break;
        }
    }
    let sample = &reader.held()[..reader.held().len().min(SAMPLE)];
    let mut best = (0, b',');
    for delimiter in [b',', b';', b'\t', b'|'] {
        let score = evenness(sample, delimiter, quote)?;
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    Ok(best.1)
}

/// Rows as wide as the header count most, then the width.
fn evenness(sample: &[u8], delimiter: u8, quote: Option<u8>) -> Result<usize, SourceError> {
    let mut reader = Reader::new(sample, Encoding::Utf8, 0, 1).with_chunk(4_096);
    let mut grammar = Grammar::new(delimiter, quote, SAMPLE);
    let (mut width, mut even) = (0, 0);
    for _ in 0..SAMPLE_ROWS {
        match grammar.next(&mut reader, width)? {
            Row::Whole { length } => {
                width = grammar.width();
                even += 1;
                reader.take(length);
            }
            Row::Broken(..) => {}
            Row::End => break,
        }
    }
    Ok(if width > 1 { even * 1_000 + width.min(999) } else { 0 })
}

fn slots(names: &[String], columns: &Columns) -> Result<Vec<(Column, usize)>, SourceError> {
    if let Some(name) = twice(names.iter().map(String::as_str)) {
        return Err(unfit(names, &format!("the column `{name}` is there twice")));
    }
    let mut slots = Vec::with_capacity(names.len());
    for (column, name) in &columns.table {
        let at = position(names, name).ok_or_else(|| unfit(names, &format!("there is no column `{name}`")))?;
        slots.push((column.clone(), at));
    }
    let key = Column::Named("key");
    if !slots.is_empty() && !slots.iter().any(|(column, _)| *column == key) {
        slots.extend(position(names, "id").map(|at| (key.clone(), at)));
    }
    let by_own_name = columns.table.is_empty();
    for (at, name) in names.iter().enumerate() {
        if !columns.ignores(name) && !slots.iter().any(|(_, taken)| *taken == at) {
            let taken = |column: &Column| slots.iter().any(|(known, _)| known == column);
            let column = Some(Column::by_own_name(name)).filter(|column| by_own_name && !taken(column));
            let column = column.unwrap_or_else(|| Column::Attribute(name.clone()));
            if taken(&column) {
                return Err(unfit(
                    names,
                    &format!("the column `{name}` gives an attribute that another one gives too"),
                ));
            }
            slots.push((column, at));
        }
    }
    if !slots.iter().any(|(column, _)| *column == key) {
        let what = "no column is named as the record's key, and none is called id";
        return Err(unfit(names, what).hint("name it: [sources.NAME.columns] key = \"…\""));
    }
    Ok(slots)
}

/// The column of this name, exactly; else the only one that differs in case alone.
fn position(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|known| known == name).or_else(|| {
        let mut alike = names.iter().enumerate().filter(|(_, known)| known.eq_ignore_ascii_case(name));
        alike.next().filter(|_| alike.next().is_none()).map(|(at, _)| at)
    })
}

/// The columns are listed, unless they look like a person's data: a file without a header row.
fn unfit(names: &[String], what: &str) -> SourceError {
    let looks_like_data = |name: &String| name.contains('@') || name.parse::<f64>().is_ok();
    if names.iter().any(looks_like_data) {
        return SourceError::new(Code::E3005, "the first row looks like a record, not like a header")
            .hint("put a row with the columns' names before it");
    }
    SourceError::new(Code::E3005, format!("{what}; the columns are: {}", names.join(", ")))
}
