//! How a sign-in fails when the endpoint does (`entra.md` 1.6 to 1.8).

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_wire::TestAuthority;

use crate::sign_in_stub::{FLAG, LEGACY, STORED, Says, Scene, action, answer};
use crate::support::{options, read};

const JSON: &str = "application/json";

/// Signs in and compares the code of the answer and of the log, the requests, and that nothing changed.
async fn fails(scene: &Scene, code: u64, attempts: usize) {
    let before = scene.stub.asked().len();
    let done = scene.sign_in(LEGACY).await;
    assert_eq!((&done["outcome"], &done["code"]), (&json!("error"), &json!(code)), "{done}");
    assert_eq!(done["called_extension"], attempts > 0);
    let last = scene.last().await;
    let call = &last["extension"];
    assert_eq!((&call["code"], &call["attempts"]), (&json!(code), &json!(attempts)));
    let codes = include_str!("../data/custom-extension-error-codes.json");
    let codes: Value = serde_json::from_str(codes).unwrap();
    let published = codes["codes"].as_array().unwrap().iter().find(|entry| entry["code"] == code).unwrap();
    assert_eq!((&call["name"], &last["name"]), (&published["name"], &published["name"]));
    assert_eq!(scene.stub.asked().len() - before, attempts);
    assert_eq!(scene.flag_and_password().await, (json!(true), json!(STORED)));
}

fn raw(status: u16, kind: &'static str, text: impl Into<String>) -> Says {
    Says::Raw(status, kind, text.into())
}

#[tokio::test]
async fn each_wrong_answer_has_its_code() {
    let migrate = answer(&action("MigratePassword"));
    let without = |from: &str, to: &str| migrate.replace(from, to);
    let two = json!({ "data": { "@odata.type": "microsoft.graph.onPasswordSubmitResponseData", "nonce": "NONCE", "actions": [
        { "@odata.type": action("Retry") }, { "@odata.type": action("Block") } ] } });
    let none = json!({ "data": { "@odata.type": "microsoft.graph.onPasswordSubmitResponseData", "nonce": "NONCE", "actions": [] } });
    let cases = [
        (raw(500, JSON, &*migrate), 1_003_002),
        (raw(401, "", ""), 1_003_002),
        (raw(201, JSON, &*migrate), 1_003_002),
        (raw(302, JSON, &*migrate), 1_003_002),
        (raw(200, JSON, "{"), 1_003_003),
        (raw(200, JSON, "[]"), 1_003_003),
        (raw(200, JSON, r#"{"data":{}}"#), 1_003_003),
        (raw(200, JSON, without("onPasswordSubmitResponseData", "other")), 1_003_003),
        (raw(200, JSON, without("\"@odata.type\"", "\"@odata.Type\"")), 1_003_003),
        (raw(200, JSON, without("\"nonce\":\"NONCE\"", "\"nonce\":\"other\"")), 1_003_003),
        (raw(200, JSON, without("\"nonce\":\"NONCE\"", "\"Nonce\":\"NONCE\"")), 1_003_003),
        (raw(200, "text/html", &*migrate), 1_003_006),
        (raw(200, "", &*migrate), 1_003_006),
        (raw(200, JSON, " \n"), 1_003_009),
        (raw(200, "", ""), 1_003_009),
        (raw(200, JSON, two.to_string()), 1_003_010),
        (raw(200, JSON, none.to_string()), 1_003_010),
        (raw(200, JSON, answer(&action("Continue"))), 1_003_012),
        (raw(200, JSON, answer("MigratePassword")), 1_003_012),
        (raw(200, JSON, "x".repeat(70_000)), 1_003_024),
        (Says::Silence, 1_003_027),
    ];
    let scene = Scene::new(vec![Says::Silence], json!({})).await;
    for (says, code) in cases {
        scene.stub.says(says);
        fails(&scene, code, 1).await;
    }
    scene.stub.says(raw(200, "Application/JSON; charset=utf-8", &*migrate));
    assert_eq!(scene.sign_in(LEGACY).await["outcome"], "signed_in");
}

#[tokio::test]
async fn spellings_of_an_action_and_the_nonce_are_as_strict_as_one_wants() {
    let spelt = |prefix: &str, name: &str| answer(&format!("{prefix}{name}"));
    let first = spelt("microsoft.graph.passwordSubmit.", "Retry");
    let second = spelt("microsoft.graph.passwordsubmit.", "retry");
    let third = spelt("microsoft.graph.authenticationEvent.passwordSubmit.", "retry");
    let fourth = spelt("microsoft.graph.customAuthenticationExtension.", "retry");
    let scene = Scene::new(vec![Says::Silence], json!({})).await;
    for (spelling, accepted) in [("documented", 2), ("exact", 1), ("any", 4)] {
        scene.configure(json!({ "actions": spelling })).await;
        for (at, text) in [&first, &second, &third, &fourth].into_iter().enumerate() {
            scene.stub.says(raw(200, JSON, text));
            let done = scene.sign_in(LEGACY).await;
            let expected = if at < accepted { json!("retry") } else { json!("error") };
            assert_eq!(done["outcome"], expected, "{spelling} {text}");
            assert_eq!(done["code"], if at < accepted { Value::Null } else { json!(1_003_012) });
        }
    }
    scene.configure(json!({ "check_nonce": false })).await;
    scene.stub.says(raw(200, JSON, first.replace("NONCE", "other")));
    assert_eq!(scene.sign_in(LEGACY).await["outcome"], "retry");
}

#[tokio::test]
async fn a_slow_endpoint_is_given_up_and_asked_once_more_when_allowed() {
    let slow = || Says::Slow(Duration::from_millis(700));
    let scene = Scene::new(vec![slow()], json!({ "timeout_ms": 200 })).await;
    fails(&scene, 1_003_005, 1).await;
    let took = scene.last().await["extension"]["duration_ms"].as_u64().unwrap();
    assert!(took >= 200, "{took}");
    scene.configure(json!({ "timeout_ms": 200, "retries": 1 })).await;
    fails(&scene, 1_003_005, 2).await;
}

#[tokio::test]
async fn a_repeat_follows_a_5xx_or_a_lost_answer_with_a_new_context_or_the_same() {
    for (first, context) in [(raw(503, "", ""), "new"), (Says::Silence, "same")] {
        let script = vec![first, Says::Action("MigratePassword")];
        let scene = Scene::new(script, json!({ "retries": 1, "retry_context": context })).await;
        let done = scene.sign_in(LEGACY).await;
        assert_eq!(done["outcome"], "signed_in", "{context}");
        let call = scene.last().await["extension"].clone();
        assert_eq!((&call["attempts"], &call["http_status"], &call["code"]), (&json!(2), &json!(200), &Value::Null));
        let asked = scene.stub.asked();
        let same = |member: &str| asked[0].body["data"][member] == asked[1].body["data"][member];
        assert_eq!(same("encryptedPasswordContext"), context == "same");
        assert_eq!(asked[0].claims["nonce"] == asked[1].claims["nonce"], context == "same");
        assert!(same("authenticationContext"));
    }
    let scene = Scene::new(vec![raw(404, "", "")], json!({ "retries": 1 })).await;
    fails(&scene, 1_003_002, 1).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_meant_fails_before_any_request() {
    let scene = Scene::new(vec![Says::Silence], json!({})).await;
    let app = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb";
    let named = |resource: &str| json!({ "app_id": app, "resource_id": resource });
    let cases = [
        (json!({ "target_url": "http://jit.example.com/jit" }), 1_003_020),
        (json!({ "target_url": "not a url" }), 1_003_020),
        (json!({ "target_url": "ftp://127.0.0.1/" }), 1_003_020),
        (named("https://127.0.0.1/aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"), 1_003_014),
        (named("api://127.0.0.1"), 1_003_014),
        (named("api:///aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"), 1_003_014),
        (named("api://127.0.0.1/other"), 1_003_014),
        (named("api://jit.example.com/aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"), 1_003_015),
        (json!({ "setup_error": 1_003_016 }), 1_003_016),
        (json!({ "setup_error": 1_003_021 }), 1_003_021),
    ];
    for (settings, code) in cases {
        let report = scene.configure(settings).await;
        assert_eq!(report["setup_error"]["code"], code);
        fails(&scene, code, 0).await;
    }
    let report = scene.configure(named("api://127.0.0.1/aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb")).await;
    assert_eq!((&report["app_id"], &report["setup_error"]), (&json!(app), &Value::Null));
    scene.configure(json!({ "target_url": "http://127.0.0.1:1/jit" })).await;
    let done = scene.sign_in(LEGACY).await;
    assert_eq!((&done["code"], &done["called_extension"]), (&json!(1_003_027), &json!(true)));
}

#[tokio::test]
async fn settings_that_cannot_be_meant_are_refused_and_the_old_ones_stay() {
    let scene = Scene::new(vec![Says::Action("Retry")], json!({})).await;
    let url = format!("{}/just-in-time", scene.world.emulator.ready().state_url.as_ref().unwrap());
    let cases = [
        json!({ "timeout_ms": 199 }),
        json!({ "timeout_ms": 2_001 }),
        json!({ "retries": 2 }),
        json!({ "flag": "" }),
        json!({ "target_url": "" }),
        json!({ "certificate_pem": "nothing" }),
        json!({ "certificate_pem": null }),
        json!({ "certificate_file": "jit.pem" }),
        json!({ "ca_pem": "nothing" }),
        json!({ "setup_error": 1_003_013 }),
        json!({ "alg": "RSA1_5" }),
        json!({ "surprise": 1 }),
    ];
    for changes in cases {
        let mut settings = scene.settings.clone();
        for (name, value) in changes.as_object().unwrap() {
            settings[name] = value.clone();
        }
        let got = read(scene.world.http.post(&url).json(&settings).send().await.unwrap()).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{changes} {:?}", got.body);
        assert!(got.body["error"].is_string());
    }
    assert_eq!(scene.sign_in(LEGACY).await["outcome"], "retry");
}

#[tokio::test]
async fn a_tenant_asks_only_so_many_times_a_second() {
    let scene = Scene::new(vec![Says::Action("Retry")], json!({ "calls_per_second": 2 })).await;
    for _ in 0..2 {
        assert_eq!(scene.sign_in(LEGACY).await["outcome"], "retry");
    }
    fails(&scene, 1_003_004, 0).await;
    assert_eq!(scene.sign_in(STORED).await["outcome"], "signed_in", "who has moved is not slowed down");
    scene.world.control(Method::PATCH, &format!("/users/{}", scene.user), json!({ &scene.flag: true })).await;
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(scene.sign_in(LEGACY).await["outcome"], "retry");
    scene.configure(json!({ "calls_per_second": 0 })).await;
    for _ in 0..60 {
        assert_eq!(scene.sign_in(LEGACY).await["outcome"], "retry");
    }
}

#[tokio::test]
async fn https_is_spoken_with_the_authorities_that_are_named() {
    let authority = TestAuthority::new("test").unwrap();
    let trusted = json!({ "ca_pem": authority.certificate_pem() });
    let script = vec![Says::Action("MigratePassword")];
    let scene = Scene::with(script, json!({}), options(FLAG), Some(&authority)).await;
    let done = scene.sign_in(LEGACY).await;
    assert_eq!(done["code"], 1_003_027, "an authority that nobody knows");
    assert!(scene.stub.asked().is_empty());
    scene.configure(trusted).await;
    assert_eq!(scene.sign_in(LEGACY).await["outcome"], "signed_in");
}
