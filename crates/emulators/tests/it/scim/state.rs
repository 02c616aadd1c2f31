//! The control side, the scenario file, and the ready line.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_emulators::scim::{Options, Scenario, pointers, scenario::EXAMPLE};
use sterna_emulators::{EmulatorError, PointsTo};

use super::world::World;

#[tokio::test]
async fn the_example_scenario_uses_every_key_and_starts() {
    let scenario = Scenario::parse(EXAMPLE).unwrap();
    let world = World::with(Options { scenario, read_delay_ms: Some(0), ..Options::default() }).await;
    let state = world.state().await;
    assert_eq!((state["users"].as_array().unwrap().len(), state["groups"].as_array().unwrap().len()), (11, 2));
    assert_eq!(state["users"][0]["_password"], "0ld-Passw0rd");
    assert_eq!(state["groups"][1]["members"][0]["type"], "Group");
    let ready = world.emulator.ready();
    assert_eq!((ready.token.as_deref(), ready.client_id.as_deref()), (Some("not-a-real-token"), Some("sterna")));
    let got = world.get("/Users/00000000-0000-4000-8000-000000000001").await;
    assert_eq!(got.body["groups"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn scenarios_that_cannot_be_meant_are_refused() {
    for text in [
        "quirk = []",
        "[[user]]\nattributes = { userName = 7 }",
        "[[user]]\nattributes = { shoeSize = 43 }",
        "[[group]]\nname = \"Sales\"\nmembers = [\"nobody\"]",
        "[[user]]\nid = \"1\"\nattributes = { userName = \"a\" }\n[[user]]\nid = \"1\"\nattributes = { userName = \"b\" }",
        "[product]\nedition = 7",
    ] {
        let started = match Scenario::parse(text) {
            Ok(scenario) => sterna_emulators::scim::start(Options { scenario, ..Options::default() }).await.map(drop),
            Err(error) => Err(error),
        };
        let refused = matches!(started, Err(EmulatorError::Scenario(_) | EmulatorError::ParseScenario { .. }));
        assert!(refused, "{text}");
    }
}

#[tokio::test]
async fn somebody_else_changes_and_deletes_users_without_rules() {
    let world = World::new("generated_users = 2").await;
    let id = world.get("/Users").await.body["Resources"][0]["id"].as_str().unwrap().to_owned();
    let change = json!({ "displayName": "Changed", "active": null, "_password": "Theirs-1" });
    let done = world.control(Method::PATCH, &format!("/users/{id}"), change).await;
    assert_eq!(done.status, StatusCode::OK);
    let got = world.get(&format!("/Users/{id}")).await;
    assert_eq!((&got.body["displayName"], &got.body["active"]), (&json!("Changed"), &Value::Null));
    assert_eq!(got.body["meta"]["version"], "W/\"2\"");
    assert_eq!(world.state().await["users"][0]["_password"], "Theirs-1");
    world.control(Method::DELETE, &format!("/users/{id}"), json!({})).await;
    assert_eq!(world.get(&format!("/Users/{id}")).await.status, StatusCode::NOT_FOUND);
    for path in ["/users/nobody", "/cars/1", "/nothing", "/product/x"] {
        let got = world.control(Method::DELETE, path, json!({})).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_state_is_behind_its_key_and_a_target_is_pointed_at_the_service() {
    let world = World::new("").await;
    let ready = world.emulator.ready();
    let root = ready.scim_url.as_ref().unwrap().trim_end_matches("/scim/v2");
    for path in ["/_emulator/", "/_emulator/guess", "/_emulator/guess/counters"] {
        assert_eq!(world.get(&format!("{root}{path}")).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.get(&format!("{root}/elsewhere")).await.status, StatusCode::NOT_FOUND);
    let pointers = pointers(ready);
    let of = |name: &str| &pointers.iter().find(|pointer| pointer.setting == name).unwrap().to;
    assert_eq!(*of("url"), PointsTo::Text(ready.scim_url.clone().unwrap()));
    assert_eq!(*of("token"), PointsTo::Secret(ready.token.clone().unwrap()));
    assert_eq!((of("ca_file"), of("client_secret")), (&PointsTo::Nothing, &PointsTo::Nothing));
}
