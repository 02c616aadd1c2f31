//! What WSO2's own claims say of an account's state, and which claims hold secrets: the same over SCIM and in its tables
//! (wso2-scim.md 2.6).

/// Claims that hold secrets or their traces, by a part of their names without case; never kept.
const SECRETS: &[&str] = &["secretkey", "challengequestion", "backupcode", "onetimepassword", "recoverycode"];

/// Whether a claim or attribute is one that must not be kept.
pub(crate) fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SECRETS.iter().any(|part| lower.contains(part))
}

/// What is said of an account's state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said<'s> {
    /// SCIM's own `active`.
    pub(crate) active: Option<bool>,
    /// `accountLocked`, which is what blocks a sign-in.
    pub(crate) locked: Option<bool>,
    /// `lockedReason`.
    pub(crate) reason: Option<&'s str>,
    /// `accountDisabled`.
    pub(crate) disabled: Option<bool>,
}

/// Whether an account may be used, where anything says so. A lock after wrong passwords passes by itself and is none.
pub(crate) fn active(said: Said<'_>) -> Option<bool> {
    let passes = said.reason == Some("MAX_ATTEMPTS_EXCEEDED");
    let locked = said.locked.map(|locked| locked && !passes);
    let says = [said.active, locked.map(|locked| !locked), said.disabled.map(|disabled| !disabled)];
    let all: Vec<bool> = says.into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.iter().all(|flag| *flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_that_says_no_is_a_no_but_a_lock_that_passes() {
        let check = |said: Said<'_>, expected: Option<bool>| assert_eq!(active(said), expected, "{said:?}");
        let said = Said::default();
        check(said, None);
        check(Said { active: Some(true), ..said }, Some(true));
        check(Said { active: Some(true), locked: Some(true), ..said }, Some(false));
        check(Said { locked: Some(false), disabled: Some(true), ..said }, Some(false));
        check(Said { locked: Some(true), reason: Some("ADMIN_INITIATED"), ..said }, Some(false));
        check(Said { locked: Some(true), reason: Some("MAX_ATTEMPTS_EXCEEDED"), ..said }, Some(true));
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        assert!(
            ["secretkey", "challengeQuestion1", "verifySecretKey", "backupCodes"].iter().all(|name| is_secret(name))
        );
        assert!(!is_secret("accountLocked"));
    }
}
