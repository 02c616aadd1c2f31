//! Whole migrations against the emulator, driven as a user would drive them.
//!
//! [`World`] is a project folder and an emulator of its own on a free loopback port.

mod after_sign_in;
mod crash;
mod faults;
mod first_migration;
mod matching;
mod pace;
mod phases;
mod repairs;
pub(crate) mod secrets;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Folder, Run};

/// The environment variable that the projects of these tests take their client secret from.
const SECRET: &str = "STERNA_TEST_CLIENT_SECRET";

/// An emulator in a process of its own; ended by its process id.
pub(crate) struct Emulator {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    pub(crate) ready: Value,
}

impl Emulator {
    /// Starts one. `args` are added to `emulate KIND --listen 127.0.0.1:0`.
    pub(crate) fn start(folder: &Folder, kind: &str, args: &str) -> Self {
        let mut command = folder.command(&format!("emulate {kind} --listen 127.0.0.1:0 {args}"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, _stdout: stdout, ready }
    }

    /// Everything that it holds at this instant.
    pub(crate) fn state(&self) -> Value {
        let answer = get(self.ready["state_url"].as_str().unwrap());
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:.200}"))
    }

    /// Asks the control side for something.
    pub(crate) fn control(&self, path: &str, body: &Value) -> String {
        self.ask("POST", path, body)
    }

    /// Asks the control side with any method; anything but an answer without `error` fails the test.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> String {
        let url = self.ready["state_url"].as_str().unwrap().trim_end_matches('/').to_owned();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = request(method, &format!("{url}{path}"), &body);
        assert!(!answer.contains("\"error\""), "{method} {path}: {answer}");
        answer
    }

    /// One of the counters.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.state()["counters"][name].as_u64().unwrap()
    }

    /// How often each fault rule struck, in the scenario's order.
    pub(crate) fn struck(&self) -> Vec<u64> {
        let rules: Value = serde_json::from_str(&self.ask("GET", "/faults", &Value::Null)).unwrap();
        rules.as_array().unwrap().iter().map(|rule| rule["struck"].as_u64().unwrap()).collect()
    }

    pub(crate) fn users(&self) -> Vec<Value> {
        self.state()["users"].as_array().unwrap().clone()
    }

    /// The user whose display name is `name`.
    pub(crate) fn user(&self, name: &str) -> Value {
        let users = self.users();
        let found: Vec<_> = users.iter().filter(|user| user["displayName"] == name).collect();
        assert_eq!(found.len(), 1, "{name} among {users:#?}");
        found[0].clone()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A project and the emulator that it writes to.
pub(crate) struct World {
    pub(crate) folder: Folder,
    pub(crate) emulator: Emulator,
}

impl World {
    /// A project with `sources` (TOML) and `more` tables, and an emulator with `scenario`.
    pub(crate) fn new(sources: &str, target: &str, more: &str, scenario: &str) -> Self {
        Self::of("entra-external-id", sources, target, more, scenario, "--read-delay-ms 150")
    }

    pub(crate) fn of(kind: &str, sources: &str, target: &str, more: &str, scenario: &str, args: &str) -> Self {
        let folder = Folder::new();
        folder.write("scenario.toml", scenario);
        let emulator = Emulator::start(&folder, kind, &format!("--scenario scenario.toml {args}"));
        let ready = &emulator.ready;
        let toml = format!(
            "[migration]\nname = \"test\"\n{sources}\n[target]\nconnector = \"{kind}\"\ntenant = {}\nclient_id = {}\n\
             client_secret = {{ env = \"{SECRET}\" }}\ngraph_url = {}\nlogin_url = {}\n{target}\n{more}\n",
            ready["tenant"], ready["client_id"], ready["graph_url"], ready["login_url"]
        );
        folder.write("sterna.toml", &toml);
        Self { folder, emulator }
    }

    /// A project with accounts in a JSON Lines file, and quick settling, in small batches.
    pub(crate) fn with_people(people: &[String], more: &str, scenario: &str) -> Self {
        let source = "[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";
        let target = "settling_secs = 1\nrequest_timeout_secs = 2\nbatch_size = 4\n";
        let world = Self::new(source, target, more, scenario);
        world.folder.write("people.jsonl", &(people.join("\n") + "\n"));
        world
    }

    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = self.folder.command(args);
        command.env(SECRET, self.emulator.ready["client_secret"].as_str().unwrap());
        command
    }

    /// A project that reads a `b2c-users-file`, with quick settling.
    pub(crate) fn with_users_file(kind: &str, document: &[u8], target: &str, more: &str) -> Self {
        let source = "[sources.legacy]\nconnector = \"b2c-users-file\"\npath = \"users.json\"\n";
        let target = format!("settling_secs = 1\nrequest_timeout_secs = 2\n{target}\n");
        let world = Self::of(kind, source, &target, more, "", "--read-delay-ms 150");
        std::fs::write(world.folder.path().join("users.json"), document).unwrap();
        world
    }

    /// Plans; it may warn, but has no errors.
    pub(crate) fn plan(&self) -> Run {
        let plan = self.run("plan");
        assert!([0, 11].contains(&plan.code), "plan: {} {}", plan.stdout, plan.stderr);
        plan
    }

    /// Plans, and gives the plan's document.
    pub(crate) fn plan_json(&self) -> Value {
        let plan = self.run("plan --json");
        assert!([0, 11].contains(&plan.code), "plan: {} {}", plan.stdout, plan.stderr);
        plan.json()
    }

    /// Everything from extract to the end of apply; the plan may warn.
    pub(crate) fn migrate(&self) {
        self.extract_and_plan();
        self.run("apply --yes").exits(0);
    }

    /// Writes `text` over `sterna.toml` where `from` stands.
    pub(crate) fn reconfigure(&self, from: &str, to: &str) {
        let toml = self.folder.read("sterna.toml");
        assert!(toml.contains(from), "{from} in {toml}");
        self.folder.write("sterna.toml", &toml.replace(from, to));
    }

    /// The user with this display name signs in at the emulator; `how` is the body of the control request.
    pub(crate) fn sign_in(&self, name: &str, how: &Value) {
        let id = self.emulator.user(name)["id"].as_str().unwrap().to_owned();
        self.emulator.control(&format!("/users/{id}/sign-in"), how);
        settle();
    }

    /// Somebody else changes a user at the emulator.
    pub(crate) fn tamper(&self, name: &str, change: &Value) {
        let id = self.emulator.user(name)["id"].as_str().unwrap().to_owned();
        self.emulator.ask("PATCH", &format!("/users/{id}"), change);
        settle();
    }

    /// Somebody else deletes a user at the emulator.
    pub(crate) fn delete(&self, name: &str) {
        let id = self.emulator.user(name)["id"].as_str().unwrap().to_owned();
        self.emulator.ask("DELETE", &format!("/users/{id}"), &Value::Null);
        settle();
    }

    /// A copy of the ledger as it is now, for [`World::roll_back`].
    pub(crate) fn copy_ledger(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_files(&self.folder.path().join(".sterna"), copy.path());
        copy
    }

    /// Puts an older ledger back, as from a backup.
    pub(crate) fn roll_back(&self, copy: &TempDir) {
        let ledger = self.folder.path().join(".sterna");
        std::fs::remove_dir_all(&ledger).unwrap();
        std::fs::create_dir(&ledger).unwrap();
        copy_files(copy.path(), &ledger);
    }

    /// Asserts the sums and that every account but those in `besides` is exactly once at the emulator.
    pub(crate) fn exactly_once(&self, accounts: u64) -> Value {
        let status = self.status();
        adds_up(&status);
        assert_eq!(count(&status, "profile", "applied"), accounts, "{status:#}");
        let users = self.emulator.users();
        assert_eq!(users.len() as u64, accounts, "{users:#?}");
        let keys: BTreeSet<&str> = users.iter().filter_map(|user| user["mailNickname"].as_str()).collect();
        assert_eq!(keys.len() as u64, accounts, "one key each: {keys:?}");
        status
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &str) -> Run {
        let output = self.command(args).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn status(&self) -> Value {
        self.run("status --json").exits(0).json()
    }

    /// Extracts and plans; the plan may warn.
    pub(crate) fn extract_and_plan(&self) {
        self.run("extract").exits(0);
        self.plan();
    }
}

/// An account of Sterna's own form with an e-mail sign-in name.
pub(crate) fn local(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","display_name":"Person {id}","identities":[{{"kind":"local","name":"email","value":"{id}@example.com"}}],"password":"held-by-legacy"}}"#
    )
}

/// An account of Sterna's own form that signs in socially.
pub(crate) fn social(id: &str, issuer: &str, subject: &str) -> String {
    format!(
        r#"{{"id":"{id}","display_name":"Person {id}","emails":[{{"value":"{id}@example.com"}}],"identities":[{{"kind":"federated","issuer":"{issuer}","subject":"{subject}"}}]}}"#
    )
}

/// The count of one state in a status.
pub(crate) fn count(status: &Value, kind: &str, state: &str) -> u64 {
    status[kind][state].as_u64().unwrap_or_default()
}

/// Asserts the counts of a kind of state: those that are not zero, sums included.
pub(crate) fn stands(status: &Value, kind: &str, expected: &[(&str, u64)]) {
    adds_up(status);
    let counts = status[kind].as_object().unwrap();
    let counts: BTreeMap<&str, u64> = counts.iter().map(|(name, n)| (name.as_str(), n.as_u64().unwrap())).collect();
    let counts: BTreeMap<&str, u64> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counts, expected.iter().copied().collect(), "{status:#}");
}

/// Asserts that a status adds up: records, profile states and credential states.
pub(crate) fn adds_up(status: &Value) {
    let sum = |kind: &str| status[kind].as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
    let accounts = status["accounts"].as_u64().unwrap();
    assert_eq!(sum("profile"), accounts, "{status:#}");
    assert_eq!(sum("credential"), accounts, "{status:#}");
    assert_eq!(status["adds_up"], true, "{status:#}");
}

/// A file that its owner alone can read, as secrets have to stand in.
pub(crate) fn write_secret(folder: &Folder, name: &str, text: &str) {
    let path = folder.write(name, text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Lets what was changed behind everybody's back show in the emulator's reads.
pub(crate) fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(250));
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A property of `user` whose name ends so, for extension attributes.
pub(crate) fn extension<'u>(user: &'u Value, name: &str) -> &'u Value {
    let members = user.as_object().unwrap();
    let ending = format!("_{name}");
    members
        .iter()
        .find(|(full, _)| full.starts_with("extension_") && full.ends_with(&ending))
        .map_or(&Value::Null, |(_, value)| value)
}

fn get(url: &str) -> String {
    request("GET", url, "")
}

/// A bare HTTP/1.1 exchange: the tests need no client of the program's own kind.
pub(crate) fn request(method: &str, url: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") { unchunk(body) } else { body.to_owned() }
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
