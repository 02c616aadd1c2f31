//! `sterna demo`: the whole story of a migration against the emulator, told by the program's own commands.
//!
//! Every step is this very program, run as a user would run it, in a folder that stays to be looked at. Each has to
//! end as it should, or the demo fails.

mod sign_in;

use std::{
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use sterna_core::code::Code;

use super::Session;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
};

/// Arguments of `sterna demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to put the demo's project; a new folder. Without it one in the folder for temporary files
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// The bundled files: three sources, the project, the tenant.
const FILES: [(&str, &[u8]); 5] = [
    ("UsersData.json", include_bytes!("../../demo/UsersData.json")),
    ("members.csv", include_bytes!("../../demo/members.csv")),
    ("people.jsonl", include_bytes!("../../demo/people.jsonl")),
    ("scenario.toml", include_bytes!("../../demo/scenario.toml")),
    (PROJECT, include_bytes!("../../demo/sterna.toml")),
];
const PROJECT: &str = "sterna.toml";
/// Records of the three bundled sources.
const BUNDLED: u64 = 311;
const SECRET: &str = "STERNA_DEMO_SECRET";
const REJECTS: &str = "rejects.jsonl";

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let demo = Demo::new(args, session)?;
    demo.tell("Northwind's accounts go from three sources into an emulated Entra External ID tenant.");
    demo.story()?;
    demo.sign_in().await?;
    let status = demo.status()?;
    let read = status["accounts"].as_u64().unwrap_or_default() + status["rejected"].as_u64().unwrap_or_default();
    if read != BUNDLED || status["adds_up"] != true {
        return Err(Failure::new(Code::E5010, format!("{read} of {BUNDLED} bundled accounts are in the ledger")));
    }
    demo.tell(&format!(
        "\nThe project is in {}. Look at its sterna.toml and exports/, and read docs/first-migration.md for a real tenant.",
        demo.folder.display()
    ));
    let text = format!("bundled accounts: {BUNDLED}\n{status}");
    session.out.result(&text, &json!({ "bundled_accounts": BUNDLED, "status": status }));
    Ok(Exit::Done)
}

struct Demo<'d> {
    session: &'d Session,
    program: PathBuf,
    folder: PathBuf,
    emulator: Emulator,
}

/// The emulator's process; ended with the demo.
struct Emulator {
    process: Child,
    ready: Value,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl<'d> Demo<'d> {
    fn new(args: &Args, session: &'d Session) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| cannot("find itself", &error))?;
        let folder = make_folder(args.folder.as_deref()).map_err(|error| cannot("make its folder", &error))?;
        for (name, bytes) in FILES {
            fs::write(folder.join(name), bytes).map_err(|error| cannot("write its files", &error))?;
        }
        let emulator = Emulator::start(&program, &folder)?;
        let demo = Self { session, program, folder, emulator };
        let ready = |name: &str| demo.emulator.ready[name].as_str().unwrap_or_default().to_owned();
        let values = ["client_id", "graph_url", "login_url"].map(|name| (format!("@{name}@"), ready(name)));
        demo.edit(PROJECT, |text| {
            values.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value))
        })?;
        Ok(demo)
    }

    fn story(&self) -> Result<(), Failure> {
        self.tell("\nIs everything there? Two extension attributes are not yet; apply will make them.");
        self.step("check", &[0])?;
        self.tell("\nRead the three sources into the encrypted ledger. A bad record costs itself only.");
        self.step("extract", &[12])?;
        self.tell("\nBad records come out with their reason. Two are mended here by hand, and fed back.");
        self.step(&format!("export rejects --output {REJECTS}"), &[0])?;
        self.edit(REJECTS, mend)?;
        self.step(&format!("extract --mended {REJECTS}"), &[0, 12])?;
        self.tell("\nDecide what will happen to whom. An issuer that is not listed is never guessed: plan names it.");
        self.step("plan", &[10])?;
        self.tell(
            "\nThe old shop's sign-in is gone for good, so it is excluded, and GitHub people are listed. Plan again.",
        );
        self.edit(PROJECT, |text| {
            let listed = "[social.issuers]\n\"github.com\" = \"github.com\"";
            text.replace("[social.issuers]", &format!("[social]\nexclude = [\"sso.oldshop.example\"]\n\n{listed}"))
        })?;
        self.step("plan", &[11])?;
        self.tell("\nTry it out: the same on a scratch copy, against an emulator of its own. Nothing changes.");
        self.step("rehearse", &[0])?;
        self.tell("\nFive accounts first, then all. One answer gets lost on the way: that account is looked up, not sent twice.");
        self.step("apply --canary 5 --yes", &[0])?;
        self.step("apply --yes", &[0])?;
        self.tell("\nRead everything back and compare it field by field.");
        self.step("verify", &[0])?;
        self.tell("\nWho is where?");
        self.step("status", &[0])
    }

    /// Runs one command as a user would, and shows what it prints.
    fn step(&self, arguments: &str, expected: &[i32]) -> Result<(), Failure> {
        self.tell(&format!("\n$ sterna {arguments}"));
        let mut command = self.command(arguments);
        let ended = command
            .stdout(self.session.out.for_commands())
            .status()
            .map_err(|error| cannot("run a command", &error))?;
        match ended.code() {
            Some(code) if expected.contains(&code) => Ok(()),
            code => {
                let message = format!("`sterna {arguments}` ended with {code:?}; the demo expects one of {expected:?}");
                Err(Failure::new(Code::E5010, message))
            }
        }
    }

    fn status(&self) -> Result<Value, Failure> {
        let output = self.command("status --json").output().map_err(|error| cannot("run a command", &error))?;
        serde_json::from_slice(&output.stdout).map_err(|error| cannot("read its own status", &error))
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        let secret = self.emulator.ready["client_secret"].as_str().unwrap_or_default();
        command.args(arguments.split(' ')).current_dir(&self.folder).env(SECRET, secret).stdin(Stdio::null());
        command
    }

    fn edit(&self, name: &str, change: impl FnOnce(&str) -> String) -> Result<(), Failure> {
        let path = self.folder.join(name);
        let text = fs::read_to_string(&path).map_err(|error| cannot("read its files", &error))?;
        fs::write(&path, change(&text)).map_err(|error| cannot("write its files", &error))
    }

    fn tell(&self, text: &str) {
        self.session.out.tell(text);
    }
}

impl Emulator {
    fn start(program: &Path, folder: &Path) -> Result<Self, Failure> {
        let arguments = "emulate entra-external-id --listen 127.0.0.1:0 --scenario scenario.toml";
        let process = Command::new(program)
            .args(arguments.split(' '))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| cannot("start the emulator", &error))?;
        let mut line = String::new();
        let mut emulator = Self { ready: Value::Null, process };
        if let Some(stdout) = emulator.process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| cannot("start the emulator", &error))?;
        }
        emulator.ready = serde_json::from_str(&line).map_err(|error| cannot("start the emulator", &error))?;
        Ok(emulator)
    }
}

fn make_folder(wanted: Option<&Path>) -> io::Result<PathBuf> {
    match wanted {
        // never over another folder's files
        Some(folder) => fs::create_dir(folder).and_then(|()| fs::canonicalize(folder)),
        None => Ok(tempfile::Builder::new().prefix("sterna-demo-").tempdir()?.keep()),
    }
}

/// What the operator's editor does to the exported rejects: a line that broke off is finished, a short row filled up.
fn mend(text: &str) -> String {
    text.lines()
        .map(|line| {
            let Ok(mut reject) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
            let raw = reject["raw"].as_str().unwrap_or_default();
            if raw.contains("Noor Broken Off") {
                reject["raw"] = Value::from(format!("{}mple\"}}]}}", raw.trim_end()));
            } else if raw.contains("zu_wenig") {
                reject["raw"] = Value::from(format!("{};Wenig;;;;", raw.trim_end()));
            }
            reject.to_string()
        })
        .fold(String::new(), |text, line| text + &line + "\n")
}

fn cannot(what: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::new(Code::E1013, format!("the demo cannot {what}")).caused_by(error)
}
