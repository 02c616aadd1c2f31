//! Extension properties, applications, domains, providers, roles, and what a tenant starts with.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sterna_emulators::entra::Options;

use crate::support::{World, local, options, social};

async fn extensions_app(world: &World) -> Value {
    let got = world
        .get("/applications?$filter=startswith(displayName,'b2c-extensions-app')&$select=id,appId,displayName")
        .await;
    assert_eq!(got.body["value"].as_array().unwrap().len(), 1);
    got.body["value"][0].clone()
}

fn flag() -> Value {
    json!({ "name": "toBeMigrated", "dataType": "Boolean", "targetObjects": ["User"] })
}

#[tokio::test]
async fn an_extension_property_is_made_waited_for_used_and_removed() {
    let world = World::with(Options {
        scenario: sterna_emulators::entra::Scenario::parse("extension_delay_ms = 300").unwrap(),
        ..options("")
    })
    .await;
    let app = extensions_app(&world).await;
    let path = format!("/applications/{}/extensionProperties", app["id"].as_str().unwrap());
    let made = world.post(&path, flag()).await;
    let name = format!("extension_{}_toBeMigrated", app["appId"].as_str().unwrap().replace('-', ""));
    assert_eq!((made.status, made.body["name"].as_str()), (StatusCode::CREATED, Some(name.as_str())));
    assert_eq!(made.body["isMultiValued"], false);
    assert_eq!(world.post(&path, flag()).await.status, StatusCode::BAD_REQUEST);
    let mut user = local("Ana");
    user[&name] = json!(true);
    assert_eq!(
        world.post("/users", user.clone()).await.message(),
        format!("The following extension properties are not available: {name}.")
    );
    let available = "/directoryObjects/getAvailableExtensionProperties";
    assert_eq!(world.post(available, json!({ "isSyncedFromOnPremises": false })).await.body["value"], json!([]));
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(world.post(available, json!({})).await.body["value"][0]["name"], name.as_str());
    let id = world.create(user.clone()).await.id();
    world.create(social("x")).await;
    let listed = world.get(&format!("/users?$select=id,{name}")).await.body;
    assert_eq!(listed["value"][0][&name], true);
    assert!(listed["value"][1].get(&name).is_none(), "what is not set is left out");
    user[&name] = json!("true");
    assert_eq!(world.post("/users", user).await.target(), name);
    assert_eq!(world.delete(&format!("{path}/{}", made.id())).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.patch(&format!("/users/{id}"), json!({ &name: false })).await.status, StatusCode::BAD_REQUEST);
    assert!(world.state().await["users"][0].get(&name).is_none());
}

#[tokio::test]
async fn extension_values_must_fit_their_type() {
    let kinds = ["Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String"];
    let one = |kind: &str| format!("[[extension]]\nname = \"x{kind}\"\ndata_type = \"{kind}\"\n");
    let scenario = kinds.map(one).concat();
    let world = World::new(&scenario).await;
    let prefix = format!("extension_{}_x", extensions_app(&world).await["appId"].as_str().unwrap().replace('-', ""));
    let cases = [
        ("Binary", json!("AAEC"), json!("not base64!")),
        ("Boolean", json!(false), json!("false")),
        ("DateTime", json!("2026-01-02T03:04:05Z"), json!("yesterday")),
        ("Integer", json!(2_147_483_647), json!(2_147_483_648_u64)),
        ("LargeInteger", json!(9_007_199_254_740_993_i64), json!(1.5)),
        ("String", json!("s".repeat(250)), json!("s".repeat(251))),
    ];
    for (at, (kind, good, bad)) in cases.into_iter().enumerate() {
        let name = format!("{prefix}{kind}");
        let mut user = social(&at.to_string());
        user[&name] = bad;
        assert_eq!(world.post("/users", user.clone()).await.target(), name);
        user[&name] = good;
        world.create(user).await;
    }
}

#[tokio::test]
async fn an_object_holds_a_hundred_extension_values() {
    let one = |at| format!("[[extension]]\nname = \"x{at}\"\n");
    let scenario = (0..101).map(one).collect::<Vec<_>>().concat();
    let world = World::new(&scenario).await;
    let prefix = format!("extension_{}_x", extensions_app(&world).await["appId"].as_str().unwrap().replace('-', ""));
    let mut user = social("a");
    (0..100).for_each(|at| user[format!("{prefix}{at}")] = json!("v"));
    let id = world.create(user.clone()).await.id();
    assert_eq!(
        world.patch(&format!("/users/{id}"), json!({ format!("{prefix}100"): "v" })).await.status,
        StatusCode::BAD_REQUEST
    );
    user["identities"][0]["issuerAssignedId"] = json!("b");
    user[format!("{prefix}100")] = json!("v");
    assert_eq!(world.post("/users", user).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn domains_tell_the_default_one_which_local_identities_are_issued_by() {
    let scenario = "[tenant]\nname = \"fabrikam.onmicrosoft.com\"\ndomains = [\"fabrikam.com\"]\nunverified_domains = [\"later.example\"]\ndefault_domain = \"fabrikam.com\"";
    let world = World::new(scenario).await;
    let domains = world.get("/domains").await.body;
    let told: Vec<_> = domains["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["id"].as_str().unwrap(), one["isDefault"] == true, one["isInitial"] == true, one["isVerified"] == true)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("fabrikam.onmicrosoft.com", false, true, true),
            ("fabrikam.com", true, false, true),
            ("later.example", false, false, false)
        ]
    );
    let mut user = local("Ana");
    user["identities"][0]["issuer"] = json!("fabrikam.onmicrosoft.com");
    assert_eq!(
        world.post("/users", user.clone()).await.message(),
        "Issuer should match tenants domainName for non federated identity."
    );
    user["identities"][0]["issuer"] = json!("fabrikam.com");
    let made = world.create(user).await;
    assert_eq!(made.body["userPrincipalName"], format!("{}@fabrikam.onmicrosoft.com", made.id()));
}

#[tokio::test]
async fn the_rights_of_an_application_can_be_read() {
    let world = World::new("[[app]]\nroles = [\"Application.Read.All\", \"User.Read.All\"]").await;
    let client = world.emulator.ready().client_id.clone().unwrap();
    let principal = world.get(&format!("/servicePrincipals(appId='{client}')?$select=id")).await;
    let graph =
        world.get("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,appRoles").await.body;
    let assigned = world.get(&format!("/servicePrincipals/{}/appRoleAssignments", principal.id())).await.body;
    let name = |id: &Value| {
        graph["appRoles"].as_array().unwrap().iter().find(|role| role["id"] == *id).unwrap()["value"].clone()
    };
    let names: Vec<Value> = assigned["value"].as_array().unwrap().iter().map(|one| name(&one["appRoleId"])).collect();
    assert_eq!(names, ["Application.Read.All", "User.Read.All"]);
    assert_eq!(assigned["value"][0]["resourceId"], graph["id"]);
}

#[tokio::test]
async fn a_source_tenant_starts_with_guests_administrators_and_its_providers() {
    let scenario = r#"
        [[extension]]
        name = "legacyId"
        [[provider]]
        id = "Apple-Managed-OIDC"
        name = "Apple"
        [[user]]
        password = "old"
        last_sign_in = "2026-05-01T10:00:00Z"
        [user.properties]
        displayName = "Ana"
        "{extension}_legacyId" = "7"
        identities = [{ signInType = "emailAddress", issuer = "contoso.onmicrosoft.com", issuerAssignedId = "ana@b.de" }]
        [[user]]
        roles = ["Global Administrator"]
        [user.properties]
        displayName = "Root"
        userPrincipalName = "root@contoso.onmicrosoft.com"
        [[user]]
        [user.properties]
        displayName = "Guest"
        userType = "Guest"
        userPrincipalName = "guest_fabrikam.com#EXT#@contoso.onmicrosoft.com"
    "#;
    let world = World::b2c(scenario).await;
    let users = world.get("/users?$select=displayName,userType,userPrincipalName,signInActivity").await.body;
    let names: Vec<&str> =
        users["value"].as_array().unwrap().iter().map(|user| user["displayName"].as_str().unwrap()).collect();
    assert_eq!(names, ["Ana", "Root", "Guest"]);
    assert_eq!(users["value"][0]["signInActivity"]["lastSignInDateTime"], "2026-05-01T10:00:00Z");
    let roles = world.get("/directoryRoles").await.body;
    let role = roles["value"][0]["id"].as_str().unwrap();
    let members = world.get(&format!("/directoryRoles/{role}/members?$select=displayName")).await.body;
    assert_eq!(members["value"][0]["displayName"], "Root");
    let root = users["value"][1]["id"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/users/{root}/memberOf")).await.body["value"][0]["displayName"],
        "Global Administrator"
    );
    assert_eq!(
        world.get("/users/guest_fabrikam.com%23EXT%23@contoso.onmicrosoft.com").await.body["displayName"],
        "Guest"
    );
    let providers = world.get("/identity/identityProviders").await.body;
    assert_eq!(providers["value"][0]["displayName"], "Apple");
}
