//! What arrives from outside, as pure functions of bytes: what fuzzers call. Nothing else does.

use sterna_core::{account::Credential, port::Record, settings::Values};

use super::{digest::Digests, person::Rules};

/// Reads what the tables hold of a person, in the form of a rejected record; `None` when the rules cannot be made.
pub fn person(raw: &[u8]) -> Option<Record> {
    Some(Rules::new(&Values::default(), "SECOND").ok()?.mend(raw))
}

/// Reads `password_digest` and `hash_algorithm_properties`, and what a row is by them. `None` when they are refused.
pub fn credential(digest: &str, properties: &str, password: &str, salt: Option<&str>) -> Option<Credential> {
    let values =
        Values::default().with("password_digest", digest.into()).with("hash_algorithm_properties", properties.into());
    Some(Digests::new(&values).ok()?.credential(password, salt))
}
