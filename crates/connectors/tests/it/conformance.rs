//! The contract of a target as tests: every implementation runs the same ones.

use sterna_connectors::registry::TARGETS;
use sterna_core::{
    account::Identity,
    plan::Strategy,
    port::{Answer, Needs, Operation, Target},
    support::{Does, TargetSupport},
};

use crate::{
    entra::world::{World, create, draft, found, key, made, person, send, write},
    scim::{self, Emulated},
};

/// What every target has to do. The target is empty but for what it came with, and prepared.
async fn conforms(target: &dyn Target) {
    let descriptor = target.descriptor();
    assert!(descriptor.batch >= 1 && descriptor.concurrency >= 1 && descriptor.quota.rate() > 0.0);
    let just_in_time = descriptor.moves_at_sign_in;
    let findings = target.preflight(&Needs { creates: 3, links: true, just_in_time }).await;
    assert!(findings.iter().all(|finding| finding.severity != sterna_core::code::Severity::Error), "{findings:?}");

    let ana = person("Ana", &[Identity::email("ana@example.com"), Identity::federated("google.com", "4711")]);
    // pure, and the same every time
    assert_eq!(draft(target, &ana), draft(target, &ana));
    // nobody is found before, and everything afterwards: by key and by each identity
    assert_eq!(found(target, &ana).await, sterna_core::port::Found::default());
    let id = made(target, &ana).await;
    let there = found(target, &ana).await;
    assert_eq!(there.by_key, std::slice::from_ref(&id));
    assert_eq!(there.by_identity.len(), draft(target, &ana).0.identities.len());
    // what reads back is what was planned
    let held = target.read_back(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
    let (planned, _) = draft(target, &ana);
    assert_eq!(held.key, Some(key("Ana")));
    assert_eq!(target.compare(&planned, &held), []);
    // a second create of the same never makes a second account
    assert!(matches!(send(target, create(target, &ana)).await, Answer::Clashes { .. }));
    // as many answers as writes, in their order, and an empty batch is none
    let people: Vec<_> =
        (0..3).map(|n| person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))])).collect();
    let batch: Vec<_> = people.iter().map(|person| create(target, person)).collect();
    let sent = target.apply(0, &batch).await;
    assert_eq!(sent.answers.len(), 3);
    assert!(target.apply(0, &[]).await.answers.is_empty());
    for (person, answer) in people.iter().zip(&sent.answers) {
        let Answer::Holds(id) = answer else { panic!("{answer:?}") };
        assert_eq!(found(target, person).await.by_key, std::slice::from_ref(id));
    }
    // the inventory has all of them
    let page = target.inventory(None).await.unwrap();
    assert!(page.held.iter().any(|item| item.id == id && item.key == Some(key("Ana"))));
    // removed is gone, and removing once more says so
    assert_eq!(send(target, write(Operation::Remove { id: id.clone() })).await, Answer::Holds(id.clone()));
    assert!(found(target, &ana).await.by_key.is_empty());
    assert_eq!(send(target, write(Operation::Remove { id: id.clone() })).await, Answer::Lacks);
    assert_eq!(target.read_back(&[id]).await.unwrap(), [None]);
}

/// What a target's kind says of itself.
fn support(target: &dyn Target) -> TargetSupport {
    TARGETS.iter().find(|kind| kind.kind() == target.descriptor().kind).unwrap().support().unwrap()
}

/// What a kind says of itself in the support matrix is what its target does.
fn says_what_it_does(target: &dyn Target) {
    let (descriptor, support) = (target.descriptor(), support(target));
    assert_eq!(support.does.contains(&Does::ReadBack), descriptor.reads_back);
    assert_eq!(support.does.contains(&Does::Flag), descriptor.flag.is_some());
    assert_eq!(support.strategies.contains(&Strategy::JustInTime), descriptor.moves_at_sign_in);
    let mut ana = person("Ana", &[Identity::email("ana@example.com"), Identity::federated("google.com", "4711")]);
    ana.profile.groups = vec!["staff".into()];
    let (drafted, losses) = draft(target, &ana);
    assert_eq!(support.does.contains(&Does::Identities), drafted.identities.iter().any(|known| !known.is_local()));
    let loses_groups = losses.iter().any(|loss| loss.what == "groups");
    assert!(loses_groups != support.does.contains(&Does::Groups), "{losses:?}");
}

#[tokio::test]
async fn entra_external_id_keeps_the_contract() {
    let world = World::external_id("").await;
    let target = world.target().await;
    says_what_it_does(target.as_ref());
    conforms(target.as_ref()).await;
}

#[tokio::test]
async fn azure_ad_b2c_keeps_the_contract() {
    let world = World::b2c("").await;
    let target = world.target().await;
    says_what_it_does(target.as_ref());
    conforms(target.as_ref()).await;
}

#[tokio::test]
async fn a_scim_server_keeps_the_contract_by_bulk_and_by_single_requests() {
    for bulk in ["auto", "off"] {
        let Some(world) = scim::World::start() else { return };
        let target = world.target(&format!("groups = 'create'\nbulk = '{bulk}'")).await;
        says_what_it_does(target.as_ref());
        conforms(target.as_ref()).await;
    }
}

/// Connections have the names that the tests' issuers lead to.
const CONNECTIONS: &str = "[product]\nconnections = ['google.com', 'facebook.com']\n";

async fn scim_keeps_the_contract(kind: &'static str, scenario: &str, settings: &str) {
    let emulated = Emulated::start(kind, scenario).await;
    let target = emulated.target(settings).await;
    says_what_it_does(target.as_ref());
    conforms(target.as_ref()).await;
}

#[tokio::test]
async fn a_scim_service_keeps_the_contract() {
    scim_keeps_the_contract("scim", "", "groups = 'create'").await;
    scim_keeps_the_contract("scim", "", "groups = 'create'\nbulk = 'off'").await;
}

#[tokio::test]
async fn wso2_identity_server_keeps_the_contract() {
    let settings = "groups = 'create'\nroles = 'existing'";
    scim_keeps_the_contract("wso2-is", CONNECTIONS, settings).await;
    let settings = format!("{settings}\nfederated = 'single'\nbulk = 'off'");
    scim_keeps_the_contract("wso2-is", &format!("{CONNECTIONS}version = '7.1'\n"), &settings).await;
}

#[tokio::test]
async fn asgardeo_keeps_the_contract() {
    scim_keeps_the_contract("asgardeo", CONNECTIONS, "groups = 'create'\nroles = 'existing'").await;
}
