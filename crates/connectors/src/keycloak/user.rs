//! The user of a look-up. The plugin's reader fails on members that it does not know, and Keycloak on names that are not in
//! small letters, so these are all members there are (jit-hooks.md 5.1, 5.4).

use serde_json::{Map, Value, json};
use sterna_core::{account::Account, hook::Person, settings::Values};

use crate::hooks::profile::{self, Telling, Totp, put};

/// Longest id that Keycloak keeps, in characters (jit-hooks.md 5.1; the size of the column is unverified).
const ID_CHARS: usize = 36;

/// Makes users, as the settings want them.
pub(super) struct Users {
    telling: Telling,
    by_id: bool,
    with_totps: bool,
}

impl Users {
    pub(super) fn new(values: &Values) -> Self {
        Self {
            telling: Telling::new(values),
            by_id: values.flag("use_user_id").unwrap_or_default(),
            with_totps: values.flag("totps").unwrap_or_default(),
        }
    }

    /// The user that was searched by this name; `None` where the plugin would throw at what it gets, or could never verify.
    pub(super) fn user(&self, person: &Person<'_>, searched: &str) -> Option<Value> {
        let account = person.account;
        let username = profile::main_name(account)?.to_lowercase();
        let email = profile::email(account);
        let is_same = |name: &str| name.to_lowercase() == searched.to_lowercase();
        if !is_same(&username) && !email.as_deref().is_some_and(is_same) {
            return None;
        }
        let mut user = Map::new();
        user.insert("id".to_owned(), self.id(person)?.into());
        user.insert("username".to_owned(), username.into());
        user.insert("enabled".to_owned(), profile::is_active(account).into());
        user.insert("emailVerified".to_owned(), self.telling.email_verified(account).into());
        put(&mut user, "email", email);
        put(&mut user, "firstName", account.profile.given_name.clone());
        put(&mut user, "lastName", account.profile.family_name.clone());
        for (name, list) in self.lists(account) {
            put(&mut user, name, (!list.is_empty()).then_some(list));
        }
        let attributes = self.telling.attributes(account);
        let attributes: Map<_, _> =
            attributes.map(|(name, value)| (name.to_owned(), profile::texts(&value).into())).collect();
        put(&mut user, "attributes", (!attributes.is_empty()).then_some(attributes));
        Some(Value::Object(user))
    }

    fn lists(&self, account: &Account) -> [(&'static str, Vec<Value>); 4] {
        let texts = |list: &[String]| list.iter().map(|text| Value::from(text.as_str())).collect();
        let actions = if account.profile.must_change_password { vec!["UPDATE_PASSWORD".into()] } else { Vec::new() };
        let totps = if self.with_totps { profile::totps(account) } else { Vec::new() };
        [
            ("roles", texts(&account.profile.roles)),
            ("groups", texts(&account.profile.groups)),
            ("requiredActions", actions),
            ("totps", totps.iter().enumerate().map(|(at, totp)| totp_of(at, totp)).collect()),
        ]
    }

    fn id(&self, person: &Person<'_>) -> Option<String> {
        if !self.by_id {
            return Some(person.key.to_string());
        }
        let id = person.account.key.as_str();
        (id.chars().count() <= ID_CHARS).then(|| id.to_owned())
    }
}

fn totp_of(at: usize, totp: &Totp) -> Value {
    let Totp { secret, digits, period, algorithm } = totp;
    json!({
        // Keycloak wants the names of a user's devices to differ
        "name": if at == 0 { "authenticator".to_owned() } else { format!("authenticator {}", at + 1) },
        "secret": secret,
        "digits": digits,
        "period": period,
        "algorithm": format!("Hmac{algorithm}"),
        "encoding": "BASE32",
    })
}
