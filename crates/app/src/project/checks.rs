//! `[checks.NAME]`: the ways of asking the old system whether a password is right, in the order in which they are asked.

use std::sync::Arc;

use sterna_connectors::checks::{Guarded, Limits, limits};
use sterna_core::{
    cohort::Rule,
    legacy::{GoOn, LegacyCheck, Link},
    registry::{CheckKind, Context},
    settings::Values,
};
use toml::de::DeTable;

use super::{
    cohorts,
    load::{Reading, adopt, connector},
    settings as tables,
};
use crate::connectors;

/// One `[checks.NAME]`.
pub(crate) struct CheckConfig {
    /// NAME.
    pub(crate) name: String,
    /// The connector.
    kind: &'static dyn CheckKind,
    /// The connector's settings.
    values: Values,
    sources: Vec<String>,
    rules: Vec<Rule>,
    go_on: Vec<GoOn>,
    limits: Limits,
}

/// The checks, in the file's order. `sources` are the names of the project's sources.
pub(super) fn read(
    reading: &mut Reading<'_>,
    root: &DeTable<'_>,
    context: &Context,
    sources: &[String],
) -> Vec<CheckConfig> {
    let mut checks = Vec::new();
    for (key, item) in reading.named(root, "checks") {
        let at = format!("[checks.{}]", key.get_ref());
        let Some((kind, values, common)) =
            connector(reading, item, &at, &connectors::checks(), tables::CHECK, CheckKind::settings)
        else {
            continue;
        };
        if let Err(findings) = kind.open(&values, context) {
            adopt(reading, findings, key.span());
        }
        let wanted = common.texts("sources");
        for unknown in wanted.iter().filter(|name| !sources.contains(name)) {
            let message = format!("{at} sources: there is no source `{unknown}`");
            let finding = reading.mistake(sterna_core::code::Code::E1005, message, key.span());
            finding.hints.push(format!("sources of this project: {}", sources.join(", ")));
        }
        checks.push(CheckConfig {
            name: key.get_ref().to_string(),
            kind,
            values,
            sources: wanted,
            rules: cohorts::rules(reading, &common, &at, key.span()),
            go_on: go_on(reading, &common, &at, key.span()),
            limits: limits(&common),
        });
    }
    checks
}

fn go_on(reading: &mut Reading<'_>, values: &Values, at: &str, span: std::ops::Range<usize>) -> Vec<GoOn> {
    let mut list = Vec::new();
    for word in values.texts("continue_on") {
        match word.as_str() {
            "unknown" => list.push(GoOn::Unknown),
            "unavailable" => list.push(GoOn::Unavailable),
            "mismatch" => list.push(GoOn::Mismatch),
            _ => {
                let message = format!("{at} continue_on: `{word}` is none of its words");
                let finding = reading.mistake(sterna_core::code::Code::E1005, message, span.clone());
                finding.hints.push("continue_on lists unknown, unavailable or mismatch".to_owned());
            }
        }
    }
    list
}

impl CheckConfig {
    /// The check behind its limits, as a link of the chain. `None` when its settings do not fit, which loading has told.
    pub(crate) fn link(&self, context: &Context) -> Option<Link> {
        let inner = self.kind.open(&self.values, context).ok()?;
        let check: Arc<dyn LegacyCheck> = Arc::new(Guarded::new(inner, self.limits));
        Some(Link {
            name: self.name.clone(),
            sources: self.sources.clone(),
            rules: self.rules.clone(),
            go_on: self.go_on.clone(),
            check,
        })
    }
}
