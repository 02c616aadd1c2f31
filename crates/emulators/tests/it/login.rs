//! The token endpoint (`entra.md` 6).

use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_emulators::entra::Scenario;

use crate::support::{Got, World, options, read, social};

const CLIENT: &str = "11111111-1111-4111-8111-111111111111";

fn code(got: &Got) -> u64 {
    got.body["error_codes"][0].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn a_secret_gets_a_token_by_form_and_by_http_basic() {
    let world =
        World::new("[[app]]\nclient_id = \"11111111-1111-4111-8111-111111111111\"\nclient_secret = \"a+b c:d\"").await;
    let got = world.token_request(&[("client_id", CLIENT), ("client_secret", "a+b c:d")]).await;
    assert_eq!((&got.body["token_type"], &got.body["expires_in"]), (&json!("Bearer"), &json!(3599)));
    let claims = got.body["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert!(claims["roles"].as_array().unwrap().contains(&json!("User.ReadWrite.All")));
    let url =
        format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", world.emulator.ready().login_url.as_ref().unwrap());
    let form = [("grant_type", "client_credentials"), ("scope", "https://graph.microsoft.com/.default")];
    let sent = world.http.post(url).basic_auth(CLIENT, Some("a%2Bb+c%3Ad")).form(&form).send().await.unwrap();
    assert_eq!(read(sent).await.status, StatusCode::OK);
}

#[tokio::test]
async fn each_mistake_has_its_own_error() {
    let world =
        World::new("[[app]]\nclient_id = \"11111111-1111-4111-8111-111111111111\"\nclient_secret = \"s\"").await;
    let other = "99999999-1111-4111-8111-111111111111";
    let cases = [
        (vec![("client_id", CLIENT), ("client_secret", "wrong")], 401, "invalid_client", 7_000_215),
        (vec![("client_id", CLIENT)], 401, "invalid_client", 7_000_218),
        (vec![("client_id", other), ("client_secret", "s")], 400, "unauthorized_client", 700_016),
        (vec![("client_id", CLIENT), ("client_secret", "s"), ("scope", "User.Read")], 400, "invalid_scope", 1_002_012),
        (vec![("client_id", CLIENT), ("client_secret", "s"), ("scope", "")], 400, "invalid_request", 900_144),
        (
            vec![("client_id", CLIENT), ("client_secret", "s"), ("grant_type", "password")],
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            vec![("client_id", CLIENT), ("client_assertion_type", "x"), ("client_assertion", "y")],
            400,
            "invalid_request",
            900_023,
        ),
    ];
    for (members, status, error, number) in cases {
        let got = world.token_request(&members).await;
        assert_eq!(
            (got.status.as_u16(), &got.body["error"], code(&got)),
            (status, &json!(error), number),
            "{members:?}"
        );
        assert!(got.body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: ")));
    }
    let url = format!("{}/fabrikam.com/oauth2/v2.0/token", world.emulator.ready().login_url.as_ref().unwrap());
    assert_eq!(code(&read(world.http.post(url).form(&[("a", "b")]).send().await.unwrap()).await), 90_002);
}

#[tokio::test]
async fn graph_wants_a_token_that_it_knows_and_that_is_not_too_old() {
    let mut world = World::new("token_lifetime_secs = 1").await;
    let good = world.token.clone();
    world.token = String::new();
    assert_eq!(world.get("/users").await.message(), "Access token is empty.");
    world.token = format!("{good}x");
    let got = world.get("/users").await;
    assert_eq!((got.status, got.code()), (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken"));
    assert!(got.headers.contains_key("www-authenticate"));
    world.token = good;
    assert_eq!(world.get("/users").await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.post("/users", social("x")).await.message(), "Lifetime validation failed, the token is expired.");
}

#[tokio::test]
async fn tokens_can_be_ended_in_the_middle_of_a_run() {
    let world = World::new("").await;
    world.control(Method::POST, "/tokens/expire", json!({})).await;
    assert_eq!(world.get("/users").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_application_may_do_only_what_its_roles_allow() {
    let world = World::new("[[app]]\nroles = [\"User.Read.All\"]").await;
    assert_eq!(world.get("/users").await.status, StatusCode::OK);
    for (method, path) in [
        (Method::POST, "/users"),
        (Method::GET, "/domains"),
        (Method::GET, "/organization"),
        (Method::GET, "/applications"),
        (Method::GET, "/directoryRoles"),
        (Method::GET, "/identity/identityProviders"),
    ] {
        let got = world.send(method, path, Some(social("x"))).await;
        assert_eq!((got.status, got.code()), (StatusCode::FORBIDDEN, "Authorization_RequestDenied"), "{path}");
    }
}

#[tokio::test]
async fn discovery_names_the_endpoints_and_the_keys() {
    let world = World::new("").await;
    let root = world.emulator.ready().login_url.clone().unwrap();
    let found = world.get(&format!("{root}/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration")).await.body;
    let tenant = world.emulator.ready().tenant_id.clone().unwrap();
    assert_eq!(found["token_endpoint"], format!("{root}/{tenant}/oauth2/v2.0/token"));
    let keys = world.get(found["jwks_uri"].as_str().unwrap()).await.body;
    assert_eq!(keys["keys"][0]["crv"], "P-256");
    assert_eq!(
        world.get(&format!("{root}/fabrikam.com/v2.0/.well-known/openid-configuration")).await.status,
        StatusCode::BAD_REQUEST
    );
}

/// A certificate with its key, as an operator makes one.
struct Signer {
    pem: String,
    der: Vec<u8>,
    key: RsaKeyPair,
}

impl Signer {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let pair = RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().to_vec(), key: pair }
    }

    fn assertion(&self, algorithm: &str, changes: &Value, audience: &str) -> String {
        let now = Timestamp::now().as_second();
        let (name, thumbprint, padding): (_, _, &'static dyn RsaEncoding) = match algorithm {
            "PS256" => ("x5t#S256", digest(&SHA256, &self.der), &RSA_PSS_SHA256),
            _ => ("x5t", digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der), &RSA_PKCS1_SHA256),
        };
        let header = json!({ "alg": algorithm, "typ": "JWT", name: URL_SAFE_NO_PAD.encode(thumbprint) });
        let mut claims = json!({ "aud": audience, "iss": CLIENT, "sub": CLIENT, "jti": "1", "nbf": now, "iat": now, "exp": now + 300 });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[tokio::test]
async fn a_certificate_signs_assertions_of_both_kinds_and_each_claim_is_checked() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let mut options = options("[[app]]\nclient_id = \"11111111-1111-4111-8111-111111111111\"");
    options.scenario.apps[0].certificate_pem = Some(signer.pem.clone());
    let world = World::with(options).await;
    assert!(world.emulator.ready().client_secret.is_none());
    let audience =
        format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", world.emulator.ready().login_url.as_ref().unwrap());
    let past = Timestamp::now().as_second() - 4_000;
    let cases = [
        (signer.assertion("PS256", &json!({}), &audience), 0),
        (signer.assertion("RS256", &json!({}), &audience), 0),
        (stranger.assertion("PS256", &json!({}), &audience), 700_027),
        (signer.assertion("PS256", &json!({ "iss": "x" }), &audience), 700_021),
        (signer.assertion("PS256", &json!({}), "https://login.example/token"), 700_023),
        (signer.assertion("PS256", &json!({ "exp": past }), &audience), 700_024),
        ("not.a.jwt".to_owned(), 50_027),
    ];
    for (assertion, number) in cases {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let got = world
            .token_request(&[("client_id", CLIENT), ("client_assertion_type", kind), ("client_assertion", &assertion)])
            .await;
        assert_eq!(code(&got), number, "{:?}", got.body);
    }
}

#[tokio::test]
async fn a_scenario_file_names_its_certificate_beside_itself() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.pem"), Signer::new().pem).unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, "[[app]]\ncertificate_file = \"app.pem\"").unwrap();
    assert!(
        Scenario::load(&file).unwrap().apps[0]
            .certificate_pem
            .as_deref()
            .is_some_and(|pem| pem.contains("CERTIFICATE"))
    );
    std::fs::remove_file(folder.path().join("app.pem")).unwrap();
    assert!(Scenario::load(&file).is_err());
}
