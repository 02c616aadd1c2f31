//! `json-lines`: one JSON object per line, in Sterna's own account form or with fields that the configuration maps.
//!
//! `account.rs` is the account form (docs/account.schema.json) and built for speed; `fields.rs` takes any object
//! apart; `form.rs` reads line after line.

mod account;
mod fields;
mod form;

use sterna_core::{
    code::Finding,
    port::{Record, Source},
    registry::{Context, SourceKind},
    settings::{Kind as Takes, Need, Setting, Values},
    support::{Gives, SourceSupport},
};

use crate::text::{COLUMN_RULES, Columns, ENCODING, FileSource, MAX_RECORD_BYTES, PATH, common};

pub use account::read_account;
pub use form::{JsonLines, Shape};

/// The settings of `connector = "json-lines"`.
const SETTINGS: &[Setting] = &[
    PATH,
    ENCODING,
    Setting {
        name: "form",
        kind: Takes::Choice(&["auto", "account", "fields"]),
        need: Need::Default("\"auto\""),
        doc: "account: every line is in Sterna's own account form (docs/account.schema.json); fields: lines are taken \
              apart by `fields`; auto: lines that fit the account form are read so, the others by `fields` if there \
              are any.",
    },
    Setting {
        name: "fields",
        kind: Takes::TextTable,
        need: Need::Optional,
        doc: "Account attribute = where it stands in the object: a name, names with dots between, or a JSON pointer \
              that begins with /. With form = \"fields\" and no table, members count by their own names.",
    },
    COLUMN_RULES[0],
    COLUMN_RULES[1],
    COLUMN_RULES[2],
    COLUMN_RULES[3],
    COLUMN_RULES[4],
    COLUMN_RULES[5],
    COLUMN_RULES[6],
    MAX_RECORD_BYTES,
];

/// The kind in the registry.
pub struct Kind;

impl SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "json-lines"
    }

    fn title(&self) -> &'static str {
        "a file with one JSON object per line"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "path = \"users.jsonl\"\n\
         # form = \"auto\"                  # account: docs/account.schema.json; fields: as the table below says\n\
         # sign_in = [\"email\"]            # which of user_name, email and phone people sign in with\n\
         # [sources.NAME.fields]\n\
         # key = \"id\"\n\
         # email = \"contact.email\"        # or a JSON pointer: \"/contact/email\"\n\
         # display_name = \"name\"\n\
         # \"federated.google.com\" = \"google_sub\"\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport {
            gives: &[Gives::Identities, Gives::Groups, Gives::Roles, Gives::Passwords, Gives::Hashes, Gives::Factors],
            tested_with: &[],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let (path, stated, limit) = common(values, context);
        let columns = Columns::from_values(values, "fields", &[])?;
        let shape = match values.text("form") {
            Some("account") => Shape::Account,
            Some("fields") => Shape::Fields(columns),
            _ if columns.table.is_empty() => Shape::Account,
            _ => Shape::Either(columns),
        };
        Ok(Box::new(FileSource::new(path, stated, JsonLines::new(shape, limit))))
    }
}

/// Reads one line in the account form: what fuzzers call.
pub fn read_line(bytes: &[u8]) -> Record {
    JsonLines::new(Shape::Account, 1 << 20).record(bytes, || "line 1".to_owned())
}
