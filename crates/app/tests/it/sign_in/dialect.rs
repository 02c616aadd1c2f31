//! The ways in which the tenant may ask, each against the real service; and calls that it repeats.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    hashes::bcrypt,
    world::{Scene, Settings, came_out},
};
use crate::scenario::stands;

const PASSWORD: &str = "Tern 1 flies!";
const WRONG: &str = "Tern 2 flies!";

/// What the tenant's settings may say instead of the default, one at a time and together.
fn variants() -> Vec<Value> {
    let mut all = Vec::new();
    for alg in ["RSA-OAEP", "RSA-OAEP-256"] {
        for enc in ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"] {
            all.push(json!({ "alg": alg, "enc": enc }));
            all.push(json!({ "alg": alg, "enc": enc, "zip": false, "encrypted_bearer": true }));
        }
    }
    for claims in ["nested", "flat"] {
        for zip in [true, false] {
            all.push(json!({ "claims": claims, "zip": zip }));
        }
    }
    for name in ["x5t", "x5t#S256", "kid"] {
        all.push(json!({ "key_named_by": name }));
        all.push(json!({ "key_named_by": name, "claims": "flat", "encrypted_bearer": true }));
    }
    for audience in ["resource-id", "app-id"] {
        all.push(json!({ "token_version": "v1", "v1_audience": audience }));
        all.push(
            json!({ "token_version": "v1", "v1_audience": audience, "encrypted_bearer": true, "alg": "RSA-OAEP-256" }),
        );
    }
    all.push(json!({ "actions": "exact" }));
    all.push(json!({ "check_nonce": false }));
    all
}

#[test]
fn every_way_in_which_the_tenant_may_ask_is_understood() {
    let variants = variants();
    let ids: Vec<String> = (0..variants.len()).map(|number| format!("p{number}")).collect();
    let people: Vec<_> = ids.iter().map(|id| (id.as_str(), bcrypt(PASSWORD, 1))).collect();
    let scene = Scene::with_hashes(&people, &Settings { hook: "version_1_tokens = true\n", ..Settings::default() });
    let told: Value = serde_json::from_str(&scene.emulator.ask("GET", "/just-in-time", &Value::Null)).unwrap();
    let (app, key) = (told["app_id"].as_str().unwrap(), told["key_id"].as_str().unwrap());
    scene.reconfigure("version_1_tokens", &format!("resource_id = \"api://127.0.0.1/{app}\"\nversion_1_tokens"));
    scene.reconfigure("{ file = \"jit.key\" } }", &format!("{{ file = \"jit.key\" }}, key_id = \"{key}\" }}"));
    let service = scene.serve();
    for (variant, id) in variants.iter().zip(&ids) {
        scene.just_in_time(&service, variant);
        let login = format!("{id}@example.com");
        for (password, expected) in [(WRONG, "retry"), (PASSWORD, "signed_in")] {
            let answer = scene.sign_in(&login, password);
            assert_eq!(answer["outcome"], expected, "{variant}: {answer:#}");
        }
    }
    scene.until_moved(variants.len() as u64);
}

#[test]
fn a_token_of_version_1_is_taken_only_where_the_settings_say_so() {
    let scene = Scene::with_hashes(&[("ana", bcrypt(PASSWORD, 1))], &Settings::default());
    let _service = scene.serve_with("", &json!({ "token_version": "v1", "v1_audience": "app-id" }));
    let answer = scene.sign_in("ana@example.com", PASSWORD);
    came_out(&answer, "error");
    assert_eq!(answer["code"], 1_003_002, "{answer:#}");
    stands(&scene.status(), "credential", &[("awaiting_sign_in", 1)]);
}

#[test]
fn a_yes_that_got_lost_is_given_again() {
    let scene = Scene::with_hashes(&[("ana", bcrypt(PASSWORD, 1))], &Settings::default());
    let service = scene.serve_with("", &json!({ "answer_limit_bytes": 20 }));
    let answer = scene.sign_in("ana@example.com", PASSWORD);
    came_out(&answer, "error");
    assert_eq!(answer["code"], 1_003_024, "{answer:#}");
    stands(&scene.status(), "credential", &[("answered", 1)]);
    scene.just_in_time(&service, &json!({}));
    came_out(&scene.sign_in("ana@example.com", WRONG), "retry");
    came_out(&scene.sign_in("ana@example.com", PASSWORD), "signed_in");
    scene.until_moved(1);
}

/// An old system of ours that answers late; how often it was asked.
struct Slow {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Slow {
    /// It ends with the test's process.
    fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/login", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let count = Arc::clone(&count);
                thread::spawn(move || {
                    let mut request = Vec::new();
                    let mut piece = [0; 4_096];
                    while !request.ends_with(b"}") {
                        match stream.read(&mut piece) {
                            Ok(length @ 1..) => request.extend_from_slice(&piece[..length]),
                            _ => return,
                        }
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(pause);
                    let right = memchr::memmem::find(&request, PASSWORD.as_bytes()).is_some();
                    let status = if right { "200 OK" } else { "401 Unauthorized" };
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    drop(stream.write_all(answer.as_bytes()));
                });
            }
        });
        Self { url, asked }
    }
}

#[test]
fn a_call_that_the_tenant_repeats_is_one_question_to_the_old_system_and_one_attempt() {
    let slow = Slow::start(Duration::from_millis(550));
    let checks = format!(
        "[checks.slow]\nconnector = \"http\"\nurl = \"{}\"\nfields = {{ password = \"{{password}}\" }}\n",
        slow.url
    );
    let settings = Settings { checks: &checks, hook: "deadline_ms = 1500\n", ..Settings::default() };
    let people = ["new", "same"].map(|id| (id, bcrypt(WRONG, 1)));
    let scene = Scene::with_hashes(&people, &settings);
    let service = scene.serve();
    let mut asked = 0;
    for context in ["new", "same"] {
        scene.just_in_time(&service, &json!({ "timeout_ms": 400, "retries": 1, "retry_context": context }));
        for (password, expected) in [(WRONG, "retry"), (PASSWORD, "signed_in")] {
            came_out(&scene.sign_in(&format!("{context}@example.com"), password), expected);
            asked += 1;
            assert_eq!(slow.asked.load(Ordering::SeqCst), asked, "{context}, {expected}");
            let log: Value = serde_json::from_str(&scene.emulator.ask("GET", "/sign-ins", &Value::Null)).unwrap();
            let last = log["sign_ins"].as_array().unwrap().last().unwrap().clone();
            assert_eq!(last["extension"]["attempts"], 2, "the tenant asked twice: {last:#}");
        }
    }
    let decided = |word: &str| service.metric("sterna_decisions_total", &format!("decision=\"{word}\""));
    assert_eq!((decided("wrong"), decided("accept")), (2, 2), "each counts once");
    assert_eq!(service.metric("sterna_attempts_joined_total", ""), 4);
    scene.until_moved(2);
}
