//! A running service: accounts `1`, `2`, … are at the target as `t-1`, `t-2`, … and await their first sign-in.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::Client;
use serde_json::{Value, json};
use sterna_core::{
    account::{Account, Identity},
    code::Finding,
    hook::Who,
    ids::{Ordinal, SourceKey, TargetId},
    legacy::{Chain, Link},
    plan::{Action, DRAFT_VERSION, Draft, Password, Planned},
    port::Record,
    registry::Context,
    secrecy::SecretString,
    settings::{SecretRef, Secrets, Values},
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
    time::{Clock, Entropy, Moment, NoEntropy, Timestamp},
};
use sterna_ledger::{
    Ledger,
    key::ProjectKey,
    planning::{Decision, InCohort},
    reading::SourceName,
    sending::Outcome,
    steps::Standing,
};
use sterna_serve::{Config, Confirm, HookSpec, Parts, Running, SweepRules, guard::Limits};

use crate::{
    old::Old,
    target::{Here, New},
    wire::Plain,
};

pub(crate) const TOKEN: &str = "the token of the tests";

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) old: Arc<Old>,
    pub(crate) new: Arc<New>,
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) running: Arc<Running>,
    key: ProjectKey,
}

/// What a test changes of the usual.
pub(crate) struct Options {
    pub(crate) accounts: usize,
    pub(crate) limits: Limits,
    pub(crate) places: usize,
    pub(crate) confirm: Confirm,
    pub(crate) sweep: SweepRules,
    pub(crate) deadline: Duration,
    pub(crate) writes: bool,
    pub(crate) without_target: bool,
    pub(crate) key_set_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            accounts: 5,
            limits: Limits::default(),
            places: 64,
            confirm: Confirm::Always,
            sweep: SweepRules { per_second: 0.0, ..SweepRules::default() },
            deadline: Duration::from_millis(800),
            writes: false,
            without_target: false,
            key_set_url: None,
        }
    }
}

struct Outside {
    folder: PathBuf,
}

impl Secrets for Outside {
    fn reveal(&self, reference: &SecretRef) -> Result<SecretString, Box<Finding>> {
        let SecretRef::File(path) = reference else { panic!("tests have files") };
        Ok(std::fs::read_to_string(self.folder.join(path)).unwrap().into())
    }
}

impl Clock for Outside {
    fn now(&self) -> Moment {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Moment { wall: Timestamp(since.as_millis().try_into().unwrap()), boot: 1, since_boot_ms: 1 }
    }
}

impl Entropy for Outside {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(7);
        Ok(())
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), TOKEN).unwrap();
        let key = ProjectKey::create(&folder.path().join("sterna.key")).unwrap();
        let ledger = Arc::new(Ledger::create(&folder.path().join(".sterna"), &key, Timestamp(1)).await.unwrap());
        let new = New::made();
        fill(&ledger, &new, options.accounts).await;
        let old = Arc::new(Old::default());
        let running = start(folder.path(), &ledger, &old, &new, options).await;
        let address = running.address();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { folder, ledger, old, new, client, address, running, key }
    }

    /// The same project after a restart of the service.
    pub(crate) async fn restarted(self, options: Options) -> Self {
        self.running.shutdown().await;
        drop(self.ledger);
        let folder = self.folder.path().join(".sterna");
        let ledger = Arc::new(Ledger::open(&folder, &self.key).await.unwrap());
        let running = start(self.folder.path(), &ledger, &self.old, &self.new, options).await;
        Self { ledger, address: running.address(), running, ..self }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/hooks/plain{path}", self.address)
    }

    /// Calls the hook and gives its answer.
    pub(crate) async fn call(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(self.url(path)).header("authorization", TOKEN).body(body.to_string());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{body}");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    /// The decision on a password for an account, from an address.
    pub(crate) async fn decide(&self, id: &str, password: &str, ip: &str) -> String {
        let body = json!({ "id": id, "password": password, "ip": ip });
        self.call("", &body).await["decision"].as_str().unwrap().to_owned()
    }

    /// The right password from an address of its own.
    pub(crate) async fn right(&self, number: usize) -> String {
        self.decide(&format!("t-{number}"), &format!("correct-{number}"), &format!("192.0.2.{number}")).await
    }

    pub(crate) async fn standing(&self, number: usize) -> Standing {
        let who = Who::TargetId(TargetId(format!("t-{number}")));
        self.ledger.meant(who).await.unwrap().candidate.unwrap().standing
    }

    pub(crate) async fn credential(&self, number: usize) -> CredentialState {
        self.standing(number).await.credential
    }

    /// Moves an account's profile as a phase beside the service does.
    pub(crate) async fn step(&self, number: usize, event: ProfileEvent, credential: Option<CredentialEvent>) {
        let ordinal = Ordinal(i64::try_from(number).unwrap());
        let outcome = Outcome { credential, ..Outcome::step(ordinal, event) };
        self.ledger.settle(vec![outcome], Timestamp(2)).await.unwrap();
    }

    /// Waits until something holds.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        let began = Instant::now();
        while !holds().await {
            assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn start(
    folder: &std::path::Path,
    ledger: &Arc<Ledger>,
    old: &Arc<Old>,
    new: &Arc<New>,
    options: Options,
) -> Arc<Running> {
    let outside = Arc::new(Outside { folder: folder.to_owned() });
    let context = Context {
        project: folder.to_owned(),
        secrets: Arc::clone(&outside) as Arc<dyn Secrets>,
        clock: Arc::clone(&outside) as Arc<dyn Clock>,
        entropy: outside,
    };
    let link = Link {
        name: "old".into(),
        sources: Vec::new(),
        rules: Vec::new(),
        go_on: Vec::new(),
        check: Arc::clone(old) as Arc<dyn sterna_core::legacy::LegacyCheck>,
    };
    let values =
        Values::default().with("writes", options.writes.into()).with("key_set_url", options.key_set_url.into());
    let hook = HookSpec {
        name: "plain".into(),
        kind: &Plain,
        values,
        deadline: Some(options.deadline),
        shared_addresses: vec!["198.51.100.0/24".parse().unwrap()],
    };
    let loopback = "127.0.0.1:0".parse().unwrap();
    let config = Config {
        listen: loopback,
        metrics_listen: Some(loopback),
        tls: None,
        trusted_proxies: Vec::new(),
        connections: 512,
        places: options.places,
        limits: options.limits,
        confirm: options.confirm,
        sweep: options.sweep,
        keep_attempts: Duration::from_hours(24),
        hooks: vec![hook],
    };
    let target: Option<Box<dyn sterna_serve::Connect>> =
        if options.without_target { None } else { Some(Box::new(Here(Arc::clone(new)))) };
    let with_target = target.is_some();
    let parts = Parts {
        ledger: Arc::clone(ledger),
        chain: Chain(vec![link]),
        target,
        context,
        metrics: PrometheusBuilder::new().build_recorder().handle(),
    };
    let running = sterna_serve::start(config, parts).await.unwrap();
    if with_target {
        // the target is connected to beside the start
        let url = format!("http://{}/readyz", running.address());
        let client = Client::builder().no_proxy().build().unwrap();
        let began = Instant::now();
        while client.get(&url).send().await.unwrap().status() != 200 {
            assert!(began.elapsed() < Duration::from_secs(10), "it never gets ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    running
}

/// Reads, plans and applies accounts, as the phases do.
async fn fill(ledger: &Ledger, new: &New, accounts: usize) {
    let name = SourceName { name: "legacy".into(), formerly: None, connector: "csv".into() };
    let row = ledger.register(vec![name]).await.unwrap().remove(0);
    let row = ledger.begin_pass(&row, false).await.unwrap();
    let mut next = ledger.next_ordinal().await.unwrap();
    let records = (1..=accounts).map(|number| Record::Account(Box::new(person(number)))).collect();
    let page = ledger.seal_new(&row, records, &mut next).unwrap();
    ledger.store_new(&row, page, None).await.unwrap();
    ledger.finish_pass(&row).await.unwrap();
    let loaded = ledger.records(Ordinal(0), 100_000, &[ProfileState::Seen]).await.unwrap();
    let decisions: Vec<Decision> = loaded
        .iter()
        .map(|record| {
            let draft = Draft {
                version: DRAFT_VERSION,
                key: ledger.account_key(record.source, &record.account.key),
                attributes: std::collections::BTreeMap::default(),
                identities: record.account.identities.clone(),
                password: Password::AtSignIn,
            };
            Decision {
                ordinal: record.ordinal,
                from: record.standing,
                event: ProfileEvent::Plan,
                action: Some(Action::Create),
                code: None,
                cohort: InCohort::None,
                planned: Some(Planned::create(draft, Vec::new())),
            }
        })
        .collect();
    let ordinals: Vec<Ordinal> = decisions.iter().map(|decision| decision.ordinal).collect();
    let mut decisions = decisions.into_iter().peekable();
    while decisions.peek().is_some() {
        ledger.decide(decisions.by_ref().take(500).collect(), Timestamp(1)).await.unwrap();
    }
    let worker = ledger.begin_run("apply", Timestamp(1)).await.unwrap();
    let until = Moment { wall: Timestamp(1), boot: 1, since_boot_ms: 1 };
    for chunk in ordinals.chunks(500) {
        ledger.intend(worker, chunk.to_vec(), until, Timestamp(1)).await.unwrap();
        let outcomes = chunk.iter().map(|ordinal| Outcome {
            credential: Some(CredentialEvent::Created(CredentialState::AwaitingSignIn)),
            target: Some(TargetId(format!("t-{ordinal}"))),
            origin: Some(Action::Create),
            ..Outcome::step(*ordinal, ProfileEvent::Holds)
        });
        ledger.settle(outcomes.collect(), Timestamp(1)).await.unwrap();
    }
    for ordinal in ordinals {
        new.hold(&format!("t-{ordinal}"));
    }
}

fn person(number: usize) -> Account {
    let mut account = Account::new(SourceKey::new(number.to_string()).unwrap());
    account.profile.display_name = Some(format!("Person {number}"));
    account.identities.push(Identity::email(format!("p{number}@example.com")));
    account
}
