//! `sterna init`: for every pair of connectors a project that only wants its values.

use crate::support::Folder;

const SOURCES: &[&str] = &["b2c-users-file", "csv", "json-lines", "azure-ad-b2c", "ldap", "ldif", "sql"];
const TARGETS: &[&str] = &["entra-external-id", "azure-ad-b2c"];

#[test]
fn every_pair_gives_a_project_whose_configuration_is_right() {
    for source in SOURCES {
        for target in TARGETS {
            let folder = Folder::new();
            folder.run(&format!("init p --from {source} --to {target}")).exits(0);
            let run = folder.run("check --offline --project p");
            assert_eq!(run.code, 0, "{source} to {target}: {}\n{}", run.stderr, folder.read("p/sterna.toml"));
            assert!(!folder.read("p/sterna.toml").contains("NAME"), "{source} to {target}");
        }
    }
}

#[test]
fn what_is_written_says_what_to_do_next() {
    let folder = Folder::new();
    let run = folder.run("init p --from csv --to entra-external-id").exits(0);
    insta::assert_snapshot!(run.stdout, @r"
    Wrote p/sterna.toml.

    Next:
      1. edit p/sterna.toml: fill in the values that it asks for
      2. sterna --project p check
    ");
    insta::assert_snapshot!(folder.read("p/.gitignore"), @r"
    # the ledger, the key that opens it, and exports: never commit them
    /.sterna/
    /exports/
    *.key
    ");
}

#[test]
fn nothing_is_ever_written_over() {
    let folder = Folder::new();
    folder.run("init p --from csv --to entra-external-id").exits(0);
    folder.write("p/sterna.toml", "mine");
    let run = folder.run("init p --from csv --to entra-external-id").exits(2);
    insta::assert_snapshot!(run.stderr, @r"
    error[E1010]: p/sterna.toml is there already
      hint: init never writes over a project; choose another folder
    ");
    assert_eq!(folder.read("p/sterna.toml"), "mine");
}

#[test]
fn a_gitignore_that_is_there_stays_and_is_told() {
    let folder = Folder::new();
    folder.write(".gitignore", "mine\n");
    let run = folder.run("init . --from csv --to entra-external-id").exits(0);
    assert!(run.stderr.contains("add `/.sterna/`, `/exports/` and `*.key` to it"));
    assert_eq!(folder.read(".gitignore"), "mine\n");
}

#[test]
fn an_unknown_kind_names_the_nearest_one_and_all() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.run("init p --from b2c-user-file --to entra-external-id").exits(2).stderr, @r#"
    error[E1009]: there is no source "b2c-user-file"
      hint: did you mean b2c-users-file?
      hint: kinds of source: b2c-users-file, csv, azure-ad-b2c, json-lines, ldap, ldif, scim, sql, wso2-is
    "#);
    let document = folder.run("init p --from csv --to entra --json").exits(2).json();
    assert_eq!(document["findings"][0]["code"], "E1009");
    assert!(!folder.path().join("p").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = Folder::new();
    folder.write("p", "a file");
    assert!(folder.run("init p/q --from csv --to entra-external-id").exits(1).stderr.contains("error[E1013]"));
}
