//! The state, the levers, and how an emulator starts and ends.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_emulators::{EMULATORS, EmulatorError, Launch, entra::Options, find};

use crate::support::{World, federated, local, options, social};

#[tokio::test]
async fn the_state_tells_everything_and_a_rehearsal_hides_passwords() {
    let world = World::new("").await;
    world.create(local("Ana")).await;
    let id = world.create(social("Sara")).await.id();
    world.delete(&format!("/users/{id}")).await;
    let state = world.state().await;
    assert_eq!(state["users"][0]["_password"], "Str0ng-Passw0rd!");
    assert_eq!(state["deleted"][0]["_password"], Value::Null);
    assert!(state["deleted"][0]["deletedDateTime"].is_string());
    assert_eq!(state["deleted"][0]["identities"].as_array().unwrap().len(), 2);
    let rehearsal = World::with(Options { show_passwords: false, ..options("") }).await;
    rehearsal.create(local("Ana")).await;
    assert!(!rehearsal.state().await.to_string().contains("Str0ng"));
}

#[tokio::test]
async fn the_state_is_behind_its_key() {
    let world = World::new("").await;
    let root = world.emulator.ready().graph_url.clone().unwrap();
    for path in ["/_emulator/", "/_emulator/guess", "/_emulator/guess/counters"] {
        assert_eq!(world.get(&format!("{root}{path}")).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_sign_in_sets_the_activity_clears_the_flag_and_may_move_the_password() {
    let world = World::new("[[extension]]\nname = \"toBeMigrated\"\ndata_type = \"Boolean\"").await;
    let name =
        world.post("/directoryObjects/getAvailableExtensionProperties", json!({})).await.body["value"][0]["name"]
            .as_str()
            .unwrap()
            .to_owned();
    let mut user = local("Ana");
    user[&name] = json!(true);
    let id = world.create(user).await.id();
    let lever = format!("/users/{id}/sign-in");
    world.control(Method::POST, &lever, json!({ "flag": "toBeMigrated", "password": "typed-by-Ana1" })).await;
    let state = world.state().await;
    assert_eq!((&state["users"][0][&name], &state["users"][0]["_password"]), (&json!(false), &json!("typed-by-Ana1")));
    assert!(state["users"][0]["signInActivity"]["lastSignInDateTime"].is_string());
}

#[tokio::test]
async fn somebody_else_can_change_and_delete_users() {
    let world = World::new("").await;
    let id = world.create(social("Ana")).await.id();
    let lever = format!("/users/{id}");
    let identities = json!([federated("google.com", "other")]);
    world.control(Method::PATCH, &lever, json!({ "displayName": "Changed", "identities": identities })).await;
    let seen = world.get(&format!("/users/{id}?$select=displayName,identities")).await.body;
    assert_eq!((&seen["displayName"], &seen["identities"]), (&json!("Changed"), &identities));
    world.control(Method::DELETE, &lever, json!({})).await;
    assert_eq!(world.get(&format!("/users/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.state().await["counters"]["writes"], 1, "levers are not requests");
}

#[tokio::test]
async fn an_emulator_listens_on_loopback_only() {
    let listen = SocketAddr::from(([0, 0, 0, 0], 0));
    for kind in EMULATORS {
        let refused = (kind.start)(Launch { listen, ..Launch::default() }).await;
        assert!(matches!(refused.err(), Some(EmulatorError::NotLoopback { .. })), "{}", kind.name);
    }
    assert!(find("entra-external-id").is_some() && find("nothing").is_none());
}

#[tokio::test]
async fn the_ready_line_has_roots_and_leaves_absent_values_out() {
    let world = World::new("seed = 3").await;
    let line = serde_json::to_value(world.emulator.ready()).unwrap();
    let root = line["graph_url"].as_str().unwrap();
    assert!(root.starts_with("http://127.0.0.1:") && !root.ends_with('/'));
    assert_eq!(line["login_url"], root);
    assert!(line["state_url"].as_str().unwrap().len() > root.len() + 32);
    assert!(line.get("ca_file").is_none());
    let again = World::new("seed = 3").await;
    assert_eq!(line["client_id"], serde_json::to_value(again.emulator.ready()).unwrap()["client_id"]);
}

#[tokio::test]
async fn it_ends_within_two_seconds_even_while_it_answers() {
    let world = World::new("[[fault]]\nkind = \"latency\"\non = \"list\"\ndelay_ms = 60000").await;
    let waiting = world.request(Method::GET, "/users").send();
    let waiting = tokio::spawn(async move { waiting.await.is_ok() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    world.emulator.shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(2));
    waiting.abort();
}

#[tokio::test]
async fn the_example_scenario_uses_every_key_and_starts() {
    let text = sterna_emulators::entra::scenario::EXAMPLE;
    let world = World::with(options(text)).await;
    assert_eq!(world.emulator.ready().client_secret.as_deref(), Some("not-a-real-secret"));
    assert_eq!(world.emulator.ready().tenant_id.as_deref(), Some("aaaabbbb-0000-4ccc-8ddd-eeeeffff0000"));
    assert_eq!(world.state().await["users"].as_array().unwrap().len(), 11);
}
