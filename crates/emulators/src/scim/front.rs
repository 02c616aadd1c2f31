//! HTTP in, HTTP out: which side a request is for, and how its answer is written.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;
use sterna_wire::{Handler, Reply, Request};

use super::access::{Caller, basic, oauth_error};
use super::answer::Answer;
use super::call::{Call, Effects, Item};
use super::control;
use super::fault::End;
use super::quirk;
use super::refusal::Refusal;
use super::scenario::Route;
use super::service::{Ending, Service};

/// The side that faces the network.
pub(crate) struct Front(pub(crate) Arc<Service>);

impl Handler for Front {
    async fn handle(&self, request: Request, peer: SocketAddr) -> Reply {
        let service = &self.0;
        let path = request.uri().path().to_owned();
        if let Some(rest) = path.strip_prefix(control::PREFIX) {
            return Reply::Send(control::answer(service, rest, &request).await);
        }
        if service.profile.token_paths.contains(&path) {
            return self.token(&path, &request).await;
        }
        let (base, address) = match self.base(&path) {
            Some(base) => (format!("{}{base}", service.root()), path[base.len()..].to_owned()),
            None => (String::new(), path),
        };
        let ending = self.scim(base, &address, request, peer.ip()).await;
        match ending {
            Ending::Answer(answer) => Reply::Send(self.response(&answer)),
            Ending::Silence(true) => Reply::Reset,
            Ending::Silence(false) => Reply::Close,
        }
    }
}

impl Front {
    /// The base that a path is under; the longest one, as one may be the beginning of another.
    fn base(&self, path: &str) -> Option<&str> {
        let is_under = |base: &&String| {
            path.strip_prefix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.profile.bases.iter().filter(is_under).max_by_key(|base| base.len()).map(String::as_str)
    }

    async fn scim(&self, base: String, address: &str, request: Request, from: IpAddr) -> Ending {
        let service = &self.0;
        let now = service.clock.now();
        let is_scim = !base.is_empty();
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let (head, body) = request.into_parts();
        let item = Item::new(head.method, base, &format!("{address}{query}"), head.headers, body);
        let caller = service.access.caller(&item.headers, now.micros).or_else(|| self.signed_in(&item));
        let Some(caller) = caller else {
            return Ending::Answer(service.refused(&service.profile.product.unauthorized()));
        };
        if is_scim {
            let route = Route::of(&item.method, &item.segments());
            return service.run(&caller, item, route, from).await;
        }
        let call = Call { service, caller: &caller, item: &item, now, effects: Effects::default() };
        if !service.profile.product.has_route(&call) {
            return Ending::Answer(service.refused(&Refusal::not_found("such address")));
        }
        service.run(&caller, item, Route::Associations, from).await
    }

    /// Somebody whom the product knows by name and password.
    fn signed_in(&self, item: &Item) -> Option<Arc<Caller>> {
        let (name, password) = basic(&item.headers)?;
        self.0.profile.product.basic(&self.0, &name, &password).map(Arc::new)
    }

    async fn token(&self, path: &str, request: &Request) -> Reply {
        let service = &self.0;
        let body = String::from_utf8_lossy(request.body());
        let plan = service.faults().plan(Route::Token, |text| body.contains(text));
        if plan.delay > 0 {
            tokio::time::sleep(std::time::Duration::from_micros(plan.delay)).await;
        }
        let (carry_out, error) = match plan.end {
            None => (true, None),
            Some(End::Silence { reset: true, .. }) => return Reply::Reset,
            Some(End::Silence { .. } | End::LateCommit(_)) => return Reply::Close,
            Some(End::Error { carry_out, status, retry_after }) => (carry_out, Some((status, retry_after))),
        };
        let answer = if carry_out { self.granted(path, request) } else { Answer::empty(503) };
        Reply::Send(self.response(&match error {
            Some((status, retry_after)) => service.injected(status, retry_after.as_deref()),
            None => answer,
        }))
    }

    fn granted(&self, path: &str, request: &Request) -> Answer {
        let service = &self.0;
        let plain = |status: u16, body: Value| {
            let answer = Answer { content_type: "application/json", ..Answer::json(status, body) };
            // RFC 6749 5.1
            answer.with("Cache-Control", "no-store").with("Pragma", "no-cache")
        };
        if request.method() != Method::POST {
            return plain(405, oauth_error("invalid_request", "A token is asked for by POST.")).with("Allow", "POST");
        }
        let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        if let Some((status, body)) = service.profile.product.token(service, path, request.headers(), &form) {
            return plain(status, body);
        }
        let (status, body) = service.access.token(request.headers(), &form, service.clock.now().micros);
        service.counters.tokens.add(u64::from(status == 200));
        plain(status, body)
    }

    fn response(&self, answer: &Answer) -> Response<Bytes> {
        let body = answer.body.as_ref().map(|body| serde_json::to_vec(body).unwrap_or_default());
        let mut response = Response::new(Bytes::from(body.unwrap_or_default()));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if answer.body.is_some() {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        }
        for (name, value) in &answer.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        if self.0.quirks().has(&quirk::CONNECTION_CLOSED) {
            headers.insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
