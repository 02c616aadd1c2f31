//! What a service says of itself when it is connected to (RFC 7644 4): what it offers, its limits, and its schemas.
//!
//! Tolerant: what is absent has the default, and a finding says so.

use serde_json::Value;
use sterna_core::{
    code::{Code, Finding},
    port::TargetError,
};

use super::{
    bulk::Limits,
    config::{BulkUse, TargetConfig},
    failure::ReadError,
    paging::Page,
    schema::{Schemas, flag},
    service::Service,
};

/// What a page holds where nothing is said of it: WSO2 gives no more (wso2-scim.md 2.8).
const PAGE: u64 = 100;

/// The largest page that is asked for: longer ones only make answers that are hard to hold.
const LONGEST_PAGE: u64 = 500;

/// What Bulk is taken to hold where it is used and nothing is said of it (the defaults of several services, wso2-scim.md 4.2).
const UNSAID: Limits = Limits { operations: 100, bytes: 1_048_576 };

/// What a service offers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of its own of the service's own words")]
pub(super) struct Offers {
    /// Attributes can be changed one by one; else the whole is written anew.
    pub(super) patch: bool,
    /// Several operations can go in one request, and how many.
    pub(super) bulk: Option<Limits>,
    /// People can be looked up by a filter.
    pub(super) filter: bool,
    /// How many things a page holds.
    pub(super) page: u64,
    /// Versions are kept, and can be asked for in a change.
    pub(super) etag: bool,
    /// Lists are walked over by cursor (RFC 9865): there is one, and it is to be preferred.
    pub(super) cursor: bool,
}

/// All that was learnt.
pub(super) struct Discovered {
    /// What it offers.
    pub(super) offers: Offers,
    /// What a user can hold.
    pub(super) schemas: Schemas,
    /// What was not as it should be.
    pub(super) findings: Vec<Finding>,
}

/// Asks a service what it is.
///
/// # Errors
/// [`TargetError`] when it cannot be reached at all.
pub(super) async fn discover(service: &Service, config: &TargetConfig) -> Result<Discovered, TargetError> {
    let doing = "asking the service what it offers";
    let mut findings = Vec::new();
    let said = absent(service.get("/ServiceProviderConfig").await, "/ServiceProviderConfig", &mut findings);
    let said = said.map_err(|error| error.during(doing))?;
    let mut lists = Vec::new();
    for path in ["/Schemas", "/ResourceTypes"] {
        let list = absent(service.get(path).await, path, &mut findings).map_err(|error| error.during(doing))?;
        lists.push(resources(list));
    }
    let offers = offers(said.as_ref(), config);
    if config.bulk == BulkUse::On && !flag(said.as_ref().and_then(|said| said.get("bulk")?.get("supported"))) {
        let note = Finding::note(Code::E2015, "the service announces no Bulk, and the settings say to use it");
        findings.push(note.hint("where it does not work, set `bulk` to \"auto\""));
    }
    Ok(Discovered { offers, schemas: Schemas::read(&lists[0], &lists[1]), findings })
}

/// Some services leave some of it out, and some show it to nobody.
fn absent(read: Result<Value, ReadError>, path: &str, findings: &mut Vec<Finding>) -> Result<Option<Value>, ReadError> {
    match read {
        Ok(value) if value.is_object() || value.is_array() => Ok(Some(value)),
        Err(error) if !error.is_refusal() && !matches!(error, ReadError::Shape) => Err(error),
        Ok(_) | Err(_) => {
            let note = Finding::note(Code::E2015, format!("the service does not show {path}; defaults are taken"));
            findings.push(note.hint("check `url`, if this service is known to have it"));
            Ok(None)
        }
    }
}

/// A list response, or a bare list as some write it.
fn resources(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(list)) => list,
        Some(value) => Page::read(value).map(|page| page.resources).unwrap_or_default(),
        None => Vec::new(),
    }
}

/// Reads what is offered (RFC 7643 5, RFC 9865 4), within what the settings and the product allow.
fn offers(said: Option<&Value>, config: &TargetConfig) -> Offers {
    let part = |name: &str| said.and_then(|said| said.get(name));
    let supported = |name: &str, unsaid: bool| part(name).map_or(unsaid, |part| flag(part.get("supported")));
    let number = |part: Option<&Value>, name: &str| part.and_then(|part| part.get(name)).and_then(Value::as_u64);
    let bulk = match config.bulk {
        BulkUse::Off => None,
        BulkUse::Auto if !supported("bulk", false) => None,
        BulkUse::Auto | BulkUse::On => {
            let limit = |name: &str, unsaid: usize| {
                number(part("bulk"), name)
                    .filter(|limit| *limit > 0)
                    .and_then(|limit| usize::try_from(limit).ok())
                    .unwrap_or(unsaid)
            };
            let operations = limit("maxOperations", UNSAID.operations).min(config.product.dialect().most_operations);
            let bytes = limit("maxPayloadSize", UNSAID.bytes).min(config.max_payload.unwrap_or(usize::MAX));
            // one operation in each request is no better than none, and Bulk is the less tried way
            (operations > 1).then_some(Limits { operations, bytes })
        }
    };
    let pagination = part("pagination");
    let prefers_cursor =
        pagination.and_then(|part| part.get("defaultPaginationMethod")).and_then(Value::as_str) == Some("cursor");
    let has_cursor = flag(pagination.and_then(|part| part.get("cursor")));
    let has_index = pagination.and_then(|part| part.get("index")).is_none_or(|index| flag(Some(index)));
    let most = number(part("filter"), "maxResults").filter(|most| *most > 0).unwrap_or(PAGE);
    let longest = number(pagination, "maxPageSize").filter(|most| *most > 0).unwrap_or(LONGEST_PAGE);
    Offers {
        patch: supported("patch", true),
        bulk,
        filter: supported("filter", true),
        page: most.min(longest).min(LONGEST_PAGE),
        etag: supported("etag", false),
        cursor: has_cursor && (prefers_cursor || !has_index),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sterna_core::settings::Values;

    use super::*;
    use crate::scim::dialect::Product;

    fn offered(product: Product, said: Option<&Value>, settings: &[(&str, Value)]) -> Offers {
        let values = Values::default().with("url", "https://h".into()).with("token", json!({ "env": "T" }));
        let values = values.with("organization", "o".into());
        let values = settings.iter().fold(values, |values, (name, value)| values.with(name, value.clone()));
        offers(said, &TargetConfig::new(product, &values).unwrap())
    }

    #[test]
    fn a_service_that_says_nothing_has_the_defaults() {
        let defaults = Offers { patch: true, bulk: None, filter: true, page: PAGE, etag: false, cursor: false };
        assert_eq!(offered(Product::Scim, None, &[]), defaults);
        assert_eq!(offered(Product::Scim, Some(&json!({})), &[]), defaults);
    }

    #[test]
    fn limits_are_the_smallest_of_what_is_announced_configured_and_known() {
        let bulk = |product, said: Value, settings: &[(&str, Value)]| {
            let limits = offered(product, Some(&json!({ "bulk": said })), settings).bulk;
            limits.map(|limits| (limits.operations, limits.bytes))
        };
        let said = || json!({"supported": true, "maxOperations": 1_000, "maxPayloadSize": 1_048_576});
        assert_eq!(bulk(Product::Scim, said(), &[]), Some((1_000, 1_048_576)));
        assert_eq!(bulk(Product::Asgardeo, said(), &[]), Some((100, 1_048_576)), "whatever it announces");
        assert_eq!(bulk(Product::Scim, said(), &[("max_payload", json!(5_000))]), Some((1_000, 5_000)));
        assert_eq!(bulk(Product::Scim, said(), &[("bulk", json!("off"))]), None);
        assert_eq!(bulk(Product::Scim, json!({"supported": "true"}), &[]), Some((100, 1_048_576)));
        assert_eq!(bulk(Product::Scim, json!({"supported": true, "maxOperations": 1}), &[]), None);
        assert_eq!(bulk(Product::Scim, json!({"supported": false}), &[("bulk", json!("on"))]), Some((100, 1_048_576)));
    }

    #[test]
    fn lists_are_walked_over_as_is_announced() {
        let said =
            |pagination: Value| json!({"pagination": pagination, "filter": {"supported": true, "maxResults": 200}});
        let came = |pagination| {
            let offers = offered(Product::Scim, Some(&said(pagination)), &[]);
            (offers.cursor, offers.page)
        };
        assert_eq!(came(json!({"cursor": true, "index": true})), (false, 200));
        assert_eq!(came(json!({"cursor": true, "index": true, "defaultPaginationMethod": "cursor"})), (true, 200));
        assert_eq!(came(json!({"cursor": true, "index": false, "maxPageSize": 50})), (true, 50));
        assert_eq!(came(json!({"cursor": false, "index": true})), (false, 200));
    }
}
