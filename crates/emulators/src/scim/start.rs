//! Puts an emulator together and opens its port.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use sterna_wire::Limits as WireLimits;
use uuid::Uuid;

use super::access::Access;
use super::counters::Counters;
use super::fault::Faults;
use super::front::Front;
use super::list::Cursors;
use super::profile::Profile;
use super::quirk::Quirks;
use super::scenario::{Rule, Scenario};
use super::service::Service;
use super::store::{Delays, Store};
use super::throttle::Throttle;
use super::{control, seed, strict};
use crate::clock::{Clock, from_millis};
use crate::launch::Port;
use crate::{Emulator, EmulatorError, Launch, Pointer, Ready};

/// How a SCIM emulator is started. [`Options::default`] has the defaults.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; loopback only, port 0 picks a free one.
    pub listen: SocketAddr,
    /// HTTPS instead of HTTP, with a certificate of a throwaway authority.
    pub tls: bool,
    /// Where the authority's certificate is written with `tls`. Default: a new file in the folder for temporary files,
    /// removed at shutdown.
    pub ca_file: Option<PathBuf>,
    /// What the service holds, how it is throttled, and what goes wrong.
    pub scenario: Scenario,
    /// Milliseconds until a change shows in reads; wins over the scenario's. Default 0.
    pub read_delay_ms: Option<u64>,
    /// Lets uniqueness checks lag by the read delay; wins over the scenario's. Default false.
    pub lagging_uniqueness: Option<bool>,
    /// Whether the state shows `_password`. False in a rehearsal, where real people's passwords arrive.
    pub show_passwords: bool,
    /// Changes per second of one client, instead of any other quota.
    pub writes_per_second: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        let Launch { listen, .. } = Launch::default();
        Self {
            listen,
            tls: false,
            ca_file: None,
            scenario: Scenario::default(),
            read_delay_ms: None,
            lagging_uniqueness: None,
            show_passwords: true,
            writes_per_second: None,
        }
    }
}

impl Options {
    /// What is asked of a SCIM emulator, with its scenario read. The tenant's name is the product's matter.
    pub(crate) fn of(launch: Launch) -> Result<Self, EmulatorError> {
        let Launch {
            listen,
            tls,
            ca_file,
            scenario,
            read_delay_ms,
            lagging_uniqueness,
            show_passwords,
            tenant: _,
            writes_per_second,
        } = launch;
        let scenario = scenario.map_or_else(|| Ok(Scenario::default()), |path| Scenario::load(&path))?;
        Ok(Self {
            listen,
            tls,
            ca_file,
            scenario,
            read_delay_ms,
            lagging_uniqueness,
            show_passwords,
            writes_per_second,
        })
    }
}

/// Starts the emulator `scim` as it is asked for.
///
/// # Errors
/// When the scenario is not right, or the port cannot be had.
pub async fn launch(launch: Launch) -> Result<Emulator, EmulatorError> {
    start(Options::of(launch)?).await
}

/// Starts the emulator `scim`. It answers when this returns.
///
/// # Errors
/// When the scenario is not right, or the port cannot be had.
pub async fn start(options: Options) -> Result<Emulator, EmulatorError> {
    if !options.scenario.product.is_empty() {
        return Err(EmulatorError::Scenario("scim has no settings under [product]; remove the table".to_owned()));
    }
    start_product(strict::profile(), options).await
}

/// Starts an emulator of any product.
pub(crate) async fn start_product(profile: Profile, options: Options) -> Result<Emulator, EmulatorError> {
    let Options { listen, tls, ref ca_file, .. } = options;
    let ca_file = ca_file.clone();
    let service = Arc::new(service(profile, options)?);
    let limits = WireLimits::default();
    // a bulk request that is too large is to be told so by the service, not by the listener
    let body_bytes = limits.body_bytes.max(service.limits.max_payload_bytes.saturating_mul(2));
    let Port { listener, root, ca_file } =
        Port::bind(listen, tls, ca_file, WireLimits { body_bytes, ..limits }).await?;
    // Nobody else has set it: the service is ours until it serves.
    let _ = service.root.set(root);
    let mut ready = ready(&service);
    ready.ca_file = ca_file.as_ref().map(|file| file.path().to_owned());
    let server = listener.serve(Arc::new(Front(service)));
    Ok(Emulator::new(ready, server, ca_file))
}

fn ready(service: &Service) -> Ready {
    let (root, profile) = (service.root(), &service.profile);
    let at = |path: &String| format!("{root}{path}");
    Ready {
        state_url: Some(format!("{root}{}{}", control::PREFIX, service.state_key)),
        scim_url: profile.bases.first().map(at),
        token_url: profile.token_paths.first().map(at),
        token: Some(service.access.token.clone()),
        client_id: Some(service.access.client_id.clone()),
        client_secret: Some(service.access.client_secret.clone()),
        association_url: profile.association_path.as_ref().map(at),
        organization: profile.organization.clone(),
        ..Ready::default()
    }
}

/// The settings of a target that lead to a running emulator `scim`.
pub fn pointers(ready: &Ready) -> Vec<Pointer> {
    let nothing =
        ["ca_file", "username", "password", "client_id", "client_secret", "token_url", "client_auth", "scope"];
    let mut pointers =
        vec![Pointer::text("url", ready.scim_url.as_ref()), Pointer::secret("token", ready.token.as_ref())];
    pointers.extend(nothing.map(Pointer::nothing));
    pointers
}

fn service(profile: Profile, options: Options) -> Result<Service, EmulatorError> {
    let Options { scenario, read_delay_ms, lagging_uniqueness, show_passwords, writes_per_second, .. } = options;
    let faults = Faults::new(scenario.seed, scenario.faults.clone());
    let delays = Delays {
        read: from_millis(read_delay_ms.or(scenario.read_delay_ms).unwrap_or(profile.read_delay_ms)),
        stale: faults.oldest_read(),
        lagging_uniqueness: lagging_uniqueness.or(scenario.lagging_uniqueness).unwrap_or(false),
    };
    let quirks = Quirks::new(&profile.quirks, &scenario.quirks).map_err(EmulatorError::Scenario)?;
    let rules = match writes_per_second {
        Some(rate) => vec![Rule::writes_per_second(rate)],
        None if scenario.quota.is_empty() => profile.quota.clone(),
        None => scenario.quota.clone(),
    };
    let clock = Clock::start();
    let mut store = Store::new(Arc::new(profile.catalogue.clone()), delays);
    seed::plant(&mut store, &scenario, clock.now()).map_err(EmulatorError::Scenario)?;
    Ok(Service {
        limits: scenario.limits.apply(profile.limits),
        features: scenario.features.apply(profile.features),
        exact_names: profile.catalogue.with_exact("userName"),
        access: Access::new(&scenario.access, &profile.scopes),
        profile,
        clock,
        store: Mutex::new(store),
        cursors: Mutex::new(Cursors::default()),
        quirks: RwLock::new(Arc::new(quirks)),
        faults: RwLock::new(Arc::new(faults)),
        throttle: Mutex::new(Throttle::new(rules)),
        retry_after: scenario.retry_after,
        counters: Counters::default(),
        state_key: Uuid::new_v4().simple().to_string(),
        show_passwords,
        root: OnceLock::new(),
    })
}
