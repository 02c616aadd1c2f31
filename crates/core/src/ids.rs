//! Names of things, parsed once at the edge, so that no id fits where another belongs.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Running number of an account in the ledger; the integer key of every table about accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ordinal(pub i64);

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A source's permanent id in the ledger: it stays when the table `[sources.NAME]` is renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceUid(pub Uuid);

/// The source's own immutable id of a record; never a display name.
///
/// Personal data: sealed in the ledger, looked up through a keyed hash.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceKey(String);

/// Longest record key that is accepted, in bytes.
pub const SOURCE_KEY_BYTES: usize = 1_024;

impl SourceKey {
    /// Takes a record's key as the source gives it; `None` when empty or longer than [`SOURCE_KEY_BYTES`].
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty() && text.len() <= SOURCE_KEY_BYTES).then_some(Self(text))
    }

    /// The key as the source wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceKey(..)")
    }
}

/// The one key that every create carries: UPN local part, `mailNickname` and legacy id at the target.
///
/// A UUID of version 5 in the project's random namespace (design.md 6.1), so the same record always gets the same key and a
/// double create is impossible or visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountKey(pub Uuid);

impl AccountKey {
    /// Makes the key of one record of one source.
    pub fn make(namespace: &Uuid, source: SourceUid, record: &SourceKey) -> Self {
        let mut name = Vec::with_capacity(17 + record.0.len());
        name.extend_from_slice(source.0.as_bytes());
        name.push(b'/');
        name.extend_from_slice(record.0.as_bytes());
        Self(Uuid::new_v5(namespace, &name))
    }

    /// Reads a key back from what a target holds; `None` when it is not one of ours in form.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().filter(|uuid| uuid.get_version_num() == 5).map(Self)
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

/// The target's own id of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetId(pub String);

/// What stands for a person in logs and tables: the head of a keyed hash, meaningless without the ledger's key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym(pub [u8; 5]);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("p-")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Pseudonym {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let hex = text.strip_prefix("p-").filter(|hex| hex.len() == 10 && hex.is_ascii()).ok_or(())?;
        let mut bytes = [0; 5];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).map_err(|_| ())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_namespace_source_and_record_alone() {
        let (space, source) = (Uuid::from_u128(7), SourceUid(Uuid::from_u128(8)));
        let record = SourceKey::new("ana").unwrap();
        let key = AccountKey::make(&space, source, &record);
        assert_eq!(key, AccountKey::make(&space, source, &record));
        assert_ne!(key, AccountKey::make(&Uuid::from_u128(9), source, &record));
        assert_ne!(key, AccountKey::make(&space, SourceUid(Uuid::from_u128(9)), &record));
        assert_eq!(AccountKey::parse(&key.to_string()), Some(key));
    }

    #[test]
    fn a_foreign_uuid_is_not_taken_for_a_key() {
        assert_eq!(AccountKey::parse("c8c3d3b8-60cf-4c76-9aa7-eb3235b190c8"), None);
    }

    #[test]
    fn a_pseudonym_reads_back_and_a_key_does_not_print() {
        let pseudonym = Pseudonym([1, 2, 3, 0xfe, 0xff]);
        assert_eq!(pseudonym.to_string().parse(), Ok(pseudonym));
        assert_eq!(format!("{:?}", SourceKey::new("ana@example.com").unwrap()), "SourceKey(..)");
    }
}
