//! From the body to what is to be checked.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sterna_core::{
    hook::{Submission, Who},
    ids::TargetId,
    time::Timestamp,
};

use super::{
    MALFORMED, NONCE, NOT_ALLOWED, NOW_MS, PASSWORD, Request, SAMPLES, TENANT, bearer, context, hook, maker, typed,
    vector,
};

const USER: &str = "66666666-aaaa-4bbb-8ccc-dddddddddddd";
const LISTENER: &str = "22222222-aaaa-4bbb-8ccc-dddddddddddd";
const EXTENSION: &str = "33333333-aaaa-4bbb-8ccc-dddddddddddd";
const CLIENT: &str = "cccccccc-1111-4222-8333-dddddddddddd";

/// The sample's body, after a change at a pointer; null takes the member out.
fn body(pointer: &str, value: Value) -> Value {
    let mut body = maker::body(vector("observed-shape"));
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    body
}

#[test]
fn the_sample_says_who_what_from_where_and_what_belongs_together() {
    let hook = hook("");
    let Submission { who, password: _, address, tenant, correlation, once, login, may_be_damaged, echo } =
        Request::of(vector("observed-shape")).accepted(&*hook);
    assert_eq!(who, Who::TargetId(TargetId(USER.into())));
    assert_eq!(address, Some("203.0.113.7".parse().unwrap()));
    assert_eq!(tenant.as_deref(), Some(TENANT));
    assert_eq!(correlation.as_deref(), Some("44444444-aaaa-4bbb-8ccc-dddddddddddd"));
    assert_eq!(login.as_deref(), Some("casey@example.com"));
    assert_eq!((echo.as_str(), may_be_damaged), (NONCE, false));
    assert_eq!(once.unwrap().until, Timestamp(1_790_000_600_000 + 300_000), "its own end, and the skew");
    assert_eq!(typed(&Request::of(vector("observed-shape")).accepted(&*hook)), PASSWORD);
}

#[test]
fn every_message_has_a_mark_of_its_own_and_a_repeat_has_the_same() {
    let hook = hook("");
    let mark = |context: &str| Request::of(context).accepted(&*hook).once.unwrap().digest;
    let first = vector("observed-shape");
    let repeat =
        Request { authorization: Request::by(&bearer(&json!({"uti": "y"}))).authorization, ..Request::of(first) };
    assert_eq!(repeat.accepted(&*hook).once.unwrap().digest, mark(first), "by another token too");
    let others = ["no-zip", "oaep256-gcm", "flat-claims-no-inner-jwt"].map(vector);
    let fresh = [context(&json!({})), context(&json!({"nonce": "other"}))];
    let marks: BTreeSet<_> = others.into_iter().chain(fresh.iter().map(String::as_str)).map(mark).collect();
    assert!(marks.len() == 5 && !marks.contains(&mark(first)));
}

#[test]
fn a_context_without_an_end_is_remembered_for_as_long_as_others_live() {
    let endless = Request::of(&context(&json!({"exp": null})));
    assert_eq!(endless.accepted(&*hook("")).once.unwrap().until, Timestamp(NOW_MS + 86_400_000 + 300_000));
}

#[test]
fn what_is_optional_may_be_missing_null_or_more() {
    let hook = hook("");
    let data = ["authenticationEventListenerId", "customAuthenticationExtensionId", "userSignUpInfo", "otpContext"];
    let about = ["correlationId", "client", "protocol", "clientServicePrincipal", "resourceServicePrincipal"];
    let data = data.map(|name| format!("/data/{name}"));
    let about = about.map(|name| format!("/data/authenticationContext/{name}"));
    for pointer in data.iter().chain(&about).map(String::as_str).chain(["/source"]) {
        assert_eq!(typed(&Request::post(&body(pointer, Value::Null)).accepted(&*hook)), PASSWORD, "{pointer}");
        let mut null = maker::body(vector("observed-shape"));
        *null.pointer_mut(pointer).unwrap() = Value::Null;
        assert_eq!(typed(&Request::post(&null).accepted(&*hook)), PASSWORD, "{pointer}");
    }
    let bare = json!({
        "type": "Microsoft.Graph.AuthenticationEvent.passwordsubmit",
        "data": {
            "@odata.type": "#microsoft.graph.OnPasswordSubmitCalloutData", "tenantId": TENANT.to_ascii_uppercase(),
            "encryptedPasswordContext": vector("observed-shape"), "new": [{}],
            "authenticationContext": {"user": {"id": "u", "mail": 7}},
        },
    });
    let submission = Request::post(&bare).accepted(&*hook);
    assert_eq!((submission.tenant.as_deref(), submission.address), (Some(TENANT), None));
    let resource = json!({"id": "r", "appId": "a"});
    Request::post(&body("/data/authenticationContext/resourceServicePrincipal", resource)).accepted(&*hook);
    let odd = body("/data/authenticationContext/client", json!({"ip": "not an address"}));
    assert_eq!(Request::post(&odd).accepted(&*hook).address, None);
    let six = body("/data/authenticationContext/client", json!({"ip": "2001:db8::1"}));
    assert_eq!(Request::post(&six).accepted(&*hook).address, Some("2001:db8::1".parse().unwrap()));
}

#[test]
fn a_body_of_another_form_is_refused() {
    let hook = hook("");
    for (pointer, value) in [
        ("/type", Value::Null),
        ("/type", json!("microsoft.graph.authenticationEvent.tokenIssuanceStart")),
        ("/data/@odata.type", Value::Null),
        ("/data/@odata.type", json!("microsoft.graph.onTokenIssuanceStartCalloutData")),
        ("/data/@odata.type", json!("##microsoft.graph.onPasswordSubmitCalloutData")),
        ("/data/tenantId", Value::Null),
        ("/data/tenantId", json!(7)),
        ("/data/authenticationContext", Value::Null),
        ("/data/authenticationContext/user", Value::Null),
        ("/data/authenticationContext/user/id", Value::Null),
        ("/data/authenticationContext/user/id", json!("")),
        ("/data/authenticationContext/user/id", json!("x".repeat(1_025))),
        ("/data/authenticationContext/correlationId", json!("x".repeat(1_025))),
        ("/data/authenticationContext/user/id", json!(["u"])),
        ("/data/encryptedPasswordContext", Value::Null),
        ("/data/encryptedPasswordContext", json!({})),
        ("/data", json!([])),
    ] {
        assert_eq!(Request::post(&body(pointer, value.clone())).refused(&*hook), MALFORMED, "{pointer} {value}");
    }
    let right = maker::body(vector("observed-shape")).to_string();
    let twice = right.replacen("{\"data\"", "{\"type\":\"x\",\"data\"", 1);
    assert_ne!(twice, right);
    let positions = json!([SAMPLES["request"]["type"], maker::body(vector("observed-shape"))["data"]]).to_string();
    for text in ["", "{}", "[]", "null", "\u{feff}{}", &right[1..], &format!("{right} x"), &twice, &positions] {
        let request = Request { body: text.as_bytes().to_vec(), ..Request::post(&json!({})) };
        assert_eq!(request.refused(&*hook), MALFORMED, "{text}");
    }
}

#[test]
fn another_tenant_in_the_body_is_refused() {
    let hook = hook("");
    for tenant in ["11111111-2222-4333-8444-555555555556", "", " 11111111-2222-4333-8444-555555555555"] {
        assert_eq!(Request::post(&body("/data/tenantId", json!(tenant))).refused(&*hook), NOT_ALLOWED, "{tenant}");
    }
}

#[test]
fn only_listed_listeners_extensions_and_applications_may_call() {
    let pointers = [
        ("listener_ids", LISTENER, "/data/authenticationEventListenerId"),
        ("extension_ids", EXTENSION, "/data/customAuthenticationExtensionId"),
        ("client_app_ids", CLIENT, "/data/authenticationContext/clientServicePrincipal/appId"),
    ];
    for (setting, id, pointer) in pointers {
        let hook = hook(&format!("{setting} = [\"other\", \"{}\"]", id.to_ascii_uppercase()));
        Request::of(vector("observed-shape")).accepted(&*hook);
        for other in [json!("22222222-0000-4bbb-8ccc-dddddddddddd"), json!(""), Value::Null] {
            assert_eq!(Request::post(&body(pointer, other.clone())).refused(&*hook), NOT_ALLOWED, "{setting} {other}");
        }
    }
    let hook = hook("client_app_ids = [\"cccccccc-1111-4222-8333-dddddddddddd\"]");
    let none = body("/data/authenticationContext/clientServicePrincipal", Value::Null);
    assert_eq!(Request::post(&none).refused(&*hook), NOT_ALLOWED);
}

#[test]
fn a_password_in_the_clear_is_taken_only_where_it_is_switched_on() {
    let mut plain = maker::body("");
    let data = plain["data"].as_object_mut().unwrap();
    data.remove("encryptedPasswordContext");
    data.insert("passwordContext".into(), json!({"userPassword": " p\u{e4}ss ", "nonce": "n-1"}));
    assert_eq!(Request::post(&plain).refused(&*hook("")), MALFORMED);
    let on = hook("plain_password_context = true");
    let submission = Request::post(&plain).accepted(&*on);
    assert_eq!((typed(&submission), submission.echo.as_str()), (" p\u{e4}ss ", "n-1"));
    assert_eq!((submission.login, submission.once.unwrap().until), (None, Timestamp(NOW_MS + 86_700_000)));
    let nobody = Request { authorization: Vec::new(), ..Request::post(&plain) };
    assert_eq!(nobody.refused(&*on), super::UNAUTHENTICATED);
    for (name, value) in [("userPassword", "x".repeat(4_097)), ("nonce", "x".repeat(1_025)), ("nonce", String::new())] {
        let right = std::mem::replace(&mut plain["data"]["passwordContext"][name], value.into());
        assert_eq!(Request::post(&plain).refused(&*on), MALFORMED, "{name}");
        plain["data"]["passwordContext"][name] = right;
    }
    plain["data"]["encryptedPasswordContext"] = vector("observed-shape").into();
    assert_eq!(typed(&Request::post(&plain).accepted(&*on)), PASSWORD, "the encrypted one counts where both are there");
    plain["data"]["encryptedPasswordContext"] = vector("must-fail-bad-tag").into();
    assert_eq!(Request::post(&plain).refused(&*on), super::UNDECRYPTABLE);
}
