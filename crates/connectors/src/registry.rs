//! The registry: one line per kind of source, target, legacy check and hook. Help, schema, docs and `sterna init` walk it.

use sterna_core::{
    hook::HookKind,
    registry::{CheckKind, SourceKind, TargetKind},
};

use crate::{
    b2c_seamless, b2c_users_file, delimited,
    entra::{self, config::Product},
    http_check, json_lines, kratos, ldap, ldap_bind, ldif, legacy_sign_in, oauth, okta, sql, stored_hash,
};

/// Every kind of source.
pub static SOURCES: &[&dyn SourceKind] = &[
    &b2c_users_file::Kind,
    &delimited::Kind,
    &entra::SourceKind,
    &json_lines::Kind,
    &ldap::Kind,
    &ldif::Kind,
    &sql::Kind,
];

/// Every kind of target.
pub static TARGETS: &[&dyn TargetKind] = &[&entra::TargetKind(Product::ExternalId), &entra::TargetKind(Product::B2c)];

/// Every kind of legacy check.
pub static CHECKS: &[&dyn CheckKind] =
    &[&stored_hash::Kind, &ldap_bind::Kind, &oauth::Kind, &http_check::Kind, &sql::CheckKind];

/// Every kind of hook.
pub static HOOKS: &[&dyn HookKind] = &[&b2c_seamless::KIND, &kratos::KIND, &legacy_sign_in::KIND, &okta::KIND];
