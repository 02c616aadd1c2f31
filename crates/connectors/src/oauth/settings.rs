//! The settings of the check as data.

use sterna_core::settings::{Kind, Need, Setting};

macro_rules! setting {
    ($name:literal, $kind:expr, $need:expr, $doc:literal) => {
        Setting { name: $name, kind: $kind, need: $need, doc: $doc }
    };
}

/// Words of `form`.
const FORMS: &[&str] = &["oidc", "azure-directory", "azure-directory-v1", "b2c-policy"];

/// The settings.
pub(super) const SETTINGS: &[Setting] = &[
    setting!(
        "form",
        Kind::Choice(FORMS),
        Need::Default("\"oidc\""),
        "Whose token endpoint it is: any that keeps to RFC 6749, Azure's login service, or a policy of Azure AD B2C."
    ),
    setting!(
        "token_url",
        Kind::Url,
        Need::Optional,
        "The token endpoint. Left out for the Azure forms: it is made of `tenant` and `policy`."
    ),
    setting!(
        "tenant",
        Kind::Text,
        Need::Optional,
        "For the Azure forms: the tenant's id or initial domain; for a policy its name (contoso)."
    ),
    setting!("policy", Kind::Text, Need::Optional, "For `b2c-policy`: the resource-owner policy, such as B2C_1_ROPC."),
    setting!(
        "login_url",
        Kind::Url,
        Need::Optional,
        "Root of the login service, without tenant; for other clouds, own domains and emulators."
    ),
    setting!(
        "resource",
        Kind::Text,
        Need::Optional,
        "For `azure-directory-v1`: the resource that the token would be for."
    ),
    setting!("client_id", Kind::Text, Need::Required, "The client that asks; it must be allowed the password grant."),
    setting!("client_secret", Kind::Secret, Need::Optional, "The client's secret, by reference."),
    setting!(
        "client_auth",
        Kind::Choice(&["basic", "post"]),
        Need::Optional,
        "Where the secret is sent: in the header or in the body. Without it basic for `oidc`, post for the Azure forms."
    ),
    setting!(
        "scope",
        Kind::Text,
        Need::Optional,
        "The scope to ask for. Without it `openid`; none for `azure-directory-v1`."
    ),
    setting!(
        "login",
        Kind::Text,
        Need::Optional,
        "The account's attribute that is sent as user name. Without it the sign-in name; for the directory forms the user principal name first."
    ),
    setting!(
        "second_factor_counts",
        Kind::Flag,
        Need::Default("false"),
        "Whether Azure's wish for a second factor counts as the right password."
    ),
    setting!(
        "errors",
        Kind::TextTable,
        Need::Optional,
        "What errors mean: an `error`, an Azure number or a part of `error_description` = a verdict other than \"match\"."
    ),
    setting!("extra", Kind::TextTable, Need::Optional, "More fields of the form."),
    setting!("ca_file", Kind::Path, Need::Optional, "The only certificate authorities to trust, a PEM file."),
];
