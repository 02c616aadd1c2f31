//! The settings of the hook `entra-on-password-submit`.

use sterna_core::settings::{Kind, Need, Setting};

macro_rules! setting {
    ($name:literal, $kind:expr, $need:expr, $doc:literal) => {
        Setting { name: $name, kind: $kind, need: $need, doc: $doc }
    };
}

/// One key.
const KEY: &[Setting] = &[
    setting!(
        "certificate",
        Kind::Path,
        Need::Required,
        "The certificate that the application encrypts to, a PEM file."
    ),
    setting!(
        "private_key",
        Kind::Secret,
        Need::Required,
        "Its RSA private key in PEM (PKCS#8 or PKCS#1), by reference."
    ),
    setting!(
        "key_id",
        Kind::Text,
        Need::Optional,
        "The id of the credential at the application (`keyId`), for messages that name their key by it."
    ),
];

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    setting!("tenant_id", Kind::Text, Need::Required, "The external tenant's id, a GUID."),
    setting!(
        "tenant_name",
        Kind::Text,
        Need::Optional,
        "The tenant's name in `NAME.ciamlogin.com`; tokens may name their issuer by it."
    ),
    setting!("client_id", Kind::Text, Need::Required, "The application id of the extension app: what tokens are for."),
    setting!(
        "resource_id",
        Kind::Text,
        Need::Optional,
        "Its identifier URI, `api://{host}/{client_id}`: tokens may be for it too."
    ),
    setting!(
        "keys",
        Kind::Tables(KEY),
        Need::Required,
        "The keys that password contexts are encrypted to; several while they are rotated, four at most."
    ),
    setting!("issuers", Kind::Texts, Need::Optional, "More issuers to believe: a custom URL domain of the tenant."),
    setting!(
        "version_1_tokens",
        Kind::Flag,
        Need::Default("false"),
        "Whether tokens of version 1 are taken too; better set the app's requestedAccessTokenVersion to 2."
    ),
    setting!(
        "key_set_url",
        Kind::Url,
        Need::Optional,
        "Where the tenant publishes its signing keys; without it https://{tenant_id}.ciamlogin.com/{tenant_id}/discovery/v2.0/keys."
    ),
    setting!("ca_file", Kind::Path, Need::Optional, "More certificate authorities to trust there, a PEM file."),
    setting!("listener_ids", Kind::Texts, Need::Optional, "Listeners that may call; all of the tenant when left out."),
    setting!(
        "extension_ids",
        Kind::Texts,
        Need::Optional,
        "Custom authentication extensions that may call; all of the tenant when left out."
    ),
    setting!(
        "client_app_ids",
        Kind::Texts,
        Need::Optional,
        "Applications that people may sign in to; all when left out."
    ),
    setting!(
        "plain_password_context",
        Kind::Flag,
        Need::Default("false"),
        "Whether a password in the clear is taken, as the first preview sent it."
    ),
    setting!(
        "encrypted_bearer",
        Kind::Flag,
        Need::Default("true"),
        "Whether access tokens that are encrypted to one of the keys are taken; where there are several they must name theirs (`x5t`, `x5t#S256` or `kid`). Decrypting costs work before anybody has proved anything: turn it off where tokens come signed only."
    ),
    setting!(
        "outage_answer",
        Kind::Choice(&["block", "status-503"]),
        Need::Default("\"block\""),
        "What an outage is answered with: a block page that says \"try later\", or status 503, which shows as an error of the sign-in page."
    ),
    setting!(
        "blocked_title",
        Kind::Text,
        Need::Default("\"Sign-in is not possible\""),
        "Title of the page for locked and disabled accounts."
    ),
    setting!(
        "blocked_message",
        Kind::Text,
        Need::Default("\"This account cannot be used to sign in. Please contact support.\""),
        "Its text."
    ),
    setting!(
        "later_title",
        Kind::Text,
        Need::Default("\"Please try again later\""),
        "Title of the page for outages and too many attempts."
    ),
    setting!(
        "later_message",
        Kind::Text,
        Need::Default("\"Sign-in is not available for your account right now. Please try again in a few minutes.\""),
        "Its text."
    ),
];
