//! One request to Graph: an HTTP request of its own, or one item of a batch.

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::query::Query;
use crate::entra::scenario::Operation;

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) method: Method,
    /// The path after the version, decoded; `users('x')` is two segments, `delta()` is `delta`.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Query,
    /// Path and query, decoded: what the `match` of a fault sees of the URL.
    pub(crate) address: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Item {
    /// Takes a path (after the version) with its query apart.
    pub(crate) fn new(method: Method, path_and_query: &str, headers: HeaderMap, body: Bytes) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let segments =
            path.split('/').filter(|segment| !segment.is_empty()).flat_map(|one| split(&decode(one))).collect();
        let address = decode(&path_and_query.replace('+', " "));
        Self { method, segments, query: Query::parse(query), address, headers, body }
    }

    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What the request does, for faults.
    pub(crate) fn operation(&self) -> Operation {
        let path = self.path();
        match self.method {
            Method::GET => match path.as_slice() {
                ["users", last] if !matches!(*last, "delta" | "$count") => Operation::Read,
                ["users", _] | ["directory", "deletedItems", "microsoft.graph.user"] => Operation::List,
                ["directory", "deletedItems", _] => Operation::Read,
                [_] | [_, _, _] | ["identity", "identityProviders"] => Operation::List,
                _ => Operation::Read,
            },
            Method::DELETE => Operation::Delete,
            Method::POST if path == ["users"] => Operation::Create,
            Method::POST if path == ["directoryObjects", "getAvailableExtensionProperties"] => Operation::List,
            _ => Operation::Update,
        }
    }

    /// Whether the URL or the body contains a text.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.address.contains(text) || find(&self.body, text.as_bytes())
    }
}

fn find(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

/// `users('x')` to `users` and `x`; `applications(appId='x')` to `applications` and `appId='x'`.
fn split(segment: &str) -> Vec<String> {
    let Some((name, key)) = segment.strip_suffix(')').and_then(|rest| rest.split_once('(')) else {
        return vec![segment.to_owned()];
    };
    let bare = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')).unwrap_or(key);
    match bare {
        "" => vec![name.to_owned()],
        bare => vec![name.to_owned(), bare.replace("''", "'")],
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(method: Method, path: &str) -> Item {
        Item::new(method, path, HeaderMap::new(), Bytes::new())
    }

    #[test]
    fn keys_in_brackets_are_segments() {
        assert_eq!(item(Method::GET, "/users('a@b.c')").segments, ["users", "a@b.c"]);
        assert_eq!(item(Method::GET, "/users/delta()?x=1").segments, ["users", "delta"]);
        assert_eq!(item(Method::GET, "/applications(appId='1')").segments, ["applications", "appId='1'"]);
        assert_eq!(item(Method::GET, "/users/a%2Bb@c.d").segments, ["users", "a+b@c.d"]);
    }

    #[test]
    fn operations_are_what_faults_call_them() {
        assert_eq!(item(Method::POST, "/users").operation(), Operation::Create);
        assert_eq!(item(Method::PATCH, "/users/1").operation(), Operation::Update);
        assert_eq!(item(Method::GET, "/users?$filter=x").operation(), Operation::List);
        assert_eq!(item(Method::GET, "/users/1").operation(), Operation::Read);
        assert_eq!(item(Method::GET, "/users/delta()").operation(), Operation::List);
        assert!(item(Method::GET, "/users?$filter=displayName%20eq%20'Ana'").contains("eq 'Ana'"));
    }
}
