//! What arrives from outside, as pure functions of bytes: what fuzzers call. Nothing else does.

use bytes::Bytes;
use http::HeaderMap;

use super::{batch, graph::filter::Filter, sign_in};

/// The ids of the requests in the body of a `$batch`; the refusal's status when there are none that would be run.
///
/// # Errors
/// The status with which the whole batch is refused.
pub fn batch_ids(body: &[u8]) -> Result<Vec<String>, u16> {
    let parts = batch::read(&Bytes::copy_from_slice(body), &HeaderMap::new()).map_err(|refusal| refusal.status)?;
    Ok(parts.into_iter().map(|part| part.id).collect())
}

/// What a `$filter` says, in one spelling: the same for texts that mean the same. `None` when it is refused.
pub fn filter(text: &str) -> Option<String> {
    Filter::parse(text).ok().map(|filter| format!("{filter:?}"))
}

/// The action that an endpoint asked at a sign-in wants, when it answers 200 with this JSON.
///
/// # Errors
/// The code under which the sign-in fails.
pub fn sign_in_answer(body: &[u8], nonce: &str) -> Result<&'static str, u32> {
    sign_in::action_of(body, nonce)
}
