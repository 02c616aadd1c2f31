//! HTTP in, HTTP out: which side a request is for, and how its answer is written.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response};
use serde_json::Value;
use sterna_wire::{Handler, Reply, Request};

use super::batch;
use super::control;
use super::fault::End;
use super::graph::answer::Answer;
use super::graph::item::Item;
use super::login::{self, LoginPath};
use super::refusal::{Refusal, RequestIds};
use super::scenario::{FaultScope, Operation};
use super::service::{Outcome, Service, refusal_answer};
use super::sign_in::page::Page;

/// The side that faces the network.
pub(crate) struct Front(pub(crate) Arc<Service>);

impl Handler for Front {
    async fn handle(&self, request: Request, peer: SocketAddr) -> Reply {
        let service = &self.0;
        let path = request.uri().path().to_owned();
        if let Some(rest) = path.strip_prefix(control::PREFIX) {
            return Reply::Send(control::answer(service, rest, request).await);
        }
        if let Some(page) = Page::find(&service.names, &path) {
            return Reply::Send(page.answer(service, &request, peer.ip()).await);
        }
        if let Some(login) = LoginPath::parse(&path) {
            return self.login(&login, request).await;
        }
        let outcome = match path.strip_prefix("/v1.0") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => self.graph(rest, request).await,
            _ => Outcome::Answer(self.refuse(&request, &invalid_version(&path))),
        };
        match outcome {
            Outcome::Answer(answer) => Reply::Send(http_response(&answer)),
            Outcome::Silence(true) => Reply::Reset,
            Outcome::Silence(false) => Reply::Close,
        }
    }
}

fn invalid_version(path: &str) -> Refusal {
    let version = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    Refusal::bad(format!("Invalid version: {version}"))
}

impl Front {
    fn refuse(&self, request: &Request, refusal: &Refusal) -> Answer {
        let client = request.headers().get("client-request-id").and_then(|value| value.to_str().ok());
        let answer = refusal_answer(refusal, self.0.clock.now(), &RequestIds::new(client));
        if refusal.status == 401 {
            return answer.with(
                "WWW-Authenticate",
                "Bearer realm=\"\", authorization_uri=\"\", client_id=\"00000003-0000-0000-c000-000000000000\"",
            );
        }
        answer
    }

    async fn graph(&self, path: &str, request: Request) -> Outcome {
        let caller = match self.0.authenticate(request.headers(), self.0.clock.now()) {
            Ok(caller) => caller,
            Err(refusal) => return Outcome::Answer(self.refuse(&request, &refusal)),
        };
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let is_batch = matches!(path, "/$batch" | "/%24batch");
        let address = format!("{path}{query}");
        if is_batch {
            let parts = match *request.method() {
                Method::POST if !is_json(&request) => Err(Refusal::bad(NOT_JSON)),
                Method::POST => batch::read(request.body(), request.headers()),
                _ => Err(Refusal::method_not_allowed()),
            };
            let parts = match parts {
                Ok(parts) => parts,
                Err(refusal) => return Outcome::Answer(self.refuse(&request, &refusal)),
            };
            let (head, body) = request.into_parts();
            let envelope = Item::new(head.method, &address, head.headers, body);
            return batch::run(&self.0, caller, parts, envelope).await;
        }
        let (head, body) = request.into_parts();
        let item = Item::new(head.method, &address, head.headers, body);
        self.0.run(&caller, item, &[FaultScope::Item, FaultScope::Envelope]).await
    }

    async fn login(&self, path: &LoginPath<'_>, request: Request) -> Reply {
        let service = &self.0;
        let now = service.clock.now();
        let found = |tenant: &str, body: Option<Value>| {
            body.map_or_else(|| login::unknown_tenant(tenant, now), |body| (200, body))
        };
        let (status, body) = match (path, request.method()) {
            (LoginPath::Token(tenant), &Method::POST) => return self.token(tenant, &request).await,
            (LoginPath::Discovery(tenant), &Method::GET) => found(tenant, login::discovery(service, tenant)),
            (LoginPath::Keys(tenant), &Method::GET) => found(tenant, login::keys(service, tenant)),
            _ => return Reply::Send(plain(405, &Value::Null)),
        };
        Reply::Send(plain(status, &body))
    }

    async fn token(&self, tenant: &str, request: &Request) -> Reply {
        let service = &self.0;
        let scopes = [FaultScope::Item, FaultScope::Envelope];
        let body = String::from_utf8_lossy(request.body());
        let plan = service.faults().plan(&scopes, &[Operation::Token], |text| body.contains(text));
        if plan.delay > 0 {
            tokio::time::sleep(std::time::Duration::from_micros(plan.delay)).await;
        }
        let (status, body) = login::token(service, tenant, request.headers(), request.body(), service.clock.now());
        match plan.end {
            None => Reply::Send(plain(status, &body)),
            Some(End::Silence { reset: true, .. }) => Reply::Reset,
            Some(End::Silence { .. } | End::LateCommit(_)) => Reply::Close,
            Some(End::Error { status, retry_after, .. }) => {
                let body = serde_json::json!({
                    "error": "temporarily_unavailable",
                    "error_description": "AADSTS90033: A transient error has occurred. Please try again.",
                    "error_codes": [90_033],
                });
                let mut response = plain(status, &body);
                if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(&text).ok()) {
                    response.headers_mut().insert(http::header::RETRY_AFTER, value);
                }
                Reply::Send(response)
            }
        }
    }
}

const NOT_JSON: &str = "Write requests (excluding DELETE) must contain the Content-Type header declaration.";

fn is_json(request: &Request) -> bool {
    let declared = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    declared.is_some_and(|value| value.to_ascii_lowercase().starts_with("application/json"))
}

/// A JSON response without Graph's headers.
pub(crate) fn plain(status: u16, body: &Value) -> Response<Bytes> {
    json_response(status, serde_json::to_vec(body).unwrap_or_default())
}

/// A response with a text that is JSON already.
pub(crate) fn json_response(status: u16, text: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

fn http_response(answer: &Answer) -> Response<Bytes> {
    let (content_type, body) = answer.body();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    if let Some(content_type) = content_type {
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    response
}
