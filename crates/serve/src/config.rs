//! What the service runs on, made by the program from checked settings.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;
use sterna_core::{
    hook::{HookKind, PasswordRules},
    settings::Values,
};

use crate::guard::Limits;

/// Everything that `[serve]` and `[hooks.*]` say.
pub struct Config {
    /// Where hooks are answered.
    pub listen: SocketAddr,
    /// Where metrics and health are told; nowhere when left out.
    pub metrics_listen: Option<SocketAddr>,
    /// TLS by these files, read again when they change; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections open at one time.
    pub connections: usize,
    /// Attempts under way at one time.
    pub places: usize,
    /// Limits on attempts.
    pub limits: Limits,
    /// How the target is asked whether the password is still the one it was made with.
    pub confirm: Confirm,
    /// How the sweep reads back.
    pub sweep: SweepRules,
    /// How long single attempts are kept in the ledger.
    pub keep_attempts: Duration,
    /// The hooks.
    pub hooks: Vec<HookSpec>,
}

/// Certificate and key, PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Whether the target is asked, right before a yes, that the account's password is untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Always; where it does not answer in time, nothing is accepted.
    Always,
    /// Where it answers in time; else what the sweep knows decides.
    WhenReachable,
    /// Never: what the sweep knows decides.
    BySweep,
}

/// How the sweep reads back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepRules {
    /// From the end of one round to the next.
    pub every: Duration,
    /// Every so often a round reads all that wait, not only those that were answered.
    pub all_every: Duration,
    /// Accounts a second.
    pub per_second: f64,
    /// How a change of the password at the target is judged.
    pub password: PasswordRules,
}

/// One `[hooks.NAME]`.
pub struct HookSpec {
    /// NAME; the hook answers under `/hooks/NAME`.
    pub name: Arc<str>,
    /// Its kind.
    pub kind: &'static dyn HookKind,
    /// The kind's own settings.
    pub values: Values,
    /// From the arrival of a call to its answer; the dialect's own where left out.
    pub deadline: Option<Duration>,
    /// Addresses that are many people's: back ends, gateways. They are not limited as one person's.
    pub shared_addresses: Vec<IpNet>,
}

impl Default for SweepRules {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(30),
            all_every: Duration::from_hours(1),
            per_second: 20.0,
            password: PasswordRules::default(),
        }
    }
}
