//! Keys and secrets of one hook: read from where its settings say, fetched where they are published, and read again when
//! files change, on demand, or when the key set grows old.
//!
//! A refresh that fails leaves everything as it was: an unreachable key set is no reason to turn callers away whose keys
//! are known.

use std::{
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use reqwest::{Certificate, Client, redirect::Policy};
use sterna_core::{
    code::{Code, Finding},
    hook::{HookDialect, KeySetAddress, Material, Needs},
    registry::Context,
    settings::SecretRef,
};

use crate::config::HookSpec;

/// A key set is fetched again when it is so old (entra.md 2.3).
const KEY_SET_AGE: Duration = Duration::from_hours(24);
/// An unknown key makes it be fetched again, but no more often than this.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_mins(5);
/// Without any key set, tries are so far apart.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Longest key set that is read, in bytes.
const KEY_SET_BYTES: usize = 512 * 1024;
/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// A hook with its present keys.
pub(crate) struct Armed {
    context: Context,
    needs: Needs,
    dialect: RwLock<Option<Arc<dyn HookDialect>>>,
    key_set: Mutex<KeySet>,
    fetching: tokio::sync::Mutex<()>,
    files: Mutex<Vec<Option<(i64, i64, u64)>>>,
}

#[derive(Default)]
struct KeySet {
    bytes: Option<Vec<u8>>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

/// Checks that a hook's secrets, keys and key set can be had, and fit; opens nothing to callers.
pub async fn preflight(spec: &HookSpec, context: &Context) -> Vec<Finding> {
    match Armed::new(spec, context).await {
        Err(findings) => findings,
        Ok(armed) if !armed.is_ready() => {
            let url = armed.needs.key_set.as_ref().map_or("", |address| &address.url);
            let message = format!("the caller's signing keys cannot be fetched from {url}");
            vec![Finding::error(Code::E2001, message).hint("check the address, the proxy and `ca_file`")]
        }
        Ok(_) => Vec::new(),
    }
}

/// What came of asking for fresh keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// There are fresh ones.
    Yes,
    /// They were fetched a moment ago: an unknown key is a forged one.
    TooSoon,
    /// They cannot be had now.
    None,
}

impl Armed {
    /// Makes the hook from its settings, and reads what it needs. Without its key set it starts all the same.
    pub(crate) async fn new(spec: &HookSpec, context: &Context) -> Result<Self, Vec<Finding>> {
        let needs = spec.kind.needs(&spec.values)?;
        let armed = Self {
            context: context.clone(),
            needs,
            dialect: RwLock::new(None),
            key_set: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
            files: Mutex::default(),
        };
        if let Some(address) = armed.needs.key_set.clone() {
            // what cannot be had now is tried again; what is no key set is told by name
            let _ = armed.renew(spec, &address).await;
        }
        if armed.dialect().is_none() {
            armed.reload(spec)?;
        }
        Ok(armed)
    }

    /// The dialect with the present keys.
    pub(crate) fn dialect(&self) -> Option<Arc<dyn HookDialect>> {
        self.dialect.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether everything is there that callers are let in by.
    pub(crate) fn is_ready(&self) -> bool {
        self.dialect().is_some() && (self.needs.key_set.is_none() || self.lock().bytes.is_some())
    }

    /// Reads secrets and files again and makes the dialect anew; on a failure everything stays as it was.
    pub(crate) fn reload(&self, spec: &HookSpec) -> Result<(), Vec<Finding>> {
        let key_set = self.lock().bytes.clone();
        self.arm(spec, key_set)
    }

    fn arm(&self, spec: &HookSpec, key_set: Option<Vec<u8>>) -> Result<(), Vec<Finding>> {
        // looked at before they are read: what changes in between is read again
        let files = self.look_at_files();
        let material = Material { key_set, ..self.material()? };
        let dialect = spec.kind.open(&spec.values, &material)?;
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
        *self.dialect.write().unwrap_or_else(PoisonError::into_inner) = Some(dialect);
        Ok(())
    }

    /// Whether a file of it has changed since it was last read.
    pub(crate) fn has_changed(&self) -> bool {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) != self.look_at_files()
    }

    /// Fetches the key set because a caller's key is not in it.
    pub(crate) async fn refresh(&self, spec: &HookSpec, asked: Instant) -> Refreshed {
        let Some(address) = &self.needs.key_set else { return Refreshed::TooSoon };
        let _one_at_a_time = self.fetching.lock().await;
        {
            let known = self.lock();
            // somebody else fetched it while we waited
            if known.fetched.is_some_and(|fetched| fetched >= asked) {
                return Refreshed::Yes;
            }
            let pause = if known.bytes.is_some() { UNKNOWN_KEY_PAUSE } else { RETRY_PAUSE };
            if known.tried.is_some_and(|tried| tried.elapsed() < pause) {
                return if known.bytes.is_some() { Refreshed::TooSoon } else { Refreshed::None };
            }
        }
        self.renew(spec, address).await
    }

    /// Fetches the key set when it has grown old.
    pub(crate) async fn refresh_when_old(&self, spec: &HookSpec) {
        let Some(address) = &self.needs.key_set else { return };
        let due = {
            let known = self.lock();
            let pause = if known.bytes.is_some() { KEY_SET_AGE } else { RETRY_PAUSE };
            known.fetched.or(known.tried).is_none_or(|at| at.elapsed() >= pause)
                && known.tried.is_none_or(|tried| tried.elapsed() >= RETRY_PAUSE)
        };
        if due {
            let _one_at_a_time = self.fetching.lock().await;
            let _ = self.renew(spec, address).await;
        }
    }

    async fn renew(&self, spec: &HookSpec, address: &KeySetAddress) -> Refreshed {
        let fetched = fetch(address, &self.context).await;
        let tried = Instant::now();
        self.lock().tried = Some(tried);
        match fetched {
            // only what the dialect can use is kept: a page of a proxy must not take the place of the keys
            Ok(bytes) => match self.arm(spec, Some(bytes.clone())) {
                Ok(()) => {
                    let mut known = self.lock();
                    (known.bytes, known.fetched) = (Some(bytes), Some(tried));
                    return Refreshed::Yes;
                }
                Err(findings) => {
                    for finding in findings {
                        tracing::error!(hook = %spec.name, "The fetched key set is not used: {}", finding.message);
                    }
                }
            },
            Err(why) => tracing::warn!(hook = %spec.name, "The key set at {} cannot be fetched: {why}", address.url),
        }
        Refreshed::None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, KeySet> {
        self.key_set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn material(&self) -> Result<Material, Vec<Finding>> {
        let mut material = Material::default();
        let mut findings = Vec::new();
        for (name, reference) in &self.needs.secrets {
            match self.context.secrets.reveal(reference) {
                Ok(secret) => drop(material.secrets.insert(name.clone(), secret)),
                Err(finding) => findings.push(*finding),
            }
        }
        for (name, path) in &self.needs.files {
            match std::fs::read(self.context.project.join(path)) {
                Ok(bytes) => drop(material.files.insert(name.clone(), bytes)),
                Err(error) => {
                    let message = format!("{} cannot be read: {error}", path.display());
                    findings.push(Finding::error(Code::E1008, message));
                }
            }
        }
        if findings.is_empty() { Ok(material) } else { Err(findings) }
    }

    /// When the files last changed, and how long they are.
    fn look_at_files(&self) -> Vec<Option<(i64, i64, u64)>> {
        let secrets = self.needs.secrets.values().filter_map(|reference| match reference {
            SecretRef::File(path) => Some(path),
            SecretRef::Env(_) | SecretRef::Command(_) => None,
        });
        let all: Vec<&PathBuf> = secrets.chain(self.needs.files.values()).collect();
        let look = |path: &&PathBuf| {
            let data = std::fs::metadata(self.context.project.join(path)).ok()?;
            // the instant of the last change of anything about it: a key that is made private after it was written counts too
            Some((data.ctime(), data.ctime_nsec(), data.len()))
        };
        all.iter().map(look).collect()
    }
}

async fn fetch(address: &KeySetAddress, context: &Context) -> Result<Vec<u8>, String> {
    let client = client(address, context)?;
    let mut response = client.get(&address.url).send().await.map_err(|error| cause(&error))?;
    if !response.status().is_success() {
        return Err(format!("it answers {}", response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
        if bytes.len() + chunk.len() > KEY_SET_BYTES {
            return Err(format!("it is longer than {} KiB", KEY_SET_BYTES / 1024));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn client(address: &KeySetAddress, context: &Context) -> Result<Client, String> {
    let mut builder = Client::builder().timeout(FETCH_TIMEOUT).redirect(Policy::none()).pool_max_idle_per_host(0);
    if let Some(path) = &address.ca_file {
        let pem = std::fs::read(context.project.join(path)).map_err(|error| format!("{}: {error}", path.display()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| error.to_string())?;
        builder = certificates.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
    }
    builder.build().map_err(|error| error.to_string())
}

/// The innermost cause: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
