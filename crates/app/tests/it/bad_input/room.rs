//! No room on the disk, as a limit on the size of files: told as E4010 or E1013, and nobody is lost once there is room.

use std::{fs, process::Stdio};

use super::compare_kept;
use crate::{
    scenario::local,
    support::{Folder, Run},
};

const PEOPLE: usize = 2_500;

fn project() -> Folder {
    let folder = Folder::project(
        "[migration]\nname = \"bad\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n",
    );
    let people: Vec<_> = (0..PEOPLE).map(|number| local(&format!("person-{number}"))).collect();
    folder.write("people.jsonl", &people.join("\n"));
    folder
}

/// Runs the program in a shell that lets no file grow beyond so many blocks of 512 bytes.
fn limited(folder: &Folder, blocks: u32, args: &str) -> Run {
    let mut command = std::process::Command::new("sh");
    let script = format!("ulimit -f {blocks}; exec \"$0\" {args}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_sterna")]).current_dir(folder.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn no_room(run: &Run, code: &str) {
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(&format!("error[{code}]: ")), "{}", run.stderr);
    assert!(run.stderr.contains("room"), "{}", run.stderr);
}

fn check_extract(blocks: u32) {
    let folder = project();
    no_room(&limited(&folder, blocks, "extract"), "E4010");
    folder.run("extract").exits(0);
    compare_kept(&folder, &format!("{blocks} blocks"), PEOPLE as u64, &[]);
}

#[test]
fn no_room_for_the_key() {
    check_extract(0);
}

#[test]
fn no_room_for_the_first_page_of_the_ledger() {
    check_extract(2);
}

#[test]
fn no_room_for_the_journals_index() {
    check_extract(16);
}

#[test]
fn no_room_for_the_tables() {
    check_extract(100);
}

#[test]
fn no_room_for_the_first_people() {
    check_extract(300);
}

#[test]
fn no_room_for_all_people_keeps_those_that_were_read() {
    let folder = project();
    no_room(&limited(&folder, 1_200, "extract"), "E4010");
    let kept = folder.run("status --json").exits(0).json();
    assert!(kept["adds_up"] == true && kept["accounts"].as_u64() < Some(PEOPLE as u64), "{kept}");
    no_room(&limited(&folder, 1_200, "extract"), "E4010");
    folder.run("extract").exits(0);
    compare_kept(&folder, "all people", PEOPLE as u64, &[]);
}

#[test]
fn no_room_for_an_export_leaves_the_ledger_whole() {
    let folder = project();
    folder.run("extract").exits(0);
    no_room(&limited(&folder, 120, "export ids"), "E1013");
    folder.run("export ids --output whole.jsonl").exits(0);
    assert_eq!(folder.read("whole.jsonl").lines().count(), PEOPLE);
    compare_kept(&folder, "export", PEOPLE as u64, &[]);
}

#[test]
fn no_room_for_a_purge_is_told_and_a_purge_with_room_ends_it() {
    let folder = project();
    folder.run("extract").exits(0);
    let run = limited(&folder, 300, "purge --yes");
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("error[E4010]"), "{}", run.stderr);
    let again = folder.run("purge --yes");
    assert!(again.code == 0, "{}", again.stderr);
    for file in fs::read_dir(folder.path().join(".sterna")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(9).any(|part| part == b"person-12"));
    }
}
