//! How a finding looks to people: code, sentence, place with a caret, causes, hints.

use std::fmt::Write;

use sterna_core::code::{Place, Severity};

use crate::{failure::Trouble, project::caret::Snippet};

/// Renders one finding over several lines.
pub(super) fn render(trouble: &Trouble, colour: bool) -> String {
    let Trouble { finding, causes, snippet } = trouble;
    let (word, paint) = match finding.severity {
        Severity::Error => ("error", "\u{1b}[1;31m"),
        Severity::Warning => ("warning", "\u{1b}[1;33m"),
        Severity::Note => ("note", "\u{1b}[1;36m"),
    };
    let head = format!("{word}[{}]", finding.code);
    let head = if colour { format!("{paint}{head}\u{1b}[0m") } else { head };
    let mut text = format!("{head}: {}\n", finding.message);
    if let Some(place) = &finding.place {
        place_lines(&mut text, place, snippet.as_ref());
    }
    for cause in causes {
        let _ = writeln!(text, "  caused by: {cause}");
    }
    for hint in &finding.hints {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}

fn place_lines(text: &mut String, place: &Place, snippet: Option<&Snippet>) {
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let _ = writeln!(text, "{margin}--> {}:{}:{}", place.file.display(), place.line, place.column);
    let Some(Snippet { before, text: offending }) = snippet.filter(|snippet| !snippet.text.is_empty()) else {
        return;
    };
    let indent = " ".repeat(before.chars().count());
    let carets = "^".repeat(offending.chars().count());
    let _ = writeln!(text, "{margin} |\n{number} | {before}{offending}\n{margin} | {indent}{carets}");
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use sterna_core::code::{Code, Finding};

    use super::*;

    #[test]
    fn a_finding_shows_its_code_place_causes_and_hints() {
        let place = Place { file: PathBuf::from("sterna.toml"), line: 11, column: 1, text: "tennant".into() };
        let finding =
            Finding::error(Code::E1004, "[target] has no setting `tennant`").at(place).hint("did you mean `tenant`?");
        let snippet = Some(Snippet { before: String::new(), text: "tennant".into() });
        let trouble = Trouble { finding, causes: vec!["a cause".into()], snippet };
        insta::assert_snapshot!(render(&trouble, false), @r"
        error[E1004]: [target] has no setting `tennant`
          --> sterna.toml:11:1
           |
        11 | tennant
           | ^^^^^^^
          caused by: a cause
          hint: did you mean `tenant`?
        ");
    }
}
