//! No secret and no person in the clear: marked passwords, secrets and people go through everything, failures included,
//! and are then searched for in all that was printed and all that stands on the disk.
//!
//! Start at [`Ground`]: it runs the program with every log on and looks at each word of it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use memchr::memmem::Finder;
use serde_json::json;

use super::{World, count};
use crate::support::{Folder, Run};

/// Secrets; they are also searched for in base64, hex and UTF-16.
const SECRETS: &[&str] = &[
    "Zq1!plaintext-password",
    "zqweakpassword",
    "Zq2!refused-password",
    "zqpasswordhash",
    "zq-client-secret",
    "zq-wrong-secret",
    "zq-literal-secret",
    "zq-file-secret",
];

/// What tells of people. Everything is searched for without case.
const PEOPLE: &[&str] = &[
    "zqmail",
    "zqdomain",
    "zqgiven",
    "zqfamily",
    "zqtitle",
    "zqsubject",
    "zquser",
    "zqvalue",
    "zqstreet",
    "4930901820",
];

/// Files that hold them because we, or the operator, put them there.
const GIVEN: &[&str] =
    &["people.jsonl", "rows.csv", "users.json", "scenario.toml", "secret", "exports", "mended.jsonl", "sterna.toml"];

/// Every form of every marker; to be searched for in text whose letters are made small.
pub(crate) fn patterns(secrets: &[&str], people: &[&str]) -> Vec<(String, Finder<'static>)> {
    let mut all = Vec::new();
    let mut add = |what: String, bytes: &[u8]| all.push((what, Finder::new(bytes).into_owned()));
    for marker in secrets.iter().chain(people) {
        let lower = marker.to_lowercase();
        add((*marker).to_owned(), lower.as_bytes());
        let wide: Vec<u16> = lower.encode_utf16().collect();
        add(format!("{marker} in UTF-16"), &wide.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>());
        add(
            format!("{marker} in UTF-16, turned"),
            &wide.iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<_>>(),
        );
    }
    for secret in secrets {
        add(format!("{secret} in hex"), hex(secret).as_bytes());
        for shift in 0..3 {
            // whole groups of the middle, wherever in a longer text it stands
            let text = STANDARD.encode([&vec![0; shift][..], secret.as_bytes()].concat());
            let groups = (shift + secret.len()) / 3 * 4;
            let part = text[shift.min(1) * 4..groups].to_lowercase();
            add(format!("{secret} in base64"), part.as_bytes());
        }
    }
    all
}

fn hex(text: &str) -> String {
    text.bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// A project full of markers, and everything that was found of them.
struct Ground {
    world: World,
    temporary: Folder,
    patterns: Vec<(String, Finder<'static>)>,
    secret: &'static str,
}

impl Ground {
    fn new() -> Self {
        let world =
            World::new(SOURCES, "settling_secs = 1\nrequest_timeout_secs = 1\nbatch_size = 4\n", MORE, SCENARIO);
        let folder = &world.folder;
        folder.write("people.jsonl", PEOPLE_JSONL);
        folder.write("rows.csv", ROWS_CSV);
        folder.write("users.json", &format!("{USERS_JSON},{{\"signInName\":\"zqmail-broken\""));
        Self { world, temporary: Folder::new(), patterns: patterns(SECRETS, PEOPLE), secret: "zq-client-secret" }
    }

    fn command(&self, args: &str) -> std::process::Command {
        let mut command = self.world.folder.command(args);
        let temporary = self.temporary.path();
        command.env("TMPDIR", temporary).env("SQLITE_TMPDIR", temporary).env("STERNA_TEST_CLIENT_SECRET", self.secret);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command
    }

    /// Runs the program with every log on. No marker may be printed.
    fn run(&self, args: &str) -> Run {
        let output = self.command(&format!("{args} -vvv")).output().unwrap();
        self.look(&format!("standard output of {args}"), &output.stdout);
        self.look(&format!("standard error of {args}"), &output.stderr);
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!run.stderr.contains("panicked"), "{args}: {}", run.stderr);
        run
    }

    fn look(&self, place: &str, bytes: &[u8]) {
        let bytes = bytes.to_ascii_lowercase();
        for (what, finder) in &self.patterns {
            if let Some(at) = finder.find(&bytes) {
                let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 100)];
                panic!("{place} holds {what} at byte {at}: …{}…", String::from_utf8_lossy(around));
            }
        }
    }

    /// Looks at every file but those that were given, and at the temporary folder.
    fn look_at_files(&self, when: &str) {
        let mut seen = 0;
        for path in files(self.world.folder.path()).into_iter().chain(files(self.temporary.path())) {
            let within = path.strip_prefix(self.world.folder.path()).unwrap_or(&path);
            if GIVEN.iter().any(|given| within.starts_with(given)) {
                continue;
            }
            self.look(&format!("{} {when}", within.display()), &fs::read(&path).unwrap());
            seen += 1;
        }
        assert!(seen >= 2, "the ledger at least is looked at {when}");
    }

    fn mend_users(&self) {
        self.world.folder.write("users.json", &format!("{USERS_JSON}]}}"));
    }

    /// The command fails with this exit code and an error of this code.
    fn fails(&self, args: &str, exit: i32, code: &str) {
        let run = self.run(args);
        let told = format!("{args}: {} {}{}", run.code, run.stdout, run.stderr);
        assert!(run.code == exit && run.stderr.contains(&format!("error[{code}]")), "{told}");
    }

    /// The same with another `sterna.toml` for once.
    fn fails_with(&self, from: &str, to: &str, args: &str, (exit, code): (i32, &str)) {
        let toml = self.world.folder.read("sterna.toml");
        self.world.reconfigure(from, to);
        self.fails(args, exit, code);
        self.world.folder.write("sterna.toml", &toml);
    }
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

const SECRET_REFERENCE: &str = "{ env = \"STERNA_TEST_CLIENT_SECRET\" }";

const SOURCES: &str = "[sources.lines]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n\
    [sources.rows]\nconnector = \"csv\"\npath = \"rows.csv\"\n[sources.rows.columns]\nkey = \"id\"\nemail = \"mail\"\n\
    display_name = \"name\"\npassword = \"pw\"\nphone = \"phone\"\n\
    [sources.users]\nconnector = \"b2c-users-file\"\npath = \"users.json\"\n";

const MORE: &str = "[social.issuers]\n\"google.com\" = \"google.com\"\n[passwords]\nstrategy = \"reset\"\n";

const SCENARIO: &str = r#"
[[app]]
client_secret = "zq-client-secret"

[[user]]
[user.properties]
displayName = "Zqgiven There Already"
identities = [{ signInType = "emailAddress", issuer = "contoso.onmicrosoft.com", issuerAssignedId = "zqmail-clash@zqdomain.example" }]

[[user]]
[user.properties]
displayName = "Somebody Else"

[[fault]]
kind = "error_5xx_before"
on = "create"
match = "zqmail-refused"
status = 400
code = "Request_BadRequest"

[[fault]]
kind = "lose_reply"
on = "create"
match = "zqmail-lost"
times = 1

[[fault]]
kind = "error_5xx_before"
on = "list"
match = "zqmail"
times = 3

[[fault]]
kind = "latency"
on = "batch"
delay_ms = 150

[[extension]]
name = "toBeMigrated"
data_type = "Boolean"

[[extension]]
name = "sternaLegacyId"
"#;

const PEOPLE_JSONL: &str = r#"{"id":"zqvalue-1","display_name":"Zqgiven Zqfamily","given_name":"Zqgiven","family_name":"Zqfamily","title":"Zqtitle","identities":[{"kind":"local","name":"email","value":"zqmail-1@zqdomain.example"}],"phones":[{"value":"+4930901820991"}],"password":{"plaintext":"Zq1!plaintext-password"},"attributes":{"plan":"zqvalue-plan"},"address":{"street":"Zqstreet 1"}}
{"id":"zqvalue-2","display_name":"Zqgiven Two","identities":[{"kind":"local","name":"email","value":"zqmail-2@zqdomain.example"}],"password":{"plaintext":"zqweakpassword"}}
{"id":"zqvalue-3","display_name":"Zqgiven Refused","identities":[{"kind":"local","name":"email","value":"zqmail-refused@zqdomain.example"}],"password":{"plaintext":"Zq2!refused-password"}}
{"id":"zqvalue-4","display_name":"Zqgiven Lost","identities":[{"kind":"local","name":"email","value":"zqmail-lost@zqdomain.example"}],"password":{"hash":"zqpasswordhash","format":"bcrypt"}}
{"id":"zqvalue-5","display_name":"Zqgiven Clash","identities":[{"kind":"local","name":"email","value":"zqmail-clash@zqdomain.example"}]}
{"id":"zqvalue-6","display_name":"Zqgiven Taken","identities":[{"kind":"local","name":"email","value":"zqmail-taken@zqdomain.example"}]}
{"id":"zqvalue-7","display_name":"Zqgiven Social","emails":[{"value":"zqmail-7@zqdomain.example"}],"identities":[{"kind":"federated","issuer":"google.com","subject":"zqsubject-7"}]}
{"id":"zqvalue-8","display_name":"Zqgiven Unlisted","identities":[{"kind":"federated","issuer":"unlisted.example","subject":"zqsubject-8"}]}
{"id":"zqvalue-9","display_name":"Zqgiven Phone","identities":[{"kind":"local","name":"phone","value":"+4930901820992"}]}
{"id":"zqvalue-10","user_name":"zquser.with.dots@"}
{"id":"zqvalue-11","zqvalue":"zqmail-unknown-member"}
{"id":"zqvalue-12","display_name":"Zqgiven
{"id":"zqvalue-13","password":"Zq1!plaintext-password"}
{"id":"zqvalue-14","times":{"created":"zqvalue-time"}}
{"id":"zqvalue-1","display_name":"Zqgiven Twice"}
"#;

const ROWS_CSV: &str = "id,mail,name,pw,phone\n\
    zqvalue-r1,zqmail-r1@zqdomain.example,Zqgiven Row,Zq1!plaintext-password,+4930901820993\n\
    zqvalue-r2,zqmail-r2@zqdomain.example\n\
    zqvalue-r3,\"zqmail-r3\" zqdomain,Zqgiven,zqweakpassword,\n\
    zqvalue-r1,zqmail-r4@zqdomain.example,Zqgiven Again,Zq1!plaintext-password,\n";

const USERS_JSON: &str = r#"{"userType":"emailAddress","Users":[{"signInName":"zqmail-u1@zqdomain.example","displayName":"Zqgiven User","password":"Zq1!plaintext-password"},{"signInName":["zqmail-u2@zqdomain.example"]}"#;

#[test]
fn nothing_is_printed_or_stored_in_the_clear_while_settings_and_sources_are_wrong() {
    let ground = Ground::new();
    configuration(&ground);
    sources(&ground);
    secrets_that_do_not_open(&ground);
    ground.look_at_files("after a target that does not open");
}

#[test]
fn nothing_is_printed_or_stored_in_the_clear_by_a_rehearsal() {
    let ground = Ground::new();
    ground.mend_users();
    assert_eq!(ground.run("extract").code, 12);
    planned(&ground);
    assert_eq!(ground.run("rehearse --yes").code, 0);
    ground.look_at_files("after a rehearsal");
    assert_eq!(files(ground.temporary.path()), Vec::<PathBuf>::new(), "its scratch copy is gone");
}

#[test]
fn nothing_is_stored_in_the_clear_while_apply_runs_and_after_it_was_killed() {
    let ground = Ground::new();
    ground.mend_users();
    assert_eq!(ground.run("extract").code, 12);
    planned(&ground);
    killed_in_the_midst(&ground);
}

#[test]
fn nothing_is_printed_or_stored_in_the_clear_from_plan_to_purge() {
    let ground = Ground::new();
    ground.mend_users();
    assert_eq!(ground.run("extract").code, 12);
    planned(&ground);
    ground.look_at_files("after a plan");
    sent(&ground);
    exports(&ground);
    ground.look_at_files("after every phase");
    let struck = ground.world.emulator.struck();
    assert!(struck.iter().all(|strikes| *strikes > 0), "a fault never struck: {struck:?}");
    undone_and_purged(&ground);
}

/// Settings that are wrong around secrets.
fn configuration(ground: &Ground) {
    let wrong = (2, "E1007");
    ground.fails_with(SECRET_REFERENCE, "\"zq-literal-secret\"", "check", wrong);
    ground.fails_with(SECRET_REFERENCE, "zq-literal-secret", "check", (2, "E1003"));
    ground.fails_with(SECRET_REFERENCE, "{ value = \"zq-literal-secret\" }", "check", (2, "E1005"));
    ground.fails_with("[social.issuers]", "[ledger]\nkey = \"zq-literal-secret\"\n[social.issuers]", "extract", wrong);
    let command = "[ledger]\nkey = { command = [\"echo\", \"hunted\"] }\n[social.issuers]";
    ground.fails_with("[social.issuers]", command, "extract", (1, "E4004"));
}

/// Reading with a syntax error, then with rejected records, which are exported and mended badly.
fn sources(ground: &Ground) {
    ground.fails("extract", 1, "E3002");
    ground.look_at_files("after a syntax error");
    ground.mend_users();
    assert_eq!(ground.run("extract").code, 12);
    assert_eq!(ground.run("extract --from-start --json").code, 12);
    let run = ground.run("export rejects --output exports-are-not-here/x");
    assert_eq!(run.code, 1, "{}", run.stderr);
    ground.world.folder.write("mended.jsonl", "{\"reject\":1,\"source\":\"lines\",\"raw\":\"zqmail-mended\"}\n");
    assert_eq!(ground.run("extract --mended mended.jsonl").code, 12);
    ground.world.folder.write("mended.jsonl", "{\"reject\":1,\"source\":\"lines\",\"raw\":zqmail-mended}\n");
    ground.fails("extract --mended mended.jsonl", 2, "E1001");
}

/// Secrets that do not open the target, in each of the ways to refer to one.
fn secrets_that_do_not_open(ground: &Ground) {
    let secret = ground.world.folder.write("secret", "zq-file-secret");
    let by_file = "{ file = \"secret\" }";
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    ground.fails_with(SECRET_REFERENCE, by_file, "plan", (2, "E1008"));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    ground.fails_with(SECRET_REFERENCE, by_file, "plan", (1, "E2002"));
    ground.fails_with(SECRET_REFERENCE, "{ command = [\"cat\", \"secret\"] }", "plan", (1, "E2002"));
    ground.fails_with("login_url = \"http://127.0.0.1", "login_url = \"http://127.0.0.2", "plan", (1, "E2001"));
}

/// Plans, first with an issuer that is not listed, and rehearses.
fn planned(ground: &Ground) {
    let run = ground.run("plan");
    assert!(run.code == 10 && run.stderr.contains("unlisted.example"), "an issuer is told: {}", run.stderr);
    ground.world.reconfigure("[social.issuers]", "[social]\nexclude = [\"unlisted.example\"]\n[social.issuers]");
    ground.run("check");
    let plan = ground.run("plan --json");
    assert!([0, 11].contains(&plan.code), "{}{}", plan.stdout, plan.stderr);
}

/// Apply is killed while requests are under way: its journal is full then.
fn killed_in_the_midst(ground: &Ground) {
    let mut apply = ground.command("apply --yes -vvv").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while count(&ground.run("status --json").json(), "profile", "intended") == 0 {
        assert!(Instant::now() < end, "apply never began");
        thread::sleep(Duration::from_millis(10));
    }
    ground.look_at_files("while apply runs");
    apply.kill().unwrap();
    apply.wait().unwrap();
    assert!(ground.world.folder.path().join(".sterna/ledger.sqlite-wal").exists(), "a journal was left to look at");
    ground.look_at_files("after a kill");
}

/// Refused passwords, clashes and lost replies; then everything that reads back and repairs.
fn sent(ground: &Ground) {
    let taken = json!({ "identities": [{ "signInType": "emailAddress", "issuer": "contoso.onmicrosoft.com",
        "issuerAssignedId": "zqmail-taken@zqdomain.example" }] });
    ground.world.tamper("Somebody Else", &taken);
    for _ in 0..3 {
        ground.run("apply --yes");
    }
    let status = ground.run("status --json").json();
    assert!(count(&status, "profile", "refused") >= 1 && count(&status, "profile", "clash") >= 1, "{status}");
    assert!(count(&status, "profile", "applied") >= 4, "{status}");
    ground.world.tamper("Zqgiven Zqfamily", &json!({ "givenName": "Zqfamily-tampered" }));
    ground.run("verify");
    ground.run("verify --repair --yes");
    ground.run("retry --yes");
    ground.run("plan");
    ground.run("status");
}

/// Exports name people: in files of mode 0600, and they say so.
fn exports(ground: &Ground) {
    let folder = ground.world.folder.path();
    for what in ["ids", "failures", "held", "waiting", "undo", "rejects"] {
        let run = ground.run(&format!("export {what}")).exits(0);
        let path = folder.join(format!("exports/{what}.jsonl"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{what}");
        assert!(run.stdout.contains("personal data") && run.stdout.contains("0600"), "{what}: {}", run.stdout);
    }
    assert_eq!(fs::metadata(folder.join("exports")).unwrap().permissions().mode() & 0o777, 0o700);
    let text = fs::read_to_string(folder.join("exports/ids.jsonl")).unwrap();
    assert!(text.contains("zqvalue-1"), "the markers are where they have to be: {text}");
    let rejects = fs::read(folder.join("exports/rejects.jsonl")).unwrap();
    assert!(String::from_utf8_lossy(&rejects).contains("Zq1!plaintext-password"));
    ground.run("export audit --output audit.jsonl").exits(0);
    ground.run("export ids --output exports/ids.jsonl").exits(1);
}

/// After a purge nothing opens any more, with the old key or without, and nothing is left to open.
fn undone_and_purged(ground: &Ground) {
    ground.run("undo --yes");
    let folder = ground.world.folder.path();
    let key = fs::read(folder.join("sterna.key")).unwrap();
    let before = fs::read(folder.join(".sterna/ledger.sqlite")).unwrap();
    let at = Finder::new("wrapped_key").find(&before).unwrap() + "wrapped_key".len();
    let wrapped = &before[at..at + 40];
    let run = ground.run("purge --yes");
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    fs::write(folder.join("sterna.key"), key).unwrap();
    for command in ["export ids --output ids.jsonl", "plan", "extract", "apply --yes", "verify"] {
        ground.fails(command, 1, "E4009");
    }
    let status = ground.run("status --json").json();
    assert!(status["purged"] == true && status["accounts"].as_u64() > Some(5), "counts are left: {status}");
    ground.look_at_files("after a purge");
    for path in files(&folder.join(".sterna")) {
        let bytes = fs::read(&path).unwrap();
        assert!(Finder::new(wrapped).find(&bytes).is_none(), "{} still has the wrapped key", path.display());
        assert!(Finder::new(&before[at..at + 12]).find(&bytes).is_none(), "{}", path.display());
    }
    ground.run("purge --yes").exits(0);
}

#[test]
fn the_search_finds_every_form_that_it_looks_for() {
    let patterns = patterns(SECRETS, PEOPLE);
    let found = |bytes: &[u8]| {
        let bytes = bytes.to_ascii_lowercase();
        patterns.iter().any(|(_, finder)| finder.find(&bytes).is_some())
    };
    let secret = SECRETS[0];
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{secret}, and more");
        assert!(found(text.as_bytes()), "{before}");
        assert!(found(STANDARD.encode(&text).as_bytes()), "{before}");
        let wide: Vec<u16> = text.encode_utf16().collect();
        assert!(found(&wide.iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<_>>()));
        assert!(found(hex(&text).to_uppercase().as_bytes()));
    }
    assert!(!found(b"nothing of the sort"));
}

#[test]
fn the_memory_of_a_run_is_never_written_to_a_core_file() {
    let folder = Folder::new();
    let script = "ulimit -c unlimited 2>/dev/null; exec \"$0\" emulate entra-external-id --listen 127.0.0.1:0";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_sterna")]).current_dir(folder.path());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert!(core.split_whitespace().nth(4) == Some("0"), "{core}");
}
