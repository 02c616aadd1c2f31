//! The old directory is gone, hangs, or comes back: nobody is told that their password is wrong, and nobody is locked out.

use std::time::Instant;

use serde_json::{Value, json};

use super::{
    hashes::ssha,
    world::{Scene, Service, Settings, came_out, until},
};
use crate::{
    scenario::{stands, write_secret},
    servers::slapd::{SUFFIX, Slapd},
};

const PASSWORD: &str = "Tern 1 flies!";

fn directory() -> Option<Slapd> {
    let person = |uid: &str| {
        format!(
            "dn: uid={uid},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
             userPassword: {}\n\n",
            ssha(PASSWORD, 1)
        )
    };
    Slapd::start(&["ana", "bo", "cy"].map(person).concat(), None)
}

fn scene(slapd: &Slapd) -> (Scene, Service) {
    let url = slapd.url();
    let sources = format!(
        "[sources.staff]\nconnector = \"ldap\"\nurl = \"{url}\"\nbase = \"ou=people,{SUFFIX}\"\n\
         bind_dn = \"cn=reader,{SUFFIX}\"\nbind_password = {{ file = \"ldap.secret\" }}\n"
    );
    let checks = format!(
        "[checks.binds]\nconnector = \"ldap-bind\"\nurl = \"{url}\"\nbind_as = \"uid={{login}},ou=people,{SUFFIX}\"\n\
         breaker_rest_secs = 1\n"
    );
    let settings = Settings { sources: &sources, checks: &checks, ..Settings::default() };
    let scene = Scene::new(&settings, |world| write_secret(&world.folder, "ldap.secret", "reader-secret"));
    // the tenant waits longer than usual, so that a busy machine does not look like a service that is late
    let service = scene.serve_with("", &json!({ "timeout_ms": 2_000 }));
    (scene, service)
}

/// The tenant shows the page that says "later", with the words of the settings.
fn try_later(answer: &Value) {
    came_out(answer, "blocked");
    assert_eq!(answer["title"], "Please try again later", "{answer:#}");
    assert!(answer["message"].as_str().unwrap().contains("try again in a few minutes"), "{answer:#}");
}

/// While the directory gives no answer, right and wrong passwords are the same, more often than any limit on wrong ones
/// would let through.
fn nobody_is_judged(scene: &Scene) {
    for _ in 0..12 {
        try_later(&scene.sign_in("ana", PASSWORD));
        try_later(&scene.sign_in("ana", "Tern 2 flies!"));
    }
    stands(&scene.status(), "credential", &[("awaiting_sign_in", 3)]);
}

#[test]
fn while_the_directory_hangs_everybody_is_asked_to_come_later_and_then_comes_in() {
    let Some(slapd) = directory() else { return };
    let (scene, service) = scene(&slapd);
    slapd.server.signal("STOP");
    let began = Instant::now();
    try_later(&scene.sign_in("ana", PASSWORD));
    assert!(began.elapsed().as_millis() < 1_500, "by the service's own deadline: {:?}", began.elapsed());
    nobody_is_judged(&scene);
    slapd.server.signal("CONT");
    until("the directory is asked again", || scene.sign_in("ana", PASSWORD)["outcome"] == "signed_in");
    came_out(&scene.sign_in("bo", "Tern 2 flies!"), "retry");
    came_out(&scene.sign_in("bo", PASSWORD), "signed_in");
    stands(&scene.until_moved(2), "credential", &[("moved", 2), ("awaiting_sign_in", 1)]);
    assert_eq!(service.metric("sterna_limited_total", ""), 0, "an outage counts for no limit");
}

#[test]
fn while_the_directory_is_down_everybody_is_asked_to_come_later_and_then_comes_in() {
    let Some(mut slapd) = directory() else { return };
    let (scene, service) = scene(&slapd);
    came_out(&scene.sign_in("cy", PASSWORD), "signed_in");
    slapd.server.kill();
    nobody_is_judged_but_cy(&scene);
    slapd.start_again();
    until("the directory is asked again", || scene.sign_in("ana", PASSWORD)["outcome"] == "signed_in");
    came_out(&scene.sign_in("bo", "Tern 2 flies!"), "retry");
    came_out(&scene.sign_in("bo", PASSWORD), "signed_in");
    scene.until_moved(3);
    assert_eq!(service.metric("sterna_limited_total", ""), 0, "an outage counts for no limit");
}

fn nobody_is_judged_but_cy(scene: &Scene) {
    for _ in 0..12 {
        try_later(&scene.sign_in("ana", PASSWORD));
        try_later(&scene.sign_in("ana", "Tern 2 flies!"));
    }
    // whose password has moved needs the directory no more
    came_out(&scene.sign_in("cy", PASSWORD), "signed_in");
    came_out(&scene.sign_in("cy", "Tern 2 flies!"), "wrong_password");
}

#[test]
fn an_outage_can_be_answered_with_a_status_which_the_tenant_shows_as_an_error() {
    let Some(mut slapd) = directory() else { return };
    let (scene, service) = scene(&slapd);
    drop(service);
    scene.reconfigure("keys = [", "outage_answer = \"status-503\"\nkeys = [");
    let _service = scene.serve_with("", &json!({ "retries": 1 }));
    slapd.server.kill();
    let answer = scene.sign_in("ana", PASSWORD);
    came_out(&answer, "error");
    assert_eq!(answer["code"], 1_003_002, "{answer:#}");
}
