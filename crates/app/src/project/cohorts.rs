//! `[cohorts.NAME]`: reads the rules and checks that each tests one thing.

use std::ops::Range;

use sterna_core::{
    code::Code,
    cohort::{Cohort, Rule, Test},
    settings::{self, Values},
};
use toml::de::DeTable;

use super::{
    load::{Reading, strategy},
    settings as tables,
};

/// The cohorts, in the file's order.
pub(super) fn read(reading: &mut Reading<'_>, root: &DeTable<'_>) -> Vec<Cohort> {
    let members = reading.named(root, "cohorts");
    let mut cohorts = Vec::new();
    for (key, item) in members {
        let at = format!("[cohorts.{}]", key.get_ref());
        let Some(table) = reading.table(item, &at) else { continue };
        let values = settings::check(reading.document, table, item.span(), tables::COHORT, &at, reading.findings);
        let rules = rules(reading, &values, &at, key.span());
        let percent = values.count("percent").and_then(|percent| u8::try_from(percent).ok());
        let strategy = values.text("strategy").and_then(strategy);
        cohorts.push(Cohort { name: key.get_ref().to_string(), rules, percent, strategy });
    }
    cohorts
}

/// The rules of `where`, in the table `at`.
pub(super) fn rules(reading: &mut Reading<'_>, values: &Values, at: &str, span: Range<usize>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (number, values) in values.tables("where").iter().enumerate() {
        match rule(values) {
            Ok(rule) => rules.push(rule),
            Err(tests) => {
                let message = format!("{at} where: test {} has {tests} of the tests, and must have one", number + 1);
                let finding = reading.mistake(Code::E1005, message, span.clone());
                finding.hints.push("tests are equals, one_of, starts_with, ends_with and present".to_owned());
            }
        }
    }
    rules
}

/// One rule, or how many tests it has when that is not one.
fn rule(values: &Values) -> Result<Rule, usize> {
    let text = |name: &str| values.text(name).map(str::to_owned);
    let one_of = values.texts("one_of");
    let tests = [
        text("equals").map(Test::Equals),
        (!one_of.is_empty()).then_some(Test::OneOf(one_of)),
        text("starts_with").map(Test::StartsWith),
        text("ends_with").map(Test::EndsWith),
        values.flag("present").map(Test::Present),
    ];
    let mut tests: Vec<Test> = tests.into_iter().flatten().collect();
    match (values.text("attribute"), tests.len()) {
        (Some(attribute), 1) => tests.pop().map(|test| Rule { attribute: attribute.to_owned(), test }).ok_or(0),
        (_, count) => Err(count),
    }
}
