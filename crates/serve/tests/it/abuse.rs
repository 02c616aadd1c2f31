//! Guessing: it ends at the thresholds, whatever it comes from, and honest people elsewhere notice nothing.

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::world::{Options, World};

/// How many of these attempts reached the old system.
async fn reached(world: &World, attempts: impl Iterator<Item = (String, String)>) -> usize {
    let before = world.old.asked();
    // each another password: equal ones under way at once are one question
    let calls = attempts.enumerate();
    let calls = calls.map(|(n, (id, ip))| async move { world.decide(&id, &format!("wrong {n}"), &ip).await });
    let decisions: Vec<String> = stream::iter(calls).buffer_unordered(40).collect().await;
    for decision in decisions {
        assert!(["wrong", "try_later_limited", "try_later_overloaded"].contains(&decision.as_str()), "{decision}");
    }
    world.old.asked() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_guesses_at_one_account_reach_the_old_system_ten_times() {
    let world = World::new().await;
    let attempts = (0..10_000).map(|n| ("t-1".to_owned(), format!("10.{}.{}.7", n / 250 % 250, n % 250)));
    assert_eq!(reached(&world, attempts).await, 10);
    assert_eq!(world.decide("t-1", "correct-1", "203.0.113.1").await, "try_later_limited", "never called wrong");
    assert_eq!(world.right(2).await, "accept", "somebody else notices nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_accounts_from_one_address_end_at_the_addresss_limit() {
    let world = World::with(Options { accounts: 1_001, ..Options::default() }).await;
    let attempts = (0..10_000).map(|n| (format!("t-{}", n % 1_000 + 1), "203.0.113.9".to_owned()));
    assert_eq!(reached(&world, attempts).await, 30);
    assert_eq!(world.decide("t-1001", "correct-1001", "198.18.0.1").await, "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spray_from_a_thousand_addresses_ends_at_the_tenants_limit_and_known_addresses_go_on() {
    let world = World::with(Options { accounts: 10_010, ..Options::default() }).await;
    assert_eq!(world.decide("t-10001", "correct-10001", "192.0.2.1").await, "accept");
    let attempts = (0..10_000).map(|n| (format!("t-{}", n + 1), format!("10.{}.{}.1", n % 1_000 / 250, n % 250)));
    let reached = reached(&world, attempts).await;
    assert!((1_900..=2_120).contains(&reached), "{reached}");
    assert_eq!(world.decide("t-10002", "correct-10002", "192.0.2.1").await, "accept", "an address that is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_ids_that_are_not_there_is_limited_too_and_answered_like_a_wrong_password() {
    let world = World::new().await;
    let wrong = world.call("", &json!({"id": "t-1", "password": "wrong", "ip": "192.0.2.1"})).await;
    let unknown = world.call("", &json!({"id": "nobody", "password": "wrong", "ip": "192.0.2.2"})).await;
    assert_eq!(wrong, unknown);
    let attempts = (0..40).map(|n| (format!("nobody-{n}"), "203.0.113.9".to_owned()));
    assert_eq!(reached(&world, attempts).await, 0);
    assert_eq!(world.decide("t-2", "correct-2", "203.0.113.9").await, "try_later_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_gives_nobody_new_guesses() {
    let world = World::new().await;
    let attempts = (0..20).map(|n| ("t-1".to_owned(), format!("10.0.{n}.7")));
    assert_eq!(reached(&world, attempts).await, 10);
    let world = world.restarted(Options::default()).await;
    let attempts = (0..20).map(|n| ("t-1".to_owned(), format!("10.1.{n}.7")));
    assert_eq!(reached(&world, attempts).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_address_is_not_limited_as_one_persons() {
    let world = World::with(Options { accounts: 60, ..Options::default() }).await;
    let attempts = (0..50).map(|n| (format!("t-{}", n + 1), "198.51.100.4".to_owned()));
    assert_eq!(reached(&world, attempts).await, 50);
    assert_eq!(world.decide("t-60", "correct-60", "198.51.100.4").await, "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() {
    let world = World::with(Options { accounts: 40, ..Options::default() }).await;
    world.old.be(crate::old::Mood::Slow(std::time::Duration::from_millis(150)));
    for number in 1..=20 {
        assert_eq!(world.decide(&format!("t-{number}"), "wrong", &format!("10.9.{number}.1")).await, "wrong");
    }
    for number in 1..=5 {
        let began = std::time::Instant::now();
        assert_eq!(world.decide(&format!("nobody-{number}"), "wrong", &format!("10.8.{number}.1")).await, "wrong");
        let took = began.elapsed().as_millis();
        assert!((140..700).contains(&took), "{took} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_caller_may_have_damaged_costs_no_attempt() {
    let world = World::new().await;
    for n in 0..20 {
        let body = json!({"id": "t-1", "password": "p?ss", "ip": format!("10.0.{n}.1"), "damaged": true});
        assert_eq!(world.call("", &body).await["decision"], "wrong");
    }
    assert_eq!(world.right(1).await, "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_are_limited_per_address() {
    let world = World::new().await;
    let look = |name: String| {
        let world = &world;
        async move { world.call("/look", &json!({"name": name, "ip": "203.0.113.5"})).await["found"].clone() }
    };
    assert_eq!(look("p1@example.com".into()).await, "Person 1");
    for n in 0..30 {
        assert_eq!(look(format!("nobody{n}@example.com")).await, "not_there");
    }
    assert_eq!(look("p2@example.com".into()).await, "try_later");
}
