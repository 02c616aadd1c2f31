//! Accounts that change at the source after they were sent: the password that may still be accepted is the newest one.

use sterna_core::{
    account::Credential,
    hook::Who,
    ids::{Ordinal, TargetId},
    plan::Action,
    port::Record,
    secrecy::ExposeSecret,
    state::{CredentialEvent, CredentialState, ProfileEvent},
};
use sterna_ledger::{sending::Outcome, sign_in::Candidate};

use crate::support::{NOW, World, account, moment, person};

/// Ana is at the target and has not signed in there.
async fn sent() -> (World, Ordinal) {
    let world = World::new().await;
    world.read(vec![with_password(hash("old"))]).await;
    let ordinal = world.plan().await[0];
    world.ledger.intend(1, vec![ordinal], moment(), NOW).await.unwrap();
    let outcome = Outcome {
        credential: Some(CredentialEvent::Created(CredentialState::AwaitingSignIn)),
        target: Some(target()),
        origin: Some(Action::Create),
        ..Outcome::step(ordinal, ProfileEvent::Holds)
    };
    world.ledger.settle(vec![outcome], NOW).await.unwrap();
    (world, ordinal)
}

fn target() -> TargetId {
    TargetId("t-1".into())
}

fn hash(value: &str) -> Credential {
    Credential::hash("bcrypt", value)
}

fn with_password(credential: Credential) -> Record {
    let mut ana = person("ana");
    ana.credential = credential;
    Record::Account(Box::new(ana))
}

async fn ana(world: &World) -> Candidate {
    world.ledger.meant(Who::TargetId(target())).await.unwrap().candidate.unwrap()
}

async fn step(world: &World, event: CredentialEvent) {
    world.ledger.credential_step(&target(), event, NOW).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_password_that_was_changed_before_the_first_sign_in_replaces_the_one_that_was_read() {
    for answered in [false, true] {
        let (world, _) = sent().await;
        if answered {
            step(&world, CredentialEvent::Answer).await;
        }
        let before = ana(&world).await;
        let mut changed = person("ana");
        changed.profile.display_name = Some("Ana the Second".into());
        changed.credential = hash("new");
        world.read(vec![Record::Account(Box::new(changed))]).await;
        let after = ana(&world).await;
        assert_eq!(after.account.credential, hash("new"));
        assert_eq!(after.account.profile, before.account.profile, "all else stays as it was sent");
        assert_eq!(after.standing, before.standing);
        assert!(world.status().adds_up);
    }
}

#[tokio::test]
async fn a_changed_password_is_late_once_and_a_changed_name_each_time() {
    let (world, _) = sent().await;
    let mut renamed = person("ana");
    renamed.profile.display_name = Some("Ana the Second".into());
    renamed.credential = hash("new");
    let renamed = || Record::Account(Box::new(renamed.clone()));
    assert_eq!(stored(&world, with_password(hash("new"))).await, (1, 0));
    assert_eq!(stored(&world, with_password(hash("new"))).await, (0, 1));
    assert_eq!(stored(&world, renamed()).await, (1, 0));
    assert_eq!(stored(&world, renamed()).await, (1, 0));
}

/// How many were late and how many the same.
async fn stored(world: &World, record: Record) -> (u64, u64) {
    let row = world.ledger.begin_pass(&world.source().await, false).await.unwrap();
    let mut next = world.ledger.next_ordinal().await.unwrap();
    let stored = world.ledger.store_again(&row, vec![record], None, &mut next).await.unwrap();
    world.ledger.finish_pass(&row).await.unwrap();
    (stored.late, stored.same)
}

#[tokio::test]
async fn a_password_that_was_taken_away_is_erased_and_comes_back_with_the_source() {
    let (world, _) = sent().await;
    world.read(vec![with_password(Credential::Nothing)]).await;
    let gone = ana(&world).await;
    assert_eq!(gone.standing.credential, CredentialState::AwaitingSignIn);
    assert_eq!(gone.account.credential, Credential::Nothing, "the old one is gone");
    world.read(vec![with_password(hash("again"))]).await;
    assert_eq!(ana(&world).await.account.credential, hash("again"), "a column that was left out by mistake is back");
}

#[tokio::test]
async fn a_password_that_moved_is_no_business_of_the_source() {
    for event in [CredentialEvent::FlagCleared, CredentialEvent::ChangedElsewhere] {
        let (world, _) = sent().await;
        step(&world, event).await;
        let before = ana(&world).await;
        for credential in [hash("new"), Credential::Nothing] {
            world.read(vec![with_password(credential)]).await;
            let after = ana(&world).await;
            assert_eq!(after.standing, before.standing);
            assert_eq!(after.account.credential, before.account.credential);
        }
    }
}

#[tokio::test]
async fn a_request_without_a_known_answer_keeps_the_sort_of_its_password() {
    let world = World::new().await;
    world.read(vec![account("ana")]).await;
    let ordinals = world.plan().await;
    world.ledger.intend(1, ordinals.clone(), moment(), NOW).await.unwrap();
    let plaintext = async || {
        let all = world.ledger.plaintexts(ordinals.clone()).await.unwrap();
        all[0].as_ref().map(|text| text.expose_secret().to_owned())
    };
    for credential in [hash("new"), Credential::Nothing] {
        world.read(vec![with_password(credential)]).await;
        assert_eq!(plaintext().await.as_deref(), Some("Secret-ana"));
    }
    world.read(vec![with_password(Credential::Plaintext("New-secret".into()))]).await;
    assert_eq!(plaintext().await.as_deref(), Some("New-secret"));
}
