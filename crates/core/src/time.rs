//! Instants that come in as arguments: no function of core reads a clock.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// Wall-clock time in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads an RFC 3339 instant, as Graph and SCIM write them.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// An instant that survives clock steps and restarts: wall time, and time since a boot that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Wall clock.
    pub wall: Timestamp,
    /// Which boot of the machine; instants of one boot compare by `since_boot_ms`.
    pub boot: u64,
    /// Milliseconds since that boot, sleep included; no clock step moves it.
    pub since_boot_ms: u64,
}

impl Moment {
    /// How long ago `self` was at `now`: by the boot clock within one boot, else by the wall clock.
    ///
    /// `None` when neither can tell (another boot, and the wall clock went backwards): the caller must wait anew.
    pub fn elapsed(&self, now: &Self) -> Option<Duration> {
        if self.boot == now.boot {
            return Some(Duration::from_millis(now.since_boot_ms.saturating_sub(self.since_boot_ms)));
        }
        u64::try_from(now.wall.0 - self.wall.0).ok().map(Duration::from_millis)
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Moment;
}

/// Where randomness comes from: the operating system's generator in the program, a seeded one in tests.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random ones.
    ///
    /// # Errors
    /// [`NoEntropy`] when the generator fails; nothing secret may be made then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The random generator failed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system's random generator failed")]
pub struct NoEntropy;

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(wall: i64, boot: u64, since_boot_ms: u64) -> Moment {
        Moment { wall: Timestamp(wall), boot, since_boot_ms }
    }

    #[test]
    fn a_stepped_wall_clock_changes_nothing_within_one_boot() {
        let then = moment(1_000_000, 1, 5_000);
        assert_eq!(then.elapsed(&moment(99_000_000, 1, 6_000)), Some(Duration::from_secs(1)));
        assert_eq!(then.elapsed(&moment(0, 1, 6_000)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn after_a_reboot_the_wall_clock_counts_unless_it_went_back() {
        let then = moment(1_000_000, 1, 5_000);
        assert_eq!(then.elapsed(&moment(1_030_000, 2, 10)), Some(Duration::from_secs(30)));
        assert_eq!(then.elapsed(&moment(999_999, 2, 10)), None);
    }

    #[test]
    fn timestamps_read_and_print_rfc_3339() {
        let at = Timestamp::parse("2026-09-14T10:02:03.500Z").unwrap();
        assert_eq!(at.to_string(), "2026-09-14T10:02:03.5Z");
    }
}
