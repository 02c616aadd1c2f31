//! Clients that nobody here wrote: the conformance check and the command line of scim2.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::world::{GROUP, World, bulk, post, user};

/// The program, or why the test does not run.
#[expect(clippy::print_stderr, reason = "a test that does not run says so")]
fn scim2() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../counterparts/venv/bin/scim2");
    if program.exists() {
        return Some(program);
    }
    assert!(std::env::var("REQUIRE_COUNTERPARTS").is_err(), "scim2 is not installed: run `make setup`");
    eprintln!("skipped: scim2 is not installed; `make setup` installs it");
    None
}

/// Runs it against a service; gives whether it ended well, and what it printed.
async fn run(world: &World, arguments: &[&str], input: String) -> Option<(bool, String)> {
    let program = scim2()?;
    let ready = world.emulator.ready();
    let mut command = Command::new(program);
    command
        .args(["--url", ready.scim_url.as_deref().unwrap(), "-h"])
        .arg(format!("Authorization: Bearer {}", ready.token.as_deref().unwrap()))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for proxy in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    let ended = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let ended = ended.await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    Some((ended.status.success(), text))
}

#[tokio::test]
async fn the_conformance_check_finds_no_fault() {
    let world = World::new("").await;
    let Some((is_fine, text)) = run(&world, &["test"], String::new()).await else { return };
    assert!(is_fine, "{text}");
    let successes = text.matches("SUCCESS").count();
    assert!(successes >= 130 && !text.contains("ERROR"), "{successes} successes\n{text}");
}

#[tokio::test]
async fn the_command_line_sends_bulk_requests_with_references() {
    let world = World::new("").await;
    let data =
        json!({ "schemas": [GROUP], "displayName": "staff", "members": [{ "type": "User", "value": "bulkId:ana" }] });
    let group = json!({ "method": "POST", "path": "/Groups", "bulkId": "staff", "data": data });
    let body = bulk(&[group, post("ana", user("ana"))]).to_string();
    let Some((is_fine, text)) = run(&world, &["bulk"], body).await else { return };
    assert!(is_fine, "{text}");
    assert_eq!(text.matches("\"status\": \"201\"").count(), 2, "{text}");
    let state = world.state().await;
    assert_eq!(state["groups"][0]["members"][0]["value"], state["users"][0]["id"]);
}
