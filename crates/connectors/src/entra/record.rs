//! One user of a B2C tenant as one record of a source. Pure.

use std::collections::HashSet;

use serde_json::{Map, Value};
use sterna_core::{
    account::{Account, Address, Contact, Credential, Identity, LocalName},
    code::Code,
    ids::SourceKey,
    port::{REJECT_BYTES, Record, Rejected},
    time::Timestamp,
};

use super::dto::{ObjectIdentity, last_activity};

/// Members that have a place in the model, or say nothing about the person.
const PLACED: &[&str] = &[
    "id",
    "userPrincipalName",
    "userType",
    "creationType",
    "identities",
    "displayName",
    "givenName",
    "surname",
    "mail",
    "otherMails",
    "mobilePhone",
    "businessPhones",
    "jobTitle",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "preferredLanguage",
    "accountEnabled",
    "createdDateTime",
    "lastPasswordChangeDateTime",
    "signInActivity",
];

/// Reads one user, as Graph gave it.
pub(super) fn record(raw: &[u8], administrators: &HashSet<String>) -> Record {
    let reject = |code: Code, position: String, reason: &str| {
        let raw = raw[..raw.len().min(REJECT_BYTES)].to_vec();
        Record::Rejected(Rejected { position, code, reason: reason.to_owned(), raw })
    };
    let user = match serde_json::from_slice::<Value>(raw) {
        Ok(Value::Object(user)) => user,
        Ok(_) => return reject(Code::E3108, "a user".into(), "it is no object"),
        Err(error) => return reject(Code::E3101, "a user".into(), &error.to_string()),
    };
    let Some(key) = text(&user, "id").and_then(SourceKey::new) else {
        return reject(Code::E3102, "a user".into(), "it has no id");
    };
    let position = format!("user {}", key.as_str());
    let identities = match identities(&user) {
        Ok(identities) => identities,
        Err(reason) => return reject(Code::E3108, position, &reason),
    };
    let left_out = left_out(&user, &identities, administrators.contains(key.as_str()));
    let mut account = Account::new(key);
    account.identities = identities;
    if let Err(name) = fill(&mut account, &user) {
        return reject(Code::E3108, position, &format!("`{name}` has the wrong type"));
    }
    match left_out {
        Some(code) => Record::Excluded(Box::new(account), code),
        None => Record::Account(Box::new(account)),
    }
}

/// Guests of other tenants, and the administrators and work accounts of this one (entra.md 4.8).
fn left_out(user: &Map<String, Value>, identities: &[Identity], has_role: bool) -> Option<Code> {
    let is = |name: &str, wanted: &str| text(user, name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    let external = text(user, "userPrincipalName").is_some_and(|name| name.to_ascii_uppercase().contains("#EXT#"));
    if external || is("userType", "Guest") || is("creationType", "Invitation") {
        return Some(Code::E3201);
    }
    (has_role || identities.is_empty()).then_some(Code::E3202)
}

fn identities(user: &Map<String, Value>) -> Result<Vec<Identity>, String> {
    match user.get("identities") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(list) => {
            let list: Vec<ObjectIdentity> =
                serde_json::from_value(list.clone()).map_err(|_| "`identities` has the wrong form".to_owned())?;
            Ok(list.iter().filter_map(ObjectIdentity::to_identity).collect())
        }
    }
}

/// # Errors
/// The member that has the wrong type.
fn fill<'u>(account: &mut Account, user: &'u Map<String, Value>) -> Result<(), &'u str> {
    for (name, value) in user {
        let right = match name.as_str() {
            "otherMails" | "businessPhones" => value.is_null() || texts(value).is_some(),
            "accountEnabled" => value.is_null() || value.is_boolean(),
            "identities" | "signInActivity" => true,
            placed if PLACED.contains(&placed) => value.is_null() || value.is_string(),
            _ => true,
        };
        if !right {
            return Err(name);
        }
    }
    let profile = &mut account.profile;
    let owned = |name: &str| text(user, name).map(str::to_owned);
    profile.display_name = owned("displayName");
    profile.given_name = owned("givenName");
    profile.family_name = owned("surname");
    profile.title = owned("jobTitle");
    profile.preferred_language = owned("preferredLanguage");
    profile.active = user.get("accountEnabled").and_then(Value::as_bool);
    let address = Address {
        street: owned("streetAddress"),
        locality: owned("city"),
        region: owned("state"),
        postal_code: owned("postalCode"),
        country: owned("country"),
    };
    profile.address = (address != Address::default()).then_some(address);
    for identity in &account.identities {
        if let Identity::Local { name: LocalName::Email, value } = identity {
            profile.add_email(value, None);
        }
    }
    let others = user.get("otherMails").and_then(texts).unwrap_or_default();
    for address in text(user, "mail").into_iter().chain(others) {
        profile.add_email(address, None);
    }
    let business = user.get("businessPhones").and_then(texts).unwrap_or_default();
    for (at, number) in text(user, "mobilePhone").into_iter().chain(business).enumerate() {
        profile.phones.push(Contact { value: number.to_owned(), verified: None, primary: at == 0 });
    }
    let instant = |name: &str| text(user, name).and_then(Timestamp::parse);
    profile.times.created = instant("createdDateTime");
    profile.times.password_changed = instant("lastPasswordChangeDateTime");
    profile.times.last_sign_in = last_activity(user.get("signInActivity"));
    for (name, value) in user {
        if PLACED.contains(&name.as_str()) || value.is_null() || name.starts_with('@') {
            continue;
        }
        let bare = bare_name(name).filter(|bare| !profile.attributes.contains_key(*bare)).unwrap_or(name);
        profile.attributes.insert(bare.to_owned(), value.clone());
    }
    let local = account.identities.iter().any(Identity::is_local);
    account.credential = if local { Credential::HeldByLegacy } else { Credential::Nothing };
    Ok(())
}

/// The name of an extension attribute without the application in front: `extension_{32 hex digits}_{name}`.
fn bare_name(full: &str) -> Option<&str> {
    let (app, bare) = full.strip_prefix("extension_")?.split_once('_')?;
    let is_app = app.len() == 32 && app.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_app && !bare.is_empty()).then_some(bare)
}

fn text<'u>(user: &'u Map<String, Value>, name: &str) -> Option<&'u str> {
    user.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn word(user: &Value) -> String {
        match record(user.to_string().as_bytes(), &HashSet::from(["admin".to_owned()])) {
            Record::Account(account) => format!("account {}", account.key.as_str()),
            Record::Excluded(_, code) => format!("excluded {code}"),
            Record::Rejected(rejected) => format!("rejected {} {}", rejected.code, rejected.reason),
        }
    }

    fn local(id: &str) -> Value {
        let identity = json!({"signInType": "emailAddress", "issuer": "t", "issuerAssignedId": "a@example.com"});
        json!({"id": id, "identities": [identity]})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut user = local("1");
        user[name] = value;
        user
    }

    #[test]
    fn guests_administrators_and_work_accounts_are_left_out_and_bad_users_cost_themselves_only() {
        let check = |user: Value, expected: &str| assert_eq!(word(&user), expected, "{user}");
        check(local("1"), "account 1");
        check(local("admin"), "excluded E3202");
        check(json!({"id": "1"}), "excluded E3202");
        check(
            with("identities", json!([{"signInType": "userPrincipalName", "issuerAssignedId": "x@t"}])),
            "excluded E3202",
        );
        check(with("userType", json!("guest")), "excluded E3201");
        check(with("userPrincipalName", json!("a_b.org#ext#@t.onmicrosoft.com")), "excluded E3201");
        check(with("creationType", json!("Invitation")), "excluded E3201");
        check(with("displayName", json!(7)), "rejected E3108 `displayName` has the wrong type");
        check(with("otherMails", json!("a@b.org")), "rejected E3108 `otherMails` has the wrong type");
        check(with("identities", json!("none")), "rejected E3108 `identities` has the wrong form");
        check(with("id", json!("")), "rejected E3102 it has no id");
        check(json!([1]), "rejected E3108 it is no object");
        check(with("displayName", json!(null)), "account 1");
    }

    #[test]
    fn two_applications_attributes_of_one_name_are_both_kept() {
        let mut user = local("1");
        user["extension_0123456789abcdef0123456789abcdef_plan"] = json!("a");
        user["extension_fedcba9876543210fedcba9876543210_plan"] = json!("b");
        user["department"] = json!("Sales");
        let Record::Account(account) = record(user.to_string().as_bytes(), &HashSet::new()) else {
            panic!("an account")
        };
        let names: Vec<&str> = account.profile.attributes.keys().map(String::as_str).collect();
        assert_eq!(names, ["department", "extension_fedcba9876543210fedcba9876543210_plan", "plan"]);
    }

    #[test]
    fn a_phone_number_is_a_sign_in_name_of_its_own_sort() {
        let identity = json!({"signInType": "phoneNumber", "issuer": "t", "issuerAssignedId": "+34600"});
        let user = with("identities", json!([identity]));
        let Record::Account(account) = record(user.to_string().as_bytes(), &HashSet::new()) else {
            panic!("an account")
        };
        assert_eq!(account.identities, [Identity::Local { name: LocalName::Phone, value: "+34600".into() }]);
        assert_eq!(account.credential, Credential::HeldByLegacy);
    }
}
