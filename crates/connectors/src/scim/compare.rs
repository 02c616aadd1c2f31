//! How what is held differs from what was planned, attribute by attribute. Pure.
//!
//! Never compared: the password, the flag, whose clearing is what was hoped for, and what the server never gives back.

use std::collections::BTreeSet;

use serde_json::Value;
use sterna_core::{
    account::Identity,
    plan::Draft,
    port::{Difference, DifferenceSort, Held},
    time::Timestamp,
};

use super::shape::{GROUPS, ROLES, Shape};

/// Every difference between `draft` and `held`.
pub(super) fn compare(shape: &Shape, draft: &Draft, held: &Held) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (name, planned) in &draft.attributes {
        let found = held.attributes.get(name).unwrap_or(&Value::Null);
        if found.is_null() && !shape.schemas.is_returned(name) {
            continue;
        }
        if let Some(sort) = difference(name, planned, found) {
            let (attribute, planned, held) = (name.clone(), planned.clone(), found.clone());
            differences.push(Difference { attribute, sort, planned, held });
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
        // a server need not say that a user is active
        "active" if held.is_null() => return (planned != &Value::from(true)).then_some(DifferenceSort::Differs),
        // without case (RFC 7643 4.1.1), and servers may store it in their own
        "userName" | "preferredLanguage" | "locale" => folded(planned).is_some() && folded(planned) == folded(held),
        "emails" => same_set(planned, held, |text| text.trim().to_lowercase()),
        "phoneNumbers" => same_set(planned, held, number),
        // more of them than planned: the server's own ("everyone"), or somebody's since
        GROUPS | ROLES => return memberships(planned, held),
        _ => is_same(planned, held),
    };
    Some(if acceptable { DifferenceSort::Acceptable } else { DifferenceSort::Differs })
}

/// The same in another form: blanks at the ends, an instant, a number or flag as text, a list in another order, an object
/// with members that the server has added.
fn is_same(planned: &Value, held: &Value) -> bool {
    match (planned, held) {
        (Value::Object(planned), Value::Object(held)) => planned
            .iter()
            .all(|(name, value)| held.get(name).is_some_and(|found| value == found || is_same(value, found))),
        (Value::Array(planned), held) => {
            let held = held.as_array().map_or(std::slice::from_ref(held), Vec::as_slice);
            let within = |ones: &[Value], others: &[Value]| {
                ones.iter().all(|one| others.iter().any(|other| one == other || is_same(one, other)))
            };
            planned.len() == held.len() && within(planned, held) && within(held, planned)
        }
        (planned, held) => match (text(planned), text(held)) {
            (Some(one), Some(other)) => {
                let instant = Timestamp::parse(&one);
                one == other || (instant.is_some() && instant == Timestamp::parse(&other))
            }
            _ => false,
        },
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn folded(value: &Value) -> Option<String> {
    text(value).map(|text| text.to_lowercase().replace('_', "-"))
}

/// Digits and what goes before them; `tel:` and what stands between are form (RFC 7643 4.1.2 `phoneNumbers`).
fn number(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    text.chars().filter(|c| !c.is_whitespace() && !"-.()/".contains(*c)).collect()
}

fn set(value: &Value, normal: impl Fn(&str) -> String) -> Option<BTreeSet<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(&normal)).collect()
}

fn same_set(planned: &Value, held: &Value, normal: impl Fn(&str) -> String) -> bool {
    let planned = set(planned, &normal);
    planned.is_some() && planned == set(held, &normal)
}

/// Order is free, and more than planned is acceptable; a server that has none to show may leave the list out.
fn memberships(planned: &Value, held: &Value) -> Option<DifferenceSort> {
    let names = |value: &Value| set(value, |text| text.trim().to_lowercase()).unwrap_or_default();
    let exact = |value: &Value| set(value, |text| text.trim().to_owned()).unwrap_or_default();
    match () {
        () if exact(planned) == exact(held) => None,
        () if names(planned).is_subset(&names(held)) => Some(DifferenceSort::Acceptable),
        () => Some(DifferenceSort::Differs),
    }
}

/// Missing identities differ; further ones (somebody has linked another since) are acceptable. Order is free.
fn identities(planned: &[Identity], held: &[Identity]) -> Option<Difference> {
    let sorted = |list: &[Identity]| list.iter().cloned().collect::<BTreeSet<_>>();
    if sorted(planned) == sorted(held) {
        return None;
    }
    let names = |list: &[Identity]| list.iter().map(Identity::canonical).collect::<BTreeSet<_>>();
    let is_there = names(planned).is_subset(&names(held));
    let sort = if is_there { DifferenceSort::Acceptable } else { DifferenceSort::Differs };
    let value = |list: &[Identity]| serde_json::to_value(list).unwrap_or_default();
    Some(Difference { attribute: "identities".into(), sort, planned: value(planned), held: value(held) })
}

#[cfg(test)]
mod tests;
