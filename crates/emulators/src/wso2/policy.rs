//! Rules for passwords and user names, with the words in which they refuse (wso2-scim.md 2.5, 2.7).

use serde::Deserialize;

use super::settings::UserNames;

/// Rules for passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is one rule of the product")]
pub struct PasswordRules {
    /// Fewest characters.
    pub min_length: usize,
    /// Most characters.
    pub max_length: usize,
    /// Whether a digit has to be there.
    #[serde(default)]
    pub digit: bool,
    /// Whether a lower-case letter has to be there.
    #[serde(default)]
    pub lower: bool,
    /// Whether an upper-case letter has to be there.
    #[serde(default)]
    pub upper: bool,
    /// Whether these are the user store's, which refuse with a text of their own, and white space too.
    #[serde(default)]
    pub of_store: bool,
}

impl PasswordRules {
    /// The regular expression of the user store, `^[\S]{5,30}$`.
    pub(crate) const STORE: Self =
        Self { min_length: 5, max_length: 30, digit: false, lower: false, upper: false, of_store: true };

    /// The typical rules of a tenant, which stand in place of the store's.
    pub(crate) const TENANT: Self =
        Self { min_length: 8, max_length: 100, digit: true, lower: true, upper: true, of_store: false };

    /// The detail of the refusal. `codes` puts the number before the words of a tenant's rule.
    pub(crate) fn check(&self, password: &str, codes: bool) -> Result<(), String> {
        let length = password.chars().count();
        if self.of_store {
            let fits = (self.min_length..=self.max_length).contains(&length) && !password.contains(char::is_whitespace);
            let refusal = format!(
                "30003 - Credential is not valid. Credential must be a non null string with following format, \
                 ^[\\S]{{{},{}}}$",
                self.min_length, self.max_length
            );
            return if fits { Ok(()) } else { Err(refusal) };
        }
        let has = |wanted: bool, is: fn(&char) -> bool| !wanted || password.chars().any(|c| is(&c));
        let wrong = if length < self.min_length {
            format!("The password must be at least {} characters long.", self.min_length)
        } else if length > self.max_length {
            format!("The password must be at most {} characters long.", self.max_length)
        } else if !has(self.digit, char::is_ascii_digit) {
            "The password must contain at least one number.".to_owned()
        } else if !has(self.lower, char::is_ascii_lowercase) {
            "The password must contain at least one lowercase letter.".to_owned()
        } else if !has(self.upper, char::is_ascii_uppercase) {
            "The password must contain at least one uppercase letter.".to_owned()
        } else {
            return Ok(());
        };
        Err(if codes { format!("20035 - {wrong}") } else { wrong })
    }
}

/// The detail of the refusal of a user name, which is without its store.
pub(crate) fn check_user_name(names: UserNames, name: &str) -> Result<(), String> {
    let length = name.chars().count();
    let fits = match names {
        UserNames::Store => {
            (3..=50).contains(&length) && !name.contains(|c: char| c.is_whitespace() || ['*', '?', '%'].contains(&c))
        }
        UserNames::Alphanumeric => (3..=50).contains(&length) && name.chars().all(|c| c.is_ascii_alphanumeric()),
        UserNames::Email => is_address(name),
    };
    if fits {
        return Ok(());
    }
    let format = match names {
        UserNames::Store => "^[^\\s*?%]{3,50}$",
        UserNames::Alphanumeric => "^[a-zA-Z0-9]*$",
        UserNames::Email => "an email address",
    };
    Err(format!(
        "31301 - Username {name} is not valid. User name must be a non null string with following format, {format}"
    ))
}

fn is_address(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
    name.split_once('@').is_some_and(|(local, domain)| {
        is_part(local) && is_part(domain) && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_refuses_in_its_words() {
        for (rules, password, starts) in [
            (PasswordRules::STORE, "random", ""),
            (PasswordRules::STORE, "four", "30003 - Credential is not valid"),
            (PasswordRules::STORE, "with blank", "30003 - "),
            (PasswordRules::STORE, "0123456789012345678901234567890", "30003 - "),
            (PasswordRules::TENANT, "Passw0rd", ""),
            (PasswordRules::TENANT, "Passw0r", "20035 - The password must be at least 8"),
            (PasswordRules::TENANT, "Password", "20035 - The password must contain at least one number"),
            (PasswordRules::TENANT, "PASSW0RD", "20035 - The password must contain at least one lower"),
            (PasswordRules::TENANT, "passw0rd", "20035 - The password must contain at least one upper"),
        ] {
            let refusal = rules.check(password, true).err().unwrap_or_default();
            assert!(refusal.starts_with(starts) && refusal.is_empty() == starts.is_empty(), "{password}: {refusal}");
        }
        assert!(PasswordRules::TENANT.check("short", false).unwrap_err().starts_with("The password"));
    }

    #[test]
    fn user_names_have_the_form_of_their_tenant() {
        for (names, name, fits) in [
            (UserNames::Store, "ana", true),
            (UserNames::Store, "an", false),
            (UserNames::Store, "ana ruiz", false),
            (UserNames::Store, "ana*", false),
            (UserNames::Alphanumeric, "ana1", true),
            (UserNames::Alphanumeric, "ana.ruiz", false),
            (UserNames::Email, "ana@example.org", true),
            (UserNames::Email, "ana", false),
            (UserNames::Email, "ana@example", false),
        ] {
            let refusal = check_user_name(names, name);
            assert_eq!(refusal.is_ok(), fits, "{name}");
            assert!(fits || refusal.unwrap_err().starts_with("31301 - Username"));
        }
    }
}
