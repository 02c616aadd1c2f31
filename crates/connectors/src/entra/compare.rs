//! How what is held differs from what was planned, attribute by attribute. Pure.
//!
//! Never compared: the password, and the JIT flag, whose going from true to false is what was hoped for.

use std::collections::BTreeSet;

use serde_json::Value;
use sterna_core::{
    account::Identity,
    plan::Draft,
    port::{Difference, DifferenceSort, Held},
};

/// Every difference between `draft` and `held`.
pub(super) fn compare(draft: &Draft, held: &Held) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (name, planned) in &draft.attributes {
        let found = held.attributes.get(name).unwrap_or(&Value::Null);
        if let Some(sort) = difference(name, planned, found) {
            differences.push(Difference {
                attribute: name.clone(),
                sort,
                planned: planned.clone(),
                held: found.clone(),
            });
        }
    }
    differences.extend(identities(&draft.identities, &held.identities));
    differences
}

fn difference(name: &str, planned: &Value, held: &Value) -> Option<DifferenceSort> {
    if planned == held {
        return None;
    }
    let acceptable = match name {
        "mail" | "userPrincipalName" | "mailNickname" | "usageLocation" | "preferredLanguage" => {
            normal_text(planned).map(|text| text.to_lowercase()) == normal_text(held).map(|text| text.to_lowercase())
        }
        "otherMails" => as_set(planned) == as_set(held),
        // the separator is written with and without a space, the order is free (entra.md 7.4)
        "passwordPolicies" => policies(planned) == policies(held),
        _ => same_value(planned, held),
    };
    Some(if acceptable { DifferenceSort::Acceptable } else { DifferenceSort::Differs })
}

/// The same text but for blanks at its ends, the same instant, or the same number in another form.
fn same_value(planned: &Value, held: &Value) -> bool {
    let (Some(one), Some(other)) = (normal_text(planned), normal_text(held)) else { return false };
    let instant = |text: &str| sterna_core::time::Timestamp::parse(text);
    one == other || (instant(&one).is_some() && instant(&one) == instant(&other))
}

fn normal_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn as_set(value: &Value) -> Option<BTreeSet<String>> {
    let list = value.as_array()?.iter();
    list.map(|one| one.as_str().map(|text| text.trim().to_lowercase())).collect()
}

fn policies(value: &Value) -> Option<BTreeSet<String>> {
    let text = value.as_str()?;
    Some(text.split(',').map(|policy| policy.trim().to_lowercase()).filter(|policy| policy != "none").collect())
}

/// Missing identities differ; further ones (somebody has linked another since) are acceptable. Order is free.
fn identities(planned: &[Identity], held: &[Identity]) -> Option<Difference> {
    let set = |list: &[Identity]| list.iter().map(Identity::canonical).collect::<BTreeSet<_>>();
    let (wanted, there) = (set(planned), set(held));
    let same = {
        let (mut one, mut other) = (planned.to_vec(), held.to_vec());
        one.sort();
        other.sort();
        one == other
    };
    if same {
        return None;
    }
    let sort = if wanted.is_subset(&there) { DifferenceSort::Acceptable } else { DifferenceSort::Differs };
    let value = |list: &[Identity]| serde_json::to_value(list).unwrap_or_default();
    Some(Difference { attribute: "identities".into(), sort, planned: value(planned), held: value(held) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sterna_core::{
        ids::{AccountKey, TargetId},
        plan::{DRAFT_VERSION, Password},
        port::Activity,
    };

    use super::*;

    fn check(name: &str, planned: Value, held: Value, expected: Option<DifferenceSort>) {
        let (draft, mut there) = (draft(), held_as(&draft()));
        let draft = Draft { attributes: [(name.to_owned(), planned)].into(), ..draft };
        there.attributes = [(name.to_owned(), held)].into();
        let found = compare(&draft, &there);
        assert_eq!(found.first().map(|difference| difference.sort), expected, "{found:?}");
    }

    fn draft() -> Draft {
        let key = AccountKey::parse("5df41881-3aed-5c88-9d0d-2f4f0b3b4c11").unwrap();
        let identities = vec![Identity::email("ana@example.com"), Identity::federated("google.com", "Aa")];
        Draft { version: DRAFT_VERSION, key, attributes: [].into(), identities, password: Password::AtSignIn }
    }

    fn held_as(draft: &Draft) -> Held {
        Held {
            id: TargetId("u1".into()),
            key: Some(draft.key),
            attributes: draft.attributes.clone(),
            identities: draft.identities.clone(),
            awaiting: Some(false),
            signed_in: Activity::Never,
            password_changed: None,
            created: None,
        }
    }

    #[test]
    fn attributes_are_compared_with_what_directories_normalise() {
        use DifferenceSort::{Acceptable, Differs};
        check("displayName", json!("Ana"), json!("Ana"), None);
        check("displayName", json!("Ana"), json!(" Ana "), Some(Acceptable));
        check("displayName", json!("Ana"), json!("ana"), Some(Differs));
        check("displayName", json!("Ana"), Value::Null, Some(Differs));
        check("mail", json!("Ana@Example.com"), json!("ana@example.com"), Some(Acceptable));
        check("mail", json!("ana@example.com"), json!("bo@example.com"), Some(Differs));
        check("otherMails", json!(["a@x.org", "B@x.org"]), json!(["b@x.org", "a@x.org"]), Some(Acceptable));
        check("otherMails", json!(["a@x.org"]), json!(["a@x.org", "c@x.org"]), Some(Differs));
        check("passwordPolicies", json!("A, B"), json!("B,A"), Some(Acceptable));
        check("passwordPolicies", json!("A, B"), json!("A"), Some(Differs));
        check("accountEnabled", json!(true), json!(false), Some(Differs));
        check("extension_a_at", json!("2026-01-01T00:00:00Z"), json!("2026-01-01T00:00:00.000Z"), Some(Acceptable));
        check("extension_a_n", json!(7), json!("7"), Some(Acceptable));
        check("mail", Value::Null, json!(1), Some(Differs));
    }

    #[test]
    fn identities_may_come_in_any_order_and_with_more_but_none_may_be_missing() {
        let check = |held: &[Identity], expected: Option<DifferenceSort>| {
            let there = Held { identities: held.to_vec(), ..held_as(&draft()) };
            let found = compare(&draft(), &there);
            assert_eq!(found.first().map(|difference| difference.sort), expected, "{held:?}");
        };
        let (email, social) = (Identity::email("ana@example.com"), Identity::federated("google.com", "Aa"));
        check(&[social.clone(), email.clone()], None);
        check(&[Identity::email("ANA@example.com"), social.clone()], Some(DifferenceSort::Acceptable));
        check(&[email.clone(), social, Identity::federated("facebook.com", "9")], Some(DifferenceSort::Acceptable));
        check(std::slice::from_ref(&email), Some(DifferenceSort::Differs));
        check(&[email, Identity::federated("google.com", "aa")], Some(DifferenceSort::Differs));
    }

    #[test]
    fn the_flag_and_the_password_are_never_a_difference() {
        let draft = draft();
        for awaiting in [None, Some(true), Some(false)] {
            assert_eq!(compare(&draft, &Held { awaiting, ..held_as(&draft) }), []);
        }
    }
}
