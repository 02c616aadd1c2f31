//! The sign-in side: what the product's login with the attached script does (wso2-scim.md 1.2).
//!
//! Start at [`run::SignIn::run`]. `call` carries out `httpPost` and `callChoreo` with their timeouts and repeats, `token`
//! gets the tokens that they need, `page` is the wait page in the browser. Whose password is checked and stored is behind
//! [`People`]. Not here: reading the script, see `script`.

mod call;
mod latin1;
mod page;
pub(crate) mod run;
pub(crate) mod settings;
#[cfg(test)]
mod tests;
pub(crate) mod token;

/// The users of the product, as a login sees them.
pub(crate) trait People: Send + Sync {
    /// Step 1: whether this name with this password may sign in, by the name that was typed.
    fn check(&self, typed: &str, password: &str) -> bool;

    /// `resolveMultiAttributeLoginIdentifier`: the user name without its store of the one who is meant.
    fn resolve(&self, typed: &str) -> Option<String>;

    /// `getUniqueUserWithClaimValues` with a user name: the id of the one user with `STORE/name`.
    fn find(&self, name: &str) -> Option<String>;

    /// A local claim of a user.
    fn claim(&self, id: &str, uri: &str) -> Option<String>;

    /// Sets a local claim.
    fn set_claim(&self, id: &str, uri: &str, value: &str);

    /// `updateUserPassword`, with or without the rules for passwords.
    fn update_password(&self, id: &str, password: &str, skip_rules: bool) -> Result<(), String>;
}
