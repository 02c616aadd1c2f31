//! Who comes in, and the token endpoint (RFC 6749 4.4, RFC 6750, RFC 7617).

use reqwest::StatusCode;
use serde_json::json;
use sterna_emulators::scim::Options;

use super::world::{Got, World, read};

const ACCESS: &str = "[access]\nusername = \"admin\"\npassword = \"pässword\"\nclient_id = \"the app\"\n\
    client_secret = \"s:e&c\"\nscopes = [\"read\", \"write\"]\ntoken = \"fixed\"\ntoken_lifetime_secs = 600";

async fn token(world: &World, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Got {
    let mut request = world.http.post(world.emulator.ready().token_url.as_ref().unwrap()).form(form);
    if let Some((id, secret)) = basic {
        request = request.basic_auth(id, Some(secret));
    }
    read(request.send().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_token_a_name_and_a_client_come_in_and_nobody_else() {
    let world = World::new(ACCESS).await;
    let users = world.url("/Users");
    let got = token(&world, Some(("the%20app", "s%3Ae%26c")), &[("grant_type", "client_credentials")]).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.body);
    assert_eq!((&got.body["token_type"], &got.body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!((got.body["scope"].as_str(), got.header("cache-control")), (Some("read write"), "no-store"));
    let issued = got.body["access_token"].as_str().unwrap();
    for (authorization, status) in [
        (format!("Bearer {issued}"), 200),
        ("bearer fixed".to_owned(), 200),
        ("Bearer nothing".to_owned(), 401),
        ("Basic YWRtaW46cMOkc3N3b3Jk".to_owned(), 200),
        ("Basic YWRtaW46d3Jvbmc=".to_owned(), 401),
        ("Basic !".to_owned(), 401),
        ("fixed".to_owned(), 401),
    ] {
        let got =
            read(world.http.get(&users).header("authorization", &authorization).send().await.unwrap()).await.unwrap();
        assert_eq!(got.status.as_u16(), status, "{authorization}");
        assert_eq!(got.header("www-authenticate").is_empty(), status == 200, "{authorization}");
    }
    assert_eq!(world.http.get(&users).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    world.control(reqwest::Method::POST, "/tokens/expire", json!({})).await;
    let after = world.http.get(&users).bearer_auth(issued).send().await.unwrap();
    assert_eq!(after.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(world.get("/Users").await.status, StatusCode::OK, "the ready line's token stays good");
}

#[tokio::test]
async fn token_requests_are_refused_as_the_rfc_says() {
    let world = World::new(ACCESS).await;
    let grant = ("grant_type", "client_credentials");
    let own = [("client_id", "the app"), ("client_secret", "s:e&c")];
    for (form, status, error) in [
        (vec![grant, own[0], own[1]], 200, ""),
        (vec![grant, own[0], own[1], ("scope", "write")], 200, ""),
        (vec![grant, own[0], own[1], ("scope", "write all")], 400, "invalid_scope"),
        (vec![grant, own[0]], 401, "invalid_client"),
        (vec![grant, own[0], ("client_secret", "wrong")], 401, "invalid_client"),
        (vec![own[0], own[1]], 400, "invalid_request"),
        (vec![("grant_type", "password"), own[0], own[1]], 400, "unsupported_grant_type"),
    ] {
        let got = token(&world, None, &form).await;
        assert_eq!((got.status.as_u16(), got.body["error"].as_str().unwrap_or_default()), (status, error), "{form:?}");
    }
    let url = world.emulator.ready().token_url.as_ref().unwrap();
    assert_eq!(world.http.get(url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn with_tls_the_authority_is_named_and_everything_is_https() {
    let world = World::with(Options { tls: true, ..Options::default() }).await;
    let ready = world.emulator.ready().clone();
    let ca = std::fs::read(ready.ca_file.as_ref().unwrap()).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap();
    let url = format!("{}/ServiceProviderConfig", ready.scim_url.as_ref().unwrap());
    assert!(url.starts_with("https://127.0.0.1:"));
    let got = read(http.get(&url).bearer_auth(ready.token.unwrap()).send().await.unwrap()).await.unwrap();
    assert_eq!(got.body["meta"]["location"], url);
}
