//! Groups and their members (RFC 7643 4.2).

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::world::{GROUP, World, user};

fn ids(value: &Value) -> Vec<&str> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(|one| one["value"].as_str()).collect()
}

async fn two(world: &World) -> (String, String) {
    let ana = world.create(user("ana")).await;
    let bo = world.create(user("bo")).await;
    (ana.trim_start_matches("/Users/").to_owned(), bo.trim_start_matches("/Users/").to_owned())
}

#[tokio::test]
async fn members_show_on_both_sides_and_through_groups_in_groups() {
    let world = World::new("").await;
    let (ana, bo) = two(&world).await;
    let sales = world.group("Sales", &[&ana]).await;
    let all = world.group("Everybody", &[&sales, &bo]).await;
    let got = world.get(&format!("/Groups/{all}")).await;
    let kinds: Vec<&Value> = got.body["members"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, [&json!("User"), &json!("Group")]);
    assert_eq!(got.body["members"][1]["$ref"], world.url(&format!("/Groups/{sales}")));
    let seen = world.get(&format!("/Users/{ana}")).await;
    let groups = &seen.body["groups"];
    assert_eq!(ids(groups), [sales.as_str(), all.as_str()]);
    assert_eq!((&groups[0]["type"], &groups[1]["type"]), (&json!("direct"), &json!("indirect")));
    assert_eq!(groups[0]["display"], "Sales");
    let filter = format!("groups.value eq \"{all}\"");
    assert_eq!(world.list("/Users", &[("filter", &filter)]).await.names(), ["ana", "bo"]);
    let filter = format!("members.value eq \"{ana}\"");
    assert_eq!(world.list("/Groups", &[("filter", &filter)]).await.names(), ["Sales"]);
    let short = world.list(&format!("/Groups/{all}"), &[("excludedAttributes", "members")]).await;
    assert_eq!(short.body["members"], Value::Null);
    world
        .patch(&format!("/Groups/{sales}"), json!([{ "op": "add", "path": "members", "value": [{ "value": all }] }]))
        .await;
    let circle = world.get(&format!("/Users/{ana}")).await;
    assert_eq!(ids(&circle.body["groups"]).len(), 2, "groups in a circle are walked once");
}

#[tokio::test]
async fn members_come_and_go_by_patch() {
    let world = World::new("").await;
    let (ana, bo) = two(&world).await;
    let group = world.group("Sales", &[]).await;
    let path = format!("/Groups/{group}");
    let by_filter = format!("members[value eq \"{ana}\"]");
    for (operation, expected) in [
        (json!({ "op": "add", "path": "members", "value": [{ "value": ana }] }), vec![&ana]),
        (json!({ "op": "add", "path": "members", "value": [{ "value": ana }, { "value": bo }] }), vec![&ana, &bo]),
        (json!({ "op": "remove", "path": by_filter }), vec![&bo]),
        (json!({ "op": "remove", "path": by_filter }), vec![&bo]),
        (json!({ "op": "replace", "path": "members", "value": [{ "value": ana }] }), vec![&ana]),
        (json!({ "op": "add", "value": { "members": [{ "value": bo, "type": "User" }] } }), vec![&ana, &bo]),
        (json!({ "op": "remove", "path": "members[type eq \"User\" and value ne \"x\"]" }), vec![]),
        (json!({ "op": "add", "path": "members", "value": { "value": ana } }), vec![&ana]),
        (json!({ "op": "remove", "path": "members" }), vec![]),
    ] {
        let got = world.patch(&path, json!([operation])).await;
        assert_eq!(got.status, StatusCode::OK, "{operation}: {}", got.body);
        assert_eq!(ids(&got.body["members"]), expected, "{operation}");
    }
    for (operation, kind) in [
        (json!({ "op": "add", "path": "members", "value": [{ "value": "nobody" }] }), "invalidValue"),
        (json!({ "op": "add", "path": "members", "value": [{ "type": "User" }] }), "invalidValue"),
        (json!({ "op": "add", "path": "members", "value": [{ "value": ana, "type": "Group" }] }), "invalidValue"),
        (json!({ "op": "replace", "path": "members[value pr].value", "value": "x" }), "mutability"),
        (json!({ "op": "replace", "path": by_filter, "value": { "value": bo } }), "mutability"),
    ] {
        let got = world.patch(&path, json!([operation])).await;
        assert_eq!((got.status.as_u16(), got.kind()), (400, kind), "{operation}");
    }
}

#[tokio::test]
async fn a_deleted_member_leaves_its_groups_and_a_replace_sets_all_members() {
    let world = World::new("").await;
    let (ana, bo) = two(&world).await;
    let group = world.group("Sales", &[&ana, &bo]).await;
    let path = format!("/Groups/{group}");
    world.delete(&format!("/Users/{ana}")).await;
    assert_eq!(ids(&world.get(&path).await.body["members"]), [bo.as_str()]);
    let got = world.put(&path, json!({ "schemas": [GROUP], "displayName": "Sales" })).await;
    assert_eq!((got.status.as_u16(), &got.body["members"]), (200, &Value::Null));
    assert_eq!(world.get(&format!("/Users/{bo}")).await.body["groups"], Value::Null);
    let unknown = json!({ "schemas": [GROUP], "displayName": "x", "members": [{ "value": ana }] });
    assert_eq!(world.post("/Groups", unknown).await.kind(), "invalidValue");
    assert_eq!(world.post("/Groups", json!({ "schemas": [GROUP] })).await.kind(), "invalidValue");
}
