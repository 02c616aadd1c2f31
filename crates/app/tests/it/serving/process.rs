//! Starting, reading keys again, stopping, and what is written down then.

use rustix::process::Signal;
use serde_json::json;

use super::{PASSWORD, Service, TOKEN, call, client, project, ready, secret, verdict};

#[tokio::test]
async fn it_says_where_it_is_answers_reads_keys_again_and_ends_in_good_order() {
    let folder = ready("");
    let mut service = Service::start(&folder, "-v --log-json");
    assert_eq!(
        service.ready["hooks"],
        json!([{"name": "okta", "connector": "okta-password-import", "path": "/hooks/okta"}])
    );
    let (client, url) = (client(), service.url());
    assert_eq!(verdict(call(&client, &url, TOKEN, "wrong")).await, "UNVERIFIED");
    assert_eq!(verdict(call(&client, &url, TOKEN, PASSWORD)).await, "VERIFIED");
    assert_eq!(verdict(call(&client, &url, "somebody else's", PASSWORD)).await, "401");
    let metrics = service.ready["metrics"].as_str().unwrap().to_owned();
    let text = client.get(format!("{metrics}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("sterna_decisions_total{hook=\"okta\",decision=\"accept\"} 1"), "{text}");
    assert!(text.contains("sterna_refused_total{hook=\"okta\",reason=\"unauthenticated\"} 1"), "{text}");
    assert!(text.contains("sterna_call_seconds_bucket{hook=\"okta\""), "{text}");
    assert_eq!(client.get(format!("{metrics}/readyz")).send().await.unwrap().status(), 200);
    secret(&folder, "token", "the next token, as long");
    service.signal(Signal::HUP);
    let began = std::time::Instant::now();
    while verdict(call(&client, &url, "the next token, as long", PASSWORD)).await == "401" {
        assert!(began.elapsed().as_secs() < 10, "the token is read again");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    service.signal(Signal::TERM);
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
    let status = folder.run("status --json").exits(0).json();
    assert_eq!(status["credential"]["answered"], 1, "answered, and not moved: nobody can read it back");
    let audit = folder.run("export audit --output -").exits(0).stdout;
    for entry in [
        "serve began",
        "hook okta answered accept after match",
        // how many there were depends on how soon the keys were read again
        " unauthenticated at hook okta",
        "serve ended: in good order",
    ] {
        assert!(audit.contains(entry), "{entry} in {audit}");
    }
    let log = folder.read("serve.log");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    for secret in [PASSWORD, TOKEN, "ana@example.com", "203.0.113.7"] {
        assert!(!log.contains(secret) && !audit.contains(secret) && !text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn it_runs_beside_the_phases_and_after_a_kill() {
    let folder = ready("");
    let service = Service::start(&folder, "");
    for phase in ["status", "extract", "plan", "apply --yes", "export ids --output -"] {
        assert!([0, 11].contains(&folder.run(phase).code), "{phase}");
    }
    service.signal(Signal::KILL);
    drop(service);
    let service = Service::start(&folder, "");
    assert_eq!(verdict(call(&client(), &service.url(), TOKEN, PASSWORD)).await, "VERIFIED");
}

#[test]
fn what_it_cannot_serve_with_is_told_before_it_listens() {
    let folder = ready("");
    folder
        .write("sterna.toml", &folder.read("sterna.toml").replace("[hooks.okta]", "[hooks.okta]\ndeadline_ms = 5000"));
    let run = folder.run("serve").exits(2);
    assert!(run.stderr.contains("deadline_ms"), "{}", run.stderr);
    let folder = project("");
    assert!(folder.run("serve").exits(1).stderr.contains("E4001"), "there is no ledger yet");
    let folder = ready("");
    std::fs::remove_file(folder.path().join("token")).unwrap();
    assert!(folder.run("serve").exits(2).stderr.contains("token"));
    assert!(folder.run("check").exits(10).stderr.contains("[hooks.okta]"));
    let folder = ready("");
    let text = folder.read("sterna.toml");
    folder.write("sterna.toml", text.split("[hooks.okta]").next().unwrap());
    assert!(folder.run("serve").exits(2).stderr.contains("no hook"));
}
