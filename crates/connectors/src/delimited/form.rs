//! Accounts out of rows.

use std::io::Read;

use serde::{Deserialize, Serialize};
use sterna_core::{
    account::Account,
    code::{Code, Finding},
    port::{Record, SourceError},
};

use super::{
    grammar::{Grammar, Row, skip_blank_lines},
    header::{Header, detect_delimiter},
};
use crate::text::{
    Columns, Encoding, Form, Given, MENDED, Mistake, Place, Reader, account_or_rejected, plain_text, rejected,
    unreadable,
};

/// How rows are cut.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What stands between fields; `None`: to be detected.
    pub delimiter: Option<u8>,
    /// What surrounds fields; `None`: nothing.
    pub quote: Option<u8>,
    /// Whether a ' before = + - @ is taken off.
    pub unescape_formulas: bool,
    /// Longest row in bytes of UTF-8.
    pub limit: usize,
}

/// A CSV file.
pub struct Delimited {
    columns: Columns,
    options: Options,
    table: Option<(Header, Grammar)>,
}

/// What has to be known to go on within a file: that the header is still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    header: String,
}

impl Delimited {
    /// A file whose columns are taken by these rules.
    pub fn new(mut columns: Columns, options: Options) -> Self {
        columns.needs_key = true;
        Self { columns, options, table: None }
    }

    fn head<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<String, SourceError> {
        let Options { delimiter, quote, limit, .. } = self.options;
        let delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => detect_delimiter(reader, quote)?,
        };
        let mut grammar = Grammar::new(delimiter, quote, limit);
        let header = Header::read(reader, &mut grammar, delimiter, &self.columns)?;
        let mark = header.mark.clone();
        self.table = Some((header, grammar));
        Ok(mark)
    }
}

impl Form for Delimited {
    type State = Known;

    fn begin<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<Place<Known>, SourceError> {
        let header = self.head(reader)?;
        Ok(Place { at: reader.offset(), line: reader.line(), records: 0, form: Known { header } })
    }

    fn resume<R: Read>(&mut self, reader: &mut Reader<R>, place: &Place<Known>) -> Result<(), SourceError> {
        if self.head(reader)? == place.form.header {
            return Ok(());
        }
        Err(SourceError::new(Code::E3006, "the header row is not the one that reading began with"))
    }

    fn next<R: Read>(&mut self, reader: &mut Reader<R>, _: &mut Place<Known>) -> Result<Option<Record>, SourceError> {
        let Some((header, grammar)) = &mut self.table else {
            return Err(SourceError::new(Code::E3005, "the header row has not been read"));
        };
        skip_blank_lines(reader).map_err(unreadable)?;
        let position = format!("line {}", reader.line());
        Ok(match grammar.next(reader, header.width)? {
            Row::End => None,
            Row::Broken(mistake, raw) => Some(rejected(position, mistake, &raw)),
            Row::Whole { length } => {
                let raw = &reader.held()[..length];
                let read = account(&self.columns, self.options, header, grammar, raw);
                let record = account_or_rejected(read, || position, raw.trim_ascii_end());
                reader.take(length);
                Some(record)
            }
        })
    }

    fn mend(&mut self, text: &str) -> Record {
        let whole = |mistake| rejected(MENDED.to_owned(), mistake, text.as_bytes());
        let Some((header, grammar)) = &mut self.table else {
            let why = "the file's header cannot be read, and it says what the fields of a row mean";
            return whole(Mistake::new(Code::E3005, why));
        };
        let mut reader = Reader::new(text.as_bytes(), Encoding::Utf8, 0, 1).with_chunk(4_096);
        match grammar.next(&mut reader, header.width) {
            Ok(Row::Whole { length }) if reader.held()[length..].trim_ascii().is_empty() => {
                let read = account(&self.columns, self.options, header, grammar, text.as_bytes());
                account_or_rejected(read, || MENDED.to_owned(), text.as_bytes())
            }
            Ok(Row::Whole { .. }) => whole(Mistake::new(Code::E3105, "these are several rows; mend one at a time")),
            Ok(Row::Broken(mistake, _)) => whole(mistake),
            Ok(Row::End) => whole(Mistake::new(Code::E3105, "the row is empty")),
            Err(error) => whole(Mistake::new(error.code, error.message)),
        }
    }

    fn notes(&self) -> Vec<Finding> {
        self.table.as_ref().map(|(header, _)| header.notes()).unwrap_or_default()
    }
}

fn account(
    columns: &Columns,
    options: Options,
    header: &Header,
    grammar: &Grammar,
    raw: &[u8],
) -> Result<Account, Mistake> {
    // The reason counts bytes of the row as it stands in the file, with its quotes.
    let fields = grammar.fields().map_err(|mistake| plain_text(raw).err().unwrap_or(mistake))?;
    let fields: Vec<&str> = fields.map(|field| unescaped(field, options.unescape_formulas)).collect();
    let values = header.slots.iter().filter_map(|(column, at)| Some((column, Given::Text(fields.get(*at)?))));
    columns.account(values)
}

fn unescaped(field: &str, wanted: bool) -> &str {
    match field.strip_prefix('\'') {
        Some(rest) if wanted && rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => field,
    }
}
