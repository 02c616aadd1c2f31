//! What the receiver has to know of the package, as one document: counts that add up, the mapping, losses, hashes, files.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sterna_core::{
    account::{Credential, Identity},
    code::Code,
};
use sterna_ledger::status::Status;

use super::{PackedFile, Secrets, Walk, choice::Chosen, form};

/// The version of the package's form.
const VERSION: u32 = 1;

/// `manifest.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Always `sterna-handover`.
    pub format: &'static str,
    /// The version of the form.
    pub version: u32,
    /// The program that made it.
    pub made_by: String,
    /// When it was made (RFC 3339).
    pub made_at: String,
    /// The project's name.
    pub project: String,
    /// The sources: name and connector.
    pub sources: BTreeMap<String, String>,
    /// For which target the accounts were planned: kind and name; without a plan they are as they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The cohort that the package is limited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    /// Which secrets go along.
    pub secrets: Secrets,
    /// Counts of the accounts of the package.
    pub accounts: Counts,
    /// Who is not in the package, and why.
    pub left_out: LeftOut,
    /// Whether accounts of the package, accounts left out and rejected records are all records that were read.
    pub adds_up: bool,
    /// What of an account goes where.
    pub mapping: Vec<Mapped>,
    /// Issuers of identities: as sources name them (lower case) → `idp`.
    pub issuers: BTreeMap<String, String>,
    /// The SCIM schema under which further attributes stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// What the package, or the target that it was planned for, does not hold of its accounts.
    pub losses: Vec<LossCount>,
    /// The formats of the hashes, and how each is checked.
    pub hashes: Vec<HashGroup>,
    /// The files, in order; this one and README.txt come after them.
    pub files: Vec<PackedFile>,
}

/// For which target accounts were planned.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The connector's kind.
    pub target: String,
    /// The tenant or service.
    pub name: String,
}

/// One line of the mapping.
#[derive(Clone, Debug, Serialize)]
pub struct Mapped {
    /// What of the account.
    pub from: String,
    /// Where it is in a line.
    pub to: String,
}

/// A loss, and how many accounts have it.
#[derive(Clone, Debug, Serialize)]
pub struct LossCount {
    /// Who does not hold it: the `package`, or the target of the `plan`, whatever the package has.
    pub of: &'static str,
    /// Its code.
    pub code: &'static str,
    /// What it means.
    pub title: &'static str,
    /// The attribute, issuer or factor concerned.
    pub what: String,
    /// How many accounts.
    pub accounts: u64,
}

/// Counts of the accounts of a package; each kind sums to `together`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// All of them.
    pub together: u64,
    /// By how people sign in: `local`, `social`, `combined`.
    pub by_kind: BTreeMap<&'static str, u64>,
    /// By what is known of their passwords: `none`, `hash`, `password`, `held-by-legacy`.
    pub by_password: BTreeMap<&'static str, u64>,
    /// By the source's name.
    pub by_source: BTreeMap<String, u64>,
    #[serde(skip)]
    pub(super) left_of_candidates: BTreeMap<&'static str, u64>,
}

/// Who is not in the package.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LeftOut {
    /// Accounts in other states: held, excluded, clashing, sent already …
    pub by_state: BTreeMap<&'static str, u64>,
    /// Accounts in the package's state that it leaves out: of another cohort, there already, or by a code.
    pub by_reason: BTreeMap<&'static str, u64>,
    /// Reasons of held, excluded, refused and clashing accounts: code, what it means, how many.
    pub reasons: Vec<Reason>,
    /// Records that could not be read.
    pub rejected: u64,
}

/// A reason, and how many accounts have it.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    /// The code.
    pub code: String,
    /// What it means.
    pub title: &'static str,
    /// How many accounts.
    pub accounts: u64,
}

/// Hashes of one format with the same parameters.
#[derive(Clone, Debug, Serialize)]
pub struct HashGroup {
    /// The format's name; `unknown` where nothing says which it is.
    pub format: String,
    /// What it is at heart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<&'static str>,
    /// What a hash looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks: Option<&'static str>,
    /// Cost, iterations, memory.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parameters: String,
    /// What is needed beside the hash and is not in the package: peppers, keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<&'static str>,
    /// How many hashes.
    pub hashes: u64,
    /// How one of them is checked, in words; lengths of salts are one account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Value>,
}

impl Counts {
    pub(super) fn add(&mut self, chosen: &Chosen, source: &str) {
        let local = chosen.identities.iter().any(Identity::is_local);
        let social = chosen.identities.iter().any(|identity| !identity.is_local());
        let kind = match (local, social) {
            (true, true) => "combined",
            (false, true) => "social",
            _ => "local",
        };
        let password = match chosen.account.credential {
            Credential::Nothing => "none",
            Credential::HeldByLegacy => "held-by-legacy",
            Credential::Plaintext(_) => "password",
            Credential::Hash { .. } => "hash",
        };
        self.together += 1;
        *self.by_kind.entry(kind).or_default() += 1;
        *self.by_password.entry(password).or_default() += 1;
        *self.by_source.entry(source.to_owned()).or_default() += 1;
    }
}

impl LeftOut {
    fn new(walk: &Walk<'_>, status: &Status) -> Self {
        let candidates = walk.chooser.state().name();
        let others = status.profile.iter().filter(|(state, accounts)| **state != candidates && **accounts > 0);
        let reason = |(code, accounts): (&String, &u64)| Reason {
            code: code.clone(),
            title: Code::parse(code).map_or("", Code::title),
            accounts: *accounts,
        };
        Self {
            by_state: others.map(|(state, accounts)| (*state, *accounts)).collect(),
            by_reason: walk.counts.left_of_candidates.clone(),
            reasons: status.reasons.iter().map(reason).collect(),
            rejected: status.rejected,
        }
    }

    /// All accounts that are left out.
    pub fn accounts(&self) -> u64 {
        self.by_state.values().chain(self.by_reason.values()).sum()
    }
}

impl Walk<'_> {
    /// Ends the counting.
    pub(super) fn manifest(&mut self, status: &Status) -> Manifest {
        let input = self.input;
        let left_out = LeftOut::new(self, status);
        let default = form::MAPPING.iter().map(|(from, to)| Mapped { from: (*from).to_owned(), to: (*to).to_owned() });
        let further = match &input.extension {
            Some(urn) => format!("user.{urn}"),
            None => "attributes".to_owned(),
        };
        let rest = Mapped { from: "further attributes, by the source's own names".to_owned(), to: further.clone() };
        let rules = input.mapping.lineage().map(|(name, from)| {
            let from = if from.is_empty() { "(no attribute)".to_owned() } else { from.join(", ") };
            let place = form::place(name);
            let place = place.strip_prefix("attributes.").map_or(place.clone(), |name| format!("{further}.{name}"));
            Mapped { from: format!("{from}, by a rule of the project"), to: place }
        });
        let mapping: Vec<Mapped> = default.chain([rest]).chain(rules).collect();
        let losses = self.losses.iter().map(|((of, loss), accounts)| LossCount {
            of,
            code: loss.code.as_str(),
            title: loss.code.title(),
            what: loss.what.clone(),
            accounts: *accounts,
        });
        let losses = losses.collect();
        let together = self.counts.together + left_out.accounts();
        Manifest {
            format: "sterna-handover",
            version: VERSION,
            made_by: format!("sterna {}", input.version),
            made_at: self.made_at.to_string(),
            project: input.project.clone(),
            sources: input.sources.iter().cloned().collect(),
            plan: self.plan.as_ref().map(|plan| Plan { target: plan.kind.clone(), name: plan.name.clone() }),
            cohort: input.cohort.as_ref().map(|(name, _)| name.clone()),
            secrets: input.secrets,
            adds_up: together == status.accounts && status.adds_up,
            accounts: self.counts.clone(),
            left_out,
            mapping,
            issuers: input.issuers.clone(),
            extension: input.extension.clone(),
            losses,
            hashes: std::mem::take(&mut self.hashes).into_groups(),
            files: self.files.clone(),
        }
    }
}
