//! The profile that a script calls back with (jit-hooks.md 4). It is the same at every call: Auth0 makes a second user of a
//! person whose profile differs.

use serde_json::{Map, Value, json};
use sterna_core::{account::Account, hook::Person, settings::Values};

use crate::hooks::profile::{self, Telling, put};

/// Makes profiles, as the settings want them.
pub(super) struct Profiles {
    telling: Telling,
    by_source_key: bool,
    with_factors: bool,
}

impl Profiles {
    pub(super) fn new(values: &Values) -> Self {
        Self {
            telling: Telling::new(values),
            by_source_key: values.text("user_id") == Some("source-key"),
            with_factors: values.flag("mfa_factors").unwrap_or_default(),
        }
    }

    /// The profile of a person, with the mark that a new password is due where the source or this sign-in says so.
    pub(super) fn profile(&self, person: &Person<'_>, found_due: bool) -> Value {
        let account = person.account;
        let key = person.key.to_string();
        let user_id = if self.by_source_key { account.key.as_str().to_owned() } else { key };
        let mut members = Map::from_iter([("user_id".to_owned(), Value::from(user_id))]);
        let email = profile::email(account);
        put(&mut members, "email_verified", email.as_ref().map(|_| self.telling.email_verified(account)));
        put(&mut members, "email", email);
        put(&mut members, "username", profile::user_name(account));
        put(&mut members, "given_name", account.profile.given_name.clone());
        put(&mut members, "family_name", account.profile.family_name.clone());
        put(&mut members, "name", profile::display_name(account));
        put(&mut members, "nickname", account.profile.nick_name.clone());
        let attributes = self.telling.attributes(account);
        let mut app: Map<_, _> = attributes.map(|(name, value)| (name.to_owned(), value)).collect();
        let is_due = found_due || account.profile.must_change_password;
        put(&mut app, "must_change_password", is_due.then_some(true));
        put(&mut members, "app_metadata", (!app.is_empty()).then_some(app));
        let factors = if self.with_factors { factors(account) } else { Vec::new() };
        put(&mut members, "mfa_factors", (!factors.is_empty()).then_some(factors));
        Value::Object(members)
    }
}

/// As in the bulk import: whether algorithms other than SHA-1 with 6 digits in 30 s are taken is unverified, so they are not
/// sent (export-formats.md 3).
fn factors(account: &Account) -> Vec<Value> {
    let totps = profile::totps(account).into_iter();
    let totps = totps.filter(|totp| (totp.digits, totp.period, totp.algorithm) == (6, 30, "SHA1"));
    let totps = totps.map(|totp| json!({ "totp": { "secret": totp.secret } }));
    totps.chain(profile::sms_factors(account).map(|number| json!({ "phone": { "value": number } }))).collect()
}
