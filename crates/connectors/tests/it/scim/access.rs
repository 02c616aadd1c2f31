//! Ways in: tokens by client credentials are fetched once, and anew where they are refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use sterna_core::{account::Identity, code::Code, port::Answer};

use super::responder::{Answers, Service, announces};
use crate::entra::world::{create, person, send};

fn client(service: &Service) -> String {
    format!("client_id = 'c'\nclient_secret = {{ env = 'TOKEN' }}\ntoken_url = '{}/token'\nbulk = 'off'", service.url)
}

fn token() -> (u16, String) {
    (200, json!({"access_token": "x", "expires_in": 3_600, "token_type": "Bearer"}).to_string())
}

#[tokio::test]
async fn a_refused_token_is_fetched_anew_once_and_what_was_sent_with_it_goes_again() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let answers: Answers = |method, path, _| match (method, path) {
        (_, "/token") => token(),
        ("POST", "/Users") if REFUSED.fetch_add(1, Ordering::Relaxed) == 0 => (401, String::new()),
        ("POST", "/Users") => (201, json!({"id": "u1"}).to_string()),
        _ => announces(path).unwrap_or((200, json!({"totalResults": 0}).to_string())),
    };
    let service = Service::start(answers).await;
    let target = service.target_by(&client(&service)).await;
    assert_eq!(service.count("POST /token"), 1, "one token for all that connecting asks");
    let ana = || create(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")]));
    assert!(matches!(send(target.as_ref(), ana()).await, Answer::Throttled { .. }));
    assert!(matches!(send(target.as_ref(), ana()).await, Answer::Holds(_)));
    assert_eq!(service.count("POST /token"), 2);
}

#[tokio::test]
async fn tokens_that_are_always_refused_end_the_run() {
    let answers: Answers = |method, path, _| match (method, path) {
        (_, "/token") => token(),
        ("POST", _) => (401, String::new()),
        _ => announces(path).unwrap_or((200, json!({"totalResults": 0}).to_string())),
    };
    let service = Service::start(answers).await;
    let target = service.target_by(&client(&service)).await;
    for attempt in 0..10 {
        let ana = create(target.as_ref(), &person("Ana", &[Identity::email("ana@example.com")]));
        match send(target.as_ref(), ana).await {
            Answer::Throttled { .. } => assert!(attempt < 5, "it goes on"),
            Answer::Stops { code, .. } => {
                assert_eq!(code, Code::E2003);
                assert!(service.count("POST /token") < 5);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("it never stops");
}

#[tokio::test]
async fn a_login_service_that_says_no_is_named_when_connecting() {
    let answers: Answers = |_, path, _| match path {
        "/token" => (401, json!({"error": "invalid_client"}).to_string()),
        _ => announces(path).unwrap_or((200, "{}".to_owned())),
    };
    let service = Service::start(answers).await;
    let text = format!("url = '{}'\n{}", service.url, client(&service));
    let context = crate::entra::world::context([("TOKEN".to_owned(), "t".to_owned())].into());
    let Err(error) = super::world::connect(&text, &context).await else { panic!("it connects") };
    assert_eq!(error.code, Code::E2002);
    assert!(error.hint.is_some_and(|hint| hint.contains("client_secret")));
}
