//! Settings that every file source has, and those of named columns.

use std::path::PathBuf;

use sterna_core::{
    registry::Context,
    settings::{Kind, Need, Setting, Values},
};

use super::Stated;

/// `path`.
pub const PATH: Setting = Setting {
    name: "path",
    kind: Kind::Path,
    need: Need::Required,
    doc: "The file to read; a relative path is taken from the project folder.",
};

/// `encoding`.
pub const ENCODING: Setting = Setting {
    name: "encoding",
    kind: Kind::Choice(Stated::WORDS),
    need: Need::Default("\"auto\""),
    doc: "The file's encoding; auto goes by the byte-order mark, zero bytes, and whether the bytes are UTF-8.",
};

/// `max_record_bytes`.
pub const MAX_RECORD_BYTES: Setting = Setting {
    name: "max_record_bytes",
    kind: Kind::Integer(1_024, 67_108_864),
    need: Need::Default("1048576"),
    doc: "Longest record in bytes of UTF-8; a longer one is rejected and reading goes on behind it.",
};

/// How named values become an account; the same for CSV columns and JSON fields.
pub const COLUMN_RULES: [Setting; 7] = [
    Setting {
        name: "sign_in",
        kind: Kind::Texts,
        need: Need::Optional,
        doc: "Which of user_name, email and phone are local sign-in names. Left out: the user name; where a record has \
              none, the e-mail address (else the phone number), unless the record is social only.",
    },
    Setting {
        name: "ignore",
        kind: Kind::Texts,
        need: Need::Optional,
        doc: "Names that are not read at all. Every other name without an account attribute is kept as an attribute.",
    },
    Setting {
        name: "password_format",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "The format of every password_hash for which no password_format is given with the record \
              (docs/password-hashes.md); several with commas between: each hash's text tells which one. auto, or left out: its \
              text alone tells it, where that is certain.",
    },
    Setting {
        name: "null_tokens",
        kind: Kind::Texts,
        need: Need::Optional,
        doc: "Values that mean \"none\", besides the empty one. Default: NULL and \\N for csv, none for json-lines.",
    },
    Setting {
        name: "list_separator",
        kind: Kind::Text,
        need: Need::Default("\"|\""),
        doc: "What stands between several values in one (emails, phones, groups, roles).",
    },
    Setting {
        name: "true_words",
        kind: Kind::Texts,
        need: Need::Default("[\"true\", \"yes\", \"y\", \"t\", \"on\", \"1\", \"active\", \"enabled\"]"),
        doc: "Words that mean yes, without case.",
    },
    Setting {
        name: "false_words",
        kind: Kind::Texts,
        need: Need::Default("[\"false\", \"no\", \"n\", \"f\", \"off\", \"0\", \"inactive\", \"disabled\"]"),
        doc: "Words that mean no, without case.",
    },
];

/// The common settings as values: the file's path, its stated encoding, the longest record.
pub fn common(values: &Values, context: &Context) -> (PathBuf, Stated, usize) {
    let path = context.project.join(values.text("path").unwrap_or_default());
    let stated = Stated::from_word(values.text("encoding").unwrap_or("auto"));
    let limit = values.count("max_record_bytes").and_then(|bytes| usize::try_from(bytes).ok());
    (path, stated, limit.unwrap_or(1 << 20))
}
