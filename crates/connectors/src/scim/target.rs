//! The target: a service that was connected to. Start at [`ScimTarget::connect`].

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use sterna_core::{
    account::Account,
    code::Finding,
    ids::TargetId,
    plan::{Draft, Drafted},
    port::{
        Answer, Cursor, Descriptor, Difference, DraftRules, Found, Held, InventoryPage, Made, Needs, Probe, Sent,
        Target, TargetError, Write,
    },
    registry::Context,
    secrecy::SecretString,
};
use tokio::time::Instant;

use super::{
    answer::{Asked, silence},
    apply::Prepared,
    associations::Associations,
    bulking::Bulking,
    compare,
    config::{GroupUse, ResetUse, TargetConfig},
    discovery::{self, Discovered, Offers},
    draft,
    gathering::Gathering,
    joining::Joining,
    lookup::user_path,
    members::{self, Members},
    references::References,
    sending::{Request, Sender, not_sent},
    service::Service,
    shape::Shape,
    write,
};

/// Accounts in one call where single requests are sent: few, so that a lost call leaves few in doubt.
const SINGLES: usize = 20;

/// A SCIM service as a target.
pub struct ScimTarget {
    pub(super) service: Service,
    pub(super) config: TargetConfig,
    pub(super) shape: Shape,
    pub(super) offers: Offers,
    /// What was learnt when it was connected to and is not as it should be.
    pub(super) learnt: Vec<Finding>,
    pub(super) bulking: Bulking,
    pub(super) joining: Mutex<Joining>,
    pub(super) groups: Members,
    pub(super) roles: Members,
    pub(super) references: References,
    /// Whether look-ups go by filters: until one shows that they mean nothing.
    pub(super) filters: AtomicBool,
    /// Whether accounts are changed by PATCH: as announced, until one is answered as if there were none.
    pub(super) patches: AtomicBool,
    pub(super) associations: Option<Associations>,
    /// Where bulk requests are counted: several calls go into one.
    gathering: Option<Gathering<(Write, Instant), Answer>>,
    descriptor: Descriptor,
}

impl ScimTarget {
    /// Connects: learns what the service offers, its limits and its schemas.
    ///
    /// # Errors
    /// [`TargetError`] when it cannot be reached, or does not let us in.
    pub async fn connect(config: TargetConfig, context: &Context) -> Result<Self, TargetError> {
        let service = Service::new(&config, context)?;
        let Discovered { offers, schemas, findings } = discovery::discover(&service, &config).await?;
        let shape = Shape::new(&config, schemas);
        let joining = if shape.dialect.has_or { Joining::new() } else { Joining::Never };
        let mut descriptor = descriptor(&config, &shape, &offers);
        descriptor.accounts = count(&service).await;
        Ok(Self {
            gathering: gathering(&shape, &offers, &descriptor),
            bulking: Bulking::new(offers.bulk),
            joining: Mutex::new(joining),
            groups: Members::new(members::GROUPS, config.settling),
            roles: Members::new(members::ROLES, config.settling),
            // at WSO2 they are resolved, or refused (wso2-scim.md 2.11, 6)
            references: References::new(shape.dialect.store.is_some()),
            filters: AtomicBool::new(offers.filter),
            patches: AtomicBool::new(offers.patch),
            associations: config.associations.clone().map(|base| Associations::new(base, config.federated)),
            service,
            config,
            shape,
            offers,
            learnt: findings,
            descriptor,
        })
    }

    /// Sends what several calls brought; what waited for too long would not be over in the time that its call has.
    async fn send_gathered(&self, items: Vec<(Write, Instant)>) -> Vec<Answer> {
        let now = Instant::now();
        let batch: Vec<Write> = items.iter().filter(|(_, latest)| now <= *latest).map(|(one, _)| one.clone()).collect();
        let mut answers = self.send_batch(&batch).await.answers.into_iter();
        let answer = |(_, latest): &(Write, Instant)| {
            let sent = if now <= *latest { answers.next() } else { None };
            sent.unwrap_or_else(|| not_sent("the service takes few requests, and this one's time was over"))
        };
        items.iter().map(answer).collect()
    }

    /// Sends one request by itself.
    async fn send_one(&self, request: &Request<'_>) -> Answer {
        let deadline = Instant::now() + self.service.timeout();
        Sender { service: &self.service, bulking: &self.bulking, deadline }.send_alone(request).await
    }

    /// Without PATCH the whole account is written, with the password in it.
    async fn rewrite_credential(&self, id: &TargetId, password: &SecretString) -> Answer {
        let body = |user: &Value| Ok(Some(write::credential_put(&self.shape, user, password)));
        match self.rewrite(id, body).await {
            Prepared::Request(request) => self.send_one(&Request { asked: Asked::Credential(id), ..*request }).await,
            Prepared::Answer(answer) => answer,
            Prepared::After => silence("nothing was to be written"),
        }
    }
}

/// How many users there are: a page of none that says so.
async fn count(service: &Service) -> Option<u64> {
    service.try_get("/Users?startIndex=1&count=0&attributes=id").await?.get("totalResults")?.as_u64()
}

/// How long one call may take: the accounts, and then what belongs to them.
fn longest(config: &TargetConfig) -> Duration {
    let is_more = config.associations.is_some()
        || config.groups != GroupUse::LeaveOut
        || config.roles
        || config.reset == ResetUse::Force;
    if is_more { config.timeout * 2 } else { config.timeout }
}

/// Where a service counts bulk requests, they leave evenly, and full.
fn gathering<I, O>(shape: &Shape, offers: &Offers, descriptor: &Descriptor) -> Option<Gathering<I, O>> {
    let budget = shape.dialect.budget.filter(|_| offers.bulk.is_some())?;
    Some(Gathering::new(descriptor.batch, budget.window / budget.bulk.max(1)))
}

fn descriptor(config: &TargetConfig, shape: &Shape, offers: &Offers) -> Descriptor {
    let batch = match offers.bulk {
        // memberships go with the accounts and take places of their own
        Some(limits) if config.groups != GroupUse::LeaveOut || config.roles => {
            config.batch.min(limits.operations - limits.operations.div_ceil(10))
        }
        Some(limits) => config.batch.min(limits.operations),
        None => config.batch.min(SINGLES),
    };
    // what is gathered waits for its turn, and behind one that is being sent
    let counted = shape.dialect.budget.filter(|_| offers.bulk.is_some());
    let turn = counted.map(|budget| budget.window / budget.bulk.max(1) + longest(config)).unwrap_or_default();
    // and so many calls have to wait that a request is full
    let calls = if counted.is_some() { batch.max(config.concurrency) } else { config.concurrency };
    Descriptor {
        kind: config.product.kind().to_owned(),
        name: config.name.clone(),
        local_issuer: config.name.clone(),
        password_policy: shape.policy.clone(),
        settling: config.settling,
        request_timeout: turn + longest(config),
        batch: batch.max(1),
        concurrency: calls,
        quota: config.quota.clone(),
        room: None,
        accounts: None,
        flag: shape.flag.clone(),
        moves_at_sign_in: shape.flag.is_some(),
        reads_back: true,
        providers: shape.providers.clone(),
        fingerprint: shape.fingerprint(),
    }
}

#[async_trait]
impl Target for ScimTarget {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn draft(&self, account: &Account, rules: &DraftRules<'_>) -> Drafted {
        draft::draft(&self.shape, account, rules)
    }

    fn compare(&self, draft: &Draft, held: &Held) -> Vec<Difference> {
        compare::compare(&self.shape, draft, held)
    }

    async fn preflight(&self, needs: &Needs) -> Vec<Finding> {
        self.check_all(needs).await
    }

    async fn missing(&self) -> Result<Vec<Made>, TargetError> {
        Ok(Vec::new())
    }

    async fn prepare(&self, _intended: &[Made]) -> Result<Vec<Made>, TargetError> {
        Ok(Vec::new())
    }

    async fn find(&self, probes: &[Probe]) -> Result<Vec<Found>, TargetError> {
        self.look_up(probes).await
    }

    async fn inventory(&self, cursor: Option<&Cursor>) -> Result<InventoryPage, TargetError> {
        self.read_inventory(cursor).await
    }

    async fn apply(&self, _lane: usize, batch: &[Write]) -> Sent {
        let Some(gathering) = self.gathering.as_ref().filter(|_| self.bulking.limits().is_some()) else {
            return self.send_batch(batch).await;
        };
        let latest = Instant::now() + self.descriptor.request_timeout.saturating_sub(longest(&self.config));
        let items = batch.iter().map(|one| (one.clone(), latest)).collect();
        let came = gathering.send(items, |items| Box::pin(self.send_gathered(items))).await;
        let answers =
            came.into_iter().map(|answer| answer.unwrap_or_else(|| silence("nobody can say what became of it")));
        Sent { answers: answers.collect(), pressure: None }
    }

    async fn read_back(&self, ids: &[TargetId]) -> Result<Vec<Option<Held>>, TargetError> {
        self.read_accounts(ids).await
    }

    async fn set_credential(&self, id: &TargetId, password: &SecretString) -> Answer {
        if !self.patches.load(Ordering::Relaxed) {
            return self.rewrite_credential(id, password).await;
        }
        let body = Some(write::credential_body(&self.shape, password));
        let (asked, method, path) = (Asked::Credential(id), "PATCH", user_path(id));
        let answer = self.send_one(&Request { asked, method, path, body, version: None }).await;
        if self.lacks_patch(&answer) { self.rewrite_credential(id, password).await } else { answer }
    }
}
