//! Errors of the token endpoint: `error` and an AADSTS number (`entra.md` 6; numbers by the public list of error codes).

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Now;

/// A refused token request.
#[derive(Debug)]
pub(crate) struct LoginError {
    pub(crate) status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

impl LoginError {
    fn new(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self { status, error, code, message: message.into() }
    }

    pub(super) fn missing(name: &str) -> Self {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        Self::new(400, "invalid_request", 900_144, message)
    }

    pub(super) fn unknown_tenant(tenant: &str) -> Self {
        let message = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        );
        Self::new(400, "invalid_request", 90_002, message)
    }

    pub(super) fn unsupported_grant(grant: &str) -> Self {
        let message = format!("The app requested an unsupported grant type '{grant}'.");
        Self::new(400, "unsupported_grant_type", 70_003, message)
    }

    pub(super) fn unknown_client(client_id: &str, tenant: &str) -> Self {
        let message = format!("Application with identifier '{client_id}' was not found in the directory '{tenant}'.");
        Self::new(400, "unauthorized_client", 700_016, message)
    }

    pub(super) fn no_credential() -> Self {
        let message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        Self::new(401, "invalid_client", 7_000_218, message)
    }

    pub(super) fn bad_secret(client_id: &str) -> Self {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
        );
        Self::new(401, "invalid_client", 7_000_215, message)
    }

    pub(super) fn bad_scope(scope: &str) -> Self {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        Self::new(400, "invalid_scope", 1_002_012, message)
    }

    pub(super) fn bad_assertion_type() -> Self {
        Self::new(400, "invalid_request", 900_023, "The client_assertion_type is not supported.")
    }

    /// The assertion is not a JWT with the right header.
    pub(super) fn malformed_assertion() -> Self {
        Self::new(400, "invalid_request", 50_027, "JWT token is invalid or malformed.")
    }

    pub(super) fn bad_signature() -> Self {
        let message =
            "Client assertion contains an invalid signature. The key was not found, or does not verify the signature.";
        Self::new(401, "invalid_client", 700_027, message)
    }

    pub(super) fn wrong_issuer() -> Self {
        let message = "Client assertion application identifier doesn't match 'client_id' parameter.";
        Self::new(401, "invalid_client", 700_021, message)
    }

    pub(super) fn wrong_audience() -> Self {
        Self::new(401, "invalid_client", 700_023, "Client assertion audience claim does not match Realm issuer.")
    }

    pub(super) fn expired_assertion() -> Self {
        Self::new(401, "invalid_client", 700_024, "Client assertion is not within its valid time range.")
    }

    pub(super) fn body(&self, now: Now) -> Value {
        let Self { status: _, error, code, message } = self;
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        let time = stamp(now.wall);
        json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"),
            "error_codes": [code],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        })
    }
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
