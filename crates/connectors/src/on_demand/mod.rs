//! The target `on-demand`: a product that makes each account itself, from what a hook answers at the first sign-in (Amazon
//! Cognito, Auth0, Keycloak, FusionAuth), or that was given its accounts by its own import (Okta, Ory Kratos).
//!
//! Nothing is sent and nothing is read back. Planning decides who may come and finds namesakes; applying opens the door for
//! them, so that they await their first sign-in; a hook's yes is what is known of them then.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use sterna_core::{
    account::{Account, Identity},
    code::{Code, Finding},
    ids::TargetId,
    pace::Quota,
    password::policy::PasswordPolicy,
    plan::{DRAFT_VERSION, Draft, Drafted, Loss, Password, Strategy},
    port::{
        Answer, Cursor, Descriptor, Difference, DraftRules, Found, Held, InventoryPage, Made, Needs, Operation, Probe,
        Sent, Target, TargetError, Write,
    },
    registry::{Context, TargetKind},
    secrecy::SecretString,
    settings::{Kind, Need, Setting, Values},
    support::TargetSupport,
};

/// Writes in one call: nothing leaves the machine, so it is the ledger that sets the pace.
const BATCH: usize = 500;

const SETTINGS: &[Setting] = &[
    Setting {
        name: "name",
        kind: Kind::Text,
        need: Need::Default("\"on demand\""),
        doc: "What the target is called in reports, for example the user pool.",
    },
    Setting {
        name: "password_policy",
        kind: Kind::Choice(PasswordPolicy::NAMES),
        need: Need::Default("\"generic\""),
        doc: "What the target demands of passwords: right ones that are too weak are answered with \"must change\" where the \
              hook can say so.",
    },
];

/// The kind.
pub struct OnDemand;

#[async_trait]
impl TargetKind for OnDemand {
    fn kind(&self) -> &'static str {
        "on-demand"
    }

    fn title(&self) -> &'static str {
        "a product that makes accounts itself, from what a hook answers at the first sign-in, or by an import of its own"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "# name = \"eu-west-1_AbCdEf\"         # for reports\n# password_policy = \"generic\"\n"
    }

    fn support(&self) -> Option<TargetSupport> {
        Some(TargetSupport {
            does: &[],
            strategies: &[Strategy::JustInTime],
            quota: "none: nothing is sent",
            tested_with: &[],
        })
    }

    fn check(&self, _: &Values) -> Vec<Finding> {
        Vec::new()
    }

    async fn connect(&self, values: &Values, _: &Context) -> Result<Arc<dyn Target>, TargetError> {
        let policy = values.text("password_policy").and_then(PasswordPolicy::named);
        let descriptor = Descriptor {
            kind: self.kind().to_owned(),
            name: values.text("name").unwrap_or("on demand").to_owned(),
            local_issuer: "on-demand".to_owned(),
            password_policy: policy.unwrap_or_else(PasswordPolicy::generic),
            settling: Duration::ZERO,
            request_timeout: Duration::from_secs(1),
            batch: BATCH,
            concurrency: 1,
            quota: Quota { lanes: 1, per_lane: 1e6, overall: 1e6, share: 1.0, window: Duration::from_secs(10) },
            room: None,
            accounts: Some(0),
            flag: None,
            moves_at_sign_in: true,
            reads_back: false,
            providers: None,
            fingerprint: BTreeMap::new(),
        };
        Ok(Arc::new(Door { descriptor }))
    }
}

/// The door that accounts come through.
struct Door {
    descriptor: Descriptor,
}

#[async_trait]
impl Target for Door {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Only what one signs in with at a hook is drafted: the profile is made from the source's record when it is asked for.
    fn draft(&self, account: &Account, rules: &DraftRules<'_>) -> Drafted {
        let identities: Vec<Identity> = account.identities.iter().filter(|known| known.is_local()).cloned().collect();
        if identities.is_empty() {
            return Drafted::Hold(Loss::new(Code::L4004, "identities"));
        }
        let federated = account.identities.iter().filter_map(|identity| match identity {
            Identity::Federated { issuer, .. } => Some(Loss::new(Code::L1003, issuer.clone())),
            Identity::Local { .. } => None,
        });
        let mut losses: Vec<Loss> = federated.collect();
        losses.sort();
        losses.dedup();
        // any other strategy opens no door
        let password = if rules.strategy == Strategy::JustInTime { Password::AtSignIn } else { Password::Reset };
        let attributes = BTreeMap::new();
        let draft = Draft { version: DRAFT_VERSION, key: rules.key, attributes, identities, password };
        Drafted::Draft { draft, losses }
    }

    fn compare(&self, _: &Draft, _: &Held) -> Vec<Difference> {
        Vec::new()
    }

    async fn preflight(&self, _: &Needs) -> Vec<Finding> {
        Vec::new()
    }

    async fn missing(&self) -> Result<Vec<Made>, TargetError> {
        Ok(Vec::new())
    }

    async fn prepare(&self, _: &[Made]) -> Result<Vec<Made>, TargetError> {
        Ok(Vec::new())
    }

    async fn find(&self, probes: &[Probe]) -> Result<Vec<Found>, TargetError> {
        Ok(probes.iter().map(|_| Found::default()).collect())
    }

    async fn inventory(&self, _: Option<&Cursor>) -> Result<InventoryPage, TargetError> {
        Ok(InventoryPage { held: Vec::new(), next: None })
    }

    async fn apply(&self, _: usize, batch: &[Write]) -> Sent {
        let answers = batch.iter().map(|write| match &write.operation {
            // our own key stands for the id that nobody tells us
            Operation::Create { draft, .. } => Answer::Holds(TargetId(draft.key.to_string())),
            Operation::Update { id, .. }
            | Operation::Link { id, .. }
            | Operation::Unlink { id, .. }
            | Operation::Remove { id } => Answer::Holds(id.clone()),
        });
        Sent { answers: answers.collect(), pressure: None }
    }

    async fn read_back(&self, _: &[TargetId]) -> Result<Vec<Option<Held>>, TargetError> {
        let message = "accounts on demand cannot be read back: the product tells nobody what it made";
        Err(TargetError::new(Code::E2014, message).hint("`sterna status` shows what was answered at sign-ins"))
    }

    async fn set_credential(&self, _: &TargetId, _: &SecretString) -> Answer {
        Answer::Refuses { code: Code::E2014, detail: "nothing can be written on demand".to_owned() }
    }
}
