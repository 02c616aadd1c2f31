//! From an account to what the server would hold, and what it cannot hold. Pure: start at [`draft`].
//!
//! Attributes of a draft have the names of paths (RFC 7644 3.10): `userName`, `name.givenName`,
//! `urn:…:extension:enterprise:2.0:User:department`. Lists of addresses and numbers are plain texts, the main one first;
//! `write.rs` gives them their form, `record.rs` reads it. `groups` and `roles` are names.

use std::collections::BTreeMap;

use serde_json::Value;
use sterna_core::{
    account::{Account, Credential, Identity},
    code::Code,
    plan::{DRAFT_VERSION, Draft, Drafted, Loss, Password, Strategy},
    port::DraftRules,
    secrecy::ExposeSecret,
};

use super::{
    config::GroupUse,
    fit,
    identities::{self, Chosen},
    shape::{GROUPS, ROLES, Shape},
};

/// Attributes of the core that a source attribute of the same name goes to, besides those of the model.
pub(super) const FURTHER: &[&str] =
    &["userType", "locale", "timezone", "profileUrl", "name.honorificPrefix", "name.honorificSuffix", "name.formatted"];

/// All single texts of the core that can be written.
pub(super) const TEXTS: &[&str] =
    &["displayName", "nickName", "title", "preferredLanguage", "name.givenName", "name.familyName", "name.middleName"];

/// Attributes that do something when they are written: never by a source's attribute that happens to have the name.
pub(super) const TRIGGERS: &[&str] = &[
    "askPassword",
    "verifyEmail",
    "verifyMobile",
    "tenantAdminAskPassword",
    "forcePasswordReset",
    "accountLocked",
    "accountDisabled",
    "pendingEmails",
    "pendingMobileNumber",
];

/// Attributes in which WSO2 keeps what it knows itself (wso2-scim.md 2.6): a rule may write them, a source's attribute that
/// happens to have the name does not.
const KEPT: &[&str] = &[
    "emailVerified",
    "phoneVerified",
    "emailOTPDisabled",
    "smsOTPDisabled",
    "isLiteUser",
    "unlockTime",
    "totpEnabled",
    "backupCodeEnabled",
    "enabledAuthenticators",
    "preferredChannel",
    "preferredMFAOption",
    "userSourceId",
    "managedOrg",
    "emailAddresses",
    "verifiedEmailAddresses",
    "mobileNumbers",
    "verifiedMobileNumbers",
    "failedEmailOTPAttempts",
    "failedLoginAttempts",
    "failedLoginAttemptsBeforeSuccess",
    "failedLoginLockoutCount",
    "failedPasswordRecoveryAttempts",
    "failedSMSOTPAttempts",
    "failedTOTPAttempts",
    "failedBackupCodeAttempts",
];

/// What the server would hold for `account`.
pub(super) fn draft(shape: &Shape, account: &Account, rules: &DraftRules<'_>) -> Drafted {
    let mut losses = Vec::new();
    let Chosen { user_name, identities } = match identities::chosen(shape, account, rules, &mut losses) {
        Ok(chosen) => chosen,
        Err(loss) => return Drafted::Hold(loss),
    };
    let mut making = Making { shape, rules, attributes: BTreeMap::new(), losses };
    making.attributes.insert("userName".into(), Value::from(user_name));
    making.attributes.insert("externalId".into(), Value::from(rules.key.to_string()));
    making.profile(account);
    making.source_attributes(account);
    making.without_place(account);
    making.mapped();
    making.locks();
    let password = making.password(account, &identities);
    let Making { attributes, mut losses, .. } = making;
    losses.sort();
    let draft = Draft { version: DRAFT_VERSION, key: rules.key, attributes, identities, password };
    Drafted::Draft { draft, losses }
}

struct Making<'a> {
    shape: &'a Shape,
    rules: &'a DraftRules<'a>,
    attributes: BTreeMap<String, Value>,
    losses: Vec<Loss>,
}

impl Making<'_> {
    /// The default mapping of what the model knows.
    fn profile(&mut self, account: &Account) {
        let profile = &account.profile;
        self.give_text("displayName", profile.display_name.as_deref());
        self.give_text("nickName", profile.nick_name.as_deref());
        self.give_text("title", profile.title.as_deref());
        self.give_text("preferredLanguage", profile.preferred_language.as_deref());
        self.give_text("name.givenName", profile.given_name.as_deref());
        self.give_text("name.familyName", profile.family_name.as_deref());
        self.give_text("name.middleName", profile.middle_name.as_deref());
        self.give("active", Value::from(profile.active != Some(false)));
        self.emails(account);
        self.phones(&profile.phones);
        self.postal(profile.address.as_ref());
        let wanted = self.shape.groups != GroupUse::LeaveOut;
        self.names(GROUPS, &profile.groups, wanted);
        self.names(ROLES, &profile.roles, self.shape.roles);
    }

    fn names(&mut self, attribute: &str, names: &[String], is_wanted: bool) {
        if names.is_empty() || self.is_taken(attribute) {
            return;
        }
        if !is_wanted {
            self.lose(Code::L1003, attribute);
            return;
        }
        let mut list = self.fitting_names(attribute, names.iter().map(String::as_str));
        list.sort_unstable();
        list.dedup();
        self.attributes.insert(attribute.to_owned(), Value::from(list));
    }

    /// Names without blanks at their ends. What stands before a slash would be taken for a store (wso2-scim.md 2.10).
    fn fitting_names<'n>(&mut self, attribute: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
        let mut list: Vec<&str> = names.map(str::trim).filter(|name| !name.is_empty()).collect();
        let before = list.len();
        list.retain(|name| self.shape.dialect.store.is_none() || !name.contains('/'));
        if list.len() < before {
            self.lose(Code::L1002, attribute);
        }
        list
    }

    /// A source attribute goes to the attribute of the same name, of the core or of an extension; else it has no place.
    fn source_attributes(&mut self, account: &Account) {
        for (name, value) in &account.profile.attributes {
            if is_nothing(value) || self.is_taken(name) {
                continue;
            }
            if let Some(core) = FURTHER.iter().find(|core| *core == name) {
                self.give_text(core, value.as_str());
                continue;
            }
            let is_kept = KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name));
            match self.path_of(name).filter(|_| !(is_kept && self.shape.dialect.has_resets)) {
                None => self.lose(Code::L1003, name),
                Some(path) => self.give_extension(&path, name, value),
            }
        }
    }

    /// The full path of an extension's attribute, by its bare name or path, where it may be written.
    fn path_of(&self, name: &str) -> Option<String> {
        let schemas = &self.shape.schemas;
        let (urn, attribute) = schemas.by_path(name).or_else(|| schemas.find(name))?;
        let path = format!("{urn}:{}", attribute.name);
        let is_own = self.shape.flag.as_ref().is_some_and(|flag| flag.eq_ignore_ascii_case(&path));
        let is_trigger = TRIGGERS.iter().any(|trigger| trigger.eq_ignore_ascii_case(&attribute.name));
        (attribute.is_writable && !is_own && !is_trigger).then_some(path)
    }

    fn give_extension(&mut self, path: &str, name: &str, value: &Value) {
        let Some((_, attribute)) = self.shape.schemas.by_path(path) else { return };
        match fit::extension(&self.shape.dialect, attribute, value) {
            Ok(value) => drop(self.attributes.insert(path.to_owned(), value)),
            Err(code) => self.lose(code, name),
        }
    }

    /// What the model knows and a SCIM user has no attribute for.
    fn without_place(&mut self, account: &Account) {
        if account.profile.must_change_password && !self.is_taken("must_change_password") {
            self.lose(Code::L1003, "must_change_password");
        }
        if !account.profile.consents.is_empty() {
            self.lose(Code::L3004, "consents");
        }
        for factor in &account.factors {
            self.lose(Code::L3003, &factor.kind);
        }
    }

    /// The project's own rules win; JSON null leaves out what the default mapping gives.
    fn mapped(&mut self) {
        for (name, value) in &self.rules.mapped {
            if name == "userName" {
                continue;
            }
            if ["externalId", "password", "id", "meta", "schemas"].contains(&name.as_str()) {
                self.lose(Code::L1003, name);
                continue;
            }
            let bare = name.strip_prefix("extension.").unwrap_or(name);
            let is_core = TEXTS.contains(&bare) || FURTHER.contains(&bare);
            let is_list = ["active", "emails", "phoneNumbers", "addresses", GROUPS, ROLES].contains(&bare);
            let path = if is_core || is_list { Some(bare.to_owned()) } else { self.path_of(bare) };
            let Some(path) = path else {
                self.lose(Code::L1003, name);
                continue;
            };
            self.attributes.remove(&path);
            if let Some(mark) = self.mark_of(&path) {
                // what was verified was another address
                self.attributes.remove(&mark);
            }
            self.losses.retain(|loss| loss.what != path || !is_about_value(loss.code));
            if value.is_null() {
                continue;
            }
            if is_core {
                self.give_text(&path, value.as_str());
            } else if is_list {
                self.give_mapped(&path, value);
            } else {
                self.give_extension(&path, name, value);
            }
        }
    }

    /// What a rule gives for an attribute that is no text.
    fn give_mapped(&mut self, name: &str, value: &Value) {
        let texts: Option<Vec<&str>> = match value {
            Value::String(text) => Some(vec![text.trim()]),
            Value::Array(list) => list.iter().map(|one| one.as_str().map(str::trim)).collect(),
            _ => None,
        };
        let fitted = match (name, texts) {
            ("active", _) if value.is_boolean() => Ok(value.clone()),
            ("addresses", _) if value.is_object() => Ok(value.clone()),
            ("emails", Some(texts)) => {
                texts.into_iter().map(fit::email).collect::<Result<Vec<_>, _>>().map(Value::from)
            }
            ("phoneNumbers", Some(texts)) => Ok(Value::from(texts)),
            (GROUPS, Some(texts)) if self.shape.groups != GroupUse::LeaveOut => {
                Ok(Value::from(self.fitting_names(name, texts.into_iter())))
            }
            (ROLES, Some(texts)) if self.shape.roles => Ok(Value::from(self.fitting_names(name, texts.into_iter()))),
            (GROUPS | ROLES, Some(_)) => Err(Code::L1003),
            _ => Err(Code::L1002),
        };
        match fitted {
            Ok(value) => self.give(name, value),
            Err(code) => self.lose(code, name),
        }
    }

    /// Where `active` does not keep a person out by itself, what does so is written too.
    fn locks(&mut self) {
        if self.attributes.get("active") != Some(&Value::from(false)) {
            return;
        }
        for lock in self.shape.dialect.locks {
            let urn = self.shape.schemas.system();
            if self.shape.schemas.extension(urn, lock).is_some_and(|attribute| attribute.is_writable) {
                self.attributes.insert(format!("{urn}:{lock}"), Value::from(true));
            } else {
                self.lose(Code::L1003, lock);
            }
        }
    }

    /// A held plaintext that the server would take is set; where there is none, the strategy decides.
    fn password(&mut self, account: &Account, identities: &[Identity]) -> Password {
        if !identities.iter().any(Identity::is_local) {
            return Password::None;
        }
        match &account.credential {
            Credential::Plaintext(text) => {
                let text = text.expose_secret();
                match self.shape.policy.check(text) {
                    Ok(()) if self.shape.dialect.trims && text.trim() != text => {
                        self.lose(Code::L3001, "password: blanks at its ends");
                    }
                    Ok(()) => return Password::FromRecord,
                    Err(weakness) => self.lose(Code::L3001, &format!("password: {weakness}")),
                }
            }
            Credential::Hash { format, .. } if self.rules.strategy == Strategy::CarryHash => {
                self.lose(Code::L3002, format);
            }
            Credential::Hash { .. } | Credential::HeldByLegacy | Credential::Nothing => {}
        }
        match self.rules.strategy {
            Strategy::JustInTime if self.shape.flag.is_some() => return Password::AtSignIn,
            Strategy::JustInTime => self.lose(Code::L3005, "password"),
            Strategy::CarryHash | Strategy::Set | Strategy::Reset => {}
        }
        if !self.attributes.contains_key("emails") {
            self.lose(Code::L2003, "password");
        }
        Password::Reset
    }

    fn give_text(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
        let fitted = match name {
            "preferredLanguage" | "locale" => fit::language(text),
            "timezone" if jiff::tz::TimeZone::get(text.trim()).is_err() => Err(Code::L1002),
            _ => fit::text(&self.shape.dialect, text),
        };
        match fitted {
            Ok(text) => self.give(name, Value::from(text)),
            Err(code) => self.lose(code, name),
        }
    }

    /// Gives an attribute of the core, where the server has it.
    fn give(&mut self, name: &str, value: Value) {
        let top = name.split('.').next().unwrap_or(name);
        if [GROUPS, ROLES].contains(&name) || self.shape.schemas.has_core(top) {
            self.attributes.insert(name.to_owned(), value);
        } else if name != "active" || value != true {
            self.lose(Code::L1003, name);
        }
    }

    fn lose(&mut self, code: Code, what: &str) {
        // names come from outside: one of a megabyte is cut, not kept a million times
        identities::lose(&mut self.losses, Loss::new(code, what.chars().take(120).collect::<String>()));
    }

    /// Whether a mapping rule takes from the source attribute, or from a member of it.
    fn is_taken(&self, name: &str) -> bool {
        let within = |taken: &str| taken == name || taken.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.rules.taken.iter().any(|taken| within(taken) || taken.strip_prefix("attributes.").is_some_and(within))
    }
}

/// Whether a value says nothing: an empty column of a file, for instance.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a loss says that a value did not fit: a rule for the same attribute makes up for it.
fn is_about_value(code: Code) -> bool {
    matches!(code, Code::L1001 | Code::L1002 | Code::L1004)
}

mod contacts;
#[cfg(test)]
mod tests;
