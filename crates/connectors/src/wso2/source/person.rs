//! What the tables hold of one person, and the account that it becomes. Pure.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sterna_core::{
    account::{Account, Contact},
    code::{Code, Finding},
    port::Record,
    settings::Values,
};

use super::{
    claims::{self, short},
    digest::Digests,
};
use crate::{
    text::{Column, Columns, Given, MENDED, Mistake, NO, YES, account_or_rejected, instant},
    wso2::state::{self, Said, is_secret},
};

/// One row of `UM_USER` and everything that other tables say of it, by the tables' own names.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Person {
    #[serde(rename = "UM_ID")]
    pub(super) id: String,
    /// The SCIM id; stores from before unique ids have no such column.
    #[serde(rename = "UM_USER_ID", skip_serializing_if = "Option::is_none")]
    pub(super) uuid: Option<String>,
    #[serde(rename = "UM_USER_NAME")]
    pub(super) name: String,
    #[serde(rename = "UM_USER_PASSWORD", skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    #[serde(rename = "UM_SALT_VALUE", skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<String>,
    #[serde(rename = "UM_REQUIRE_CHANGE", skip_serializing_if = "Option::is_none")]
    pub(super) require_change: Option<bool>,
    #[serde(rename = "UM_CHANGED_TIME", skip_serializing_if = "Option::is_none")]
    pub(super) changed: Option<String>,
    /// `UM_USER_ATTRIBUTE`: values by the store's attribute.
    #[serde(rename = "attributes", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<String, Vec<String>>,
    /// `IDN_IDENTITY_USER_DATA`: values by the claim.
    #[serde(rename = "identity_claims", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) claims: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<String>,
    /// `IDN_ASSOCIATED_ID`: connection and the person's id there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) federated: Vec<(String, String)>,
    /// A column whose value is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unreadable: Option<String>,
}

/// How people become accounts.
pub(super) struct Rules {
    columns: Columns,
    mapping: Vec<(Column, String)>,
    separator: String,
    /// The store's domain, where it is not the primary one.
    secondary: Option<String>,
    pub(super) digests: Digests,
}

impl Rules {
    /// Reads the settings.
    ///
    /// # Errors
    /// Findings about `columns`, `sign_in` and the digests.
    pub(super) fn new(values: &Values, store: &str) -> Result<Self, Vec<Finding>> {
        let (columns, digests) = (Columns::from_values(values, "columns", &[]), Digests::new(values));
        let (mut columns, digests) = match (columns, digests) {
            (Ok(columns), Ok(digests)) => (columns, digests),
            (columns, digests) => {
                return Err(columns.err().into_iter().chain(digests.err()).flatten().collect());
            }
        };
        let mapping = claims::mapping(&columns);
        columns.needs_key = true;
        Ok(Self {
            columns,
            mapping,
            separator: values.text("multi_attribute_separator").unwrap_or(",").to_owned(),
            secondary: (!store.eq_ignore_ascii_case("PRIMARY")).then(|| store.to_owned()),
            digests,
        })
    }

    /// The record of a person.
    pub(super) fn record(&self, person: &Person) -> Record {
        let read = self.account(person);
        let raw = if read.is_err() { serde_json::to_vec(person).unwrap_or_default() } else { Vec::new() };
        account_or_rejected(read, || format!("UM_USER, UM_ID {}", person.id), &raw)
    }

    /// Reads a person in the form in which a rejected record has it.
    pub(super) fn mend(&self, raw: &[u8]) -> Record {
        let read = serde_json::from_slice::<Person>(raw)
            .map_err(|_| Mistake::new(Code::E3101, "the mended record is no JSON object of the form that was rejected"))
            .and_then(|person| self.account(&person));
        account_or_rejected(read, || MENDED.to_owned(), raw)
    }

    /// The account that a person becomes.
    ///
    /// # Errors
    /// [`Mistake`] when there is no name, or a value cannot be read.
    pub(super) fn account(&self, person: &Person) -> Result<Account, Mistake> {
        if let Some(column) = &person.unreadable {
            return Err(Mistake::new(Code::E3106, format!("the column {column} holds bytes that are no text, or NUL")));
        }
        if person.name.is_empty() {
            return Err(Mistake::new(Code::E3102, "UM_USER_NAME is empty"));
        }
        let held = self.held(person);
        let key = key(person, &held)?;
        let named = |name, given| (Column::Named(name), given);
        let mut values: Vec<(Column, Given<'_>)> =
            vec![named("key", Given::Text(&key)), named("user_name", Given::Text(&person.name))];
        let mut flags = Vec::new();
        flags.extend(active(&held).map(|flag| ("active", flag)));
        flags.extend(person.require_change.filter(|flag| *flag).map(|flag| ("must_change_password", flag)));
        values.extend(flags.into_iter().map(|(name, flag)| (Column::Named(name), Given::Flag(flag))));
        self.attributes(person, &held, &key, &mut values);
        let changed = Column::Named("password_changed");
        if let Some(text) = person.changed.as_deref().filter(|text| instant(text).is_some())
            && !values.iter().any(|(column, _)| *column == changed)
        {
            values.push((changed, Given::Text(text)));
        }
        for (name, list) in [("groups", &person.groups), ("roles", &person.roles)] {
            values.push((Column::Named(name), Given::Texts(list.iter().map(String::as_str).collect())));
        }
        for (issuer, subject) in &person.federated {
            values.push((Column::Federated(issuer.clone()), Given::Text(subject)));
        }
        let mut account = self.columns.account(values.iter().map(|(column, given)| (column, given.clone())))?;
        account.credential =
            self.digests.credential(person.password.as_deref().unwrap_or_default(), person.salt.as_deref());
        if let Some(store) = &self.secondary {
            account.profile.attributes.insert("user_store".to_owned(), Value::from(store.as_str()));
        }
        verify(&mut account.profile.emails, &held, "verifiedEmailAddresses");
        verify(&mut account.profile.phones, &held, "verifiedMobileNumbers");
        Ok(account)
    }

    /// All attributes and claims by their short names, each value on its own; claims of the identity tables win.
    fn held<'p>(&self, person: &'p Person) -> BTreeMap<&'p str, Vec<&'p str>> {
        let mut held: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, values) in &person.attributes {
            held.insert(short(name), values.iter().map(String::as_str).collect());
        }
        for (name, value) in &person.claims {
            held.insert(short(name), vec![value]);
        }
        held.retain(|name, values| {
            values.retain(|value| !value.is_empty());
            !values.is_empty() && !is_secret(name) && !self.columns.ignores(name)
        });
        held
    }

    fn attributes<'p>(
        &self,
        person: &Person,
        held: &BTreeMap<&'p str, Vec<&'p str>>,
        key: &str,
        out: &mut Vec<(Column, Given<'p>)>,
    ) {
        let mut done: HashSet<&str> = HashSet::new();
        let mut taken: Vec<Column> = out.iter().map(|(column, _)| column.clone()).collect();
        for (column, from) in &self.mapping {
            let Some((name, values)) = held.get_key_value(from.as_str()) else { continue };
            let Some(given) = self.given(column, values, &taken) else { continue };
            done.insert(name);
            taken.push(column.clone());
            out.extend(given);
        }
        for (name, values) in held.iter().filter(|(name, _)| !done.contains(*name)) {
            if !is_said_elsewhere(name, values, person, key) {
                let given = if let [one] = values[..] { Given::Text(one) } else { Given::Texts(values.clone()) };
                out.push((Column::Attribute((*name).to_owned()), given));
            }
        }
    }

    /// What an attribute gives for the account attribute that it is mapped to; `None` where it does not fit there, so
    /// that it is kept under its own name.
    fn given<'p>(&self, column: &Column, values: &[&'p str], taken: &[Column]) -> Option<Vec<(Column, Given<'p>)>> {
        let split = || -> Vec<&'p str> {
            let parts = values.iter().flat_map(|value| value.split(self.separator.as_str()));
            parts.map(str::trim).filter(|part| !part.is_empty()).collect()
        };
        let Column::Named(name) = column else {
            return Some(vec![(column.clone(), Given::Text(values.first()?))]);
        };
        match *name {
            "emails" | "phones" | "groups" | "roles" => Some(vec![(column.clone(), Given::Texts(split()))]),
            _ if taken.contains(column) => None,
            "email" | "phone" => {
                let list = if *name == "email" { "emails" } else { "phones" };
                let parts = split();
                let (first, rest) = parts.split_first()?;
                let rest = (!rest.is_empty()).then(|| (Column::Named(list), Given::Texts(rest.to_vec())));
                Some(std::iter::once((column.clone(), Given::Text(first))).chain(rest).collect())
            }
            "email_verified" | "phone_verified" | "active" | "must_change_password" => {
                Some(vec![(column.clone(), Given::Flag(flag(values.first()?)?))])
            }
            "created" | "updated" | "last_sign_in" | "password_changed" => {
                let [text] = values else { return None };
                instant(text).is_some().then(|| vec![(column.clone(), Given::Text(text))])
            }
            _ => match values {
                [text] => Some(vec![(column.clone(), Given::Text(text))]),
                _ => None,
            },
        }
    }
}

/// The account's key: the SCIM id, which older stores keep as an attribute; else the row's own number.
fn key(person: &Person, held: &BTreeMap<&str, Vec<&str>>) -> Result<String, Mistake> {
    let scim_id = || held.get("scimId").and_then(|values| values.first().copied());
    match person.uuid.as_deref().filter(|id| !id.is_empty()).or_else(scim_id) {
        Some(id) => Ok(id.to_owned()),
        None if !person.id.is_empty() => Ok(format!("UM_ID {}", person.id)),
        None => Err(Mistake::new(Code::E3102, "there is neither UM_USER_ID nor scimId nor UM_ID")),
    }
}

/// Whether the account may be used, where anything says so.
fn active(held: &BTreeMap<&str, Vec<&str>>) -> Option<bool> {
    let text = |name: &str| held.get(name).and_then(|values| values.first().copied());
    let of = |name: &str| text(name).and_then(flag);
    let (active, locked, disabled) = (of("active"), of("accountLocked"), of("accountDisabled"));
    state::active(Said { active, locked, reason: text("lockedReason"), disabled })
}

/// Whether an attribute repeats what has a place of its own: the id, the name, the state, SCIM's own facts of the record.
fn is_said_elsewhere(name: &str, values: &[&str], person: &Person, key: &str) -> bool {
    let [value] = values else { return false };
    match name {
        "scimId" => *value == key,
        "uid" | "username" => value.eq_ignore_ascii_case(&person.name),
        "active" => flag(value).is_some(),
        "resourceType" => *value == "User",
        "location" => value.ends_with(&format!("/Users/{key}")),
        _ => false,
    }
}

fn flag(text: &str) -> Option<bool> {
    let among = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    if among(YES) { Some(true) } else { among(NO).then_some(false) }
}

/// Marks contacts that a list of verified ones names.
fn verify(contacts: &mut [Contact], held: &BTreeMap<&str, Vec<&str>>, list: &str) {
    let verified: Vec<&str> =
        held.get(list).into_iter().flatten().flat_map(|value| value.split(',')).map(str::trim).collect();
    for contact in contacts {
        if verified.iter().any(|value| value.eq_ignore_ascii_case(&contact.value)) {
            contact.verified = Some(true);
        }
    }
}
