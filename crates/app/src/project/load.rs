//! Reads `sterna.toml` and collects *every* mistake of it before anything runs.

use std::{fs::File, io::Read, ops::Range, path::Path};

use serde_json::Value;
use sterna_core::{
    code::{Code, Finding, Severity},
    mapping::Rules,
    plan::Strategy,
    registry::{Context, SourceKind, TargetKind},
    settings::{self, Document, Kind, SecretRef, Setting, Values},
};
use sterna_engine::{
    apply::AbortRule,
    plan::{Matching, OnMatch},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{FILE, Project, SourceConfig, TargetConfig, caret, checks, cohorts, serve, settings as tables, social};
use crate::{
    connectors,
    failure::{Failure, Trouble},
};

/// Longest `sterna.toml` that is read, in bytes.
const FILE_BYTES: u64 = 4 << 20;

const ROOT: &[&str] = &[
    "migration",
    "sources",
    "target",
    "passwords",
    "social",
    "mapping",
    "cohorts",
    "matching",
    "checks",
    "serve",
    "hooks",
    "apply",
    "ledger",
];

impl Project {
    /// Reads the project in `context.project`, and what there is to warn about.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, at once.
    pub(crate) fn load(context: &Context) -> Result<(Self, Vec<Trouble>), Failure> {
        let path = context.project.join(FILE);
        let text = read(&path)?;
        let shown = path.strip_prefix(".").unwrap_or(&path).to_owned();
        let document = Document { file: shown, text };
        let mut findings = Vec::new();
        let project = match document.parse() {
            Ok(table) => build(&document, &table, context, &mut findings),
            Err(finding) => {
                findings.push(*finding);
                None
            }
        };
        let troubles = troubles(findings, &document);
        let failed = troubles.iter().any(|trouble| trouble.finding.severity == Severity::Error);
        match project {
            Some(project) if !failed => Ok((project, troubles)),
            _ => Err(Failure::configuration(troubles)),
        }
    }
}

/// The document and the findings so far: what every part of the reading needs.
pub(super) struct Reading<'d> {
    pub(super) document: &'d Document,
    pub(super) findings: &'d mut Vec<Finding>,
}

/// A value of the file with its place.
pub(super) type Item<'i> = Spanned<DeValue<'i>>;

impl Reading<'_> {
    /// Adds a mistake that stands at `span`.
    pub(super) fn mistake(&mut self, code: Code, message: String, span: Range<usize>) -> &mut Finding {
        let place = self.document.place(span);
        self.findings.push(Finding::error(code, message).at(place));
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    /// The members of a table, or a mistake.
    pub(super) fn table<'t, 'i>(&mut self, item: &'t Item<'i>, at: &str) -> Option<&'t DeTable<'i>> {
        let DeValue::Table(table) = item.get_ref() else {
            self.mistake(Code::E1005, format!("{at} must be a table"), item.span());
            return None;
        };
        Some(table)
    }

    /// The members of a table of tables, in the file's order.
    pub(super) fn named<'t, 'i>(
        &mut self,
        root: &'t DeTable<'i>,
        name: &str,
    ) -> Vec<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Item<'i>)> {
        let Some(item) = member(root, name) else { return Vec::new() };
        let Some(table) = self.table(item, &format!("[{name}]")) else { return Vec::new() };
        let mut members: Vec<_> = table.iter().collect();
        members.sort_by_key(|(key, _)| key.span().start);
        members
    }

    /// Checks one of the plain tables; one that is not there has its defaults.
    pub(super) fn plain(&mut self, root: &DeTable<'_>, name: &str, settings: &'static [Setting]) -> Values {
        let at = format!("[{name}]");
        let item = member(root, name);
        let nothing = DeTable::new();
        let (table, span) = match item {
            Some(item) => match self.table(item, &at) {
                Some(table) => (table, item.span()),
                None => return Values::default(),
            },
            None => (&nothing, 0..0),
        };
        settings::check(self.document, table, span, settings, &at, self.findings)
    }
}

/// A member by its name.
pub(super) fn member<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t Item<'i>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, item)| item)
}

/// Reads a strategy that was checked to be one of [`tables::STRATEGIES`].
pub(super) fn strategy(text: &str) -> Option<Strategy> {
    serde_json::from_value(Value::from(text)).ok()
}

fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(Code::E1002, format!("{} is not there", path.display()))
            .hint("give the folder with --project DIR, or make a project with `sterna init`"),
        _ => Failure::new(Code::E1002, format!("{} cannot be read", path.display())).caused_by(&error),
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(Failure::new(Code::E1003, format!("{} is larger than {} MiB", path.display(), FILE_BYTES >> 20)));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| Failure::new(Code::E1003, format!("{} is not UTF-8", path.display())).caused_by(&error))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Findings in the file's order, each with what may be shown of the file.
fn troubles(mut findings: Vec<Finding>, document: &Document) -> Vec<Trouble> {
    findings.sort_by_key(|finding| finding.place.as_ref().map(|place| (place.line, place.column)));
    findings
        .into_iter()
        .map(|mut finding| {
            let snippet = caret::cut(&mut finding, &document.text);
            Trouble { snippet, ..finding.into() }
        })
        .collect()
}

fn build(
    document: &Document,
    root: &Spanned<DeTable<'_>>,
    context: &Context,
    findings: &mut Vec<Finding>,
) -> Option<Project> {
    let table = root.get_ref();
    settings::check_named(document, table, &ROOT.iter().copied(), FILE, findings);
    let mut reading = Reading { document, findings };
    let migration = reading.plain(table, "migration", tables::MIGRATION);
    let sources = sources(&mut reading, table, context);
    let source_names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let checks = checks::read(&mut reading, table, context, &source_names);
    let target = target(&mut reading, table);
    let serve = serve::read(&mut reading, table);
    let passwords = reading.plain(table, "passwords", tables::PASSWORDS);
    let social = reading.plain(table, "social", tables::SOCIAL);
    let (issuers, excluded_issuers) = social::read(&mut reading, &social, member(table, "social"));
    let mapping = member(table, "mapping")
        .and_then(|item| settings::check_value(document, item, Kind::Rules, "[mapping]", reading.findings));
    let cohorts = cohorts::read(&mut reading, table);
    let matching = reading.plain(table, "matching", tables::MATCHING);
    let apply = reading.plain(table, "apply", tables::APPLY);
    let ledger = reading.plain(table, "ledger", tables::LEDGER);
    Some(Project {
        folder: context.project.clone(),
        name: migration.text("name")?.to_owned(),
        sources,
        target,
        strategy: strategy(passwords.text("strategy")?)?,
        issuers,
        excluded_issuers,
        mapping: mapping.as_ref().map(Rules::from_value).unwrap_or_default(),
        cohorts,
        checks,
        serve,
        key: ledger.secret("key").unwrap_or_else(|| SecretRef::File("sterna.key".into())),
        abort: abort_rule(&apply)?,
        canary: apply.count("canary")?,
        matching: matching_rules(&matching)?,
    })
}

fn abort_rule(values: &Values) -> Option<AbortRule> {
    let window = usize::try_from(values.count("abort_window")?).ok()?;
    Some(AbortRule { percent: values.number("abort_percent")?, window })
}

fn matching_rules(values: &Values) -> Option<Matching> {
    let on_match =
        |name: &str| values.text(name).map(|word| if word == "adopt" { OnMatch::Adopt } else { OnMatch::Hold });
    Some(Matching { same_identity: on_match("same_identity")?, same_sign_in_name: on_match("same_sign_in_name")? })
}

fn sources(reading: &mut Reading<'_>, root: &DeTable<'_>, context: &Context) -> Vec<SourceConfig> {
    let members = reading.named(root, "sources");
    if members.is_empty() {
        let finding = Finding::error(Code::E1006, "there is no source");
        reading.findings.push(finding.hint("add a table [sources.NAME] with `connector = \"…\"`"));
    }
    let names: Vec<String> = members.iter().map(|(key, _)| key.get_ref().to_string()).collect();
    let mut sources: Vec<SourceConfig> = Vec::new();
    for (key, item) in members {
        let at = format!("[sources.{}]", key.get_ref());
        if !key.get_ref().chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            reading.mistake(Code::E1005, format!("{at}: a name has letters, digits, - and _ only"), key.span());
        }
        let Some((kind, values, common)) =
            connector(reading, item, &at, &connectors::sources(), tables::SOURCE, SourceKind::settings)
        else {
            continue;
        };
        let formerly = common.text("formerly").map(str::to_owned);
        if let Some(old) = formerly.as_deref().filter(|old| {
            names.iter().any(|name| name == old) || sources.iter().any(|known| known.formerly.as_deref() == Some(old))
        }) {
            let message = format!("{at} formerly: another source is, or was, called \"{old}\"");
            reading.mistake(Code::E1005, message, key.span());
        }
        if let Err(findings) = kind.open(&values, context) {
            adopt(reading, findings, key.span());
        }
        sources.push(SourceConfig { name: key.get_ref().to_string(), formerly, kind, values });
    }
    sources
}

fn target(reading: &mut Reading<'_>, root: &DeTable<'_>) -> Option<TargetConfig> {
    let item = member(root, "target")?;
    let (kind, values, _) =
        connector(reading, item, "[target]", &connectors::targets(), tables::TARGET, TargetKind::settings)?;
    adopt(reading, kind.check(&values), item.span());
    Some(TargetConfig { kind, values })
}

/// Findings of a connector about values that do not fit together, placed at its table.
pub(super) fn adopt(reading: &mut Reading<'_>, findings: Vec<Finding>, span: Range<usize>) {
    let place = reading.document.place(span);
    reading.findings.extend(
        findings.into_iter().map(|finding| Finding { place: finding.place.or_else(|| Some(place.clone())), ..finding }),
    );
}

/// Splits a connector's table into what every such table has and the connector's own settings, and checks both.
///
/// `None` when a mistake was found: what does not hold by itself is not checked further.
pub(super) fn connector<K: ?Sized + connectors::Named>(
    reading: &mut Reading<'_>,
    item: &Item<'_>,
    at: &str,
    kinds: &[&'static K],
    common: &'static [Setting],
    own: fn(&'static K) -> &'static [Setting],
) -> Option<(&'static K, Values, Values)> {
    let before = reading.findings.len();
    let table = reading.table(item, at)?;
    let is_common = |key: &str| common.iter().any(|setting| setting.name == key);
    let (shared, rest): (DeTable<'_>, DeTable<'_>) =
        table.clone().into_iter().partition(|(key, _)| is_common(key.get_ref()));
    let shared = settings::check(reading.document, &shared, item.span(), common, at, reading.findings);
    let Some(name) = shared.text("connector") else {
        misspelt_connector(reading, &rest);
        return None;
    };
    let Some(kind) = kinds.iter().find(|kind| kind.name() == name) else {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        unknown_connector(reading, table, name, at, &names);
        return None;
    };
    let values = settings::check(reading.document, &rest, item.span(), own(kind), at, reading.findings);
    (reading.findings.len() == before).then_some((*kind, values, shared))
}

fn misspelt_connector(reading: &mut Reading<'_>, rest: &DeTable<'_>) {
    let spelt = rest.iter().find(|(key, _)| settings::nearest(key.get_ref(), ["connector"].into_iter()).is_some());
    if let (Some((key, _)), Some(finding)) = (spelt, reading.findings.last_mut()) {
        finding.hints.push(format!("did you mean `connector` where you wrote `{}`?", key.get_ref()));
    }
}

fn unknown_connector(reading: &mut Reading<'_>, table: &DeTable<'_>, name: &str, at: &str, kinds: &[&'static str]) {
    let span = member(table, "connector").map_or(0..0, Spanned::span);
    let is_source = connectors::sources().iter().any(|kind| kind.kind() == name);
    let is_target = connectors::targets().iter().any(|kind| kind.kind() == name);
    let is_check = connectors::checks().iter().any(|kind| kind.kind() == name);
    let other = match (is_source, is_target, is_check) {
        (true, ..) => Some("a source"),
        (_, true, _) => Some("a target"),
        (.., true) => Some("a legacy check"),
        _ => None,
    };
    let message = match other {
        Some(other) => format!("{at}: the connector \"{name}\" is {other} only"),
        None => format!("{at}: there is no connector \"{name}\""),
    };
    let finding = reading.mistake(Code::E1009, message, span);
    if let Some(near) = settings::nearest(name, kinds.iter().copied()) {
        finding.hints.push(format!("did you mean \"{near}\"?"));
    }
    finding.hints.push(format!("connectors that fit here: {}", kinds.join(", ")));
}
