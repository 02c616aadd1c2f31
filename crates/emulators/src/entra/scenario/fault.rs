//! Faults: what goes wrong, for which requests, and how often.

use serde::{Deserialize, Serialize};

use crate::strike::Selector;

/// One rule, `[[fault]]` in a scenario file. It looks at every request of its operation in turn; which of these it
/// strikes is decided by `after`, `first`, `every`, `probability` and `times`, in this order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Which requests it looks at. Default: any.
    #[serde(default)]
    pub on: Operation,
    /// Looks only at requests whose decoded URL or body contains this text, exactly.
    #[serde(default, rename = "match")]
    pub contains: Option<String>,
    /// A whole HTTP request, or one item of a batch. A single request is both. Default: item.
    #[serde(default)]
    pub scope: FaultScope,
    /// Leaves the first so many requests alone.
    #[serde(default)]
    pub after: u64,
    /// Of those that follow, strikes only among the first so many.
    #[serde(default)]
    pub first: Option<u64>,
    /// Of those, only every so-manieth: with 3, the third, the sixth and so on.
    #[serde(default)]
    pub every: Option<u64>,
    /// Of those, each with this probability from 0 to 1, decided by the scenario's seed and the request's number, so
    /// that a run can be repeated. Default 1.
    #[serde(default)]
    pub probability: Option<f64>,
    /// Ends after so many strikes.
    #[serde(default)]
    pub times: Option<u64>,
    /// Milliseconds: for `latency` before the request is looked at, for `late_commit` from the cut connection to the
    /// commit (default 1,000), for `stale_read` how much older than usual the answer is (default 5,000).
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// HTTP status for `error_5xx_before` and `error_5xx_after`. Default 503.
    #[serde(default)]
    pub status: Option<u16>,
    /// Error code of these. Default: the usual one for the status (`entra.md` 4.6).
    #[serde(default)]
    pub code: Option<String>,
    /// `Retry-After` exactly as it is to be sent, for `storm_429` (default `1.5`) and the 5xx (default none); an empty
    /// text leaves it out.
    #[serde(default)]
    pub retry_after: Option<String>,
    /// For `reset`: whether the request is carried out before the connection is reset. Default false.
    #[serde(default)]
    pub after_commit: bool,
}

/// What goes wrong. In a batch a fault that loses the reply of one item loses the answer of the whole batch; its
/// other items are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request is carried out, and the connection closed without a reply.
    LoseReply,
    /// The connection is closed, and the request never carried out.
    LoseRequest,
    /// The connection is closed, and the request carried out `delay_ms` later.
    LateCommit,
    /// The connection is reset, before or after the request is carried out.
    Reset,
    /// Answered 429 although the quota has room.
    #[serde(rename = "storm_429")]
    Storm429,
    /// Answered with `status`, and not carried out.
    #[serde(rename = "error_5xx_before")]
    Error5xxBefore,
    /// Carried out, and then answered with `status`.
    #[serde(rename = "error_5xx_after")]
    Error5xxAfter,
    /// Answered `delay_ms` later.
    Latency,
    /// A read that shows the tenant as it was `delay_ms` earlier than the read delay explains.
    StaleRead,
    /// A page (not the first) whose `@odata.nextLink` leads to itself.
    RepeatNextLink,
}

/// The operation of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Any of the others, the token endpoint included.
    #[default]
    Any,
    /// `POST /users`.
    Create,
    /// Any other change: `PATCH`, `POST` of other things, restore.
    Update,
    /// `DELETE`.
    Delete,
    /// `GET` of one object.
    Read,
    /// `GET` of a collection, delta included.
    List,
    /// A `$batch` as a whole.
    Batch,
    /// The token endpoint.
    Token,
}

/// What a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultScope {
    /// One item of a batch, or a single request.
    #[default]
    Item,
    /// The HTTP request: a batch (when one of its items is of the operation) or a single request.
    Envelope,
}

impl Fault {
    /// Says what cannot be meant.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.selector().check()?;
        if self.status.is_some_and(|status| !(400..600).contains(&status)) {
            return Err("the status of a fault is from 400 to 599".to_owned());
        }
        if self.retry_after.as_deref().is_some_and(|text| !text.chars().all(|c| (' '..='~').contains(&c))) {
            return Err("the retry_after of a fault is visible ASCII".to_owned());
        }
        Ok(())
    }

    pub(crate) fn selector(&self) -> Selector {
        let Self { after, first, every, probability, times, .. } = *self;
        Selector { after, first, every, probability, times }
    }

    /// [`Self::scope`], knowing that a batch is an envelope by nature.
    pub(crate) fn strikes(&self) -> FaultScope {
        if self.on == Operation::Batch { FaultScope::Envelope } else { self.scope }
    }
}
