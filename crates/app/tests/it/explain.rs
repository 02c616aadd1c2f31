//! `sterna explain`, and what every command shares: usage, help, JSON, pipes.

use std::process::Stdio;

use crate::support::Folder;

#[test]
fn a_code_is_explained_whatever_its_case() {
    let run = Folder::new().run("explain e2104").exits(0);
    insta::assert_snapshot!(run.stdout, @r"
    E2104: may not create users

    The application may not create users in the tenant.

    Grant `User.ReadWrite.All` to the application and let an administrator consent.
    ");
    assert_eq!(run.stderr, "");
}

#[test]
fn with_json_the_same_is_one_document() {
    let document = Folder::new().run("explain --json E2104").exits(0).json();
    assert_eq!(document["code"], "E2104");
    assert_eq!(document["title"], "may not create users");
    assert!(document["mend"].as_str().is_some_and(|text| text.contains("User.ReadWrite.All")));
}

#[test]
fn without_a_code_all_are_listed() {
    let run = Folder::new().run("explain").exits(0);
    assert!(run.stdout.lines().count() > 100, "{}", run.stdout);
    let list = Folder::new().run("--json explain").exits(0).json();
    assert_eq!(list.as_array().map(Vec::len), Some(run.stdout.lines().count()));
}

#[test]
fn an_unknown_code_is_wrong_usage() {
    let run = Folder::new().run("explain E21o4").exits(2);
    insta::assert_snapshot!(run.stderr, @r"
    error[E1001]: there is no code E21o4
      hint: did you mean E2104? `sterna explain` lists all codes
    ");
    assert_eq!(run.stdout, "");
}

#[test]
fn with_json_a_failure_is_one_document_too() {
    for args in ["--json explain E9999", "explain E9999 --json", "explain --json --no-such-option", "--json nonsense"] {
        let document = Folder::new().run(args).exits(2).json();
        assert_eq!(document["ok"], false, "{args}");
        assert_eq!(document["findings"][0]["code"], "E1001", "{args}");
    }
}

#[test]
fn help_and_version_are_results_and_no_command_is_wrong_usage() {
    let folder = Folder::new();
    assert!(folder.run("--help").exits(0).stdout.contains("Exit codes: 0 done"));
    assert!(folder.run("--version").exits(0).stdout.starts_with("sterna "));
    assert!(folder.run("").exits(2).stderr.contains("Usage: sterna"));
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    let mut child = Folder::new().command("explain").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = Folder::new().command("explain").stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
