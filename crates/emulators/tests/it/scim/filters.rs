//! Filters (RFC 7644 3.4.2.2): the grammar against three people, as a table.

use reqwest::Method;
use serde_json::json;

use super::world::{ENTERPRISE, USER, World};

async fn people(scenario: &str) -> World {
    let world = World::new(scenario).await;
    let people = [
        json!({
            "schemas": [USER, ENTERPRISE], "userName": "Ana", "externalId": "K1", "active": true,
            "name": { "familyName": "Ruiz" }, "password": "Secret-1",
            "emails": [{ "value": "ana@example.org", "type": "work" }, { "value": "a@home.example", "type": "home" }],
            ENTERPRISE: { "department": "Sales", "manager": { "value": "m1" } },
        }),
        json!({
            "schemas": [USER], "userName": "bo \"b\" (c)", "externalId": "k1", "active": false,
            "emails": [{ "value": "bo@example.org", "type": "home" }],
        }),
        json!({ "schemas": [USER], "userName": "cy", "title": "Dr" }),
    ];
    for person in people {
        world.create(person).await;
    }
    world
}

#[tokio::test]
async fn filters_find_whom_the_table_says() {
    let world = people("").await;
    let group = world.group("Sales", &[]).await;
    let department = format!("{ENTERPRISE}:department sw \"sa\"");
    let manager = format!("{ENTERPRISE}:manager.value eq \"m1\"");
    let extension = format!("{ENTERPRISE} pr");
    let core = format!("{USER}:userName eq \"CY\"");
    let group = format!("groups.value eq \"{group}\"");
    let cases: &[(&str, &[&str])] = &[
        ("userName eq \"ANA\"", &["a"]),
        ("USERNAME EQ \"ana\"", &["a"]),
        ("userName eq \"bo \\\"b\\\" (c)\"", &["b"]),
        ("userName ne \"ana\"", &["b", "c"]),
        ("externalId eq \"k1\"", &["b"]),
        ("externalId eq \"K1\"", &["a"]),
        ("externalId ne \"K1\"", &["b", "c"]),
        ("userName co \"B\\\" (\"", &["b"]),
        ("userName sw \"c\"", &["c"]),
        ("userName ew \"NA\"", &["a"]),
        ("userName gt \"b\"", &["b", "c"]),
        ("userName ge \"cy\" or userName le \"ana\"", &["a", "c"]),
        ("userName lt \"b\"", &["a"]),
        ("title pr", &["c"]),
        ("title eq null", &["a", "b"]),
        ("not (title pr)", &["a", "b"]),
        ("active eq true", &["a"]),
        ("active ne true", &["b", "c"]),
        ("emails eq \"bo@example.org\"", &["b"]),
        ("emails.value co \"home.\"", &["a"]),
        ("emails.type eq \"home\" and emails.value ew \"example.org\"", &["a", "b"]),
        ("emails[type eq \"home\" and value ew \"example.org\"]", &["b"]),
        ("emails[not (type eq \"home\")]", &["a"]),
        ("emails pr", &["a", "b"]),
        ("name.familyName eq \"ruiz\"", &["a"]),
        ("userName eq \"ana\" or userName eq \"cy\" and active eq true", &["a"]),
        ("(userName eq \"ana\" or userName eq \"cy\") and not (active eq true)", &["c"]),
        ("meta.created gt \"2020-01-01T00:00:00Z\"", &["a", "b", "c"]),
        ("meta.resourceType eq \"Group\"", &[]),
        ("groups pr", &[]),
        (&department, &["a"]),
        (&manager, &["a"]),
        (&extension, &["a"]),
        (&core, &["c"]),
        (&group, &[]),
    ];
    for (filter, expected) in cases {
        let got = world.list("/Users", &[("filter", filter)]).await;
        assert_eq!(got.status.as_u16(), 200, "{filter}: {}", got.body);
        let names: Vec<String> = got.names().iter().map(|name| name[..1].to_lowercase()).collect();
        assert_eq!(names, *expected, "{filter}");
        assert_eq!(got.body["totalResults"], expected.len(), "{filter}");
    }
}

#[tokio::test]
async fn what_is_no_filter_is_refused() {
    let world = people("").await;
    let deep = format!("{}title pr{}", "(".repeat(40), ")".repeat(40));
    let long = vec!["title pr"; 3_000].join(" or ");
    let long_text = format!("title eq \"{}\"", "x".repeat(20_000));
    let cases = [
        "userName",
        "userName eq",
        "userName eq ana",
        "userName eq \"ana",
        "userName eq 'ana'",
        "userName is \"ana\"",
        "userName eq \"ana\" and",
        "userName eq \"ana\" title pr",
        "(userName eq \"ana\"",
        "userName eq \"ana\")",
        "not title pr",
        "shoeSize eq 43",
        "emails.shoe eq \"x\"",
        "emails[shoe eq \"x\"]",
        "emails[type eq \"x\"",
        "emails[a[b pr]]",
        "userName[value pr]",
        "password eq \"Secret-1\"",
        "password pr",
        "active gt true",
        "active co \"t\"",
        "active eq \"true\"",
        "userName eq 7",
        "name eq \"x\"",
        "title gt null",
    ];
    let cases = cases.iter().copied().chain([deep.as_str(), long_text.as_str()]);
    for filter in cases {
        let got = world.list("/Users", &[("filter", filter)]).await;
        assert_eq!((got.status.as_u16(), got.kind()), (400, "invalidFilter"), "{filter}: {}", got.body);
        assert!(!got.body.to_string().contains("Secret-1"));
    }
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": long });
    assert_eq!(world.post("/Users/.search", search).await.kind(), "invalidFilter");
}

#[tokio::test]
async fn a_service_that_does_not_filter_says_so() {
    let world = people("[features]\nfilter = false\nsort = false").await;
    for parameter in ["filter", "sortBy"] {
        let got = world.list("/Users", &[(parameter, "title")]).await;
        assert_eq!(got.status.as_u16(), 501, "{parameter}");
    }
    assert_eq!(world.send(Method::GET, "/Users", None).await.names().len(), 3);
}
