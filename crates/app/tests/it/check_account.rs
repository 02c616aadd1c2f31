//! `sterna check --account`: the legacy checks of a project, asked about one test account.

use std::{io::Write, process::Stdio};

use serde_json::{Value, json};

use crate::support::{Folder, Run};

const SOURCE: &str = "\
[migration]
name = 'checking'
[sources.legacy]
connector = 'json-lines'
path = 'people.jsonl'
[sources.legacy.fields]
key = 'id'
user_name = 'login'
password_hash = 'pw'
'password.pepper' = 'extra'
";

/// `password` in MD5, in {SSHA} and with bcrypt over a pepper; one without; one that is marked unusable.
const PEOPLE: &str = r#"{"id": "1", "login": "ana", "pw": "5f4dcc3b5aa765d61d8327deb882cf99"}
{"id": "2", "login": "bo", "pw": "{SSHA}fOuVHgM8E8WmJ8V0qzYl5s0N4C5zYWx0"}
{"id": "3", "login": "cy"}
{"id": "4", "login": "di", "pw": "!unusable"}
{"id": "5", "login": "eve", "pw": "$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"}
"#;

fn project(checks: &str) -> Folder {
    let folder = Folder::project(&format!("{SOURCE}{checks}"));
    folder.write("people.jsonl", PEOPLE);
    folder.run("extract").exits(0);
    folder
}

fn ask(folder: &Folder, name: &str, password: &str) -> Run {
    let mut command = folder.command(&format!("check --json -vvv --account {name}"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn check(folder: &Folder, name: &str, password: &str, code: i32, expected: &Value) {
    let run = ask(folder, name, password).exits(code);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("hunter2"), "a password was shown: {}", run.stderr);
    let document = run.json();
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&document[member], value, "{name}: {document:#}");
    }
}

#[test]
fn stored_hashes_are_checked_with_the_format_that_the_settings_fix() {
    let folder = project("[checks.stored]\nconnector = 'stored-hash'\nformat = 'hex-md5'\n");
    check(&folder, "ana", "password\n", 0, &json!({"verdict": "match", "upgrade": true, "stored": "a hash: unknown"}));
    check(&folder, "ANA", "hunter2", 1, &json!({"verdict": "mismatch"}));
    check(&folder, "1", "password", 0, &json!({"verdict": "match"}));
    check(&folder, "bo", "hunter2", 1, &json!({"verdict": "mismatch", "stored": "a hash: ldap-ssha"}));
    check(&folder, "cy", "hunter2", 1, &json!({"verdict": "unavailable", "reason": "no check is for this account"}));
    check(&folder, "di", "hunter2", 1, &json!({"verdict": "unavailable", "stored": "nothing"}));
    let eve = json!({"verdict": "unavailable", "reason": "the stored hash is not computed"});
    check(&folder, "eve", "hunter2", 1, &eve);
}

#[test]
fn without_a_fixed_format_there_is_no_verdict_and_extract_says_so() {
    let folder = Folder::project(&format!("{SOURCE}[checks.stored]\nconnector = 'stored-hash'\n"));
    folder.write("people.jsonl", PEOPLE);
    let run = folder.run("extract").exits(0);
    assert!(
        run.stderr.contains("E5019") && run.stderr.contains("2 password hashes have no fixed format"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("password hashes: 1 ldap-ssha, 2 unknown"), "{}", run.stdout);
    check(&folder, "ana", "password", 1, &json!({"verdict": "unavailable"}));
}

#[test]
fn checks_are_asked_in_turn_for_their_own_accounts() {
    let folder = project(
        "[checks.others]\nconnector = 'stored-hash'\nwhere = [{ attribute = 'user_name', equals = 'bo' }]\n\
         [checks.first]\nconnector = 'stored-hash'\nformat = 'nt-hash'\ncontinue_on = ['mismatch']\n\
         [checks.second]\nconnector = 'stored-hash'\nformat = 'hex-md5'\n",
    );
    let tried =
        json!([{"check": "first", "verdict": "mismatch"}, {"check": "second", "verdict": "match", "upgrade": true}]);
    check(&folder, "ana", "password", 0, &json!({"verdict": "match", "tried": tried}));
    let tried = json!([{"check": "others", "verdict": "mismatch"}]);
    check(&folder, "bo", "hunter2", 1, &json!({"verdict": "mismatch", "tried": tried}));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let folder = project("[checks.stored]\nconnector = 'stored-hash'\n");
    let said = |run: Run, code: &str| assert!(run.stderr.contains(code) || run.stdout.contains(code), "{}", run.stderr);
    said(ask(&folder, "nobody", "x").exits(1), "E5018");
    said(ask(&folder, "ana", "").exits(2), "E1001");
    said(ask(&project(""), "ana", "x").exits(2), "E1006");
}

#[test]
fn mistakes_in_checks_are_told_at_once() {
    let folder = Folder::project(&format!(
        "{SOURCE}[checks.a]\nconnector = 'stored-hash'\nformat = 'hexmd5'\nsources = ['nowhere']\n\
         continue_on = ['sometimes']\ntimeout_ms = 1\n[checks.b]\nconnector = 'json-lines'\n"
    ));
    let run = folder.run("check --offline --json").exits(2);
    for part in ["timeout_ms", "json-lines\\\" is a source only"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    folder.write("sterna.toml", &folder.read("sterna.toml").replace("timeout_ms = 1\n", ""));
    let run = folder.run("check --offline --json").exits(2);
    for part in ["did you mean `hex-md5`?", "there is no source `nowhere`", "sometimes"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}
