//! `b2c-users-file`: the user files of the Azure AD B2C migration samples, and saved lists of Azure AD Graph users.
//!
//! `document.rs` finds the array of users in the document and cuts it into elements, `scan.rs` finds where an element
//! ends, `lenient.rs` makes strict JSON of what the .NET readers accept, `user.rs` makes accounts of elements
//! (entra.md 7.1, 7.3, 7.4).

mod document;
mod form;
mod lenient;
mod members;
mod scan;
mod user;

use sterna_core::{
    code::Finding,
    port::{Record, Source, SourceError},
    registry::{Context, SourceKind},
    settings::{Kind as Takes, Need, Setting, Values},
    support::{Gives, SourceSupport},
};

use crate::text::{ENCODING, FileSource, MAX_RECORD_BYTES, PATH, common, read_all};

pub use form::UsersFile;
pub use user::UserType;

/// The settings of `connector = "b2c-users-file"`.
const SETTINGS: &[Setting] = &[
    PATH,
    ENCODING,
    Setting {
        name: "user_type",
        kind: Takes::Choice(&["auto", "emailAddress", "userName"]),
        need: Need::Default("\"auto\""),
        doc: "What a row's signInName is. auto: what the document's own userType says; where it says nothing, a name \
              with an @ is an e-mail address.",
    },
    MAX_RECORD_BYTES,
];

/// The kind in the registry.
pub struct Kind;

impl SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "b2c-users-file"
    }

    fn title(&self) -> &'static str {
        "a JSON file of Azure AD B2C users: UsersData.json, users.json, or a list of Azure AD Graph users"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "path = \"UsersData.json\"           # or users.json, or a saved list of Azure AD Graph users\n\
         # user_type = \"auto\"              # or emailAddress, userName: overrules the document's userType\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport { gives: &[Gives::Identities, Gives::Passwords], tested_with: &[] })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let (path, stated, limit) = common(values, context);
        let user_type = values.text("user_type").and_then(UserType::parse);
        Ok(Box::new(FileSource::new(path, stated, UsersFile::new(user_type, limit))))
    }
}

/// Reads a whole document that is in memory: what fuzzers call.
pub fn read_document(bytes: &[u8]) -> (Vec<Record>, Option<SourceError>) {
    read_all(&mut UsersFile::new(None, 1 << 20), bytes, 4_096)
}
