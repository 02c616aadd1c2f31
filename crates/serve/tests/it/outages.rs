//! Outages: never called a wrong password, never counted, always answered in time.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use sterna_core::{
    legacy::{Outage, Verdict},
    state::CredentialState,
};

use crate::{
    old::Mood,
    world::{Options, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_old_system_that_is_down_slow_or_hanging_is_told_as_try_later_and_costs_no_attempt() {
    let world = World::with(Options { deadline: Duration::from_millis(200), ..Options::default() }).await;
    for mood in [Mood::Down, Mood::Hanging, Mood::Slow(Duration::from_secs(5))] {
        world.old.be(mood);
        for n in 0..15 {
            let began = Instant::now();
            let decision = world.decide("t-1", "wrong", &format!("10.0.{n}.1")).await;
            assert!(decision == "try_later_outage" || decision == "try_later_overloaded", "{decision}");
            assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
        }
    }
    world.old.be(Mood::Well);
    assert_eq!(world.right(1).await, "accept", "nothing was counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flapping_old_system_is_never_read_as_a_wrong_password() {
    let world = World::with(Options { accounts: 60, ..Options::default() }).await;
    for number in 1..=60 {
        world.old.be(if number % 3 == 0 { Mood::Well } else { Mood::Says(Verdict::Unavailable(Outage::TimedOut)) });
        let decision = world.right(number).await;
        assert_eq!(decision, if number % 3 == 0 { "accept" } else { "try_later_outage" });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_answer_lets_nothing_be_accepted_unless_the_settings_say_so() {
    let world = World::new().await;
    world.new.down.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(world.right(1).await, "try_later_outage");
    assert_eq!(world.decide("t-1", "wrong", "192.0.2.1").await, "wrong");
    assert_eq!(world.credential(1).await, CredentialState::AwaitingSignIn);
    let options = Options { confirm: sterna_serve::Confirm::WhenReachable, ..Options::default() };
    let world = world.restarted(options).await;
    assert_eq!(world.right(1).await, "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_overload_everybody_is_answered_within_the_deadline() {
    let options = Options { accounts: 400, places: 8, deadline: Duration::from_millis(500), ..Options::default() };
    let world = World::with(options).await;
    world.old.be(Mood::Slow(Duration::from_millis(300)));
    let calls = (1..=400).map(|number| {
        let world = &world;
        async move {
            let began = Instant::now();
            let ip = format!("10.{}.{}.1", number / 200, number % 200);
            let decision = world.decide(&format!("t-{number}"), &format!("correct-{number}"), &ip).await;
            (decision, began.elapsed())
        }
    });
    let all: Vec<(String, Duration)> = stream::iter(calls).buffer_unordered(200).collect().await;
    let accepted = all.iter().filter(|(decision, _)| decision == "accept").count();
    let shed = all.iter().filter(|(decision, _)| decision == "try_later_overloaded").count();
    assert_eq!(accepted + shed, 400, "{all:?}");
    assert!(accepted >= 6, "{accepted}");
    let slowest = all.iter().map(|(_, took)| *took).max().unwrap();
    assert!(slowest < Duration::from_millis(1_500), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_and_disabled_accounts_are_told_apart_from_a_wrong_password() {
    let world = World::new().await;
    world.old.be(Mood::Says(Verdict::Locked));
    assert_eq!(world.right(1).await, "locked");
    world.old.be(Mood::Says(Verdict::Disabled));
    assert_eq!(world.right(1).await, "disabled");
    world.old.be(Mood::Says(Verdict::MatchButExpired));
    assert_eq!(world.right(1).await, "accept_and_change");
    assert_eq!(
        world.credential(1).await,
        CredentialState::AwaitingSignIn,
        "a new one is chosen, ours is not handed over"
    );
}
