//! Creating users.

use serde_json::json;

use crate::support::{World, local, social};

#[tokio::test]
async fn a_local_account_is_created_and_read_back() {
    let world = World::new("").await;
    let made = world.create(local("Ana")).await;
    let id = made.id();
    assert_eq!(made.headers["location"], world.url(&format!("/users/{id}")));
    let seen = world.get(&format!("/users/{id}?$select=displayName,identities,userPrincipalName")).await;
    assert_eq!(seen.body["displayName"], "Ana");
    let name = format!("{id}@contoso.onmicrosoft.com");
    assert_eq!(seen.body["userPrincipalName"], name.as_str());
    assert_eq!(
        seen.body["identities"][1],
        json!({ "signInType": "userPrincipalName", "issuer": "contoso.onmicrosoft.com", "issuerAssignedId": name })
    );
    let state = world.state().await;
    assert_eq!(state["users"][0]["_password"], "Str0ng-Passw0rd!");
    assert_eq!(state["counters"]["creates"], 1);
}

#[tokio::test]
async fn a_social_only_account_needs_no_password() {
    let world = World::new("").await;
    world.create(social("Sara")).await;
}
