//! Accounts are made, changed, found, read back and removed at scim2-server.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sterna_core::{
    account::{Account, Identity},
    code::Code,
    ids::TargetId,
    port::{Answer, Operation, Target},
};

use super::World;
use crate::entra::world::{create, draft, found, key, made, person, send, with_password, write};

fn people(range: std::ops::Range<u32>) -> Vec<Account> {
    range.map(|n| person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))])).collect()
}

async fn make_all(target: &dyn Target, people: &[Account]) -> Vec<Answer> {
    let batch: Vec<_> = people.iter().map(|person| create(target, person)).collect();
    target.apply(0, &batch).await.answers
}

fn ids(answers: &[Answer]) -> Vec<TargetId> {
    let id = |answer: &Answer| match answer {
        Answer::Holds(id) => id.clone(),
        other => panic!("not made: {other:?}"),
    };
    answers.iter().map(id).collect()
}

#[tokio::test]
async fn accounts_go_by_bulk_and_by_single_requests_and_are_the_same() {
    let Some(world) = World::start() else { return };
    let (bulk, single) = (world.target("").await, world.target("bulk = 'off'").await);
    assert!(single.descriptor().batch < bulk.descriptor().batch);
    let people = people(0..30);
    let made = ids(&make_all(bulk.as_ref(), &people[..20]).await);
    let more = ids(&make_all(single.as_ref(), &people[20..]).await);
    assert_eq!(world.users().await, 30);
    let all: Vec<TargetId> = made.into_iter().chain(more).collect();
    let held = bulk.read_back(&all).await.unwrap();
    for (person, held) in people.iter().zip(held) {
        let held = held.unwrap();
        assert_eq!(held.key, Some(key(person.key.as_str())));
        assert_eq!(bulk.compare(&draft(bulk.as_ref(), person).0, &held), []);
        assert_eq!(held.identities, person.identities);
    }
}

#[tokio::test]
async fn a_password_of_the_record_arrives_and_no_other_request_carries_one() {
    let Some(world) = World::start() else { return };
    let target = world.target("").await;
    let ana = with_password(person("Ana", &[Identity::email("ana@example.com")]), "Correct-horse-7!");
    let id = made(target.as_ref(), &ana).await;
    let changes = BTreeMap::from([("displayName".to_owned(), json!("Anna"))]);
    assert!(matches!(
        send(target.as_ref(), write(Operation::Update { id: id.clone(), changes })).await,
        Answer::Holds(_)
    ));
    let bo = made(target.as_ref(), &person("Bo", &[Identity::email("bo@example.com")])).await;
    let set = target.set_credential(&bo, &"Another-horse-8!".into()).await;
    assert_eq!(set, Answer::Holds(bo));
    let dump = world.server.dump().to_string();
    assert!(dump.contains("Correct-horse-7!") && dump.contains("Another-horse-8!") && dump.contains("Anna"), "{dump}");
}

#[tokio::test]
async fn a_conflict_costs_itself_only_and_is_told_as_one() {
    let Some(world) = World::start() else { return };
    let target = world.target("").await;
    let people = people(0..5);
    made(target.as_ref(), &people[2]).await;
    let answers = make_all(target.as_ref(), &people).await;
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(matches!(answer, Answer::Clashes { .. }), at == 2, "{answer:?}");
        assert_eq!(matches!(answer, Answer::Holds(_)), at != 2, "{answer:?}");
    }
    assert_eq!(world.users().await, 5);
}

#[tokio::test]
async fn requests_keep_to_the_announced_operations_and_bytes() {
    let bulk = json!({"bulk": {"supported": true, "maxOperations": 7, "maxPayloadSize": 2_000}});
    let Some(world) = World::announcing(&bulk) else { return };
    let target = world.target("").await;
    assert_eq!(target.descriptor().batch, 7);
    let people = people(0..40);
    ids(&make_all(target.as_ref(), &people).await);
    assert_eq!(world.users().await, 40);
    // one that fits into no bulk request goes alone
    let mut long = person("Long", &[Identity::email("long@example.com")]);
    long.profile.title = Some("x".repeat(3_000));
    let answers = make_all(target.as_ref(), &[long, person("Q", &[Identity::email("q@example.com")])]).await;
    ids(&answers);
}

#[tokio::test]
async fn a_server_without_bulk_or_patch_is_served_too() {
    let changes =
        json!({"bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0}, "patch": {"supported": false}});
    let Some(world) = World::announcing(&changes) else { return };
    let target = world.target("").await;
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let id = made(target.as_ref(), &ana).await;
    let changes =
        BTreeMap::from([("displayName".to_owned(), json!("Anna")), ("name.givenName".to_owned(), json!("A"))]);
    let answer = send(target.as_ref(), write(Operation::Update { id: id.clone(), changes })).await;
    assert_eq!(answer, Answer::Holds(id.clone()));
    let user = world.call("GET", &format!("/Users/{}", id.0), None).await;
    assert_eq!((&user["displayName"], &user["name"]["givenName"]), (&json!("Anna"), &json!("A")));
    assert_eq!(user["userName"], "ana@example.com", "what was not changed is still there");
    assert_eq!(target.set_credential(&id, &"Another-horse-8!".into()).await, Answer::Holds(id));
    assert!(world.server.dump().to_string().contains("Another-horse-8!"));
}

#[tokio::test]
async fn what_was_changed_elsewhere_is_a_difference_and_is_written_back() {
    let Some(world) = World::start() else { return };
    let target = world.target("").await;
    let mut ana = person("Ana", &[Identity::email("ana@example.com")]);
    ana.profile.title = Some("Dr".into());
    let id = made(target.as_ref(), &ana).await;
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": "Somebody"}, {"op": "remove", "path": "title"}]});
    world.call("PATCH", &format!("/Users/{}", id.0), Some(patch)).await;
    let (planned, _) = draft(target.as_ref(), &ana);
    let held = target.read_back(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
    let differences = target.compare(&planned, &held);
    let names: Vec<&str> = differences.iter().map(|difference| difference.attribute.as_str()).collect();
    assert_eq!(names, ["displayName", "title"]);
    let changes = differences.into_iter().map(|difference| (difference.attribute, difference.planned)).collect();
    send(target.as_ref(), write(Operation::Update { id: id.clone(), changes })).await;
    let held = target.read_back(&[id]).await.unwrap().remove(0).unwrap();
    assert_eq!(target.compare(&planned, &held), []);
}

#[tokio::test]
async fn people_come_into_groups_that_are_made_where_they_are_missing() {
    let Some(world) = World::start() else { return };
    let target = world.target("groups = 'create'").await;
    let mut people = people(0..250);
    for (at, person) in people.iter_mut().enumerate() {
        person.profile.groups =
            if at % 2 == 0 { vec!["staff".into()] } else { vec!["staff".into(), "odd \"ones\"".into()] };
    }
    let made = ids(&make_all(target.as_ref(), &people).await);
    let groups = world.call("GET", "/Groups", None).await;
    let count = |name: &str| {
        let groups = groups["Resources"].as_array().unwrap().iter();
        let of: Vec<&Value> = groups.filter(|group| group["displayName"] == name).collect();
        assert_eq!(of.len(), 1, "{name} is made once");
        of[0]["members"].as_array().unwrap().len()
    };
    assert_eq!((count("staff"), count("odd \"ones\"")), (250, 125));
    let held = target.read_back(&made).await.unwrap();
    for (person, held) in people.iter().zip(held) {
        assert_eq!(target.compare(&draft(target.as_ref(), person).0, &held.unwrap()), []);
    }
}

#[tokio::test]
async fn a_membership_that_got_lost_shows_and_an_update_gives_it_back() {
    let Some(world) = World::start() else { return };
    let target = world.target("groups = 'existing'").await;
    let mut ana = person("Ana", &[Identity::email("ana@example.com")]);
    ana.profile.groups = vec!["staff".into()];
    // the group is not there, and is not made
    let id = made(target.as_ref(), &ana).await;
    let (planned, _) = draft(target.as_ref(), &ana);
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Staff"});
    world.call("POST", "/Groups", Some(group)).await;
    // what a target knows of groups is of when it looked
    let target = world.target("groups = 'existing'").await;
    let held = target.read_back(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
    let differences = target.compare(&planned, &held);
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].attribute, "groups");
    let changes = differences.into_iter().map(|difference| (difference.attribute, difference.planned)).collect();
    let answer = send(target.as_ref(), write(Operation::Update { id: id.clone(), changes })).await;
    assert_eq!(answer, Answer::Holds(id.clone()));
    let held = target.read_back(&[id]).await.unwrap().remove(0).unwrap();
    let differences = target.compare(&planned, &held);
    assert!(differences.iter().all(|one| one.sort == sterna_core::port::DifferenceSort::Acceptable), "{differences:?}");
}

#[tokio::test]
async fn what_is_gone_is_told_as_gone() {
    let Some(world) = World::start() else { return };
    let target = world.target("").await;
    let id = made(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")])).await;
    let remove = || write(Operation::Remove { id: id.clone() });
    assert_eq!(send(target.as_ref(), remove()).await, Answer::Holds(id.clone()));
    assert_eq!(send(target.as_ref(), remove()).await, Answer::Lacks);
    let changes = BTreeMap::from([("displayName".to_owned(), json!("x"))]);
    assert_eq!(send(target.as_ref(), write(Operation::Update { id: id.clone(), changes })).await, Answer::Lacks);
    assert_eq!(target.set_credential(&id, &"Correct-horse-7!".into()).await, Answer::Lacks);
    // several at once
    let batch = [remove(), remove()];
    assert_eq!(target.apply(0, &batch).await.answers, [Answer::Lacks, Answer::Lacks]);
}

#[tokio::test]
async fn a_foreign_account_with_the_same_name_is_found_by_it_without_our_key() {
    let Some(world) = World::start() else { return };
    let target = world.target("").await;
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ANA@example.com"});
    let id = world.call("POST", "/Users", Some(user)).await["id"].as_str().unwrap().to_owned();
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let there = found(target.as_ref(), &ana).await;
    assert_eq!(there.by_key, []);
    assert_eq!(there.by_identity, [(Identity::email("ana@example.com"), TargetId(id))]);
    assert!(matches!(send(target.as_ref(), create(target.as_ref(), &ana)).await, Answer::Clashes { .. }));
}

#[tokio::test]
async fn a_wrong_token_ends_the_work_with_a_reason() {
    let Some(world) = World::start() else { return };
    let Ok(target) = world.connect("token = { env = 'WRONG' }").await else { return };
    let findings = target.preflight(&sterna_core::port::Needs::default()).await;
    assert!(findings.iter().any(|finding| finding.code == Code::E2003), "{findings:?}");
    let answers = make_all(target.as_ref(), &people(0..3)).await;
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Stops { code: Code::E2003, .. })), "{answers:?}");
}

#[tokio::test]
async fn memberships_go_with_the_accounts_and_a_conflict_costs_nobody_else_theirs() {
    let Some(world) = World::start() else { return };
    let target = world.target("groups = 'create'").await;
    let mut people = people(0..12);
    for person in &mut people {
        person.profile.groups = vec!["staff".into()];
    }
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "p3@example.com"});
    world.call("POST", "/Users", Some(user)).await;
    let answers = make_all(target.as_ref(), &people).await;
    assert!(matches!(answers[3], Answer::Clashes { .. }));
    let groups = world.call("GET", "/Groups", None).await;
    assert_eq!(groups["Resources"][0]["members"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn two_lanes_make_one_group() {
    let Some(world) = World::start() else { return };
    let target = world.target("groups = 'create'").await;
    let mut people = people(0..40);
    for person in &mut people {
        person.profile.groups = vec!["staff".into()];
    }
    let (one, other) = people.split_at(20);
    let (one, other) = tokio::join!(make_all(target.as_ref(), one), make_all(target.as_ref(), other));
    assert_eq!(ids(&one).len() + ids(&other).len(), 40);
    let groups = world.call("GET", "/Groups", None).await;
    assert_eq!(groups["totalResults"], 1);
    assert_eq!(groups["Resources"][0]["members"].as_array().unwrap().len(), 40);
}
