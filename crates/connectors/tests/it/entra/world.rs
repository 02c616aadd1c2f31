//! An emulated tenant, and the target or source that is connected to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use sterna_connectors::registry;
use sterna_core::{
    account::{Account, Credential, Identity},
    code::Finding,
    ids::{AccountKey, Ordinal, SourceKey, SourceUid, TargetId},
    plan::{Draft, Drafted, Loss, Strategy},
    port::{Answer, DraftRules, Operation, Probe, Source, Target, TargetError, Write},
    registry::Context,
    secrecy::{ExposeSecret, SecretString},
    settings::{self, Document, SecretRef, Secrets, Setting, Values},
    time::{Clock, Entropy, Moment, NoEntropy, Timestamp},
};
use sterna_emulators::{
    Emulator,
    entra::{Kind, Options, Scenario},
};
use uuid::Uuid;

/// An emulated tenant.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) kind: Kind,
    pub(crate) context: Context,
    http: reqwest::Client,
}

impl World {
    /// A tenant without read delay, and what `scenario` says.
    pub(crate) async fn start(kind: Kind, scenario: &str) -> Self {
        let mut options = Options::new(kind);
        options.scenario = Scenario::parse(scenario).expect("the scenario reads");
        options.read_delay_ms.get_or_insert_with(|| options.scenario.read_delay_ms.unwrap_or(0));
        Self::with(options).await
    }

    /// A tenant of an emulator that is started in a special way.
    pub(crate) async fn with(options: Options) -> Self {
        let kind = options.kind;
        let emulator = sterna_emulators::entra::start(options).await.expect("the emulator starts");
        let secret = emulator.ready().client_secret.clone().unwrap_or_default();
        let secrets = BTreeMap::from([("SECRET".to_owned(), secret)]);
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { emulator, kind, context: context(secrets), http }
    }

    pub(crate) async fn external_id(scenario: &str) -> Self {
        Self::start(Kind::EntraExternalId, scenario).await
    }

    pub(crate) async fn b2c(scenario: &str) -> Self {
        Self::start(Kind::AzureAdB2c, scenario).await
    }

    /// The lines that point a project at the emulator.
    pub(crate) fn connection(&self) -> String {
        let ready = self.emulator.ready();
        format!(
            "tenant = '{}'\nclient_id = '{}'\nclient_secret = {{ env = 'SECRET' }}\ngraph_url = '{}'\nlogin_url = '{}'\n",
            ready.tenant.as_deref().unwrap(),
            ready.client_id.as_deref().unwrap(),
            ready.graph_url.as_deref().unwrap(),
            ready.login_url.as_deref().unwrap(),
        )
    }

    /// The target with everything made that rows depend on.
    pub(crate) async fn target(&self) -> Arc<dyn Target> {
        let target = self.connect(&format!("{}settling_secs = 1\n", self.connection())).await.expect("it connects");
        target.prepare(&[]).await.expect("it prepares");
        target
    }

    pub(crate) async fn connect(&self, text: &str) -> Result<Arc<dyn Target>, TargetError> {
        let kind = registry::TARGETS.iter().find(|kind| kind.kind() == self.kind.name()).expect("a kind of target");
        let values = values(text, kind.settings()).expect("right settings");
        assert_eq!(kind.check(&values), []);
        kind.connect(&values, &self.context).await
    }

    pub(crate) fn source(&self, text: &str) -> Box<dyn Source> {
        let kind = registry::SOURCES.iter().find(|kind| kind.kind() == "azure-ad-b2c").expect("a kind of source");
        let values = values(text, kind.settings()).expect("right settings");
        kind.open(&values, &self.context).expect("it opens")
    }

    /// Everything that the tenant holds, and the counters.
    pub(crate) async fn state(&self) -> Value {
        self.http.get(self.state_url()).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn users(&self) -> Vec<Value> {
        self.state().await["users"].as_array().unwrap().clone()
    }

    /// The control side.
    pub(crate) async fn control(&self, method: reqwest::Method, path: &str, body: Value) {
        let url = format!("{}{path}", self.state_url());
        let answer = self.http.request(method, url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Replaces what goes wrong.
    pub(crate) async fn faults(&self, faults: Value) {
        self.control(reqwest::Method::POST, "/faults", json!({ "seed": 1, "faults": faults })).await;
    }

    fn state_url(&self) -> &str {
        self.emulator.ready().state_url.as_deref().unwrap()
    }
}

/// Checked values of a table.
pub(crate) fn values(text: &str, settings: &'static [Setting]) -> Result<Values, Vec<Finding>> {
    let document = Document { file: PathBuf::from("sterna.toml"), text: text.to_owned() };
    let table = document.parse().map_err(|finding| vec![*finding])?;
    let mut findings = Vec::new();
    let values = settings::check(&document, table.get_ref(), table.span(), settings, "[target]", &mut findings);
    if findings.is_empty() { Ok(values) } else { Err(findings) }
}

pub(crate) fn context(secrets: BTreeMap<String, String>) -> Context {
    Context {
        project: std::env::temp_dir(),
        secrets: Arc::new(Known(secrets)),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(Counting(AtomicU64::new(1))),
    }
}

struct Known(BTreeMap<String, String>);

impl Secrets for Known {
    fn reveal(&self, reference: &SecretRef) -> Result<SecretString, Box<Finding>> {
        let SecretRef::Env(name) = reference else { panic!("tests give secrets by name") };
        Ok(self.0.get(name).expect("a known secret").clone().into())
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let millis = i64::try_from(since.as_millis()).unwrap();
        Moment { wall: Timestamp(millis), boot: 1, since_boot_ms: millis.unsigned_abs() }
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for byte in bytes {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = state.wrapping_mul(state | 1).to_be_bytes()[2];
        }
        Ok(())
    }
}

/// The key of a test's record.
pub(crate) fn key(name: &str) -> AccountKey {
    AccountKey::make(&Uuid::from_u128(7), SourceUid(Uuid::from_u128(8)), &SourceKey::new(name).unwrap())
}

/// A record with a name and identities.
pub(crate) fn person(name: &str, identities: &[Identity]) -> Account {
    let mut account = Account::new(SourceKey::new(name).unwrap());
    account.profile.display_name = Some(name.to_owned());
    account.identities = identities.to_vec();
    account
}

/// The same with a password in the clear.
pub(crate) fn with_password(mut account: Account, password: &str) -> Account {
    account.credential = Credential::Plaintext(password.into());
    account
}

/// What the target makes of an account under the usual issuers.
pub(crate) fn drafted(target: &dyn Target, account: &Account, strategy: Strategy) -> Drafted {
    let issuers = BTreeMap::from([
        ("facebook.com".to_owned(), "facebook.com".to_owned()),
        ("google.com".to_owned(), "google.com".to_owned()),
    ]);
    let taken = BTreeSet::new();
    let key = key(account.key.as_str());
    target.draft(account, &DraftRules { key, mapped: BTreeMap::new(), strategy, issuers: &issuers, taken: &taken })
}

/// The draft, which there has to be.
pub(crate) fn draft(target: &dyn Target, account: &Account) -> (Draft, Vec<Loss>) {
    match drafted(target, account, Strategy::JustInTime) {
        Drafted::Draft { draft, losses } => (draft, losses),
        Drafted::Hold(loss) => panic!("held: {loss:?}"),
    }
}

/// The create of an account.
pub(crate) fn create(target: &dyn Target, account: &Account) -> Write {
    let (draft, _) = draft(target, account);
    let password = match &account.credential {
        Credential::Plaintext(text) => Some(text.expose_secret().into()),
        _ => None,
    };
    write(Operation::Create { draft, password })
}

pub(crate) fn write(operation: Operation) -> Write {
    Write { ordinal: Ordinal(1), operation }
}

/// Sends one write over the first lane.
pub(crate) async fn send(target: &dyn Target, one: Write) -> Answer {
    let sent = target.apply(0, &[one]).await;
    assert_eq!(sent.answers.len(), 1);
    sent.answers.into_iter().next().unwrap()
}

/// Makes an account, which has to succeed.
pub(crate) async fn made(target: &dyn Target, account: &Account) -> TargetId {
    match send(target, create(target, account)).await {
        Answer::Holds(id) => id,
        other => panic!("not made: {other:?}"),
    }
}

/// What a look-up by an account's key and identities finds.
pub(crate) async fn found(target: &dyn Target, account: &Account) -> sterna_core::port::Found {
    let (draft, _) = draft(target, account);
    let probe = Probe { key: draft.key, identities: draft.identities };
    target.find(&[probe]).await.expect("a look-up").remove(0)
}
