//! An account's line: the user as a SCIM 2.0 resource (RFC 7643 4.1), and beside it what SCIM has no writable place for. Pure.

use serde::Serialize;
use serde_json::{Map, Value, json};
use sterna_core::{
    account::{Account, Address, Consent, Contact, Identity, LocalName, Profile, Times},
    code::Code,
    ids::AccountKey,
    mapping::Mapper,
    plan::Loss,
};

use super::{HandoverInput, choice::Chosen, secret::CredentialForm};

/// The schema of a user (RFC 7643 8.7.1).
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Attributes of a user with one value that a mapping rule may give (RFC 7643 4.1.1).
const SINGULAR: &[&str] = &[
    "displayName",
    "nickName",
    "title",
    "preferredLanguage",
    "userType",
    "locale",
    "timezone",
    "profileUrl",
    "active",
];

/// The parts of `name`, likewise, and of the model.
const NAME: &[&str] = &["givenName", "familyName", "middleName", "formatted", "honorificPrefix", "honorificSuffix"];

/// What of an account goes where: the account's attribute and the member of the line. The manifest lists it.
pub(super) const MAPPING: &[(&str, &str)] = &[
    ("(the account's permanent key in this migration)", "user.externalId"),
    ("identities: user name, else e-mail address, else phone number, else the key", "user.userName"),
    ("identities: all local sign-in names", "sign_in_names"),
    ("identities: at other providers, renamed by the issuer table only", "associations (idp, federatedUserId)"),
    ("display_name", "user.displayName"),
    ("given_name", "user.name.givenName"),
    ("family_name", "user.name.familyName"),
    ("middle_name", "user.name.middleName"),
    ("nick_name", "user.nickName"),
    ("title", "user.title"),
    ("preferred_language", "user.preferredLanguage"),
    ("active", "user.active"),
    ("emails, and sign-in names that are e-mail addresses", "user.emails"),
    ("phones, and sign-in names that are phone numbers", "user.phoneNumbers"),
    ("emails and phones that the source has verified", "verified"),
    ("address", "user.addresses"),
    ("roles", "user.roles"),
    ("groups", "groups (names; SCIM's own `groups` is read-only, RFC 7643 4.1.2)"),
    ("password", "credential"),
    ("must_change_password", "must_change_password"),
    ("consents", "consents"),
    ("times", "times"),
    ("source and key", "source"),
];

/// One line.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    user: Value,
    sign_in_names: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    associations: Vec<Value>,
    credential: CredentialForm<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verified: Vec<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    must_change_password: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consents: Vec<&'a Consent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<&'a Times>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
    source: Value,
}

/// What the form has no place for.
pub(super) fn losses(account: &Account) -> Vec<Loss> {
    let mut losses: Vec<Loss> =
        account.factors.iter().map(|factor| Loss::new(Code::L3003, factor.kind.as_str())).collect();
    losses.sort();
    losses.dedup();
    losses
}

/// Makes an account's line.
pub(super) fn line<'a>(
    input: &HandoverInput,
    key: AccountKey,
    source: &str,
    chosen: &'a Chosen,
    credential: CredentialForm<'a>,
) -> Line<'a> {
    let Account { key: source_id, profile, identities: _, credential: _, factors: _ } = &chosen.account;
    let mut user = user(key, profile, &chosen.identities);
    let mut attributes: Map<String, Value> =
        profile.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, value) in input.mapping.map(&chosen.account) {
        mapped(&mut user, &mut attributes, &name, value);
    }
    if let Some(urn) = input.extension.as_ref().filter(|_| !attributes.is_empty()) {
        user.insert("schemas".to_owned(), json!([USER, urn]));
        user.insert(urn.clone(), Value::Object(std::mem::take(&mut attributes)));
    }
    let contacts = profile.emails.iter().chain(&profile.phones);
    Line {
        user: Value::Object(user),
        sign_in_names: chosen.identities.iter().filter_map(sign_in_name).collect(),
        associations: chosen.identities.iter().filter_map(association).collect(),
        credential,
        groups: profile.groups.iter().map(String::as_str).collect(),
        verified: contacts.filter(|known| known.verified == Some(true)).map(|known| known.value.as_str()).collect(),
        must_change_password: profile.must_change_password,
        consents: profile.consents.iter().collect(),
        times: Some(&profile.times).filter(|times| **times != Times::default()),
        attributes,
        source: json!({ "name": source, "id": source_id.as_str() }),
    }
}

fn user(key: AccountKey, profile: &Profile, identities: &[Identity]) -> Map<String, Value> {
    let Profile {
        display_name,
        given_name,
        family_name,
        middle_name,
        nick_name,
        title,
        preferred_language,
        emails,
        phones,
        address,
        active,
        must_change_password: _,
        times: _,
        groups: _,
        roles,
        consents: _,
        attributes: _,
    } = profile;
    let mut user = Map::new();
    user.insert("schemas".to_owned(), json!([USER]));
    user.insert("externalId".to_owned(), Value::from(key.to_string()));
    user.insert(
        "userName".to_owned(),
        Value::from(user_name(identities).map_or_else(|| key.to_string(), str::to_owned)),
    );
    let mut name = Map::new();
    put(&mut name, "givenName", given_name.as_deref());
    put(&mut name, "familyName", family_name.as_deref());
    put(&mut name, "middleName", middle_name.as_deref());
    put(&mut user, "name", Some(name).filter(|name| !name.is_empty()));
    put(&mut user, "displayName", display_name.as_deref());
    put(&mut user, "nickName", nick_name.as_deref());
    put(&mut user, "title", title.as_deref());
    put(&mut user, "preferredLanguage", preferred_language.as_deref());
    put(&mut user, "active", *active);
    put(&mut user, "emails", contacts(emails, identities, LocalName::Email));
    put(&mut user, "phoneNumbers", contacts(phones, identities, LocalName::Phone));
    put(&mut user, "addresses", address.as_ref().map(|address| vec![Value::Object(postal(address))]));
    let roles: Vec<Value> = roles.iter().map(|role| json!({ "value": role })).collect();
    put(&mut user, "roles", Some(roles).filter(|roles| !roles.is_empty()));
    user
}

fn put(members: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), value.into());
    }
}

/// The name that the account has at a target that holds one: the user name, else the e-mail address, else the number.
fn user_name(identities: &[Identity]) -> Option<&str> {
    let first = |wanted: LocalName| {
        identities.iter().find_map(|identity| match identity {
            Identity::Local { name, value } if *name == wanted => Some(value.as_str()),
            _ => None,
        })
    };
    first(LocalName::UserName).or_else(|| first(LocalName::Email)).or_else(|| first(LocalName::Phone))
}

/// The contacts, the main one first, and the sign-in names of the same sort that are none of them.
fn contacts(known: &[Contact], identities: &[Identity], sort: LocalName) -> Option<Vec<Value>> {
    let names = identities.iter().filter_map(|identity| match identity {
        Identity::Local { name, value } if *name == sort => Some(value.as_str()),
        _ => None,
    });
    let mut values: Vec<&str> = Vec::new();
    let main = known.iter().filter(|contact| contact.primary);
    let rest = known.iter().filter(|contact| !contact.primary);
    for value in main.chain(rest).map(|contact| contact.value.as_str()).chain(names) {
        if !values.iter().any(|there| there.eq_ignore_ascii_case(value)) {
            values.push(value);
        }
    }
    let form = |(at, value): (usize, &&str)| match at {
        0 => json!({ "value": value, "primary": true }),
        _ => json!({ "value": value }),
    };
    (!values.is_empty()).then(|| values.iter().enumerate().map(form).collect())
}

fn postal(address: &Address) -> Map<String, Value> {
    let Address { street, locality, region, postal_code, country } = address;
    let mut members = Map::new();
    put(&mut members, "streetAddress", street.as_deref());
    put(&mut members, "locality", locality.as_deref());
    put(&mut members, "region", region.as_deref());
    put(&mut members, "postalCode", postal_code.as_deref());
    put(&mut members, "country", country.as_deref());
    members
}

fn sign_in_name(identity: &Identity) -> Option<Value> {
    match identity {
        Identity::Local { name, value } => Some(json!({ "type": name, "value": value })),
        Identity::Federated { .. } => None,
    }
}

fn association(identity: &Identity) -> Option<Value> {
    match identity {
        Identity::Local { .. } => None,
        Identity::Federated { issuer, subject } => Some(json!({ "idp": issuer, "federatedUserId": subject })),
    }
}

/// The member of the line that a mapping rule for `name` gives; the key and the sign-in name are never a rule's.
pub(super) fn place(name: &str) -> String {
    match name.strip_prefix("name.") {
        Some(part) if NAME.contains(&part) => format!("user.name.{part}"),
        _ if SINGULAR.contains(&name) => format!("user.{name}"),
        _ => format!("attributes.{name}"),
    }
}

/// Puts what a mapping rule gives in its place; JSON null takes away what is there.
fn mapped(user: &mut Map<String, Value>, attributes: &mut Map<String, Value>, name: &str, value: Value) {
    let (members, name) = match name.strip_prefix("name.") {
        Some(part) if NAME.contains(&part) => {
            let names = user.entry("name").or_insert_with(|| Value::Object(Map::new()));
            match names.as_object_mut() {
                Some(names) => (names, part),
                None => return,
            }
        }
        _ if SINGULAR.contains(&name) => (user, name),
        _ => (attributes, name),
    };
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_by_the_best_sign_in_name_and_keeps_its_main_address_first() {
        let profile = Profile {
            given_name: Some("Ana".into()),
            emails: vec![
                Contact { value: "other@example.org".into(), verified: None, primary: false },
                Contact { value: "ana@example.org".into(), verified: Some(true), primary: true },
            ],
            ..Profile::default()
        };
        let names = [Identity::email("ANA@example.org"), Identity::user_name("ana"), Identity::email("a@example.org")];
        let user = user(AccountKey(uuid::Uuid::nil()), &profile, &names);
        assert_eq!(user["userName"], "ana");
        assert_eq!(user["name"], json!({ "givenName": "Ana" }));
        let emails = json!([
            { "value": "ana@example.org", "primary": true }, { "value": "other@example.org" }, { "value": "a@example.org" }
        ]);
        assert_eq!(user["emails"], emails);
        assert!(!user.contains_key("displayName") && !user.contains_key("phoneNumbers"));
    }

    #[test]
    fn who_signs_in_elsewhere_alone_is_named_by_the_key() {
        let user = user(AccountKey(uuid::Uuid::nil()), &Profile::default(), &[Identity::federated("google", "1")]);
        assert_eq!(user["userName"], "00000000-0000-0000-0000-000000000000");
        assert_eq!(user["externalId"], user["userName"]);
    }

    #[test]
    fn rules_give_attributes_of_users_and_never_names_or_keys() {
        let (mut user, mut attributes) = (Map::new(), Map::new());
        user.insert("title".into(), json!("Dr"));
        for (name, value) in [
            ("displayName", json!("Ana P.")),
            ("name.givenName", json!("Ana")),
            ("title", Value::Null),
            ("userName", json!("evil")),
            ("plan", json!("gold")),
        ] {
            mapped(&mut user, &mut attributes, name, value);
        }
        assert_eq!(Value::Object(user), json!({ "displayName": "Ana P.", "name": { "givenName": "Ana" } }));
        assert_eq!(Value::Object(attributes), json!({ "userName": "evil", "plan": "gold" }));
        assert_eq!(place("userName"), "attributes.userName");
    }
}
