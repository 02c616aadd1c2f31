//! The registry: one line per kind of source, target, legacy check and hook. Help, schema, docs and `sterna init` walk it.

use sterna_core::{
    hook::HookKind,
    registry::{CheckKind, SourceKind, TargetKind},
};

use crate::{
    auth0, b2c_seamless, b2c_users_file, cognito, delimited,
    entra::{self, config::Product},
    fusionauth, http_check, json_lines, keycloak, kratos, ldap, ldap_bind, ldif, legacy_sign_in, oauth, okta,
    on_demand, scim, scim_source, sql, stored_hash, wso2,
};

/// Every kind of source.
pub static SOURCES: &[&dyn SourceKind] = &[
    &b2c_users_file::Kind,
    &delimited::Kind,
    &entra::SourceKind,
    &json_lines::Kind,
    &ldap::Kind,
    &ldif::Kind,
    &scim_source::Kind,
    &sql::Kind,
    &wso2::source::Kind,
];

/// Every kind of target.
pub static TARGETS: &[&dyn TargetKind] = &[
    &entra::TargetKind(Product::ExternalId),
    &entra::TargetKind(Product::B2c),
    &scim::TargetKind(scim::Product::Scim),
    &scim::TargetKind(scim::Product::Wso2Is),
    &scim::TargetKind(scim::Product::Asgardeo),
    &on_demand::OnDemand,
];

/// Every kind of legacy check.
pub static CHECKS: &[&dyn CheckKind] =
    &[&stored_hash::Kind, &ldap_bind::Kind, &oauth::Kind, &http_check::Kind, &sql::CheckKind];

/// Every kind of hook.
pub static HOOKS: &[&dyn HookKind] = &[
    &auth0::KIND,
    &b2c_seamless::KIND,
    &cognito::KIND,
    &entra::hook::HookKind,
    &fusionauth::KIND,
    &keycloak::KIND,
    &kratos::KIND,
    &legacy_sign_in::KIND,
    &okta::KIND,
    &wso2::Kind,
];
