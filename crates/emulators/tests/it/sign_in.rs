//! Sign-ins and the passwords that move at them (`entra.md` 1.1).

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sign_in_stub::{FLAG, LEGACY, NAME, STORED, Says, Scene};
use crate::support::{World, local, read, social};

fn migrates() -> Vec<Says> {
    vec![Says::Action("MigratePassword")]
}

#[tokio::test]
async fn without_a_flag_the_tenant_checks_by_itself() {
    let scene = Scene::new(migrates(), json!({})).await;
    for flag in [json!(false), Value::Null] {
        let body = json!({ &scene.flag: flag });
        scene.world.control(Method::PATCH, &format!("/users/{}", scene.user), body).await;
        let wrong = scene.sign_in(LEGACY).await;
        assert_eq!((&wrong["outcome"], &wrong["code"]), (&json!("wrong_password"), &json!(50_126)));
        assert_eq!(scene.sign_in(STORED).await["outcome"], "signed_in");
    }
    let unknown = scene.sign_in_as("bo@example.com", STORED).await;
    assert_eq!((&unknown["outcome"], &unknown["code"]), (&json!("wrong_password"), &json!(50_034)));
    assert!(unknown.get("user_id").is_none());
    assert!(scene.stub.asked().is_empty());
}

#[tokio::test]
async fn the_stored_password_signs_in_and_clears_the_flag_without_asking() {
    let scene = Scene::new(migrates(), json!({})).await;
    let done = scene.sign_in(STORED).await;
    assert_eq!((&done["outcome"], &done["called_extension"]), (&json!("signed_in"), &json!(false)));
    assert_eq!(done["user_id"], scene.user.as_str());
    let user = scene.stored().await;
    assert_eq!(user[&scene.flag], false);
    assert!(user["signInActivity"]["lastSuccessfulSignInDateTime"].is_string());
    assert!(scene.stub.asked().is_empty());
}

#[tokio::test]
async fn the_legacy_password_moves_once_and_the_endpoint_is_not_asked_again() {
    let scene = Scene::new(migrates(), json!({})).await;
    let before = scene.stored().await;
    assert_eq!(before["lastPasswordChangeDateTime"], before["createdDateTime"]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let done = scene.sign_in(LEGACY).await;
    assert_eq!((&done["outcome"], &done["called_extension"]), (&json!("signed_in"), &json!(true)));
    let after = scene.stored().await;
    assert_eq!((&after[&scene.flag], &after["_password"]), (&json!(false), &json!(LEGACY)));
    let seen =
        scene.world.get(&format!("/users/{}?$select=lastPasswordChangeDateTime,signInActivity", scene.user)).await;
    assert!(seen.body["lastPasswordChangeDateTime"].as_str() > before["createdDateTime"].as_str());
    assert!(seen.body["signInActivity"]["lastSignInDateTime"].is_string());
    assert_eq!(scene.sign_in(LEGACY).await["called_extension"], false);
    assert_eq!(scene.sign_in(STORED).await["outcome"], "wrong_password");
    assert_eq!(scene.stub.asked().len(), 1);
}

#[tokio::test]
async fn a_name_is_an_email_address_a_user_name_or_a_principal_name_in_any_case() {
    let world = World::new("").await;
    let mut user = local("Ana");
    let other = json!({ "signInType": "userName", "issuer": "contoso.onmicrosoft.com", "issuerAssignedId": "ana_j" });
    user["identities"].as_array_mut().unwrap().push(other);
    let got = world.create(user).await;
    let principal = got.body["userPrincipalName"].as_str().unwrap().to_uppercase();
    for name in ["ANA@EXAMPLE.COM", " Ana_J ", &principal] {
        let body = json!({ "username": name, "password": STORED });
        assert_eq!(world.control(Method::POST, "/sign-in", body).await["outcome"], "signed_in", "{name}");
    }
    world.delete(&format!("/users/{}", got.id())).await;
    let body = json!({ "username": "ana_j", "password": STORED });
    assert_eq!(world.control(Method::POST, "/sign-in", body).await["code"], 50_034);
}

#[tokio::test]
async fn disabled_and_social_accounts_and_empty_passwords_are_refused_without_asking() {
    let scene = Scene::new(migrates(), json!({})).await;
    assert_eq!(scene.sign_in("").await["outcome"], "wrong_password");
    let user = format!("/users/{}", scene.user);
    scene.world.control(Method::PATCH, &user, json!({ "accountEnabled": false })).await;
    for password in [LEGACY, STORED] {
        let done = scene.sign_in(password).await;
        assert_eq!((&done["outcome"], &done["code"]), (&json!("error"), &json!(50_057)));
    }
    let mut sara = social("sara");
    sara[&scene.flag] = json!(true);
    let name = scene.world.create(sara).await.body["userPrincipalName"].as_str().unwrap().to_owned();
    assert_eq!(scene.sign_in_as(&name, LEGACY).await["outcome"], "wrong_password");
    assert!(scene.stub.asked().is_empty());
}

#[tokio::test]
async fn retry_and_block_hand_on_what_the_endpoint_says_and_change_nothing() {
    let scene = Scene::new(vec![Says::Action("Retry")], json!({})).await;
    for (action, outcome) in [("Retry", "retry"), ("Block", "blocked")] {
        scene.stub.says(Says::Action(action));
        let done = scene.sign_in(LEGACY).await;
        assert_eq!(done["outcome"], outcome);
        assert_eq!((&done["title"], &done["message"]), (&json!("From the endpoint"), &json!("Says <so>")));
        assert_eq!(scene.flag_and_password().await, (json!(true), json!(STORED)));
    }
    assert!(scene.stored().await.get("signInActivity").is_none());
}

#[tokio::test]
async fn update_password_asks_for_a_new_one_until_it_is_good() {
    let scene = Scene::new(vec![Says::Action("UpdatePassword")], json!({})).await;
    let done = scene.sign_in(LEGACY).await;
    assert_eq!(done["outcome"], "update_password");
    assert_eq!(scene.flag_and_password().await, (json!(true), json!(STORED)));
    let submit = |password: &'static str| {
        scene.world.control(
            Method::POST,
            "/sign-in/new-password",
            json!({ "flow": done["flow"], "password": password }),
        )
    };
    let weak = submit("weak").await;
    assert_eq!((&weak["outcome"], &weak["flow"]), (&json!("update_password"), &done["flow"]));
    assert!(weak["message"].is_string());
    assert_eq!(submit("Brand-New-1").await["outcome"], "signed_in");
    assert_eq!(scene.flag_and_password().await, (json!(false), json!("Brand-New-1")));
    let url = format!("{}/sign-in/new-password", scene.world.emulator.ready().state_url.as_ref().unwrap());
    let again = scene.world.http.post(url).json(&json!({ "flow": done["flow"], "password": "Brand-New-2" }));
    assert_eq!(read(again.send().await.unwrap()).await.status, StatusCode::NOT_FOUND, "a flow ends with its password");
    let outcomes: Vec<_> = scene.log().await.iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes, ["update_password", "update_password", "signed_in"]);
}

#[tokio::test]
async fn a_weak_legacy_password_leads_to_a_new_one_unless_the_rule_is_relaxed() {
    let scene = Scene::new(migrates(), json!({})).await;
    for weak in ["password", "short1!", "P\u{e4}ssw0rd-1"] {
        assert_eq!(scene.sign_in(weak).await["outcome"], "update_password", "{weak}");
    }
    scene.configure(json!({ "strong_passwords": false })).await;
    assert_eq!(scene.sign_in("short1!").await["outcome"], "update_password");
    assert_eq!(scene.sign_in("password").await["outcome"], "signed_in");
    assert_eq!(scene.flag_and_password().await, (json!(false), json!("password")));
}

#[tokio::test]
async fn a_self_service_reset_leaves_the_flag_or_clears_it() {
    let scene = Scene::new(migrates(), json!({})).await;
    let lever = format!("/users/{}/reset-password", scene.user);
    let url = format!("{}{lever}", scene.world.emulator.ready().state_url.as_ref().unwrap());
    let weak = scene.world.http.post(url).json(&json!({ "password": "weak" })).send().await.unwrap();
    assert_eq!(weak.status(), StatusCode::BAD_REQUEST);
    scene.world.control(Method::POST, &lever, json!({ "password": "Reset-Passw0rd" })).await;
    assert_eq!(scene.flag_and_password().await, (json!(true), json!("Reset-Passw0rd")));
    assert_eq!(scene.sign_in("Reset-Passw0rd").await["called_extension"], false);
    assert_eq!(scene.stored().await[&scene.flag], false, "the equal branch clears it");
    scene.world.control(Method::PATCH, &format!("/users/{}", scene.user), json!({ &scene.flag: true })).await;
    scene.configure(json!({ "reset_clears_flag": true })).await;
    scene.world.control(Method::POST, &lever, json!({ "password": "Reset-Passw0rd2" })).await;
    assert_eq!(scene.flag_and_password().await, (json!(false), json!("Reset-Passw0rd2")));
}

#[tokio::test]
async fn a_password_that_was_set_while_the_endpoint_thinks_wins() {
    let scene = Scene::new(vec![Says::Slow(Duration::from_millis(600))], json!({})).await;
    let (done, ()) = tokio::join!(scene.sign_in(LEGACY), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let body = json!({ "_password": "Meanwhile-1", &scene.flag: false });
        scene.world.control(Method::PATCH, &format!("/users/{}", scene.user), body).await;
    });
    assert_eq!((&done["outcome"], &done["called_extension"]), (&json!("wrong_password"), &json!(true)));
    assert_eq!(scene.flag_and_password().await, (json!(false), json!("Meanwhile-1")));
}

#[tokio::test]
async fn without_a_configuration_a_flag_means_nothing() {
    let scene = Scene::new(migrates(), json!({})).await;
    scene.world.control(Method::DELETE, "/just-in-time", json!({})).await;
    assert_eq!(scene.sign_in(LEGACY).await["code"], 50_126);
    assert_eq!(scene.sign_in(STORED).await["outcome"], "signed_in");
    assert_eq!(scene.stored().await[&scene.flag], true, "nobody clears it");
}

#[tokio::test]
async fn the_log_tells_of_each_sign_in_and_never_a_password() {
    let scene = Scene::new(migrates(), json!({})).await;
    let body = json!({
        "username": NAME, "password": LEGACY, "client_ip": "203.0.113.9",
        "client_app_id": "aaaaaaaa-0000-4000-8000-00000000000a",
    });
    let done = scene.world.control(Method::POST, "/sign-in", body).await;
    scene.sign_in_as("nobody@example.com", "Typed-Passw0rd").await;
    let log = scene.log().await;
    let [first, second] = &log[..] else { panic!("{log:?}") };
    assert_eq!(first["correlation_id"], done["correlation_id"]);
    assert_eq!((&first["user_id"], &first["outcome"]), (&json!(scene.user), &json!("signed_in")));
    assert_eq!((&first["ip"], &second["ip"]), (&json!("203.0.113.9"), &json!("127.0.0.1")));
    let call = &first["extension"];
    assert_eq!((&call["http_status"], &call["attempts"], &call["code"]), (&json!(200), &json!(1), &Value::Null));
    assert!(call["duration_ms"].is_u64() && call["listener_id"].is_string() && call["extension_id"].is_string());
    assert_eq!((&second["user_id"], &second["extension"]), (&Value::Null, &Value::Null));
    assert!(first["time"].as_str() <= second["time"].as_str());
    let text = json!(log).to_string();
    assert!(!text.contains(LEGACY) && !text.contains("Typed-") && !text.contains("nobody@"));
    let asked = &scene.stub.asked()[0].body;
    assert_eq!(asked["data"]["authenticationContext"]["client"]["ip"], "203.0.113.9");
    assert!(asked["source"].as_str().unwrap().ends_with("/applications/aaaaaaaa-0000-4000-8000-00000000000a"));
}

#[tokio::test]
async fn a_scenario_file_configures_it_too_and_b2c_has_no_such_thing() {
    let scene = Scene::new(migrates(), json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("jit.pem"), &scene.stub.keys.pem).unwrap();
    let file = folder.path().join("scenario.toml");
    let target = scene.settings["target_url"].as_str().unwrap();
    let table = format!("{FLAG}\n[just_in_time]\ntarget_url = \"{target}\"\ncertificate_file = \"jit.pem\"\n");
    std::fs::write(&file, &table).unwrap();
    let scenario = sterna_emulators::entra::Scenario::load(&file).unwrap();
    let options = |kind| sterna_emulators::entra::Options {
        scenario: scenario.clone(),
        read_delay_ms: Some(0),
        ..sterna_emulators::entra::Options::new(kind)
    };
    let world = World::with(options(sterna_emulators::entra::Kind::EntraExternalId)).await;
    let report = world.control(Method::GET, "/just-in-time", json!({})).await;
    assert_eq!(report["target_url"], target);
    assert_eq!(report["app_id"], json!(world.emulator.ready().extension_app_id));
    assert!(report["flag"].as_str().unwrap().ends_with("_toBeMigrated"));
    let refused = sterna_emulators::entra::start(options(sterna_emulators::entra::Kind::AzureAdB2c)).await;
    assert!(refused.is_err());
}
