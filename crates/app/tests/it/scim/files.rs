//! Scenario files, `crates/app/tests/data/scim/*.toml`: one for each way in which a service differs from the standard, and one
//! for each thing that goes wrong. Whatever happens, the sums add up, nobody is there twice, and nobody is counted who is not there.
//!
//! A file has a comment that says what it shows, `kind`, perhaps `people`, the emulator's `[scenario]`, more settings of the
//! `[target]`, and what is expected: `[expect]` with exit codes of `plan`, `apply` (of each run) and `verify`, the counts of
//! `profile`, how many `users` are there, and words that a command `says`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
    sync::Mutex,
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    scenario::{Emulator, adds_up},
    support::{Folder, Run},
};

/// How many move where a file does not say.
const PEOPLE: u64 = 12;
/// Files that are tried at once: most of their time is waiting.
const AT_ONCE: usize = 6;
const SECRET: &str = "SCIM_TEST_SECRET";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    people: Option<u64>,
    #[serde(default)]
    scenario: toml::Table,
    #[serde(default)]
    target: toml::Table,
    #[serde(default)]
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expect {
    plan: i32,
    apply: Vec<i32>,
    verify: i32,
    /// Whether `verify --repair` mends it all.
    repaired: bool,
    profile: Option<BTreeMap<String, u64>>,
    users: Option<usize>,
    says: Option<String>,
}

impl Default for Expect {
    fn default() -> Self {
        Self { plan: 0, apply: vec![0], verify: 0, repaired: false, profile: None, users: None, says: None }
    }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/scim"))
}

fn names() -> BTreeSet<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned)).collect()
}

/// One scenario at work.
struct World {
    folder: Folder,
    emulator: Emulator,
    said: String,
}

impl World {
    fn new(file: &File) -> Self {
        let folder = Folder::new();
        folder.write("scenario.toml", &toml::to_string(&file.scenario).unwrap());
        let emulator = Emulator::start(&folder, &file.kind, "--scenario scenario.toml");
        let mut target = target(&file.kind, &emulator.ready);
        target.extend(file.target.clone());
        let project = format!(
            "[migration]\nname = \"files\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n\
             {}\n[passwords]\nstrategy = \"set\"\n[social.issuers]\n\"google.com\" = \"Google\"\n",
            toml::to_string(&toml::Table::from_iter([("target".to_owned(), target.into())])).unwrap()
        );
        folder.write("sterna.toml", &project);
        let social = file.kind != "scim";
        let people: Vec<String> = (0..file.people.unwrap_or(PEOPLE)).map(|number| person(number, social)).collect();
        folder.write("people.jsonl", &people.join("\n"));
        Self { folder, emulator, said: String::new() }
    }

    fn run(&mut self, args: &str) -> Run {
        let secret = self.emulator.ready["client_secret"].as_str().unwrap();
        let run = self.folder.run_with(args, (SECRET, secret));
        let _ = write!(self.said, "\n$ sterna {args}: {}\n{}{}", run.code, run.stdout, run.stderr);
        run
    }
}

/// Where the target is, quick to give up.
pub(super) fn target(kind: &str, ready: &Value) -> toml::Table {
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let scim = text("scim_url");
    let mut target = toml::Table::new();
    let mut set = |name: &str, value: toml::Value| drop(target.insert(name.to_owned(), value));
    if kind == "scim" {
        set("url", scim.into());
        set("token_url", text("token_url").into());
    } else {
        set("url", scim.split("/t/").next().unwrap().trim_end_matches("/scim2").into());
    }
    if kind == "asgardeo" {
        set("organization", text("organization").into());
    }
    set("connector", kind.into());
    set("client_id", text("client_id").into());
    set("client_secret", toml::Table::from_iter([("env".to_owned(), SECRET.into())]).into());
    set("groups", "create".into());
    set("batch_size", 5.into());
    set("settling_secs", 1.into());
    set("request_timeout_secs", 3.into());
    set("writes_per_second", 1_000.into());
    target
}

/// A person in Sterna's account form: in a group, every fourth with a social identity too, the last of five with that alone.
fn person(number: u64, social: bool) -> String {
    let email = format!("p{number}@example.com");
    let mut identities = vec![json!({"kind": "local", "name": "email", "value": email})];
    if social && number % 4 == 3 {
        identities.push(json!({"kind": "federated", "issuer": "google.com", "subject": format!("sub-{number}")}));
    }
    if social && number % 5 == 4 {
        identities = vec![json!({"kind": "federated", "issuer": "google.com", "subject": format!("only-{number}")})];
    }
    let (name, group) = (format!("Person {number}"), format!("team {}", number % 2));
    json!({"id": format!("u{number}"), "display_name": name, "given_name": "Ana", "family_name": name, "groups": [group],
        "emails": [{"value": email, "primary": true}], "identities": identities,
        "password": {"plaintext": format!("Passw0rd-{number}-long")}})
    .to_string()
}

/// Tries one file; what went otherwise than expected.
fn tried(name: &str) -> Result<(), String> {
    let text = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    let file: File = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    let mut world = World::new(&file);
    let expect = &file.expect;
    let mut wrong = Vec::new();
    let mut expects = |what: &str, code: i32, expected: i32| {
        let fits = code == expected || (expected == 0 && code == 11);
        if !fits {
            wrong.push(format!("{what} ended with {code} and not {expected}"));
        }
    };
    world.run("extract").exits(0);
    expects("plan", world.run("plan").code, expect.plan);
    for (run, expected) in expect.apply.iter().enumerate() {
        expects(&format!("apply {}", run + 1), world.run("apply --yes").code, *expected);
    }
    expects("verify", world.run("verify").code, expect.verify);
    if expect.repaired {
        expects("repair", world.run("verify --repair --yes").code, 0);
    }
    let status = world.run("status --json").exits(0).json();
    adds_up(&status);
    let everybody = usize::try_from(file.people.unwrap_or(PEOPLE)).unwrap();
    let users = world.emulator.users();
    if users.len() != expect.users.unwrap_or(everybody) {
        wrong.push(format!("{} users are there", users.len()));
    }
    let once: BTreeSet<&str> = users.iter().filter_map(|user| user["userName"].as_str()).collect();
    if once.len() != users.len() {
        wrong.push("somebody is there twice".into());
    }
    let counts =
        status["profile"].as_object().unwrap().iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    let counts: BTreeMap<String, u64> = counts.filter(|(_, count)| *count > 0).collect();
    let expected = expect.profile.clone().unwrap_or_else(|| [("verified".to_owned(), everybody as u64)].into());
    if counts != expected {
        wrong.push(format!("the profile's states are {counts:?} and not {expected:?}"));
    }
    if expect.says.as_ref().is_some_and(|words| !world.said.contains(words)) {
        wrong.push(format!("nothing says {:?}", expect.says));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{name}: {}\n{}", wrong.join("; "), world.said)) }
}

/// Tries all files whose names begin so, several at once.
fn try_all(prefix: &str) {
    let left = Mutex::new(names().into_iter().filter(|name| name.starts_with(prefix)).collect::<Vec<_>>());
    assert!(!left.lock().unwrap().is_empty(), "there are files {prefix}*");
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(name) = left.lock().unwrap().pop() else { return };
                    let outcome = std::panic::catch_unwind(|| tried(&name));
                    let failure = outcome.unwrap_or_else(|_| Err(format!("{name}: panicked, see above")));
                    failures.lock().unwrap().extend(failure.err());
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} files:\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn every_quirk_of_scim_services_ends_with_sums_that_add_up() {
    try_all("quirk-");
}

#[test]
fn every_quirk_of_wso2s_products_ends_with_sums_that_add_up() {
    try_all("wso2-");
}

#[test]
fn every_fault_ends_with_sums_that_add_up() {
    try_all("fault-");
}

#[test]
fn every_quirk_and_every_fault_has_a_file() {
    let names = names();
    let folder = Folder::new();
    for (kind, prefix) in [("scim", "quirk-"), ("wso2-is", "wso2-")] {
        let emulator = Emulator::start(&folder, kind, "");
        let quirks: Value = serde_json::from_str(&emulator.ask("GET", "/quirks", &Value::Null)).unwrap();
        let quirks: Vec<&str> =
            quirks.as_array().unwrap().iter().map(|quirk| quirk["name"].as_str().unwrap()).collect();
        assert!(quirks.len() > 20, "{quirks:?}");
        for quirk in quirks {
            let dashed = quirk.replace('_', "-");
            let has = |prefix: &str| names.contains(&format!("{prefix}{dashed}"));
            assert!(has(prefix) || has("quirk-"), "{quirk} of {kind} has no file");
        }
    }
    for kind in FAULTS {
        let prefix = format!("fault-{}", kind.replace('_', "-"));
        assert!(names.iter().any(|name| name.starts_with(&prefix)), "{kind} has no file");
    }
}

/// Every kind of fault that a scenario can have.
const FAULTS: &[&str] = &[
    "lose_reply",
    "lose_request",
    "late_commit",
    "reset_before",
    "reset_after",
    "storm_429",
    "error_5xx_before",
    "error_5xx_after",
    "latency",
    "stale_read",
    "repeat_page",
    "ignore_filter",
    "accepted_202",
];
