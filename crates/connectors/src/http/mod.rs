//! What connectors of web services share: a client, one request and its answer, tokens, how to prove who we are, and
//! reads that are tried again.
//!
//! Start at [`caller::Caller`]. `access.rs` has the settings of access (`access_settings!`) and what is made of them;
//! `client.rs` builds the HTTP client; `exchange.rs` sends one request and tells whether a failure came before or
//! after it may have left; `token.rs` keeps an access token; `retry.rs` says when to come back. Not here: what an
//! answer means, and checks of typed passwords (`checks/web.rs`), which neither repeat nor wait.

pub(crate) mod access;
pub(crate) mod caller;
pub(crate) mod client;
pub(crate) mod exchange;
pub(crate) mod retry;
pub(crate) mod token;

use futures_util::{StreamExt, stream};
use serde::Deserialize;

/// Reads an object. By itself serde takes a list for an object too, its members in order: `[[]]` would be a page
/// without users and without a next one.
///
/// # Errors
/// When the body is no object, or not this one.
pub(crate) fn object<'b, T: Deserialize<'b>>(body: &'b [u8]) -> serde_json::Result<T> {
    if body.trim_ascii_start().first() == Some(&b'{') {
        return serde_json::from_slice(body);
    }
    Err(serde::de::Error::custom("the answer is no object"))
}

/// A text in a part of a URL, a blank as `%20`.
pub(crate) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Runs futures, at most `at_once` at a time; what comes of them, in order.
pub(crate) async fn together<T>(futures: Vec<impl Future<Output = T>>, at_once: usize) -> Vec<T> {
    stream::iter(futures).buffered(at_once).collect().await
}

/// The same, until one fails.
///
/// # Errors
/// The first failure.
pub(crate) async fn try_together<T, E>(
    futures: Vec<impl Future<Output = Result<T, E>>>,
    at_once: usize,
) -> Result<Vec<T>, E> {
    use futures_util::TryStreamExt;
    stream::iter(futures).buffered(at_once).try_collect().await
}
