//! Intents, answers and doubts.

use sterna_core::{
    code::Code,
    ids::{Ordinal, TargetId},
    plan::Action,
    secrecy::ExposeSecret,
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
};
use sterna_ledger::{
    LedgerError,
    sending::{Outcome, Selection},
};

use crate::support::{NOW, World, account, moment};

async fn planned(names: &[&str]) -> (World, Vec<Ordinal>) {
    let world = World::new().await;
    world.read(names.iter().map(|name| account(name)).collect()).await;
    let ordinals = world.plan().await;
    (world, ordinals)
}

fn held(ordinal: Ordinal, id: &str) -> Outcome {
    Outcome {
        credential: Some(CredentialEvent::Created(CredentialState::AwaitingSignIn)),
        target: Some(TargetId(id.into())),
        origin: Some(Action::Create),
        ..Outcome::step(ordinal, ProfileEvent::Holds)
    }
}

#[tokio::test]
async fn an_intent_of_a_dead_worker_is_in_doubt_since_its_own_time() {
    let (world, ordinals) = planned(&["ana", "bo"]).await;
    world.ledger.intend(1, ordinals.clone(), moment(), NOW).await.unwrap();
    assert_eq!(world.ledger.orphans_to_doubts(1, NOW).await.unwrap(), 0, "the worker itself is alive");
    assert_eq!(world.ledger.orphans_to_doubts(2, NOW).await.unwrap(), 2);
    let states = vec![ProfileState::InDoubt];
    let cases = world.ledger.cases(Selection { states, cohort: None, after: None, limit: 10 }).await.unwrap();
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[0].until, Some(moment()));
    assert_eq!(cases[0].attempt, 1);
}

#[tokio::test]
async fn an_answer_moves_profile_and_credential_together_and_names_the_target() {
    let (world, ordinals) = planned(&["ana"]).await;
    world.ledger.intend(1, ordinals.clone(), moment(), NOW).await.unwrap();
    world.ledger.settle(vec![held(ordinals[0], "t-1")], NOW).await.unwrap();
    let status = world.status();
    assert_eq!(status.profile(ProfileState::Applied), 1);
    assert_eq!(status.credential(CredentialState::AwaitingSignIn), 1);
    assert_eq!(status.target_accounts, 1);
    let id = TargetId("t-1".into());
    let standing = world.ledger.credential_step(&id, CredentialEvent::Answer, NOW).await.unwrap().unwrap();
    assert_eq!(standing.credential, CredentialState::Answered);
    let unknown = world.ledger.credential_step(&TargetId("x".into()), CredentialEvent::Answer, NOW).await.unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test]
async fn steps_and_pairs_that_do_not_exist_are_refused_and_change_nothing() {
    let (world, ordinals) = planned(&["ana"]).await;
    let error = world.ledger.settle(vec![held(ordinals[0], "t-1")], NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::Step(_)), "never held without an intent: {error}");
    world.ledger.intend(1, ordinals.clone(), moment(), NOW).await.unwrap();
    let without = Outcome { credential: None, ..held(ordinals[0], "t-1") };
    let error = world.ledger.settle(vec![without], NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::Pair { .. }), "applied needs a credential state: {error}");
    assert_eq!(world.status().profile(ProfileState::Intended), 1);
}

#[tokio::test]
async fn a_refusal_keeps_its_code_in_the_open_and_its_words_sealed() {
    let (world, ordinals) = planned(&["ana"]).await;
    world.ledger.intend(1, ordinals.clone(), moment(), NOW).await.unwrap();
    let refused = Outcome {
        code: Some(Code::E2101),
        detail: Some("ana@example.com is not allowed".into()),
        ..Outcome::step(ordinals[0], ProfileEvent::Refuse)
    };
    world.ledger.settle(vec![refused], NOW).await.unwrap();
    assert_eq!(world.status().reasons.get("E2101"), Some(&1));
    let detail = world.ledger.detail(ordinals[0]).await.unwrap();
    assert_eq!(detail.as_deref(), Some("ana@example.com is not allowed"));
}

#[tokio::test]
async fn recent_intents_are_counted_for_the_next_run() {
    let (world, ordinals) = planned(&["ana", "bo", "cy"]).await;
    world.ledger.intend(1, ordinals, moment(), NOW).await.unwrap();
    let sent = world.ledger.sent_since(NOW).await.unwrap();
    assert_eq!(sent.iter().map(|(_, count)| count).sum::<u32>(), 3);
}

#[tokio::test]
async fn the_plaintext_of_a_record_is_given_for_its_create_alone() {
    let (world, ordinals) = planned(&["ana"]).await;
    let passwords = world.ledger.plaintexts(ordinals).await.unwrap();
    assert_eq!(passwords[0].as_ref().unwrap().expose_secret(), "Secret-ana");
}
