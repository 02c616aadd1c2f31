//! What is sent to the hook of Entra: password contexts, and whole calls.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use sterna_connectors::entra::hook::HookKind as Entra;
use sterna_core::{
    hook::{Call, Headers, HookDialect, HookKind, Material, Next, Peer, Refusal, Submission, Who},
    secrecy::ExposeSecret,
    settings::Values,
    time::Timestamp,
};

use super::entra_maker::{self as maker, APP, KID, NOW_MS, Pair, SAMPLES, TENANT, VECTORS};

/// One pair for both: contexts are encrypted to it, tokens signed with it.
static PAIR: LazyLock<Pair> = LazyLock::new(Pair::of_vectors);
/// A hook that takes the least, and one that takes everything.
static HOOKS: LazyLock<[Arc<dyn HookDialect>; 2]> = LazyLock::new(|| [opened(false), opened(true)]);
/// A token that is right.
static TOKEN: LazyLock<String> = LazyLock::new(|| token(&SAMPLES["bearerClaimsV2"]));

fn opened(all: bool) -> Arc<dyn HookDialect> {
    let values = Values::default()
        .with("tenant_id", TENANT.into())
        .with("client_id", APP.into())
        .with("keys", json!([{ "certificate": "c", "private_key": { "file": "k" } }]))
        .with("version_1_tokens", all.into())
        .with("plain_password_context", all.into());
    let material = Material {
        secrets: [("private_key.0".to_owned(), PAIR.private_pem().into())].into(),
        files: [("certificate.0".to_owned(), PAIR.certificate_pem().into_bytes())].into(),
        key_set: Some(PAIR.key_set().to_string().into_bytes()),
    };
    Entra.open(&values, &material).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn token(claims: &Value) -> String {
    PAIR.sign(&json!({ "alg": "RS256", "kid": KID }), claims)
}

fn ask(hook: &dyn HookDialect, authorization: &[u8], body: &[u8]) -> Next {
    let headers = Headers::new([("authorization", authorization)]);
    let (peer, now) = (Peer::default(), Timestamp(NOW_MS));
    hook.next(&Call { method: "POST", path: "", query: None, headers: &headers, peer, body, now })
}

/// A JWE that is not exactly one of those that were made for this key is never opened; the claims of one that was arrive as
/// they stand there, and whatever is not of the form, in time and for us is refused. The first byte says which it is.
pub(super) fn context(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let is_text = which & 1 == 0;
    let jwe = if is_text {
        let Ok(text) = std::str::from_utf8(rest) else { return };
        text.to_owned()
    } else {
        let zip = if which & 2 == 0 { "DEF" } else { "" };
        let header = json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "zip": zip });
        let header = if zip.is_empty() { json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }) } else { header };
        PAIR.seal(&header, rest)
    };
    let body = maker::body(&jwe).to_string();
    match ask(&*HOOKS[0], format!("Bearer {}", *TOKEN).as_bytes(), body.as_bytes()) {
        Next::Check(submission) if is_text => {
            let known = VECTORS["vectors"].as_array().is_some_and(|all| all.iter().any(|vector| vector["jwe"] == *jwe));
            assert!(known && !submission.echo.is_empty(), "{jwe}");
        }
        Next::Check(submission) => {
            // members that nobody reads may hold what serde_json would not take as a value
            if let Some(claims) = claims(rest) {
                assert_eq!(fault(&claims), None, "{claims}");
                assert_eq!(claims["user-password"], submission.password.expose_secret());
                assert_eq!(claims["nonce"], submission.echo.as_str());
                assert_eq!(claims.get("username").and_then(Value::as_str), submission.login.as_deref());
            }
        }
        Next::Refuse(why, answer) => {
            assert!(answer.body.is_empty());
            let is_right =
                !is_text && jwe.len() <= 16_384 && claims(rest).is_some_and(|claims| fault(&claims).is_none());
            assert!(!is_right || has_doubles(rest), "{why:?}: {}", rest.escape_ascii());
        }
        _ => panic!("no call has another answer"),
    }
}

/// The claims, bare or in an unsigned token.
fn claims(plain: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(plain).ok()?;
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    let [header, claims, ""] = text.split('.').collect::<Vec<_>>()[..] else { return None };
    let read = |part: &str| -> Option<Value> { serde_json::from_slice(&maker::decoded(part)?).ok() };
    let header = read(header).filter(|header| header["alg"] == "none" && header.get("crit").is_none())?;
    header.is_object().then(|| read(claims))?
}

/// What is wrong with claims.
fn fault(claims: &Value) -> Option<&'static str> {
    let seconds = |name: &str| claims.get(name).filter(|value| !value.is_null());
    let bound = |name: &str| seconds(name).map_or(Some(None), |value| value.as_f64().map(Some));
    let (Some(exp), Some(nbf)) = (bound("exp"), bound("nbf")) else { return Some("an instant that is no number") };
    let now = 1_790_000_060.0;
    if exp.is_some_and(|exp| exp + 300.0 < now - 0.01) || nbf.is_some_and(|nbf| nbf - 300.0 > now + 0.01) {
        return Some("not now");
    }
    let is_ours = |aud: &Value| aud.as_str().is_some_and(|text| text.eq_ignore_ascii_case(APP));
    let for_us = match claims.get("aud") {
        None | Some(Value::Null) => true,
        Some(Value::Array(all)) => all.iter().any(is_ours),
        Some(one) => is_ours(one),
    };
    let is_text = |value: &Value, bytes: std::ops::RangeInclusive<usize>| {
        value.as_str().is_some_and(|text| bytes.contains(&text.len()))
    };
    let name = claims.get("username").is_none_or(|name| name.is_null() || is_text(name, 0..=1_024));
    let nonce = is_text(&claims["nonce"], 1..=1_024);
    let is_whole = claims.is_object() && name && nonce && is_text(&claims["user-password"], 0..=4_096);
    if is_whole && for_us { None } else { Some("not whole, or not for us") }
}

/// Whether a member comes twice, or the end is within a breath of now: then two readers may differ.
fn has_doubles(plain: &[u8]) -> bool {
    let Some(claims) = claims(plain) else { return true };
    let once = PAIR.seal(&json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }), claims.to_string().as_bytes());
    let body = maker::body(&once).to_string();
    let edge = |name: &str| claims[name].as_f64().is_some_and(|at| ((at - 1_790_000_060.0).abs() - 300.0).abs() < 0.02);
    edge("exp")
        || edge("nbf")
        || matches!(ask(&*HOOKS[0], format!("Bearer {}", *TOKEN).as_bytes(), body.as_bytes()), Next::Check(_))
}

/// No call is let in without a token of the issuer whose claims are right, and none without its body being of the form. The
/// first byte is the hook and whether the line after it is a header or claims to be signed; the body follows, in which
/// `CONTEXT` stands for a password context.
pub(super) fn call(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let all = which & 1 == 1;
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, body) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    let vector = VECTORS["vectors"][0]["jwe"].as_str().unwrap_or_default();
    let body = match std::str::from_utf8(body) {
        Ok(text) => text.replace("CONTEXT", vector).into_bytes(),
        Err(_) => body.to_vec(),
    };
    let claims: Option<Value> = if which & 2 == 0 { None } else { serde_json::from_slice(line).ok() };
    let header =
        claims.as_ref().map_or_else(|| line.to_vec(), |claims| format!("Bearer {}", token(claims)).into_bytes());
    let is_right = claims.as_ref().map_or_else(|| is_ours(&header), |claims| is_right(claims, all));
    match ask(&*HOOKS[usize::from(all)], &header, &body) {
        Next::Check(submission) => {
            assert!(is_right, "{}", line.escape_ascii());
            if let Ok(body) = serde_json::from_slice(&body) {
                asked(&submission, &body, all);
            }
        }
        Next::Refuse(Refusal::Unauthenticated, answer) => assert!(answer.status == 401 && !is_ours(&header)),
        Next::Refuse(Refusal::NotAllowed | Refusal::Expired, answer) => assert_eq!(answer.status, 401),
        Next::Refuse(_, answer) => assert!(answer.body.is_empty() && is_right, "nothing was read for nobody"),
        Next::FetchKeys => assert!(claims.is_none()),
        _ => panic!("no call has another answer"),
    }
}

/// Whether a header has the one token that the seeds have.
fn is_ours(header: &[u8]) -> bool {
    let text = std::str::from_utf8(header).unwrap_or_default();
    text.split_once(' ').is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token.trim() == *TOKEN)
}

/// Whether claims let their token in.
fn is_right(claims: &Value, all: bool) -> bool {
    const CALLER: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let (version_1, version_2) = (format!("https://sts.windows.net/{TENANT}/"), format!("/{TENANT}/v2.0"));
    let issued = text("iss").ends_with(&version_2) || (all && text("iss") == version_1);
    let called = match text("ver") {
        "2.0" => text("azp") == CALLER,
        "1.0" => all && text("appid") == CALLER,
        _ => false,
    };
    let lives = claims["exp"].as_f64().is_some_and(|exp| exp + 300.0 >= 1_790_000_060.0);
    issued && called && lives && text("tid").eq_ignore_ascii_case(TENANT) && !claims["aud"].is_null()
}

/// What is asked stands in the body.
fn asked(submission: &Submission, body: &Value, all: bool) {
    let data = &body["data"];
    let about = &data["authenticationContext"];
    let Who::TargetId(id) = &submission.who else { panic!("another name") };
    assert_eq!(about["user"]["id"], id.0);
    assert_eq!(submission.tenant.as_deref(), Some(TENANT));
    assert!(data["tenantId"].as_str().is_some_and(|tenant| tenant.eq_ignore_ascii_case(TENANT)));
    assert_eq!(about["correlationId"].as_str(), submission.correlation.as_deref());
    let password = submission.password.expose_secret();
    if data["encryptedPasswordContext"].is_string() {
        assert_eq!(
            (&VECTORS["claims"]["nonce"], &VECTORS["claims"]["user-password"]),
            (&json!(submission.echo), &json!(password))
        );
    } else {
        let plain = &data["passwordContext"];
        assert!(all && plain["userPassword"] == password && plain["nonce"] == submission.echo);
    }
    assert!(!submission.echo.is_empty());
}
