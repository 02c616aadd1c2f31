//! What a request costs (`entra.md` 5, `data/graph-throttling.json`).

use http::Method;

use crate::entra::graph::query::Query;
use crate::entra::options::Kind;

/// The price of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Resource units.
    pub(crate) units: u64,
    /// Writes: 1 for a change, 0 for a read.
    pub(crate) writes: u64,
}

/// Prices a request by method, path segments after the version, and query.
pub(crate) fn cost(method: &Method, path: &[&str], query: &Query, costly_create: bool) -> Cost {
    if *method != Method::GET {
        let create = *method == Method::POST && path == ["users"];
        return match path {
            ["directoryObjects", "getByIds"] => Cost { units: if query.has("$select") { 2 } else { 5 }, writes: 0 },
            ["directoryObjects", "getAvailableExtensionProperties"] => Cost { units: 1, writes: 0 },
            _ => Cost { units: if create && costly_create { 5 } else { 1 }, writes: 1 },
        };
    }
    let base: i64 = match path {
        ["users" | "applications"]
        | ["applications", _, "extensionProperties"]
        | ["users", _, "memberOf"]
        | ["servicePrincipals", _, "appRoleAssignments"] => 2,
        ["users", delta] if delta.starts_with("delta") => 2,
        _ => 1,
    };
    let few = query.top().is_some_and(|top| top < 20);
    let units = base - i64::from(query.has("$select")) + i64::from(query.has("$expand")) - i64::from(few);
    Cost { units: units.max(1).unsigned_abs(), writes: 0 }
}

/// Whether creating a user costs 4 more.
pub(crate) fn creates_are_costly(kind: Kind, also_in_external_id: bool) -> bool {
    kind == Kind::AzureAdB2c || also_in_external_id
}
