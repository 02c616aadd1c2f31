//! A server's schemas and a person, for the tests of all that is pure here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sterna_core::{
    account::{Account, Contact, Credential, Identity},
    ids::{AccountKey, SourceKey},
    password::policy::PasswordPolicy,
    plan::{Draft, Drafted, Strategy},
    port::DraftRules,
};

use super::{
    config::{GroupUse, ResetUse},
    dialect::Product,
    draft::draft,
    schema::{CORE, ENTERPRISE, Schemas, WSO2_SYSTEM},
    shape::Shape,
};

pub(super) const CUSTOM: &str = "urn:scim:schemas:extension:custom:User";

pub(super) fn schemas() -> Schemas {
    let core: Vec<Value> = ["userName", "name", "displayName", "nickName", "title", "preferredLanguage", "locale"]
        .iter()
        .chain(["timezone", "emails", "phoneNumbers", "addresses", "active", "userType", "externalId"].iter())
        .map(|name| json!({ "name": name }))
        .collect();
    let described = [
        json!({ "id": CORE, "attributes": core }),
        json!({ "id": ENTERPRISE, "attributes": [{ "name": "department" }, { "name": "manager", "type": "complex" }] }),
        json!({ "id": WSO2_SYSTEM, "attributes": [
            { "name": "askPassword", "type": "boolean" }, { "name": "emailVerified", "type": "boolean" },
            { "name": "phoneVerified", "type": "boolean" }, { "name": "accountLocked", "type": "boolean" },
            { "name": "totpEnabled" }, { "name": "country" }, { "name": "lastLogonTime", "mutability": "readOnly" }] }),
        json!({ "id": CUSTOM, "attributes": [
            { "name": "is_migrated" }, { "name": "tier", "canonicalValues": ["gold", "silver"] },
            { "name": "tags", "multiValued": true }, { "name": "pin", "returned": "never" },
            { "name": "visits", "type": "integer" }] }),
    ];
    let extensions: Vec<Value> = [ENTERPRISE, WSO2_SYSTEM, CUSTOM].iter().map(|urn| json!({ "schema": urn })).collect();
    Schemas::read(&described, &[json!({ "name": "User", "schemaExtensions": extensions })])
}

pub(super) fn shape(product: Product) -> Shape {
    let dialect = product.dialect();
    let is_wso2 = product != Product::Scim;
    Shape {
        dialect,
        schemas: schemas(),
        user_names: dialect.user_names,
        user_store: None,
        policy: PasswordPolicy::generic(),
        groups: GroupUse::Create,
        roles: is_wso2,
        nobody_signs_in: false,
        flag: is_wso2.then(|| format!("{CUSTOM}:is_migrated")),
        reset: ResetUse::Random,
        federated: is_wso2,
        providers: None,
    }
}

pub(super) fn key() -> AccountKey {
    AccountKey::parse("5df41881-3aed-5c88-9d0d-2f4f0b3b4c11").unwrap()
}

pub(super) fn ana() -> Account {
    let mut account = Account::new(SourceKey::new("ana").unwrap());
    account.profile.display_name = Some("Ana Ruiz".into());
    account.profile.given_name = Some(" Ana ".into());
    account.profile.emails = vec![
        Contact { value: "second@example.org".into(), verified: None, primary: false },
        Contact { value: "ana@example.org".into(), verified: Some(true), primary: true },
    ];
    account.identities = vec![Identity::user_name("ana"), Identity::email("Ana@example.org")];
    account.credential = Credential::HeldByLegacy;
    account
}

pub(super) fn drafted_by(shape: &Shape, account: &Account, strategy: Strategy, mapped: &[(&str, Value)]) -> Drafted {
    let issuers = [("google.com".to_owned(), "Google".to_owned())].into();
    let mapped = mapped.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    draft(shape, account, &DraftRules { key: key(), mapped, strategy, issuers: &issuers, taken: &BTreeSet::new() })
}

pub(super) fn made(
    shape: &Shape,
    account: &Account,
    strategy: Strategy,
    mapped: &[(&str, Value)],
) -> (Draft, Vec<String>) {
    match drafted_by(shape, account, strategy, mapped) {
        Drafted::Draft { draft, losses } => {
            (draft, losses.iter().map(|loss| format!("{} {}", loss.code, loss.what)).collect())
        }
        Drafted::Hold(loss) => panic!("held: {loss:?}"),
    }
}

/// The server's answer to a create: what was sent, with an id, as a server that keeps everything gives it.
pub(super) fn stored(body: &Value) -> Value {
    let mut user = body.clone();
    user["id"] = json!("2819c223");
    user["meta"] = json!({ "created": "2026-01-02T03:04:05Z" });
    user.as_object_mut().unwrap().remove("password");
    user
}
