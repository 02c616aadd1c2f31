//! Bulk work and sign-ins beside each other, in processes of their own.

use std::process::{Child, Command, Stdio};

use sterna_core::{
    ids::TargetId,
    plan::Action,
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
};
use sterna_ledger::{Ledger, key::ProjectKey, sending::Outcome};

use crate::support::{NOW, World, account, moment};

const FOLDER: &str = "STERNA_TEST_SIGN_INS";
const SIGN_INS: usize = 100;

/// Not a test of its own: the other process of the test below, which runs this very binary.
#[tokio::test]
async fn records_sign_ins_when_asked_to() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = std::path::PathBuf::from(folder);
    let key = ProjectKey::read(&folder.join("sterna.key")).unwrap();
    let ledger = Ledger::open(&folder.join(".sterna"), &key).await.unwrap();
    for at in 0..SIGN_INS {
        let id = TargetId(format!("t-{at}"));
        ledger.credential_step(&id, CredentialEvent::Answer, NOW).await.unwrap().unwrap();
    }
}

fn sign_in_process(world: &World) -> Child {
    let this = std::env::current_exe().unwrap();
    Command::new(this)
        .args(["--exact", "beside::records_sign_ins_when_asked_to"])
        .env(FOLDER, world.folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_of_another_process_are_not_lost_beside_bulk_work() {
    let world = World::new().await;
    world.read((0..3_000).map(|at| account(&format!("u{at}"))).collect()).await;
    let ordinals = world.plan().await;
    let held = |at: usize| Outcome {
        credential: Some(CredentialEvent::Created(CredentialState::AwaitingSignIn)),
        target: Some(TargetId(format!("t-{at}"))),
        origin: Some(Action::Create),
        ..Outcome::step(ordinals[at], ProfileEvent::Holds)
    };
    world.ledger.intend(1, ordinals[..SIGN_INS].to_vec(), moment(), NOW).await.unwrap();
    world.ledger.settle((0..SIGN_INS).map(held).collect(), NOW).await.unwrap();
    let mut other = sign_in_process(&world);
    for batch in (SIGN_INS..ordinals.len()).collect::<Vec<_>>().chunks(20) {
        world.ledger.intend(1, batch.iter().map(|at| ordinals[*at]).collect(), moment(), NOW).await.unwrap();
        world.ledger.settle(batch.iter().map(|at| held(*at)).collect(), NOW).await.unwrap();
    }
    assert!(other.wait().unwrap().success());
    let status = world.status();
    assert_eq!(status.credential(CredentialState::Answered), SIGN_INS as u64);
    assert_eq!(status.profile(ProfileState::Applied), 3_000);
    assert!(status.adds_up);
}

#[tokio::test]
async fn a_second_changing_phase_is_refused_and_reading_is_not() {
    let world = World::new().await;
    let _lock = world.ledger.lock("apply").unwrap();
    let other = Ledger::open(world.ledger.folder(), &world.key).await.unwrap();
    assert!(other.lock("plan").unwrap_err().to_string().contains("apply"));
    assert_eq!(world.status().accounts, 0);
}
