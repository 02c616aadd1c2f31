//! The settings of this connector as data: help, checks, `sterna init` and the documentation are made from them.

use sterna_core::settings::{Kind, Need, Setting};

macro_rules! setting {
    ($name:literal, $kind:expr, $need:expr, $doc:literal) => {
        Setting { name: $name, kind: $kind, need: $need, doc: $doc }
    };
}

/// The settings that say where the tenant is and how to get in; the same for targets and sources.
macro_rules! connection {
    ($($more:expr),* $(,)?) => {
        &[
            setting!("tenant", Kind::Text, Need::Required, "The tenant: its initial domain (contoso.onmicrosoft.com) or its id."),
            setting!("client_id", Kind::Text, Need::Required, "The application (client) id of the app registration to use."),
            setting!("client_secret", Kind::Secret, Need::Optional, "The application's client secret, by reference."),
            setting!("certificate", Kind::Path, Need::Optional, "Instead of a secret: the application's certificate, a PEM file."),
            setting!("private_key", Kind::Secret, Need::Optional, "The certificate's RSA private key in PEM, by reference."),
            setting!("assertion_algorithm", Kind::Choice(&["PS256", "RS256"]), Need::Default("\"PS256\""), "How assertions made with the certificate are signed; RS256 names the key by x5t instead of x5t#S256."),
            setting!("cloud", Kind::Choice(&["global", "us-gov", "us-dod", "china"]), Need::Default("\"global\""), "The cloud that the tenant is in."),
            setting!("graph_url", Kind::Url, Need::Optional, "Root of Microsoft Graph, without version; for emulators and other clouds."),
            setting!("login_url", Kind::Url, Need::Optional, "Root of the login service, without tenant; for emulators and other clouds."),
            setting!("ca_file", Kind::Path, Need::Optional, "More certificate authorities to trust, a PEM file."),
            setting!("request_timeout_secs", Kind::Integer(1, 300), Need::Default("30"), "How long one request may take."),
            setting!("extension_app_id", Kind::Text, Need::Optional, "The application that owns the extension attributes; without it the tenant's b2c-extensions-app."),
            $($more,)*
        ]
    };
}

/// The settings of one more application.
const APPLICATION: &[Setting] = &[
    setting!("client_id", Kind::Text, Need::Required, "The application (client) id."),
    setting!("client_secret", Kind::Secret, Need::Optional, "Its client secret, by reference."),
    setting!("certificate", Kind::Path, Need::Optional, "Instead of a secret: its certificate, a PEM file."),
    setting!("private_key", Kind::Secret, Need::Optional, "The certificate's RSA private key in PEM, by reference."),
];

/// The settings of the targets.
pub(super) const TARGET: &[Setting] = connection![
    setting!(
        "applications",
        Kind::Tables(APPLICATION),
        Need::Optional,
        "More app registrations: each has a write quota of its own, and writes are spread over all."
    ),
    setting!(
        "local_issuer",
        Kind::Text,
        Need::Optional,
        "Issuer of local identities; without it the tenant's default domain."
    ),
    setting!(
        "upn_domain",
        Kind::Text,
        Need::Optional,
        "Domain of the generated user principal names; without it the tenant's initial domain."
    ),
    setting!(
        "flag_attribute",
        Kind::Text,
        Need::Default("\"toBeMigrated\""),
        "Extension attribute that is true while the password is to move at sign-in."
    ),
    setting!(
        "legacy_id_attribute",
        Kind::Text,
        Need::Default("\"sternaLegacyId\""),
        "Extension attribute that holds the account's key."
    ),
    setting!(
        "extensions",
        Kind::TextTable,
        Need::Optional,
        "More extension attributes to make: name = \"String\", \"Boolean\", \"Integer\", \"LargeInteger\" or \"DateTime\"."
    ),
    setting!(
        "providers",
        Kind::Texts,
        Need::Optional,
        "Identity providers that the tenant has; without it the tenant is asked."
    ),
    setting!(
        "relink_issuers",
        Kind::Texts,
        Need::Optional,
        "Issuers whose subjects hold only for the old provider application: those people must link again."
    ),
    setting!(
        "email_sign_in",
        Kind::Choice(&["verified", "always", "never"]),
        Need::Default("\"verified\""),
        "When somebody with a user name and no e-mail sign-in name gets their address as one (it is what a reset is sent to)."
    ),
    setting!(
        "disable_strong_password",
        Kind::Flag,
        Need::Default("false"),
        "Whether accounts are made with DisableStrongPassword, so that held passwords without complexity can be set."
    ),
    setting!(
        "writes_per_second",
        Kind::Number(0.1, 100_000.0),
        Need::Default("20"),
        "Writes a second that one application may send."
    ),
    setting!(
        "tenant_writes_per_second",
        Kind::Number(0.1, 1_000_000.0),
        Need::Default("60"),
        "Writes a second that all applications together may send."
    ),
    setting!(
        "write_share",
        Kind::Number(0.01, 1.0),
        Need::Default("0.9"),
        "The part of the quota to use; the rest is left to live sign-up."
    ),
    setting!(
        "quota_window_secs",
        Kind::Integer(1, 3_600),
        Need::Default("150"),
        "The window over which the service counts writes."
    ),
    setting!("batch_size", Kind::Integer(1, 20), Need::Default("20"), "Writes in one $batch request."),
    setting!("concurrency", Kind::Integer(1, 64), Need::Default("4"), "Batches under way at once, per application."),
    setting!(
        "settling_secs",
        Kind::Integer(0, 3_600),
        Need::Default("30"),
        "How long a look-up may still miss what an earlier request did."
    ),
    setting!(
        "propagation_secs",
        Kind::Integer(1, 3_600),
        Need::Default("300"),
        "How long to wait until a new extension attribute can be written."
    ),
];

/// The settings of the source.
pub(super) const SOURCE: &[Setting] = connection![
    setting!("page_size", Kind::Integer(1, 999), Need::Default("999"), "Users on one page."),
    setting!(
        "extension_attributes",
        Kind::Texts,
        Need::Optional,
        "Extension attributes to read, bare or with full name; without it all of the extension application's."
    ),
    setting!("attributes", Kind::Texts, Need::Optional, "More properties of users to read, by Graph's name."),
    setting!(
        "sign_in_activity",
        Kind::Flag,
        Need::Default("false"),
        "Whether to read when somebody last signed in; needs AuditLog.Read.All and makes pages smaller."
    ),
    setting!(
        "directory_roles",
        Kind::Flag,
        Need::Default("true"),
        "Whether members of directory roles are left out as administrators, where the application may read roles."
    ),
];
