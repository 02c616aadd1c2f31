//! The connection to Graph: one HTTP client, and a lane for each application.
//!
//! Reads are tried again within a bound; writes are sent once, and what became of them is for `answer.rs` to say.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sterna_core::{
    code::Code,
    port::TargetError,
    registry::Context,
    time::{Clock, Entropy, Timestamp},
};
use tokio::time::Instant;

use super::{
    batch::{self, Envelope, Item, Request},
    config::Connection,
    dto::{GraphError, List, object},
    failure::{ReadError, Unsent},
    limits::{BATCH, BODY_BYTES, FIRST_TRIES, LIST_PAGES, READ_TRIES},
    retry,
    token::{NoToken, Token, Tokens},
    transport::{self, Broken, Reply},
};

/// The connection to one tenant.
pub(super) struct Graph {
    http: Client,
    root: String,
    lanes: Vec<Tokens>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    reads: AtomicUsize,
    /// Whether anything was ever answered: before, a wrong URL is more likely than an outage.
    reached: AtomicBool,
}

/// An answer to a write, and the token it was sent with.
pub(super) struct Answered {
    /// The answer.
    pub(super) reply: Reply,
    token: Token,
}

impl Graph {
    /// Makes the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`TargetError`] when `ca_file`, a secret, a certificate or a key cannot be had.
    pub(super) fn new(connection: &Connection, context: &Context) -> Result<Self, TargetError> {
        let http = transport::client(connection, &context.project).map_err(|error| {
            TargetError::new(Code::E2001, "the HTTPS client cannot be made").hint("check `ca_file`").caused_by(error)
        })?;
        let lanes = connection.applications.iter();
        let lanes = lanes.map(|application| Tokens::new(connection, application, http.clone(), context));
        Ok(Self {
            lanes: lanes.collect::<Result<_, _>>()?,
            http,
            root: format!("{}/v1.0", connection.graph_url),
            timeout: connection.timeout,
            clock: Arc::clone(&context.clock),
            entropy: Arc::clone(&context.entropy),
            reads: AtomicUsize::new(0),
            reached: AtomicBool::new(false),
        })
    }

    /// The applications.
    pub(super) fn lanes(&self) -> &[Tokens] {
        &self.lanes
    }

    /// The randomness that passwords are made from.
    pub(super) fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    /// The wall clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now().wall
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
        let tokens = self.lane(self.next_lane());
        let token = tokens.get().await?;
        let url = self.url("/users?$count=true&$top=1&$select=id");
        let request = self.request(Method::GET, &url, None, &token).header("ConsistencyLevel", "eventual");
        let reply = transport::exchange(request, BODY_BYTES, self.now()).await;
        let body = reply.ok().filter(|reply| reply.status == 200).map(|reply| reply.body).unwrap_or_default();
        let page: Value = serde_json::from_slice(&body).map_err(|_| ReadError::Shape)?;
        page.get("@odata.count").and_then(Value::as_u64).ok_or(ReadError::Shape)
    }

    /// The service's clock, as its answers show it.
    pub(super) async fn service_time(&self) -> Option<Timestamp> {
        let tokens = self.lane(0);
        let token = tokens.get().await.ok()?;
        let request = self.request(Method::GET, &self.url("/users?$select=id&$top=1"), None, &token);
        transport::exchange(request, BODY_BYTES, self.now()).await.ok()?.date
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
            self.wait(attempt, asked).await;
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
        let mut attempt = 0;
        loop {
            attempt += 1;
            let tokens = self.lane(lane);
            let token = match tokens.get().await {
                Ok(token) => token,
                Err(error @ NoToken::Unreachable { .. }) if attempt < self.tries() => {
                    tracing::debug!(attempt, %error, "A token is asked for again");
                    self.wait(attempt, None).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let request = self.request(method.clone(), url, body, &token);
            let (error, asked) = match transport::exchange(request, BODY_BYTES, self.now()).await {
                Ok(reply) if (200..300).contains(&reply.status) => {
                    tokens.accepted();
                    self.reached.store(true, Ordering::Relaxed);
                    return object(&reply.body).map_err(|_| ReadError::Shape);
                }
                Ok(reply) => {
                    let code = code_of(GraphError::read(&reply.body));
                    let error = ReadError::Status { status: reply.status, code };
                    let renewed = reply.status == 401 && tokens.refused(&token).await;
                    if !renewed && !is_passing(reply.status) {
                        return Err(error);
                    }
                    (error, reply.retry_after.or(renewed.then_some(Duration::ZERO)))
                }
                Err(Broken::NotSent(why) | Broken::Lost(why)) => (ReadError::Unreachable(why), None),
            };
            if attempt >= self.tries() {
                return Err(error);
            }
            tracing::debug!(attempt, code = %error.code(), "A read is tried again");
            self.wait(attempt, asked).await;
        }
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
        let token = match tokio::time::timeout_at(deadline, self.lane(lane).get()).await {
            Err(_) => return Err(Unsent::NotSent("the login service took too long".into())),
            Ok(Err(error @ NoToken::Unreachable { .. })) => return Err(Unsent::NotSent(error.to_string())),
            Ok(Err(error)) => return Err(Unsent::NoToken(error)),
            Ok(Ok(token)) => token,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left < self.timeout / 4 {
            return Err(Unsent::NotSent("no time was left for the request".into()));
        }
        let request = self.request(method, &self.url(path), body, &token).timeout(left);
        match transport::exchange(request, BODY_BYTES, self.now()).await {
            Ok(reply) => Ok(Answered { reply, token }),
            Err(Broken::NotSent(why)) => Err(Unsent::NotSent(why.into())),
            Err(Broken::Lost(why)) => Err(Unsent::Lost(why)),
        }
    }

    /// Takes note of a refused token; `false` when another would not help.
    pub(super) async fn token_refused(&self, lane: usize, answered: &Answered) -> bool {
        self.lane(lane).refused(&answered.token).await
    }

    /// Takes note that the lane's token was accepted.
    pub(super) fn token_accepted(&self, lane: usize) {
        self.lane(lane).accepted();
    }

    fn request(&self, method: Method, url: &str, body: Option<&Value>, token: &Token) -> RequestBuilder {
        let request = self.http.request(method, url).bearer_auth(token.text.expose_secret());
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    fn tries(&self) -> u32 {
        if self.reached.load(Ordering::Relaxed) { READ_TRIES } else { FIRST_TRIES }
    }

    fn lane(&self, lane: usize) -> &Tokens {
        &self.lanes[lane % self.lanes.len()]
    }

    fn next_lane(&self) -> usize {
        self.reads.fetch_add(1, Ordering::Relaxed) % self.lanes.len().max(1)
    }

    async fn wait(&self, attempt: u32, asked: Option<Duration>) {
        let mut noise = [128];
        // without randomness the wait is in the middle: only the spread is lost
        let _ = self.entropy.fill(&mut noise);
        tokio::time::sleep(retry::wait_before(attempt, asked, noise[0])).await;
    }
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
