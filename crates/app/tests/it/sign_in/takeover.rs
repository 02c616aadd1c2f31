//! What an old password must never do again, once somebody has another one; and what happens to weak ones.

use serde_json::{Value, json};

use super::{
    hashes::bcrypt,
    world::{Scene, Settings, came_out},
};
use crate::scenario::{extension, settle, stands};

const OLD: &str = "Tern 1 flies!";
const RESET: &str = "Gull 9 swims!";

/// People with the old password [`OLD`], and a password of the target that counts as changed after a second.
fn scene(ids: &[&str]) -> Scene {
    let people: Vec<_> = ids.iter().map(|id| (*id, bcrypt(OLD, 1))).collect();
    with(&people)
}

fn with(people: &[(&str, String)]) -> Scene {
    let settings = Settings { serve: "password_slack_secs = 1\n", ..Settings::default() };
    Scene::with_hashes(people, &settings)
}

impl Scene {
    fn id(&self, name: &str) -> String {
        self.emulator.user(name)["id"].as_str().unwrap().to_owned()
    }

    /// The person resets a forgotten password at the tenant, once that can no longer be the first setting of it.
    fn reset(&self, name: &str) {
        std::thread::sleep(std::time::Duration::from_millis(2_500));
        let path = format!("/users/{}/reset-password", self.id(name));
        assert_eq!(self.ask(&path, &json!({ "password": RESET })), json!({}));
        settle();
    }
}

#[test]
fn after_a_reset_the_old_password_is_wrong_and_the_new_one_stays() {
    let scene = scene(&["ana", "bo"]);
    let service = scene.serve();
    scene.reset("Person ana");
    let user = scene.emulator.user("Person ana");
    assert_eq!(extension(&user, "toBeMigrated"), true, "the reset leaves the flag, so that the service is asked");
    for _ in 0..3 {
        came_out(&scene.sign_in("ana@example.com", OLD), "retry");
    }
    assert_eq!(scene.emulator.user("Person ana")["_password"], RESET);
    came_out(&scene.sign_in("ana@example.com", RESET), "signed_in");
    came_out(&scene.sign_in("ana@example.com", OLD), "wrong_password");
    came_out(&scene.sign_in("bo@example.com", OLD), "signed_in");
    // who moved without our yes is found when all are read
    scene.until_moved(1);
    scene.run("verify").exits(0);
    scene.until_moved(2);
    assert_eq!(scene.emulator.user("Person ana")["_password"], RESET);
    assert_eq!(service.metric("sterna_decisions_total", "decision=\"accept\""), 1, "bo's alone");
}

#[test]
fn a_reset_that_clears_the_flag_needs_the_service_no_more() {
    let scene = scene(&["ana"]);
    let service = scene.serve_with("", &json!({ "reset_clears_flag": true }));
    scene.reset("Person ana");
    came_out(&scene.sign_in("ana@example.com", OLD), "wrong_password");
    came_out(&scene.sign_in("ana@example.com", RESET), "signed_in");
    assert_eq!(service.metric("sterna_calls_total", ""), 0);
}

#[test]
fn an_account_that_was_undone_or_deleted_lets_nobody_in() {
    let scene = scene(&["ana"]);
    let id = scene.id("Person ana");
    let service = scene.serve();
    scene.run("undo --yes").exits(0);
    let answer = scene.sign_in("ana@example.com", OLD);
    came_out(&answer, "wrong_password");
    assert_eq!(answer["code"], 50_034, "{answer:#}");
    assert!(scene.emulator.users().iter().all(|user| user["id"] != id.as_str()));
    assert_eq!(service.metric("sterna_calls_total", ""), 0, "the tenant asks about nobody");
}

#[test]
fn a_flag_that_somebody_sets_again_after_the_move_brings_the_old_password_back_for_nobody() {
    let scene = scene(&["ana", "bo"]);
    let service = scene.serve();
    let flag = |name: &str| {
        let user = scene.emulator.user(name);
        let full = user.as_object().unwrap().keys().find(|name| name.ends_with("_toBeMigrated")).unwrap().clone();
        scene.tamper(name, &json!({ full: true }));
    };
    came_out(&scene.sign_in("ana@example.com", OLD), "signed_in");
    scene.reset("Person ana");
    scene.until_moved(1);
    let checks = service.metric("sterna_legacy_checks_total", "");
    flag("Person ana");
    came_out(&scene.sign_in("ana@example.com", OLD), "retry");
    // undo leaves who has signed in, and takes away the others
    scene.run("undo --yes").exits(11);
    came_out(&scene.sign_in("ana@example.com", OLD), "retry");
    came_out(&scene.sign_in("bo@example.com", OLD), "wrong_password");
    assert_eq!(service.metric("sterna_legacy_checks_total", ""), checks, "the old system is asked no more");
    came_out(&scene.sign_in("ana@example.com", RESET), "signed_in");
}

#[test]
fn a_wrong_password_moves_nothing_and_the_right_one_moves_after_it() {
    let scene = scene(&["ana"]);
    let _service = scene.serve();
    let before = scene.emulator.user("Person ana");
    came_out(&scene.sign_in("ana@example.com", RESET), "retry");
    came_out(&scene.sign_in("ana@example.com", &OLD.to_lowercase()), "retry");
    came_out(&scene.sign_in("ana@example.com", ""), "wrong_password");
    came_out(&scene.sign_in("nobody@example.com", OLD), "wrong_password");
    assert_eq!(scene.emulator.user("Person ana"), before);
    stands(&scene.status(), "credential", &[("awaiting_sign_in", 1)]);
    came_out(&scene.sign_in("ana@example.com", OLD), "signed_in");
    scene.until_moved(1);
    assert_eq!(scene.emulator.user("Person ana")["_password"], OLD);
    came_out(&scene.sign_in("ana@example.com", OLD), "signed_in");
}

#[test]
fn a_weak_old_password_has_to_be_replaced_and_then_has_moved() {
    let weak = "tern";
    let scene = with(&[("ana", bcrypt(weak, 1))]);
    let service = scene.serve();
    came_out(&scene.sign_in("ana@example.com", "gull"), "retry");
    let answer = scene.sign_in("ana@example.com", weak);
    came_out(&answer, "update_password");
    assert_eq!(extension(&scene.emulator.user("Person ana"), "toBeMigrated"), true, "nothing has moved yet");
    let new = |password: &str| -> Value {
        scene.ask("/sign-in/new-password", &json!({ "flow": answer["flow"], "password": password }))
    };
    came_out(&new(weak), "update_password");
    came_out(&new(RESET), "signed_in");
    settle();
    scene.run("verify").exits(0);
    scene.until_moved(1);
    assert_eq!(scene.emulator.user("Person ana")["_password"], RESET);
    came_out(&scene.sign_in("ana@example.com", weak), "wrong_password");
    came_out(&scene.sign_in("ana@example.com", RESET), "signed_in");
    assert_eq!(service.metric("sterna_decisions_total", "decision=\"accept_and_change\""), 1);
}

#[test]
fn who_leaves_before_choosing_a_new_password_can_begin_again() {
    let weak = "tern";
    let scene = with(&[("ana", bcrypt(weak, 1))]);
    let _service = scene.serve();
    came_out(&scene.sign_in("ana@example.com", weak), "update_password");
    came_out(&scene.sign_in("ana@example.com", "gull"), "retry");
    let answer = scene.sign_in("ana@example.com", weak);
    came_out(&answer, "update_password");
    let body = json!({ "flow": answer["flow"], "password": RESET });
    came_out(&scene.ask("/sign-in/new-password", &body), "signed_in");
    settle();
    scene.run("verify").exits(0);
    scene.until_moved(1);
}
