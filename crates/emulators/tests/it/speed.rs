//! How fast the emulator is: run with `STERNA_SPEED=1`, in a release build.

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
    let wanted = std::env::var("STERNA_SPEED").is_ok();
    let users: usize = if wanted { 100_000 } else { 200 };
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
    if wanted {
        let millis = started.elapsed().as_millis().max(1);
        println!("{} creates/s", users as u128 * 1_000 / millis);
    }
    assert_eq!(world.control(reqwest::Method::GET, "/counters", json!({})).await["creates"], users);
}
