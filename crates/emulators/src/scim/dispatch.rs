//! Which handler answers a SCIM request (RFC 7644 3.2).

use http::Method;

use super::call::{Call, Outcome};
use super::quirk;
use super::refusal::Refusal;
use super::schema::Kind;
use super::service::Trouble;

/// Answers a request.
pub(crate) fn dispatch(call: &Call<'_>, trouble: &mut Trouble) -> Outcome {
    if call.item.base.is_empty() {
        return call.service.profile.product.route(call);
    }
    call.service.profile.product.admit(call)?;
    let segments = call.item.segments();
    let method = &call.item.method;
    match segments.as_slice() {
        [endpoint @ ("ServiceProviderConfig" | "ResourceTypes" | "Schemas"), rest @ ..] if rest.len() <= 1 => {
            if method != Method::GET {
                return Err(not_allowed("GET"));
            }
            return call.discovery(endpoint, rest.first().copied());
        }
        ["Bulk"] if !call.item.is_operation => {
            if method != Method::POST {
                return Err(not_allowed("POST"));
            }
            return call.bulk(trouble);
        }
        ["Me", ..] => return Err(Refusal::new(501, "/Me is not supported.")),
        [] if method == Method::GET => return call.list(None),
        [".search"] if method == Method::POST => return call.search(None),
        [] | [".search"] => return Err(not_allowed(if segments.is_empty() { "GET" } else { "POST" })),
        _ => {}
    }
    let (kind, rest) = collection(call, &segments).ok_or_else(|| Refusal::not_found("such address"))?;
    match rest {
        [] => match *method {
            Method::GET => call.list(Some(kind)),
            Method::POST => typed(call).and_then(|()| call.create(kind)),
            _ => Err(not_allowed("GET, POST")),
        },
        [".search"] => match *method {
            Method::POST => typed(call).and_then(|()| call.search(Some(kind))),
            _ => Err(not_allowed("POST")),
        },
        [id] => match *method {
            Method::GET => call.read(kind, id),
            Method::PUT => typed(call).and_then(|()| call.replace(kind, id)),
            Method::PATCH if lacks_patch(call, kind) => Err(Refusal::new(501, "PATCH is not supported.")),
            Method::PATCH => typed(call).and_then(|()| call.patch(kind, id)),
            Method::DELETE => call.delete(kind, id),
            _ => Err(not_allowed("GET, PUT, PATCH, DELETE")),
        },
        _ => Err(Refusal::not_found("such address")),
    }
}

fn lacks_patch(call: &Call<'_>, kind: Kind) -> bool {
    let is_user = call.service.profile.catalogue.resource_type(kind).name == "User";
    is_user && call.service.quirks().has(&quirk::PATCH_501)
}

/// The resource type whose collection the address begins with, and what follows.
fn collection<'a, 's>(call: &Call<'_>, segments: &'a [&'s str]) -> Option<(Kind, &'a [&'s str])> {
    let mut found: Option<(Kind, usize)> = None;
    for (kind, known) in call.service.profile.catalogue.types().iter().enumerate() {
        let endpoint = known.endpoint.split('/').filter(|segment| !segment.is_empty());
        let length = endpoint.clone().count();
        let is_under = length <= segments.len() && endpoint.zip(segments).all(|(one, other)| one == *other);
        if is_under && found.is_none_or(|(_, longest)| longest < length) {
            found = Some((kind, length));
        }
    }
    found.map(|(kind, length)| (kind, &segments[length..]))
}

/// Bodies are JSON (RFC 7644 3.1, 8.1). Whoever says otherwise is told so.
fn typed(call: &Call<'_>) -> Result<(), Refusal> {
    let declared = call.item.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let kind = declared.split(';').next().unwrap_or_default().trim();
    if matches!(kind, "application/scim+json" | "application/json") {
        return Ok(());
    }
    Err(Refusal::new(415, "The content type has to be application/scim+json or application/json."))
}

fn not_allowed(allowed: &str) -> Refusal {
    Refusal::new(405, "The method is not allowed here.").with("Allow", allowed)
}
