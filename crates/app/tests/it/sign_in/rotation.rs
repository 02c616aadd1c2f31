//! Keys change while the service runs, and nobody who signs in meanwhile is turned away.

use serde_json::{Value, json};
use sterna_wire::RsaIdentity;

use super::{
    hashes::bcrypt,
    world::{Scene, Service, Settings, came_out, until, write_keys},
};
use crate::scenario::write_secret;

const PASSWORD: &str = "Tern 1 flies!";

fn scene() -> Scene {
    let people = ["ana", "bo", "cy", "di"].map(|id| (id, bcrypt(PASSWORD, 1)));
    Scene::with_hashes(&people, &Settings::default())
}

fn signs_in(scene: &Scene, id: &str) {
    came_out(&scene.sign_in(&format!("{id}@example.com"), PASSWORD), "signed_in");
}

/// The tenant encrypts to this certificate from now on.
fn switch(scene: &Scene, service: &Service, identity: &RsaIdentity) {
    scene.just_in_time(service, &json!({ "certificate_pem": identity.certificate_pem }));
}

/// What a call is answered that nobody can decrypt.
fn cannot_be_read(answer: &Value) {
    came_out(answer, "error");
    assert_eq!(answer["code"], 1_003_002, "{answer:#}");
}

#[test]
fn with_both_keys_in_the_settings_the_tenant_changes_whenever_it_likes() {
    let scene = scene();
    let next = RsaIdentity::generate("JitMigration 2").unwrap();
    write_keys(&scene, "next", &next);
    let second = "{ certificate = \"next.crt\", private_key = { file = \"next.key\" } }";
    scene.reconfigure("{ file = \"jit.key\" } }]", &format!("{{ file = \"jit.key\" }} }}, {second}]"));
    let service = scene.serve();
    signs_in(&scene, "ana");
    switch(&scene, &service, &next);
    signs_in(&scene, "bo");
    switch(&scene, &service, &scene.identity);
    signs_in(&scene, "cy");
    let third = RsaIdentity::generate("JitMigration 3").unwrap();
    switch(&scene, &service, &third);
    cannot_be_read(&scene.sign_in("di@example.com", PASSWORD));
}

#[test]
fn replaced_key_files_are_read_on_hang_up_and_broken_ones_change_nothing() {
    let scene = scene();
    let service = scene.serve();
    signs_in(&scene, "ana");
    write_secret(&scene.folder, "jit.key", "no key");
    service.hang_up();
    until("the mistake is told", || service.stderr().contains("stay as they were"));
    signs_in(&scene, "bo");
    let next = RsaIdentity::generate("JitMigration 2").unwrap();
    switch(&scene, &service, &next);
    cannot_be_read(&scene.sign_in("cy@example.com", PASSWORD));
    write_keys(&scene, "jit", &next);
    service.hang_up();
    until("the new key is used", || scene.sign_in("cy@example.com", PASSWORD)["outcome"] == "signed_in");
    scene.until_moved(3);
    assert!(!service.stderr().contains("panicked"), "{}", service.stderr());
}

#[test]
fn replaced_key_files_are_noticed_also_when_they_are_made_private_only_afterwards() {
    use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};
    let scene = scene();
    let service = scene.serve_with("-v", &json!({}));
    signs_in(&scene, "ana");
    let next = RsaIdentity::generate("JitMigration 2").unwrap();
    let key = scene.folder.path().join("jit.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    scene.folder.write("jit.key", &next.private_key_pem);
    scene.folder.write("jit.crt", &next.certificate_pem);
    until("the service has looked", || service.stderr().contains("stay as they were"));
    signs_in(&scene, "bo");
    thread::sleep(Duration::from_millis(20));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    switch(&scene, &service, &next);
    until("the new key is used", || scene.sign_in("cy@example.com", PASSWORD)["outcome"] == "signed_in");
}
