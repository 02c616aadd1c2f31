//! The connection to Graph: one HTTP client, and a lane for each application.
//!
//! Reads are tried again within a bound; writes are sent once, and what became of them is for `answer.rs` to say.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sterna_core::{
    code::Code,
    port::TargetError,
    registry::Context,
    time::{Entropy, Timestamp},
};
use tokio::time::Instant;

use super::{
    batch::{self, Envelope, Item, Request},
    config::{Application, Connection},
    dto::{GraphError, List, object},
    failure::ReadError,
    limits::{BATCH, BODY_BYTES, LIST_PAGES},
    token,
};
use crate::http::{
    access::Access,
    caller::{Answered, Bounds, Caller, READ_TRIES, Unread, Unsent},
    client::{ClientSettings, client},
    exchange::Reply,
};

/// The connection to one tenant.
pub(super) struct Graph {
    root: String,
    lanes: Vec<Lane>,
    timeout: Duration,
    reads: AtomicUsize,
}

/// One application, with a quota of its own.
pub(super) struct Lane {
    /// The application's id.
    pub(super) client_id: String,
    /// What calls as it.
    pub(super) caller: Caller,
}

impl Graph {
    /// Makes the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`TargetError`] when `ca_file`, a secret, a certificate or a key cannot be had.
    pub(super) fn new(connection: &Connection, context: &Context) -> Result<Self, TargetError> {
        let ca_file = connection.ca_file.as_ref().map(|path| context.project.join(path));
        let urls = &[connection.graph_url.as_str(), connection.login_url.as_str()];
        let settings = ClientSettings { ca_file: ca_file.as_deref(), timeout: connection.timeout, urls };
        let http = client(&settings).map_err(|error| {
            TargetError::new(Code::E2001, "the HTTPS client cannot be made").hint("check `ca_file`").caused_by(error)
        })?;
        let lane = |application: &Application| {
            let tokens = token::tokens(connection, application, http.clone(), context)?;
            let bounds = Bounds { timeout: connection.timeout, limit: BODY_BYTES, passing: is_passing };
            let caller = Caller::new(http.clone(), Access::Tokens(tokens), &bounds, context);
            Ok(Lane { client_id: application.client_id.clone(), caller })
        };
        Ok(Self {
            lanes: connection.applications.iter().map(lane).collect::<Result<_, TargetError>>()?,
            root: format!("{}/v1.0", connection.graph_url),
            timeout: connection.timeout,
            reads: AtomicUsize::new(0),
        })
    }

    /// The applications.
    pub(super) fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The randomness that passwords are made from.
    pub(super) fn entropy(&self) -> &dyn Entropy {
        self.lane(0).entropy()
    }

    /// The wall clock.
    pub(super) fn now(&self) -> Timestamp {
        self.lane(0).now()
    }

    /// How long one request may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Reads one object or page at `path` below the API's root (`/domains`).
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be had within the bound of tries.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ReadError> {
        self.read(self.next_lane(), Method::GET, &format!("{}{path}", self.root), None).await
    }

    /// The same over a certain lane.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(super) async fn get_over<T: DeserializeOwned>(&self, lane: usize, path: &str) -> Result<T, ReadError> {
        self.read(lane, Method::GET, &format!("{}{path}", self.root), None).await
    }

    /// Asks by `POST` for something that changes nothing.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(super) async fn ask<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, ReadError> {
        self.read(self.next_lane(), Method::POST, &format!("{}{path}", self.root), Some(body)).await
    }

    /// Reads a page at a link that Graph gave: followed as it is, but only to the same server and API.
    ///
    /// # Errors
    /// [`ReadError::Elsewhere`] when it leads to another server; else see [`Self::get`].
    pub(super) async fn follow<T: DeserializeOwned>(&self, link: &str) -> Result<T, ReadError> {
        if !is_ours(&self.root, link) {
            return Err(ReadError::Elsewhere);
        }
        self.read(self.next_lane(), Method::GET, link, None).await
    }

    /// How many users the tenant holds (entra.md 4.8: counting needs its own header).
    ///
    /// # Errors
    /// See [`Self::get`]; tenants without advanced queries refuse it.
    pub(super) async fn count_users(&self) -> Result<u64, ReadError> {
        let url = self.url("/users?$count=true&$top=1&$select=id");
        let read = self.lane(self.next_lane());
        let read =
            read.read_once(|http| request(http, &Method::GET, &url, None).header("ConsistencyLevel", "eventual"));
        let body = read.await?.body;
        let page: Value = serde_json::from_slice(&body).map_err(|_| ReadError::Shape)?;
        page.get("@odata.count").and_then(Value::as_u64).ok_or(ReadError::Shape)
    }

    /// The service's clock, as its answers show it.
    pub(super) async fn service_time(&self) -> Option<Timestamp> {
        let url = self.url("/users?$select=id&$top=1");
        self.lane(0).read_once(|http| request(http, &Method::GET, &url, None)).await.ok()?.date
    }

    /// The absolute URL of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// Reads all of a small collection.
    ///
    /// # Errors
    /// [`ReadError::Shape`] when it has more than [`LIST_PAGES`] pages; else see [`Self::get`].
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ReadError> {
        let mut page: List<T> = self.get(path).await?;
        let mut all = std::mem::take(&mut page.value);
        for _ in 0..LIST_PAGES {
            let Some(next) = page.next.take() else { return Ok(all) };
            page = self.follow(&next).await?;
            all.append(&mut page.value);
        }
        Err(ReadError::Shape)
    }

    /// Reads many things in batches; one item each, in order. Items that were turned away are asked for again.
    ///
    /// # Errors
    /// [`ReadError`] when some item has no answer within the bound of tries.
    pub(super) async fn read_many(&self, urls: &[String]) -> Result<Vec<Item>, ReadError> {
        let mut all = Vec::with_capacity(urls.len());
        for chunk in urls.chunks(BATCH) {
            all.extend(self.read_chunk(chunk).await?);
        }
        Ok(all)
    }

    async fn read_chunk(&self, urls: &[String]) -> Result<Vec<Item>, ReadError> {
        let mut items: Vec<Option<Item>> = vec![None; urls.len()];
        let mut attempt = 0;
        loop {
            attempt += 1;
            let open: Vec<usize> = (0..urls.len()).filter(|at| items[*at].is_none()).collect();
            let requests: Vec<Request> = (0..).zip(&open).map(|(id, at)| Request::get(id, urls[*at].clone())).collect();
            let lane = self.next_lane();
            let body = serde_json::to_value(Envelope { requests: &requests }).map_err(|_| ReadError::Shape)?;
            let raw: Value = self.read(lane, Method::POST, &self.url("/$batch"), Some(&body)).await?;
            let bytes = serde_json::to_vec(&raw).map_err(|_| ReadError::Shape)?;
            let answers = batch::read(&bytes, open.len(), self.now()).ok_or(ReadError::Shape)?;
            let (mut asked, mut last) = (None, None);
            for (at, answer) in open.into_iter().zip(answers) {
                match answer {
                    Some(item) if !is_passing(item.status) => items[at] = Some(item),
                    Some(item) => {
                        asked = asked.max(item.retry_after);
                        last = Some(item);
                    }
                    None => {}
                }
            }
            if items.iter().all(Option::is_some) {
                return Ok(items.into_iter().flatten().collect());
            }
            if attempt >= READ_TRIES {
                let (status, code) = last.map_or((502, String::new()), |item| (item.status, code_of(item.error)));
                return Err(ReadError::Status { status, code });
            }
            self.lane(lane).wait(attempt, asked).await;
        }
    }

    /// One read, tried again on throttling, failures and an old token.
    async fn read<T: DeserializeOwned>(
        &self,
        lane: usize,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<T, ReadError> {
        let reply = self.lane(lane).read(|http| request(http, &method, url, body)).await?;
        object(&reply.body).map_err(|_| ReadError::Shape)
    }

    /// Sends a write once over a lane; it is over at `deadline`.
    ///
    /// # Errors
    /// [`Unsent`]: whether it may have left.
    pub(super) async fn send(
        &self,
        lane: usize,
        method: Method,
        path: &str,
        body: Option<&Value>,
        deadline: Instant,
    ) -> Result<Answered, Unsent> {
        let url = self.url(path);
        self.lane(lane).send(|http| request(http, &method, &url, body), deadline).await
    }

    /// Takes note of a refused token; `false` when another would not help.
    pub(super) async fn token_refused(&self, lane: usize, answered: &Answered) -> bool {
        self.lane(lane).refused(answered).await
    }

    /// Takes note that the lane's token was accepted.
    pub(super) fn token_accepted(&self, lane: usize) {
        self.lane(lane).accepted();
    }

    fn lane(&self, lane: usize) -> &Caller {
        &self.lanes[lane % self.lanes.len()].caller
    }

    fn next_lane(&self) -> usize {
        self.reads.fetch_add(1, Ordering::Relaxed) % self.lanes.len().max(1)
    }
}

fn request(http: &Client, method: &Method, url: &str, body: Option<&Value>) -> RequestBuilder {
    let request = http.request(method.clone(), url);
    match body {
        Some(body) => request.json(body),
        None => request,
    }
}

impl From<Unread> for ReadError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Token(error) => Self::Token(error),
            Unread::Unreachable(why) => Self::Unreachable(why),
            Unread::Status(reply) => status_of(&reply),
        }
    }
}

fn status_of(reply: &Reply) -> ReadError {
    ReadError::Status { status: reply.status, code: code_of(GraphError::read(&reply.body)) }
}

/// Whether a link leads to the API at `root`: a token is shown to nobody else.
pub(super) fn is_ours(root: &str, link: &str) -> bool {
    let (Ok(link), Ok(root)) = (url::Url::parse(link), url::Url::parse(root)) else { return false };
    link.origin() == root.origin() && link.path().starts_with(&format!("{}/", root.path()))
}

/// Whether a status passes by itself.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 424 | 429 | 500..=599)
}

/// Graph's code for a failure, when it is an identifier.
pub(super) fn code_of(error: Option<GraphError>) -> String {
    // codes are identifiers; anything else is not repeated, it might hold a value
    let code = error.map(|error| error.code).unwrap_or_default();
    if code.len() <= 80 && code.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        code
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_link_leads_to_the_same_server_and_api_or_nowhere() {
        let root = "https://graph.microsoft.com/v1.0";
        assert!(is_ours(root, "https://graph.microsoft.com/v1.0/users?$skiptoken=x"));
        assert!(is_ours(root, "https://GRAPH.microsoft.com:443/v1.0/users?x"));
        for foreign in [
            "https://graph.microsoft.com.evil.example/v1.0/users",
            "https://graph.microsoft.com@evil.example/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "https://graph.microsoft.com/v1.0/../beta/users",
            "https://graph.microsoft.com/beta/users",
            "/v1.0/users",
            "",
        ] {
            assert!(!is_ours(root, foreign), "{foreign}");
        }
    }

    #[test]
    fn only_identifiers_are_repeated_as_codes() {
        let code = |code: &str| code_of(Some(GraphError { code: code.into(), ..GraphError::default() }));
        assert_eq!(code("Request_BadRequest"), "Request_BadRequest");
        assert_eq!(code("no such user ana@example.com"), "");
        assert_eq!(code(&"x".repeat(81)), "");
    }
}
