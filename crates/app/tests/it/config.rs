//! Mistakes in `sterna.toml`: all told at once, each with its place, the offending text and the nearest right key.

use crate::support::{Folder, Run};

const RIGHT: &str = r#"
[migration]
name = "contoso"

[sources.legacy]
connector = "json-lines"
path = "users.jsonl"

[target]
connector = "entra-external-id"
tenant = "contoso.onmicrosoft.com"
client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
client_secret = { env = "ENTRA_CLIENT_SECRET" }
"#;

fn check(text: &str) -> Run {
    Folder::project(text).run("check --offline")
}

/// Checks `RIGHT` followed by `more`, which has a mistake, and gives what is told of it.
fn mistake(more: &str) -> String {
    let run = check(&format!("{}\n{more}", RIGHT.trim_start())).exits(2);
    assert_eq!(run.stdout, "");
    run.stderr
}

/// Checks `RIGHT` with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> String {
    assert!(RIGHT.contains(from), "{from}");
    check(RIGHT.replace(from, to).trim_start()).exits(2).stderr
}

#[test]
fn a_right_project_has_no_findings() {
    let run = check(RIGHT).exits(0);
    assert_eq!(run.stdout, "contoso: everything is as it should be\n");
    assert_eq!(run.stderr, "");
}

#[test]
fn every_mistake_is_told_at_once_in_the_files_order() {
    let run = check(
        r#"[migration]
nmae = "contoso"

[sources.legacy]
connector = "json-line"
path = "users.jsonl"

[target]
connector = "entra-external-id"
tennant = "contoso.onmicrosoft.com"
client_id = 7
client_secret = "hunter2"
settling_secs = 9000

[passwords]
strategy = "just_in_time"

[pasword]
"#,
    )
    .exits(2);
    insta::assert_snapshot!(run.stderr, @r#"
    error[E1006]: [migration] needs `name`: The project's name, for reports and prompts.
     --> sterna.toml:1:1
      |
    1 | [migration]
      | ^^^^^^^^^^^
    error[E1004]: [migration] has no setting `nmae`
     --> sterna.toml:2:1
      |
    2 | nmae
      | ^^^^
      hint: did you mean `name`?
    error[E1009]: [sources.legacy]: there is no connector "json-line"
     --> sterna.toml:5:13
      |
    5 | connector = "json-line"
      |             ^^^^^^^^^^^
      hint: did you mean "json-lines"?
      hint: connectors that fit here: b2c-users-file, csv, azure-ad-b2c, json-lines, ldap, ldif, scim, sql, wso2-is
    error[E1006]: [target] needs `tenant`: The tenant: its initial domain (contoso.onmicrosoft.com) or its id.
     --> sterna.toml:8:1
      |
    8 | [target]
      | ^^^^^^^^
    error[E1004]: [target] has no setting `tennant`
      --> sterna.toml:10:1
       |
    10 | tennant
       | ^^^^^^^
      hint: did you mean `tenant`?
    error[E1005]: [target] client_id must be a text in quotes that is not empty
      --> sterna.toml:11:13
       |
    11 | client_id = 7
       |             ^
    error[E1007]: [target] client_secret is a literal secret; secrets are only referred to
      --> sterna.toml:12:17
       |
    12 | client_secret = (not shown)
       |                 ^^^^^^^^^^^
      hint: write { env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }
    error[E1005]: [target] settling_secs must be a whole number from 0 to 3600
      --> sterna.toml:13:17
       |
    13 | settling_secs = 9000
       |                 ^^^^
    error[E1005]: [passwords] strategy must be one of "just-in-time", "carry-hash", "set", "reset"
      --> sterna.toml:16:12
       |
    16 | strategy = "just_in_time"
       |            ^^^^^^^^^^^^^^
      hint: did you mean "just-in-time"?
    error[E1004]: sterna.toml has no setting `pasword`
      --> sterna.toml:18:2
       |
    18 | pasword
       | ^^^^^^^
      hint: did you mean `passwords`?
    "#);
    assert!(!run.stderr.contains("hunter2"));
}

#[test]
fn with_json_findings_are_data_with_place_and_hints() {
    let text = RIGHT.replace("tenant =", "tennant =");
    let document = Folder::project(text.trim_start()).run("--json check --offline").exits(2).json();
    let unknown = document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "E1004").unwrap();
    assert_eq!(unknown["severity"], "error");
    assert_eq!(unknown["place"]["line"], 10);
    assert_eq!(unknown["place"]["column"], 1);
    assert_eq!(unknown["place"]["text"], "tennant");
    assert_eq!(unknown["place"]["file"], "sterna.toml");
    assert_eq!(unknown["hints"][0], "did you mean `tenant`?");
}

#[test]
fn an_unknown_table_names_the_nearest_one() {
    insta::assert_snapshot!(mistake("[mapings]"), @r"
    error[E1004]: sterna.toml has no setting `mapings`
      --> sterna.toml:14:2
       |
    14 | mapings
       | ^^^^^^^
      hint: did you mean `mapping`?
    ");
}

#[test]
fn a_file_that_is_no_toml_shows_where_and_not_what() {
    insta::assert_snapshot!(changed("{ env = \"ENTRA_CLIENT_SECRET\" }", "hunter2"), @r"
    error[E1003]: this is not TOML: string values must be quoted, expected literal string
      --> sterna.toml:12:17
       |
    12 | client_secret = …
       | ^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_connector_in_the_wrong_place_is_told() {
    insta::assert_snapshot!(changed("\"json-lines\"", "\"entra-external-id\""), @r#"
    error[E1009]: [sources.legacy]: the connector "entra-external-id" is a target only
     --> sterna.toml:5:13
      |
    5 | connector = "entra-external-id"
      |             ^^^^^^^^^^^^^^^^^^^
      hint: connectors that fit here: b2c-users-file, csv, azure-ad-b2c, json-lines, ldap, ldif, scim, sql, wso2-is
    "#);
}

#[test]
fn a_table_without_its_connector_asks_for_it() {
    insta::assert_snapshot!(changed("connector = \"json-lines\"", "conector = \"json-lines\""), @r"
    error[E1006]: [sources.legacy] needs `connector`: The kind of source; docs/configuration.md lists them.
     --> sterna.toml:4:1
      |
    4 | [sources.legacy]
      | ^^^^^^^^^^^^^^^^
      hint: did you mean `connector` where you wrote `conector`?
    ");
}

#[test]
fn a_project_needs_a_source() {
    insta::assert_snapshot!(check("[migration]\nname = \"x\"").exits(2).stderr, @r#"
    error[E1006]: there is no source
      hint: add a table [sources.NAME] with `connector = "…"`
    "#);
}

#[test]
fn a_source_that_takes_the_name_of_another_is_told() {
    insta::assert_snapshot!(mistake("[sources.new]\nconnector = \"json-lines\"\npath = \"b\"\nformerly = \"legacy\""), @r#"
    error[E1005]: [sources.new] formerly: another source is, or was, called "legacy"
      --> sterna.toml:14:10
       |
    14 | sources.new
       |         ^^^
    "#);
}

#[test]
fn an_issuer_is_mapped_once_and_not_excluded_as_well() {
    insta::assert_snapshot!(
        mistake("[social]\nexclude = [\"Google.com\"]\n[social.issuers]\n\"google.com\" = \"g\"\n\"F.com\" = \"a\"\n\"f.com\" = \"b\""),
        @r#"
    error[E1005]: the issuer "google.com" is both mapped and excluded
      --> sterna.toml:17:1
       |
    17 | "google.com"
       | ^^^^^^^^^^^^
    error[E1005]: the issuer "f.com" is listed twice; case does not matter
      --> sterna.toml:19:1
       |
    19 | "f.com"
       | ^^^^^^^
    "#
    );
}

#[test]
fn a_mapping_rule_that_cannot_be_meant_is_told() {
    insta::assert_snapshot!(mistake("[mapping]\ndisplayName = { form = \"name\" }"), @r#"
    error[E1005]: [mapping] displayName: a rule has no `form`; did you mean `from`?
      --> sterna.toml:15:15
       |
    15 | displayName = { form = "…" }
       |               ^^^^^^^^^^^^^^
      hint: write a source attribute in quotes, or { from = "a" or ["a", "b"], join = " ", trim = true, lower = true, upper = true, table = { x = "y" }, default = "…" }, { constant = … } or { omit = true }
    "#);
}

#[test]
fn a_test_of_a_cohort_has_one_way_to_pass() {
    insta::assert_snapshot!(
        mistake("[cohorts.pilots]\nwhere = [{ attribute = \"email\", equals = \"a\", present = true }, { attribute = \"x\" }]\npercent = 0"),
        @r"
    error[E1005]: [cohorts.pilots] where: test 1 has 2 of the tests, and must have one
      --> sterna.toml:14:10
       |
    14 | cohorts.pilots
       |         ^^^^^^
      hint: tests are equals, one_of, starts_with, ends_with and present
    error[E1005]: [cohorts.pilots] where: test 2 has 0 of the tests, and must have one
      --> sterna.toml:14:10
       |
    14 | cohorts.pilots
       |         ^^^^^^
      hint: tests are equals, one_of, starts_with, ends_with and present
    error[E1005]: [cohorts.pilots] percent must be a whole number from 1 to 100
      --> sterna.toml:16:11
       |
    16 | percent = 0
       |           ^
    "
    );
}

#[test]
fn bounds_of_every_number_are_kept() {
    for more in [
        "[apply]\nabort_percent = 0",
        "[apply]\nabort_percent = 101.0",
        "[apply]\nabort_window = 9",
        "[apply]\ncanary = 0",
    ] {
        assert!(mistake(more).contains("error[E1005]"), "{more}");
    }
}

#[test]
fn without_a_project_the_way_to_one_is_told() {
    insta::assert_snapshot!(Folder::new().run("check").exits(2).stderr, @r"
    error[E1002]: ./sterna.toml is not there
      hint: give the folder with --project DIR, or make a project with `sterna init`
    ");
}

#[test]
fn a_file_that_is_not_utf_8_is_told() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("sterna.toml"), b"[migration]\nname = \"M\xfcller\"").unwrap();
    assert!(folder.run("check").exits(2).stderr.contains("error[E1003]: ./sterna.toml is not UTF-8"));
}

#[test]
fn a_key_that_others_can_read_is_found() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::project(&RIGHT[..RIGHT.find("[target]").unwrap()]);
    folder.write("users.jsonl", "{\"id\":\"1\",\"user_name\":\"ana\"}\n");
    let key = folder.write("sterna.key", &"0f".repeat(32));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(folder.run("check").exits(10).stderr.contains("error[E4005]"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder.run("check").exits(0);
}
