//! The connection to one SCIM service: where it is, how to get in, and how many calls may leave.
//!
//! Reads are tried again within a bound; writes are sent once, and what became of them is for `answer.rs` to say.

use std::{path::Path, time::Duration};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use sterna_core::{
    code::Code,
    port::TargetError,
    registry::Context,
    time::{Entropy, Timestamp},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use super::{
    calls::Calls,
    config::TargetConfig,
    dialect::Budget,
    failure::ReadError,
    ids,
    paging::{Page, Step, Totals, Trail},
};
use crate::http::{
    access::AccessConfig,
    caller::{Answered, Bounds, Caller, Unsent},
    client::{ClientSettings, client},
    try_together,
};

/// Longest answer that is read, in bytes, after decompression: a page of 1,000 fat users, or the answer to a full bulk request.
const BODY_BYTES: usize = 32 * 1024 * 1024;

/// Most pages of a small list (groups, roles, schemas) that are read.
const LIST_PAGES: usize = 1_000;

/// How many reads of single things are under way at once.
pub(super) const READS_AT_ONCE: usize = 8;

/// The media type of SCIM (RFC 7644 3.1). It stands alone in `Accept`: WSO2 refuses lists (wso2-scim.md 2.1).
const MEDIA: &str = "application/scim+json";

/// A connection that can be used.
pub(crate) struct Service {
    caller: Caller,
    /// A place for each request that may be under way.
    places: Semaphore,
    base: String,
    calls: Option<Calls>,
    bulk_calls: Option<Calls>,
    /// Calls of the association API, which are counted by themselves (wso2-scim.md 3.1).
    association_calls: Option<Calls>,
}

/// What a service counts calls by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// SCIM requests.
    Scim,
    /// Bulk requests.
    Bulk,
    /// The association API.
    Associations,
}

/// Where a service is, and how to get in.
pub(crate) struct Line<'l> {
    /// What paths are added to.
    pub(crate) base: &'l str,
    /// How to get in.
    pub(crate) access: &'l AccessConfig,
    /// More authorities to trust.
    pub(crate) ca_file: Option<&'l Path>,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// How many requests may be under way.
    pub(crate) at_once: usize,
    /// How many calls the service takes.
    pub(crate) budget: Option<Budget>,
}

/// A changing request.
pub(super) struct Change<'c> {
    /// Its method.
    pub(super) method: Method,
    /// Its whole URL.
    pub(super) url: String,
    /// Its body: JSON.
    pub(super) body: Option<String>,
    /// The version that is to be changed.
    pub(super) if_match: Option<&'c str>,
    /// What it counts as.
    pub(super) counted: Counted,
}

/// Statuses that pass by themselves. 501 does not, and 500 is worth another try: a read changes nothing.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

impl Service {
    /// Makes the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`TargetError`] when `ca_file` or a secret cannot be had.
    pub(super) fn new(config: &TargetConfig, context: &Context) -> Result<Self, TargetError> {
        let line = Line {
            base: &config.base,
            access: &config.access,
            ca_file: config.ca_file.as_deref(),
            timeout: config.timeout,
            at_once: config.concurrency,
            budget: config.product.dialect().budget,
        };
        Self::over(&line, context)
    }

    /// The same over a line: what a source and a target have in common.
    ///
    /// # Errors
    /// [`TargetError`] when `ca_file` or a secret cannot be had.
    pub(crate) fn over(line: &Line<'_>, context: &Context) -> Result<Self, TargetError> {
        let ca_file = line.ca_file.map(|path| context.project.join(path));
        let mut urls = vec![line.base];
        urls.extend(line.access.urls());
        let settings = ClientSettings { ca_file: ca_file.as_deref(), timeout: line.timeout, urls: &urls };
        let http = client(&settings).map_err(|error| {
            TargetError::new(Code::E2001, "the HTTPS client cannot be made").hint("check `ca_file`").caused_by(error)
        })?;
        let access = line.access.open(&http, context).map_err(|finding| {
            let error = TargetError::new(finding.code, finding.message);
            match finding.hints.into_iter().next() {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })?;
        let bounds = Bounds { timeout: line.timeout, limit: BODY_BYTES, passing: is_passing };
        let budget = line.budget;
        Ok(Self {
            caller: Caller::new(http, access, &bounds, context),
            places: Semaphore::new(line.at_once.max(1)),
            base: line.base.to_owned(),
            calls: budget.map(|budget| Calls::new(budget.others, budget.window)),
            bulk_calls: budget.map(|budget| Calls::new(budget.bulk, budget.window)),
            association_calls: budget.map(|budget| Calls::new(budget.others, budget.window)),
        })
    }

    /// The randomness that passwords are made from.
    pub(super) fn entropy(&self) -> &dyn Entropy {
        self.caller.entropy()
    }

    /// How long one request may take.
    pub(super) fn timeout(&self) -> Duration {
        self.caller.timeout()
    }

    /// The URL of a path below the base.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The service's clock, as its answer shows it.
    pub(super) async fn service_time(&self) -> Option<(Timestamp, Timestamp)> {
        let url = self.url("/ServiceProviderConfig");
        let reply = self.caller.read_once(|http| request(http, &Method::GET, &url, Counted::Scim)).await.ok()?;
        Some((reply.date?, self.caller.now()))
    }

    /// Reads one thing at a path below the base (`/Schemas`).
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be had within the bound of tries.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, ReadError> {
        self.get_url(&self.url(path)).await
    }

    /// Reads one thing at a URL.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(crate) async fn get_url(&self, url: &str) -> Result<Value, ReadError> {
        self.get_counted(url, Counted::Scim).await
    }

    /// Reads one thing at a URL, counted as the service counts it.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(super) async fn get_counted(&self, url: &str, counted: Counted) -> Result<Value, ReadError> {
        let _place = self.leave(counted).await;
        let reply = self.caller.read(|http| request(http, &Method::GET, url, counted)).await?;
        ids::parse(&reply.body).map_err(|_| ReadError::Shape)
    }

    /// The same, once; how it failed does not matter.
    pub(super) async fn try_get(&self, path: &str) -> Option<Value> {
        let _place = self.leave(Counted::Scim).await;
        let url = self.url(path);
        let reply = self.caller.read_once(|http| request(http, &Method::GET, &url, Counted::Scim)).await.ok()?;
        if reply.status == 200 { ids::parse(&reply.body).ok() } else { None }
    }

    /// Reads one thing that may not be there.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(crate) async fn get_if_there(&self, path: &str) -> Result<Option<Value>, ReadError> {
        match self.get(path).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads many things, several at once; in order.
    ///
    /// # Errors
    /// The first failure.
    pub(super) async fn get_many(&self, paths: &[String]) -> Result<Vec<Option<Value>>, ReadError> {
        try_together(paths.iter().map(|path| self.get_if_there(path)).collect(), READS_AT_ONCE).await
    }

    /// Reads one page of a list.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(crate) async fn page(&self, path: &str) -> Result<Page, ReadError> {
        Page::read(self.get(path).await?).ok_or(ReadError::Shape)
    }

    /// Reads all of a list; `path` has its query already, or ends with `?`.
    ///
    /// # Errors
    /// [`ReadError::Circle`] when it does not end; else see [`Self::get`].
    pub(super) async fn list(&self, path: &str, count: u64, totals: Totals) -> Result<Vec<Value>, ReadError> {
        let (mut all, mut trail) = (Vec::new(), Trail::by_index());
        for _ in 0..LIST_PAGES {
            let page = self.page(&format!("{path}&{}", trail.query(count))).await?;
            match trail.step(&page, count, totals) {
                Step::Next(next) => trail = next,
                Step::EndedBefore => return Ok(all),
                Step::Circle => return Err(ReadError::Circle),
                Step::End => {
                    all.extend(page.resources);
                    return Ok(all);
                }
            }
            all.extend(page.resources);
        }
        Err(ReadError::Circle)
    }

    /// Sends a change once; it is over at `deadline`.
    ///
    /// # Errors
    /// [`Unsent`]: whether it may have left.
    pub(super) async fn send(&self, change: Change<'_>, deadline: Instant) -> Result<Answered, Unsent> {
        // what is left of the time must do for the request itself
        let until = deadline - self.timeout() / 2;
        let counted = self.calls_of(change.counted);
        if let Some(calls) = counted
            && calls.wait(until).await.is_err()
        {
            return Err(Unsent::NotSent("as many calls as the service allows have left".into()));
        }
        let Ok(_place) = timeout_at(until, self.places.acquire()).await else {
            return Err(Unsent::NotSent("as many requests as may be are under way".into()));
        };
        let build = |http: &Client| {
            let mut request = request(http, &change.method, &change.url, change.counted);
            if let Some(version) = change.if_match {
                request = request.header("If-Match", version);
            }
            match change.body {
                Some(body) => request.header("Content-Type", media(change.counted)).body(body),
                None => request,
            }
        };
        let answered = self.caller.send(build, deadline).await?;
        if let Some(calls) = counted.filter(|_| answered.reply.status == 429) {
            calls.used_up();
        }
        Ok(answered)
    }

    /// Takes note of the answer's 401: `false` when nothing else can be sent.
    pub(super) async fn keep_access(&self, answered: &Answered) -> bool {
        if answered.reply.status == 401 {
            return self.caller.refused(answered).await;
        }
        self.caller.accepted();
        true
    }

    /// Waits until a read may leave: as long as it takes, which is a minute or so. Its place is free
    /// again when what is returned is dropped.
    async fn leave(&self, counted: Counted) -> Option<SemaphorePermit<'_>> {
        if let Some(calls) = self.calls_of(counted) {
            let _ = calls.wait(Instant::now() + Duration::from_mins(2)).await;
        }
        self.places.acquire().await.ok()
    }

    fn calls_of(&self, counted: Counted) -> Option<&Calls> {
        match counted {
            Counted::Scim => self.calls.as_ref(),
            Counted::Bulk => self.bulk_calls.as_ref(),
            Counted::Associations => self.association_calls.as_ref(),
        }
    }
}

fn request(http: &Client, method: &Method, url: &str, counted: Counted) -> RequestBuilder {
    http.request(method.clone(), url).header("Accept", media(counted))
}

fn media(counted: Counted) -> &'static str {
    match counted {
        Counted::Scim | Counted::Bulk => MEDIA,
        Counted::Associations => "application/json",
    }
}
