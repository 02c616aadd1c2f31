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
