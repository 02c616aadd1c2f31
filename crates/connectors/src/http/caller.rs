//! Calls of one client to one service: reads are tried again within a bound, writes are sent once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, RequestBuilder};
use sterna_core::{
    registry::Context,
    time::{Clock, Entropy, Timestamp},
};
use tokio::time::Instant;

use super::{
    access::{Access, Credential},
    exchange::{self, Broken, Reply},
    retry,
    token::NoToken,
};

/// How often a read is tried in all before its failure is told.
pub(crate) const READ_TRIES: u32 = 6;

/// The same before anything was ever answered.
const FIRST_TRIES: u32 = 3;

/// Calls one service as one client.
pub(crate) struct Caller {
    http: Client,
    access: Access,
    timeout: Duration,
    /// Longest answer that is read, in bytes, after decompression.
    limit: usize,
    /// Statuses that pass by themselves: a read that was answered so is tried again.
    passing: fn(u16) -> bool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Whether anything was ever answered: before, a wrong URL is more likely than an outage.
    reached: AtomicBool,
}

/// What a caller keeps to.
pub(crate) struct Bounds {
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// Longest answer that is read, in bytes, after decompression.
    pub(crate) limit: usize,
    /// Statuses that pass by themselves.
    pub(crate) passing: fn(u16) -> bool,
}

/// An answer to a write, and what it was sent with.
pub(crate) struct Answered {
    /// The answer.
    pub(crate) reply: Reply,
    credential: Credential,
}

/// Why something could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// There is no token.
    Token(NoToken),
    /// There is no answer.
    Unreachable(&'static str),
    /// The answer says no; it is the last of those that were had.
    Status(Box<Reply>),
}

/// How a write went before there was an answer to read.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// Nothing left this machine.
    NotSent(String),
    /// The client is refused for good.
    NoToken(NoToken),
    /// It may have left.
    Lost(&'static str),
}

impl Caller {
    /// A caller; nothing is sent yet.
    pub(crate) fn new(http: Client, access: Access, bounds: &Bounds, context: &Context) -> Self {
        let Bounds { timeout, limit, passing } = *bounds;
        let (clock, entropy) = (Arc::clone(&context.clock), Arc::clone(&context.entropy));
        Self { http, access, timeout, limit, passing, clock, entropy, reached: AtomicBool::new(false) }
    }

    /// How it proves who it is.
    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// The randomness.
    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    /// The wall clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    /// How long one request may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Reads, and tries again on throttling, failures and an old token. The answer is one of 2xx.
    ///
    /// # Errors
    /// [`Unread`] when it cannot be had within the bound of tries.
    pub(crate) async fn read(&self, build: impl Fn(&Client) -> RequestBuilder) -> Result<Reply, Unread> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let credential = match self.access.get().await {
                Ok(credential) => credential,
                Err(error @ NoToken::Unreachable { .. }) if attempt < self.tries() => {
                    tracing::debug!(attempt, %error, "A token is asked for again");
                    self.wait(attempt, None).await;
                    continue;
                }
                Err(error) => return Err(Unread::Token(error)),
            };
            let (error, asked) = match self.exchange(build(&self.http), &credential).await {
                Ok(reply) if (200..300).contains(&reply.status) => {
                    self.access.accepted();
                    self.reached.store(true, Ordering::Relaxed);
                    return Ok(reply);
                }
                Ok(reply) => {
                    let renewed = reply.status == 401 && self.access.refused(&credential).await;
                    let passing = renewed || (self.passing)(reply.status);
                    let asked = reply.retry_after.or(renewed.then_some(Duration::ZERO));
                    let error = Unread::Status(Box::new(reply));
                    if !passing {
                        return Err(error);
                    }
                    (error, asked)
                }
                Err(Broken::NotSent(why) | Broken::Lost(why)) => (Unread::Unreachable(why), None),
            };
            if attempt >= self.tries() {
                return Err(error);
            }
            tracing::debug!(attempt, ?error, "A read is tried again");
            self.wait(attempt, asked).await;
        }
    }

    /// Reads once, whatever the answer.
    ///
    /// # Errors
    /// [`Unread`] when there is none.
    pub(crate) async fn read_once(&self, build: impl Fn(&Client) -> RequestBuilder) -> Result<Reply, Unread> {
        let credential = self.access.get().await.map_err(Unread::Token)?;
        let read = self.exchange(build(&self.http), &credential).await;
        read.map_err(|(Broken::NotSent(why) | Broken::Lost(why))| Unread::Unreachable(why))
    }

    /// Sends a write once; it is over at `deadline`.
    ///
    /// # Errors
    /// [`Unsent`]: whether it may have left.
    pub(crate) async fn send(
        &self,
        build: impl FnOnce(&Client) -> RequestBuilder,
        deadline: Instant,
    ) -> Result<Answered, Unsent> {
        let credential = match tokio::time::timeout_at(deadline, self.access.get()).await {
            Err(_) => return Err(Unsent::NotSent("the login service took too long".into())),
            Ok(Err(error @ NoToken::Unreachable { .. })) => return Err(Unsent::NotSent(error.to_string())),
            Ok(Err(error)) => return Err(Unsent::NoToken(error)),
            Ok(Ok(credential)) => credential,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left < self.timeout / 4 {
            return Err(Unsent::NotSent("no time was left for the request".into()));
        }
        match self.exchange(build(&self.http).timeout(left), &credential).await {
            Ok(reply) => Ok(Answered { reply, credential }),
            Err(Broken::NotSent(why)) => Err(Unsent::NotSent(why.into())),
            Err(Broken::Lost(why)) => Err(Unsent::Lost(why)),
        }
    }

    /// Takes note that what the write was sent with was refused; `false` when nothing else would help.
    pub(crate) async fn refused(&self, answered: &Answered) -> bool {
        self.access.refused(&answered.credential).await
    }

    /// Takes note that what a write was sent with was accepted.
    pub(crate) fn accepted(&self) {
        self.access.accepted();
    }

    /// Waits before try number `attempt`, as long as the service `asked` for.
    pub(crate) async fn wait(&self, attempt: u32, asked: Option<Duration>) {
        let mut noise = [128];
        // without randomness the wait is in the middle: only the spread is lost
        let _ = self.entropy.fill(&mut noise);
        tokio::time::sleep(retry::wait_before(attempt, asked, noise[0])).await;
    }

    async fn exchange(&self, request: RequestBuilder, credential: &Credential) -> Result<Reply, Broken> {
        exchange::exchange(credential.put_on(request), self.limit, self.now()).await
    }

    fn tries(&self) -> u32 {
        if self.reached.load(Ordering::Relaxed) { READ_TRIES } else { FIRST_TRIES }
    }
}
