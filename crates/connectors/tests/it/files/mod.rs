//! The file sources, through the registry and their settings as the program uses them.

mod b2c;
mod csv;
mod json_lines;
mod open;
mod properties;
mod resume;
mod schema;
mod support;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sterna_connectors::registry::SOURCES;
use sterna_core::{
    account::{Account, Credential, Identity},
    code::{Code, Finding},
    port::{Cursor, Page, Record, Rejected, Source, SourceError},
    registry::Context,
    secrecy::{ExposeSecret, SecretString},
    settings::{self, Document, SecretRef, Secrets, Setting, Values},
    time::{Clock, Entropy, Moment, NoEntropy, Timestamp},
};

struct World;

impl Secrets for World {
    fn reveal(&self, reference: &SecretRef) -> Result<SecretString, Box<Finding>> {
        match reference {
            SecretRef::File(path) => Ok(std::fs::read_to_string(path).unwrap().into()),
            // a secret is called what it is: { env = "secret" }
            SecretRef::Env(name) => Ok(name.as_str().into()),
            SecretRef::Command(_) => Ok("".into()),
        }
    }
}

impl Clock for World {
    fn now(&self) -> Moment {
        Moment { wall: Timestamp(0), boot: 0, since_boot_ms: 0 }
    }
}

impl Entropy for World {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Ok(())
    }
}

/// A connector's checked settings.
pub(crate) fn values(settings: &'static [Setting], toml: &str) -> Result<Values, Vec<Finding>> {
    let document = Document { file: "sterna.toml".into(), text: toml.to_owned() };
    let table = document.parse().unwrap();
    let mut findings = Vec::new();
    let values = settings::check(&document, table.get_ref(), table.span(), settings, "[sources.x]", &mut findings);
    if findings.is_empty() { Ok(values) } else { Err(findings) }
}

/// A world in which secrets are files, for a project in `folder`.
pub(crate) fn context(folder: &Path) -> Context {
    let project = folder.to_owned();
    Context { project, secrets: Arc::new(World), clock: Arc::new(World), entropy: Arc::new(World) }
}

/// A file in a folder of its own, and the settings that read it.
pub(super) struct File {
    folder: tempfile::TempDir,
    kind: &'static str,
    toml: String,
}

impl File {
    pub(super) fn new(kind: &'static str, bytes: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("users"), bytes).unwrap();
        Self { folder, kind, toml: "path = 'users'\n".to_owned() }
    }

    pub(super) fn with(mut self, toml: &str) -> Self {
        self.toml.push_str(toml);
        self.toml.push('\n');
        self
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("users")
    }

    pub(super) fn try_open(&self) -> Result<Box<dyn Source>, Vec<Finding>> {
        let kind = SOURCES.iter().find(|kind| kind.kind() == self.kind).unwrap();
        kind.open(&values(kind.settings(), &self.toml)?, &context(self.folder.path()))
    }

    pub(super) fn open(&self) -> Box<dyn Source> {
        self.try_open().unwrap()
    }

    /// Every record, and the error that ended the reading.
    pub(super) fn read(&self) -> Outcome {
        let mut source = self.open();
        let (mut records, mut cursor) = (Vec::new(), None);
        loop {
            match page(&mut *source, cursor.as_ref()) {
                Ok(page) => {
                    assert!(page.records.len() <= 1_000, "a page is bounded");
                    assert!(page.done.is_some_and(|done| (0.0..=1.0).contains(&done)));
                    records.extend(page.records);
                    cursor = page.next;
                    if cursor.is_none() {
                        return Outcome { records, error: None };
                    }
                }
                Err(error) => return Outcome { records, error: Some(error) },
            }
        }
    }

    pub(super) fn preflight(&self) -> Vec<Finding> {
        wait(self.open().preflight())
    }
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(super) fn page(source: &mut dyn Source, cursor: Option<&Cursor>) -> Result<Page, SourceError> {
    wait(source.read(cursor))
}

pub(super) struct Outcome {
    pub(super) records: Vec<Record>,
    pub(super) error: Option<SourceError>,
}

impl Outcome {
    /// The accounts of a reading in which nothing went wrong.
    pub(super) fn accounts(&self) -> Vec<&Account> {
        assert!(self.error.is_none(), "{:?}", self.error);
        self.records.iter().map(account).collect()
    }

    pub(super) fn rejected(&self) -> Vec<&Rejected> {
        self.records
            .iter()
            .filter_map(|record| if let Record::Rejected(rejected) = record { Some(rejected) } else { None })
            .collect()
    }

    /// One word per record: the key, or the code and the position; `!` and the error's code at the end.
    pub(super) fn story(&self) -> Vec<String> {
        let record = |record: &Record| match record {
            Record::Account(account) => account.key.as_str().replace('\u{1f}', "/"),
            Record::Excluded(account, code) => format!("-{} {code}", account.key.as_str()),
            Record::Rejected(rejected) => format!("{} {}", rejected.code, rejected.position),
        };
        let error = self.error.as_ref().map(|error| format!("!{}", error.code));
        self.records.iter().map(record).chain(error).collect()
    }
}

pub(super) fn account(record: &Record) -> &Account {
    match record {
        Record::Account(account) => account,
        other => panic!("no account: {other:?}"),
    }
}

/// Everything an account holds, as text, so that two readings can be compared.
pub(super) fn print(record: &Record) -> String {
    match record {
        Record::Account(account) => format!("{} {}", account.key.as_str(), describe(account)),
        Record::Excluded(account, code) => format!("excluded {code} {}", describe(account)),
        Record::Rejected(rejected) => format!("{rejected:?}"),
    }
}

pub(super) fn describe(account: &Account) -> String {
    let encoded = sterna_core::codec::encode(account).unwrap();
    String::from_utf8(encoded.to_vec()).unwrap()
}

pub(super) fn plaintext(account: &Account) -> Option<&str> {
    match &account.credential {
        Credential::Plaintext(secret) => Some(secret.expose_secret()),
        _ => None,
    }
}

/// The identities as `local:…`, `user:…`, `phone:…` or `issuer:subject`.
pub(super) fn identities(account: &Account) -> Vec<String> {
    use sterna_core::account::LocalName::{Email, Phone, UserName};
    let name = |identity: &Identity| match identity {
        Identity::Local { name: Email, value } => format!("email:{value}"),
        Identity::Local { name: UserName, value } => format!("user:{value}"),
        Identity::Local { name: Phone, value } => format!("phone:{value}"),
        Identity::Federated { issuer, subject } => format!("{issuer}:{subject}"),
    };
    account.identities.iter().map(name).collect()
}

pub(super) fn check(file: &File, expected: &[&str]) {
    assert_eq!(file.read().story(), expected);
}

/// The code of the error with which the first page ends, and its message.
pub(super) fn first_error(file: &File) -> (Code, String) {
    let error = page(&mut *file.open(), None).map(drop).unwrap_err();
    (error.code, error.message)
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
