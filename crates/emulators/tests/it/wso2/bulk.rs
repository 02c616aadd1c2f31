//! Bulk requests by the rules of wso2-scim.md 2.11.

use serde_json::{Value, json};

use super::{GROUP, World, user, with};
use crate::support::Got;

/// The request of WSO2's own guide on migrating users.
const GUIDE: &str = include_str!("../../data/wso2/guide-bulk.json");

fn post(bulk_id: &str, name: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(name) })
}

fn request(operations: &[Value]) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations })
}

/// Bulk ids with the numbers of their status.
fn outcome(got: &Got) -> Vec<(&str, u64)> {
    assert_eq!(got.status, 200, "{:?}", got.body);
    let entries = got.body["Operations"].as_array().unwrap().iter();
    entries.map(|entry| (entry["bulkId"].as_str().unwrap(), entry["status"]["code"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn the_request_of_the_guide_is_accepted() {
    let world = World::server("").await;
    let got = world.post("/Bulk", serde_json::from_str(GUIDE).unwrap()).await;
    assert_eq!(outcome(&got), [("ytrewq", 201)]);
    let stored = world.stored("jesse").await;
    assert_eq!(stored["_password"], "random");
}

#[tokio::test]
async fn an_answer_has_a_status_object_and_a_text_that_holds_json() {
    let world = World::server("").await;
    world.create(user("bob")).await;
    let got = world.post("/Bulk", request(&[post("u1", "ana"), post("u2", "bob")])).await;
    assert_eq!(outcome(&got), [("u1", 201), ("u2", 409)]);
    let entries = got.body["Operations"].as_array().unwrap();
    let response = |at: usize| -> Value { serde_json::from_str(entries[at]["response"].as_str().unwrap()).unwrap() };
    assert_eq!((&response(0)["userName"], &response(1)["status"]), (&json!("ana"), &json!("409")));
    assert!(entries[0]["location"].as_str().unwrap().ends_with(response(0)["id"].as_str().unwrap()));
    assert!(entries[1].get("location").is_none());
    let id = response(0)["id"].as_str().unwrap().to_owned();
    let gone = json!({ "method": "DELETE", "path": format!("/Users/{id}") });
    let got = world.post("/Bulk", request(&[gone])).await;
    assert_eq!(
        got.body["Operations"][0],
        json!({
            "location": format!("{}/Users/{id}", world.ready().scim_url.clone().unwrap()),
            "method": "DELETE", "bulkId": "", "status": { "code": 204 },
        })
    );
    let quirks = "[product]\nwithout_quirks = [\"bulk_status_object\", \"bulk_response_text\"]";
    let world = World::server(quirks).await;
    let got = world.post("/Bulk", request(&[post("u1", "ana"), post("u2", "ana")])).await;
    let entries = &got.body["Operations"];
    assert_eq!((&entries[0]["status"], &entries[0]["response"]), (&json!("201"), &Value::Null));
    assert_eq!(entries[1]["response"]["status"], "409");
}

#[tokio::test]
async fn users_come_first_then_groups_then_roles_and_unknown_paths_are_dropped() {
    let world = World::server("").await;
    let group = json!({ "schemas": [GROUP], "displayName": "staff", "members": [{ "value": "bulkId:u1" }] });
    let role = json!({
        "schemas": ["urn:ietf:params:scim:schemas:extension:2.0:Role"], "displayName": "agent",
        "users": [{ "value": "bulkId:u1" }],
    });
    let operations = [
        json!({ "method": "POST", "path": "/v2/Roles", "bulkId": "r1", "data": role }),
        json!({ "method": "POST", "path": "/Devices", "bulkId": "d1", "data": {} }),
        json!({ "method": "POST", "path": "/Groups", "bulkId": "g1", "data": group }),
        post("u1", "ana"),
    ];
    let got = world.post("/Bulk", request(&operations)).await;
    assert_eq!(outcome(&got), [("u1", 201), ("g1", 201), ("r1", 201)]);
    let members = world.get("/Groups").await.body["Resources"][0]["members"].clone();
    assert_eq!(members[0]["display"], "ana");
    let unknown = json!({ "schemas": [GROUP], "displayName": "other", "members": [{ "value": "bulkId:g1" }] });
    let operations = [
        json!({ "method": "POST", "path": "/Groups", "bulkId": "g1", "data": { "schemas": [GROUP], "displayName": "inner" } }),
        json!({ "method": "POST", "path": "/Groups", "bulkId": "g2", "data": unknown }),
    ];
    let got = world.post("/Bulk", request(&operations)).await;
    assert_eq!(outcome(&got), [("g1", 201), ("g2", 400)], "ids of groups are never resolved");
}

#[tokio::test]
async fn a_patch_takes_references_in_its_first_adding_operation_and_needs_no_schemas() {
    let world = World::server("").await;
    let group = world.post("/Groups", json!({ "schemas": [GROUP], "displayName": "staff" })).await.id();
    let add =
        |bulk_id: &str| json!({ "op": "add", "path": "members", "value": [{ "value": format!("bulkId:{bulk_id}") }] });
    let patch = |operations: &[Value]| json!({ "method": "PATCH", "path": format!("/Groups/{group}"), "bulkId": "p", "data": { "Operations": operations } });
    let got = world.post("/Bulk", request(&[post("u1", "ana"), patch(&[add("u1")])])).await;
    assert_eq!(outcome(&got), [("u1", 201), ("p", 200)]);
    let got =
        world.post("/Bulk", request(&[post("u1", "bob"), post("u2", "cleo"), patch(&[add("u1"), add("u2")])])).await;
    assert_eq!(outcome(&got), [("u1", 201), ("u2", 201), ("p", 400)], "the second is passed on as it is");
    let got = world.post("/Bulk", request(&[patch(&[add("u1")])])).await;
    assert_eq!(outcome(&got), [("p", 400)], "nobody was made in this request");
}

#[tokio::test]
async fn too_many_errors_leave_the_rest_out() {
    let world = World::server("").await;
    world.create(user("bob")).await;
    let operations = [post("1", "ana"), post("2", "bob"), post("3", "cleo"), post("4", "bob"), post("5", "dan")];
    let mut body = request(&operations);
    body["failOnErrors"] = json!(2);
    assert_eq!(outcome(&world.post("/Bulk", body).await), [("1", 201), ("2", 409), ("3", 201), ("4", 409)]);
    assert_eq!(world.stored("dan").await, Value::Null);
    let long = with("eve", &json!({ "displayName": "a".repeat(1_025) }));
    let mut body =
        request(&[json!({ "method": "POST", "path": "/Users", "bulkId": "1", "data": long }), post("2", "eve")]);
    body["failOnErrors"] = json!(1);
    let got = world.post("/Bulk", body).await;
    assert_eq!(outcome(&got), [("1", 202)], "a 202 counts as an error");
    assert!(got.body["Operations"][0].get("response").is_none());
}

#[tokio::test]
async fn an_envelope_that_is_wrong_is_refused_as_a_whole() {
    let world = World::server("").await;
    let many: Vec<Value> = (0..1_001).map(|at| post(&at.to_string(), &format!("user{at}"))).collect();
    let no_id = json!({ "method": "POST", "path": "/Users", "data": user("ana") });
    for (body, status, detail) in [
        (json!({ "Operations": [] }), 500, ""),
        (json!({ "schemas": [] }), 500, ""),
        (request(&[post("u1", "ana"), post("u1", "bob")]), 400, "Duplicate bulkId found: u1"),
        (request(&[no_id]), 400, "BULK_ID is missing in the request"),
        (
            request(&many),
            413,
            "The number of operations in the bulk request: 1001 exceeds the maximum total number of operations count: 1000.",
        ),
    ] {
        let got = world.post("/Bulk", body).await;
        assert_eq!(got.status, status, "{:?}", got.body);
        assert!(got.detail().contains(detail), "{:?}", got.body);
    }
    assert_eq!(world.stored("ana").await, Value::Null);
    let asgardeo = World::asgardeo("").await;
    let many: Vec<Value> = (0..101).map(|at| post(&at.to_string(), &format!("u{at}@example.org"))).collect();
    assert_eq!(asgardeo.post("/Bulk", request(&many)).await.status, 413);
}

#[tokio::test]
async fn what_cannot_be_prepared_ends_the_request_after_what_is_done() {
    let world = World::server("").await;
    for (operation, status) in [
        (json!({ "method": "POST", "path": "/Users", "bulkId": "x", "data": "text" }), 400),
        (json!({ "method": "COPY", "path": "/Users/1", "bulkId": "x" }), 500),
        (json!({ "method": "DELETE", "path": "/Users", "bulkId": "x" }), 500),
    ] {
        let name = format!("user{status}{}", operation["method"].as_str().unwrap().to_lowercase());
        let got = world.post("/Bulk", request(&[post("u1", &name), operation, post("u2", "never")])).await;
        assert_eq!(got.status, status);
        assert_eq!(world.stored(&name).await["userName"], name, "it stays done");
        assert_eq!(world.stored("never").await, Value::Null);
    }
    let world = World::server("[product]\nwithout_quirks = [\"bulk_aborts\"]").await;
    let wrong = json!({ "method": "POST", "path": "/Users", "bulkId": "x", "data": "text" });
    assert_eq!(outcome(&world.post("/Bulk", request(&[wrong, post("u1", "ana")])).await), [("x", 400), ("u1", 201)]);
}

#[tokio::test]
async fn defects_of_older_versions_are_turned_on_by_name() {
    let world =
        World::server("quirks = [\"bulk_detail_null\", \"bulk_references_fail\", \"bulk_malformed_200\"]").await;
    let group = json!({ "schemas": [GROUP], "displayName": "staff", "members": [{ "value": "bulkId:u1" }] });
    let operations = [post("u1", "ana"), json!({ "method": "POST", "path": "/Groups", "bulkId": "g1", "data": group })];
    let got = world.post("/Bulk", request(&operations)).await;
    assert_eq!(outcome(&got), [("u1", 201), ("g1", 400)]);
    let response: Value = serde_json::from_str(got.body["Operations"][1]["response"].as_str().unwrap()).unwrap();
    assert_eq!(response["detail"], Value::Null);
    let request = world.request(reqwest::Method::POST, &world.scim("/Bulk")).header("content-type", "application/json");
    let got = crate::support::read(request.body("{").send().await.unwrap()).await;
    assert_eq!((got.status.as_u16(), &got.body["Operations"]), (200, &json!([])));
}
