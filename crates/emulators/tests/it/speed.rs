//! How fast the emulator is and what it needs: run with `STERNA_SPEED=100000` (users), in a release build.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{World, create_item, identity};

fn person(number: usize) -> Value {
    let mut person = crate::support::local(&format!("Person {number}"));
    person["identities"] = json!([identity("emailAddress", &format!("person{number}@example.com"))]);
    person["userPrincipalName"] = json!(format!("key{number}@contoso.onmicrosoft.com"));
    person["mailNickname"] = json!(format!("key{number}"));
    person["mail"] = json!(format!("person{number}@example.com"));
    person["givenName"] = json!("Person");
    person["surname"] = json!("Example");
    person
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creates_in_batches_of_twenty() {
    let wanted = std::env::var("STERNA_SPEED").ok().and_then(|users| users.parse().ok());
    let users: usize = wanted.unwrap_or(200);
    let world = World::new("[quota]\nwrites_per_second = 1000000\n[tenant]\nobject_quota = 1000000").await;
    let started = Instant::now();
    let lane = async |lane: usize| {
        for batch in (lane..users / 20).step_by(4) {
            let items = (0..20).map(|at| create_item(at, &person(batch * 20 + at))).collect();
            let got = world.batch(items).await;
            let made = got.body["responses"].as_array().unwrap().iter().filter(|one| one["status"] == 201).count();
            assert_eq!(made, 20, "{:?}", got.body["responses"][0]);
        }
    };
    tokio::join!(lane(0), lane(1), lane(2), lane(3));
    if wanted.is_some() {
        let millis = started.elapsed().as_millis().max(1);
        let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
        println!("{} creates/s, {peak}", users as u128 * 1_000 / millis);
    }
    assert_eq!(world.control(reqwest::Method::GET, "/counters", json!({})).await["creates"], users);
}
