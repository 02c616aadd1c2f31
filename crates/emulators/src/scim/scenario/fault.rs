//! Faults: what goes wrong, for which requests, and how often.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::strike::Selector;

/// One rule, `[[fault]]` in a scenario file. It looks at every request of its route in turn; which of these it strikes is
/// decided by `after`, `first`, `every`, `probability` and `times`, in this order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Which requests it looks at. Operations of a bulk request are looked at one by one. Default: any.
    #[serde(default)]
    pub on: Route,
    /// Looks only at requests whose decoded address or body contains this text, exactly.
    #[serde(default, rename = "match")]
    pub contains: Option<String>,
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
    /// `Retry-After` exactly as it is to be sent, for `storm_429` (default `1`) and the 5xx (default none); an empty text
    /// leaves it out.
    #[serde(default)]
    pub retry_after: Option<String>,
}

/// What goes wrong. In a bulk request a fault that loses the reply of one operation loses the answer of the whole
/// request; its other operations are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request is carried out, and the connection closed without a reply.
    LoseReply,
    /// The connection is closed, and the request never carried out.
    LoseRequest,
    /// The connection is closed, and the request carried out `delay_ms` later.
    LateCommit,
    /// The connection is reset, and the request never carried out.
    ResetBefore,
    /// The request is carried out, and the connection reset.
    ResetAfter,
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
    /// A read that shows the resources as they were `delay_ms` earlier than the read delay explains.
    StaleRead,
    /// A page that comes once more where the next one was asked for.
    RepeatPage,
    /// A list that shows everybody, whatever its filter says.
    IgnoreFilter,
    /// A create that is carried out and answered 202 without a body and without an address.
    #[serde(rename = "accepted_202")]
    Accepted202,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Any of the others.
    #[default]
    Any,
    /// Any SCIM request but a bulk request.
    Scim,
    /// `POST` of a resource.
    Create,
    /// `POST /Bulk` as a whole.
    Bulk,
    /// `GET` of many resources, `/.search` too.
    List,
    /// `GET` of one resource.
    Read,
    /// `PATCH`
    Patch,
    /// `PUT`
    Replace,
    /// `DELETE`
    Delete,
    /// The interface for linked identities, in products that have one.
    Associations,
    /// The token endpoint.
    Token,
    /// `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas`.
    Discovery,
}

impl Route {
    /// Whether a request of that route is one of these.
    pub(crate) fn covers(self, route: Self) -> bool {
        match self {
            Self::Any => true,
            Self::Scim => !matches!(route, Self::Bulk | Self::Associations | Self::Token),
            _ => self == route,
        }
    }

    /// The route of a SCIM request.
    pub(crate) fn of(method: &Method, segments: &[&str]) -> Self {
        let is = |name: &str| segments.first() == Some(&name);
        if is("ServiceProviderConfig") || is("ResourceTypes") || is("Schemas") {
            return Self::Discovery;
        }
        if is("Bulk") {
            return Self::Bulk;
        }
        if segments.last() == Some(&".search") {
            return Self::List;
        }
        // `/Users`, `/v2/Roles`: the last segment of a collection begins with a capital letter, an id does not
        let is_collection = segments.last().is_none_or(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
        match *method {
            Method::POST => Self::Create,
            Method::PATCH => Self::Patch,
            Method::PUT => Self::Replace,
            Method::DELETE => Self::Delete,
            _ if is_collection => Self::List,
            _ => Self::Read,
        }
    }
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
}
