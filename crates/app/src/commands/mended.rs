//! The file of rejected records: what `sterna export rejects` writes, an operator mends, and `sterna extract --mended`
//! takes back. One JSON object per line: `reject`, `source`, `code`, `position`, `reason`, `form`, and the record as
//! `raw` (text, or a JSON value in the ledger's own form) or `raw_base64` (bytes that are no text).

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sterna_core::port::REJECT_BYTES;
use sterna_engine::extract::MendedRecord;
use sterna_ledger::reading::OpenReject;

/// Longest line, in bytes: a rejected record in base64 or with every byte escaped, and the words around it.
const LINE_BYTES: usize = 8 * REJECT_BYTES;
/// Most records in one file.
const RECORDS: usize = 1_000_000;

/// A rejected record as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    reject: i64,
    source: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    position: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    form: Form,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

/// In which form a record stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    /// The source's own.
    #[default]
    Source,
    /// The ledger's own form of an account: what duplicates are exported in, since their source's text is not kept.
    Ledger,
}

/// Why a file of mended records cannot be taken.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) line: Option<usize>,
    pub(super) why: String,
}

impl Line {
    /// The line of a rejected record.
    pub(super) fn of(reject: &OpenReject) -> Self {
        let (raw, raw_base64) = match std::str::from_utf8(&reject.raw) {
            Ok(text) => (Some(Value::from(text)), None),
            Err(_) => (None, Some(STANDARD.encode(&*reject.raw))),
        };
        let form = if reject.is_account_form { Form::Ledger } else { Form::Source };
        Self {
            reject: reject.id,
            source: reject.source.clone(),
            code: reject.code.to_string(),
            position: reject.position.clone(),
            reason: reject.reason.clone(),
            form,
            raw,
            raw_base64,
        }
    }

    fn record(self) -> Result<MendedRecord, String> {
        let raw = match (self.raw, self.raw_base64) {
            (Some(Value::String(text)), None) => text.into_bytes(),
            (Some(value), None) => value.to_string().into_bytes(),
            (None, Some(text)) => STANDARD.decode(text).map_err(|_| "`raw_base64` is not base64".to_owned())?,
            _ => return Err("it needs one of `raw` and `raw_base64`".to_owned()),
        };
        let is_account_form = self.form == Form::Ledger;
        Ok(MendedRecord { reject: self.reject, source: self.source, raw, is_account_form })
    }
}

/// Reads a file of mended records. No error quotes a record.
pub(super) fn read(path: &Path) -> Result<Vec<MendedRecord>, Unreadable> {
    let wrong = |line, why: String| Unreadable { path: path.to_owned(), line, why };
    let file = File::open(path).map_err(|error| wrong(None, error.kind().to_string()))?;
    read_from(file).map_err(|(line, why)| wrong(Some(line), why))
}

/// Reads mended records from anywhere.
///
/// # Errors
/// The line's number and what is wrong with it.
pub(super) fn read_from(input: impl Read) -> Result<Vec<MendedRecord>, (usize, String)> {
    let mut reader = BufReader::new(input);
    let mut records = Vec::new();
    for number in 1.. {
        let mut bytes = Vec::new();
        let limit = LINE_BYTES as u64 + 1;
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut bytes);
        let length = read.map_err(|error| (number, error.kind().to_string()))?;
        if length == 0 {
            break;
        }
        if length > LINE_BYTES || records.len() >= RECORDS {
            return Err((number, "the line or the file is too long".to_owned()));
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&bytes).map_err(|error| {
            (number, format!("not what `sterna export rejects` writes (column {})", error.column()))
        })?;
        records.push(line.record().map_err(|why| (number, why))?);
    }
    Ok(records)
}

#[cfg(test)]
#[path = "mended/property.rs"] // also found from the fuzz target, which takes this file in
mod property;

#[cfg(test)]
mod tests {
    use super::*;

    type Parts = Vec<(i64, String, bool)>;

    fn check(text: &str) -> Result<Parts, (Option<usize>, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.jsonl");
        std::fs::write(&path, text).unwrap();
        read(&path)
            .map(|records| {
                let part = |record: MendedRecord| {
                    (record.reject, String::from_utf8_lossy(&record.raw).into_owned(), record.is_account_form)
                };
                records.into_iter().map(part).collect()
            })
            .map_err(|unreadable| (unreadable.line, unreadable.why))
    }

    #[test]
    fn text_bytes_and_the_ledgers_form_come_back() {
        let text = "{\"reject\":1,\"source\":\"a\",\"raw\":\"x,y\"}\n\n{\"reject\":2,\"source\":\"a\",\"raw_base64\":\"eA==\"}\n\
                    {\"reject\":3,\"source\":\"a\",\"form\":\"ledger\",\"raw\":{\"key\":\"k\"}}";
        let expected = vec![(1, "x,y".into(), false), (2, "x".into(), false), (3, "{\"key\":\"k\"}".into(), true)];
        assert_eq!(check(text), Ok(expected));
    }

    #[test]
    fn what_cannot_be_taken_is_told_by_line_and_never_quoted() {
        let wrong = ["{\"reject\":1,\"source\":\"a\"}", "{\"reject\":1,\"raw\":\"hunter2\"}", "hunter2"];
        for line in wrong {
            let (number, why) = check(&format!("\n{line}\n")).unwrap_err();
            assert_eq!(number, Some(2), "{line}");
            assert!(!why.contains("hunter2"), "{why}");
        }
        let long = format!("{{\"reject\":1,\"source\":\"a\",\"raw\":\"{}\"}}", "x".repeat(LINE_BYTES));
        assert!(check(&long).is_err());
    }

    #[test]
    fn every_line_is_one_record_or_ends_the_reading_whatever_it_holds() {
        let line = r#"{"reject":1,"source":"a","raw":"x,y"}"#;
        for at in 0..line.len() {
            for byte in [0, b'"', b'\n', b'{', b'}', b'\\', 0xFF] {
                let mut broken = format!("{line}\n{line}\n\n{line}").into_bytes();
                broken[line.len() + 1 + at] = byte;
                property::holds(&broken, |bytes| read_from(bytes));
            }
        }
    }
}
