//! What the endpoint is sent: request, password context, token (`entra.md` 1.2, 1.4, 2.1).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sign_in_stub::{Asked, Keys, LEGACY, NAME, Says, Scene};

const APP: &str = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb";

async fn asks(settings: Value) -> (Scene, Asked) {
    let scene = Scene::new(vec![Says::Action("Retry")], settings).await;
    assert_eq!(scene.sign_in(LEGACY).await["outcome"], "retry");
    let asked = scene.stub.asked().pop().unwrap();
    (scene, asked)
}

/// The names of all members, below one another.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(all) => all.iter().map(shape).collect(),
        _ => Value::Null,
    }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The claims of a token, after its signature was checked with the published key.
async fn verified(scene: &Scene, token: &str) -> Value {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header = decoded(header);
    assert_eq!(header["alg"], "RS256");
    let jwks = scene.world.get(scene.world.emulator.ready().jwks_url.as_ref().unwrap()).await.body;
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap().clone();
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let components = RsaPublicKeyComponents { n: number("n"), e: number("e") };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    components.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).unwrap();
    decoded(claims)
}

#[tokio::test]
async fn the_request_has_the_members_of_the_sample() {
    let (scene, asked) = asks(json!({})).await;
    let samples: Value = serde_json::from_str(include_str!("../data/jit-samples.json")).unwrap();
    let sample = &samples["request"];
    assert_eq!(shape(&asked.body), shape(sample));
    assert_eq!(asked.content_type, "application/json");
    let ready = scene.world.emulator.ready();
    let report = scene.world.control(Method::GET, "/just-in-time", json!({})).await;
    let data = &asked.body["data"];
    assert_eq!((&asked.body["type"], &data["@odata.type"]), (&sample["type"], &sample["data"]["@odata.type"]));
    assert_eq!(data["tenantId"], json!(ready.tenant_id));
    assert_eq!(data["authenticationEventListenerId"], report["listener_id"]);
    assert_eq!(data["customAuthenticationExtensionId"], report["extension_id"]);
    let context = &data["authenticationContext"];
    assert_eq!(context["clientServicePrincipal"]["appId"], report["client_app_id"]);
    assert_eq!(context["protocol"], "OAUTH2.0");
    assert_eq!(context["correlationId"], scene.last().await["correlation_id"]);
    let user = &context["user"];
    let stored = scene.stored().await;
    assert_eq!((&user["id"], &user["displayName"], &user["mail"]), (&json!(scene.user), &json!("Ana"), &Value::Null));
    assert_eq!((&user["userPrincipalName"], &user["userType"]), (&stored["userPrincipalName"], &json!("Member")));
    assert_eq!(user["createdDateTime"], stored["createdDateTime"]);
    let source = format!(
        "/tenants/{}/applications/{}",
        ready.tenant_id.as_ref().unwrap(),
        report["client_app_id"].as_str().unwrap()
    );
    assert_eq!(asked.body["source"], source);
}

#[tokio::test]
async fn the_password_context_is_the_observed_one_by_default() {
    let (scene, asked) = asks(json!({ "app_id": APP })).await;
    let x5t = scene.stub.keys.thumbprint(&SHA1_FOR_LEGACY_USE_ONLY);
    assert_eq!(asked.jwe.header, json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "x5t": x5t, "zip": "DEF" }));
    let claims = &asked.claims;
    let now = Timestamp::now().as_second();
    let issued = claims["iat"].as_i64().unwrap();
    assert!((now - 5..=now).contains(&issued) && claims["nbf"] == issued && claims["exp"] == issued + 600);
    assert_eq!((&claims["user-password"], &claims["username"]), (&json!(LEGACY), &json!(NAME)));
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!(APP), &json!(format!("api://127.0.0.1/{APP}"))));
    assert_eq!(claims["nonce"].as_str().unwrap().len(), 36);
    assert_eq!(claims.as_object().unwrap().len(), 8);
    assert!(!asked.body.to_string().contains(LEGACY));
}

#[test]
fn what_opens_contexts_here_opens_those_that_others_sealed() {
    let vectors: Value = serde_json::from_str(include_str!("../data/jit-jwe-vectors.json")).unwrap();
    let keys = Keys::of_vectors(&vectors);
    assert_eq!(keys.thumbprint(&SHA256), vectors["x5t#S256"].as_str().unwrap());
    let all = vectors["vectors"].as_array().unwrap();
    for vector in all.iter().filter(|vector| !vector["name"].as_str().unwrap().starts_with("must-fail")) {
        let opened = keys.open(vector["jwe"].as_str().unwrap());
        assert_eq!(opened.header, vector["protected"]);
        let nested = vectors["inner_compact_jwt"] == opened.text;
        assert!(
            nested
                || serde_json::from_str::<Value>(&opened.text)
                    .is_ok_and(|flat| flat["nonce"] == vectors["claims"]["nonce"])
        );
    }
    assert!(all.len() > 4);
}

#[tokio::test]
async fn every_pair_of_algorithms_opens_with_and_without_compression_nested_and_flat() {
    let scene = Scene::new(vec![Says::Action("Retry")], json!({})).await;
    for alg in ["RSA-OAEP", "RSA-OAEP-256"] {
        for enc in ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"] {
            for (zip, claims) in [(true, "nested"), (true, "flat"), (false, "nested"), (false, "flat")] {
                scene.configure(json!({ "alg": alg, "enc": enc, "zip": zip, "claims": claims })).await;
                // an odd number of characters each time, so that every length of padding comes up
                let password = format!("Legacy-1{}", "x".repeat(scene.stub.asked().len()));
                assert_eq!(scene.sign_in(&password).await["outcome"], "retry", "{alg} {enc} {zip} {claims}");
                let asked = scene.stub.asked().pop().unwrap();
                assert_eq!((&asked.jwe.header["alg"], &asked.jwe.header["enc"]), (&json!(alg), &json!(enc)));
                assert_eq!(asked.jwe.header.get("zip"), zip.then(|| json!("DEF")).as_ref());
                assert_eq!(asked.jwe.text.starts_with('{'), claims == "flat");
                assert_eq!(asked.claims["user-password"], password);
            }
        }
    }
}

#[tokio::test]
async fn the_certificate_is_named_by_either_thumbprint_or_by_the_id_of_the_key() {
    let id = "33333333-4444-4555-8666-777777777777";
    let (scene, _) = asks(json!({})).await;
    let sha256 = scene.stub.keys.thumbprint(&SHA256);
    for (name, value) in [("x5t#S256", sha256.as_str()), ("kid", id)] {
        scene.configure(json!({ "key_named_by": name, "key_id": id })).await;
        scene.sign_in(LEGACY).await;
        let header = scene.stub.asked().pop().unwrap().jwe.header;
        assert_eq!((&header[name], header.get("x5t")), (&json!(value), None));
    }
}

#[tokio::test]
async fn the_token_is_signed_and_has_the_claims_of_either_version() {
    let samples: Value = serde_json::from_str(include_str!("../data/jit-samples.json")).unwrap();
    let (scene, asked) = asks(json!({ "app_id": APP })).await;
    let tenant = scene.world.emulator.ready().tenant_id.clone().unwrap();
    let report = scene.world.control(Method::GET, "/just-in-time", json!({})).await;
    let claims = verified(&scene, &asked.bearer).await;
    assert_eq!(shape(&claims), shape(&samples["bearerClaimsV2"]));
    assert_eq!((&claims["aud"], &claims["ver"]), (&json!(APP), &json!("2.0")));
    assert_eq!(claims["iss"], format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"));
    assert_eq!(claims["azp"], samples["bearerClaimsV2"]["azp"]);
    assert_eq!((&claims["oid"], &claims["sub"]), (&report["caller_principal_id"], &report["caller_principal_id"]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_900);
    for (audience, expected) in [("resource-id", format!("api://127.0.0.1/{APP}")), ("app-id", APP.to_owned())] {
        scene.configure(json!({ "app_id": APP, "token_version": "v1", "v1_audience": audience })).await;
        scene.sign_in(LEGACY).await;
        let claims = verified(&scene, &scene.stub.asked().pop().unwrap().bearer).await;
        assert_eq!((&claims["aud"], &claims["ver"]), (&json!(expected), &json!("1.0")));
        assert_eq!(claims["iss"], format!("https://sts.windows.net/{tenant}/"));
        assert_eq!(claims["appid"], samples["bearerClaimsV1"]["appid"]);
        assert!(claims.get("azp").is_none());
    }
}

#[tokio::test]
async fn the_token_can_be_encrypted_too() {
    let (scene, asked) = asks(json!({ "encrypted_bearer": true })).await;
    let opened = scene.stub.keys.open(&asked.bearer);
    assert_eq!((&opened.header["cty"], opened.header.get("zip")), (&json!("JWT"), None));
    let claims = verified(&scene, &opened.text).await;
    assert_eq!(claims["aud"], json!(scene.world.emulator.ready().extension_app_id));
}

#[tokio::test]
async fn discovery_names_the_issuer_of_the_tokens() {
    let (scene, _) = asks(json!({})).await;
    let ready = scene.world.emulator.ready();
    let tenant = ready.tenant_id.as_ref().unwrap();
    let url = format!("{}/{tenant}/v2.0/.well-known/openid-configuration", ready.login_url.as_ref().unwrap());
    let found = scene.world.get(&url).await.body;
    assert_eq!(found["issuer"], format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"));
    assert_eq!(found["jwks_uri"], json!(ready.jwks_url));
    scene.configure(json!({ "issuer": "https://login.example/v2.0" })).await;
    scene.sign_in(LEGACY).await;
    let claims = verified(&scene, &scene.stub.asked().pop().unwrap().bearer).await;
    assert_eq!(
        (&claims["iss"], &scene.world.get(&url).await.body["issuer"]),
        (&json!("https://login.example/v2.0"), &claims["iss"])
    );
}
