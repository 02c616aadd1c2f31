//! Addresses, methods and what is made of a request, as most dialects have them.
//!
//! The order is always the same: who calls, then whether the address is there, then the method, then the body. A caller
//! that did not prove itself learns nothing of what comes after.

use secrecy::SecretString;
use sterna_core::hook::{Call, HookAnswer, Next, Query, Submission, Who};

use super::{
    body::{Body, malformed, not_found},
    callers::Callers,
};

/// The body of a JSON document that a caller we know posted to the hook's own address.
///
/// # Errors
/// What the caller is answered else.
pub fn posted(call: &Call<'_>, callers: &Callers) -> Result<Body, Next> {
    callers.admit(call)?;
    at(call, "")?;
    method(call, "POST")?;
    Body::read(call)
}

/// Lets calls of this address below the hook's go on; a slash at the end makes no difference.
///
/// # Errors
/// 404 without a word for all others.
pub fn at(call: &Call<'_>, path: &str) -> Result<(), Next> {
    if call.path.strip_suffix('/').unwrap_or(call.path) == path { Ok(()) } else { Err(not_found()) }
}

/// Lets calls of this method go on.
///
/// # Errors
/// 405 for all others.
pub fn method(call: &Call<'_>, wanted: &'static str) -> Result<(), Next> {
    if call.method == wanted { Ok(()) } else { Err(Next::Answer(HookAnswer::empty(405).with("allow", wanted))) }
}

/// A password that is to be checked, with nothing else known.
pub fn submission(who: Who, password: SecretString) -> Submission {
    Submission {
        who,
        password,
        address: None,
        tenant: None,
        correlation: None,
        once: None,
        login: None,
        may_be_damaged: false,
        echo: String::new(),
    }
}

/// The name and the password at two places of a body, both exactly as they were typed.
///
/// # Errors
/// 400 where one is missing, no text or too long.
pub fn credentials(body: &Body, name: &[&str], password: &[&str]) -> Result<Submission, Next> {
    let name = body.text(name).ok_or_else(malformed)?;
    let password = body.password(password).ok_or_else(malformed)?;
    Ok(submission(Who::SignInName(name.to_owned()), password))
}

/// The next step of a check.
pub fn check(submission: Submission) -> Next {
    Next::Check(Box::new(submission))
}

/// The next step of a look-up by sign-in name.
pub fn look_up(name: &str, echo: String) -> Next {
    Next::LookUp(Box::new(Query { who: Who::SignInName(name.to_owned()), address: None, echo }))
}

/// What came of reading a request: both ways end in a next step.
pub fn settled(read: Result<Next, Next>) -> Next {
    read.unwrap_or_else(|refused| refused)
}
