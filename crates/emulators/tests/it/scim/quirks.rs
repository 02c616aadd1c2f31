//! Quirks: each changes what its name says.

use reqwest::Method;
use serde_json::{Value, json};
use sterna_emulators::scim::{Options, QUIRKS, Scenario};

use super::world::{GROUP, USER, World, bulk, post, user};
use crate::support::page;

/// A request whose answer a quirk changes, by the quirk's name.
async fn tried(world: &World, quirk: &str) -> Value {
    let list = async |parameters: &[(&str, &str)]| {
        let got = world.list("/Users", parameters).await;
        json!([
            got.status.as_u16(),
            got.kind(),
            got.names(),
            got.body["totalResults"],
            got.body["resources"].is_array(),
            got.body["nextCursor"].is_string()
        ])
    };
    let seeded = [("filter", "userName eq \"User1@example.org\"")];
    match quirk {
        "paging_ignored" => list(&[("startIndex", "3"), ("count", "2")]).await,
        "count_clamped" => list(&[("count", "15")]).await,
        "cursor_only" | "total_is_page" => list(&[("startIndex", "5"), ("count", "2")]).await,
        "filter_ignored" | "filter_forbidden" | "case_sensitive_user_names" | "lower_case_list" => list(&seeded).await,
        "error_after_store" | "relative_location" | "forgets_external_id" => {
            let mut body = user("ana");
            body["externalId"] = json!("k");
            let got = world.post("/Users", body).await;
            json!([got.status.as_u16(), got.header("location").starts_with("http"), got.body["externalId"]])
        }
        "patch_204" => {
            let path = world.create(user("bo")).await;
            let got = world.patch(&path, json!([{ "op": "add", "path": "title", "value": "Dr" }])).await;
            json!([got.status.as_u16(), got.body["title"]])
        }
        "put_keeps" => {
            let path = world.create(json!({ "schemas": [USER], "userName": "cy", "title": "Dr" })).await;
            world.put(&path, user("cy")).await.body["title"].clone()
        }
        "text_booleans" | "unknown_attributes" => {
            let (name, value) = if quirk == "text_booleans" { ("active", "False") } else { ("shoeSize", "43") };
            let mut body = user("dee");
            body[name] = json!(value);
            let got = world.post("/Users", body).await;
            json!([got.status.as_u16(), got.body["active"]])
        }
        "duplicate_500" | "duplicate_without_type" | "status_as_number" => {
            let got = world.post("/Users", user("user1@example.org")).await;
            json!([got.status.as_u16(), got.kind(), got.body["status"]])
        }
        "connection_closed" => json!(world.get("/Users").await.header("connection")),
        "patch_501" => {
            let path = world.create(user("bo")).await;
            world.patch(&path, json!([{ "op": "add", "path": "title", "value": "Dr" }])).await.status.as_u16().into()
        }
        "numeric_ids" | "odd_ids" => {
            let made = world.post("/Users", user("ana")).await;
            let location = made.header("location");
            let path = &location[location.find("/Users/").unwrap()..];
            let read = world.get(path).await;
            assert_eq!((read.status.as_u16(), &read.body["id"]), (200, &made.body["id"]), "{quirk}");
            json!([made.body["id"].is_u64(), path.contains("%40")])
        }
        "refuses_behind" => list(&[("startIndex", "21"), ("count", "10")]).await,
        "no_schemas" => json!([
            world.get("/Schemas").await.status.as_u16(),
            world.get("/ResourceTypes/User").await.status.as_u16(),
            world.get("/ServiceProviderConfig").await.status.as_u16(),
        ]),
        _ => tried_in_bulk(world, quirk).await,
    }
}

/// The same for quirks of bulk requests.
async fn tried_in_bulk(world: &World, quirk: &str) -> Value {
    match quirk {
        "bulk_501" | "bulk_without_response" => {
            let got = world.post("/Bulk", bulk(&[post("1", user("user1@example.org"))])).await;
            json!([got.status.as_u16(), got.body["Operations"][0]["response"]["scimType"]])
        }
        "last_reference_only" => {
            let members = json!([{ "value": "bulkId:1" }, { "value": "bulkId:2" }]);
            let group = json!({ "schemas": [GROUP], "displayName": "all", "members": members });
            let group = json!({ "method": "POST", "path": "/Groups", "bulkId": "g", "data": group });
            let operations = [post("1", user("ana")), post("2", user("bo")), group];
            assert_eq!(world.post("/Bulk", bulk(&operations)).await.status, 200);
            let groups = world.get("/Groups").await;
            groups.body["Resources"][0]["members"].as_array().map(Vec::len).into()
        }
        "bulk_posts_only" => {
            let path = world.create(user("bo")).await;
            let operation = json!({ "method": "DELETE", "path": path, "bulkId": "1" });
            world.post("/Bulk", bulk(&[operation])).await.body["Operations"][0]["status"].clone()
        }
        other => panic!("nothing tries the quirk {other}"),
    }
}

#[tokio::test]
async fn every_quirk_changes_something() {
    for quirk in QUIRKS {
        let world = World::new("generated_users = 20").await;
        let without = tried(&world, quirk.name).await;
        let scenario = format!("generated_users = 20\nquirks = [\"{}\"]", quirk.name);
        let world = World::new(&scenario).await;
        let with = tried(&world, quirk.name).await;
        assert_ne!(with, without, "{}", quirk.name);
        assert!(quirk.doc.ends_with('.') && quirk.product == "scim", "{}", quirk.name);
    }
}

#[tokio::test]
async fn quirks_are_turned_on_and_off_at_run_time_by_their_names() {
    let world = World::new("").await;
    let path = world.create(user("ana")).await;
    let touch = async || world.patch(&path, json!([{ "op": "add", "path": "title", "value": "Dr" }])).await.status;
    assert_eq!(touch().await.as_u16(), 200);
    world.quirks(&["patch_204", "connection_closed"]).await;
    assert_eq!(touch().await.as_u16(), 204);
    assert_eq!(world.state().await["quirks"], json!(["connection_closed", "patch_204"]));
    let known = world.control(Method::GET, "/quirks", json!({})).await.body;
    assert_eq!(known.as_array().unwrap().len(), QUIRKS.len());
    world.quirks(&[]).await;
    assert_eq!(touch().await.as_u16(), 200);
    let wrong = world.control(Method::POST, "/quirks", json!(["patch_205"])).await;
    assert!(wrong.status.as_u16() == 400 && wrong.body["error"].as_str().unwrap().contains("patch_204"));
    let options = Options { scenario: Scenario::parse("quirks = [\"none\"]").unwrap(), ..Options::default() };
    assert!(sterna_emulators::scim::start(options).await.is_err());
}

#[test]
fn every_quirk_is_in_the_documentation() {
    let page = page("emulated-scim.md");
    for quirk in QUIRKS {
        let row = format!("| `{}` | {} |", quirk.name, quirk.doc);
        assert!(page.contains(&row), "docs/emulated-scim.md lacks the row\n{row}");
    }
    let table = page.split("## Quirks").nth(1).unwrap();
    assert_eq!(table.matches("\n| `").count(), QUIRKS.len(), "a row there is about no quirk");
}

/// The names in backticks that the error about an unknown one lists.
fn known(fault: &str) -> Vec<String> {
    let error = Scenario::parse(&format!("[[fault]]\n{fault}")).err().unwrap();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    let names = reason.split("expected").nth(1).unwrap_or_default();
    names.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[test]
fn every_fault_is_in_the_documentation() {
    let page = page("emulated-scim.md");
    let names = [known("kind = \"none\""), known("kind = \"latency\"\non = \"none\"")];
    assert!(names.iter().all(|names| names.len() > 5), "{names:?}");
    for name in names.concat() {
        assert!(page.contains(&format!("`{name}`")), "docs/emulated-scim.md lacks the fault or place {name}");
    }
}
