//! The only place that prints.
//!
//! Results go to standard output: text for people, or with `--json` exactly one JSON document. Findings, progress and
//! questions go to standard error. Start at [`Out`]. Not here: logs (`logging.rs`), which carry pseudonyms only.

mod findings;
pub(crate) mod progress;
pub(crate) mod table;

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Serialize;
use serde_json::{Value, json};
use sterna_core::code::Code;
use sterna_engine::Progress;

use crate::{
    exit::Exit,
    failure::{Failure, Trouble},
};
use progress::{Showing, Watch};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES: u64 = 100;

/// In which form results are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
}

/// Whether standard error may have colours: only where somebody looks at it who has not asked for none (`NO_COLOR`).
pub(crate) fn coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Where everything that people or scripts read goes through.
pub(crate) struct Out {
    form: Form,
    colour: bool,
    verbosity: u8,
    /// A result could not be written, and not because the reader had enough.
    lost: AtomicBool,
}

impl Out {
    /// Results in `form`.
    pub(crate) fn new(form: Form, verbosity: u8) -> Self {
        Self { form, colour: coloured(), verbosity, lost: AtomicBool::new(false) }
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

    /// Tells a story on standard output, which with `--json` is for the one document alone.
    pub(crate) fn tell(&self, text: &str) {
        match self.form {
            Form::Text => self.standard(text),
            Form::Json => self.error(text),
        }
    }

    /// Where commands that are run on the way print to: as [`Self::tell`].
    pub(crate) fn for_commands(&self) -> Stdio {
        match self.form {
            Form::Text => Stdio::inherit(),
            Form::Json => io::stderr().into(),
        }
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

    /// Shows why a command whose result is given already ended before its end; the result is the one document.
    pub(crate) fn stopped(&self, failure: &Failure) -> Exit {
        self.troubles(&failure.troubles);
        failure.exit
    }

    /// Shows a phase's progress until the result is dropped.
    pub(crate) fn watch(&self, progress: &Arc<Progress>) -> Watch {
        let showing = match (io::stderr().is_terminal(), self.verbosity) {
            (true, _) => Showing::Terminal,
            (false, 0) => Showing::Nowhere,
            (false, _) => Showing::Lines,
        };
        Watch::start(showing, Arc::clone(progress))
    }

    /// Asks a question whose answer has to be yes.
    ///
    /// # Errors
    /// E1012 when the answer is another, or nobody can be asked.
    #[expect(clippy::unused_self, reason = "asking needs the one Out")]
    pub(crate) fn ask(&self, question: &str) -> Result<(), Failure> {
        if !io::stdin().is_terminal() {
            let failure = Failure::new(Code::E1012, format!("{question} Nobody can be asked: this is no terminal"));
            return Err(failure.hint("give --yes to agree beforehand"));
        }
        let mut stream = io::stderr().lock();
        let asked = write!(stream, "{question} [y/N] ").and_then(|()| stream.flush());
        let mut answer = String::new();
        let heard = asked.and_then(|()| io::stdin().lock().take(ANSWER_BYTES).read_line(&mut answer));
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" if heard.is_ok() => Ok(()),
            _ => Err(Failure::new(Code::E1012, "not agreed; nothing was done")),
        }
    }

    /// The stream of standard output, for exports.
    #[expect(clippy::unused_self, reason = "printing needs the one Out")]
    pub(crate) fn stream(&self) -> impl Write + use<> {
        io::BufWriter::new(io::stdout())
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
        Self::error_line(text);
    }

    fn error_line(text: &str) {
        // nobody is left to be told that standard error is closed
        let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
    }
}

fn failure_document(failure: &Failure) -> Value {
    json!({ "ok": false, "exit": failure.exit.number(), "findings": failure.troubles })
}
