//! `csv`: a table with a header row, its columns mapped in configuration.
//!
//! `grammar.rs` takes one row at a time, bounded, and finds its feet again after a broken one; `header.rs` says which
//! column is what; `form.rs` makes accounts of rows.

mod form;
mod grammar;
mod header;

use sterna_core::{
    code::Finding,
    port::{Record, Source, SourceError},
    registry::{Context, SourceKind},
    settings::{Kind as Takes, Need, Setting, Values},
    support::{Gives, SourceSupport},
};

use crate::text::{COLUMN_RULES, Columns, ENCODING, FileSource, MAX_RECORD_BYTES, PATH, common, read_all};

pub use form::{Delimited, Options};

/// The settings of `connector = "csv"`.
const SETTINGS: &[Setting] = &[
    PATH,
    ENCODING,
    Setting {
        name: "delimiter",
        kind: Takes::Choice(&["auto", ",", ";", "\t", "tab", "|"]),
        need: Need::Default("\"auto\""),
        doc: "What stands between fields; auto takes the one that cuts the header and the first rows most evenly.",
    },
    Setting {
        name: "quote",
        kind: Takes::Choice(&["\"", "'", "none"]),
        need: Need::Default("'\"'"),
        doc: "What surrounds a field that holds delimiters or line ends; doubled inside the field.",
    },
    Setting {
        name: "columns",
        kind: Takes::TextTable,
        need: Need::Optional,
        doc: "Account attribute = column. `key` is the column with the record's own immutable id (left out: the column \
              `id`). Columns that are not named here are kept as attributes. Without this table columns count by \
              their own names.",
    },
    COLUMN_RULES[0],
    COLUMN_RULES[1],
    COLUMN_RULES[2],
    COLUMN_RULES[3],
    COLUMN_RULES[4],
    COLUMN_RULES[5],
    COLUMN_RULES[6],
    Setting {
        name: "unescape_formulas",
        kind: Takes::Flag,
        need: Need::Default("false"),
        doc: "Takes off the ' that some exports put before a value that begins with = + - or @.",
    },
    MAX_RECORD_BYTES,
];

/// Values that mean "none" unless `null_tokens` says otherwise.
const NULLS: &[&str] = &["NULL", "\\N"];

/// The kind in the registry.
pub struct Kind;

impl SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "csv"
    }

    fn title(&self) -> &'static str {
        "a CSV file with a header row and any columns"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "path = \"users.csv\"\n\
         # encoding = \"auto\"              # utf-8, utf-16, windows-1252\n\
         # delimiter = \"auto\"             # or \",\" \";\" \"\\t\" \"|\"\n\
         # sign_in = [\"email\"]            # which of user_name, email and phone people sign in with\n\
         [sources.NAME.columns]             # account attribute = column of the file\n\
         key = \"id\"                       # the record's own immutable id\n\
         email = \"email\"\n\
         # user_name = \"login\"\n\
         # display_name = \"name\"\n\
         # given_name = \"first name\"\n\
         # family_name = \"last name\"\n\
         # password_hash = \"password\"\n\
         # \"federated.google.com\" = \"google_sub\"\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport {
            gives: &[Gives::Identities, Gives::Groups, Gives::Roles, Gives::Passwords, Gives::Hashes],
            tested_with: &[],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let (path, stated, limit) = common(values, context);
        let columns = Columns::from_values(values, "columns", NULLS)?;
        let options = Options {
            delimiter: match values.text("delimiter") {
                Some("tab") => Some(b'\t'),
                Some("auto") | None => None,
                Some(text) => text.bytes().next(),
            },
            quote: values.text("quote").filter(|quote| *quote != "none").and_then(|quote| quote.bytes().next()),
            unescape_formulas: values.flag("unescape_formulas").unwrap_or_default(),
            limit,
        };
        Ok(Box::new(FileSource::new(path, stated, Delimited::new(columns, options))))
    }
}

/// Reads a whole CSV file that is in memory, columns by their own names: what fuzzers call.
pub fn read_rows(bytes: &[u8]) -> (Vec<Record>, Option<SourceError>) {
    let options = Options { delimiter: None, quote: Some(b'"'), unescape_formulas: false, limit: 1 << 20 };
    read_all(&mut Delimited::new(Columns::default(), options), bytes, 4_096)
}
