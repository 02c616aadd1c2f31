//! The only place that prints.
//!
//! Results go to standard output: text for people, or with `--json` exactly one JSON document. Findings, progress and
//! questions go to standard error. Start at [`Out`]. Not here: logs (`logging.rs`), which carry pseudonyms only.

mod findings;
pub(crate) mod table;

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::{Failure, Trouble};

/// In which form results are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
}

/// Where everything that people or scripts read goes through.
pub(crate) struct Out {
    form: Form,
    colour: bool,
    /// A result could not be written, and not because the reader had enough.
    lost: AtomicBool,
}

impl Out {
    /// Results in `form`.
    pub(crate) fn new(form: Form) -> Self {
        let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { form, colour, lost: AtomicBool::new(false) }
    }

    /// Gives the result of a command: `text` for people, `document` with `--json`.
    pub(crate) fn result(&self, text: &str, document: &impl Serialize) {
        match self.form {
            Form::Text => self.standard(text),
            Form::Json => self.document(document),
        }
    }

    /// Prints a JSON line on standard output whatever the form, and flushes it; for `sterna emulate`.
    pub(crate) fn ready_line(&self, document: &impl Serialize) {
        self.document(document);
    }

    /// Tells people something on the way.
    pub(crate) fn note(&self, text: &str) {
        self.error(text);
    }

    /// Shows findings on the way to a result.
    pub(crate) fn troubles(&self, troubles: &[Trouble]) {
        for trouble in troubles {
            self.error(&findings::render(trouble, self.colour));
        }
    }

    /// Shows why a command ended early; with `--json` it is also the document.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.troubles(&failure.troubles);
        if self.form == Form::Json {
            self.document(&failure_document(failure));
        }
    }

    /// Whether a result could not be written.
    pub(crate) fn lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn document(&self, document: &impl Serialize) {
        match serde_json::to_string(document) {
            Ok(text) => self.standard(&text),
            Err(_) => self.lost.store(true, Ordering::Relaxed),
        }
    }

    fn standard(&self, text: &str) {
        let mut stream = io::stdout().lock();
        let written = writeln!(stream, "{}", text.trim_end_matches('\n')).and_then(|()| stream.flush());
        // a reader that closes the pipe has read what it wanted
        if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            self.lost.store(true, Ordering::Relaxed);
        }
    }

    #[expect(clippy::unused_self, reason = "printing needs the one Out")]
    fn error(&self, text: &str) {
        // nobody is left to be told that standard error is closed
        let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
    }
}

fn failure_document(failure: &Failure) -> Value {
    json!({ "ok": false, "exit": failure.exit.number(), "findings": failure.troubles })
}
