//! Which of an account's identities the tenant can hold (entra.md 4.2, 4.3). Pure.

use sterna_core::{
    account::{Account, Identity, LocalName},
    code::Code,
    plan::Loss,
    port::DraftRules,
};

use super::{
    attributes,
    config::{EmailSignIn, Product},
    limits,
    shape::Shape,
};

/// The identities that can be held, with what is lost.
///
/// # Errors
/// The loss for which the account has to be held.
pub(super) fn chosen(
    shape: &Shape,
    account: &Account,
    rules: &DraftRules<'_>,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Identity>, Loss> {
    let mut kept: Vec<Identity> = Vec::new();
    let mut dropped: Option<Loss> = None;
    for identity in &account.identities {
        match one(shape, identity, rules)? {
            Ok(identity) if kept.iter().any(|known| known.canonical() == identity.canonical()) => {}
            Ok(identity) => kept.push(identity),
            Err(loss) => {
                dropped.get_or_insert_with(|| loss.clone());
                add_once(losses, loss);
            }
        }
    }
    if kept.is_empty() {
        return Err(dropped.unwrap_or_else(|| Loss::new(Code::L4004, "identities")));
    }
    add_address(shape, account, &mut kept, losses);
    if kept.len() > limits::IDENTITIES {
        return Err(Loss::new(Code::L2007, "identities"));
    }
    Ok(kept)
}

/// The outer error holds the account, the inner one costs the identity.
fn one(shape: &Shape, identity: &Identity, rules: &DraftRules<'_>) -> Result<Result<Identity, Loss>, Loss> {
    Ok(match identity {
        Identity::Local { name: LocalName::Email, value } => {
            attributes::email(value).map(Identity::email).map_err(|code| Loss::new(code, "emailAddress identity"))
        }
        Identity::Local { name: LocalName::UserName, value } => {
            let value = value.trim();
            if is_user_name(value) {
                Ok(Identity::user_name(value))
            } else {
                Err(Loss::new(Code::L2002, "userName identity"))
            }
        }
        Identity::Local { name: LocalName::Phone, .. } => Err(Loss::new(Code::L2001, "phoneNumber identity")),
        Identity::Federated { issuer, subject } => return federated(shape, issuer, subject, rules),
    })
}

fn federated(
    shape: &Shape,
    issuer: &str,
    subject: &str,
    rules: &DraftRules<'_>,
) -> Result<Result<Identity, Loss>, Loss> {
    let Some(target) = rules.issuers.get(&issuer.to_lowercase()) else {
        return Err(Loss::new(Code::L4003, issuer));
    };
    let is = |known: &String| known.eq_ignore_ascii_case(target) || known.eq_ignore_ascii_case(issuer);
    if shape.relink_issuers.iter().any(is) {
        return Ok(Err(Loss::new(Code::L2005, target)));
    }
    if shape.providers.as_ref().is_some_and(|list| !list.iter().any(|known| known.eq_ignore_ascii_case(target))) {
        return Ok(Err(Loss::new(Code::L2004, target)));
    }
    let plain = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    if !plain(subject) || !plain(target) || target.chars().count() > limits::ISSUER {
        return Ok(Err(Loss::new(Code::L2008, target)));
    }
    Ok(Ok(Identity::federated(target, subject)))
}

/// Letters, digits, `-` and `_`, beginning with a letter or digit, up to 64 (entra.md 4.2).
fn is_user_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    first
        && text.len() <= limits::USER_NAME
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Somebody who signs in by user name alone has nowhere to send a reset to, unless their address is a sign-in name too
/// (entra.md 4.1, 4.3). It becomes one only where that is safe: whoever reads that mailbox can reset the password.
fn add_address(shape: &Shape, account: &Account, kept: &mut Vec<Identity>, losses: &mut Vec<Loss>) {
    let is =
        |identity: &Identity, wanted: LocalName| matches!(identity, Identity::Local { name, .. } if *name == wanted);
    let by_name_alone = kept.iter().any(|identity| is(identity, LocalName::UserName))
        && !kept.iter().any(|identity| is(identity, LocalName::Email));
    if !by_name_alone {
        return;
    }
    let emails = &account.profile.emails;
    let wanted = emails.iter().find(|contact| contact.primary).or(emails.first());
    let allowed = wanted.filter(|contact| match shape.email_sign_in {
        EmailSignIn::Always => true,
        EmailSignIn::Verified => contact.verified == Some(true),
        EmailSignIn::Never => false,
    });
    match allowed.and_then(|contact| attributes::email(&contact.value).ok()) {
        Some(address) => kept.push(Identity::email(address)),
        None => add_once(losses, Loss::new(Code::L2003, "userName identity")),
    }
}

/// Adds a loss unless the same is there.
pub(super) fn add_once(losses: &mut Vec<Loss>, loss: Loss) {
    if !losses.contains(&loss) {
        losses.push(loss);
    }
}

/// Why `add` cannot be added to an account that holds `held`: in Azure AD B2C an account that never had a local
/// identity cannot get one (entra.md 4.7).
pub(super) fn cannot_add(product: Product, held: &[Identity], add: &[Identity]) -> Option<Code> {
    let local = |list: &[Identity]| list.iter().any(Identity::is_local);
    (product == Product::B2c && local(add) && !local(held)).then_some(Code::L2006)
}
