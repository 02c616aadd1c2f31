//! WSO2's three calls (wso2-scim.md 1.2) through the program: START answers at once, POLL is open to browsers, RESULT is
//! given out once, and again to a repeat. A damaged body, as Asgardeo sends it, is understood.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use super::{PASSWORD, Service, TOKEN, client, ready};
use crate::support::Folder;

const ORIGIN: &str = "https://login.example.com";

fn with_hook() -> Folder {
    let folder = ready("");
    let hook = format!(
        "[hooks.wso2]\nconnector = \"wso2-silent\"\nbearer_token = {{ file = \"token\" }}\nlatin1_bodies = true\n\
         one_call = true\nallowed_origins = [\"{ORIGIN}\"]\n"
    );
    folder.write("sterna.toml", &(folder.read("sterna.toml") + &hook));
    folder
}

/// The target's id of the one account.
fn id(folder: &Folder) -> String {
    let ids = folder.run("export ids --output -").exits(0).stdout;
    let row: Value = serde_json::from_str(ids.lines().next().unwrap()).unwrap();
    row["target_id"].as_str().unwrap_or_else(|| panic!("{row}")).to_owned()
}

async fn post(client: &Client, url: &str, body: Vec<u8>) -> (u16, Value) {
    let request = client.post(url).header("authorization", format!("Bearer {TOKEN}"));
    let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn start_poll_and_result_meet_in_the_ledger_whichever_process_is_asked() {
    let folder = with_hook();
    let id = id(&folder);
    let service = Service::start(&folder, "");
    // another process of the same project answers the later calls
    let replica = Service::start(&folder, "");
    let client = client();
    let url = |service: &Service, path: &str| format!("{}/hooks/wso2{path}", service.ready["serve"].as_str().unwrap());
    for (password, expected) in [(PASSWORD, "SUCCESS"), ("no idea", "FAIL")] {
        let start = json!({"id": id, "username": "ana", "password": password}).to_string().into_bytes();
        let (status, begun) = post(&client, &url(&service, "/start-authentication"), start).await;
        assert_eq!((status, &begun["message"]), (200, &json!("Received")));
        let context = begun["contextId"].as_str().unwrap();
        let poll = format!("{}?contextId={context}", url(&replica, "/authentication-status"));
        let began = Instant::now();
        loop {
            let response = client.get(&poll).header("origin", ORIGIN).send().await.unwrap();
            assert_eq!(response.headers()["access-control-allow-origin"], ORIGIN);
            if response.json::<Value>().await.unwrap()["status"] == "COMPLETE" {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it never completes");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let result = json!({"contextId": context, "username": "ana"}).to_string().into_bytes();
        let (status, answer) = post(&client, &url(&replica, "/authentication-status"), result.clone()).await;
        assert_eq!((status, &answer["status"]), (200, &json!(expected)));
        // a repeat within seconds, as after a timeout, is told the same; another name spends it
        let (status, answer) = post(&client, &url(&service, "/authentication-status"), result.clone()).await;
        assert_eq!((status, &answer["status"]), (200, &json!(expected)));
        let other = json!({"contextId": context, "username": "bea"}).to_string().into_bytes();
        let (status, answer) = post(&client, &url(&service, "/authentication-status"), other).await;
        assert_eq!((status, &answer["status"]), (200, &json!("FAIL")));
        let (status, answer) = post(&client, &url(&service, "/authentication-status"), result).await;
        assert_eq!((status, &answer["message"]), (400, &json!("Invalid context id")));
    }
    let (status, answer) = post(
        &client,
        &url(&service, "/check"),
        [format!("{{\"id\":\"{id}\",\"username\":\"ana\",\"password\":\"p").as_bytes(), &[0xe4], b"ss\"}"].concat(),
    )
    .await;
    assert_eq!((status, &answer["status"]), (200, &json!("FAIL")), "Latin-1 is understood");
    let unknown = client.post(url(&service, "/start-authentication")).body("{}").send().await.unwrap();
    assert_eq!(unknown.status(), 401);
}
