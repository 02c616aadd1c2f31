//! Whose old password counts no more: each a way in which somebody could have got in who should not.

use serde_json::json;
use sterna_core::{
    ids::Ordinal,
    port::Record,
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
    time::{Moment, Timestamp},
};
use sterna_ledger::sending::Outcome;

use crate::{
    old::Mood,
    target::MADE,
    world::{Options, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reset_a_leaked_password_does_not_find_it_restored() {
    let world = World::new().await;
    world.new.change("t-1", |held| held.password_changed = Some(Timestamp(MADE.0 + 3_600_000)));
    assert_eq!(world.right(1).await, "wrong");
    assert_eq!(world.credential(1).await, CredentialState::AwaitingSignIn);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_password_does_not_count_where_the_settings_say_so() {
    let password = sterna_core::hook::PasswordRules { judge_change: false, ..Default::default() };
    let sweep = sterna_serve::SweepRules { per_second: 0.0, password, ..Default::default() };
    let world = World::with(Options { sweep, ..Options::default() }).await;
    world.new.change("t-1", |held| held.password_changed = Some(Timestamp(MADE.0 + 3_600_000)));
    assert_eq!(world.right(1).await, "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_flag_is_gone_is_not_accepted_again() {
    let world = World::new().await;
    for awaiting in [Some(false), None] {
        world.new.change("t-1", |held| held.awaiting = awaiting);
        assert_eq!(world.right(1).await, "wrong");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_account_is_checked_in_full_again_and_a_moved_one_never() {
    let world = World::new().await;
    assert_eq!(world.right(1).await, "accept");
    assert_eq!(world.credential(1).await, CredentialState::Answered);
    assert_eq!(world.decide("t-1", "wrong", "192.0.2.1").await, "wrong");
    assert_eq!(world.right(1).await, "accept");
    assert_eq!(world.old.asked(), 3);
    let steps = vec![(Ordinal(1), CredentialEvent::FlagCleared)];
    assert_eq!(world.ledger.credential_steps(steps, Timestamp(3)).await.unwrap(), 1);
    assert_eq!(world.right(1).await, "wrong");
    assert_eq!(world.old.asked(), 3, "the old system is not asked any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_undone_or_is_missing_is_not_accepted() {
    let world = World::new().await;
    world.step(1, ProfileEvent::Undo, Some(CredentialEvent::Removed)).await;
    assert_eq!(world.right(1).await, "wrong");
    world.step(2, ProfileEvent::Miss, None).await;
    assert_eq!(world.right(2).await, "wrong");
    assert_eq!(world.old.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_gone_at_the_target_is_not_accepted_whatever_the_settings_say() {
    for confirm in [sterna_serve::Confirm::Always, sterna_serve::Confirm::WhenReachable] {
        let world = World::with(Options { confirm, ..Options::default() }).await;
        world.new.held.lock().unwrap().remove("t-1");
        assert_eq!(world.right(1).await, "try_later_unsettled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_tell_when_the_password_changed_has_not_told_that_it_did_not() {
    let world = World::new().await;
    world.new.change("t-1", |held| held.password_changed = None);
    assert_eq!(world.right(1).await, "try_later_outage");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_excluded_is_nobody_under_any_name() {
    let world = World::new().await;
    world.step(1, ProfileEvent::Undo, Some(CredentialEvent::Removed)).await;
    world.step(1, ProfileEvent::Exclude, None).await;
    for body in [
        json!({"id": "t-1", "password": "correct-1", "ip": "192.0.2.1"}),
        json!({"name": "p1@example.com", "password": "correct-1", "ip": "192.0.2.2"}),
    ] {
        assert_eq!(world.call("", &body).await["decision"], "wrong", "{body}");
        assert_eq!(world.call("/look", &body).await["found"], "not_there");
        assert_eq!(world.call("/harvest", &body).await["harvested"], "NotThere");
    }
    assert_eq!(world.old.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_the_same_account_and_has_no_guesses_of_its_own() {
    let world = World::new().await;
    for n in 0..30 {
        let name = if n % 2 == 0 { json!({"id": "t-1"}) } else { json!({"name": "P1@EXAMPLE.com"}) };
        let mut body = name;
        body["password"] = format!("wrong {n}").into();
        body["ip"] = format!("10.0.{n}.1").into();
        world.call("", &body).await;
    }
    assert_eq!(world.old.asked(), 10);
    assert_eq!(world.right(1).await, "try_later_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn namesakes_get_nobodys_password() {
    let world = World::new().await;
    let name = |name: &str, password: &str| json!({"name": name, "password": password, "ip": "192.0.2.7"});
    assert_eq!(world.call("", &name("P1@Example.com", "correct-1")).await["decision"], "accept");
    // a second account with the same sign-in name, of another source, never planned
    let mut twin = sterna_core::account::Account::new(sterna_core::ids::SourceKey::new("twin").unwrap());
    twin.identities.push(sterna_core::account::Identity::email("p2@example.com".to_owned()));
    let source =
        |name: &str| sterna_ledger::reading::SourceName { name: name.into(), formerly: None, connector: "csv".into() };
    let rows = world.ledger.register(vec![source("legacy"), source("other")]).await.unwrap();
    let row = world.ledger.begin_pass(&rows[1], false).await.unwrap();
    let mut next = world.ledger.next_ordinal().await.unwrap();
    let page = world.ledger.seal_new(&row, vec![Record::Account(Box::new(twin))], &mut next).unwrap();
    world.ledger.store_new(&row, page, None).await.unwrap();
    world.ledger.finish_pass(&row).await.unwrap();
    assert_eq!(world.call("", &name("p2@example.com", "correct-2")).await["decision"], "wrong");
    assert_eq!(world.call("", &name("p2@example.com", "correct-twin")).await["decision"], "wrong");
    assert_eq!(world.right(2).await, "accept", "by the target's id there is no doubt who is meant");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_told_try_later_while_requests_of_ours_are_in_doubt() {
    let world = World::new().await;
    assert_eq!(world.decide("unknown", "x", "192.0.2.1").await, "wrong");
    world.step(5, ProfileEvent::Miss, None).await;
    world.ledger.settle(vec![Outcome::step(Ordinal(5), ProfileEvent::Plan)], Timestamp(2)).await.unwrap();
    let until = Moment { wall: Timestamp(1), boot: 1, since_boot_ms: 1 };
    world.ledger.intend(9, vec![Ordinal(5)], until, Timestamp(2)).await.unwrap();
    assert_eq!(world.decide("unknown", "x", "192.0.2.1").await, "try_later_unsettled");
}

/// Account 5 is made again, and nobody has told us what came of it.
async fn in_doubt(world: &World) {
    let (five, plain) = (Ordinal(5), |event| Outcome::step(Ordinal(5), event));
    world.step(5, ProfileEvent::Undo, Some(CredentialEvent::Removed)).await;
    world.ledger.settle(vec![plain(ProfileEvent::Plan)], Timestamp(2)).await.unwrap();
    let until = Moment { wall: Timestamp(1), boot: 1, since_boot_ms: 1 };
    world.ledger.intend(9, vec![five], until, Timestamp(2)).await.unwrap();
    world.ledger.settle(vec![plain(ProfileEvent::Silence)], Timestamp(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_carries_our_key_is_the_account_in_doubt_unless_a_phase_is_looking_itself() {
    let world = World::new().await;
    in_doubt(&world).await;
    world.new.hold("t-new");
    let source = world.ledger.records(Ordinal(4), 1, &[ProfileState::InDoubt]).await.unwrap().remove(0);
    let key = world.ledger.account_key(source.source, &source.account.key);
    assert_eq!(world.decide("t-new", "correct-5", "192.0.2.1").await, "try_later_unsettled", "it has no key of ours");
    world.new.change("t-new", |held| held.key = Some(key));
    let lock = world.ledger.lock("apply").unwrap();
    assert_eq!(world.decide("t-new", "correct-5", "192.0.2.1").await, "try_later_unsettled");
    drop(lock);
    assert_eq!(world.decide("t-new", "wrong", "192.0.2.1").await, "wrong");
    assert_eq!(world.decide("t-new", "correct-5", "192.0.2.1").await, "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_moves_on_while_it_is_checked_is_not_accepted() {
    let world = World::new().await;
    world.old.be(Mood::Slow(std::time::Duration::from_millis(300)));
    let (decision, ()) = tokio::join!(world.right(1), async {
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        let steps = vec![(Ordinal(1), CredentialEvent::ChangedElsewhere)];
        world.ledger.credential_steps(steps, Timestamp(3)).await.unwrap();
    });
    assert_eq!(decision, "try_later_unsettled");
    assert_eq!(world.credential(1).await, CredentialState::Superseded);
}
