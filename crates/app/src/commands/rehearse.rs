//! `sterna rehearse`: plan, apply and verify as they would be, on a scratch copy of the ledger and against an emulator
//! whose quota is larger. The project's ledger and target are left as they are.
//!
//! The emulator is an empty tenant of the same name, so what is planned is planned anew for it: names of extension
//! attributes hold the tenant's own ids, which no other tenant has.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;
use serde_json::{Value, json};
use sterna_core::{code::Code, port::Descriptor, settings::Values, state::ProfileState};
use sterna_emulators::{Emulator, EmulatorKind, Launch, Pointer, PointsTo, find};
use sterna_engine::{
    Run,
    apply::{self, ApplyInput, ApplyReport},
    leftovers::{self, COPY, UnderWay},
    plan::{self, PlanReport, Scope},
    verify::{self, Sweep, VerifyReport},
};
use sterna_ledger::{Ledger, PhaseLock};
use tempfile::TempDir;

use super::{Session, plan::about};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Trouble},
    opened::Opened,
    out::{
        progress::duration,
        table::{add, counted},
    },
    project::TargetConfig,
};

/// Arguments of `sterna rehearse`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many times the quota of the target the emulator has
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    speed: u32,
}

/// Milliseconds until a change shows in the emulator's reads; what a look-up has to wait for.
const READ_DELAY_MS: u64 = 100;

/// What a rehearsal came to.
#[derive(Serialize)]
struct Rehearsal {
    plan: PlanReport,
    apply: ApplyReport,
    verify: VerifyReport,
    /// How many times the target's quota the emulator had.
    speed: u32,
    /// How long the same would take at the target, in seconds.
    predicted_secs: f64,
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let ledger = opened.ledger().await?;
    let status = sterna_ledger::status::read(&opened.ledger_folder())?;
    if status.profile(ProfileState::Planned) == 0 {
        return Err(Failure::new(Code::E5002, "nothing is planned").hint(Code::E5002.mend()));
    }
    let descriptor = planned_for(&ledger).await?;
    let (scratch, _in_use) = scratch(&ledger, &opened).await?;
    let run = opened.run(session, opened.open_copy(&scratch.path().join(COPY)).await?);
    let emulated = emulated(opened.target_config()?)?;
    let emulator = start(emulated, &descriptor, args.speed).await?;
    let pointers = (emulated.pointers)(emulator.ready());
    let rehearsed = rehearse(&opened, &run, &pointers, &descriptor, scratch.path(), args.speed, session).await;
    emulator.shutdown().await;
    let rehearsal = rehearsed?;
    session.out.result(&text(&rehearsal), &rehearsal);
    let troubles: Vec<Trouble> = rehearsal.verify.findings.iter().cloned().map(Trouble::from).collect();
    session.out.troubles(&troubles);
    let failed = rehearsal.apply.failed() + rehearsal.apply.open + rehearsal.verify.differs + rehearsal.verify.missing;
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

/// What the target said about itself when the plan was made.
async fn planned_for(ledger: &Ledger) -> Result<Descriptor, Failure> {
    let stored = ledger.document("descriptor").await?;
    let descriptor = stored.and_then(|text| serde_json::from_str(&text).ok());
    descriptor.ok_or_else(|| Failure::new(Code::E5003, "the plan does not say what the target is like; plan again"))
}

/// A folder with a copy of the ledger, and the lock that says that it is in use. What killed rehearsals left is removed.
async fn scratch(ledger: &Ledger, opened: &Opened) -> Result<(TempDir, PhaseLock), Failure> {
    let _lock = ledger.lock("rehearse")?;
    leftovers::clear(ledger.folder(), UnderWay::Leave, opened.context.clock.now().wall).await?;
    let scratch = tempfile::Builder::new()
        .prefix(leftovers::REHEARSAL)
        .tempdir_in(ledger.folder())
        .map_err(|error| Failure::new(Code::E1013, "a scratch folder cannot be made").caused_by(&error))?;
    let in_use = leftovers::hold(scratch.path())?;
    ledger.copy_to(&scratch.path().join(COPY)).await?;
    Ok((scratch, in_use))
}

/// The stand-in of the target's kind.
fn emulated(config: &TargetConfig) -> Result<&'static EmulatorKind, Failure> {
    let kind = config.kind.kind();
    find(kind).ok_or_else(|| Failure::new(Code::E1009, format!("there is no emulator of {kind} to rehearse with")))
}

/// An empty tenant of the target's name, with more quota.
async fn start(emulated: &EmulatorKind, descriptor: &Descriptor, speed: u32) -> Result<Emulator, Failure> {
    let launch = Launch {
        read_delay_ms: Some(READ_DELAY_MS),
        show_passwords: false,
        tenant: Some(descriptor.local_issuer.clone()),
        writes_per_second: Some(descriptor.quota.per_lane * f64::from(speed)),
        ..Launch::default()
    };
    (emulated.start)(launch)
        .await
        .map_err(|error| Failure::new(Code::E1013, "the emulator does not start").caused_by(&error))
}

async fn rehearse(
    opened: &Opened,
    run: &Run,
    pointers: &[Pointer],
    descriptor: &Descriptor,
    scratch: &Path,
    speed: u32,
    session: &Session,
) -> Result<Rehearsal, Failure> {
    let values = values(opened.target_config()?, pointers, descriptor, scratch, speed)?;
    let target = opened.connect(&values).await?;
    let _watch = session.out.watch(&run.progress);
    let scope = Scope { states: vec![ProfileState::Planned], ..Scope::default() };
    let plan = plan::plan(run, &opened.plan_input(Arc::clone(&target), scope)).await?;
    let predicted_secs = plan::predict(&descriptor.quota, plan.planned);
    let input = ApplyInput {
        target: Arc::clone(&target),
        cohort: None,
        limit: None,
        abort: opened.project.abort,
        matching: opened.project.matching,
    };
    let apply = apply::apply(run, &input).await?;
    let verify = verify::verify(run, &target, Sweep::Yes).await?;
    Ok(Rehearsal { plan, apply, verify, speed, predicted_secs })
}

/// The target's settings with everything that says where it is and how to get in replaced by the emulator's.
fn values(
    config: &TargetConfig,
    pointers: &[Pointer],
    descriptor: &Descriptor,
    scratch: &Path,
    speed: u32,
) -> Result<Values, Failure> {
    let rate = descriptor.quota.per_lane * f64::from(speed);
    let mut replaced = vec![
        ("providers", descriptor.providers.clone().map_or(Value::Null, Value::from)),
        ("settling_secs", Value::from(1)),
        ("writes_per_second", Value::from(rate)),
        ("tenant_writes_per_second", Value::from(rate)),
    ];
    for Pointer { setting, to } in pointers {
        let value = match to {
            PointsTo::Text(text) => Value::from(text.as_str()),
            PointsTo::Secret(secret) => json!({ "file": secret_file(setting, secret, scratch)? }),
            PointsTo::Nothing => Value::Null,
        };
        replaced.push((setting, value));
    }
    let has = |name: &str| config.kind.settings().iter().any(|setting| setting.name == name);
    let known = replaced.into_iter().filter(|(name, _)| has(name));
    Ok(known.fold(config.values.clone(), |values, (name, value)| values.with(name, value)))
}

fn secret_file(setting: &str, secret: &str, scratch: &Path) -> Result<PathBuf, Failure> {
    // settings take relative paths from the project folder
    let folder = fs::canonicalize(scratch).unwrap_or_else(|_| scratch.to_owned());
    let path = folder.join(format!("emulator-{setting}"));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, secret.as_bytes()));
    written.map_err(|error| Failure::new(Code::E1013, "a scratch file cannot be written").caused_by(&error))?;
    Ok(path)
}

fn text(rehearsal: &Rehearsal) -> String {
    let Rehearsal { plan, apply, verify, speed, predicted_secs } = rehearsal;
    let mut text = format!(
        "Rehearsed with {} against an emulator at {speed} times the quota.\n\n{}\n\nRead back:\n{}",
        counted(plan.planned, "planned account"),
        super::apply::table(apply).render(),
        super::verify::text(verify)
    );
    if plan.held + plan.clashes > 0 {
        add(&mut text, format_args!("\n\nnot sent in the rehearsal: {} held, {} clash", plan.held, plan.clashes));
    }
    add(
        &mut text,
        format_args!(
            "\n\nIt took {}; at the target it will take {}. Nothing was changed.\nNext: sterna apply --canary",
            duration(apply.took_secs),
            about(*predicted_secs)
        ),
    );
    text
}
