//! `sterna demo`: the whole story ends well, and says where everybody is.

use crate::support::Folder;

#[test]
fn the_demo_ends_with_the_number_of_bundled_accounts_and_a_status_that_adds_up() {
    let folder = Folder::new();
    let run = folder.run("demo --folder story").exits(0);
    let mut last = run.stdout.lines().rev();
    let status: serde_json::Value = serde_json::from_str(last.next().unwrap()).unwrap();
    assert_eq!(last.next(), Some("bundled accounts: 311"));
    assert_eq!(status["accounts"].as_u64().unwrap() + status["rejected"].as_u64().unwrap(), 311);
    assert_eq!(status["adds_up"], true);
    assert_eq!(status["profile"]["in_doubt"], 0);
    assert!(status["profile"]["verified"].as_u64().unwrap() > 290, "{status:#}");
    for phase in ["check", "extract", "export rejects", "plan", "rehearse", "apply --canary 5", "verify", "status"] {
        assert!(run.stdout.contains(&format!("$ sterna {phase}")), "{phase} is shown");
    }
    assert!(run.stdout.contains("after an unknown outcome"), "the lost answer is told");
}

#[test]
fn the_demo_never_writes_into_a_folder_that_is_there() {
    let folder = Folder::new();
    folder.write("mine.txt", "mine");
    let run = folder.run(&format!("demo --folder {}", folder.path().display()));
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(folder.read("mine.txt"), "mine");
}
