//! Pages, order and searches (RFC 7644 3.4.2, 3.4.3, RFC 9865).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{World, user};

const TWENTY_FIVE: &str = "generated_users = 25\n[limits]\nmax_results = 10\ndefault_page = 5";

#[tokio::test]
async fn pages_by_index_begin_where_asked_and_are_as_long_as_allowed() {
    let world = World::new(TWENTY_FIVE).await;
    for (parameters, start, count, first) in [
        (&[][..], 1, 5, Some("user0@example.org")),
        (&[("startIndex", "1"), ("count", "3")], 1, 3, Some("user0@example.org")),
        (&[("startIndex", "0")], 1, 5, Some("user0@example.org")),
        (&[("startIndex", "-4"), ("count", "-1")], 1, 0, None),
        (&[("startIndex", "24"), ("count", "10")], 24, 2, Some("user23@example.org")),
        (&[("startIndex", "26")], 26, 0, None),
        (&[("count", "1000")], 1, 10, Some("user0@example.org")),
        (&[("count", "0")], 1, 0, None),
    ] {
        let got = world.list("/Users", parameters).await;
        assert_eq!(got.status.as_u16(), 200, "{parameters:?}: {}", got.body);
        assert_eq!(got.body["totalResults"], 25, "{parameters:?}");
        assert_eq!(got.body["startIndex"], start, "{parameters:?}");
        assert_eq!(got.body["itemsPerPage"], count, "{parameters:?}");
        assert_eq!(got.names().first().copied(), first, "{parameters:?}");
    }
    for parameter in ["startIndex", "count"] {
        let got = world.list("/Users", &[(parameter, "many")]).await;
        assert_eq!((got.status.as_u16(), got.kind()), (400, "invalidValue"));
    }
}

#[tokio::test]
async fn a_walk_by_cursor_sees_everybody_once_although_users_come_and_go() {
    let world = World::new(TWENTY_FIVE).await;
    let mut seen = BTreeSet::new();
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let got = world.list("/Users", &[("cursor", cursor.as_str()), ("count", "10")]).await;
        assert_eq!(got.status.as_u16(), 200, "{}", got.body);
        assert_eq!(got.body["startIndex"], Value::Null);
        seen.extend(got.names().iter().map(|name| (*name).to_owned()));
        if pages == 0 {
            assert_eq!(got.body["previousCursor"], Value::Null);
            let first = got.body["Resources"][0]["id"].as_str().unwrap().to_owned();
            world.delete(&format!("/Users/{first}")).await;
            world.create(user("late")).await;
        }
        pages += 1;
        let Some(next) = got.body["nextCursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!((pages, seen.len()), (3, 25));
    let last = world.list("/Users", &[("cursor", cursor.as_str()), ("count", "10")]).await;
    let back = last.body["previousCursor"].as_str().unwrap();
    let page = world.list("/Users", &[("cursor", back), ("count", "10")]).await;
    assert_eq!(page.names()[0], "user10@example.org");
}

#[tokio::test]
async fn cursors_that_are_no_good_are_told_apart() {
    let world = World::new(TWENTY_FIVE).await;
    let first = world.list("/Users", &[("cursor", ""), ("count", "10")]).await;
    let next = first.body["nextCursor"].as_str().unwrap().to_owned();
    for (parameters, kind) in [
        (&[("cursor", "nobody")][..], "invalidCursor"),
        (&[("cursor", next.as_str()), ("filter", "title pr")], "invalidCursor"),
        (&[("cursor", ""), ("startIndex", "1")], "invalidCursor"),
        (&[("cursor", ""), ("count", "0")], "invalidCount"),
    ] {
        let got = world.list("/Users", parameters).await;
        assert_eq!((got.status.as_u16(), got.kind()), (400, kind), "{parameters:?}");
    }
    world.control(reqwest::Method::POST, "/cursors/expire", json!({})).await;
    let got = world.list("/Users", &[("cursor", next.as_str())]).await;
    assert_eq!((got.status.as_u16(), got.kind()), (400, "expiredCursor"));
    let without = World::new("[features]\ncursor_paging = false").await;
    assert_eq!(without.list("/Users", &[("cursor", "")]).await.status.as_u16(), 501);
    let only = World::new("generated_users = 3\n[features]\nindex_paging = false").await;
    let got = only.list("/Users", &[("startIndex", "2"), ("count", "2")]).await;
    assert_eq!((got.names()[0], got.body["nextCursor"].is_string()), ("user0@example.org", true));
}

#[tokio::test]
async fn lists_come_in_the_order_that_is_asked_for() {
    let world = World::new("").await;
    for (name, title, email) in [("bo", Some("b"), "z@x.org"), ("Ana", Some("C"), "Y@x.org"), ("cy", None, "x@x.org")] {
        let mut body = user(name);
        if let Some(title) = title {
            body["title"] = json!(title);
        }
        body["emails"] = json!([{ "value": "0@x.org" }, { "value": email, "primary": true }]);
        world.create(body).await;
    }
    for (by, order, expected) in [
        ("userName", "ascending", ["Ana", "bo", "cy"]),
        ("userName", "descending", ["cy", "bo", "Ana"]),
        ("title", "", ["bo", "Ana", "cy"]),
        ("title", "descending", ["cy", "Ana", "bo"]),
        ("emails", "", ["cy", "Ana", "bo"]),
        ("emails.value", "", ["cy", "Ana", "bo"]),
        ("meta.created", "", ["bo", "Ana", "cy"]),
    ] {
        let got = world.list("/Users", &[("sortBy", by), ("sortOrder", order)]).await;
        assert_eq!(got.names(), expected, "{by} {order}");
    }
    assert_eq!(world.list("/Users", &[("sortBy", "title"), ("sortOrder", "up")]).await.kind(), "invalidValue");
}

#[tokio::test]
async fn a_search_does_what_a_list_does_and_the_base_has_all_types() {
    let world = World::new("generated_users = 3").await;
    world.group("Sales", &[]).await;
    let search = |filter: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": filter,
            "attributes": ["displayName"],
            "startIndex": 1,
            "count": 2,
        })
    };
    let got = world.post("/Users/.search", search("displayName sw \"user\"")).await;
    assert_eq!(got.status.as_u16(), 200, "{}", got.body);
    assert_eq!((&got.body["totalResults"], &got.body["itemsPerPage"]), (&json!(3), &json!(2)));
    assert_eq!(got.body["Resources"][0]["userName"], Value::Null);
    let got = world.post("/.search", search("meta.resourceType eq \"Group\" or userName sw \"user2\"")).await;
    assert_eq!(got.names(), ["User Number 2", "Sales"]);
    assert_eq!(world.get("/").await.body["totalResults"], 4);
    let mut wrong = search("title pr");
    wrong["schemas"] = json!([]);
    assert_eq!(world.post("/Users/.search", wrong).await.kind(), "invalidSyntax");
    let mut wrong = search("title pr");
    wrong["count"] = json!("2");
    assert_eq!(world.post("/Users/.search", wrong).await.kind(), "invalidValue");
}

#[tokio::test]
async fn a_hundred_thousand_users_are_found_by_name_at_once() {
    let world = World::new("generated_users = 100000").await;
    let begun = std::time::Instant::now();
    for filter in [
        "userName eq \"USER99999@example.org\"",
        "externalId eq \"made-up-99999\"",
        "emails.value eq \"user99999@example.org\"",
    ] {
        let got = world.list("/Users", &[("filter", filter)]).await;
        assert_eq!(got.names(), ["user99999@example.org"], "{filter}");
    }
    assert!(begun.elapsed().as_millis() < 1_000, "three look-ups took {:?}", begun.elapsed());
    let clash = world.post("/Users", user("user77777@EXAMPLE.org")).await;
    assert_eq!(clash.status.as_u16(), 409);
    let end = world.list("/Users", &[("startIndex", "99999"), ("count", "10")]).await;
    assert_eq!((end.names().len(), &end.body["totalResults"]), (2, &json!(100_000)));
}
