//! Every way in which the emulated Graph says no, with the bodies of `entra.md` 4.6.
//!
//! Texts marked there as unverified are the ones of the samples; texts that no sample shows are our own wording.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::error_time;

/// A request that is answered with an error.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    details: Vec<Detail>,
    /// A `Location` for 410 (start over with a full synchronisation).
    pub(crate) location: Option<String>,
}

#[derive(Debug, Clone)]
struct Detail {
    code: &'static str,
    message: Option<String>,
    target: String,
}

const PASSWORD: &str = "The specified password does not comply with password complexity requirements. Please provide a different password.";
const UPN_DOMAIN: &str = "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.";
const QUOTA: &str = "Unable to perform operation as the directory object quota limit for the Tenant has been exceeded.";

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), details: Vec::new(), location: None }
    }

    /// 400 `Request_BadRequest` without details.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// 400 for one property, named in `details`.
    pub(crate) fn invalid(target: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut refusal = Self::bad(message.clone());
        refusal.details.push(Detail { code: "InvalidValue", message: Some(message), target: target.to_owned() });
        refusal
    }

    pub(crate) fn conflict(target: &str) -> Self {
        let message = format!("Another object with the same value for property {target} already exists.");
        let mut refusal = Self::bad(message.clone());
        refusal.details.push(Detail { code: "ObjectConflict", message: Some(message), target: target.to_owned() });
        refusal
    }

    /// The duplicate of a federated identity as it was seen publicly (`entra.md` 4.6).
    pub(crate) fn net_id() -> Self {
        Self::bad("Property netId is invalid.")
    }

    pub(crate) fn weak_password() -> Self {
        Self::invalid("passwordProfile", PASSWORD)
    }

    pub(crate) fn foreign_issuer() -> Self {
        Self::bad("Issuer should match tenants domainName for non federated identity.")
    }

    pub(crate) fn unverified_domain() -> Self {
        let mut refusal = Self::bad(UPN_DOMAIN);
        refusal.details.push(Detail { code: "InvalidValue", message: None, target: "userPrincipalName".to_owned() });
        refusal
    }

    pub(crate) fn extensions_unavailable(names: &[String]) -> Self {
        Self::bad(format!("The following extension properties are not available: {}.", names.join(",")))
    }

    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    pub(crate) fn denied() -> Self {
        Self::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    }

    pub(crate) fn quota_exceeded() -> Self {
        Self::new(403, "Directory_QuotaExceeded", QUOTA)
    }

    pub(crate) fn missing(id: &str) -> Self {
        let message =
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        Self::new(404, "Request_ResourceNotFound", message)
    }

    pub(crate) fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    pub(crate) fn unknown_segment(segment: &str) -> Self {
        Self::new(400, "Request_InvalidRequestUrl", format!("Resource not found for the segment '{segment}'."))
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    }

    pub(crate) fn start_over(location: String) -> Self {
        let mut refusal = Self::new(410, "syncStateNotFound", "Start a new synchronization with a full enumeration.");
        refusal.location = Some(location);
        refusal
    }

    /// True for an answer that says "this exists already".
    pub(crate) fn is_conflict(&self) -> bool {
        self.status == 409 || self.details.iter().any(|detail| detail.code == "ObjectConflict") || self.is_net_id()
    }

    fn is_net_id(&self) -> bool {
        self.message.starts_with("Property netId")
    }

    /// The body, with the envelope of `entra.md` 4.6.
    pub(crate) fn body(&self, at: Timestamp, ids: &RequestIds) -> Value {
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": error_time(at),
                "request-id": ids.request,
                "client-request-id": ids.client,
            },
        });
        if !self.details.is_empty() {
            error["details"] = self.details.iter().map(Detail::value).collect();
        }
        json!({ "error": error })
    }
}

impl Detail {
    fn value(&self) -> Value {
        match &self.message {
            Some(message) => json!({ "code": self.code, "message": message, "target": self.target }),
            None => json!({ "code": self.code, "target": self.target }),
        }
    }
}

/// The two ids that every Graph answer carries.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds {
    /// Ours, new for each request.
    pub(crate) request: String,
    /// The caller's `client-request-id`, or ours again.
    pub(crate) client: String,
}

impl RequestIds {
    pub(crate) fn new(client: Option<&str>) -> Self {
        let request = uuid::Uuid::new_v4().to_string();
        let client = client.map_or_else(|| request.clone(), ToOwned::to_owned);
        Self { request, client }
    }
}
