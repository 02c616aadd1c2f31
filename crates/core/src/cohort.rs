//! Cohorts: named parts of the accounts (waves), chosen by simple rules on attributes and by a stable share.
//!
//! Start at [`Cohort::holds`]. Membership depends on the account and its key alone, so it is the same in every run.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{account::Account, ids::AccountKey, mapping, plan::Strategy};

/// A named part of the accounts. An account belongs to the first cohort, in the file's order, that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cohort {
    /// Its name in `[cohorts.NAME]`.
    pub name: String,
    /// What an account has to be like; all of them must hold.
    pub rules: Vec<Rule>,
    /// The part of the accounts that pass the rules, in per cent; `None` is all of them.
    pub percent: Option<u8>,
    /// The password strategy, where it differs from the project's.
    pub strategy: Option<Strategy>,
}

/// One test of one attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The attribute, as in mapping rules (`email`, `attributes.plan`).
    pub attribute: String,
    /// What its value has to be.
    pub test: Test,
}

/// What a value has to be. Texts compare without case; of a list, one value is enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// The same text.
    Equals(String),
    /// One of these texts.
    OneOf(Vec<String>),
    /// A text that begins so.
    StartsWith(String),
    /// A text that ends so.
    EndsWith(String),
    /// There at all, or not there.
    Present(bool),
}

impl Cohort {
    /// Whether `account`, whose key is `key`, belongs here.
    pub fn holds(&self, account: &Account, key: AccountKey) -> bool {
        self.rules.iter().all(|rule| rule.holds(account)) && self.percent.is_none_or(|part| share(key) < part)
    }
}

/// The first of `cohorts` that holds the account.
pub fn find<'c>(cohorts: &'c [Cohort], account: &Account, key: AccountKey) -> Option<&'c Cohort> {
    cohorts.iter().find(|cohort| cohort.holds(account, key))
}

/// A number from 0 to 99 that stays with the account: keys are hashes, so their first bytes are even.
fn share(key: AccountKey) -> u8 {
    let [a, b, c, d, ..] = *key.0.as_bytes();
    u8::try_from(u32::from_be_bytes([a, b, c, d]) % 100).unwrap_or_default()
}

impl Rule {
    /// Whether `account` passes the test.
    pub fn holds(&self, account: &Account) -> bool {
        let value = mapping::lookup(account, &self.attribute).unwrap_or_default();
        let texts = texts(&value);
        let any = |test: &dyn Fn(&str) -> bool| texts.iter().any(|text| test(text));
        match &self.test {
            Test::Equals(wanted) => any(&|text| text == wanted.to_lowercase()),
            Test::OneOf(wanted) => any(&|text| wanted.iter().any(|one| text == one.to_lowercase())),
            Test::StartsWith(head) => any(&|text| text.starts_with(&head.to_lowercase())),
            Test::EndsWith(tail) => any(&|text| text.ends_with(&tail.to_lowercase())),
            Test::Present(wanted) => texts.is_empty() != *wanted,
        }
    }
}

/// The texts of a value, in lower case; empty ones are not there.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![text.to_lowercase()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::ids::{SourceKey, SourceUid};

    fn key(of: &str) -> AccountKey {
        AccountKey::make(&Uuid::from_u128(7), SourceUid(Uuid::from_u128(8)), &SourceKey::new(of).unwrap())
    }

    fn check(attribute: &str, test: Test, expected: bool) {
        let mut account = Account::new(SourceKey::new("1").unwrap());
        account.profile.add_email("Ana@Contoso.com", None);
        account.profile.groups = vec!["Staff".into(), "pilots".into()];
        account.profile.attributes.insert("level".into(), json!(3));
        let rules = vec![Rule { attribute: attribute.into(), test }];
        let cohort = Cohort { name: "x".into(), rules, percent: None, strategy: None };
        assert_eq!(cohort.holds(&account, key("1")), expected, "{cohort:?}");
    }

    #[test]
    fn rules_compare_without_case_and_one_of_a_list_is_enough() {
        check("email", Test::EndsWith("@contoso.COM".into()), true);
        check("email", Test::StartsWith("bo".into()), false);
        check("groups", Test::Equals("Pilots".into()), true);
        check("groups", Test::OneOf(vec!["crew".into(), "staff".into()]), true);
        check("level", Test::Equals("3".into()), true);
        check("phone", Test::Present(false), true);
        check("email", Test::Present(false), false);
    }

    #[test]
    fn a_share_is_stable_and_near_its_size() {
        let cohort = Cohort { name: "x".into(), rules: Vec::new(), percent: Some(10), strategy: None };
        let account = Account::new(SourceKey::new("1").unwrap());
        let held = (0..10_000).filter(|n| cohort.holds(&account, key(&n.to_string()))).count();
        assert!((850..1_150).contains(&held), "{held} of 10,000");
        assert_eq!(cohort.holds(&account, key("a")), cohort.holds(&account, key("a")));
    }

    #[test]
    fn the_first_cohort_that_holds_an_account_is_its_own() {
        let account = Account::new(SourceKey::new("1").unwrap());
        let cohort = |name: &str, percent| Cohort { name: name.into(), rules: Vec::new(), percent, strategy: None };
        let cohorts = [cohort("none", Some(0)), cohort("all", None), cohort("rest", None)];
        assert_eq!(find(&cohorts, &account, key("1")).map(|cohort| cohort.name.as_str()), Some("all"));
    }
}
