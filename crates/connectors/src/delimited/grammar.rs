//! One CSV row at a time (RFC 4180 with any delimiter), bounded, and strict about quotes.
//!
//! A quote that is opened by mistake swallows rows until the next quote, often with the right number of fields. So a
//! row over several lines counts only when its quoting is clean to the letter; else its first line alone is rejected
//! and reading goes on with the next line.

use std::io::Read;

use csv_core::{ReadRecordResult, ReaderBuilder};
use sterna_core::{
    code::Code,
    port::{REJECT_BYTES, SourceError},
};
use zeroize::Zeroizing;

use crate::text::{Line, Mistake, Reader, cut, next_line, plain_text, unreadable};

/// Takes rows out of a reader.
pub(super) struct Grammar {
    core: csv_core::Reader,
    delimiter: u8,
    quote: Option<u8>,
    limit: usize,
    text: Zeroizing<Vec<u8>>,
    ends: Vec<usize>,
    fields: usize,
}

/// What the next row is.
pub(super) enum Row {
    /// Its fields are in the grammar; the reader still holds its `length` bytes.
    Whole {
        /// Its length with line end.
        length: usize,
    },
    /// Broken, and taken from the reader.
    Broken(Mistake, Vec<u8>),
    /// There is none.
    End,
}

impl Grammar {
    pub(super) fn new(delimiter: u8, quote: Option<u8>, limit: usize) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).quote(quote.unwrap_or(b'"')).quoting(quote.is_some());
        let (text, ends) = (Zeroizing::new(vec![0; 4_096]), vec![0; 64]);
        Self { core: builder.build(), delimiter, quote, limit, text, ends, fields: 0 }
    }

    /// The fields of the row that was just taken.
    ///
    /// # Errors
    /// E3106 when they are no text.
    pub(super) fn fields(&self) -> Result<impl Iterator<Item = &str>, Mistake> {
        let ends = &self.ends[..self.fields];
        let text = plain_text(&self.text[..ends.last().copied().unwrap_or(0)])?;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let no_text = || Mistake::new(Code::E3106, "a field ends within a character");
        // The delimiter is ASCII, so a field can only end within a character when the bytes were no text.
        if ends.iter().any(|end| !text.is_char_boundary(*end)) {
            return Err(no_text());
        }
        Ok(starts.zip(ends.iter().copied()).map(move |(start, end)| text.get(start..end).unwrap_or_default()))
    }

    /// How many fields the row has that was just found.
    pub(super) fn width(&self) -> usize {
        self.fields
    }

    /// Finds the next row of `wanted` fields (0: of any number).
    ///
    /// # Errors
    /// E3001 when the file cannot be read.
    pub(super) fn next<R: Read>(&mut self, reader: &mut Reader<R>, wanted: usize) -> Result<Row, SourceError> {
        self.row(reader, wanted).map_err(unreadable)
    }

    fn row<R: Read>(&mut self, reader: &mut Reader<R>, wanted: usize) -> std::io::Result<Row> {
        skip_blank_lines(reader)?;
        if reader.held().is_empty() {
            return Ok(Row::End);
        }
        let Some(length) = self.split(reader)? else {
            let why = format!("a quote opens in this row and does not close within {} bytes", self.limit);
            return self.first_line(reader, Mistake::new(Code::E3105, why));
        };
        let raw = &reader.held()[..length];
        let body = raw.trim_ascii_end();
        let lines = memchr::memchr(b'\n', body).map_or(1, |_| 2);
        if let Some(why) = self.quote.and_then(|quote| unclean(raw, self.delimiter, quote)) {
            return self.reject(reader, length, lines > 1, Mistake::new(Code::E3105, why));
        }
        if wanted > 0 && self.fields != wanted {
            let why = format!("the row has {} fields, the header {wanted}", self.fields);
            return self.reject(reader, length, lines > 1 && length > REJECT_BYTES, Mistake::new(Code::E3105, why));
        }
        Ok(Row::Whole { length })
    }

    fn reject<R: Read>(
        &self,
        reader: &mut Reader<R>,
        length: usize,
        doubtful: bool,
        mistake: Mistake,
    ) -> std::io::Result<Row> {
        if doubtful {
            return self.first_line(reader, mistake);
        }
        let raw = cut(reader.held()[..length].trim_ascii_end());
        reader.take(length);
        Ok(Row::Broken(mistake, raw))
    }

    /// Rejects the row's first line only.
    fn first_line<R: Read>(&self, reader: &mut Reader<R>, mistake: Mistake) -> std::io::Result<Row> {
        match next_line(reader, self.limit)? {
            Line::Whole { text, whole } => {
                let raw = cut(&reader.held()[..text]);
                reader.take(whole);
                Ok(Row::Broken(mistake, raw))
            }
            Line::TooLong(head) => {
                let why = format!("the row is longer than {} bytes", self.limit);
                Ok(Row::Broken(Mistake::new(Code::E3104, why), head))
            }
            Line::End => Ok(Row::End),
        }
    }

    /// The length of the row that begins here, with its line end; `None` when it is longer than the bound.
    fn split<R: Read>(&mut self, reader: &mut Reader<R>) -> std::io::Result<Option<usize>> {
        self.core.reset();
        let (mut seen, mut written, mut fields) = (0, 0, 0);
        loop {
            let ended = seen == reader.held().len() && !reader.more()?;
            let input = &reader.held()[seen..];
            if self.text.len() < written + input.len() + 1 {
                self.grow(written, written + input.len() + 1);
            }
            let (result, read, wrote, ends) =
                self.core.read_record(input, &mut self.text[written..], &mut self.ends[fields..]);
            seen += read;
            written += wrote;
            fields += ends;
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull if seen > self.limit => return Ok(None),
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull if ended => break,
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull => {}
            }
        }
        self.fields = fields;
        if seen > self.limit {
            return Ok(None);
        }
        let cut_between = reader.held()[..seen].last() == Some(&b'\r');
        if cut_between && (seen < reader.held().len() || reader.more()?) && reader.held()[seen] == b'\n' {
            seen += 1;
        }
        Ok(Some(seen))
    }

    /// A larger buffer replaces the old one, which is wiped.
    fn grow(&mut self, keep: usize, needed: usize) {
        let mut larger = Zeroizing::new(vec![0; needed.max(2 * self.text.len())]);
        larger[..keep].copy_from_slice(&self.text[..keep]);
        self.text = larger;
    }
}

/// Takes line ends, so that the reader's line number is that of the next row.
pub(super) fn skip_blank_lines<R: Read>(reader: &mut Reader<R>) -> std::io::Result<()> {
    while let Some(b'\r' | b'\n') = reader.peek()? {
        reader.take(1);
    }
    Ok(())
}

/// What is wrong with a row's quoting, if anything: text behind a closing quote, or a quote that never closes.
fn unclean(row: &[u8], delimiter: u8, quote: u8) -> Option<&'static str> {
    let mut rest = row;
    memchr::memchr(quote, rest)?;
    loop {
        if rest.first() == Some(&quote) {
            rest = &rest[1..];
            loop {
                let Some(at) = memchr::memchr(quote, rest) else { return Some("a quote opens and never closes") };
                rest = &rest[at + 1..];
                if rest.first() != Some(&quote) {
                    break;
                }
                rest = &rest[1..];
            }
            match rest.first() {
                None | Some(b'\r' | b'\n') => return None,
                Some(byte) if *byte == delimiter => {}
                Some(_) => return Some("text follows a closing quote: a quote inside a field must be doubled"),
            }
        }
        let at = memchr::memchr(delimiter, rest)?;
        rest = &rest[at + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Encoding;

    fn rows(text: &str, chunk: usize, wanted: usize) -> Vec<String> {
        let mut reader = Reader::new(text.as_bytes(), Encoding::Utf8, 0, 1).with_chunk(chunk);
        let mut grammar = Grammar::new(b',', Some(b'"'), 64);
        let mut rows = Vec::new();
        loop {
            match grammar.next(&mut reader, wanted).unwrap() {
                Row::Whole { length } => {
                    rows.push(grammar.fields().unwrap().collect::<Vec<_>>().join("·"));
                    reader.take(length);
                }
                Row::Broken(mistake, raw) => {
                    rows.push(format!("{}!{}", mistake.code, String::from_utf8_lossy(&raw[..raw.len().min(12)])));
                }
                Row::End => return rows,
            }
        }
    }

    fn check(text: &str, wanted: usize, expected: &[&str]) {
        for chunk in [1, 2, 3, 7, 1_000] {
            assert_eq!(rows(text, chunk, wanted), expected, "chunks of {chunk}");
        }
    }

    #[test]
    fn rows_are_taken_apart_with_quotes_and_embedded_line_ends() {
        check("a,b\r\n1,\"x\r\ny\"\n\n\"q\"\"q\",\n", 2, &["a·b", "1·x\r\ny", "q\"q·"]);
        check("a,b\n1,b\"c", 2, &["a·b", "1·b\"c"]);
    }

    #[test]
    fn a_row_with_the_wrong_number_of_fields_costs_itself_only() {
        check("a,b\n1\n2,x\n3,x,y\n4,z", 2, &["a·b", "E3105!1", "2·x", "E3105!3,x,y", "4·z"]);
        check("1,\"a\nb\",c\n2,x", 2, &["E3105!1,\"a\nb\",c", "2·x"]);
    }

    #[test]
    fn a_quote_that_is_opened_by_mistake_swallows_no_other_row() {
        check("1,\"x\n2,y\n3,\"z\"\n4,w", 2, &["E3105!1,\"x", "2·y", "3·z", "4·w"]);
        check("1,\"x\n2,y", 2, &["E3105!1,\"x", "2·y"]);
        check("1,\"x\" y\n2,z", 2, &["E3105!1,\"x\" y", "2·z"]);
        let long = format!("1,\"x\n2,y\n{}", "3,z\n".repeat(50));
        let read = rows(&long, 16, 2);
        assert_eq!((read.len(), &read[..3]), (52, ["E3105!1,\"x", "2·y", "3·z"].map(String::from).as_slice()));
    }

    #[test]
    fn a_field_beyond_the_bound_costs_its_row_only() {
        let text = format!("1,{}\n2,y\n", "x".repeat(500));
        check(&text, 2, &["E3104!1,xxxxxxxxxx", "2·y"]);
    }
}
