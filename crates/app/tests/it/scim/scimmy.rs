//! Against SCIMMY, which nobody here wrote and which differs from the RFCs in its own ways: of the references in an operation of a
//! Bulk request it replaces the last one only, users do not show their groups, and behind Express 5 it does not page.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::{Value, json};

use super::{ask, person};
use crate::{
    servers::{self, Server},
    support::{Folder, Run},
};

const TOKEN: &str = "a-token-for-scimmy";
const PEOPLE: usize = 60;

/// Starts it in a version of Express; `None` where it is not installed.
fn start(express: &str) -> Option<Server> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../counterparts/scimmy"));
    if !folder.join("node_modules").exists() {
        assert!(std::env::var_os("REQUIRE_COUNTERPARTS").is_none_or(|wanted| wanted != "1"), "run `make setup`");
        return None;
    }
    let port = servers::free_port();
    let mut node = Command::new("node");
    node.arg("server.mjs").current_dir(folder);
    node.env("PORT", port.to_string()).env("TOKEN", TOKEN).env("EXPRESS", express);
    Some(Server::start(&mut node, port, tempfile::tempdir().unwrap()))
}

fn project(connections: &str, people: usize) -> Folder {
    let folder = Folder::project(&format!(
        "[migration]\nname = \"scimmy\"\n{connections}\ngroups = \"create\"\nsign_ins = \"none\"\nsettling_secs = 0\nbatch_size = 20\n\
         request_timeout_secs = 20\n[passwords]\nstrategy = \"set\"\n"
    ));
    let lines: Vec<String> = (0..people).map(person).collect();
    folder.write("people.jsonl", &lines.join("\n"));
    folder
}

fn from_file(server: &Server) -> String {
    format!(
        "[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n[target]\nconnector = \"scim\"\n\
         url = \"http://{}/scim\"\ntoken = {{ env = \"SCIM_TEST_TOKEN\" }}",
        server.address()
    )
}

fn run(folder: &Folder, args: &str) -> Run {
    folder.run_with(args, ("SCIM_TEST_TOKEN", TOKEN))
}

/// People from a file who were sent to it, and what the sending said.
fn moved(server: &Server) -> (Folder, Run) {
    let folder = project(&from_file(server), PEOPLE);
    run(&folder, "extract").exits(0);
    run(&folder, "plan");
    let apply = run(&folder, "apply --yes").exits(0);
    (folder, apply)
}

fn held(server: &Server) -> Value {
    let (status, held) = ask("GET", &format!("http://{}/held", server.address()), TOKEN, &Value::Null);
    assert_eq!(status, 200);
    held
}

/// The names of the people in each group, as the server holds them; whoever is nobody is shown as it is.
fn members(held: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let users = held["users"].as_array().unwrap();
    let names: BTreeMap<String, String> =
        users.iter().map(|user| (text(&user["id"]), text(&user["userName"]))).collect();
    let people = |group: &Value| {
        let ids = group["members"].as_array().unwrap().iter().map(|member| text(&member["value"]));
        ids.map(|id| names.get(&id).cloned().unwrap_or(id)).collect()
    };
    let groups = held["groups"].as_array().unwrap();
    groups.iter().map(|group| (text(&group["displayName"]), people(group))).collect()
}

/// The same as the source has it.
fn wanted(people: usize) -> BTreeMap<String, BTreeSet<String>> {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for number in 0..people {
        let person: Value = serde_json::from_str(&person(number)).unwrap();
        for group in person["groups"].as_array().unwrap() {
            let name = person["identities"][0]["value"].as_str().unwrap();
            groups.entry(group.as_str().unwrap().to_owned()).or_default().insert(name.to_owned());
        }
    }
    groups
}

#[test]
fn everybody_is_in_their_groups_though_only_the_last_reference_of_an_operation_becomes_an_id() {
    let Some(server) = start("4") else { return };
    let (folder, apply) = moved(&server);
    assert!(apply.stderr.contains("does not resolve references"), "{}", apply.stderr);
    assert!(!apply.stderr.contains("by hand"), "{}", apply.stderr);
    assert_eq!(members(&held(&server)), wanted(PEOPLE));
    run(&folder, "verify").exits(0);
    run(&folder, "undo --yes").exits(0);
    assert_eq!(held(&server)["users"], json!([]));
    assert_eq!(run(&folder, "status --json").exits(0).json()["adds_up"], json!(true));
}

#[test]
fn a_server_that_does_not_page_is_looked_through_by_name_and_is_no_whole_source() {
    let Some(server) = start("5") else { return };
    let (folder, _) = moved(&server);
    // more people, and some who are there already: what a list shows of them is a third
    let more = project(&from_file(&server), 2_100);
    run(&more, "extract").exits(0);
    let plan = run(&more, "plan --json");
    assert!([0, 11].contains(&plan.code), "{}", plan.stderr);
    assert!(plan.stdout.contains("E2010"), "{}", plan.stdout);
    let clashes = plan.json()["clashes"].clone();
    assert_eq!(clashes, json!(PEOPLE), "{}", plan.stdout);
    let verify = run(&folder, "verify --json");
    assert_eq!(verify.code, 11, "{} {}", verify.stdout, verify.stderr);
    assert_eq!(verify.json()["equal"], json!(PEOPLE), "{}", verify.stdout);
    // 20 people of 60 are no whole directory
    let source = format!(
        "[sources.old]\nconnector = \"scim\"\nurl = \"http://{0}/scim\"\ntoken = {{ env = \"SCIM_TEST_TOKEN\" }}\n[target]\n\
         connector = \"scim\"\nurl = \"http://{0}/scim\"\ntoken = {{ env = \"SCIM_TEST_TOKEN\" }}",
        server.address()
    );
    let back = project(&source, 0);
    let extract = run(&back, "extract").exits(1);
    assert!(extract.stderr.contains("E3008"), "{}", extract.stderr);
}
