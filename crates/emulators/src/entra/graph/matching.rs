//! Whether a user matches a filter, which filters are allowed, and which users are worth looking at.

use serde_json::Value;

use super::filter::{Filter, Operator, unsupported_identity};
use crate::entra::directory::Directory;
use crate::entra::directory::index::{Key, Slot, is_indexed};
use crate::entra::directory::property;
use crate::entra::directory::user::{IdentityKind, User, same_text};
use crate::entra::refusal::Refusal;

/// Issuers that can be looked for without an id (`entra.md` 4.2).
const ISSUERS_ALONE: [&str; 4] = ["google.com", "facebook.com", "mail", "phone"];

/// Whether the request may use what Graph calls advanced queries: `ConsistencyLevel: eventual` and `$count=true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consistency {
    Session,
    Eventual,
}

/// Refuses filters that Graph does not support.
pub(crate) fn check(filter: &Filter, directory: &Directory, consistency: Consistency) -> Result<(), Refusal> {
    let mut clauses = 1;
    let mut outcome = Ok(());
    filter.walk(&mut |part| {
        clauses += match part {
            Filter::Or(parts) => parts.len() - 1,
            Filter::In { values, .. } => values.len() - 1,
            _ => 0,
        };
        if outcome.is_ok() {
            outcome = check_part(part, directory, consistency);
        }
    });
    outcome?;
    let max = directory.switches.max_or_clauses;
    if clauses > max {
        return Err(Refusal::bad(format!(
            "Too many child clauses specified in search filter expression containing 'OR' operators: {clauses}. Max allowed: {max}."
        )));
    }
    Ok(())
}

fn check_part(part: &Filter, directory: &Directory, consistency: Consistency) -> Result<(), Refusal> {
    let (name, advanced) = match part {
        Filter::And(_) | Filter::Or(_) => return Ok(()),
        Filter::Not(_) if consistency == Consistency::Eventual => return Ok(()),
        Filter::Not(_) => return Err(unsupported("not")),
        Filter::Identity { issuer, assigned_id } => return check_identity(issuer.as_deref(), assigned_id.as_deref()),
        Filter::Compare { property, operator, value } => {
            let plain = match operator {
                Operator::Eq => !value.is_null(),
                Operator::Ge | Operator::Le => true,
                Operator::Ne | Operator::Gt | Operator::Lt => false,
            };
            (property, !plain)
        }
        Filter::EndsWith { property, .. } => (property, true),
        Filter::In { property, .. }
        | Filter::StartsWith { property, .. }
        | Filter::AnyText { property, .. }
        | Filter::AnyStartsWith { property, .. } => (property, false),
    };
    let known = match property::find(name) {
        Some(property) => property.filterable,
        None if directory.extensions.find(name).is_some() => true,
        None => {
            return Err(Refusal::bad(format!(
                "Invalid filter clause: Could not find a property named '{name}' on type 'microsoft.graph.user'."
            )));
        }
    };
    let list = property::find(name).is_some_and(property::Property::is_list);
    let fits = list == matches!(part, Filter::AnyText { .. } | Filter::AnyStartsWith { .. });
    if !known || !fits || name == "identities" || (advanced && consistency == Consistency::Session) {
        return Err(unsupported(name));
    }
    Ok(())
}

fn unsupported(property: &str) -> Refusal {
    Refusal::unsupported_query(format!(
        "Unsupported or invalid query filter clause specified for property '{property}' of resource 'User'."
    ))
}

fn check_identity(issuer: Option<&str>, assigned_id: Option<&str>) -> Result<(), Refusal> {
    match (issuer, assigned_id) {
        (Some(_), Some(_)) => Ok(()),
        (Some(issuer), None) if ISSUERS_ALONE.contains(&issuer) => Ok(()),
        _ => Err(unsupported_identity()),
    }
}

/// Whether `user` matches.
pub(crate) fn matches(filter: &Filter, user: &User) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| matches(part, user)),
        Filter::Or(parts) => parts.iter().any(|part| matches(part, user)),
        Filter::Not(inner) => !matches(inner, user),
        Filter::Compare { property, operator, value } => compare(&held(user, property), *operator, value),
        Filter::In { property, values } => {
            let held = held(user, property);
            values.iter().any(|value| compare(&held, Operator::Eq, value))
        }
        Filter::StartsWith { property, prefix } => {
            held(user, property).as_str().is_some_and(|text| begins(text, prefix))
        }
        Filter::EndsWith { property, suffix } => {
            held(user, property).as_str().is_some_and(|text| text.to_lowercase().ends_with(&suffix.to_lowercase()))
        }
        Filter::Identity { issuer, assigned_id } => matches_identity(user, issuer.as_deref(), assigned_id.as_deref()),
        Filter::AnyText { property, operator, value } => {
            entries(user, property).iter().any(|one| compare(one, *operator, value))
        }
        Filter::AnyStartsWith { property, prefix } => {
            entries(user, property).iter().any(|one| one.as_str().is_some_and(|text| begins(text, prefix)))
        }
    }
}

fn begins(text: &str, prefix: &str) -> bool {
    text.to_lowercase().starts_with(&prefix.to_lowercase())
}

fn held<'a>(user: &'a User, property: &str) -> std::borrow::Cow<'a, Value> {
    use std::borrow::Cow;
    match property {
        "id" => Cow::Owned(Value::from(&*user.id)),
        _ => user.get(property).map_or(Cow::Owned(Value::Null), Cow::Borrowed),
    }
}

fn entries<'a>(user: &'a User, property: &str) -> &'a [Value] {
    user.get(property).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Compares a held value: texts without case, times and numbers by their order.
fn compare(held: &Value, operator: Operator, wanted: &Value) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (held, wanted) {
        (Value::String(held), Value::String(wanted)) => {
            if same_text(held, wanted) {
                Some(Equal)
            } else {
                Some(held.to_lowercase().cmp(&wanted.to_lowercase()))
            }
        }
        (Value::Number(held), Value::Number(wanted)) => held.as_i64().partial_cmp(&wanted.as_i64()),
        (held, wanted) if held == wanted => Some(Equal),
        _ => None,
    };
    match operator {
        Operator::Eq => order == Some(Equal),
        Operator::Ne => order != Some(Equal),
        Operator::Ge => matches!(order, Some(Greater | Equal)),
        Operator::Le => matches!(order, Some(Less | Equal)),
        Operator::Gt => order == Some(Greater),
        Operator::Lt => order == Some(Less),
    }
}

/// The issuer is ignored for local types; the userPrincipalName type is never found (`entra.md` 4.2).
fn matches_identity(user: &User, issuer: Option<&str>, assigned_id: Option<&str>) -> bool {
    user.identities.iter().any(|identity| match identity.kind() {
        IdentityKind::PrincipalName => false,
        IdentityKind::Federated => {
            issuer.is_none_or(|wanted| *identity.issuer == *wanted)
                && assigned_id.is_none_or(|wanted| *identity.assigned_id == *wanted)
        }
        _ => assigned_id.is_some_and(|wanted| same_text(&identity.assigned_id, wanted)),
    })
}

/// Users worth looking at, sorted; nothing means all of them.
pub(crate) fn candidates(filter: &Filter, directory: &Directory) -> Option<Vec<Slot>> {
    let by_key = |key: Key| Some(directory.candidates(key).to_vec());
    let mut slots = match filter {
        Filter::And(parts) => parts.iter().filter_map(|part| candidates(part, directory)).min_by_key(Vec::len)?,
        Filter::Or(parts) => {
            let all: Option<Vec<Vec<Slot>>> = parts.iter().map(|part| candidates(part, directory)).collect();
            all?.concat()
        }
        Filter::Identity { assigned_id: Some(id), .. } => by_key(Key::of_identity(id))?,
        Filter::AnyText { property, value, .. } if property == "otherMails" => {
            by_key(Key::of(property, value.as_str()?))?
        }
        Filter::Compare { property, operator: Operator::Eq, value } => equal(directory, property, value)?,
        Filter::In { property, values } => {
            let all: Option<Vec<Vec<Slot>>> = values.iter().map(|value| equal(directory, property, value)).collect();
            all?.concat()
        }
        _ => return None,
    };
    slots.sort_unstable();
    slots.dedup();
    Some(slots)
}

fn equal(directory: &Directory, property: &str, value: &Value) -> Option<Vec<Slot>> {
    let text = value.as_str()?;
    match property {
        "id" => Some(directory.slot(text).into_iter().collect()),
        name if is_indexed(name) => Some(directory.candidates(Key::of(name, text)).to_vec()),
        _ => None,
    }
}
