//! What stands on the disk: nothing readable, nothing left after a purge, one changing phase at a time.

use std::path::Path;

use sterna_core::state::ProfileState;
use sterna_ledger::{Ledger, LedgerError, Presence, audit, key::ProjectKey, status};

use crate::support::{NOW, World, account, reject};

/// Searches every file of a folder for a text.
fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn no_secret_and_no_person_stands_in_the_clear() {
    let world = World::new().await;
    world.read(vec![account("marker-name"), reject("marker-reject")]).await;
    world.plan().await;
    for text in ["marker-name", "Secret-marker", "Person marker", "marker-reject"] {
        assert!(!holds(world.ledger.folder(), text), "{text}");
    }
}

#[tokio::test]
async fn after_a_purge_counts_are_left_and_nothing_opens() {
    let world = World::new().await;
    world.read(vec![account("ana"), reject("x")]).await;
    world.ledger.purge(NOW).await.unwrap();
    let folder = world.ledger.folder().to_owned();
    let World { folder: _keep, key, ledger } = world;
    drop(ledger);
    assert_eq!(Ledger::presence(&folder).unwrap(), Presence::Purged);
    let error = Ledger::open(&folder, &key).await.err().unwrap();
    assert!(matches!(error, LedgerError::Purged), "{error}");
    let status = status::read(&folder).unwrap();
    assert_eq!((status.accounts, status.rejected, status.purged, status.adds_up), (1, 1, true, true));
    assert_eq!(status.profile(ProfileState::Seen), 1);
}

#[tokio::test]
async fn a_ledger_opens_with_its_own_key_alone() {
    let world = World::new().await;
    let folder = world.ledger.folder().to_owned();
    assert!(Ledger::open(&folder, &world.key).await.is_ok());
    let error = Ledger::open(&folder, &ProjectKey::generate().unwrap()).await.err().unwrap();
    assert!(matches!(error, LedgerError::WrongKey), "{error}");
}

#[tokio::test]
async fn the_audit_log_is_chained_and_a_changed_entry_is_noticed() {
    let world = World::new().await;
    world.ledger.audit(NOW, "first".into()).await.unwrap();
    world.ledger.audit(NOW, "second".into()).await.unwrap();
    let (entries, broken) = audit::read(world.ledger.folder()).unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.entry.as_str()).collect::<Vec<_>>(),
        ["ledger made", "first", "second"]
    );
    assert_eq!(broken, None);
    let store = rusqlite::Connection::open(world.ledger.folder().join("ledger.sqlite")).unwrap();
    store.execute("UPDATE audit SET entry = 'other' WHERE seq = 2", []).unwrap();
    assert_eq!(audit::read(world.ledger.folder()).unwrap().1, Some(2));
}

#[tokio::test]
async fn a_copy_holds_the_same_counts() {
    let world = World::new().await;
    world.read(vec![account("ana"), account("bo")]).await;
    let copy = world.folder.path().join("copy");
    world.ledger.copy_to(&copy).await.unwrap();
    assert_eq!(status::read(&copy).unwrap().accounts, 2);
    assert!(Ledger::open(&copy, &world.key).await.is_ok());
}
