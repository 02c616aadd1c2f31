//! Time as an emulated service sees it: one reading serves a whole request.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Microseconds on a monotonic scale that begins well above zero, so that "a while ago" never underflows.
pub(crate) type Micros = u64;

/// Where the scale begins when the emulator starts: about 12 days.
const START: Micros = 1 << 40;

/// One instant, on both scales.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// For windows, delays and lifetimes.
    pub(crate) micros: Micros,
    /// For what people and other programs read.
    pub(crate) wall: Timestamp,
}

/// The emulator's only clock.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        Now { micros: START + micros(self.started.elapsed()), wall: Timestamp::now() }
    }
}

/// A duration on the monotonic scale.
pub(crate) fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

/// Milliseconds of a setting on the monotonic scale.
pub(crate) fn from_millis(millis: u64) -> Micros {
    millis.saturating_mul(1_000)
}

/// A time as Graph writes it in properties: whole seconds, `Z`.
pub(crate) fn graph_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time as Graph writes it in the `innerError` of an error: no zone letter.
pub(crate) fn error_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
