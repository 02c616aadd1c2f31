//! A project at work: its ledger, sources and target, opened as a phase needs them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sterna_core::{
    code::Code,
    legacy::Chain,
    port::Target,
    registry::Context,
    secrecy::ExposeSecret,
    settings::{SecretRef, Values},
};
use sterna_engine::{Progress, Run, apply::promise, extract::Feed, plan::PlanInput, plan::Scope};
use sterna_ledger::{Ledger, LedgerError, Presence, key::ProjectKey, reading::SourceName};

use crate::{
    commands::Session,
    failure::{Failure, Trouble},
    project::{Project, TargetConfig},
    world,
};

/// The folder of the ledger in a project.
const LEDGER: &str = ".sterna";

/// A project whose configuration is right, and what it may use of the world.
pub(crate) struct Opened {
    /// The project.
    pub(crate) project: Project,
    /// What connectors may use of the world.
    pub(crate) context: Context,
}

impl Opened {
    /// Reads the project of the session and shows what there is to warn about.
    pub(crate) fn load(session: &Session) -> Result<Self, Failure> {
        let context = world::context(&session.common.project);
        let (project, troubles) = Project::load(&context)?;
        session.out.troubles(&troubles);
        Ok(Self { project, context })
    }

    /// Where the ledger is, or will be.
    pub(crate) fn ledger_folder(&self) -> PathBuf {
        self.project.folder.join(LEDGER)
    }

    /// Opens the ledger.
    pub(crate) async fn ledger(&self) -> Result<Ledger, Failure> {
        match Ledger::presence(&self.ledger_folder())? {
            Presence::None => Err(LedgerError::NotThere(self.ledger_folder()).into()),
            Presence::Purged => Err(LedgerError::Purged.into()),
            Presence::There => Ok(Ledger::open(&self.ledger_folder(), &self.key()?).await?),
        }
    }

    /// Opens the ledger, or makes it together with its key file where there is none yet.
    pub(crate) async fn ledger_or_new(&self, session: &Session) -> Result<Ledger, Failure> {
        if Ledger::presence(&self.ledger_folder())? != Presence::None {
            return self.ledger().await;
        }
        let key = match &self.project.key {
            SecretRef::File(path) if !self.project.folder.join(path).exists() => {
                let path = self.project.folder.join(path);
                let key = ProjectKey::create(&path)?;
                session.out.note(&format!(
                    "Made {}, the key that opens the ledger. Keep a copy of it in a safe place: without it nothing of \
                     the ledger can be read.",
                    path.display()
                ));
                key
            }
            _ => self.key()?,
        };
        Ok(Ledger::create(&self.ledger_folder(), &key, self.context.clock.now().wall).await?)
    }

    /// Opens a copy of the ledger, under the same key.
    pub(crate) async fn open_copy(&self, folder: &Path) -> Result<Ledger, Failure> {
        Ok(Ledger::open(folder, &self.key()?).await?)
    }

    /// The key that the configuration refers to; never a new one.
    fn key(&self) -> Result<ProjectKey, Failure> {
        Ok(match &self.project.key {
            SecretRef::File(path) => ProjectKey::read(&self.project.folder.join(path))?,
            reference => {
                let text = self.context.secrets.reveal(reference)?;
                ProjectKey::parse(text.expose_secret(), &reference.to_string())?
            }
        })
    }

    /// What is wrong with the key, if it is there already or has to be.
    pub(crate) fn key_trouble(&self) -> Option<Trouble> {
        let is_new = Ledger::presence(&self.ledger_folder()).is_ok_and(|presence| presence == Presence::None);
        match &self.project.key {
            SecretRef::File(path) if is_new && !self.project.folder.join(path).exists() => None,
            _ => self.key().err().and_then(|failure| failure.troubles.into_iter().next()),
        }
    }

    /// The target's configuration.
    pub(crate) fn target_config(&self) -> Result<&TargetConfig, Failure> {
        self.project.target.as_ref().ok_or_else(|| {
            Failure::new(Code::E1006, "there is no target").hint("add a table [target] with `connector = \"…\"`")
        })
    }

    /// Connects to the target.
    pub(crate) async fn target(&self) -> Result<Arc<dyn Target>, Failure> {
        let config = self.target_config()?;
        self.connect(&config.values).await
    }

    /// Connects to the target with other values than the project's.
    pub(crate) async fn connect(&self, values: &Values) -> Result<Arc<dyn Target>, Failure> {
        Ok(self.target_config()?.kind.connect(values, &self.context).await?)
    }

    /// The sources, ready to be read.
    pub(crate) fn feeds(&self) -> Result<Vec<Feed>, Failure> {
        let feed = |config: &crate::project::SourceConfig| {
            let name = SourceName {
                name: config.name.clone(),
                formerly: config.formerly.clone(),
                connector: config.kind.kind().to_owned(),
            };
            let source = config
                .kind
                .open(&config.values, &self.context)
                .map_err(|findings| Failure::configuration(findings.into_iter().map(Trouble::from).collect()))?;
            Ok(Feed { name, source })
        };
        self.project.sources.iter().map(feed).collect()
    }

    /// What a plan is made from.
    pub(crate) fn plan_input(&self, target: Arc<dyn Target>, scope: Scope) -> PlanInput {
        let project = &self.project;
        PlanInput {
            target,
            mapping: project.mapping.clone(),
            issuers: project.issuers.clone(),
            excluded_issuers: project.excluded_issuers.clone(),
            strategy: project.strategy,
            cohorts: project.cohorts.clone(),
            matching: project.matching,
            has_legacy_check: !project.checks.is_empty() && project.serve.has_hooks(),
            scope,
        }
    }

    /// The legacy checks, ready to be asked.
    pub(crate) fn chain(&self) -> Chain {
        Chain(self.project.checks.iter().filter_map(|check| check.link(&self.context)).collect())
    }

    /// What every phase is given.
    pub(crate) fn run(&self, session: &Session, ledger: Ledger) -> Run {
        Run {
            ledger: Arc::new(ledger),
            clock: Arc::clone(&self.context.clock),
            entropy: Arc::clone(&self.context.entropy),
            progress: Arc::new(Progress::default()),
            stop: session.stop.clone(),
        }
    }

    /// The number that the plan gave to a cohort.
    pub(crate) async fn cohort(&self, name: &str, run: &Run) -> Result<u32, Failure> {
        let cohorts = &self.project.cohorts;
        let found = promise::cohort(run, name, cohorts).await;
        found.map_err(|error| {
            let names: Vec<&str> = cohorts.iter().map(|cohort| cohort.name.as_str()).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let is_unknown = error.code() == Code::E5014;
            let failure = Failure::from(error);
            if is_unknown { failure.hint(format!("cohorts of this project: {known}")) } else { failure }
        })
    }
}
