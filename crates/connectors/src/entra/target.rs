//! The target: a tenant that was connected to. Start at [`EntraTarget::connect`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use reqwest::Method;
use sterna_core::{
    account::Account,
    code::Finding,
    ids::TargetId,
    password::policy::PasswordPolicy,
    plan::{Draft, Drafted},
    port::{
        Answer, Cursor, Descriptor, Difference, Found, Held, InventoryPage, Made, Needs, Probe, Sent, Target,
        TargetError, Write,
    },
    registry::Context,
    secrecy::SecretString,
};
use tokio::sync::{Mutex, OnceCell};

use super::{
    answer::Asked,
    apply::HeldUp,
    compare,
    config::TargetConfig,
    draft,
    dto::{Domain, ExtensionProperty},
    graph::Graph,
    shape::Shape,
    tenant::{self, ExtensionApp},
    write,
};

/// How long between two questions whether the flag's attribute was made meanwhile.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// A tenant of Entra External ID or Azure AD B2C as a target.
pub struct EntraTarget {
    pub(super) graph: Graph,
    pub(super) config: TargetConfig,
    pub(super) shape: Shape,
    pub(super) app: ExtensionApp,
    pub(super) local_issuer: String,
    pub(super) domains: Option<Vec<Domain>>,
    /// The application's attributes when it was connected to, by full name.
    pub(super) defined: BTreeMap<String, ExtensionProperty>,
    /// Full names of attributes that can be written.
    available: RwLock<BTreeSet<String>>,
    /// When the tenant was last asked for the flag's attribute, which it lacked before.
    asked_again: Mutex<Option<Instant>>,
    /// Whether sign-in activity may be read, once that is known.
    pub(super) activity: OnceCell<bool>,
    pub(super) held_up: HeldUp,
    descriptor: Descriptor,
}

impl EntraTarget {
    /// Connects: gets a token, and learns the tenant's domains, attributes, providers and room.
    ///
    /// # Errors
    /// [`TargetError`] when it cannot be reached, gives no token, or lacks what no draft can be made without.
    pub async fn connect(config: TargetConfig, context: &Context) -> Result<Self, TargetError> {
        let graph = Graph::new(&config.connection, context)?;
        let domains = tenant::domains(&graph).await?;
        let initial = tenant::initial_domain(domains.as_deref(), &config.connection.tenant);
        let default = tenant::default_domain(domains.as_deref(), &config.connection.tenant);
        let local_issuer = config.local_issuer.clone().or(default).ok_or_else(no_domain)?;
        let upn_domain = config.upn_domain.clone().or(initial).ok_or_else(no_domain)?;
        let app = tenant::extension_app(&graph, &config.connection).await?;
        let defined = tenant::available(&graph, &app).await?;
        let providers = match &config.providers {
            Some(list) => Some(list.iter().map(|issuer| issuer.to_lowercase()).collect()),
            None => tenant::providers(&graph).await,
        };
        let shape = shape(&config, &app, upn_domain, &defined, providers);
        let mut descriptor = descriptor(&config, &shape, &local_issuer);
        descriptor.room = tenant::room(&graph).await;
        descriptor.accounts = graph.count_users().await.ok();
        Ok(Self {
            available: RwLock::new(defined.keys().cloned().collect()),
            asked_again: Mutex::default(),
            activity: OnceCell::new(),
            held_up: HeldUp::default(),
            graph,
            config,
            shape,
            app,
            local_issuer,
            domains,
            defined,
            descriptor,
        })
    }

    /// The attributes that every row depends on: bare name and data type.
    pub(super) fn needed_attributes(&self) -> Vec<(String, String)> {
        let own = [(&self.config.flag, "Boolean"), (&self.config.legacy_id, "String")];
        let own = own.into_iter().map(|(name, sort)| (name.clone(), sort.to_owned()));
        own.chain(self.config.extensions.iter().map(|(name, sort)| (name.clone(), sort.clone()))).collect()
    }

    /// Takes note of attributes that can be written.
    pub(super) fn learn(&self, names: impl Iterator<Item = String>) {
        self.available.write().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// Full names of the attributes that are known to be there.
    pub(super) fn known_extensions(&self) -> Vec<String> {
        self.available.read().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Whether our key can be filtered by.
    pub(super) fn has_legacy_id(&self) -> bool {
        self.is_known(&self.shape.full_name(&self.shape.legacy_id))
    }

    fn is_known(&self, name: &str) -> bool {
        self.available.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Whether the flag can be read and written. Another process may have made its attribute after we connected: where it
    /// is not known the tenant is asked again, at most once in [`ASK_AGAIN`].
    pub(super) async fn has_flag(&self) -> bool {
        let flag = self.shape.full_name(&self.shape.flag);
        if self.is_known(&flag) {
            return true;
        }
        // held while asking: whoever comes meanwhile must not go on as if there were no flag
        let mut asked = self.asked_again.lock().await;
        if !self.is_known(&flag) && asked.is_none_or(|at| at.elapsed() >= ASK_AGAIN) {
            *asked = Some(Instant::now());
            match tenant::available(&self.graph, &self.app).await {
                Ok(available) => self.learn(available.into_keys()),
                Err(error) => tracing::warn!(code = %error.code, "The tenant does not say which attributes it has"),
            }
        }
        self.is_known(&flag)
    }
}

fn no_domain() -> TargetError {
    TargetError::new(sterna_core::code::Code::E2004, "the tenant's domains may not be read")
        .hint("grant Domain.Read.All, or set `local_issuer` and `upn_domain`")
}

fn shape(
    config: &TargetConfig,
    app: &ExtensionApp,
    upn_domain: String,
    defined: &BTreeMap<String, ExtensionProperty>,
    providers: Option<Vec<String>>,
) -> Shape {
    let prefix = app.prefix();
    let there = defined.values().filter_map(|property| {
        let bare = property.name.strip_prefix(&prefix)?;
        Some((bare.to_owned(), property.data_type.clone()))
    });
    let mut extensions: BTreeMap<String, String> = config.extensions.clone();
    extensions.extend(there);
    Shape {
        product: config.product,
        upn_domain,
        prefix,
        flag: config.flag.clone(),
        legacy_id: config.legacy_id.clone(),
        extensions,
        providers,
        relink_issuers: config.relink_issuers.clone().unwrap_or_default(),
        email_sign_in: config.email_sign_in,
        policy: if config.disable_strong_password {
            PasswordPolicy::entra_without_complexity()
        } else {
            PasswordPolicy::entra()
        },
        disable_strong_password: config.disable_strong_password,
    }
}

fn descriptor(config: &TargetConfig, shape: &Shape, local_issuer: &str) -> Descriptor {
    Descriptor {
        kind: config.product.kind().to_owned(),
        name: config.connection.tenant.clone(),
        local_issuer: local_issuer.to_owned(),
        password_policy: shape.policy.clone(),
        settling: config.settling,
        request_timeout: config.connection.timeout,
        batch: config.batch,
        concurrency: config.concurrency * config.connection.applications.len(),
        quota: config.quota.clone(),
        room: None,
        accounts: None,
        flag: Some(shape.full_name(&shape.flag)),
        moves_at_sign_in: true,
        reads_back: true,
        providers: shape.providers.clone(),
        fingerprint: fingerprint(config, shape),
    }
}

/// What drafts name or go by, by setting.
fn fingerprint(config: &TargetConfig, shape: &Shape) -> BTreeMap<String, String> {
    let extensions: Vec<String> = config.extensions.iter().map(|(name, sort)| format!("{name} {sort}")).collect();
    let parts = [
        ("upn_domain", shape.upn_domain.clone()),
        ("extension_app_id", shape.prefix.clone()),
        ("legacy_id_attribute", shape.legacy_id.clone()),
        ("extensions", extensions.join(", ")),
        ("relink_issuers", shape.relink_issuers.join(", ")),
        ("email_sign_in", format!("{:?}", shape.email_sign_in)),
        ("disable_strong_password", shape.disable_strong_password.to_string()),
    ];
    parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[async_trait]
impl Target for EntraTarget {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn draft(&self, account: &Account, rules: &sterna_core::port::DraftRules<'_>) -> Drafted {
        draft::draft(&self.shape, account, rules)
    }

    fn compare(&self, draft: &Draft, held: &Held) -> Vec<Difference> {
        compare::compare(draft, held)
    }

    async fn preflight(&self, needs: &Needs) -> Vec<Finding> {
        self.check_all(needs).await
    }

    async fn missing(&self) -> Result<Vec<Made>, TargetError> {
        self.missing_attributes().await
    }

    async fn prepare(&self, intended: &[Made]) -> Result<Vec<Made>, TargetError> {
        self.make_attributes(intended).await
    }

    async fn find(&self, probes: &[Probe]) -> Result<Vec<Found>, TargetError> {
        self.look_up(probes).await
    }

    async fn inventory(&self, cursor: Option<&Cursor>) -> Result<InventoryPage, TargetError> {
        self.read_inventory(cursor).await
    }

    async fn apply(&self, lane: usize, batch: &[Write]) -> Sent {
        self.send_batch(lane, batch).await
    }

    async fn read_back(&self, ids: &[TargetId]) -> Result<Vec<Option<Held>>, TargetError> {
        self.read_accounts(ids).await
    }

    async fn set_credential(&self, id: &TargetId, password: &SecretString) -> Answer {
        let Some(path) = write::user_path(id) else { return Answer::Lacks };
        let body = write::credential(&self.shape, self.has_flag().await, password);
        self.send_one(Asked::Credential(id), Method::PATCH, &path, &body).await
    }
}
