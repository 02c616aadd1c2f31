//! Files of mended records that are wrong themselves: none of them is taken for more than it is.

use super::compare_kept;
use crate::support::Folder;

/// A project with one account and two rejected records, and the export of these.
fn project() -> (Folder, Vec<String>) {
    let folder =
        Folder::project("[migration]\nname = \"bad\"\n[sources.legacy]\nconnector = \"csv\"\npath = \"people.csv\"\n");
    folder.write("people.csv", "id,email\n1,a@x.org\n2\n3,c@x.org,more\n");
    folder.run("extract").exits(12);
    let lines = folder.run("export rejects --output -").exits(0).stdout;
    (folder, lines.lines().map(str::to_owned).collect())
}

fn check(name: &str, text: &str, exit: i32, told: &str, accounts: u64, rejected: &[&str]) {
    let (folder, _) = project();
    folder.write("mended.jsonl", text);
    let run = folder.run("extract --mended mended.jsonl");
    assert_eq!(run.code, exit, "{name}: {}{}", run.stdout, run.stderr);
    assert!(format!("{}{}", run.stdout, run.stderr).contains(told), "{name}: {}{}", run.stdout, run.stderr);
    compare_kept(&folder, name, accounts, rejected);
}

const BOTH: &[&str] = &["E3105 line 3", "E3105 line 4"];

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    for (name, text, told) in [
        ("no JSON", "reject 1: fine now\n", "mended.jsonl line 1 cannot be taken"),
        ("no record in a line", "{\"reject\":1,\"source\":\"legacy\"}\n", "`raw` and `raw_base64`"),
        ("invalid base64", "{\"reject\":1,\"source\":\"legacy\",\"raw_base64\":\"***\"}\n", "not base64"),
        (
            "cut off in the second line",
            "{\"reject\":1,\"source\":\"legacy\",\"raw\":\"2,b@x.org\"}\n{\"reject\":2,",
            "line 2 cannot be taken",
        ),
    ] {
        check(name, text, 2, told, 1, BOTH);
    }
    let (folder, _) = project();
    let run = folder.run("extract --mended nowhere.jsonl").exits(2);
    assert!(run.stderr.contains("error[E1001]: nowhere.jsonl"), "{}", run.stderr);
}

#[test]
fn a_record_that_is_still_wrong_or_not_known_stays_as_it_is() {
    let line = |reject: u32, raw: &str| format!("{{\"reject\":{reject},\"source\":\"legacy\",\"raw\":\"{raw}\"}}\n");
    check("still wrong", &line(1, "2,b@x.org,more"), 12, "record 1 is still rejected", 1, BOTH);
    check("not known", &line(99, "2,b@x.org"), 12, "record 99 is not rejected", 1, BOTH);
    check("the key of an account", &line(1, "1,b@x.org"), 12, "still rejected", 1, BOTH);
    check("one mended", &line(1, "2,b@x.org"), 12, "1 mended record", 2, &BOTH[1..]);
    check("both mended", &(line(1, "2,b@x.org") + &line(2, "3,c@x.org")), 0, "2 mended records", 3, &[]);
    check("mended twice", &(line(1, "2,b@x.org") + &line(1, "2,b@x.org")), 12, "1 mended record", 2, &BOTH[1..]);
}

#[test]
fn what_export_writes_is_taken_as_it_is() {
    let (folder, lines) = project();
    let text: String = lines
        .iter()
        .map(|line| line.replace(r#""raw":"2""#, r#""raw":"2,b@x.org""#).replace(",more", "") + "\n")
        .collect();
    folder.write("mended.jsonl", &text);
    folder.run("extract --mended mended.jsonl").exits(0);
    compare_kept(&folder, "what export writes", 3, &[]);
}
