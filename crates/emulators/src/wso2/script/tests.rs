//! Scripts as `sterna export script` prints them, and what is wrong with others.

use std::collections::BTreeMap;

use super::{Auth, Engine, Flow, Script, Sender};

const IDENTITY_SERVER: &str = include_str!("../../../tests/data/wso2/login-is.js");
const ASGARDEO: &str = include_str!("../../../tests/data/wso2/login-asgardeo.js");
const ONE_CALL: &str = include_str!("../../../tests/data/wso2/one-call.js");

fn secrets() -> BTreeMap<String, String> {
    let names = ["sternaToken", "consumerKey", "consumerSecret"];
    names.map(|name| (name.to_owned(), format!("value of {name}"))).into()
}

fn read(script: &str) -> Result<Script, String> {
    Script::read(script, &secrets(), Engine::IdentityServer)
}

#[test]
fn a_script_for_identity_server_is_read() {
    let script = read(IDENTITY_SERVER).unwrap();
    assert_eq!((script.store.as_str(), script.skips_rules, script.resolves), ("PRIMARY", true, true));
    assert_eq!(script.flag, "http://wso2.org/claims/is_migrated");
    assert_eq!(script.bars.len(), 2);
    let Flow::Wait { start_url, result_url, poll_url, timeout_secs, interval_secs, callback, received } = &script.flow
    else {
        panic!("{:?}", script.flow)
    };
    assert!(start_url.ends_with("/hooks/wso2/start-authentication"), "{start_url}");
    assert!(result_url.ends_with("/hooks/wso2/authentication-status") && poll_url == result_url);
    assert_eq!((*timeout_secs, *interval_secs, *callback, received.as_str()), (10, 2, true, "Received"));
    let Sender::HttpPost { headers, auth: Auth::Bearer { token } } = &script.sender else { panic!() };
    assert_eq!((headers.len(), token.as_str()), (2, "value of sternaToken"));
    assert_eq!(script.messages.wrong, "Please check your username and password and try again.");
    assert_eq!(script.messages.later, "Please try again in a few minutes.");
    assert!(script.messages.weak.starts_with("It is right"));
    assert_eq!(script.messages.again, "Please try again.");
}

#[test]
fn a_script_for_asgardeo_and_one_with_a_single_call_are_read() {
    let script = Script::read(ASGARDEO, &secrets(), Engine::Asgardeo).unwrap();
    assert_eq!(script.store, "DEFAULT");
    let Sender::CallChoreo { key, token_endpoint: None, .. } = &script.sender else { panic!() };
    assert_eq!(key, "value of consumerKey");
    let script = read(ONE_CALL).unwrap();
    assert_eq!((script.skips_rules, script.resolves), (false, false));
    assert!(matches!(&script.flow, Flow::OneCall { check_url } if check_url.ends_with("/check")));
    let Sender::HttpPost { auth: Auth::ClientCredential { token_endpoint, scope, .. }, .. } = &script.sender else {
        panic!()
    };
    assert_eq!((token_endpoint.as_str(), scope.as_deref()), ("https://gw/token", Some("a b")));
}

#[test]
fn the_flag_and_the_locks_bar_the_way() {
    let script = read(IDENTITY_SERVER).unwrap();
    assert!(script.may_move(|_| None) && script.may_move(|_| Some("false".to_owned())));
    for claim in ["is_migrated", "identity/accountLocked", "identity/accountDisabled"] {
        let claim = format!("http://wso2.org/claims/{claim}");
        assert!(!script.may_move(|name| (name == claim).then(|| "true".to_owned())), "{claim}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_what_it_is() {
    let twice = |text: &str| text.to_owned();
    let cases: Vec<(String, &str)> = vec![
        (twice("alert(1);"), "line 1: a script is `var NAME = …;` throughout"),
        (format!("{IDENTITY_SERVER}\nvar a = function() {{ for (;;) {{ b(); }} }};"), "login scripts have no loops"),
        (format!("{IDENTITY_SERVER}\nvar a = function() {{ sendEmail(user); }};"), "calls sendEmail, which"),
        (IDENTITY_SERVER.replace("storePassword();", "signInAgain();"), "the function settle does not say"),
        (IDENTITY_SERVER.replace("userStore = \"PRIMARY\"", "userStore = 1"), "userStore is no text"),
        (
            IDENTITY_SERVER.replace("\"type\": \"bearer\"", "\"type\": \"bearertoken\""),
            "knows no authConfig of the type",
        ),
        (IDENTITY_SERVER.replace("\"token\": secrets", "\"tokens\": secrets"), "bearer needs token"),
        (IDENTITY_SERVER.replace("secrets.sternaToken", "secrets.other"), "there is no secret other"),
        (IDENTITY_SERVER.replace("internalWait", "other"), "the page is not internalWait"),
        (IDENTITY_SERVER.replace("var waitingSecs = \"10\"", "var waitingSecs = \"ten\""), "timeout is no number"),
        (IDENTITY_SERVER.replace("= \"true\";", "= \"yes\";"), "the function afterStoring does not say"),
    ];
    for (script, expected) in cases {
        let error = read(&script).unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let dots = ASGARDEO.replace("the password is forgotten", "");
    let dots = dots.replacen("// ", "// .. ", 1);
    assert!(Script::read(&dots, &secrets(), Engine::Asgardeo).unwrap_err().contains("two full stops"));
}

#[test]
fn a_longer_wait_is_cut_to_20_seconds() {
    let script = read(&IDENTITY_SERVER.replace("var waitingSecs = \"10\"", "var waitingSecs = \"60\"")).unwrap();
    assert!(matches!(script.flow, Flow::Wait { timeout_secs: 20, .. }));
}

#[test]
fn secrets_are_not_printed() {
    assert!(!format!("{:?}", read(IDENTITY_SERVER).unwrap()).contains("value of"));
}
