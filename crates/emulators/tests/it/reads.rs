//! Reads: `$select`, filters, pages, delta, and the delay until a write shows (`entra.md` 4.2 and 4.8).

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_emulators::entra::Options;

use crate::support::{World, federated, identity, local, options, read, social};

fn ids(body: &Value) -> Vec<&str> {
    body["value"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect()
}

/// All pages from `path` on.
async fn pages(world: &World, path: &str) -> Vec<Value> {
    let (mut next, mut pages) = (Some(path.to_owned()), Vec::new());
    while let Some(path) = next.take() {
        let got = world.get(&path).await;
        assert_eq!(got.status, StatusCode::OK, "{:?}", got.body);
        next = got.body["@odata.nextLink"].as_str().map(ToOwned::to_owned);
        pages.push(got.body);
        assert!(pages.len() < 100, "pages without end");
    }
    pages
}

#[tokio::test]
async fn without_select_the_default_properties_come_and_no_others() {
    let world = World::new("").await;
    let id = world.create(local("Ana")).await.id();
    let got = world.get(&format!("/users/{id}")).await.body;
    let names: Vec<&String> = got.as_object().unwrap().keys().collect();
    let wanted = [
        "@odata.context",
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    ];
    assert_eq!(names, wanted);
    assert_eq!(got["businessPhones"], json!([]));
    let chosen =
        world.get(&format!("/users/{id}?$select=accountEnabled,userType,passwordProfile,creationType")).await.body;
    assert_eq!(
        (&chosen["accountEnabled"], &chosen["userType"], &chosen["passwordProfile"]),
        (&json!(true), &json!("Member"), &Value::Null)
    );
    assert_eq!(chosen["creationType"], "LocalAccount");
    assert_eq!(world.get(&format!("/users/{id}?$select=shoeSize")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn users_are_read_by_id_and_by_user_principal_name() {
    let world = World::new("").await;
    let made = world.create(local("Ana")).await;
    let name = made.body["userPrincipalName"].as_str().unwrap();
    assert_eq!(world.get(&format!("/users/{}", name.to_uppercase())).await.id(), made.id());
    assert_eq!(world.get(&format!("/users('{}')", made.id())).await.id(), made.id());
    assert_eq!(world.get("/users/nobody@contoso.onmicrosoft.com").await.code(), "Request_ResourceNotFound");
}

#[tokio::test]
async fn the_filters_of_the_reference_find_whom_they_name() {
    let world =
        World::new("[[extension]]\nname = \"legacyId\"\n[[extension]]\nname = \"flag\"\ndata_type = \"Boolean\"").await;
    let extensions = world.post("/directoryObjects/getAvailableExtensionProperties", json!({})).await.body;
    let [legacy, flag] = [0, 1].map(|at: usize| extensions["value"][at]["name"].as_str().unwrap().to_owned());
    let mut ana = local("O'Brien");
    ana["identities"] = json!([identity("emailAddress", "Ana@b.de"), federated("google.com", "G1")]);
    ana["mail"] = json!("ana@b.de");
    ana["otherMails"] = json!(["second@b.de"]);
    ana[&legacy] = json!("L-1");
    ana[&flag] = json!(true);
    let id = world.create(ana).await.id();
    world.create(local("Bo")).await;
    let found = [
        "identities/any(c:c/issuerAssignedId eq 'ana@B.de' and c/issuer eq 'contoso.onmicrosoft.com')".to_owned(),
        "identities/any(c:c/issuer eq 'contoso.onmicrosoft.com' and c/issuerAssignedId eq 'ana@b.de')".to_owned(),
        "identities/any(c:c/issuerAssignedId eq 'G1' and c/issuer eq 'google.com')".to_owned(),
        "identities/any(x:x/issuer eq 'google.com')".to_owned(),
        "displayName eq 'O''Brien'".to_owned(),
        "startswith(displayName,'o''b')".to_owned(),
        "mail eq 'ANA@b.de'".to_owned(),
        format!("id eq '{id}'"),
        format!("userPrincipalName eq '{id}@contoso.onmicrosoft.com'"),
        format!("mailNickname eq '{id}'"),
        format!("{legacy} eq 'L-1'"),
        format!("{legacy} in ('L-0','L-1')"),
        format!("{flag} eq true"),
        "otherMails/any(x:x eq 'second@b.de')".to_owned(),
        format!("{legacy} eq 'L-1' or {legacy} eq 'L-2'"),
        "(displayName eq 'O''Brien' and accountEnabled eq true)".to_owned(),
        "userType eq 'Member' and startswith(mail,'ana')".to_owned(),
    ];
    for filter in found {
        let got = world.request(Method::GET, "/users").query(&[("$filter", &filter)]).send().await.unwrap();
        let got = read(got).await;
        assert_eq!(ids(&got.body), [id.as_str()], "{filter}");
    }
    let missing = [
        "identities/any(c:c/issuerAssignedId eq 'g1' and c/issuer eq 'google.com')",
        "displayName eq 'nobody'",
        "createdDateTime ge 2099-01-01T00:00:00Z",
    ];
    for filter in missing {
        let got = world.get(&format!("/users?$filter={filter}")).await;
        assert_eq!(got.body["value"], json!([]), "{filter}");
    }
}

#[tokio::test]
async fn filters_that_graph_does_not_support_are_refused() {
    let world = World::new("").await;
    let many = vec!["displayName eq 'x'"; 16].join(" or ");
    let cases = [
        ("identities/any(c:c/issuerAssignedId eq 'x')", "Request_UnsupportedQuery"),
        ("identities/any(c:c/issuer eq 'contoso.onmicrosoft.com')", "Request_UnsupportedQuery"),
        ("identities/any(c:c/signInType eq 'federated')", "Request_UnsupportedQuery"),
        ("streetAddress eq 'x'", "Request_UnsupportedQuery"),
        ("displayName ne 'x'", "Request_UnsupportedQuery"),
        ("not startswith(displayName,'x')", "Request_UnsupportedQuery"),
        ("endswith(mail,'x')", "Request_UnsupportedQuery"),
        ("shoeSize eq 1", "Request_BadRequest"),
        ("displayName eq", "Request_BadRequest"),
        (many.as_str(), "Request_BadRequest"),
    ];
    for (filter, code) in cases {
        let got = world.get(&format!("/users?$filter={filter}")).await;
        assert_eq!((got.status, got.code()), (StatusCode::BAD_REQUEST, code), "{filter}");
    }
    for query in
        ["$orderby=displayName", "$search=\"x\"", "$expand=manager", "$skip=1", "$top=0", "$top=1000", "$skiptoken=x"]
    {
        assert_eq!(world.get(&format!("/users?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn advanced_queries_and_counts_need_eventual_consistency() {
    let world = World::new("[tenant]\ngenerated_users = 30").await;
    let eventual = |path: &str| world.request(Method::GET, path).header("ConsistencyLevel", "eventual").send();
    let got =
        read(eventual("/users?$filter=not startswith(displayName,'Ana')&$count=true&$top=5").await.unwrap()).await;
    assert_eq!((got.body["@odata.count"].as_u64(), ids(&got.body).len()), (Some(26), 5));
    let next = got.body["@odata.nextLink"].as_str().unwrap();
    let second = read(eventual(next).await.unwrap()).await;
    assert!(second.body.get("@odata.count").is_none());
    assert_eq!(world.get(next).await.status, StatusCode::BAD_REQUEST, "the link does not carry the header");
    let count = read(eventual("/users/$count").await.unwrap()).await;
    assert_eq!(count.body, json!(30));
    assert_eq!(world.get("/users/$count").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn pages_hold_everybody_once_with_absolute_opaque_links() {
    let world = World::new("[tenant]\ngenerated_users = 250").await;
    let pages = pages(&world, "/users?$select=id,identities&$top=99").await;
    assert_eq!(pages.iter().map(|page| ids(page).len()).collect::<Vec<_>>(), [99, 99, 52]);
    let root = world.emulator.ready().graph_url.clone().unwrap();
    assert!(pages[0]["@odata.nextLink"].as_str().unwrap().starts_with(&format!("{root}/v1.0/users?")));
    let mut all: Vec<&str> = pages.iter().flat_map(ids).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 250);
    assert_eq!(ids(&world.get("/users").await.body).len(), 100);
}

#[tokio::test]
async fn a_write_shows_only_after_the_read_delay() {
    let world = World::with(Options { read_delay_ms: Some(400), ..options("") }).await;
    let id = world.create(local("Ana")).await.id();
    let path = format!("/users/{id}");
    let by_identity = "/users?$filter=identities/any(c:c/issuerAssignedId eq 'Ana@example.com' and c/issuer eq 'x')";
    assert_eq!(world.get(&path).await.code(), "Request_ResourceNotFound");
    assert_eq!(world.patch(&path, json!({ "city": "Oslo" })).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get(by_identity).await.body["value"], json!([]));
    assert_eq!(world.get("/users").await.body["value"], json!([]));
    assert_eq!(world.post("/users", local("Ana")).await.target(), "proxyAddresses", "uniqueness does not lag");
    assert_eq!(world.state().await["users"][0]["id"], id.as_str(), "the state does not lag");
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(ids(&world.get(by_identity).await.body), [id.as_str()]);
    world.patch(&path, json!({ "city": "Oslo" })).await;
    assert_eq!(world.get(&format!("{path}?$select=city")).await.body["city"], Value::Null);
    world.delete(&path).await;
    assert_eq!(world.get(&path).await.status, StatusCode::OK);
    assert_eq!(world.delete(&path).await.status, StatusCode::NOT_FOUND, "writes know better than reads");
    assert_eq!(world.patch(&path, json!({ "city": "Rome" })).await.status, StatusCode::NOT_FOUND);
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_delta_tells_everybody_once_and_then_what_changed() {
    let world = World::new("[tenant]\ngenerated_users = 5").await;
    let first = pages(&world, "/users/delta?$select=displayName&$top=2").await;
    assert_eq!(first.iter().map(|page| ids(page).len()).sum::<usize>(), 5);
    let link = first.last().unwrap()["@odata.deltaLink"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&link).await.body["value"], json!([]));
    let gone = ids(&first[0])[0].to_owned();
    let new = world.create(social("x")).await.id();
    world.delete(&format!("/users/{gone}")).await;
    let next = world.get(&link).await.body;
    let mut seen = next["value"].as_array().unwrap().clone();
    seen.sort_by_key(|entry| entry.get("@removed").is_some());
    assert_eq!(seen[0], json!({ "id": new, "displayName": "x" }));
    assert_eq!(seen[1], json!({ "id": gone, "@removed": { "reason": "changed" } }));
    world.delete(&format!("/directory/deletedItems/{gone}")).await;
    let last = world.get(next["@odata.deltaLink"].as_str().unwrap()).await.body;
    assert_eq!(last["value"], json!([{ "id": gone, "@removed": { "reason": "deleted" } }]));
    assert_eq!(ids(&world.get(&format!("/users/delta()?$filter=id eq '{new}'")).await.body), [new.as_str()]);
    world.control(Method::POST, "/delta/expire", json!({})).await;
    let expired = world.get(&link).await;
    assert_eq!(expired.status, StatusCode::GONE);
    let start = expired.headers["location"].to_str().unwrap();
    assert_eq!(pages(&world, start).await.iter().map(|page| ids(page).len()).sum::<usize>(), 5, "it starts over");
}

#[tokio::test]
async fn sign_in_activity_needs_its_permission_and_can_be_forbidden() {
    let path = "/users?$select=id,signInActivity";
    let world = World::new("[tenant]\ngenerated_users = 1").await;
    let got = world.get(path).await;
    assert!(got.body["value"][0].get("signInActivity").is_none());
    let id = ids(&got.body)[0].to_owned();
    world.control(Method::POST, &format!("/users/{id}/sign-in"), json!({ "at": "2026-05-01T10:00:00Z" })).await;
    assert_eq!(world.get(path).await.body["value"][0]["signInActivity"]["lastSignInDateTime"], "2026-05-01T10:00:00Z");
    let poor = World::new("[[app]]\nroles = [\"User.Read.All\"]").await;
    assert_eq!(poor.get(path).await.code(), "Authorization_RequestDenied");
    let forbidden = World::new("[switches]\nsign_in_activity = \"forbidden\"").await;
    assert_eq!(forbidden.get(path).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let world = World::new("").await;
    for path in ["/groups", "/users/x/messages", "/me"] {
        assert_eq!(world.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let root = world.emulator.ready().graph_url.clone().unwrap();
    assert_eq!(world.get(&format!("{root}/beta/users")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.send(Method::PUT, "/users", Some(json!({}))).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
