//! Configuration, mapping rules, sealed accounts and cursors.

use std::{
    path::PathBuf,
    pin::pin,
    sync::Arc,
    task::{Poll, Waker},
};

use serde_json::Value;
use sterna_connectors::{
    b2c_users_file::UsersFile,
    delimited::{Delimited, Options},
    json_lines::{JsonLines, Shape},
    registry::{SOURCES, TARGETS},
    text::{Columns, FileSource, Form, Stated},
};
use sterna_core::{
    account::Account,
    code::{Code, Finding},
    codec,
    ids::SourceKey,
    mapping::{Mapper, Rules},
    port::{Cursor, Source},
    registry::Context,
    secrecy::SecretString,
    settings::{self, Document, Kind, SecretRef, Secrets, Values},
    time::{Clock, Entropy, Moment, NoEntropy, Timestamp},
};
use toml::de::DeValue;

/// Most bytes of one input that are looked at.
const INPUT: usize = 8 << 10;

struct Nothing;

impl Secrets for Nothing {
    fn reveal(&self, _: &SecretRef) -> Result<SecretString, Box<Finding>> {
        Err(Box::new(Finding::error(Code::E1008, "there is none")))
    }
}

impl Clock for Nothing {
    fn now(&self) -> Moment {
        Moment { wall: Timestamp(0), boot: 0, since_boot_ms: 0 }
    }
}

impl Entropy for Nothing {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Ok(())
    }
}

/// The tables of a `sterna.toml` against every connector: findings stand in the file, and what has none is right.
pub(super) fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(&data[..data.len().min(INPUT)]) else { return };
    let document = Document { file: "sterna.toml".into(), text: text.to_owned() };
    let parsed = match document.parse() {
        Ok(parsed) => parsed,
        Err(finding) => return within(&document, &[*finding]),
    };
    let context = Context {
        project: PathBuf::from("."),
        secrets: Arc::new(Nothing),
        clock: Arc::new(Nothing),
        entropy: Arc::new(Nothing),
    };
    for kind in SOURCES {
        if let Some(values) = checked(&document, parsed.get_ref(), kind.settings()) {
            let _ = kind.open(&values, &context);
        }
    }
    for kind in TARGETS {
        if let Some(values) = checked(&document, parsed.get_ref(), kind.settings()) {
            kind.check(&values);
        }
    }
}

fn checked(document: &Document, table: &toml::de::DeTable<'_>, known: &'static [settings::Setting]) -> Option<Values> {
    let mut findings = Vec::new();
    let values = settings::check(document, table, 0..0, known, "[x]", &mut findings);
    within(document, &findings);
    if !findings.is_empty() {
        return None;
    }
    for setting in known.iter().filter(|setting| setting.need == settings::Need::Required) {
        assert!(values.get(setting.name).is_some(), "`{}` is needed and not there", setting.name);
    }
    Some(values)
}

fn within(document: &Document, findings: &[Finding]) {
    let lines = document.text.matches('\n').count() + 1;
    for finding in findings {
        assert!(!finding.message.is_empty());
        let Some(place) = &finding.place else { continue };
        assert!((1..=lines).contains(&place.line) && place.column >= 1, "{place:?}");
        // what may be a secret is not shown
        assert!(document.text.contains(&place.text) || place.text == "(not shown)", "{place:?}");
    }
}

/// Mapping rules in TOML, over an account in the sealed form: one value at most for each rule, and bounded.
pub(super) fn mapping(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (rules, account) = text.split_once('\0').unwrap_or((text, ""));
    let document = Document { file: "sterna.toml".into(), text: rules.to_owned() };
    let Ok(parsed) = document.parse() else { return };
    let table = toml::Spanned::new(parsed.span(), DeValue::Table(parsed.get_ref().clone()));
    let mut findings = Vec::new();
    let value = settings::check_value(&document, &table, Kind::Rules, "[mapping]", &mut findings);
    within(&document, &findings);
    let (Some(value), true) = (value, findings.is_empty()) else { return };
    let rules = Rules::from_value(&value);
    assert_eq!(rules.targets().count(), value.as_object().map_or(0, serde_json::Map::len), "no rule is left out");
    let account = codec::decode(account.as_bytes()).unwrap_or_else(|_| ana());
    let mapped = rules.map(&account);
    assert!(mapped.keys().all(|name| rules.targets().any(|target| target == name)));
    assert_eq!(rules.map(&account), mapped, "the same account maps to the same values");
    // a rule joins each source attribute once: the whole is at most rules times account
    let size: usize = mapped.values().map(|value| value.to_string().len()).sum();
    assert!(size <= (rules.takes().count() + 1) * 8 * INPUT, "{size}");
}

fn ana() -> Account {
    let mut account = Account::new(SourceKey::new("1").expect("a key"));
    account.profile.display_name = Some("Ana Pérez".into());
    account.profile.add_email("ana@example.com", Some(true));
    account.profile.attributes.insert("plan".into(), serde_json::json!({"name": ["gold", 7]}));
    account
}

/// Sealed accounts: what is read is written again, and read the same.
pub(super) fn sealed(data: &[u8]) {
    let data = &data[..data.len().min(4 * INPUT)];
    let Ok(account) = codec::decode(data) else { return };
    let bytes = codec::encode(&account).expect("what was decoded is encoded");
    let again = codec::decode(&bytes).expect("and decoded again");
    assert_eq!(codec::encode(&again).expect("and encoded").as_slice(), bytes.as_slice());
    assert_eq!((again.identities, again.credential), (account.identities, account.credential));
}

/// Where reading goes on in a file: any text is refused or leads to a bounded page, whatever it says.
pub(super) fn cursor(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    FILES.with(|files| match which % 3 {
        0 => goes_on(&files.csv, rest, csv()),
        1 => goes_on(&files.lines, rest, lines()),
        _ => goes_on(&files.b2c, rest, b2c()),
    });
}

fn csv() -> Delimited {
    let options = Options { delimiter: None, quote: Some(b'"'), unescape_formulas: false, limit: 1 << 20 };
    Delimited::new(Columns::default(), options)
}

fn lines() -> JsonLines {
    JsonLines::new(Shape::Account, 1 << 20)
}

fn b2c() -> UsersFile {
    UsersFile::new(None, 1 << 20)
}

/// Files with more than one page of records, each with the cursor of its second.
struct Files {
    _folder: tempfile::TempDir,
    csv: (PathBuf, String),
    lines: (PathBuf, String),
    b2c: (PathBuf, String),
}

thread_local! {
    // of the thread, so that the folder goes when the test ends
    static FILES: Files = Files::new();
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let all = |one: fn(u32) -> String| (0..RECORDS).map(one).collect::<Vec<_>>();
        let rows = format!("id,note\n{}", all(|at| format!("{at},é\n")).concat());
        let users = format!("{{\"users\":[{}]}}", all(|at| format!("{{\"signInName\":\"u{at}\"}}")).join(","));
        let path = |name| folder.path().join(name);
        let csv = written(path("csv"), &rows, csv());
        let lines = written(path("lines"), &all(|at| format!("{{\"id\":\"{at}\"}}\n")).concat(), lines());
        let b2c = written(path("b2c"), &users, b2c());
        Self { csv, lines, b2c, _folder: folder }
    }
}

/// A page holds a thousand.
const RECORDS: u32 = 1_010;

fn written<F: Form>(path: PathBuf, text: &str, form: F) -> (PathBuf, String) {
    std::fs::write(&path, text).expect("a file");
    let first = read(&mut FileSource::new(path.clone(), Stated::Auto, form), None);
    let cursor = first.expect("the file is right").next.expect("there is a second page");
    (path, cursor.0)
}

fn goes_on<F: Form>((path, cursor): &(PathBuf, String), data: &[u8], form: F) {
    let mut source = FileSource::new(path.clone(), Stated::Auto, form);
    let cursor = match data.split_first_chunk::<24>() {
        // a cursor of this very file, with other numbers
        Some((numbers, rest)) => {
            let mut fields: Value = serde_json::from_str(cursor).expect("cursors are JSON");
            let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| numbers[at + byte]));
            for (at, name) in [(0, "at"), (8, "line"), (16, "records")] {
                // zeros leave the true one
                if number(at) != 0 {
                    fields[name] = Value::from(number(at));
                }
            }
            if let Ok(more) = serde_json::from_slice(rest) {
                fields["form"] = more;
            }
            fields.to_string()
        }
        None => String::from_utf8_lossy(data).into_owned(),
    };
    match read(&mut source, Some(&Cursor(cursor.clone()))) {
        Ok(page) => assert!(page.records.len() <= 1_000 && page.done.is_some_and(|done| (0.0..=1.0).contains(&done))),
        Err(code) => assert!([Code::E3006, Code::E3002].contains(&code), "{code} {cursor}"),
    }
}

/// Reads a page; file sources never wait.
fn read(source: &mut impl Source, cursor: Option<&Cursor>) -> Result<sterna_core::port::Page, Code> {
    let mut context = std::task::Context::from_waker(Waker::noop());
    match pin!(source.read(cursor)).poll(&mut context) {
        Poll::Ready(page) => page.map_err(|error| error.code),
        Poll::Pending => panic!("a file source waits"),
    }
}
