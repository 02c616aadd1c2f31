//! The wait page in the person's browser (wso2-scim.md 1.2.4).

use std::time::{Duration, Instant};

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
use reqwest::Response;
use serde_json::Value;
use url::Url;

use super::call::bounded;
use super::settings::SilentMigration;

/// How the page ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waited {
    Complete,
    Failed(String),
    TimedOut,
}

/// What the page is told.
pub(super) struct Page<'a> {
    pub(super) poll_url: &'a str,
    pub(super) context_id: &'a str,
    pub(super) timeout_secs: u64,
    pub(super) interval_secs: u64,
    /// The origin that the page comes from: the product's.
    pub(super) origin: &'a str,
}

impl Page<'_> {
    /// Polls until the check is done, something goes wrong, or the time is over. The first poll is at once: how long the
    /// page waits before it is not documented.
    pub(super) async fn wait(&self, setup: &SilentMigration) -> Waited {
        let seconds = |count: u64| setup.second.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let (end, interval) = (Instant::now() + seconds(self.timeout_secs), seconds(self.interval_secs));
        let Some(url) = self.url() else {
            return Waited::Failed("the script polls something that is no address".into());
        };
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Waited::TimedOut;
            }
            match tokio::time::timeout(left, self.poll(setup, url.clone())).await {
                Err(_elapsed) => return Waited::TimedOut,
                Ok(Err(message)) => return Waited::Failed(message),
                Ok(Ok(true)) => return Waited::Complete,
                Ok(Ok(false)) => tokio::time::sleep(interval.min(left)).await,
            }
        }
    }

    fn url(&self) -> Option<Url> {
        let mut url = Url::parse(self.poll_url).ok()?;
        url.query_pairs_mut().append_pair("contextId", self.context_id);
        Some(url)
    }

    /// One poll: whether the check is done. Every other word than the two is a failure.
    async fn poll(&self, setup: &SilentMigration, url: Url) -> Result<bool, String> {
        let is_foreign = url.origin().ascii_serialization() != self.origin;
        let mut request = setup.client.get(url);
        if is_foreign {
            request = request.header(ORIGIN, self.origin);
        }
        let response = request.send().await.map_err(|_broken| "the poll finds no connection".to_owned())?;
        let status = response.status();
        if is_foreign && setup.check_cors && !self.is_allowed(&response) {
            return Err(format!("the answer does not let a page of {} read it", self.origin));
        }
        if !status.is_success() {
            return Err(format!("the poll is answered HTTP {status}"));
        }
        let body = bounded(response).await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        match body["status"].as_str() {
            Some("COMPLETE") => Ok(true),
            Some("PENDING") => Ok(false),
            _ => Err("the poll is answered with no status that is known".to_owned()),
        }
    }

    /// Whether a browser lets the page read the answer of another origin.
    fn is_allowed(&self, response: &Response) -> bool {
        let allowed = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).and_then(|value| value.to_str().ok());
        allowed.is_some_and(|allowed| allowed == "*" || allowed == self.origin)
    }
}
