//! Puts these emulators together.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::product::{LINKS, Wso2, quirk_names};
use super::settings::{Kind, Settings};
use super::sign_in::token::Tokens;
use super::{catalogue, quirk, scopes};
use crate::scim::profile::{Features, Limits, Profile};
use crate::scim::resource::incoming::Leniency;
use crate::scim::scenario::{Route, Rule};
use crate::scim::{Options, start_product};
use crate::{Emulator, EmulatorError, Launch, Pointer, Ready};

/// Seconds for which a token of the organisation is good that goes with `callChoreo`.
const TOKEN_SECS: i64 = 3_600;

/// Starts the emulator `wso2-is`.
///
/// # Errors
/// When the scenario is not right, or the port cannot be had.
pub async fn launch_identity_server(launch: Launch) -> Result<Emulator, EmulatorError> {
    start(Kind::IdentityServer, launch).await
}

/// Starts the emulator `asgardeo`.
///
/// # Errors
/// When the scenario is not right, or the port cannot be had.
pub async fn launch_asgardeo(launch: Launch) -> Result<Emulator, EmulatorError> {
    start(Kind::Asgardeo, launch).await
}

async fn start(kind: Kind, launch: Launch) -> Result<Emulator, EmulatorError> {
    let tenant = launch.tenant.clone();
    let mut options = Options::of(launch)?;
    let mut settings = Settings::read(&options.scenario.product).map_err(EmulatorError::Scenario)?;
    settings.tenant = tenant.or(settings.tenant);
    let names = quirk_names(&settings, &options.scenario.quirks).map_err(EmulatorError::Scenario)?;
    options.scenario.quirks = names;
    let users = options.scenario.users.len() + options.scenario.generated_users as usize;
    let profile = profile(kind, settings, users).map_err(EmulatorError::Scenario)?;
    start_product(profile, options).await
}

fn profile(kind: Kind, settings: Settings, users: usize) -> Result<Profile, String> {
    let tenant = settings.tenant(kind).to_owned();
    let below = |path: &str| format!("/t/{tenant}{path}");
    let is_server = kind == Kind::IdentityServer;
    // the super tenant has its addresses without a name, too (wso2-scim.md 2.1)
    let bare = |path: &str| is_server.then(|| path.to_owned());
    let is_super = is_server && tenant == "carbon.super";
    let paths = |path: &str| -> Vec<String> {
        let named = std::iter::once(below(path));
        if is_super { bare(path).into_iter().chain(named).collect() } else { named.chain(bare(path)).collect() }
    };
    let quota = budgets(kind, &settings);
    Ok(Profile {
        bases: [paths("/scim2"), paths("/o/scim2")].concat(),
        token_paths: [paths("/oauth2/token"), paths("/o/oauth2/token")].concat(),
        association_path: Some(below(LINKS)),
        organization: Some(tenant.clone()),
        limits: Limits {
            // announced are 1,000 in both; Asgardeo documents 100 (wso2-scim.md 2.3), so that is what it keeps
            max_operations: if is_server { 1_000 } else { 100 },
            ..Limits::default()
        },
        features: Features { sort: false, etag: false, cursor_paging: false, ..Features::default() },
        catalogue: catalogue::catalogue(kind, &settings)?,
        quota,
        scopes: scopes::all(),
        quirks: crate::scim::QUIRKS.iter().chain(quirk::all()).collect(),
        read_delay_ms: 0,
        leniency: Leniency::default(),
        product: Box::new(Wso2::new(kind, settings, users, organisation_tokens())),
    })
}

/// The budgets of a minute (wso2-scim.md 3.1): Asgardeo's own, or what the settings say.
pub(super) fn budgets(kind: Kind, settings: &Settings) -> Vec<Rule> {
    let usual = |count| (kind == Kind::Asgardeo).then_some(count);
    let rule = |on: Route, count: Option<u64>| {
        count.map(|count| Rule { window_secs: settings.minute_secs, ..Rule::per_minute(on, count) })
    };
    let (bulk, others) = (settings.bulk_per_minute.or(usual(5)), settings.requests_per_minute.or(usual(200)));
    let rules = [rule(Route::Bulk, bulk), rule(Route::Scim, others), rule(Route::Associations, others)];
    rules.into_iter().flatten().collect()
}

/// Tokens that the organisation gives for `callChoreo`: signed JWTs, as it takes no others (wso2-scim.md 1.2.6).
fn organisation_tokens() -> Tokens {
    let key = hmac::Key::new(hmac::HMAC_SHA256, Uuid::new_v4().as_bytes());
    Tokens::issued_by(move |client| {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let now = Timestamp::now().as_second();
        let claims = json!({ "sub": client, "client_id": client, "iat": now, "exp": now + TOKEN_SECS });
        let text = format!("{}.{}", part(json!({ "alg": "HS256", "typ": "at+jwt" })), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()));
        format!("{text}.{signature}")
    })
}

/// Settings of access that are left out beside a token.
const LEFT_OUT: [&str; 8] =
    ["ca_file", "username", "password", "client_id", "client_secret", "token_url", "client_auth", "scope"];

fn pointers(ready: &Ready, name: &'static str) -> Vec<Pointer> {
    // the root: what comes before the path
    let root = ready.state_url.as_ref().and_then(|url| url.split("/_emulator/").next()).map(ToOwned::to_owned);
    let mut pointers = vec![
        Pointer::text("url", root.as_ref()),
        Pointer::text(name, ready.organization.as_ref()),
        Pointer::secret("token", ready.token.as_ref()),
    ];
    pointers.extend(LEFT_OUT.map(Pointer::nothing));
    pointers
}

/// The settings of a target `wso2-is` that lead to a running emulator.
pub fn pointers_identity_server(ready: &Ready) -> Vec<Pointer> {
    pointers(ready, "tenant")
}

/// The settings of a target `asgardeo` that lead to a running emulator.
pub fn pointers_asgardeo(ready: &Ready) -> Vec<Pointer> {
    pointers(ready, "organization")
}
