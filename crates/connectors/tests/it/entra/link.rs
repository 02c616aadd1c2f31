//! Identities are changed by reading, adding and writing the whole array.

use reqwest::Method;
use serde_json::json;
use sterna_core::{
    account::Identity,
    code::Code,
    ids::TargetId,
    port::{Answer, Operation},
};

use super::world::{World, made, person, send, write};

fn ana() -> Identity {
    Identity::email("ana@example.com")
}

fn social() -> Identity {
    Identity::federated("google.com", "4711")
}

fn link(id: &TargetId, before: &[Identity], add: &[Identity]) -> sterna_core::port::Write {
    write(Operation::Link { id: id.clone(), before: before.to_vec(), add: add.to_vec() })
}

#[tokio::test]
async fn a_link_adds_to_what_is_there_and_keeps_the_generated_identity() {
    let world = World::b2c("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let id = made(target, &person("Ana", &[ana()])).await;
    let kept = world.users().await[0]["identities"].clone();
    assert_eq!(send(target, link(&id, &[ana()], &[social()])).await, Answer::Holds(id.clone()));
    let now = world.users().await[0]["identities"].clone();
    let now = now.as_array().unwrap();
    for one in kept.as_array().unwrap() {
        assert!(now.contains(one), "{one} is gone");
    }
    assert_eq!(now.len(), kept.as_array().unwrap().len() + 1);
    // the same once more: it is there, and nothing is written
    let writes = world.state().await["counters"]["writes"].clone();
    assert_eq!(send(target, link(&id, &[ana()], &[social()])).await, Answer::Holds(id.clone()));
    assert_eq!(world.state().await["counters"]["writes"], writes);
    // and away again
    let unlink = write(Operation::Unlink { id: id.clone(), remove: vec![social()] });
    assert_eq!(send(target, unlink).await, Answer::Holds(id));
    assert_eq!(world.users().await[0]["identities"], kept);
}

#[tokio::test]
async fn what_somebody_else_changed_is_planned_anew() {
    let world = World::b2c("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let id = made(target, &person("Ana", &[ana()])).await;
    let mut identities = world.users().await[0]["identities"].as_array().unwrap().clone();
    identities.push(json!({"signInType": "federated", "issuer": "facebook.com", "issuerAssignedId": "9"}));
    world.control(Method::PATCH, &format!("/users/{}", id.0), json!({ "identities": identities })).await;
    assert_eq!(send(target, link(&id, &[ana()], &[social()])).await, Answer::Changed);
    let gone = TargetId("00000000-0000-4000-8000-00000000dead".into());
    assert_eq!(send(target, link(&gone, &[ana()], &[social()])).await, Answer::Lacks);
}

#[tokio::test]
async fn a_social_only_b2c_account_gets_no_local_identity_and_nothing_is_sent() {
    let world = World::b2c("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let id = made(target, &person("Sara", &[social()])).await;
    let writes = world.state().await["counters"]["writes"].clone();
    let answer = send(target, link(&id, &[social()], &[ana()])).await;
    assert!(matches!(answer, Answer::Refuses { code: Code::L2006, .. }), "{answer:?}");
    assert_eq!(world.state().await["counters"]["writes"], writes);
}
