//! Key sets of callers: fetched when they are needed, not more often than they may, and never made worse by what is fetched.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use sterna_wire::{Handler, Limits, Listener, Reply, Request, Server};

use crate::world::{Options, TOKEN, World};

/// A place where keys are published.
struct Keys {
    text: Mutex<String>,
    fetched: AtomicUsize,
}

impl Handler for Keys {
    async fn handle(&self, _: Request, _: SocketAddr) -> Reply {
        self.fetched.fetch_add(1, Ordering::SeqCst);
        Reply::Send(http::Response::new(self.text.lock().unwrap().clone().into()))
    }
}

async fn published(text: &str) -> (Arc<Keys>, Server, String) {
    let keys = Arc::new(Keys { text: Mutex::new(text.to_owned()), fetched: AtomicUsize::new(0) });
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None, Limits::default()).await.unwrap();
    let url = format!("http://{}/keys", listener.address());
    (Arc::clone(&keys), listener.serve(keys), url)
}

async fn status(world: &World, kid: &str) -> u16 {
    let body = json!({"id": "t-1", "password": "wrong", "ip": "192.0.2.1"}).to_string();
    let request = world.client.post(world.url("")).header("authorization", TOKEN).header("kid", kid).body(body);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_fetched_for_once_in_a_while_and_is_a_forged_one_then() {
    let (keys, _server, url) = published("[\"a\"]").await;
    let world = World::with(Options { key_set_url: Some(url), ..Options::default() }).await;
    assert_eq!(status(&world, "a").await, 200);
    for _ in 0..20 {
        assert_eq!(status(&world, "forged").await, 401);
    }
    assert_eq!(keys.fetched.load(Ordering::SeqCst), 1, "it was fetched a moment ago");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_nobody_is_called_a_forger_and_a_page_of_a_proxy_is_no_key_set() {
    let (keys, _server, url) = published("<html>sign in to the network</html>").await;
    let options = Options { key_set_url: Some(url), without_target: true, ..Options::default() };
    let world = World::with(options).await;
    let ready = format!("http://{}/readyz", world.address);
    assert_eq!(world.client.get(&ready).send().await.unwrap().status(), 503);
    assert_eq!(status(&world, "a").await, 503);
    "[\"a\"]".clone_into(&mut keys.text.lock().unwrap());
    tokio::time::sleep(Duration::from_millis(5_100)).await;
    assert_eq!(status(&world, "a").await, 200);
    "<html>again</html>".clone_into(&mut keys.text.lock().unwrap());
    world.running.reload();
    assert_eq!(status(&world, "a").await, 200, "what is known stays");
    assert_eq!(world.client.get(&ready).send().await.unwrap().status(), 200);
}
