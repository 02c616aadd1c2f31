//! Lists as the products make and show them (wso2-scim.md 2.8).

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::filter::{self, Among};
use super::product::{GROUPS, USERS, Wso2};
use super::settings::Kind as ProductKind;
use super::{quirk, words};
use crate::scim::call::Call;
use crate::scim::filter::{Filter, Op, parse};
use crate::scim::list::ListQuery;
use crate::scim::product::Shown;
use crate::scim::refusal::Refusal;
use crate::scim::schema::Kind;
use crate::scim::service::Service;

/// Resources of a page at most.
const PAGE_CAP: usize = 100;

/// Looks at a list request, and puts it in the words of the RFC.
pub(super) fn prepare(
    product: &Wso2,
    call: &Call<'_>,
    kind: Option<Kind>,
    query: &mut ListQuery,
) -> Result<(), Refusal> {
    let quirks = call.service.quirks();
    if query.sort_by.is_some() {
        return Err(Refusal::new(501, "Sorting is not supported"));
    }
    if quirks.has(&quirk::PAGE_CAP) {
        query.count = query.count.map(|count| count.min(PAGE_CAP));
    }
    let among = if kind == Some(USERS) { Among::Users } else { Among::Groups };
    // the stores that the filter names
    let named = RefCell::new(Vec::new());
    let canonical = |attribute: &str, value: &str| {
        let is_group_name = among == Among::Groups && attribute.eq_ignore_ascii_case("displayName");
        if !is_group_name && !attribute.eq_ignore_ascii_case("userName") {
            return value.to_owned();
        }
        if value.contains('/') {
            named.borrow_mut().push(product.stores.of(value));
        }
        product.stores.canonical(value)
    };
    let mut filter = match &query.filter {
        None => None,
        Some(text) if quirks.has(&quirk::UNQUOTED_FILTERS) => Some(filter::read(text, among, canonical)?),
        Some(text) => {
            let read = parse(text)?;
            if quirks.has(&quirk::OR_FAILS) {
                demand_supported(&read)?;
            }
            Some(with_values(read, &canonical))
        }
    };
    if let Some(domain) = call.item.parameter("domain").filter(|domain| !domain.is_empty()) {
        filter = Some(in_store(product, domain, kind, filter, &named.into_inner())?);
    }
    query.filter = filter.map(|filter| written(&filter));
    Ok(())
}

fn demand_supported(filter: &Filter) -> Result<(), Refusal> {
    match filter {
        Filter::Or(_) => Err(Refusal::new(500, "Unsupported Operation: or")),
        Filter::Not(_) | Filter::Present(_) | Filter::Compare(_, Op::Gt | Op::Lt, _) => {
            Err(Refusal::bad("invalidFilter", "Filter operation is not supported for filtering in users endpoint."))
        }
        Filter::And(parts) => parts.iter().try_for_each(demand_supported),
        Filter::Each(..) | Filter::Compare(..) => Ok(()),
    }
}

fn with_values(filter: Filter, change: &impl Fn(&str, &str) -> String) -> Filter {
    match filter {
        Filter::And(parts) => Filter::And(parts.into_iter().map(|part| with_values(part, change)).collect()),
        Filter::Or(parts) => Filter::Or(parts.into_iter().map(|part| with_values(part, change)).collect()),
        Filter::Not(part) => Filter::Not(Box::new(with_values(*part, change))),
        Filter::Compare(path, op, Value::String(text)) => {
            let text = change(&path, &text);
            Filter::Compare(path, op, Value::from(text))
        }
        other @ (Filter::Present(_) | Filter::Compare(..) | Filter::Each(..)) => other,
    }
}

/// Only what is in a user store. A filter that names another one is a fault of the server.
fn in_store(
    product: &Wso2,
    domain: &str,
    kind: Option<Kind>,
    filter: Option<Filter>,
    named: &[String],
) -> Result<Filter, Refusal> {
    let store = product.stores.find(domain).ok_or_else(|| words::unknown_store(domain))?;
    if named.iter().any(|other| other != store) {
        return Err(Refusal::new(500, "Domain parameter does not match with the domain in the filter"));
    }
    let name = if kind == Some(GROUPS) { "displayName" } else { "userName" };
    let is_bare = product.kind == ProductKind::IdentityServer && store == product.kind.default_store();
    let here = if is_bare {
        Filter::Not(Box::new(Filter::Compare(name.to_owned(), Op::Co, Value::from("/"))))
    } else {
        Filter::Compare(name.to_owned(), Op::Sw, Value::from(format!("{store}/")))
    };
    Ok(Filter::And(filter.into_iter().chain([here]).collect()))
}

/// A filter in the words of the RFC.
fn written(filter: &Filter) -> String {
    let all = |parts: &[Filter], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| format!("({})", written(part))).collect();
        parts.join(word)
    };
    match filter {
        Filter::And(parts) => all(parts, " and "),
        Filter::Or(parts) => all(parts, " or "),
        Filter::Not(part) => format!("not ({})", written(part)),
        Filter::Present(path) => format!("{path} pr"),
        Filter::Compare(path, op, value) => format!("{path} {} {value}", op.name()),
        Filter::Each(path, part) => format!("{path}[{}]", written(part)),
    }
}

/// How many users the default store has.
pub(super) fn users_of_default_store(product: &Wso2, service: &Service) -> usize {
    let store = service.store();
    let is_there = |slot: &&u32| {
        store.latest(**slot).is_some_and(|resource| {
            let data = resource.data();
            let name = data.get("userName").and_then(Value::as_str).unwrap_or_default();
            product.stores.of(name) == product.kind.default_store()
        })
    };
    store.all(USERS).iter().filter(is_there).count()
}

impl Wso2 {
    /// Changes a resource as it is about to be shown.
    pub(super) fn show_resource(&self, service: &Service, kind: Kind, shown: Shown, view: &mut Map<String, Value>) {
        let quirks = service.quirks();
        if shown == Shown::Listed && quirks.has(&quirk::LIST_WITHOUT_SCHEMAS) {
            view.remove("schemas");
        }
        let name = match kind {
            USERS => "userName",
            GROUPS => "displayName",
            _ => return,
        };
        if let Some(Value::String(stored)) = view.get_mut(name) {
            if !quirks.has(&quirk::STORE_PREFIX) {
                let bare = stored.split_once('/').map(|(_, name)| name.to_owned());
                *stored = bare.unwrap_or_else(|| stored.clone());
            } else if quirks.has(&quirk::MANDATED_DOMAIN) && !stored.contains('/') {
                *stored = format!("{}/{stored}", self.kind.default_store());
            }
        }
        if kind == USERS && quirks.has(&quirk::MIXED_EMAILS) {
            for email in view.get_mut("emails").and_then(Value::as_array_mut).into_iter().flatten() {
                if email["primary"] == true && email["value"].is_string() {
                    *email = email["value"].clone();
                }
            }
        }
    }
}
