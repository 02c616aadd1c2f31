//! A repair that is interrupted or refused: the account stays at the target, and no phase takes it for another.

use std::{process::Stdio, thread, time::Duration};

use serde_json::json;

use super::{World, local, stands};

/// Three accounts at the target, one of which somebody changed, and a repair of it killed while it was turned away.
fn interrupted() -> World {
    let world = World::with_people(&[local("a"), local("b"), local("c")], "", "");
    world.extract_and_plan();
    world.run("apply --yes").exits(0);
    world.tamper("Person a", &json!({ "displayName": "Somebody else" }));
    let storm = json!({ "faults": [{ "kind": "storm_429", "on": "update", "retry_after": "0.3" }] });
    world.emulator.control("/faults", &storm);
    let mut repair =
        world.command("verify --repair --yes").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..100 {
        thread::sleep(Duration::from_millis(100));
        if world.emulator.state()["counters"]["throttled"].as_u64().unwrap() > 0 {
            break;
        }
    }
    repair.kill().unwrap();
    repair.wait().unwrap();
    world.emulator.control("/faults", &json!({}));
    world
}

#[test]
fn a_plan_after_an_interrupted_repair_leaves_the_account_as_it_is() {
    let world = interrupted();
    world.run("plan").exits(0);
    stands(&world.status(), "credential", &[("awaiting_sign_in", 3)]);
    world.run("verify --repair --yes").exits(0);
    stands(&world.status(), "profile", &[("verified", 3)]);
    assert_eq!(world.emulator.users().len(), 3);
    world.emulator.user("Person a");
}

#[test]
fn a_changed_or_vanished_record_after_an_interrupted_repair_keeps_the_sums() {
    let world = interrupted();
    world.folder.write("people.jsonl", &(local("b") + "\n"));
    world.run("extract").exits(0);
    stands(&world.status(), "credential", &[("awaiting_sign_in", 3)]);
    world.run("undo --yes").exits(0);
    stands(&world.status(), "profile", &[("undone", 3)]);
    assert!(world.emulator.users().is_empty());
}

#[test]
fn undo_after_an_interrupted_repair_takes_everybody() {
    let world = interrupted();
    world.run("undo --yes").exits(0);
    stands(&world.status(), "profile", &[("undone", 3)]);
    assert!(world.emulator.users().is_empty());
}
