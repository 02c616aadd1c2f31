//! Settings and command lines that cannot be meant: everything wrong is told at once, with file, line and nearest key.

use std::fs;

use crate::support::Folder;

const TARGET: &str = "[target]\nconnector = \"entra-external-id\"\ntenant = \"contoso.onmicrosoft.com\"\n\
    client_id = \"00001111-aaaa-4222-bbbb-3333cccc4444\"\n";
const SOURCE: &str =
    "[migration]\nname = \"bad\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";

#[test]
fn a_dozen_mistakes_are_told_at_once_each_with_its_line_and_the_nearest_key() {
    let folder = Folder::project(
        "[migration]\nnmae = \"x\"\n[sources.legacy]\nconnector = \"csv\"\npath = \"p\"\ndelimeter = \";\"\nencoding = \"utf8\"\n\
         [target]\nconnector = \"entra-external-id\"\ntenant = \"contoso.onmicrosoft.com\"\nclient_id = 7\n\
         client_secret = \"hunter2\"\nbatch_size = 21\nwrites_per_secnd = 5\n[passwords]\nstrategy = \"jit\"\n\
         [apply]\nabort_percent = \"five\"\ncanary = 0\n[matching]\nsame_identity = \"merge\"\n[ledgr]\n",
    );
    let told = folder.run("check --offline").exits(2).stderr;
    for (words, line) in [
        ("`name`", 1),
        ("did you mean `name`?", 2),
        ("did you mean `delimiter`?", 6),
        ("did you mean \"utf-8\"?", 7),
        ("client_id", 11),
        ("error[E1007]", 12),
        ("batch_size must be", 13),
        ("did you mean `writes_per_second`?", 14),
        ("strategy must be", 16),
        ("abort_percent", 18),
        ("canary", 19),
        ("same_identity", 21),
        ("did you mean `ledger`?", 22),
    ] {
        assert!(told.contains(words), "{words}: {told}");
        assert!(told.contains(&format!("sterna.toml:{line}:")), "line {line}: {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    assert!(told.matches("error[").count() >= 12, "{told}");
    assert!(!folder.path().join(".sterna").exists());
}

/// A project with these settings behind a right beginning fails with this code, these words, and never shows `hunter2`.
fn check(name: &str, more: &str, args: &str, exit: i32, code: &str, words: &str) {
    let folder = Folder::project(&format!("{SOURCE}{more}"));
    folder.write("people.jsonl", &crate::scenario::local("a"));
    let run = folder.run(args);
    let told = format!("{name}: {} {}{}", run.code, run.stdout, run.stderr);
    assert_eq!(run.code, exit, "{told}");
    assert!(run.stderr.contains(&format!("error[{code}]: ")) && run.stderr.contains(words), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("panicked"), "{told}");
}

#[test]
fn a_secret_that_stands_in_the_configuration_is_refused_and_not_shown() {
    for (name, secret) in [
        ("a literal", "client_secret = \"hunter2\""),
        ("a literal in a list", "client_secret = [\"hunter2\"]"),
        ("a table that is no reference", "client_secret = { value = \"hunter2\" }"),
        ("two references", "client_secret = { env = \"A\", file = \"hunter2\" }"),
        (
            "an application's own",
            "client_secret = { env = \"A\" }\napplications = [{ client_id = \"00001111-aaaa-4222-bbbb-3333cccc4445\", client_secret = \"hunter2\" }]",
        ),
    ] {
        let folder = Folder::project(&format!("{SOURCE}{TARGET}{secret}\n"));
        let run = folder.run("check --offline").exits(2);
        assert!(run.stderr.contains("error[E100"), "{name}: {}", run.stderr);
        assert!(!run.stderr.contains("hunter2"), "{name}: {}", run.stderr);
    }
    check("the ledger's key", "[ledger]\nkey = \"hunter2\"\n", "extract", 2, "E1007", "key");
}

#[test]
fn a_secret_that_cannot_be_had_is_told_with_where_it_should_come_from() {
    let key = |reference: &str| format!("[ledger]\nkey = {reference}\n");
    for (name, reference, words) in [
        ("a variable that is not set", "{ env = \"STERNA_NO_SUCH\" }", "STERNA_NO_SUCH"),
        ("a command that fails", "{ command = [\"sh\", \"-c\", \"echo hunter2; exit 3\"] }", "exit status: 3"),
        ("a command that is not there", "{ command = [\"no-such-program\"] }", "no-such-program"),
        ("a command that prints too much", "{ command = [\"yes\", \"hunter2\"] }", "longer than 256 KiB"),
        ("a command that prints nothing", "{ command = [\"true\"] }", "it is empty"),
        ("a command that prints bytes", "{ command = [\"printf\", \"\\\\377\"] }", "it is no text"),
    ] {
        check(name, &key(reference), "extract", 2, "E1008", words);
    }
    check("a secret that is no key", &key("{ command = [\"echo\", \"hunter2\"] }"), "extract", 1, "E4004", "is no key");
}

#[test]
fn a_source_that_is_not_there_or_no_file_is_told_and_taken_once_it_is_there() {
    for (name, make) in [
        ("a missing file", (|_| {}) as fn(&std::path::Path)),
        ("a folder", |path| fs::create_dir(path).unwrap()),
        ("a link to nowhere", |path| std::os::unix::fs::symlink("nowhere", path).unwrap()),
        ("a link to itself", |path| std::os::unix::fs::symlink("people.jsonl", path).unwrap()),
        ("a device that cannot be read to an end", |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap()),
        ("memory that cannot be read", |path| std::os::unix::fs::symlink("/proc/self/mem", path).unwrap()),
    ] {
        let folder = Folder::project(SOURCE);
        let path = folder.path().join("people.jsonl");
        make(&path);
        let run = folder.run("extract");
        let told = format!("{name}: {} {}{}", run.code, run.stdout, run.stderr);
        assert_eq!(run.code, 1, "{told}");
        assert!(run.stderr.contains("error[E3001]") && run.stderr.contains("hint: "), "{told}");
        fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap_or_default();
        folder.write("people.jsonl", &crate::scenario::local("a"));
        folder.run("extract").exits(0);
        super::compare_kept(&folder, name, 1, &[]);
    }
}

#[test]
fn wrong_usage_is_told_and_begins_nothing() {
    for (args, exit, words) in [
        ("frobnicate", 2, "frobnicate"),
        ("extract --form-start", 2, "--from-start"),
        ("extract --mended a --from-start", 2, "cannot be used with"),
        ("apply --limit many", 2, "many"),
        ("apply --cohort nobody --yes", 2, ""),
        ("apply", 2, ""),
        ("export everything", 2, "rejects"),
        ("export ids --format xml", 2, "csv"),
        ("export rejects --format csv", 2, "JSON lines only"),
        ("explain E9999", 2, "E9999"),
        ("emulate nothing --listen 127.0.0.1:0", 2, "entra-external-id"),
        ("emulate entra-external-id --listen 0.0.0.0:0", 2, "loopback"),
        ("emulate entra-external-id --listen nowhere", 2, "nowhere"),
        ("init . --from csv --to entra-external-id", 2, "error[E1010]"),
        ("status --project nowhere", 2, "error[E1002]"),
    ] {
        let folder = Folder::project(SOURCE);
        let run = folder.run(args);
        let told = format!("{args}: {} {}{}", run.code, run.stdout, run.stderr);
        assert!(run.code == exit || (run.code == 1 && args.starts_with("apply")), "{told}");
        assert!(run.stderr.contains("error[") && run.stderr.contains(words) && run.stdout.is_empty(), "{told}");
        assert!(!folder.path().join(".sterna").exists() && !folder.path().join("sterna.key").exists(), "{told}");
    }
}
