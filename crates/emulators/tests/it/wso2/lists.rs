//! Lists, filters and pages (wso2-scim.md 2.8).

use reqwest::Method;
use serde_json::{Value, json};

use super::{GROUP, World, user, with};
use crate::support::Got;

fn names(got: &Got) -> Vec<&str> {
    let resources = got.body["Resources"].as_array().map(Vec::as_slice).unwrap_or_default();
    resources.iter().map(|user| user["userName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_page_has_100_users_at_most() {
    let world = World::server("generated_users = 150").await;
    for (query, count) in
        [("", 100), ("?count=150", 100), ("?count=20", 20), ("?count=0", 0), ("?startIndex=101&count=100", 50)]
    {
        let got = world.get(&format!("/Users{query}")).await;
        assert_eq!((names(&got).len(), &got.body["totalResults"]), (count, &json!(150)), "{query}");
    }
    let world = World::server("generated_users = 150\n[product]\nwithout_quirks = [\"page_cap\"]").await;
    assert_eq!(names(&world.get("/Users?count=150").await).len(), 150);
}

#[tokio::test]
async fn what_a_list_cannot_do_is_refused() {
    let world = World::server("").await;
    let sorted = world.get("/Users?sortBy=userName").await;
    assert_eq!((sorted.status.as_u16(), sorted.detail()), (501, "Sorting is not supported"));
    for (filter, status, kind) in [
        ("userName eq \"a\" or userName eq \"b\"", 500, ""),
        ("userName pr", 400, "invalidFilter"),
        ("not (userName eq \"a\")", 400, "invalidFilter"),
    ] {
        assert_eq!(world.filter(filter).await.kind(), (status, kind), "{filter}");
    }
    let world = World::server("[product]\nwithout_quirks = [\"unquoted_filters\"]").await;
    assert_eq!(world.filter("userName eq \"a\" or userName eq \"b\"").await.status, 500);
    world.create(user("rock-and-roll")).await;
    assert_eq!(names(&world.filter("userName eq \"rock-and-roll\"").await), ["rock-and-roll"]);
    let world = World::server("[product]\nwithout_quirks = [\"unquoted_filters\", \"or_fails\"]").await;
    world.create(user("ana")).await;
    assert_eq!(names(&world.filter("userName eq \"ANA\" or userName eq \"b\"").await), ["ana"]);
}

#[tokio::test]
async fn users_are_found_with_and_without_their_store() {
    let world = World::server("[product]\nuser_stores = [\"LEGACY\"]").await;
    world.create(user("ana")).await;
    world.create(with("LEGACY/ana", &json!({ "externalId": "key 1" }))).await;
    for (filter, found) in [
        ("userName eq \"ana\"", vec!["ana"]),
        ("userName eq \"PRIMARY/Ana\"", vec!["ana"]),
        ("userName eq \"legacy/ana\"", vec!["LEGACY/ana"]),
        ("externalId eq \"key 1\"", vec!["LEGACY/ana"]),
        ("userName co \"an\" and externalId sw \"key\"", vec!["LEGACY/ana"]),
    ] {
        assert_eq!(names(&world.filter(filter).await), found, "{filter}");
    }
    assert_eq!(names(&world.get("/Users?domain=LEGACY").await), ["LEGACY/ana"]);
    assert_eq!(names(&world.get("/Users?domain=primary").await), ["ana"]);
    assert_eq!(world.get("/Users?domain=OTHER").await.detail(), "Invalid user store domain: OTHER");
    for (domain, name) in [("LEGACY", "PRIMARY/ana"), ("PRIMARY", "LEGACY/ana")] {
        let query = format!("/Users?domain={domain}&filter=userName%20eq%20%22{name}%22");
        assert_eq!(world.get(&query).await.status, 500, "{domain}");
    }
    let asgardeo = World::asgardeo("").await;
    asgardeo.create(user("ana@example.org")).await;
    for filter in ["userName eq \"ana@example.org\"", "userName eq \"DEFAULT/ana@example.org\"", "userName sw \"ana@\""]
    {
        assert_eq!(names(&asgardeo.filter(filter).await), ["DEFAULT/ana@example.org"], "{filter}");
    }
}

#[tokio::test]
async fn rare_habits_of_lists_are_turned_on_by_name() {
    let world = World::server("[product]\nuser_stores = [\"LEGACY\"]").await;
    for name in ["ana", "bob", "LEGACY/ana"] {
        world.create(user(name)).await;
    }
    let quirks = json!(["list_without_schemas", "total_of_store", "store_prefix", "mandated_domain"]);
    assert_eq!(world.control(Method::POST, "/quirks", quirks).await.status, 200);
    let got = world.get("/Users").await;
    assert_eq!(names(&got), ["PRIMARY/ana", "PRIMARY/bob", "LEGACY/ana"]);
    assert_eq!((&got.body["totalResults"], &got.body["Resources"][0]["schemas"]), (&json!(2), &Value::Null));
    world.control(Method::POST, "/quirks", json!([])).await;
    assert_eq!(names(&world.get("/Users").await), ["ana", "bob", "ana"]);
}

#[tokio::test]
async fn groups_are_found_by_their_name() {
    let world = World::server("").await;
    world.post("/Groups", json!({ "schemas": [GROUP], "displayName": "staff" })).await;
    let get = |filter: &str| {
        let request = world.request(Method::GET, &world.scim("/Groups")).query(&[("filter", filter)]);
        async move { crate::support::read(request.send().await.unwrap()).await }
    };
    assert_eq!(get("displayName eq \"PRIMARY/staff\"").await.body["totalResults"], 1);
    assert_eq!(get("displayName ne \"staff\"").await.kind(), (400, "invalidFilter"));
    assert_eq!(get("displayName eq \"a\" and displayName eq \"b\"").await.kind(), (400, "invalidFilter"));
}

#[tokio::test]
async fn quirks_have_names_that_are_known_or_the_scenario_is_refused() {
    for scenario in ["quirks = [\"nonsense\"]", "[product]\nwithout_quirks = [\"nonsense\"]", "[product]\nnonsense = 1"]
    {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, scenario.as_bytes()).unwrap();
        let launch = sterna_emulators::Launch { scenario: Some(file.path().to_owned()), ..Default::default() };
        let error =
            (sterna_emulators::find("wso2-is").unwrap().start)(launch).await.err().map(|error| error.to_string());
        assert!(error.as_deref().is_some_and(|text| text.contains("nonsense")), "{scenario}: {error:?}");
    }
}
