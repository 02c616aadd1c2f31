//! `stored-hash`: the legacy check that needs no old system, since the ledger holds the password's hash.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use sterna_core::{
    account::{Account, Credential, UNKNOWN_FORMAT},
    code::Finding,
    legacy::{Attempt, LegacyCheck, Outage, Verdict},
    password::held::Stated,
    registry::{CheckKind, Context},
    secrecy::{ExposeSecret, SecretString},
    settings::{Kind as Takes, Need, SecretRef, Secrets, Setting, Values},
    support::{CheckSupport, Tells},
};

use crate::checks::{HashPool, Named, stated};

/// The settings of `connector = "stored-hash"`.
const SETTINGS: &[Setting] = &[
    Setting {
        name: "format",
        kind: Takes::Text,
        need: Need::Optional,
        doc: "The format of hashes for which nothing was stated when they were read and whose text does not tell it \
              (docs/password-hashes.md); several with commas between, of which each hash's text tells its own.",
    },
    Setting {
        name: "keys",
        kind: Takes::Secrets,
        need: Need::Optional,
        doc: "Peppers and keys that formats need beside the hash, by the names of docs/password-hashes.md: \
              { pepper = { env = \"PEPPER\" } }.",
    },
];

/// The kind in the registry.
pub struct Kind;

impl CheckKind for Kind {
    fn kind(&self) -> &'static str {
        "stored-hash"
    }

    fn title(&self) -> &'static str {
        "the hash that the ledger holds, sealed, since the source gave it"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn sample(&self) -> &'static str {
        "# format = \"hex-md5\"                # of hashes whose text does not tell it\n\
         # keys = { pepper = { env = \"PEPPER\" } }\n"
    }

    fn support(&self) -> Option<CheckSupport> {
        Some(CheckSupport { tells: &[Tells::Upgrade], tested_with: &[] })
    }

    fn open(&self, values: &Values, context: &Context) -> Result<Arc<dyn LegacyCheck>, Vec<Finding>> {
        let format = stated(values.text("format")).map_err(|finding| vec![*finding])?;
        Ok(Arc::new(StoredHashCheck {
            format,
            keys: values.secrets("keys"),
            secrets: Arc::clone(&context.secrets),
            revealed: OnceLock::new(),
            pool: HashPool::shared(),
        }))
    }
}

type Keys = Arc<BTreeMap<String, SecretString>>;

struct StoredHashCheck {
    format: Option<Stated>,
    keys: BTreeMap<String, SecretRef>,
    secrets: Arc<dyn Secrets>,
    revealed: OnceLock<Keys>,
    pool: Arc<HashPool>,
}

impl StoredHashCheck {
    /// The keys behind the references, read once they can be.
    fn keys(&self) -> Result<Keys, Box<Finding>> {
        if let Some(keys) = self.revealed.get() {
            return Ok(Arc::clone(keys));
        }
        let reveal = |(name, reference): (&String, _)| Ok((name.clone(), self.secrets.reveal(reference)?));
        let keys: Keys = Arc::new(self.keys.iter().map(reveal).collect::<Result<_, Box<Finding>>>()?);
        Ok(Arc::clone(self.revealed.get_or_init(|| keys)))
    }

    /// The account's hashes, with the format that the settings give to those without one.
    fn hashes(&self, account: &Account) -> Vec<Named> {
        let Credential::Hash { format, value, also } = &account.credential else { return Vec::new() };
        let named = |format: &str, value: &SecretString| {
            let stated = self.format.as_ref().filter(|_| format == UNKNOWN_FORMAT);
            let chosen = stated.and_then(|stated| stated.choose(value.expose_secret()));
            (chosen.map_or(format, |format| format.name).to_owned(), value.clone())
        };
        let also = also.iter().map(|hash| named(&hash.format, &hash.value));
        std::iter::once(named(format, value)).chain(also).collect()
    }
}

#[async_trait]
impl LegacyCheck for StoredHashCheck {
    async fn preflight(&self) -> Vec<Finding> {
        self.keys().err().map(|finding| *finding).into_iter().collect()
    }

    async fn check(&self, attempt: &Attempt<'_>) -> Verdict {
        if let Credential::Plaintext(held) = &attempt.account.credential {
            let (held, typed) = (held.expose_secret().as_bytes(), attempt.password.expose_secret().as_bytes());
            let same = aws_lc_rs::constant_time::verify_slices_are_equal(held, typed).is_ok();
            return if same { Verdict::Match { upgrade: true } } else { Verdict::Mismatch };
        }
        let hashes = self.hashes(attempt.account);
        if hashes.is_empty() {
            return Verdict::Unavailable(Outage::NotForThis);
        }
        match self.keys() {
            Ok(keys) => self.pool.verify(hashes, keys, attempt.password.clone(), attempt.deadline).await,
            Err(_) => Verdict::Unavailable(Outage::Misconfigured),
        }
    }
}
