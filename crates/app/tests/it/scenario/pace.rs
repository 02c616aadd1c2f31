//! One real run at 60 writes a second; the pacer itself is tested in virtual time in `core`.

use super::{World, count, local};

#[test]
fn a_real_run_keeps_to_its_share_of_60_writes_a_second_and_is_never_turned_away() {
    let people: Vec<String> = (0..640).map(|at| local(&format!("u{at}"))).collect();
    let source = "[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";
    // a window of 30 s, so that what may leave at once is small and the run is short
    let target = "settling_secs = 1\nwrites_per_second = 60\ntenant_writes_per_second = 60\nwrite_share = 0.95\n\
                  quota_window_secs = 30\n";
    let scenario = "[quota]\nwrites_per_second = 60\nwindow_secs = 30\n";
    let world = World::new(source, target, "", scenario);
    world.folder.write("people.jsonl", &(people.join("\n") + "\n"));
    world.extract_and_plan();
    let report = world.run("apply --yes --json").exits(0).json();
    assert_eq!(report["applied"], 640, "{report:#}");
    assert_eq!(report["throttled"], 0, "{report:#}");
    let counters = world.emulator.state()["counters"].clone();
    assert_eq!((&counters["creates"], &counters["throttled"]), (&640.into(), &0.into()), "{counters:#}");
    // prediction and reality are compared, not timed: both follow from the quota
    let (took, predicted) = (report["took_secs"].as_f64().unwrap(), report["predicted_secs"].as_f64().unwrap());
    assert!(took > predicted * 0.9 && took < predicted * 1.6 + 3.0, "took {took} s, predicted {predicted} s");
    assert_eq!(count(&world.status(), "profile", "applied"), 640);
}
