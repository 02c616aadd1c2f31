//! Calls of products that ask hooks.

use sterna_connectors::wso2;
use sterna_core::{
    hook::{Call, Headers, HookKind, Material, Next, Peer, Refusal, Who},
    secrecy::ExposeSecret,
    settings::Values,
    time::Timestamp,
};

/// A bearer token for the hooks here.
const TOKEN: &str = "0123456789abcdef";

/// A text member as hooks take it.
fn text<'v>(value: &'v serde_json::Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str().filter(|text| (1..=1_024).contains(&text.len()))
}

/// A body is UTF-8 or else ISO-8859-1, and each member arrives exactly as it stands there; whatever is not of the form is
/// refused. The first byte is the call.
pub(super) fn call(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    let values = Values::default().with("one_call", true.into()).with("latin1_bodies", (which & 1 == 1).into());
    let secrets = [("bearer_token".to_owned(), TOKEN.into())].into();
    let Ok(hook) = wso2::Kind.open(&values, &Material { secrets, ..Material::default() }) else { panic!("opens") };
    let headers = [("authorization", format!("Bearer {TOKEN}")), ("content-type", "application/json".to_owned())];
    let headers = Headers::new(headers);
    let query = std::str::from_utf8(body).ok();
    let (method, path) = match (which >> 1) % 4 {
        0 => ("POST", "/start-authentication"),
        1 => ("POST", "/authentication-status"),
        2 => ("POST", "/check"),
        _ => ("GET", "/authentication-status"),
    };
    let peer = Peer::default();
    let next = hook.next(&Call { method, path, query, headers: &headers, peer, body, now: Timestamp::default() });
    let latin1 = || body.iter().map(|byte| char::from(*byte)).collect::<String>();
    let read = query.map_or_else(latin1, str::to_owned);
    let value: serde_json::Value = serde_json::from_str(&read).unwrap_or_default();
    let password = value.get("password").and_then(|text| text.as_str()).filter(|text| text.len() <= 4_096);
    match next {
        Next::Begin(submission) | Next::Check(submission) => {
            let Who::TargetId(id) = &submission.who else { panic!("another name") };
            assert_eq!(Some(id.0.as_str()), text(&value, "id"));
            assert_eq!(submission.login.as_deref(), text(&value, "username"));
            assert_eq!(Some(submission.password.expose_secret()), password);
            assert!(which & 1 == 1 || !submission.may_be_damaged);
        }
        Next::Collect { context, login } => {
            assert_eq!(Some(context.as_str()), text(&value, "contextId"));
            assert_eq!(login.as_deref(), text(&value, "username"));
        }
        Next::Poll(context) => assert!(!context.is_empty() && method == "GET"),
        Next::Refuse(refusal, answer) => {
            assert_eq!((refusal, answer.status), (Refusal::Malformed, 400));
            let named = text(&value, "username").is_some();
            let is_whole = match path {
                "/authentication-status" => named && text(&value, "contextId").is_some(),
                _ => named && text(&value, "id").is_some() && password.is_some(),
            };
            assert!(method == "GET" || !is_whole, "{read}");
        }
        _ => panic!("no call has another answer"),
    }
}
