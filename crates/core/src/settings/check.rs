//! Checks a table against its settings and collects every mistake.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Document, Kind, Need, Setting, Values};
use crate::{
    code::{Code, Finding},
    mapping,
};

type Item<'a> = Spanned<DeValue<'a>>;

/// Checks `table`, which stands at `at` (`[target]`), against `settings`.
///
/// Every mistake goes to `findings`; the values returned are right only when none was added.
pub fn check(
    document: &Document,
    table: &DeTable<'_>,
    span: Range<usize>,
    settings: &'static [Setting],
    at: &str,
    findings: &mut Vec<Finding>,
) -> Values {
    let mut values = Values::default();
    for (key, item) in table {
        let Some(setting) = settings.iter().find(|setting| setting.name == key.get_ref().as_ref()) else {
            findings.push(unknown_key(document, key, settings.iter().map(|setting| setting.name), at));
            continue;
        };
        let mut checker = Checker { document, findings, at: format!("{at} {}", setting.name) };
        if let Some(value) = checker.value(setting.kind, item) {
            values.insert(setting.name, value);
        }
    }
    for setting in settings {
        match setting.need {
            Need::Required if !table.iter().any(|(key, _)| key.get_ref() == setting.name) => {
                let message = format!("{at} needs `{}`: {}", setting.name, setting.doc);
                findings.push(Finding::error(Code::E1006, message).at(document.place(span.clone())));
            }
            Need::Default(text) if values.get(setting.name).is_none() => {
                if let Some(value) = default_value(text) {
                    values.insert(setting.name, value);
                }
            }
            _ => {}
        }
    }
    values
}

/// Checks that the keys of `table` are among `names`; for tables whose members are checked by others.
pub fn check_named<'n>(
    document: &Document,
    table: &DeTable<'_>,
    names: &(impl Iterator<Item = &'n str> + Clone),
    at: &str,
    findings: &mut Vec<Finding>,
) {
    for (key, _) in table {
        if !names.clone().any(|name| name == key.get_ref()) {
            findings.push(unknown_key(document, key, names.clone(), at));
        }
    }
}

/// Checks one value, which stands at `at` (`[mapping]`), by its kind; for tables with free keys of their own.
pub fn check_value(
    document: &Document,
    item: &Spanned<DeValue<'_>>,
    kind: Kind,
    at: &str,
    findings: &mut Vec<Finding>,
) -> Option<Value> {
    Checker { document, findings, at: at.to_owned() }.value(kind, item)
}

/// The name nearest to `word`, if one is near enough to be meant.
pub fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.map(|name| (strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

fn unknown_key<'n>(
    document: &Document,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    names: impl Iterator<Item = &'n str> + Clone,
    at: &str,
) -> Finding {
    let finding = Finding::error(Code::E1004, format!("{at} has no setting `{}`", key.get_ref()));
    let finding = finding.at(document.place(key.span()));
    match nearest(key.get_ref(), names.clone()) {
        Some(name) => finding.hint(format!("did you mean `{name}`?")),
        None => finding.hint(format!("{at} has: {}", names.collect::<Vec<_>>().join(", "))),
    }
}

fn default_value(text: &str) -> Option<Value> {
    let source = format!("v = {text}");
    let table = DeTable::parse(&source).ok()?;
    table.get_ref().iter().next().map(|(_, item)| plain(item.get_ref()))
}

struct Checker<'d> {
    document: &'d Document,
    findings: &'d mut Vec<Finding>,
    at: String,
}

impl Checker<'_> {
    fn value(&mut self, kind: Kind, item: &Item<'_>) -> Option<Value> {
        match kind {
            Kind::Text | Kind::Path => self.text(item),
            Kind::Url => self.url(item),
            Kind::Flag => self.flag(item),
            Kind::Integer(least, most) => self.integer(item, least, most),
            Kind::Number(least, most) => self.number(item, least, most),
            Kind::Choice(words) => self.choice(item, words),
            Kind::Secret => self.secret(item),
            Kind::Secrets => self.secrets(item),
            Kind::Texts => self.list(item, Kind::Text),
            Kind::TextTable => self.text_table(item),
            Kind::Table(settings) => self.table(item, settings),
            Kind::Tables(settings) => self.list(item, Kind::Table(settings)),
            Kind::Rules => self.rules(item),
        }
    }

    fn wrong(&mut self, item: &Item<'_>, wanted: &str) -> Option<Value> {
        let finding = Finding::error(Code::E1005, format!("{} must be {wanted}", self.at));
        self.findings.push(finding.at(self.document.place(item.span())));
        None
    }

    fn text(&mut self, item: &Item<'_>) -> Option<Value> {
        match item.get_ref() {
            DeValue::String(text) if !text.is_empty() && !text.contains('\0') => Some(Value::from(text.as_ref())),
            _ => self.wrong(item, "a text in quotes that is not empty"),
        }
    }

    fn url(&mut self, item: &Item<'_>) -> Option<Value> {
        match item.get_ref() {
            DeValue::String(text) if text.starts_with("https://") || text.starts_with("http://") => {
                Some(Value::from(text.trim_end_matches('/')))
            }
            _ => self.wrong(item, "a URL that begins with https:// or http://"),
        }
    }

    fn flag(&mut self, item: &Item<'_>) -> Option<Value> {
        match item.get_ref() {
            DeValue::Boolean(flag) => Some(Value::from(*flag)),
            _ => self.wrong(item, "true or false"),
        }
    }

    fn integer(&mut self, item: &Item<'_>, least: i64, most: i64) -> Option<Value> {
        let number = match item.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(Value::from(number)),
            _ => self.wrong(item, &format!("a whole number from {least} to {most}")),
        }
    }

    fn number(&mut self, item: &Item<'_>, least: f64, most: f64) -> Option<Value> {
        let number = match item.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(Value::from(number)),
            _ => self.wrong(item, &format!("a number from {least} to {most}")),
        }
    }

    fn choice(&mut self, item: &Item<'_>, words: &'static [&'static str]) -> Option<Value> {
        let DeValue::String(text) = item.get_ref() else {
            return self.wrong(item, &format!("one of {}", quoted(words)));
        };
        if words.contains(&text.as_ref()) {
            return Some(Value::from(text.as_ref()));
        }
        self.wrong(item, &format!("one of {}", quoted(words)));
        if let (Some(word), Some(finding)) = (nearest(text, words.iter().copied()), self.findings.last_mut()) {
            finding.hints.push(format!("did you mean \"{word}\"?"));
        }
        None
    }

    /// The offending text is never shown: it may be the secret itself.
    fn secret(&mut self, item: &Item<'_>) -> Option<Value> {
        let value = plain(item.get_ref());
        let one = value.as_object().is_some_and(|table| table.len() == 1);
        if one && super::SecretRef::from_value(&value).is_some() {
            return Some(value);
        }
        let mut place = self.document.place(item.span());
        "(not shown)".clone_into(&mut place.text);
        let finding = if value.is_object() {
            Finding::error(Code::E1005, format!("{} must name one of env, file or command", self.at))
        } else {
            Finding::error(Code::E1007, format!("{} is a literal secret; secrets are only referred to", self.at))
        };
        let finding = finding.at(place);
        self.findings.push(
            finding.hint("write { env = \"NAME\" }, { file = \"path\" } or { command = [\"program\", \"argument\"] }"),
        );
        None
    }

    fn secrets(&mut self, item: &Item<'_>) -> Option<Value> {
        let DeValue::Table(table) = item.get_ref() else {
            return self.wrong(item, "a table of references to secrets");
        };
        let mut map = Map::new();
        for (key, item) in table {
            if let Some(value) = self.secret(item) {
                map.insert(key.get_ref().to_string(), value);
            }
        }
        Some(map.into())
    }

    fn list(&mut self, item: &Item<'_>, each: Kind) -> Option<Value> {
        let DeValue::Array(items) = item.get_ref() else {
            return self.wrong(item, "a list in [ ]");
        };
        let values: Vec<_> = items.iter().map(|item| self.value(each, item)).collect();
        values.into_iter().collect::<Option<Vec<_>>>().map(Value::from)
    }

    fn text_table(&mut self, item: &Item<'_>) -> Option<Value> {
        let DeValue::Table(table) = item.get_ref() else {
            return self.wrong(item, "a table of texts");
        };
        let mut map = Map::new();
        for (key, item) in table {
            if let Some(value) = self.text(item) {
                map.insert(key.get_ref().to_string(), value);
            }
        }
        Some(map.into())
    }

    fn table(&mut self, item: &Item<'_>, settings: &'static [Setting]) -> Option<Value> {
        let DeValue::Table(table) = item.get_ref() else {
            return self.wrong(item, "a table");
        };
        let at = self.at.clone();
        let values = check(self.document, table, item.span(), settings, &at, self.findings);
        Some(Value::Object(values.0.into_iter().collect()))
    }

    fn rules(&mut self, item: &Item<'_>) -> Option<Value> {
        let DeValue::Table(table) = item.get_ref() else {
            return self.wrong(item, "a table of mapping rules");
        };
        let mut map = Map::new();
        for (key, item) in table {
            let value = plain(item.get_ref());
            match mapping::Rule::from_value(&value) {
                Ok(_) => {
                    map.insert(key.get_ref().to_string(), value);
                }
                Err(mistake) => {
                    let finding = Finding::error(Code::E1005, format!("{} {}: {mistake}", self.at, key.get_ref()));
                    let finding = finding.at(self.document.place(item.span()));
                    self.findings.push(finding.hint(mapping::HELP));
                }
            }
        }
        Some(map.into())
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// A TOML value as a JSON one; dates become texts.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Array(items) => items.iter().map(|item| plain(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let members = table.iter().map(|(key, item)| (key.get_ref().to_string(), plain(item.get_ref())));
            Value::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &[Setting] = &[
        Setting { name: "tenant", kind: Kind::Text, need: Need::Required, doc: "The tenant." },
        Setting { name: "client_secret", kind: Kind::Secret, need: Need::Optional, doc: "The secret." },
        Setting { name: "settling_secs", kind: Kind::Integer(0, 600), need: Need::Default("30"), doc: "Settling." },
        Setting { name: "strategy", kind: Kind::Choice(&["just-in-time", "reset"]), need: Need::Optional, doc: "How." },
    ];

    fn check_text(text: &str) -> (Values, Vec<Finding>) {
        let document = Document { file: "sterna.toml".into(), text: text.into() };
        let table = document.parse().unwrap();
        let mut findings = Vec::new();
        let values = check(&document, table.get_ref(), table.span(), SETTINGS, "[target]", &mut findings);
        (values, findings)
    }

    #[test]
    fn a_right_table_gives_values_and_defaults() {
        let (values, findings) = check_text("tenant = 'contoso'\nclient_secret = { env = 'S' }");
        assert_eq!(findings, []);
        assert_eq!(values.text("tenant"), Some("contoso"));
        assert_eq!(values.count("settling_secs"), Some(30));
        assert_eq!(values.secret("client_secret"), Some(super::super::SecretRef::Env("S".into())));
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_line_and_the_nearest_key() {
        let (_, findings) = check_text("tennant = 'x'\nsettling_secs = 9000\nstrategy = 'just_in_time'");
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::E1005, Code::E1005, Code::E1004, Code::E1006]);
        let unknown = &findings[2];
        assert_eq!(unknown.place.as_ref().map(|place| (place.line, place.text.as_str())), Some((1, "tennant")));
        assert_eq!(unknown.hints, ["did you mean `tenant`?"]);
        assert!(
            findings.iter().any(|finding| { finding.hints.contains(&"did you mean \"just-in-time\"?".to_owned()) })
        );
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_shown() {
        let (_, findings) = check_text("tenant = 'x'\nclient_secret = 'hunter2'");
        assert_eq!(findings[0].code, Code::E1007);
        assert!(!format!("{findings:?}").contains("hunter2"));
    }
}
