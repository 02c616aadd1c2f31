//! What every file source does with its file: not there, no rights, empty, changed.

use std::{fs, io::Write};

use sterna_connectors::registry::{SOURCES, TARGETS};
use sterna_core::{
    code::{Code, Severity},
    settings::Need,
};

use super::{File, first_error, page};

const KINDS: [(&str, &str); 3] = [
    ("b2c-users-file", "[{\"signInName\":\"a@x.org\"},\n{\"signInName\":\"b@x.org\"}]\n"),
    ("csv", "id,email\n1,a@x.org\n2,b@x.org\n"),
    ("json-lines", "{\"id\":1}\n{\"id\":2}\n"),
];

#[test]
fn a_file_that_is_not_there_or_no_file_is_told() {
    for (kind, text) in KINDS {
        let file = File::new(kind, text);
        assert_eq!(file.read().story().len(), 2, "{kind}");
        fs::remove_file(file.path()).unwrap();
        assert_eq!(first_error(&file).0, Code::E3001, "{kind}");
        let findings = file.preflight();
        assert_eq!((findings[0].severity, findings[0].code), (Severity::Error, Code::E3001));
        fs::create_dir(file.path()).unwrap();
        let (code, message) = first_error(&file);
        assert_eq!((code, message.contains("regular file")), (Code::E3001, true), "{message}");
    }
}

#[test]
fn a_file_that_holds_nothing_is_told() {
    for (kind, _) in KINDS {
        for nothing in [&b""[..], b"\xEF\xBB\xBF", b"\xFF\xFE", b" \r\n\n"] {
            assert_eq!(first_error(&File::new(kind, nothing)).0, Code::E3004, "{kind} {nothing:?}");
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_told() {
    for (kind, text) in KINDS {
        let last = text.lines().last().unwrap_or_default();
        let body = match kind {
            "b2c-users-file" => format!("[{}{{}}]", "{\"signInName\":\"a@x.org\"},".repeat(1_500)),
            _ => format!("{text}{}", format!("{last}\n").repeat(1_500)),
        };
        let file = File::new(kind, &body);
        let mut source = file.open();
        let first = page(&mut *source, None).unwrap();
        assert_eq!(first.records.len(), 1_000, "{kind}");
        fs::OpenOptions::new().append(true).open(file.path()).unwrap().write_all(b"\n").unwrap();
        let later = page(&mut *source, first.next.as_ref()).map(drop).unwrap_err();
        assert_eq!(later.code, Code::E3006, "while it is open, {kind}");
        let resumed = page(&mut *file.open(), first.next.as_ref()).map(drop).unwrap_err();
        assert_eq!(resumed.code, Code::E3006, "and after a crash, {kind}");
        assert!(resumed.hint.unwrap().contains("--from-start"));
    }
}

#[test]
fn every_kind_in_the_registry_documents_itself() {
    for kind in SOURCES {
        assert!(!kind.title().is_empty() && !kind.sample().is_empty());
        assert!(kind.settings().iter().all(|setting| setting.doc.ends_with('.')), "{}", kind.kind());
    }
    let names: Vec<_> = SOURCES.iter().map(|kind| kind.kind()).chain(TARGETS.iter().map(|kind| kind.kind())).collect();
    assert!(names.iter().all(|name| !name.is_empty()));
}

#[test]
fn the_documentation_names_every_setting_of_the_file_sources() {
    let page = include_str!("../../../../../docs/sources.md");
    for kind in SOURCES.iter().filter(|kind| KINDS.iter().any(|(name, _)| *name == kind.kind())) {
        assert!(page.contains(&format!("`{}`", kind.kind())), "{}", kind.kind());
        for setting in kind.settings() {
            assert!(page.contains(&format!("`{}`", setting.name)), "{} {}", kind.kind(), setting.name);
            if let Need::Default(value) = setting.need {
                let shown = value.trim_matches('\'').trim_matches('"');
                assert!(page.contains(shown), "the default of {} {}", kind.kind(), setting.name);
            }
        }
    }
}
