//! Calls: who is let in, each message once, retries joined, attempts of several calls, harvesting, the sweep, secrets.

use std::time::Duration;

use serde_json::json;
use sterna_core::{state::CredentialState, time::Timestamp};

use crate::{
    old::Mood,
    target::MADE,
    world::{Options, TOKEN, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_the_token_asks_nobody_and_changed_secrets_are_read_again() {
    let world = World::new().await;
    let body = json!({"id": "t-1", "password": "correct-1"}).to_string();
    let post = |token: &'static str| world.client.post(world.url("")).header("authorization", token).body(body.clone());
    assert_eq!(post("another").send().await.unwrap().status(), 401);
    assert_eq!(world.old.asked(), 0);
    std::fs::write(world.folder.path().join("token"), "another").unwrap();
    world.running.reload();
    assert_eq!(post(TOKEN).send().await.unwrap().status(), 401);
    assert_eq!(post("another").send().await.unwrap().status(), 200);
    assert_eq!(world.client.get(format!("http://{}/elsewhere", world.address)).send().await.unwrap().status(), 404);
    assert_eq!(world.client.post(world.url("x")).send().await.unwrap().status(), 404, "another hook's name");
    let long = "x".repeat(9_000);
    let response = world.client.post(world.url("")).header("authorization", "another").body(long).send().await;
    assert_eq!(response.unwrap().status(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_gets_the_same_answer_without_a_second_question() {
    let world = World::new().await;
    let body = json!({"id": "t-1", "password": "correct-1", "once": 1, "echo": "nonce"});
    let first = world.call("", &body).await;
    assert_eq!(first, json!({"decision": "accept", "echo": "nonce", "person": "Person 1"}));
    assert_eq!(world.call("", &body).await, first);
    assert_eq!(world.old.asked(), 1);
    // the same message about somebody else is no repeat
    let other = json!({"id": "t-2", "password": "correct-1", "once": 1, "echo": "nonce"});
    assert_eq!(world.call("", &other).await["decision"], "wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_again_late_is_refused() {
    let world = World::new().await;
    let body = json!({"id": "t-1", "password": "correct-1", "once": 1});
    world.call("", &body).await;
    tokio::time::sleep(Duration::from_millis(10_100)).await;
    let request = world.client.post(world.url("")).header("authorization", TOKEN).body(body.to_string());
    assert_eq!(request.send().await.unwrap().status(), 401);
    assert_eq!(world.old.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harvest_and_a_check_of_one_password_are_two_things() {
    let world = World::new().await;
    world.old.be(Mood::Slow(Duration::from_millis(300)));
    let body = json!({"name": "p1@example.com", "password": "not the old one"});
    let (check, harvest) = tokio::join!(world.call("", &body), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.call("/harvest", &body).await
    });
    assert_eq!(harvest["harvested"], "Stored");
    assert_ne!(check["decision"], "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_joins_the_call_under_way_and_another_password_does_not() {
    let world = World::new().await;
    world.old.be(Mood::Slow(Duration::from_millis(300)));
    let call = |once: u64, password: &'static str, correlation: &'static str| {
        let world = &world;
        async move {
            let body = json!({"id": "t-1", "password": password, "once": once, "correlation": correlation});
            world.call("", &body).await["decision"].clone()
        }
    };
    let (a, b, c) = tokio::join!(call(1, "correct-1", "c"), call(2, "correct-1", "c"), call(3, "correct-1", "c"));
    assert_eq!((a.clone(), b, c), (json!("accept"), json!("accept"), json!("accept")));
    assert_eq!(world.old.asked(), 1);
    let (a, b) = tokio::join!(call(4, "wrong", "c"), call(5, "correct-1", "c"));
    assert_eq!((a, b), (json!("wrong"), json!("accept")));
    assert_eq!(world.old.asked(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_of_several_calls_is_collected_once_by_the_one_who_began_it() {
    let world = World::new().await;
    world.old.be(Mood::Slow(Duration::from_millis(200)));
    let begin = |password: &'static str| {
        let world = &world;
        async move {
            let body = json!({"id": "t-1", "password": password, "login": "ana"});
            world.call("/begin", &body).await["context"].as_str().unwrap().to_owned()
        }
    };
    let poll = |context: String| {
        let world = &world;
        async move {
            let url = format!("{}?{context}", world.url("/poll"));
            let text = world.client.get(url).send().await.unwrap().text().await.unwrap();
            text.contains("true")
        }
    };
    let collect = |context: String, login: &'static str| {
        let world = &world;
        async move { world.call("/collect", &json!({"context": context, "login": login})).await["decision"].clone() }
    };
    let context = begin("correct-1").await;
    assert!(!poll(context.clone()).await);
    world.until("the check ends", || poll(context.clone())).await;
    assert_eq!(collect(context.clone(), "ana").await, "accept");
    assert_eq!(collect(context, "ana").await, "accept", "a repeat within seconds, as after a timeout");
    let context = begin("wrong").await;
    world.until("the check ends", || poll(context.clone())).await;
    assert_eq!(collect(context.clone(), "bea").await, "other_login");
    assert_eq!(collect(context, "ana").await, "unknown", "a wrong name spends it");
    assert!(!poll("made up".into()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harvested_password_is_written_once_and_never_over_a_newer_one() {
    let world = World::new().await;
    let harvest = |number: usize, password: &'static str| {
        let world = &world;
        async move {
            let body = json!({"name": format!("p{number}@example.com"), "password": password});
            world.call("/harvest", &body).await["harvested"].as_str().unwrap().to_owned()
        }
    };
    assert_eq!(harvest(1, "just accepted").await, "Stored");
    assert_eq!(world.new.passwords.lock().unwrap()["t-1"], "just accepted");
    assert_eq!(world.credential(1).await, CredentialState::Answered);
    assert_eq!(harvest(1, "just accepted").await, "AlreadyMoved");
    assert_eq!(harvest(2, "short").await, "TooWeak");
    world.new.change("t-3", |held| held.password_changed = Some(Timestamp(MADE.0 + 3_600_000)));
    assert_eq!(harvest(3, "just accepted").await, "AlreadyMoved");
    assert_eq!(harvest(99, "just accepted").await, "NotThere");
    world.new.down.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(harvest(4, "just accepted").await, "TryLater");
    assert_eq!(harvest(4, "").await, "NotThere");
    assert_eq!(world.old.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_dialect_leaves_writing_to_us_the_password_is_at_the_target_before_the_yes() {
    let world = World::with(Options { writes: true, ..Options::default() }).await;
    assert_eq!(world.right(1).await, "accept");
    assert_eq!(world.new.passwords.lock().unwrap()["t-1"], "correct-1");
    assert_eq!(world.decide("t-2", "wrong", "192.0.2.2").await, "wrong");
    assert!(!world.new.passwords.lock().unwrap().contains_key("t-2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_target_finds_too_weak_is_followed_by_a_new_one() {
    let world = World::new().await;
    world.old.be(Mood::Says(sterna_core::legacy::Verdict::Match { upgrade: false }));
    assert_eq!(world.decide("t-1", "short", "192.0.2.1").await, "accept_and_change");
    assert_eq!(world.decide("t-1", "long enough", "192.0.2.1").await, "accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_reads_back_who_moved_with_us_without_us_or_was_changed() {
    let sweep = sterna_serve::SweepRules {
        every: Duration::from_millis(50),
        all_every: Duration::from_millis(50),
        per_second: 1_000.0,
        ..Default::default()
    };
    let world = World::with(Options { sweep, ..Options::default() }).await;
    assert_eq!(world.right(1).await, "accept");
    assert_eq!(world.credential(1).await, CredentialState::Answered, "answered is not moved");
    world.new.change("t-1", |held| held.awaiting = Some(false));
    world.new.change("t-2", |held| held.awaiting = Some(false));
    world.new.change("t-3", |held| held.password_changed = Some(Timestamp(MADE.0 + 3_600_000)));
    for (number, expected) in [
        (1, CredentialState::Moved),
        (2, CredentialState::Moved),
        (3, CredentialState::Superseded),
        (4, CredentialState::AwaitingSignIn),
    ] {
        world.until(expected.name(), || async { world.credential(number).await == expected }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_in_the_ledger_and_no_password_name_or_address_is() {
    let world = World::new().await;
    let planted =
        ["PLANTED-PASSWORD", "correct-1", "p1@example.com", "192.0.2.77", "PLANTED-LOGIN", "PLANTED-CORRELATION"];
    let body = json!({"id": "t-1", "password": "PLANTED-PASSWORD", "ip": "192.0.2.77", "login": "PLANTED-LOGIN",
        "correlation": "PLANTED-CORRELATION"});
    world.call("", &body).await;
    world.call("/begin", &body).await;
    assert_eq!(world.decide("t-1", "correct-1", "192.0.2.77").await, "accept");
    let folder = world.folder.path().join(".sterna");
    world.running.clone().shutdown().await;
    let (entries, broken) = sterna_ledger::audit::read(&folder).unwrap();
    assert_eq!(broken, None);
    let text: Vec<&str> = entries.iter().map(|entry| entry.entry.as_str()).collect();
    assert!(text.iter().any(|entry| entry.contains("hook plain answered accept after match")), "{text:?}");
    assert!(text.contains(&"serve ended: in good order"), "{text:?}");
    let past = |accepted| world.ledger.attempts_since(Timestamp(0), accepted, 100);
    assert_eq!(past(true).await.unwrap().len(), 1);
    assert!(!past(false).await.unwrap().is_empty());
    for file in std::fs::read_dir(&folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in planted {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_told_apart_from_the_hooks() {
    let world = World::with(Options { without_target: true, ..Options::default() }).await;
    let get = |url: String| {
        let client = world.client.clone();
        async move {
            let response = client.get(url).send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        }
    };
    let (hooks, observed) = (world.address, world.running.metrics_address().unwrap());
    assert_eq!(get(format!("http://{hooks}/healthz")).await, (200, "ok\n".to_owned()));
    assert_eq!(get(format!("http://{observed}/readyz")).await.0, 200);
    assert_eq!(get(format!("http://{observed}/metrics")).await.0, 200);
    assert_eq!(get(format!("http://{hooks}/metrics")).await.0, 404, "not where the world can see it");
}
