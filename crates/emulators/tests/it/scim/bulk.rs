//! Bulk requests (RFC 7644 3.7).

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::world::{GROUP, World, bulk, post, user};

fn statuses(body: &Value) -> Vec<&str> {
    body["Operations"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap_or("none")).collect()
}

fn group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    let data = json!({ "schemas": [GROUP], "displayName": bulk_id, "members": members });
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data })
}

#[tokio::test]
async fn each_operation_is_answered_and_failures_say_why() {
    let world = World::new("").await;
    let path = world.create(user("ana")).await;
    let change = super::world::patch(json!([{ "op": "add", "path": "title", "value": "Dr" }]));
    let operations = [
        post("b1", user("bo")),
        post("b2", user("ANA")),
        json!({ "method": "patch", "path": path, "bulkId": "b3", "data": change.clone() }),
        json!({ "method": "PATCH", "path": path, "version": "W/\"1\"", "data": change }),
        json!({ "method": "DELETE", "path": "/Users/nobody" }),
        json!({ "method": "PUT", "path": path, "data": user("ana") }),
        json!({ "method": "DELETE", "path": path }),
    ];
    let got = world.post("/Bulk", bulk(&operations)).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.body);
    assert_eq!(got.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    assert_eq!(statuses(&got.body), ["201", "409", "200", "412", "404", "200", "204"]);
    let answers = got.body["Operations"].as_array().unwrap();
    assert_eq!(answers[0]["bulkId"], "b1");
    assert!(answers[0]["location"].as_str().unwrap().starts_with(&world.url("/Users/")));
    assert_eq!((&answers[0]["version"], &answers[0]["response"]), (&json!("W/\"1\""), &Value::Null));
    assert_eq!((&answers[1]["location"], &answers[1]["response"]["scimType"]), (&Value::Null, &json!("uniqueness")));
    assert_eq!((&answers[2]["method"], &answers[2]["bulkId"]), (&json!("PATCH"), &json!("b3")));
    let counters = &world.state().await["counters"];
    assert_eq!((&counters["bulks"], &counters["creates"], &counters["writes"]), (&json!(1), &json!(2), &json!(8)));
}

#[tokio::test]
async fn references_are_resolved_whatever_the_order_and_circles_are_refused() {
    let world = World::new("").await;
    let operations = [
        group("all", &["bulkId:staff"]),
        group("staff", &["bulkId:ana"]),
        post("ana", user("ana")),
        json!({
            "method": "PATCH",
            "path": "/Users/bulkId:ana",
            "data": super::world::patch(json!([{ "op": "add", "path": "title", "value": "Dr" }])),
        }),
        group("one", &["bulkId:two"]),
        group("two", &["bulkId:one"]),
        group("lost", &["bulkId:nobody"]),
        post("bad", json!({})),
        group("of bad", &["bulkId:bad"]),
    ];
    let got = world.post("/Bulk", bulk(&operations)).await;
    assert_eq!(statuses(&got.body), ["201", "201", "201", "200", "409", "409", "409", "400", "409"]);
    let found = world.list("/Users", &[("filter", "userName eq \"ana\" and title eq \"Dr\"")]).await;
    let groups = found.body["Resources"][0]["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
}

#[tokio::test]
async fn after_so_many_errors_the_rest_is_left_alone() {
    let world = World::new("").await;
    world.create(user("ana")).await;
    let operations = [post("1", user("ana")), post("2", user("bo")), post("3", user("ana")), post("4", user("cy"))];
    let mut request = bulk(&operations);
    request["failOnErrors"] = json!(2);
    let got = world.post("/Bulk", request.clone()).await;
    assert_eq!((got.status.as_u16(), statuses(&got.body)), (200, vec!["409", "201", "409"]));
    assert_eq!(world.get("/Users").await.names(), ["ana", "bo"]);
    request["failOnErrors"] = json!(0);
    assert_eq!(statuses(&world.post("/Bulk", request).await.body), ["409", "409", "409", "201"]);
}

#[tokio::test]
async fn what_is_no_bulk_request_is_refused_as_a_whole() {
    let world = World::new("[limits]\nmax_operations = 3\nmax_payload_bytes = 2000").await;
    let large = post("1", json!({ "schemas": [super::world::USER], "userName": "x".repeat(2_000) }));
    let four: Vec<Value> = (0..4).map(|number| post(&number.to_string(), user(&number.to_string()))).collect();
    let one = [post("1", user("a"))];
    let mut nameless = bulk(&one);
    nameless["schemas"] = json!([]);
    for (request, status, kind) in [
        (json!([]), 400, "invalidSyntax"),
        (bulk(&[]), 400, "invalidSyntax"),
        (nameless, 400, "invalidSyntax"),
        (bulk(&[post("1", user("a")), post("1", user("b"))]), 400, "invalidValue"),
        (bulk(&[post("", user("a"))]), 400, "invalidValue"),
        (bulk(&[json!({ "method": "GET", "path": "/Users/1" })]), 400, "invalidSyntax"),
        (bulk(&[json!({ "method": "PATCH", "path": "/Users/1" })]), 400, "invalidSyntax"),
        (bulk(&[json!({ "method": "DELETE", "path": "Users/1" })]), 400, "invalidPath"),
        (bulk(&[json!({ "method": "POST", "path": "/Bulk", "bulkId": "1", "data": {} })]), 400, "invalidPath"),
        (bulk(&[large]), 413, ""),
        (bulk(&four), 413, ""),
    ] {
        let got = world.post("/Bulk", request.clone()).await;
        assert_eq!((got.status.as_u16(), got.kind()), (status, kind), "{request}: {}", got.body);
        if status == 413 {
            let detail = got.body["detail"].as_str().unwrap();
            assert!(detail.contains("(3)") || detail.contains("(2000)"), "{detail}");
        }
    }
    assert!(world.get("/Users").await.names().is_empty());
    let off = World::new("[features]\nbulk = false").await;
    assert_eq!(off.post("/Bulk", bulk(&one)).await.status, StatusCode::NOT_IMPLEMENTED);
}
