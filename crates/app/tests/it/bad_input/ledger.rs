//! Ledgers and keys that are lost, changed or not ours: told, never made anew, and whole again once mended.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
};

use super::compare_kept;
use crate::{scenario::local, support::Folder};

/// Something that happens to a project whose three people were extracted.
struct Case {
    name: &'static str,
    damage: fn(&Path),
    mend: fn(&Path),
    exit: i32,
    told: &'static [&'static str],
}

const PROJECT: &str =
    "[migration]\nname = \"bad\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";

fn project() -> Folder {
    let folder = Folder::project(PROJECT);
    folder.write("people.jsonl", &["a", "b", "c"].map(local).join("\n"));
    folder
}

fn check(cases: &[Case]) {
    for case in cases {
        let folder = project();
        folder.run("extract").exits(0);
        (case.damage)(folder.path());
        let run = folder.run("extract --from-start");
        let told = format!("{}: {} {}{}", case.name, run.code, run.stdout, run.stderr);
        assert_eq!(run.code, case.exit, "{told}");
        assert!(case.told.iter().all(|words| run.stderr.contains(words)), "{told}");
        assert!(run.stderr.contains("hint: ") && !told.contains("panicked"), "{told}");
        (case.mend)(folder.path());
        let run = folder.run("extract");
        assert_eq!(run.code, 0, "{}, mended: {}{}", case.name, run.stdout, run.stderr);
        assert!(!run.stderr.contains("Made"), "{}: a key was made for a ledger that exists", case.name);
        compare_kept(&folder, case.name, 3, &[]);
    }
}

fn keep(folder: &Path, name: &str) {
    fs::copy(folder.join(name), folder.join("kept")).unwrap();
}

fn give_back(folder: &Path, name: &str) {
    fs::copy(folder.join("kept"), folder.join(name)).unwrap();
}

fn mode(folder: &Path, mode: u32) {
    fs::set_permissions(folder.join("sterna.key"), Permissions::from_mode(mode)).unwrap();
}

fn set_key(folder: &Path, text: &str) {
    keep(folder, "sterna.key");
    fs::write(folder.join("sterna.key"), text).unwrap();
}

/// Keeps the ledger and overwrites a part of it.
fn overwrite(folder: &Path, at: u64, bytes: &[u8]) {
    keep(folder, LEDGER);
    let file = OpenOptions::new().write(true).open(folder.join(LEDGER)).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

fn edit(folder: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(folder.join("sterna.toml")).unwrap();
    assert!(text.contains(from));
    fs::write(folder.join("sterna.toml"), text.replace(from, to)).unwrap();
}

const KEY: &str = "sterna.key";
const LEDGER: &str = ".sterna/ledger.sqlite";

#[test]
fn without_its_key_a_ledger_stays_closed_and_none_is_made_anew() {
    let mend: fn(&Path) = |folder| give_back(folder, KEY);
    check(&[
        Case {
            name: "a lost key",
            damage: |folder| fs::rename(folder.join(KEY), folder.join("kept")).unwrap(),
            mend,
            exit: 1,
            told: &["error[E4003]", "sterna.key is not"],
        },
        Case {
            name: "the key of another ledger",
            damage: |folder| set_key(folder, &"0f".repeat(32)),
            mend,
            exit: 1,
            told: &["error[E4004]", "does not open this ledger"],
        },
        Case {
            name: "a key that is none",
            damage: |folder| set_key(folder, "opensesame"),
            mend,
            exit: 1,
            told: &["error[E4004]", "is no key"],
        },
        Case {
            name: "a key file of a megabyte",
            damage: |folder| set_key(folder, &"0f".repeat(1 << 19)),
            mend,
            exit: 1,
            told: &["error[E4004]", "is no key"],
        },
        Case {
            name: "a folder in the key's place",
            damage: |folder| {
                fs::rename(folder.join(KEY), folder.join("kept")).unwrap();
                fs::create_dir(folder.join(KEY)).unwrap();
                mode(folder, 0o700);
            },
            mend: |folder| {
                fs::remove_dir(folder.join(KEY)).unwrap();
                give_back(folder, KEY);
            },
            exit: 1,
            told: &["error[E4002]", "sterna.key cannot be opened"],
        },
        Case { name: "an empty key", damage: |folder| set_key(folder, ""), mend, exit: 1, told: &["error[E4004]"] },
        Case {
            name: "a key that others can read",
            damage: |folder| mode(folder, 0o644),
            mend: |folder| mode(folder, 0o600),
            exit: 1,
            told: &["error[E4005]", "chmod 600"],
        },
        Case {
            name: "a key from a variable that is not set",
            damage: |folder| {
                fs::write(
                    folder.join("sterna.toml"),
                    format!("{PROJECT}[ledger]\nkey = {{ env = \"STERNA_NO_SUCH\" }}"),
                )
                .unwrap();
            },
            mend: |folder| fs::write(folder.join("sterna.toml"), PROJECT).unwrap(),
            exit: 2,
            told: &["error[E1008]", "STERNA_NO_SUCH", "it is not set"],
        },
    ]);
}

#[test]
fn a_ledger_that_was_damaged_is_told_and_never_begun_anew() {
    let mend: fn(&Path) = |folder| give_back(folder, LEDGER);
    check(&[
        Case {
            name: "the head overwritten",
            damage: |folder| overwrite(folder, 0, b"this was a ledger"),
            mend,
            exit: 1,
            told: &["error[E4006]"],
        },
        Case {
            name: "pages overwritten",
            damage: |folder| overwrite(folder, 4096, &[0xa5; 16 << 10]),
            mend,
            exit: 1,
            told: &["error[E4006]"],
        },
        Case {
            name: "the second half cut off",
            damage: |folder| {
                keep(folder, LEDGER);
                let file = OpenOptions::new().write(true).open(folder.join(LEDGER)).unwrap();
                file.set_len(file.metadata().unwrap().len() / 2 / 4096 * 4096).unwrap();
            },
            mend,
            exit: 1,
            told: &["error[E4006]"],
        },
        Case {
            name: "a format of the future",
            damage: |folder| overwrite(folder, 60, &9_999_u32.to_be_bytes()),
            mend,
            exit: 1,
            told: &["error[E4007]", "format 9999"],
        },
    ]);
}

#[test]
fn a_place_where_no_ledger_can_be_is_told() {
    for (name, make) in [
        ("a file in the ledger's place", (|folder| fs::write(folder.join(".sterna"), "").unwrap()) as fn(&Path)),
        ("a folder in the file's place", |folder| fs::create_dir_all(folder.join(LEDGER)).unwrap()),
        ("a key in a folder that is not there", |folder| {
            edit(folder, "[migration]", "[ledger]\nkey = { file = \"no/such/key\" }\n[migration]");
        }),
        ("a key below a file", |folder| {
            edit(folder, "[migration]", "[ledger]\nkey = { file = \"people.jsonl/key\" }\n[migration]");
        }),
    ] {
        let folder = project();
        make(folder.path());
        let run = folder.run("extract");
        let told = format!("{name}: {} {}{}", run.code, run.stdout, run.stderr);
        assert!(run.code == 1 && run.stderr.contains("error[E4002]") && run.stderr.contains("hint: "), "{told}");
        fs::remove_file(folder.path().join(".sterna"))
            .or_else(|_| fs::remove_dir_all(folder.path().join(".sterna")))
            .unwrap_or_default();
        folder.write("sterna.toml", PROJECT);
        folder.run("extract").exits(0);
        compare_kept(&folder, name, 3, &[]);
    }
}

#[test]
fn a_key_without_a_ledger_becomes_the_key_of_a_new_one() {
    let folder = project();
    let key = folder.write(KEY, &"0f".repeat(32));
    let refused = folder.run("extract").exits(1).stderr;
    assert!(refused.contains("error[E4005]"), "{refused}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    folder.run("extract").exits(0);
    assert_eq!(folder.read(KEY), "0f".repeat(32));
    compare_kept(&folder, "a key without a ledger", 3, &[]);
}

#[test]
fn a_second_changing_phase_is_refused_and_the_first_is_named() {
    let folder = project();
    folder.run("extract").exits(0);
    let mut lock =
        OpenOptions::new().write(true).truncate(true).open(folder.path().join(".sterna/phase.lock")).unwrap();
    lock.write_all(b"apply (process 4711)").unwrap();
    lock.lock().unwrap();
    let run = folder.run("extract").exits(1);
    assert!(run.stderr.contains("error[E4008]: apply (process 4711) is running on this ledger"), "{}", run.stderr);
    compare_kept(&folder, "reading goes on beside a changing phase", 3, &[]);
    drop(lock);
    folder.run("extract").exits(0);
}

#[test]
fn a_renamed_source_is_told_and_its_accounts_stay_the_same() {
    let folder = project();
    folder.run("extract").exits(0);
    edit(folder.path(), "[sources.legacy]", "[sources.renamed]");
    let run = folder.run("extract").exits(2);
    assert!(run.stderr.contains("error[E1011]") && run.stderr.contains("formerly = "), "{}", run.stderr);
    compare_kept(&folder, "renamed", 3, &[]);
    edit(folder.path(), "[sources.renamed]", "[sources.renamed]\nformerly = \"legacy\"");
    let report = folder.run("extract --json").exits(0).json();
    assert_eq!(report["sources"][0]["same"], 3, "{report}");
    compare_kept(&folder, "renamed with its old name", 3, &[]);
}

#[test]
fn without_a_ledger_every_phase_behind_extract_says_so() {
    let folder = project();
    for command in [
        "status",
        "plan",
        "verify",
        "purge --yes",
        "undo --yes",
        "retry",
        "export ids",
        "export audit",
        "extract --mended people.jsonl",
    ] {
        let run = folder.run(command);
        assert_ne!(run.code, 0, "{command}");
        let expected = if command.contains("mended") { "error[E1001]" } else { "error[E4001]" };
        assert!(run.stderr.contains(expected), "{command}: {}", run.stderr);
    }
    assert!(!folder.path().join(".sterna").exists() && !folder.path().join(KEY).exists());
}
