//! `ldif`: the export of a directory (RFC 2849), read entry by entry.
//!
//! `grammar.rs` reads one entry, `form.rs` takes one after the other; what becomes of an entry is `crate::directory`'s.

mod form;
mod grammar;
mod long;

use sterna_core::{
    code::Finding,
    port::{Record, Source, SourceError},
    registry::{Context, SourceKind},
    settings::{Setting, Values},
    support::{Gives, SourceSupport},
};

use crate::{
    directory::{self, RULES},
    text::{ENCODING, FileSource, MAX_RECORD_BYTES, PATH, common, read_all},
};

pub use form::Ldif;
pub use grammar::{entry, written};

/// The settings of `connector = "ldif"`.
const SETTINGS: &[Setting] =
    &[PATH, ENCODING, RULES[0], RULES[1], RULES[2], RULES[3], RULES[4], RULES[5], RULES[6], RULES[7], MAX_RECORD_BYTES];

/// The kind in the registry.
pub struct Kind;

impl SourceKind for Kind {
    fn kind(&self) -> &'static str {
        "ldif"
    }

    fn title(&self) -> &'static str {
        "an LDIF file, the export of a directory"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "path = \"people.ldif\"\n\
         # layout = \"auto\"                # inetorgperson, active-directory\n\
         # sign_in = [\"uid\", \"mail\"]      # attributes that people sign in with\n"
    }

    fn support(&self) -> Option<SourceSupport> {
        Some(SourceSupport {
            gives: &[Gives::Identities, Gives::Groups, Gives::Roles, Gives::Passwords, Gives::Hashes],
            tested_with: &[],
        })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Box<dyn Source>, Vec<Finding>> {
        let (path, stated, limit) = common(values, context);
        let rules = directory::rules(values)?;
        Ok(Box::new(FileSource::new(path, stated, Ldif::new(rules, directory::most(values), limit))))
    }
}

/// Reads a whole file that is in memory, by the default rules: what fuzzers call.
pub fn read_entries(bytes: &[u8]) -> (Vec<Record>, Option<SourceError>) {
    let rules = directory::Rules::usual();
    read_all(&mut Ldif::new(rules, 10_000, 1 << 20), bytes, 4_096)
}
