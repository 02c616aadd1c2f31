//! Line after line.

use std::io::Read;

use sterna_core::{
    account::Account,
    code::{Code, Finding},
    port::{Record, SourceError},
};

use super::{account::read_account, fields::Fields};
use crate::text::{
    Columns, Form, Line, MENDED, Mistake, Place, Reader, account_or_rejected, next_line, plain_text, rejected,
    unreadable,
};

/// What the lines look like.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Sterna's own account form.
    Account,
    /// Any object, by these rules.
    Fields(Columns),
    /// The account form where a line fits it, else by these rules.
    Either(Columns),
}

/// JSON Lines.
pub struct JsonLines {
    fields: Option<Fields>,
    account: bool,
    limit: usize,
    first: Option<Finding>,
}

impl JsonLines {
    /// Lines of a shape, none longer than `limit` bytes of UTF-8.
    pub fn new(shape: Shape, limit: usize) -> Self {
        let (account, fields) = match shape {
            Shape::Account => (true, None),
            Shape::Fields(columns) => (false, Some(Fields::new(columns))),
            Shape::Either(columns) => (true, Some(Fields::new(columns))),
        };
        Self { fields, account, limit, first: None }
    }

    /// Reads one line.
    pub fn record(&self, raw: &[u8], position: impl FnOnce() -> String) -> Record {
        account_or_rejected(plain_text(raw).and_then(|text| self.read(text)), position, raw)
    }

    fn read(&self, text: &str) -> Result<Account, Mistake> {
        match &self.fields {
            None => read_account(text),
            Some(fields) if !self.account => fields.read(text),
            Some(fields) => read_account(text).or_else(|mistake| match mistake.code {
                Code::E3108 | Code::E3102 => fields.read(text),
                _ => Err(mistake),
            }),
        }
    }

    /// Says before anything is extracted that the first line is not what the configuration says.
    fn look<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<(), SourceError> {
        self.first = None;
        while let Line::Whole { text, whole } = next_line(reader, self.limit).map_err(unreadable)? {
            let line = &reader.held()[..text];
            if !line.trim_ascii().is_empty() {
                // The reason may quote the record, and findings are shown: only its sort is told.
                let mistake = plain_text(line).and_then(|text| self.read(text)).err();
                self.first = mistake.map(|mistake| {
                    let text = format!("line {} would be rejected: {}", reader.line(), mistake.code.title());
                    Finding::warning(mistake.code, text).hint(
                        "lines that are not in the account form need `[sources.NAME.fields]`; see docs/sources.md",
                    )
                });
                return Ok(());
            }
            reader.take(whole);
        }
        Ok(())
    }
}

impl Form for JsonLines {
    type State = ();

    fn begin<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<Place<()>, SourceError> {
        let place = Place { at: reader.offset(), line: reader.line(), records: 0, form: () };
        self.look(reader)?;
        Ok(place)
    }

    fn resume<R: Read>(&mut self, _: &mut Reader<R>, _: &Place<()>) -> Result<(), SourceError> {
        Ok(())
    }

    fn next<R: Read>(&mut self, reader: &mut Reader<R>, _: &mut Place<()>) -> Result<Option<Record>, SourceError> {
        loop {
            let number = reader.line();
            match next_line(reader, self.limit).map_err(unreadable)? {
                Line::End => return Ok(None),
                Line::TooLong(head) => {
                    let reason = format!("the line is longer than {} bytes", self.limit);
                    return Ok(Some(rejected(format!("line {number}"), Mistake::new(Code::E3104, reason), &head)));
                }
                Line::Whole { text, whole } => {
                    let line = &reader.held()[..text];
                    if line.trim_ascii().is_empty() {
                        reader.take(whole);
                        continue;
                    }
                    let record = self.record(line, || format!("line {number}"));
                    reader.take(whole);
                    return Ok(Some(record));
                }
            }
        }
    }

    fn mend(&mut self, text: &str) -> Record {
        self.record(text.trim().as_bytes(), || MENDED.to_owned())
    }

    fn notes(&self) -> Vec<Finding> {
        self.first.iter().cloned().collect()
    }
}
