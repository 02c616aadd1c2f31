//! Which of a person's identities the server can hold, and which one is the user name. Pure.
//!
//! A user has one user name, by which somebody signs in with a password; addresses are addresses only. Identities of other
//! providers are associations of a user, where the product has them (wso2-scim.md 6). Who signs in at other providers alone
//! gets a user name that nobody types: the account's key, so that nobody comes into the account by having that name.

use sterna_core::{
    account::{Account, Identity, LocalName},
    code::Code,
    ids::AccountKey,
    plan::Loss,
    port::DraftRules,
};

use super::{
    dialect::UserNames,
    fit,
    shape::{NO_MAIL, Shape},
};

/// The user name, and the identities that are held.
pub(super) struct Chosen {
    /// The user name, without a store.
    pub(super) user_name: String,
    /// What the person signs in with.
    pub(super) identities: Vec<Identity>,
}

/// Chooses.
///
/// # Errors
/// The loss for which the account has to be held.
pub(super) fn chosen(
    shape: &Shape,
    account: &Account,
    rules: &DraftRules<'_>,
    losses: &mut Vec<Loss>,
) -> Result<Chosen, Loss> {
    let mut federated: Vec<Identity> = Vec::new();
    let mut dropped: Option<Loss> = None;
    for identity in &account.identities {
        let Identity::Federated { issuer, subject } = identity else { continue };
        match association(shape, issuer, subject, rules)? {
            Ok(one) if federated.contains(&one) => {}
            Ok(one) => federated.push(one),
            Err(loss) => {
                dropped.get_or_insert_with(|| loss.clone());
                lose(losses, loss);
            }
        }
    }
    let wished = rules.mapped.get("userName").and_then(|value| value.as_str()).map(str::trim);
    if let Some(name) = wished.map(str::to_owned).or_else(|| local_name(shape, account, losses)) {
        if !fit::is_user_name(shape.user_names, &name) || (shape.dialect.store.is_some() && name.contains('/')) {
            return Err(Loss::new(Code::L2002, "userName"));
        }
        let mut identities = vec![signs_in_as(&name)];
        identities.append(&mut federated);
        return Ok(Chosen { user_name: name, identities });
    }
    if federated.is_empty() {
        return Err(dropped.unwrap_or_else(|| Loss::new(Code::L4004, "identities")));
    }
    let key = rules.key.to_string();
    let user_name = if shape.user_names == UserNames::Email { format!("{key}{NO_MAIL}") } else { key };
    Ok(Chosen { user_name, identities: federated })
}

/// The local sign-in name that becomes the user name; the others are named as losses.
///
/// Where names have to be addresses an address is taken first, else a user name; a name that breaks the rule is taken only
/// where there is no other.
fn local_name(shape: &Shape, account: &Account, losses: &mut Vec<Loss>) -> Option<String> {
    let order = match shape.user_names {
        UserNames::Email => [LocalName::Email, LocalName::UserName, LocalName::Phone],
        UserNames::Store | UserNames::Any => [LocalName::UserName, LocalName::Email, LocalName::Phone],
    };
    let locals = order.iter().flat_map(|wanted| {
        account.identities.iter().filter_map(move |identity| match identity {
            Identity::Local { name, value } if name == wanted => Some(value.trim()),
            _ => None,
        })
    });
    let locals: Vec<&str> = locals.collect();
    let chosen = locals.iter().find(|name| fit::is_user_name(shape.user_names, name)).or(locals.first())?;
    for other in locals.iter().filter(|other| !other.eq_ignore_ascii_case(chosen)) {
        let what = if other.contains('@') { "emailAddress identity" } else { "userName identity" };
        lose(losses, Loss::new(Code::L2009, what));
    }
    Some((*chosen).to_owned())
}

/// The outer error holds the account, the inner one costs the identity.
fn association(
    shape: &Shape,
    issuer: &str,
    subject: &str,
    rules: &DraftRules<'_>,
) -> Result<Result<Identity, Loss>, Loss> {
    let Some(target) = rules.issuers.get(&issuer.to_lowercase()) else {
        return Err(Loss::new(Code::L4003, issuer));
    };
    let known = |list: &Vec<String>| list.iter().any(|known| known.eq_ignore_ascii_case(target));
    if !shape.federated || shape.providers.as_ref().is_some_and(|list| !known(list)) {
        return Ok(Err(Loss::new(Code::L2004, target)));
    }
    let plain = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    if !plain(subject) || !plain(target) {
        return Ok(Err(Loss::new(Code::L2008, target)));
    }
    Ok(Ok(Identity::federated(target, subject)))
}

/// The identity that a user name is: the one local identity of a user, an address where it looks like one. `None` where it is
/// the account's own key, which nobody types.
pub(super) fn of_user_name(name: &str, key: Option<AccountKey>) -> Option<Identity> {
    let bare = name.strip_suffix(NO_MAIL).unwrap_or(name);
    let is_key = key.is_some_and(|key| AccountKey::parse(bare) == Some(key));
    (!is_key).then(|| signs_in_as(name))
}

fn signs_in_as(name: &str) -> Identity {
    if fit::email(name).is_ok() { Identity::email(name) } else { Identity::user_name(name) }
}

/// Adds a loss unless the same is there.
pub(super) fn lose(losses: &mut Vec<Loss>, loss: Loss) {
    if !losses.contains(&loss) {
        losses.push(loss);
    }
}
