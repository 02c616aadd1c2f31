//! `sterna export script`: the login script of WSO2, without a project.

use std::fs;

use crate::support::Folder;

const SCRIPT: &str = "export script --product is --url https://sterna.example.com/hooks/wso2";

#[test]
fn the_script_goes_to_standard_output_and_needs_no_project() {
    let folder = Folder::new();
    let run = folder.run(SCRIPT).exits(0);
    assert!(run.stdout.contains("var startUrl = \"https://sterna.example.com/hooks/wso2/start-authentication\";"));
    assert!(run.stdout.contains("\"token\": secrets.sternaToken"), "{}", run.stdout);
    assert_eq!(run.stderr, "");
    let document = folder.run(&format!("--json {SCRIPT}")).exits(0).json();
    assert_eq!(document["script"].as_str().map(str::trim_end), Some(run.stdout.trim_end()));
}

#[test]
fn a_file_is_written_and_never_over_another() {
    let folder = Folder::new();
    let printed = folder.run(SCRIPT).exits(0).stdout;
    folder.run(&format!("{SCRIPT} --output login.js")).exits(0);
    let written = fs::read_to_string(folder.path().join("login.js")).unwrap();
    assert_eq!(written.trim_end(), printed.trim_end());
    let again = folder.run(&format!("{SCRIPT} --output login.js")).exits(1);
    assert!(again.stderr.contains("error[E1013]"), "{}", again.stderr);
}

#[test]
fn each_product_has_its_own_way_to_prove_and_its_own_store() {
    let asgardeo = "export script --product asgardeo --url https://gateway.example.com/wso2";
    let run =
        Folder::new().run(&format!("{asgardeo} --secrets key,secret --poll-url https://open.example.com")).exits(0);
    assert!(run.stdout.contains("callChoreo(") && run.stdout.contains("\"consumerSecretAlias\": \"secret\""));
    assert!(run.stdout.contains("var userStore = \"DEFAULT\";"));
    assert!(run.stdout.contains("var pollUrl = \"https://open.example.com/authentication-status\";"));
    let one = Folder::new().run(&format!("{SCRIPT} --one-call --auth api-key --header X-Own")).exits(0);
    assert!(one.stdout.contains("/hooks/wso2/check") && !one.stdout.contains("internalWait"));
    assert!(one.stdout.contains("\"headerName\": \"X-Own\""));
}

#[test]
fn every_mistake_is_told_at_once() {
    let run = Folder::new().run("export script --product is --url http://sterna.example.com --store a/b").exits(2);
    insta::assert_snapshot!(run.stderr, @r#"
    error[E1001]: "http://sterna.example.com" is no https address, or has a query or a fragment
    error[E1001]: "a/b" is no name of a user store
    "#);
    for wrong in
        ["--secrets a,b", "--auth client-credential", "--wait-secs 21", "--poll-secs 11", "--one-call --own-error-page"]
    {
        let run = Folder::new().run(&format!("{SCRIPT} {wrong}")).exits(2);
        assert!(run.stderr.contains("error[E1001]"), "{wrong}: {}", run.stderr);
    }
    Folder::new().run("export").exits(2);
}
