//! The world outside, behind core's traits: time, randomness and secrets. Nothing else in the program reads them.

mod secrets;

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use sterna_core::{
    registry::Context,
    time::{Clock, Entropy, Moment, NoEntropy, Timestamp},
};
use uuid::Uuid;

use secrets::WorldSecrets;

/// What connectors and phases may use of the world, for the project in `folder`.
pub(crate) fn context(folder: &Path) -> Context {
    Context {
        project: folder.to_owned(),
        secrets: Arc::new(WorldSecrets::new(folder)),
        clock: Arc::new(WorldClock::new()),
        entropy: Arc::new(WorldEntropy),
    }
}

/// Sees to it that no crash writes this process's memory, which holds secrets and people, to a file.
///
/// Best effort: where a limit cannot be set, everything else works as before.
pub(crate) fn keep_memory_private() {
    let hard = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: hard });
    // a handler that core files are piped to does not see the limit
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// The machine's clocks.
struct WorldClock {
    boot: u64,
}

impl WorldClock {
    fn new() -> Self {
        Self { boot: boot() }
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Moment {
        let since_boot = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(since_boot.tv_sec).unwrap_or_default();
        let millis = u64::try_from(since_boot.tv_nsec / 1_000_000).unwrap_or_default();
        Moment { wall: wall(), boot: self.boot, since_boot_ms: seconds * 1_000 + millis }
    }
}

fn wall() -> Timestamp {
    let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    })
}

/// The head of the kernel's random boot id.
///
/// Where there is none, a number of this process alone: then instants of other processes compare by the wall clock.
fn boot() -> u64 {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let id = kernel.ok().and_then(|text| Uuid::try_parse(text.trim()).ok()).unwrap_or_else(Uuid::new_v4);
    id.as_u64_pair().0
}

/// The operating system's random generator.
struct WorldEntropy;

impl Entropy for WorldEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        SystemRandom::new().fill(bytes).map_err(|_| NoEntropy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_on_and_two_clocks_share_a_boot() {
        let (first, second) = (WorldClock::new().now(), WorldClock::new().now());
        assert_eq!(first.boot, second.boot);
        assert!(first.elapsed(&second).is_some_and(|passed| passed.as_secs() < 60));
        assert!(second.since_boot_ms >= first.since_boot_ms);
        assert!(first.wall > Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
    }

    #[test]
    fn randomness_is_random() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        WorldEntropy.fill(&mut first).unwrap();
        WorldEntropy.fill(&mut second).unwrap();
        assert_ne!(first, second);
    }
}
