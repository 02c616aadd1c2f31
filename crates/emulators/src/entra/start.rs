//! Puts an emulator together and opens its port.

use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use sterna_wire::Limits;
use uuid::Uuid;

use super::apps::{Ids, RegisteredApp, registered};
use super::counters::Counters;
use super::directory::extension::{DataType, Extension, full_name};
use super::directory::{Delays, Directory, seed};
use super::fault::Faults;
use super::front::Front;
use super::graph::tenant::default_providers;
use super::login::{TokenKey, Tokens};
use super::options::{Kind, Options};
use super::scenario::{Quota, Scenario};
use super::service::Service;
use super::sign_in::{MadeIds, SignIns, levers, page};
use super::tenant::TenantNames;
use super::throttle::Throttle;
use crate::clock::{Clock, from_millis};
use crate::launch::Port;
use crate::{CaFile, Emulator, EmulatorError, Launch, Pointer, Ready};

/// `expires_in` of a token when the scenario does not say (`entra.md` 6).
const TOKEN_LIFETIME_SECS: u64 = 3_599;

/// Milliseconds until a change shows in reads when nobody says.
const READ_DELAY_MS: u64 = 2_000;

/// Starts the emulator of this kind as it is asked for.
///
/// # Errors
/// When the scenario is not right, or the port cannot be had.
pub async fn launch(kind: Kind, launch: Launch) -> Result<Emulator, EmulatorError> {
    start(Options::of(kind, launch)?).await
}

/// The settings of a target that lead to a running emulator.
pub fn pointers(ready: &Ready) -> Vec<Pointer> {
    let nothing =
        ["ca_file", "certificate", "private_key", "applications", "extension_app_id", "local_issuer", "upn_domain"];
    let mut pointers = vec![
        Pointer::text("tenant", ready.tenant.as_ref()),
        Pointer::text("client_id", ready.client_id.as_ref()),
        Pointer::secret("client_secret", ready.client_secret.as_ref()),
        Pointer::text("graph_url", ready.graph_url.as_ref()),
        Pointer::text("login_url", ready.login_url.as_ref()),
    ];
    pointers.extend(nothing.map(Pointer::nothing));
    pointers
}

/// Starts an emulator. It answers when this returns.
pub async fn start(options: Options) -> Result<Emulator, EmulatorError> {
    let service = Arc::new(service(&options)?);
    let Port { listener, root, ca_file } =
        Port::bind(options.listen, options.tls, options.ca_file, Limits::default()).await?;
    // Nobody else has set it: the service is ours until it serves.
    let _ = service.root.set(root.clone());
    let ready = ready(&service, root, ca_file.as_ref());
    let server = listener.serve(Arc::new(Front(service)));
    Ok(Emulator::new(ready, server, ca_file))
}

fn ready(service: &Service, root: String, ca_file: Option<&CaFile>) -> Ready {
    let app = service.apps.first();
    let external = service.kind == Kind::EntraExternalId;
    Ready {
        state_url: Some(format!("{root}{}{}", super::control::PREFIX, service.state_key)),
        login_url: Some(root.clone()),
        sign_in_url: Some(page::address(&root, &service.names)),
        jwks_url: Some(format!("{root}/{}/discovery/v2.0/keys", service.names.id)),
        graph_url: Some(root),
        ca_file: ca_file.map(|file| file.path().to_owned()),
        tenant: Some(service.names.initial_domain.clone()),
        tenant_id: Some(service.names.id.clone()),
        client_id: app.map(|app| app.app_id.clone()),
        client_secret: app.and_then(|app| app.secret.clone()),
        extension_app_id: external.then(|| service.extension_app_id()),
        ..Ready::default()
    }
}

fn service(options: &Options) -> Result<Service, EmulatorError> {
    let Scenario { seed, tenant, quota, switches, apps, providers, faults, .. } = options.scenario.clone();
    let scenario = &options.scenario;
    let ids = Ids(seed);
    let clock = Clock::start();
    let now = clock.now();
    let names = TenantNames::new(&tenant, ids.guid("tenant")).map_err(EmulatorError::Scenario)?;
    let (names, switches) = (Arc::new(names), Arc::new(switches));
    let apps = registered(&apps, &ids)?;
    let faults = Faults::new(seed.unwrap_or(0), faults);
    let read_delay_ms = options.read_delay_ms.or(scenario.read_delay_ms).unwrap_or(READ_DELAY_MS);
    let delays = Delays {
        read: from_millis(read_delay_ms),
        stale: faults.oldest_read(),
        lagging_uniqueness: options.lagging_uniqueness.or(scenario.lagging_uniqueness).unwrap_or(false),
    };
    let object_quota = tenant.object_quota.unwrap_or_else(|| options.kind.object_quota());
    let mut directory = Directory::new(options.kind, Arc::clone(&names), Arc::clone(&switches), delays, object_quota);
    plant(&mut directory, scenario, &apps, &clock)?;
    let sign_ins = sign_ins(options, &ids, &apps)?;
    let throttle =
        Throttle::new(Quota::DOCUMENTED.changed(&quota), apps.len(), switches.throttled_requests_count, now.micros);
    Ok(Service {
        kind: options.kind,
        clock,
        names,
        switches,
        apps,
        providers: if providers.is_empty() { default_providers() } else { providers },
        directory: Mutex::new(directory),
        throttle: Mutex::new(throttle),
        faults: RwLock::new(Arc::new(faults)),
        tokens: Mutex::new(Tokens::default()),
        token_key: TokenKey::generate()?,
        token_lifetime: Duration::from_secs(scenario.token_lifetime_secs.unwrap_or(TOKEN_LIFETIME_SECS)),
        counters: Counters::default(),
        sign_ins,
        extension_delay: from_millis(scenario.extension_delay_ms.unwrap_or(read_delay_ms)),
        size: tenant.size,
        state_key: Uuid::new_v4().simple().to_string(),
        show_passwords: options.show_passwords,
        root: OnceLock::new(),
    })
}

fn sign_ins(options: &Options, ids: &Ids, apps: &[RegisteredApp]) -> Result<SignIns, EmulatorError> {
    let sign_ins = SignIns::new(MadeIds::new(ids));
    if let Some(settings) = options.scenario.just_in_time.clone() {
        let flag_owner = apps.last().map_or("", |app| app.app_id.as_str());
        let setup = levers::prepare(options.kind, settings, sign_ins.ids(), flag_owner);
        sign_ins.set_up(Some(setup.map_err(EmulatorError::Scenario)?));
    }
    Ok(sign_ins)
}

/// What the tenant holds at the start.
fn plant(
    directory: &mut Directory,
    scenario: &Scenario,
    apps: &[RegisteredApp],
    clock: &Clock,
) -> Result<(), EmulatorError> {
    let Some(owner) = apps.last() else { return Ok(()) };
    for wanted in &scenario.extensions {
        let kind = wanted.data_type.as_deref().unwrap_or("String");
        let data_type = DataType::parse(kind)
            .ok_or_else(|| EmulatorError::Scenario(format!("{kind} is not the type of an extension property")))?;
        let extension = Extension {
            id: Uuid::new_v4().to_string(),
            name: full_name(&owner.app_id, &wanted.name),
            data_type,
            app_object_id: owner.object_id.clone(),
            app_name: owner.name.clone(),
            available_from: 0,
        };
        directory.extensions.add(extension).map_err(|refusal| EmulatorError::Scenario(refusal.message))?;
    }
    let domain = directory.names.default_domain.clone();
    let made_up = (0..scenario.tenant.generated_users).map(|number| seed::made_up(&domain, number));
    for user in scenario.users.iter().cloned().chain(made_up) {
        seed::plant(directory, &user, &owner.app_id, clock.now()).map_err(EmulatorError::Scenario)?;
    }
    Ok(())
}
