//! The `response` of a migration event: the user that Cognito makes (jit-hooks.md 3, "Event out").

use serde_json::{Map, Value, json};
use sterna_core::{account::Account, settings::Values};

use crate::hooks::profile::{self, Telling, put};

/// Makes responses, as the settings want them.
pub(super) struct Responses {
    telling: Telling,
    username: Option<String>,
}

impl Responses {
    pub(super) fn new(values: &Values) -> Self {
        Self { telling: Telling::new(values), username: values.text("username").map(str::to_owned) }
    }

    /// The response for a person who typed this name. All values are texts; Cognito takes no others.
    pub(super) fn response(&self, account: &Account, typed: &str, status: &str) -> Value {
        let mut attributes = Map::new();
        for (name, value) in self.telling.attributes(account) {
            attributes.insert(name.to_owned(), profile::texts(&value).join(",").into());
        }
        let (email, phone) = (profile::email(account), profile::phone(account));
        let medium = if email.is_none() && phone.is_some() { "SMS" } else { "EMAIL" };
        let said = |flag: bool| flag.to_string();
        put(&mut attributes, "email_verified", email.as_ref().map(|_| said(self.telling.email_verified(account))));
        put(
            &mut attributes,
            "phone_number_verified",
            phone.as_ref().map(|_| said(self.telling.phone_verified(account))),
        );
        put(&mut attributes, "email", email);
        put(&mut attributes, "phone_number", phone);
        put(&mut attributes, "given_name", account.profile.given_name.clone());
        put(&mut attributes, "family_name", account.profile.family_name.clone());
        put(&mut attributes, "username", self.username(account, typed));
        json!({
            "userAttributes": attributes,
            "finalUserStatus": status,
            "messageAction": "SUPPRESS",
            "desiredDeliveryMediums": [medium],
            "forceAliasCreation": false,
        })
    }

    /// Whether a reset's code reaches the person.
    pub(super) fn can_be_sent_a_code(&self, account: &Account) -> bool {
        let by_phone = profile::phone(account).is_some() && self.telling.phone_verified(account);
        self.telling.email_verified(account) || by_phone
    }

    /// Only where what was typed is an alias of it: Cognito refuses the user else.
    fn username(&self, account: &Account, typed: &str) -> Option<String> {
        let name = profile::text(account, self.username.as_deref()?)?;
        let aliases = [profile::email(account), profile::phone(account)];
        let is_alias = aliases.into_iter().flatten().any(|alias| alias.eq_ignore_ascii_case(typed));
        is_alias.then_some(name)
    }
}
