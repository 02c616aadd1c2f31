//! Cuts out of a configuration file what may be shown of it: the offending text with its key, and never a secret that
//! happens to stand on the same line.

use sterna_core::code::{Code, Finding, Place};

/// A piece of a line: what stands before the offending text, and that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// The key, as far as the offending text is its value.
    pub(crate) before: String,
    /// The offending text, its quoted parts blotted out where it is more than one value.
    pub(crate) text: String,
}

/// What may be shown of the line that `finding` is about; also blots out the finding's own text where needed.
pub(crate) fn cut(finding: &mut Finding, document: &str) -> Option<Snippet> {
    let code = finding.code;
    let place = finding.place.as_mut()?;
    let line = document.lines().nth(place.line - 1)?;
    let before: String = line.chars().take(place.column - 1).collect();
    if code == Code::E1003 {
        let in_text = document.lines().take(place.line - 1).any(|line| line.contains("\"\"\"") || line.contains("'''"));
        return Some(broken(place, if in_text { "" } else { line }));
    }
    if place.text.starts_with(['{', '[']) {
        place.text = blot(&place.text);
    }
    Some(Snippet { before: key_part(&before).to_owned(), text: place.text.clone() })
}

/// Where the file is no TOML, nobody knows what is a value: everything after the first `=` may be a secret.
fn broken(place: &mut Place, line: &str) -> Snippet {
    let is_key_line = line.trim_start().starts_with(|c: char| c.is_ascii_alphanumeric() || "_-[\"'".contains(c));
    let shown = match line.split_once('=') {
        Some((key, _)) if is_key_line => format!("{}= …", blot(key)),
        None if line.trim_start().starts_with('[') => blot(line.trim_end()),
        _ => "…".to_owned(),
    };
    place.text.clone_from(&shown);
    Snippet { before: String::new(), text: shown }
}

/// Between the last separator and a value stands nothing but its key.
fn key_part(before: &str) -> &str {
    before.rsplit(['{', ',', '[']).next().unwrap_or_default().trim_start()
}

/// The text with everything in quotes replaced; an unclosed quote goes to the end.
fn blot(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut quote = None;
    for c in text.chars() {
        match quote {
            None => {
                shown.push(c);
                if c == '"' || c == '\'' {
                    quote = Some(c);
                    shown.push('…');
                }
            }
            Some(open) if c == open => {
                shown.push(c);
                quote = None;
            }
            Some(_) => {}
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn check(code: Code, text: &str, offending: &str, before: &str, shown: &str) {
        let at = text.find(offending).unwrap();
        let line = text[..at].matches('\n').count() + 1;
        let column = text[..at].rsplit('\n').next().unwrap().chars().count() + 1;
        let place = Place { file: PathBuf::from("sterna.toml"), line, column, text: offending.into() };
        let mut finding = Finding::error(code, "x").at(place);
        let snippet = cut(&mut finding, text).unwrap();
        assert_eq!((snippet.before.as_str(), snippet.text.as_str()), (before, shown));
        assert!(!format!("{finding:?}{snippet:?}").contains("hunter2"), "{snippet:?}");
    }

    #[test]
    fn the_offending_text_is_shown_with_its_key_and_nothing_else_of_the_line() {
        check(Code::E1004, "a = 1\ntennant = 'x'", "tennant", "", "tennant");
        check(Code::E1005, "ß = 'hunter2'\nwait = 'x' # hunter2", "'x'", "wait = ", "'x'");
        check(Code::E1005, "t = { secret = 'hunter2', id = 5 }", "5", "id = ", "5");
        check(Code::E1004, "client_secrt = 'hunter2'", "client_secrt", "", "client_secrt");
    }

    #[test]
    fn a_table_in_the_wrong_place_is_blotted_out() {
        let text = "id = { secret = 'hunter2' }";
        check(Code::E1005, text, "{ secret = 'hunter2' }", "id = ", "{ secret = '…' }");
    }

    #[test]
    fn of_a_file_that_is_no_toml_only_keys_are_shown() {
        check(Code::E1003, "client_secret = hunter2", "hunter2", "", "client_secret = …");
        check(Code::E1003, "client_secret = \"hunter2\nx = 1", "hunter2", "", "client_secret = …");
        check(Code::E1003, "a = \"\"\"\nhunter2=\n", "hunter2", "", "…");
        check(Code::E1003, "hunter2", "hunter2", "", "…");
        check(Code::E1003, "[target\nx = 1", "target", "", "[target");
    }
}
