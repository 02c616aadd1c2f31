//! Clients that nobody here wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use sterna_emulators::entra::{self, Options};

use crate::support::options;

/// The folder of the JavaScript client.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../counterparts/graph-js")
}

#[tokio::test]
async fn the_official_javascript_client_creates_lists_pages_batches_and_deletes_over_tls() {
    if !folder().join("node_modules").exists() {
        assert!(
            std::env::var("REQUIRE_COUNTERPARTS").is_err(),
            "counterparts/graph-js is not installed: run `make setup`"
        );
        println!("SKIPPED: counterparts/graph-js is not installed; `make setup` does it");
        return;
    }
    let emulator = entra::start(Options { tls: true, ..options("") }).await.unwrap();
    let ready = emulator.ready().clone();
    let ca_file = ready.ca_file.unwrap();
    let mut node = Command::new("node");
    node.arg("graph.mjs")
        .current_dir(folder())
        .env("GRAPH_URL", ready.graph_url.unwrap())
        .env("LOGIN_URL", ready.login_url.unwrap())
        .env("TENANT", ready.tenant.unwrap())
        .env("TENANT_ID", ready.tenant_id.unwrap())
        .env("CLIENT_ID", ready.client_id.unwrap())
        .env("CLIENT_SECRET", ready.client_secret.unwrap())
        .env("NODE_EXTRA_CA_CERTS", &ca_file)
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy");
    let run = tokio::task::spawn_blocking(move || node.output()).await.unwrap().unwrap();
    let (out, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}\n{error}");
    assert_eq!(out.trim(), "created 25, listed 25 on 3 pages, batched 2, deleted 25", "{error}");
    emulator.shutdown().await;
    assert!(!ca_file.exists(), "the authority's certificate goes with the emulator");
}
