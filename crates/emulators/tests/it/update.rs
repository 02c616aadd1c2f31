//! `PATCH`, `DELETE`, restore (`entra.md` 4.7 and 4.9).

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{World, federated, identity, local, social};

async fn identities_of(world: &World, id: &str) -> Vec<Value> {
    let got = world.get(&format!("/users/{id}?$select=identities")).await;
    got.body["identities"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_takes_away() {
    let world = World::new("").await;
    let id = world.create(local("Ana")).await.id();
    let path = format!("/users/{id}");
    assert_eq!(
        world.patch(&path, json!({ "jobTitle": "Pilot", "surname": "Jensen" })).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.patch(&path, json!({ "jobTitle": null })).await.status, StatusCode::NO_CONTENT);
    let got = world.get(&path).await;
    assert_eq!(
        (&got.body["jobTitle"], &got.body["surname"], &got.body["displayName"]),
        (&Value::Null, &json!("Jensen"), &json!("Ana"))
    );
    assert_eq!(world.patch(&path, json!({ "displayName": null })).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        world.patch("/users/6ba7b810-9dad-11d1-80b4-00c04fd430c8", json!({ "city": "x" })).await.code(),
        "Request_ResourceNotFound"
    );
}

#[tokio::test]
async fn identities_are_replaced_as_a_whole_and_the_generated_one_must_stay() {
    let world = World::new("").await;
    let id = world.create(local("Ana")).await.id();
    let path = format!("/users/{id}");
    let dropped = world
        .patch(
            &path,
            json!({ "identities": [identity("emailAddress", "Ana@example.com"), federated("google.com", "1")] }),
        )
        .await;
    assert_eq!((dropped.status, dropped.target()), (StatusCode::BAD_REQUEST, "identities"));
    let mut all = identities_of(&world, &id).await;
    all.push(federated("google.com", "1"));
    assert_eq!(world.patch(&path, json!({ "identities": all })).await.status, StatusCode::NO_CONTENT);
    assert_eq!(identities_of(&world, &id).await, all);
    world.create(social("x")).await;
    all.push(federated("facebook.com", "x"));
    assert_eq!(world.patch(&path, json!({ "identities": all })).await.target(), "identities");
}

#[tokio::test]
async fn freed_names_can_be_used_again() {
    let world = World::new("").await;
    let id = world.create(local("Ana")).await.id();
    let mut all = identities_of(&world, &id).await;
    all[0] = identity("emailAddress", "new@example.com");
    world.patch(&format!("/users/{id}"), json!({ "identities": all })).await;
    world.create(local("Ana")).await;
    assert_eq!(
        world
            .get("/users?$filter=identities/any(c:c/issuerAssignedId eq 'Ana@example.com' and c/issuer eq 'x')")
            .await
            .body["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_local_identity_cannot_be_added_to_a_social_b2c_account() {
    for (world, status) in
        [(World::b2c("").await, StatusCode::BAD_REQUEST), (World::new("").await, StatusCode::NO_CONTENT)]
    {
        let id = world.create(social("x")).await.id();
        let mut all = identities_of(&world, &id).await;
        all.push(identity("emailAddress", "x@b.de"));
        assert_eq!(world.patch(&format!("/users/{id}"), json!({ "identities": all })).await.status, status);
    }
}

#[tokio::test]
async fn identities_and_passwords_need_permissions_of_their_own() {
    let world = World::new("[[app]]\nroles = [\"User.ReadWrite.All\"]").await;
    let id = world.create(local("Ana")).await.id();
    let path = format!("/users/{id}");
    let all = identities_of(&world, &id).await;
    for body in [json!({ "identities": all }), json!({ "passwordProfile": { "password": "An0ther-Passw0rd" } })] {
        let got = world.patch(&path, body).await;
        assert_eq!((got.status, got.code()), (StatusCode::FORBIDDEN, "Authorization_RequestDenied"));
    }
    assert_eq!(world.patch(&path, json!({ "city": "Oslo" })).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_new_password_is_checked_against_the_policy_that_will_hold() {
    let world = World::b2c("").await;
    let path = format!("/users/{}", world.create(local("Ana")).await.id());
    let weak = json!({ "passwordProfile": { "password": "12345678" } });
    assert_eq!(world.patch(&path, weak.clone()).await.target(), "passwordProfile");
    let mut allowed = weak;
    allowed["passwordPolicies"] = json!("DisablePasswordExpiration, DisableStrongPassword");
    assert_eq!(world.patch(&path, allowed).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.state().await["users"][0]["_password"], "12345678");
}

#[tokio::test]
async fn a_deleted_user_frees_its_names_and_comes_back_only_while_they_are_free() {
    let world = World::new("").await;
    let id = world.create(local("Ana")).await.id();
    assert_eq!(world.delete(&format!("/users/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&format!("/users/{id}")).await.status, StatusCode::NOT_FOUND);
    let listed = world.get("/directory/deletedItems/microsoft.graph.user?$select=displayName,deletedDateTime").await;
    assert_eq!(listed.body["value"][0]["id"], id.as_str());
    assert!(listed.body["value"][0]["deletedDateTime"].is_string());
    let second = world.create(local("Ana")).await.id();
    let restore = format!("/directory/deletedItems/{id}/restore");
    assert_eq!(world.post(&restore, json!({})).await.status, StatusCode::BAD_REQUEST);
    world.delete(&format!("/users/{second}")).await;
    assert_eq!(world.post(&restore, json!({})).await.status, StatusCode::OK);
    assert_eq!(world.get(&format!("/users/{id}")).await.status, StatusCode::OK);
    let gone = format!("/directory/deletedItems/{second}");
    assert_eq!(world.delete(&gone).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.delete(&gone).await.status, StatusCode::NOT_FOUND);
}
