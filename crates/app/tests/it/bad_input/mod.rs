//! Bad input of every sort: each case ends with a clear error or a rejected record, and nobody is lost.
//!
//! Cases are rows of tables. Start at [`file`] and [`FileCase::check`] for the sources' files; `ledger.rs` damages
//! ledgers and keys, `service.rs` the way to the target, `configuration.rs` the settings and the command line.

mod configuration;
mod documents;
mod encodings;
mod ledger;
mod lines;
mod mended;
mod network;
mod room;
mod rows;
mod service;

use std::fs;

use serde_json::Value;

use crate::{
    scenario::adds_up,
    support::{Folder, Run},
};

/// One source file with something wrong in it.
pub(super) struct FileCase {
    name: &'static str,
    connector: &'static str,
    settings: &'static str,
    bytes: Vec<u8>,
    accounts: u64,
    rejected: &'static [&'static str],
    error: Option<(&'static str, &'static str)>,
    mended: Option<(Vec<u8>, u64)>,
}

/// A case: a file of `connector` with these bytes.
pub(super) fn file(connector: &'static str, name: &'static str, bytes: impl AsRef<[u8]>) -> FileCase {
    let bytes = bytes.as_ref().to_vec();
    FileCase { name, connector, settings: "", bytes, accounts: 0, rejected: &[], error: None, mended: None }
}

impl FileCase {
    /// More settings of the source.
    pub(super) fn with(self, settings: &'static str) -> Self {
        Self { settings, ..self }
    }

    /// How many accounts are in the ledger afterwards.
    pub(super) fn keeps(self, accounts: u64) -> Self {
        Self { accounts, ..self }
    }

    /// Which records are kept as rejected: code and place.
    pub(super) fn rejects(self, rejected: &'static [&'static str]) -> Self {
        Self { rejected, ..self }
    }

    /// The error that extract ends with: its code, and some of its words.
    pub(super) fn fails(self, code: &'static str, words: &'static str) -> Self {
        Self { error: Some((code, words)), ..self }
    }

    /// What the file is like when somebody mended it, and how many accounts it has then.
    pub(super) fn mended(self, bytes: impl AsRef<[u8]>, accounts: u64) -> Self {
        Self { mended: Some((bytes.as_ref().to_vec(), accounts)), ..self }
    }

    /// Extracts the file, compares what is told and kept, mends the file and extracts again.
    pub(super) fn check(self) {
        let folder = Folder::project(&format!(
            "[migration]\nname = \"bad\"\n[sources.legacy]\nconnector = \"{}\"\npath = \"people\"\n{}",
            self.connector, self.settings
        ));
        let write = |bytes: &[u8]| fs::write(folder.path().join("people"), bytes).unwrap();
        write(&self.bytes);
        let run = folder.run("extract");
        self.compare_told(&run);
        compare_kept(&folder, self.name, self.accounts, self.rejected);
        if let Some((bytes, accounts)) = &self.mended {
            write(bytes);
            let run = folder.run("extract");
            assert_eq!(run.code, 0, "{}, mended: {}{}", self.name, run.stdout, run.stderr);
            compare_kept(&folder, self.name, *accounts, &[]);
        }
    }

    fn compare_told(&self, run: &Run) {
        let told = format!("{}: {} {}{}", self.name, run.code, run.stdout, run.stderr);
        match self.error {
            Some((code, words)) => {
                assert_eq!(run.code, 1, "{told}");
                assert!(run.stderr.contains(&format!("error[{code}]: ")), "{told}");
                assert!(run.stderr.contains(words), "{told}");
                assert!(run.stderr.contains("hint: "), "an error says how to mend it; {told}");
            }
            None if self.rejected.is_empty() => assert_eq!(run.code, 0, "{told}"),
            None => {
                assert_eq!(run.code, 12, "{told}");
                assert!(run.stderr.contains("warning[E5008]: "), "{told}");
            }
        }
        assert!(!told.contains("x.org"), "no record is repeated; {told}");
        assert!(!told.contains("panicked"), "{told}");
    }
}

/// Checks every row of a table.
pub(super) fn check_all(cases: Vec<FileCase>) {
    cases.into_iter().for_each(FileCase::check);
}

/// Compares what the ledger holds: accounts, and rejected records by code and place.
pub(super) fn compare_kept(folder: &Folder, name: &str, accounts: u64, rejected: &[&str]) {
    let status = folder.run("status --json");
    if status.code != 0 {
        let nothing = (accounts, rejected.len()) == (0, 0) && status.stderr.contains("error[E4001]");
        assert!(nothing, "{name}: {}", status.stderr);
        return;
    }
    let status = status.json();
    adds_up(&status);
    assert_eq!(status["accounts"], accounts, "{name}: {status}");
    assert_eq!(status["rejected"], rejected.len(), "{name}: {status}");
    if !rejected.is_empty() {
        let text = folder.run("export rejects --output -").exits(0).stdout;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        let places: Vec<_> =
            lines.iter().map(|line| format!("{} {}", word(line, "code"), word(line, "position"))).collect();
        assert_eq!(places, rejected, "{name}");
        let has_raw = |line: &Value| line["raw"].is_string() || line["raw_base64"].is_string();
        assert!(
            lines.iter().all(|line| has_raw(line) && !line["reason"].as_str().unwrap().is_empty()),
            "{name}: {text}"
        );
    }
}

/// Text in UTF-16, little endian, without a byte-order mark.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Text in Windows-1252; it has letters of Latin-1 only.
pub(super) fn western(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}
