//! Reading sources: resuming, duplicates, what is gone, rejects and their mending.

use sterna_core::{ids::Ordinal, state::ProfileState};
use sterna_ledger::{
    LedgerError, PassEnd,
    reading::{Mended, SourceName},
};

use crate::support::{World, account, cursor, person, reject};

#[tokio::test]
async fn a_reading_that_was_killed_goes_on_after_its_last_stored_page() {
    let world = World::new().await;
    let row = world.ledger.begin_pass(&world.source().await, false).await.unwrap();
    let mut next = 1;
    let page = world.ledger.seal_new(&row, vec![account("ana"), reject("{")], &mut next).unwrap();
    world.ledger.store_new(&row, page, cursor(2)).await.unwrap();
    let again = world.ledger.begin_pass(&world.source().await, false).await.unwrap();
    assert!(again.open && !again.drained);
    assert_eq!(again.cursor, cursor(2));
    let status = world.status();
    assert_eq!((status.accounts, status.rejected, status.adds_up), (1, 1, true));
    assert_eq!(status.unfinished_sources, ["legacy"]);
}

#[tokio::test]
async fn a_reading_that_was_killed_before_its_end_is_only_ended_and_not_read_again() {
    let world = World::new().await;
    let row = world.ledger.begin_pass(&world.source().await, false).await.unwrap();
    let page = world.ledger.seal_new(&row, vec![account("ana")], &mut 1).unwrap();
    world.ledger.store_new(&row, page, None).await.unwrap();
    let again = world.ledger.begin_pass(&world.source().await, false).await.unwrap();
    assert!(again.drained);
    world.ledger.finish_pass(&again).await.unwrap();
    world.ledger.finish_pass(&again).await.unwrap();
    assert_eq!(world.status().unfinished_sources, Vec::<String>::new());
}

#[tokio::test]
async fn a_second_record_with_one_key_is_rejected_and_can_be_mended() {
    let world = World::new().await;
    let end = world.read(vec![account("ana"), account("bo"), account("ana")]).await;
    assert_eq!(end, PassEnd { duplicates: 1, gone: 0 });
    let status = world.status();
    assert_eq!((status.accounts, status.rejected, status.adds_up), (2, 1, true));
    let reject = world.ledger.rejects(0, 10).await.unwrap().remove(0);
    assert!(reject.is_account_form);
    let mended = sterna_core::port::Record::Account(Box::new(person("anabel")));
    let taken = world.ledger.mend(reject.id, mended, &mut 10).await.unwrap();
    assert_eq!(taken, Some(Mended::Taken));
    let status = world.status();
    assert_eq!((status.accounts, status.rejected, status.adds_up), (3, 0, true));
}

#[tokio::test]
async fn a_mended_record_that_is_a_duplicate_stays_rejected() {
    let world = World::new().await;
    world.read(vec![account("ana"), reject("{\"id\": \"an")]).await;
    let id = world.ledger.rejects(0, 10).await.unwrap()[0].id;
    let mended = sterna_core::port::Record::Account(Box::new(person("ana")));
    assert_eq!(world.ledger.mend(id, mended, &mut 10).await.unwrap(), Some(Mended::Duplicate));
    assert_eq!(world.status().rejected, 1);
}

#[tokio::test]
async fn reading_again_finds_what_is_new_changed_the_same_and_gone() {
    let world = World::new().await;
    world.read(vec![account("ana"), account("bo"), account("cy")]).await;
    world.plan().await;
    let mut bo = person("bo");
    bo.profile.display_name = Some("Bo the Second".into());
    let end = world.read(vec![account("ana"), sterna_core::port::Record::Account(Box::new(bo)), account("dee")]).await;
    assert_eq!(end.gone, 1);
    let status = world.status();
    assert_eq!(status.profile(ProfileState::Planned), 1, "ana is as she was");
    assert_eq!(status.profile(ProfileState::Seen), 2, "bo has changed, dee is new");
    assert_eq!(status.profile(ProfileState::Gone), 1, "cy");
    assert!(status.adds_up);
}

#[tokio::test]
async fn a_mended_record_is_neither_gone_nor_rejected_again_when_the_source_is_read_again() {
    let world = World::new().await;
    world.read(vec![account("ana"), reject("{broken")]).await;
    let id = world.ledger.rejects(0, 10).await.unwrap()[0].id;
    let mut next = world.ledger.next_ordinal().await.unwrap();
    world.ledger.mend(id, account("bo"), &mut next).await.unwrap();
    world.read(vec![account("ana"), reject("{broken")]).await;
    let status = world.status();
    assert_eq!((status.accounts, status.rejected, status.profile(ProfileState::Gone)), (2, 0, 0));
    assert!(status.adds_up);
}

#[tokio::test]
async fn live_accounts_that_share_a_sign_in_name_are_told() {
    let world = World::new().await;
    let mut other = person("other");
    other.identities = person("ana").identities;
    world.read(vec![account("ana"), account("bo"), sterna_core::port::Record::Account(Box::new(other))]).await;
    let mut doubles: Vec<Ordinal> = world.ledger.doubles().await.unwrap().into_iter().collect();
    doubles.sort();
    assert_eq!(doubles, [Ordinal(1), Ordinal(3)]);
}

#[tokio::test]
async fn a_renamed_source_is_noticed_and_taken_over_when_told() {
    let world = World::new().await;
    world.read(vec![account("ana")]).await;
    let uid = world.source().await.uid;
    let name = |formerly: Option<&str>| {
        vec![SourceName { name: "old".into(), formerly: formerly.map(str::to_owned), connector: "csv".into() }]
    };
    let error = world.ledger.register(name(None)).await.unwrap_err();
    assert!(matches!(error, LedgerError::Renamed { .. }), "{error}");
    let rows = world.ledger.register(name(Some("legacy"))).await.unwrap();
    assert_eq!(rows[0].uid, uid, "keys at the target do not change with the name");
}

#[tokio::test]
async fn an_interrupted_first_reading_can_begin_again_without_doubles() {
    let world = World::new().await;
    let row = world.ledger.begin_pass(&world.source().await, false).await.unwrap();
    let page = world.ledger.seal_new(&row, vec![account("ana"), reject("x")], &mut 1).unwrap();
    world.ledger.store_new(&row, page, cursor(1)).await.unwrap();
    let row = world.ledger.begin_pass(&world.source().await, true).await.unwrap();
    let page = world.ledger.seal_new(&row, vec![account("ana"), account("bo")], &mut 1).unwrap();
    world.ledger.store_new(&row, page, None).await.unwrap();
    assert_eq!(world.ledger.finish_pass(&row).await.unwrap().duplicates, 0);
    let status = world.status();
    assert_eq!((status.accounts, status.rejected, status.adds_up), (2, 0, true));
}
