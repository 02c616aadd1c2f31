//! The support matrix: what every kind in the registries can do, as the kinds themselves say.

use std::fmt::Write;

use sterna_core::{
    plan::Strategy,
    support::{Asks, Does, Feature, Gives, Tells},
};
use sterna_emulators::{EMULATORS, TESTED_WITH, find};

use super::{cell, compare};
use crate::connectors;

/// What stands in the last column of a kind that claims nothing.
const NOT_STATED: &str = "not stated";

/// A table: a row per kind, a column per feature, and further columns of text.
struct Matrix(String);

impl Matrix {
    fn new<F: Feature>(further: &[&str]) -> Self {
        let features = F::ALL.iter().map(|feature| feature.title());
        let titles: Vec<&str> = std::iter::once("kind").chain(features).chain(further.iter().copied()).collect();
        Self(format!("| {} |\n|{}\n", titles.join(" | "), "---|".repeat(titles.len())))
    }

    /// `stated` is what the kind says: the features it has, and the further columns.
    fn row<F: Feature>(&mut self, kind: &str, stated: Option<(&[F], Vec<String>)>, further: usize) {
        let mut cells = vec![format!("`{kind}`")];
        if let Some((has, last)) = stated {
            let mark = |feature: &F| if has.contains(feature) { "yes" } else { "-" };
            cells.extend(F::ALL.iter().map(|feature| mark(feature).to_owned()));
            cells.extend(last);
        } else {
            cells.extend(F::ALL.iter().map(|_| "?".to_owned()));
            cells.extend(vec![NOT_STATED.to_owned(); further]);
        }
        let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }
}

fn tested(with: &[&str]) -> String {
    if with.is_empty() { "-".to_owned() } else { with.join(", ") }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "-" }.to_owned()
}

fn strategy(strategy: Strategy) -> String {
    let name = serde_json::to_value(strategy).unwrap();
    format!("`{}`", name.as_str().unwrap())
}

fn sources() -> String {
    let mut matrix = Matrix::new::<Gives>(&["emulator", "tested with"]);
    for kind in connectors::sources() {
        let emulator = yes(find(kind.kind()).is_some());
        let stated = kind.support().map(|support| (support.gives, vec![emulator, tested(support.tested_with)]));
        matrix.row(kind.kind(), stated, 2);
    }
    matrix.0
}

fn targets() -> String {
    let mut matrix = Matrix::new::<Does>(&["password strategies", "quota", "emulator", "tested with"]);
    for kind in connectors::targets() {
        let stated = kind.support().map(|support| {
            let strategies: Vec<String> = support.strategies.iter().copied().map(strategy).collect();
            let emulator = yes(find(kind.kind()).is_some());
            let further = vec![strategies.join(", "), support.quota.to_owned(), emulator, tested(support.tested_with)];
            (support.does, further)
        });
        matrix.row(kind.kind(), stated, 4);
    }
    matrix.0
}

fn checks() -> String {
    let mut matrix = Matrix::new::<Tells>(&["tested with"]);
    for kind in connectors::checks() {
        let stated = kind.support().map(|support| (support.tells, vec![tested(support.tested_with)]));
        matrix.row(kind.kind(), stated, 1);
    }
    matrix.0
}

fn hooks() -> String {
    let mut matrix = Matrix::new::<Asks>(&["tested with"]);
    for kind in connectors::hooks() {
        let stated = kind.support().map(|support| (support.does, vec![tested(support.tested_with)]));
        matrix.row(kind.kind(), stated, 1);
    }
    matrix.0
}

fn emulators() -> String {
    let mut text = "| kind | stands for | tested with |\n|---|---|---|\n".to_owned();
    for kind in EMULATORS {
        let with = TESTED_WITH.iter().find(|(name, _)| *name == kind.name).map_or(&[][..], |(_, with)| *with);
        let _ = writeln!(text, "| `{}` | {} | {} |", kind.name, cell(kind.stands_for), tested(with));
    }
    text
}

#[test]
fn what_is_supported_is_documented() {
    let text = format!(
        "# What is supported\n\nEvery kind of source, target, legacy check, hook and emulator, and what it can do. *Tested \
         with* names programs that nobody of this project wrote and that our tests run against, or that make what they \
         read; - there means files, emulators and stand-ins of our own only. The settings of each kind are in \
         [configuration.md](configuration.md).\n\n\
         ## Sources\n\nAll of them give names, addresses, phone numbers and further attributes, as far as they are \
         there.\n\n{}\n\
         ## Targets\n\nWhat a target cannot hold is a loss that `sterna plan` names for each account. With another \
         password strategy than those named, everybody without a password that is set has to reset it.\n\n{}\n\
         ## Legacy checks\n\nAll of them tell right from wrong, and neither from an outage. What they can tell besides:\n\n{}\n\
         ## Hooks\n\nAll of them answer whether a password is the old one. What each answer looks like: \
         [hooks/README.md](hooks/README.md).\n\n{}\n\
         ## Emulators\n\nStarted by `sterna emulate KIND`; `sterna rehearse` uses the one of the target's kind.\n\n{}",
        sources(),
        targets(),
        checks(),
        hooks(),
        emulators(),
    );
    compare("support.md", &text);
}

#[test]
fn only_emulators_that_exist_are_said_to_be_tested() {
    for (name, with) in TESTED_WITH {
        assert!(find(name).is_some() && !with.is_empty(), "{name}");
    }
}
