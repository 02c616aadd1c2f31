//! From an account to what the tenant would hold, and what it cannot hold. Pure: start at [`draft`].

use std::collections::BTreeMap;

use serde_json::Value;
use sterna_core::{
    account::{Account, Credential, Identity, LocalName},
    code::Code,
    plan::{DRAFT_VERSION, Draft, Drafted, Loss, Password, Strategy},
    port::DraftRules,
    secrecy::ExposeSecret,
};

use super::{
    attributes::{self, Fit},
    identities::{self, add_once},
    limits,
    shape::Shape,
};

/// What the tenant would hold for `account`.
pub(super) fn draft(shape: &Shape, account: &Account, rules: &DraftRules<'_>) -> Drafted {
    let mut losses = Vec::new();
    let identities = match identities::chosen(shape, account, rules, &mut losses) {
        Ok(identities) => identities,
        Err(loss) => return Drafted::Hold(loss),
    };
    let mut making = Making { shape, rules, attributes: BTreeMap::new(), losses };
    making.profile(account, &identities);
    making.source_attributes(account);
    making.without_place(account);
    making.mapped();
    if !making.attributes.contains_key("displayName") && !making.name(account, &identities) {
        return Drafted::Hold(Loss::new(Code::L4006, "displayName"));
    }
    if making.extension_values() > limits::EXTENSIONS {
        return Drafted::Hold(Loss::new(Code::L1003, "more than 100 extension attributes"));
    }
    let password = making.password(account, &identities);
    making.keys(&password);
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
    fn profile(&mut self, account: &Account, identities: &[Identity]) {
        let profile = &account.profile;
        self.give_text("displayName", profile.display_name.as_deref());
        self.give_text("givenName", profile.given_name.as_deref());
        self.give_text("surname", profile.family_name.as_deref());
        self.give_text("jobTitle", profile.title.as_deref());
        self.give_text("preferredLanguage", profile.preferred_language.as_deref());
        self.give_text("mobilePhone", profile.phone());
        if let Some(address) = &profile.address {
            self.give_text("streetAddress", address.street.as_deref());
            self.give_text("city", address.locality.as_deref());
            self.give_text("state", address.region.as_deref());
            self.give_text("postalCode", address.postal_code.as_deref());
            self.give_text("country", address.country.as_deref());
        }
        if profile.phones.len() > 1 && !self.is_taken("phones") {
            self.lose(Code::L1005, "phones");
        }
        self.attributes.insert("accountEnabled".into(), Value::from(profile.active != Some(false)));
        self.addresses(account, identities);
    }

    /// `mail` is the address that the person signs in with; all others go to `otherMails`.
    ///
    /// The directory wants `mail` to be unique (entra.md 4.6: a conflict on `proxyAddresses`), and one person's local
    /// and social accounts mostly share one address, so that only a sign-in name, unique anyway, may be put there.
    fn addresses(&mut self, account: &Account, identities: &[Identity]) {
        let mail = identities.iter().find_map(|identity| match identity {
            Identity::Local { name: LocalName::Email, value } => Some(value.as_str()),
            _ => None,
        });
        if let Some(mail) = mail {
            self.attributes.insert("mail".into(), Value::from(mail));
        }
        let mut others: Vec<String> = Vec::new();
        for contact in &account.profile.emails {
            let known = |known: &str| known.eq_ignore_ascii_case(contact.value.trim());
            if mail.is_some_and(known) || others.iter().any(|other| known(other)) {
                continue;
            }
            match attributes::email(&contact.value) {
                Ok(address) => others.push(address),
                Err(code) => self.lose(code, "emails"),
            }
        }
        if !others.is_empty() {
            self.attributes.insert("otherMails".into(), Value::from(others));
        }
    }

    /// A source attribute goes to the attribute or extension attribute of the same name, where there is one; else it
    /// has no place.
    fn source_attributes(&mut self, account: &Account) {
        for (name, value) in &account.profile.attributes {
            if is_nothing(value) || self.is_taken(name) {
                continue;
            }
            if let Some(fit) = self.same_name(name) {
                match attributes::fitted(fit, value, self.shape.product) {
                    Ok(value) => {
                        self.attributes.insert(name.clone(), value);
                    }
                    Err(code) => self.lose(code, name),
                }
                continue;
            }
            let own = *name == self.shape.flag || *name == self.shape.legacy_id;
            match self.shape.extensions.get(name).filter(|_| !own) {
                None => self.lose(Code::L1003, name),
                Some(sort) => match attributes::extension(sort, value) {
                    Ok(value) => {
                        self.attributes.insert(self.shape.full_name(name), value);
                    }
                    Err(code) => self.lose(code, name),
                },
            }
        }
    }

    /// What fits into the attribute of the same name, where the default mapping leaves it empty and it identifies nobody.
    fn same_name(&self, name: &str) -> Option<Fit> {
        let identifies = ["displayName", "mail", "otherMails", "accountEnabled"].contains(&name);
        attributes::fit_of(name).filter(|_| !identifies && !self.attributes.contains_key(name))
    }

    /// What the model knows and a user of Graph has no attribute for.
    fn without_place(&mut self, account: &Account) {
        let profile = &account.profile;
        let has = [
            ("middle_name", profile.middle_name.is_some()),
            ("nick_name", profile.nick_name.is_some()),
            ("groups", !profile.groups.is_empty()),
            ("roles", !profile.roles.is_empty()),
            ("must_change_password", profile.must_change_password),
        ];
        for (name, _) in has.into_iter().filter(|(_, has)| *has) {
            if !self.is_taken(name) {
                self.lose(Code::L1003, name);
            }
        }
        if !profile.consents.is_empty() {
            self.lose(Code::L3004, "consents");
        }
        for factor in &account.factors {
            self.lose(Code::L3003, &factor.kind);
        }
    }

    /// The project's own rules win; JSON null leaves out what the default mapping gives.
    fn mapped(&mut self) {
        for (name, value) in &self.rules.mapped {
            let full = match name.strip_prefix("extension.") {
                Some(bare) => self.shape.full_name(bare),
                None => name.clone(),
            };
            if attributes::OWN.contains(&full.as_str()) || self.shape.is_own(&full) {
                self.lose(Code::L1003, name);
                continue;
            }
            self.attributes.remove(&full);
            self.losses.retain(|loss| loss.what != full || !is_about_value(loss.code));
            if value.is_null() {
                continue;
            }
            let fitted = match (attributes::fit_of(&full), self.shape.bare_name(&full)) {
                (Some(fit), _) => attributes::fitted(fit, value, self.shape.product),
                (None, Some(bare)) => match self.shape.extensions.get(bare) {
                    Some(sort) => attributes::extension(sort, value),
                    None => Err(Code::L1003),
                },
                (None, None) => Err(Code::L1003),
            };
            match fitted {
                Ok(value) => {
                    self.attributes.insert(full, value);
                }
                Err(code) => self.lose(code, name),
            }
        }
    }

    /// A display name out of what there is: the directory demands one. `false` when there is nothing.
    fn name(&mut self, account: &Account, identities: &[Identity]) -> bool {
        if self.rules.mapped.get("displayName").is_some_and(Value::is_null) {
            return false;
        }
        let profile = &account.profile;
        let names = [profile.given_name.as_deref(), profile.family_name.as_deref()];
        let joined = names.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let local = |wanted: LocalName| {
            identities.iter().find_map(|identity| match identity {
                Identity::Local { name, value } if *name == wanted => Some(value.clone()),
                _ => None,
            })
        };
        let candidates = [
            Some(joined.join(" ")),
            profile.nick_name.clone(),
            local(LocalName::UserName),
            local(LocalName::Email),
            profile.email().map(str::to_owned),
        ];
        let fit = Fit::DisplayName(256);
        let mut fitting = candidates.into_iter().flatten();
        let found = fitting.find_map(|text| attributes::fitted(fit, &Value::from(text), self.shape.product).ok());
        found.map(|name| self.attributes.insert("displayName".into(), name)).is_some()
    }

    /// A held plaintext that meets the policy is set; where there is none, the strategy decides.
    fn password(&mut self, account: &Account, identities: &[Identity]) -> Password {
        if !identities.iter().any(Identity::is_local) {
            return Password::None;
        }
        match &account.credential {
            Credential::Plaintext(text) => match self.shape.policy.check(text.expose_secret()) {
                Ok(()) => return Password::FromRecord,
                Err(weakness) => self.lose(Code::L3001, &format!("password: {weakness}")),
            },
            Credential::Hash { format, .. } if self.rules.strategy == Strategy::CarryHash => {
                self.lose(Code::L3002, format);
            }
            Credential::Hash { .. } | Credential::HeldByLegacy | Credential::Nothing => {}
        }
        match self.rules.strategy {
            Strategy::JustInTime => Password::AtSignIn,
            Strategy::CarryHash | Strategy::Set | Strategy::Reset => Password::Reset,
        }
    }

    /// The account's key in its three places (design.md 6.1), and the policies that go with a password.
    fn keys(&mut self, password: &Password) {
        let key = self.rules.key.to_string();
        let principal = format!("{key}@{}", self.shape.upn_domain);
        self.attributes.insert("userPrincipalName".into(), Value::from(principal));
        self.attributes.insert("mailNickname".into(), Value::from(key.as_str()));
        self.attributes.insert(self.shape.full_name(&self.shape.legacy_id), Value::from(key));
        if *password != Password::None {
            self.attributes.insert("passwordPolicies".into(), Value::from(self.shape.password_policies()));
        }
    }

    fn give_text(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
        let Some(fit) = attributes::fit_of(name) else { return };
        match attributes::fitted(fit, &Value::from(text), self.shape.product) {
            Ok(value) => {
                self.attributes.insert(name.to_owned(), value);
            }
            Err(code) => self.lose(code, name),
        }
    }

    fn lose(&mut self, code: Code, what: &str) {
        // names come from outside: one of a megabyte is cut, not kept a million times
        add_once(&mut self.losses, Loss::new(code, what.chars().take(120).collect::<String>()));
    }

    /// Whether a mapping rule takes from the source attribute, or from a member of it.
    fn is_taken(&self, name: &str) -> bool {
        let within = |taken: &str| taken == name || taken.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.rules.taken.iter().any(|taken| within(taken) || taken.strip_prefix("attributes.").is_some_and(within))
    }

    /// With the legacy id and the flag, which are yet to come.
    fn extension_values(&self) -> usize {
        self.attributes.keys().filter(|name| name.starts_with("extension_")).count() + 2
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

#[cfg(test)]
mod tests;
