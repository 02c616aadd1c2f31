//! Writes and what becomes of them: creates, clashes, lost replies, throttling, tokens that are over.

use reqwest::Method;
use serde_json::{Value, json};
use sterna_core::{
    account::Identity,
    code::Code,
    ids::TargetId,
    port::{Activity, Answer, Found, Operation},
};

use super::world::{World, create, draft, found, key, made, person, send, with_password, write};

fn member<'v>(user: &'v Value, bare: &str) -> Option<&'v Value> {
    let members = user.as_object()?;
    members
        .iter()
        .find(|(name, _)| name.starts_with("extension_") && name.ends_with(&format!("_{bare}")))
        .map(|(_, v)| v)
}

#[tokio::test]
async fn a_local_account_carries_its_key_three_times_its_flag_and_a_password_nobody_knows() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let TargetId(id) = made(target.as_ref(), &ana).await;
    let users = world.users().await;
    let user = users.iter().find(|user| user["id"] == id.as_str()).unwrap();
    let key = key("Ana").to_string();
    assert_eq!(user["mailNickname"], key.as_str());
    assert_eq!(user["userPrincipalName"], format!("{key}@contoso.onmicrosoft.com"));
    assert_eq!(member(user, "sternaLegacyId"), Some(&json!(key)));
    assert_eq!(member(user, "toBeMigrated"), Some(&json!(true)));
    assert_eq!(user["mail"], "ana@example.com");
    assert_eq!(user["passwordPolicies"], "DisablePasswordExpiration");
    assert!(user["_password"].as_str().unwrap().len() >= 32);
}

#[tokio::test]
async fn a_held_password_is_set_at_once_without_the_flag_and_a_social_account_has_neither() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let james = with_password(person("James", &[Identity::email("james@example.com")]), "Pass!w0rd");
    let mut sara = person("Sara", &[Identity::federated("Facebook.com", "1234567890")]);
    sara.profile.add_email("sara@example.com", None);
    let david = with_password(
        person("David", &[Identity::email("david@example.com"), Identity::federated("Facebook.com", "0987654321")]),
        "Pass!w0rd2",
    );
    for account in [&james, &sara, &david] {
        made(target.as_ref(), account).await;
    }
    let users = world.users().await;
    let named = |name: &str| users.iter().find(|user| user["displayName"] == name).unwrap();
    assert_eq!(named("James")["_password"], "Pass!w0rd");
    assert_eq!(member(named("James"), "toBeMigrated"), None);
    let sara = named("Sara");
    assert_eq!(sara["_password"], Value::Null);
    assert!(sara.get("passwordPolicies").is_none_or(Value::is_null), "{sara}");
    assert_eq!(sara["otherMails"], json!(["sara@example.com"]));
    let federated = json!({"signInType": "federated", "issuer": "facebook.com", "issuerAssignedId": "1234567890"});
    assert!(sara["identities"].as_array().unwrap().contains(&federated), "{sara}");
    assert_eq!(named("David")["_password"], "Pass!w0rd2");
    assert!(named("David")["identities"].as_array().unwrap().len() >= 2);
}

#[tokio::test]
async fn a_batch_answers_each_write_for_itself() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let id = made(target, &ana).await;
    let same_address = person("Ana again", &[Identity::email("ANA@example.com")]);
    let weak = {
        let (draft, _) =
            draft(target, &with_password(person("Weak", &[Identity::email("weak@example.com")]), "Pass!w0rd"));
        write(Operation::Create { draft, password: Some("short".into()) })
    };
    let gone = TargetId("00000000-0000-4000-8000-00000000dead".into());
    let rename = [("displayName".to_owned(), json!("Ana Ruiz"))].into();
    let batch = [
        create(target, &same_address),
        weak,
        write(Operation::Update { id: id.clone(), changes: rename }),
        write(Operation::Remove { id: gone }),
        create(target, &person("Bo", &[Identity::user_name("bo1")])),
    ];
    let sent = target.apply(0, &batch).await;
    assert!(matches!(&sent.answers[0], Answer::Clashes { .. }), "{:?}", sent.answers);
    assert!(matches!(&sent.answers[1], Answer::Refuses { code: Code::E2102, .. }), "{:?}", sent.answers);
    assert_eq!(sent.answers[2], Answer::Holds(id));
    assert_eq!(sent.answers[3], Answer::Lacks);
    assert!(matches!(&sent.answers[4], Answer::Holds(_)), "{:?}", sent.answers);
}

#[tokio::test]
async fn the_same_create_twice_makes_one_account_and_a_clash() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let id = made(target.as_ref(), &ana).await;
    let again = send(target.as_ref(), create(target.as_ref(), &ana)).await;
    assert!(matches!(again, Answer::Clashes { .. }), "{again:?}");
    let found = found(target.as_ref(), &ana).await;
    assert_eq!(found.by_key, std::slice::from_ref(&id));
    assert_eq!(found.by_identity, [(Identity::email("ana@example.com"), id)]);
}

#[tokio::test]
async fn a_lost_reply_is_silence_for_the_whole_batch_and_the_look_up_tells_the_truth() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let accounts = [
        person("Ana", &[Identity::email("ana@example.com")]),
        person("Bo", &[Identity::federated("google.com", "77")]),
    ];
    for (fault, there) in [("lose_reply", true), ("lose_request", false), ("reset", false)] {
        world.faults(json!([{ "kind": fault, "on": "create", "scope": "envelope", "times": 1 }])).await;
        let batch: Vec<_> = accounts.iter().map(|account| create(target, account)).collect();
        let sent = target.apply(0, &batch).await;
        assert!(
            sent.answers.iter().all(|answer| matches!(answer, Answer::Silence { .. })),
            "{fault}: {:?}",
            sent.answers
        );
        for account in &accounts {
            let found = found(target, account).await;
            assert_eq!(found.by_key.len(), usize::from(there), "{fault}");
            assert_eq!(found.by_identity.len(), usize::from(there), "{fault}");
            for id in found.by_key {
                assert_eq!(send(target, write(Operation::Remove { id: id.clone() })).await, Answer::Holds(id));
            }
        }
    }
}

#[tokio::test]
async fn a_failure_after_the_commit_is_silence_and_one_with_a_wait_is_not() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let target = target.as_ref();
    world.faults(json!([{ "kind": "error_5xx_after", "on": "create", "status": 500, "times": 1 }])).await;
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    assert!(matches!(send(target, create(target, &ana)).await, Answer::Silence { .. }));
    assert_eq!(found(target, &ana).await.by_key.len(), 1);
    world
        .faults(
            json!([{ "kind": "error_5xx_before", "on": "create", "status": 503, "retry_after": "1.25", "times": 1 }]),
        )
        .await;
    let bo = person("Bo", &[Identity::email("bo@example.com")]);
    let answer = send(target, create(target, &bo)).await;
    assert!(matches!(&answer, Answer::Throttled { wait: Some(wait), .. } if wait.as_millis() == 1_250), "{answer:?}");
}

#[tokio::test]
async fn throttled_items_say_how_long_to_wait_in_every_form() {
    for (form, at_least) in [("2.128", 2_128), ("3", 3_000)] {
        let world = World::external_id("").await;
        let target = world.target().await;
        let target = target.as_ref();
        world.faults(json!([{ "kind": "storm_429", "on": "create", "times": 1, "retry_after": form }])).await;
        let batch = [
            create(target, &person("Ana", &[Identity::email("ana@example.com")])),
            create(target, &person("Bo", &[Identity::email("bo@example.com")])),
        ];
        let answers = target.apply(0, &batch).await.answers;
        let waits = answers.iter().filter_map(|answer| match answer {
            Answer::Throttled { wait, .. } => *wait,
            _ => None,
        });
        assert_eq!(waits.map(|wait| wait.as_millis()).collect::<Vec<_>>(), [at_least], "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Answer::Holds(_))).count(), 1);
    }
}

#[tokio::test]
async fn the_early_warning_is_told_as_pressure() {
    let world = World::external_id("[quota]\napp_tenant_writes = 24").await;
    let target = world.target().await;
    let target = target.as_ref();
    let batch: Vec<_> = (0..20)
        .map(|n| create(target, &person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))])))
        .collect();
    let sent = target.apply(0, &batch).await;
    assert!(sent.answers.iter().all(|answer| matches!(answer, Answer::Holds(_))), "{:?}", sent.answers);
    assert!(sent.pressure.is_some_and(|used| used >= 0.8), "{:?}", sent.pressure);
}

#[tokio::test]
async fn a_token_that_ends_mid_run_costs_one_more_try_and_nothing_else() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    world.control(Method::POST, "/tokens/expire", json!({})).await;
    let first = send(target, create(target, &ana)).await;
    assert!(matches!(first, Answer::Throttled { .. }), "{first:?}");
    let id = made(target, &ana).await;
    world.control(Method::POST, "/tokens/expire", json!({})).await;
    assert!(target.read_back(&[id]).await.unwrap()[0].is_some(), "reads get a new token by themselves");
}

#[tokio::test]
async fn what_was_made_reads_back_equal_and_a_sign_in_shows() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let mut ana = person("Ana", &[Identity::email("Ana@Example.com"), Identity::federated("google.com", "4711")]);
    ana.profile.given_name = Some("Ana".into());
    ana.profile.family_name = Some("Pérez".into());
    ana.profile.active = Some(false);
    ana.profile.add_email("other@example.org", None);
    let id = made(target, &ana).await;
    let gone = TargetId("00000000-0000-4000-8000-00000000dead".into());
    let held = target.read_back(&[id.clone(), gone]).await.unwrap();
    assert!(held[1].is_none());
    let held = held.into_iter().next().unwrap().unwrap();
    assert_eq!((held.key, held.awaiting, held.signed_in), (Some(key("Ana")), Some(true), Activity::Never));
    let (planned, _) = draft(target, &ana);
    assert_eq!(target.compare(&planned, &held), []);
    assert_eq!(held.attributes.get("accountEnabled"), Some(&json!(false)));

    world.control(Method::POST, &format!("/users/{}/sign-in", id.0), json!({ "flag": "toBeMigrated" })).await;
    let held = target.read_back(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
    assert_eq!(held.awaiting, Some(false));
    assert!(matches!(held.signed_in, Activity::At(_)), "{:?}", held.signed_in);
    assert_eq!(target.compare(&planned, &held), [], "the flag is never a difference");
}

#[tokio::test]
async fn without_the_right_sign_in_activity_is_unknown() {
    let world = World::external_id("[switches]\nsign_in_activity = 'forbidden'").await;
    let target = world.target().await;
    let id = made(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")])).await;
    let held = target.read_back(&[id]).await.unwrap().remove(0).unwrap();
    assert_eq!(held.signed_in, Activity::Unknown);
}

#[tokio::test]
async fn no_update_carries_a_credential() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let id = made(target, &person("Ana", &[Identity::email("ana@example.com")])).await;
    let before = world.state().await;
    let flag = target.descriptor().flag.clone().unwrap();
    for (name, value) in [
        ("passwordProfile".to_owned(), json!({"password": "Pass!w0rd"})),
        (flag.clone(), json!(true)),
        (flag.to_uppercase(), json!(true)),
        ("identities".to_owned(), json!([])),
    ] {
        let changes = [(name.clone(), value)].into();
        let answer = send(target, write(Operation::Update { id: id.clone(), changes })).await;
        assert!(matches!(answer, Answer::Refuses { code: Code::E2199, .. }), "{name}: {answer:?}");
    }
    assert_eq!(world.state().await["counters"]["writes"], before["counters"]["writes"], "nothing was sent");
}

#[tokio::test]
async fn a_password_is_set_after_a_positive_check() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let id = made(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")])).await;
    assert_eq!(target.set_credential(&id, &"N3w!password".into()).await, Answer::Holds(id.clone()));
    let users = world.users().await;
    assert_eq!(users.iter().find(|user| user["id"] == id.0.as_str()).unwrap()["_password"], "N3w!password");
    let answer = target.set_credential(&id, &"short".into()).await;
    assert!(matches!(answer, Answer::Refuses { code: Code::E2102, .. }), "{answer:?}");
}

#[tokio::test]
async fn when_nothing_can_be_reached_nothing_happened() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let one = create(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")]));
    world.emulator.shutdown().await;
    // the pooled connection breaks first, which might have carried the request; a new one cannot be made
    let first = send(target.as_ref(), one.clone()).await;
    assert!(matches!(first, Answer::Silence { .. } | Answer::Throttled { .. }), "{first:?}");
    let second = send(target.as_ref(), one).await;
    assert!(matches!(second, Answer::Throttled { .. }), "{second:?}");
}

#[tokio::test]
async fn a_full_directory_stops_the_run() {
    let world = World::external_id("[tenant]\nobject_quota = 8").await;
    let target = world.target().await;
    let target = target.as_ref();
    let mut last = Answer::Lacks;
    for n in 0..10 {
        last = send(target, create(target, &person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))])))
            .await;
    }
    assert!(matches!(last, Answer::Stops { code: Code::E2006, .. }), "{last:?}");
}

#[tokio::test]
async fn a_batch_that_is_answered_424_is_read_item_by_item_all_the_same() {
    let world = World::external_id("[switches]\nthrottled_batch_is_424 = true").await;
    let target = world.target().await;
    let target = target.as_ref();
    world.faults(json!([{ "kind": "storm_429", "on": "create", "times": 1, "retry_after": "1" }])).await;
    let people = ["ana", "bo"].map(|name| person(name, &[Identity::email(format!("{name}@example.com"))]));
    let batch = people.each_ref().map(|person| create(target, person));
    let answers = target.apply(0, &batch).await.answers;
    let there = world.users().await.len();
    let held = answers.iter().filter(|answer| matches!(answer, Answer::Holds(_))).count();
    assert_eq!(held, there, "{answers:?}");
    assert!(answers.iter().any(|answer| matches!(answer, Answer::Throttled { .. })), "{answers:?}");
}

#[tokio::test]
async fn what_was_just_made_may_not_show_yet() {
    let world = World::external_id("read_delay_ms = 900\nextension_delay_ms = 0").await;
    let target = world.target().await;
    let target = target.as_ref();
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let id = made(target, &ana).await;
    let rename = || [("displayName".to_owned(), json!("Ana Ruiz"))].into();
    let early = send(target, write(Operation::Update { id: id.clone(), changes: rename() })).await;
    assert_eq!(early, Answer::Lacks, "the caller knows that it was just made");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(found(target, &ana).await.by_key, std::slice::from_ref(&id));
    let late = send(target, write(Operation::Update { id: id.clone(), changes: rename() })).await;
    assert_eq!(late, Answer::Holds(id));
}

#[tokio::test]
async fn names_with_quotes_and_signs_are_found_to_the_letter() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let people = [
        person("Sean", &[Identity::email("o'brien+home@example.com")]),
        person("Upper", &[Identity::federated("google.com", "Ab&c'd #1/2?3%")]),
        person("Lower", &[Identity::federated("google.com", "ab&c'd #1/2?3%")]),
    ];
    for person in &people[..2] {
        let id = made(target.as_ref(), person).await;
        let found = found(target.as_ref(), person).await;
        assert_eq!((found.by_key, found.by_identity.len()), (vec![id], 1));
    }
    assert_eq!(found(target.as_ref(), &people[2]).await, Found::default(), "a subject is the same to the letter only");
}

#[tokio::test]
async fn fresh_tokens_that_are_refused_too_stop_the_run() {
    let world = World::external_id("").await;
    let target = world.target().await;
    let target = target.as_ref();
    let code = "InvalidAuthenticationToken";
    world.faults(json!([{ "kind": "error_5xx_before", "on": "create", "status": 401, "code": code }])).await;
    let ana = person("Ana", &[Identity::email("ana@example.com")]);
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(send(target, create(target, &ana)).await);
    }
    assert!(matches!(answers[0], Answer::Throttled { .. }), "{answers:?}");
    assert!(matches!(answers[3], Answer::Stops { code: Code::E2003, .. }), "{answers:?}");
}
