//! The settings of these targets as data: help, checks, `sterna init` and the documentation are made from them.

use sterna_core::{
    password::policy::PasswordPolicy,
    settings::{Kind, Need, Setting},
};

use crate::http::access::access_settings;

macro_rules! setting {
    ($name:literal, $kind:expr, $need:expr, $doc:literal) => {
        Setting { name: $name, kind: $kind, need: $need, doc: $doc }
    };
}

/// The settings that all of them have, after a product's own.
macro_rules! target_settings {
    ($($own:expr),* $(,)?) => {
        access_settings![
            $($own,)*
            setting!("bulk", Kind::Choice(&["auto", "on", "off"]), Need::Default("\"auto\""), "Whether accounts are sent by Bulk: auto does where the server announces it."),
            setting!("batch_size", Kind::Integer(1, 10_000), Need::Optional, "Accounts in one Bulk request, within what the server announces; without it 500, at WSO2's products 100."),
            setting!("max_payload", Kind::Integer(1_024, 1_073_741_824), Need::Optional, "Most bytes in one Bulk request, where the server announces more than it takes."),
            setting!("concurrency", Kind::Integer(1, 64), Need::Optional, "Requests under way at once."),
            setting!("writes_per_second", Kind::Number(0.01, 1_000_000.0), Need::Optional, "Accounts that the server takes in a second."),
            setting!("write_share", Kind::Number(0.01, 1.0), Need::Default("1.0"), "The part of it to use; the rest is left to live traffic."),
            setting!("quota_window_secs", Kind::Integer(1, 3_600), Need::Default("60"), "The time over which the server counts."),
            setting!("request_timeout_secs", Kind::Integer(1, 600), Need::Default("60"), "How long one request may take; a large Bulk request takes long."),
            setting!("settling_secs", Kind::Integer(0, 600), Need::Default("10"), "How long after a request's last possible end a look-up may still miss what it did."),
            setting!("user_names", Kind::Choice(&["store", "email", "any"]), Need::Optional, "What user names have to look like: store (3 to 50 characters without blanks, *, ? and %), email, or any."),
            setting!("password_policy", Kind::Choice(PasswordPolicy::NAMES), Need::Optional, "The policy that passwords are held against before they are sent."),
            setting!("password_pattern", Kind::Text, Need::Optional, "The server's own pattern for passwords, a Java regular expression."),
            setting!("groups", Kind::Choice(&["leave-out", "existing", "create"]), Need::Default("\"leave-out\""), "What becomes of groups: left out and named, memberships in groups that are there, or missing groups made too."),
            setting!("sign_ins", Kind::Choice(&["unknown", "none"]), Need::Default("\"unknown\""), "Where the server does not say who has signed in: none says that nobody can have yet, so that undo may remove accounts."),
        ]
    };
}

/// The settings that WSO2's products have besides.
macro_rules! wso2_settings {
    ($($own:expr),* $(,)?) => {
        target_settings![
            $($own,)*
            setting!("user_store", Kind::Text, Need::Optional, "The user store to write to, where it is not the main one; it goes before user names."),
            setting!("flag_attribute", Kind::Text, Need::Default("\"is_migrated\""), "The custom attribute of the silent password migration."),
            setting!("custom_schema", Kind::Text, Need::Optional, "The schema that custom attributes are in; without it the server is asked."),
            setting!("value_length", Kind::Integer(1, 1_000_000), Need::Default("1024"), "Longest value in characters that the user store's database holds: 255 on Oracle and DB2."),
            setting!("reset", Kind::Choice(&["random", "invite", "force"]), Need::Default("\"random\""), "What becomes of people without a password: random leaves a password that nobody knows, invite has the product send an invitation (askPassword), force has it demand a new password (forcePasswordReset)."),
            setting!("federated", Kind::Choice(&["auto", "bulk", "single", "none"]), Need::Default("\"auto\""), "How sign-ins at other providers are written: by the bulk call of 7.2, one by one as from 7.1, or not at all."),
            setting!("providers", Kind::Texts, Need::Optional, "Names of the connections that are set up; with them others are named before anything is sent."),
            setting!("roles", Kind::Choice(&["leave-out", "existing"]), Need::Default("\"leave-out\""), "What becomes of roles: left out and named, or given where a role of that name is there."),
        ]
    };
}

/// Any SCIM 2.0 service.
pub(super) const SCIM: &[Setting] = target_settings![setting!(
    "url",
    Kind::Url,
    Need::Required,
    "Where its endpoints are: what /Users and /ServiceProviderConfig are added to."
)];

/// WSO2 Identity Server.
pub(super) const WSO2_IS: &[Setting] = wso2_settings![
    setting!("url", Kind::Url, Need::Required, "Root of the server: https://is.example.com:9443."),
    setting!("tenant", Kind::Text, Need::Optional, "The tenant's domain; without it the super tenant."),
    setting!(
        "child_organization",
        Kind::Flag,
        Need::Default("false"),
        "Write to the organisation below the tenant that the token was made for."
    ),
];

/// Asgardeo.
pub(super) const ASGARDEO: &[Setting] = wso2_settings![
    setting!(
        "organization",
        Kind::Text,
        Need::Required,
        "The organisation's name, as it stands in its addresses after /t/."
    ),
    setting!(
        "url",
        Kind::Url,
        Need::Default("\"https://api.asgardeo.io\""),
        "Root of the service: https://api.eu.asgardeo.io for the European one."
    ),
    setting!(
        "child_organization",
        Kind::Flag,
        Need::Default("false"),
        "Write to the organisation below it that the token was made for."
    ),
];

/// What `sterna init` writes for any SCIM service.
pub(super) const SCIM_SAMPLE: &str = r#"url = "https://scim.example.com/v2"
token = { env = "SCIM_TOKEN" }                    # or username and password, or client_id, client_secret and token_url
# groups = "create"                               # or "existing"; without it groups are left out and named
# writes_per_second = 100
"#;

/// What `sterna init` writes for WSO2 Identity Server.
pub(super) const WSO2_IS_SAMPLE: &str = r#"url = "https://is.example.com:9443"
# tenant = "example.com"                          # without it the super tenant
client_id = "00001111-aaaa"
client_secret = { env = "WSO2_CLIENT_SECRET" }
# groups = "create"
# federated = "single"                            # Identity Server 7.1; 7.2 has a bulk call, older ones none
# reset = "invite"                                # people without a password are sent an invitation
"#;

/// What `sterna init` writes for Asgardeo.
pub(super) const ASGARDEO_SAMPLE: &str = r#"organization = "example"
client_id = "00001111-aaaa"
client_secret = { env = "ASGARDEO_CLIENT_SECRET" }
# url = "https://api.eu.asgardeo.io"
# groups = "create"
# reset = "invite"                                # people without a password are sent an invitation
"#;
