//! What people type, who they are and where they are goes through the service with every log on, right, wrong and mangled,
//! and is then searched for in all that the service wrote.

use std::{fs, thread};

use memchr::memmem::Finder;
use serde_json::{Value, json};
use sterna_wire::RsaIdentity;

use super::{
    hashes::bcrypt,
    mangled::{CLEAR, Overheard, without_a_token},
    world::{Scene, Service, Settings, came_out},
};
use crate::scenario::secrets::{files, patterns};

const RIGHT: &str = "Zq1!right-password";
const WRONG: &str = "Zq2!wrong-password";
const OVERHEARD: &str = "Zq6!overheard-password";
const FOREIGN: &str = "Zq4!for-another-key";
const NEW: &str = "Zq5!new-password";
const WEAK: &str = "zqweak";

const PEOPLE: &[&str] = &["zqana", "zqbo", "zqcy", "zqnobody", "zqmail", "203.0.113.77", "2001:db8:77"];
const ADDRESSES: [&str; 2] = ["203.0.113.77", "2001:db8:77::9"];

/// Old systems that are not there, asked by name: their errors know a person.
const CHECKS: &str = "\
[checks.gone_service]
connector = \"http\"
url = \"http://127.0.0.1:9/people/{login}\"
fields = { password = \"{password}\" }
where = [{ attribute = \"display_name\", ends_with = \"zqcy\" }]
[checks.gone_directory]
connector = \"ldap-bind\"
url = \"ldap://127.0.0.1:9\"
bind_as = \"uid={login},ou=people,dc=example,dc=org\"
where = [{ attribute = \"display_name\", ends_with = \"zqcy\" }]
[checks.gone_database]
connector = \"sql-hash\"
url = \"postgres://reader@127.0.0.1:9/app\"
query = \"SELECT hash FROM people WHERE email = $1\"
login = \"email\"
where = [{ attribute = \"display_name\", ends_with = \"zqcy\" }]
";

/// Sign-ins of every outcome.
fn sign_ins(scene: &Scene, service: &Service) {
    for (at, address) in ADDRESSES.into_iter().cycle().take(14).enumerate() {
        let answer = scene.sign_in_from(address, "zqana@example.com", WRONG);
        // the last ones are over the account's limit
        came_out(&answer, if at < 10 { "retry" } else { "blocked" });
    }
    came_out(&scene.sign_in_from(ADDRESSES[0], "zqcy@example.com", WRONG), "blocked");
    came_out(&scene.sign_in_from(ADDRESSES[0], "zqnobody@zqmail.example", WRONG), "wrong_password");
    came_out(&scene.sign_in_from(ADDRESSES[1], "zqdi@example.com", RIGHT), "signed_in");
    let answer = scene.sign_in_from(ADDRESSES[0], "zqbo@example.com", WEAK);
    came_out(&answer, "update_password");
    came_out(&scene.ask("/sign-in/new-password", &json!({ "flow": answer["flow"], "password": NEW })), "signed_in");
    // encrypted for a key that the service does not have
    let foreign = RsaIdentity::generate("Foreign").unwrap();
    scene.just_in_time(service, &json!({ "certificate_pem": foreign.certificate_pem }));
    came_out(&scene.sign_in_from(ADDRESSES[0], "zqana@example.com", FOREIGN), "error");
    // for another application
    scene.just_in_time(service, &json!({ "app_id": "99999999-aaaa-4222-bbbb-3333cccc4444" }));
    came_out(&scene.sign_in_from(ADDRESSES[0], "zqana@example.com", FOREIGN), "error");
    scene.just_in_time(service, &json!({}));
}

fn look(patterns: &[(String, Finder<'static>)], place: &str, bytes: &[u8]) {
    let bytes = bytes.to_ascii_lowercase();
    for (what, finder) in patterns {
        if let Some(at) = finder.find(&bytes) {
            let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 100)];
            panic!("{place} holds {what} at byte {at}: …{}…", String::from_utf8_lossy(around));
        }
    }
}

#[test]
fn nothing_that_was_typed_and_nobodys_name_or_address_is_written_anywhere() {
    let people = [
        ("zqana", bcrypt(RIGHT, 1)),
        ("zqbo", bcrypt(WEAK, 2)),
        ("zqcy", bcrypt(RIGHT, 3)),
        ("zqdi", bcrypt(RIGHT, 4)),
    ];
    let scene = Scene::with_hashes(&people, &Settings { checks: CHECKS, ..Settings::default() });
    let hashes: Vec<&str> = people.iter().map(|(_, hash)| hash.as_str()).collect();
    let secrets = [&[RIGHT, WRONG, CLEAR, OVERHEARD, FOREIGN, NEW, WEAK][..], &hashes].concat();
    let patterns = patterns(&secrets, &[PEOPLE, &["zqdi"]].concat());
    let look = |place: &str, bytes: &[u8]| look(&patterns, place, bytes);

    let service = scene.serve_with("-vvv --log-json", &json!({}));
    let overheard = Overheard::from(&scene, &service, "zqdi@example.com", OVERHEARD);
    overheard.send_in_every_way(&service);
    sign_ins(&scene, &service);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| without_a_token(&service));
        }
    });
    let ledger = scene.folder.path().join(".sterna");
    let look_at_ledger = |when: &str| {
        let all = files(&ledger);
        assert!(!all.is_empty());
        for path in all {
            look(&format!("{} {when}", path.display()), &fs::read(&path).unwrap());
        }
    };
    look_at_ledger("while it runs");
    look("/metrics", service.observed("/metrics").as_bytes());
    look("/readyz", service.observed("/readyz").as_bytes());
    assert!(service.metric("sterna_calls_total", "status=\"401\"") > 0, "mangled calls were turned away");
    let written = service.end();
    look("what the service printed", written.as_bytes());
    assert!(!written.contains("panicked") && !written.contains("A handler failed"), "{written}");
    for line in written.lines().skip(1) {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "a log line that is no JSON: {line}");
    }
    for told in ["gone_service", "gone_directory", "gone_database"] {
        let line = format!("The check {told} gave no answer: it cannot be reached");
        assert!(written.contains(&line), "the outage is told of: {written}");
    }
    look_at_ledger("afterwards");
    let audit = scene.run("export audit --output -").exits(0);
    assert!(audit.stdout.contains("turned away") && audit.stdout.lines().count() > 5, "{}", audit.stdout);
    look("the audit log", audit.stdout.as_bytes());
    look("what the export said", audit.stderr.as_bytes());
    look("the status", scene.run("status -vvv").exits(0).stdout.as_bytes());
}

#[test]
fn the_audit_logs_chain_is_whole_after_sign_ins_and_the_first_broken_entry_is_told() {
    let scene = Scene::with_hashes(&[("ana", bcrypt(RIGHT, 1))], &Settings::default());
    let service = scene.serve();
    came_out(&scene.sign_in("ana@example.com", WRONG), "retry");
    came_out(&scene.sign_in("ana@example.com", RIGHT), "signed_in");
    scene.until_moved(1);
    let beside = scene.run("export audit --verify --json").exits(0).json();
    assert!(beside["entries"].as_u64().unwrap() >= 5, "also beside the running service: {beside}");
    service.end();
    let rows = scene.run("export audit --output -").exits(0).stdout;
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let whole = scene.run("export audit --verify --json").exits(0).json();
    assert_eq!(whole["entries"], rows.len(), "{whole}");
    assert_eq!(whole["head"], rows[rows.len() - 1]["hash"], "{whole}");
    let told = scene.run("export audit --verify").exits(0).stdout;
    assert!(told.contains(whole["head"].as_str().unwrap()), "{told}");
    scene.run("export ids --verify").exits(2);
    scene.run("export audit --verify --output x").exits(2);

    // somebody turns one word of one entry into another
    let victim = rows.iter().find(|row| row["entry"].as_str().unwrap().starts_with("apply")).unwrap();
    let text = victim["entry"].as_str().unwrap();
    let mut changed = 0;
    for path in files(&scene.folder.path().join(".sterna")) {
        let mut bytes = fs::read(&path).unwrap();
        while let Some(at) = memchr::memmem::find(&bytes, text.as_bytes()) {
            bytes[at..at + 5].copy_from_slice(b"Apply");
            changed += 1;
        }
        fs::write(&path, bytes).unwrap();
    }
    assert!(changed >= 1, "{text}");
    for args in ["export audit --verify", "export audit --verify --json", "export audit --output -"] {
        let broken = scene.run(args);
        let all = format!("{}{}", broken.stdout, broken.stderr);
        assert_eq!(broken.code, 1, "{args}: {all}");
        assert!(all.contains("E4006") && all.contains(&format!("breaks at entry {}", victim["seq"])), "{args}: {all}");
    }
}
