//! What was counted over time, and rates out of it.

use serde::Serialize;

/// What had been counted at one instant.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the start.
    pub(crate) at: f64,
    /// Accounts that the target took.
    pub(crate) accepted: u64,
    /// Items that it turned away.
    pub(crate) throttled: u64,
    /// Processor seconds of the program.
    pub(crate) cpu: f64,
    /// Processor seconds of the emulator.
    pub(crate) emulator_cpu: f64,
}

/// The samples of one run, in order.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Series(pub(crate) Vec<Sample>);

/// What happened between two instants.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stretch {
    /// Accepted a second.
    pub(crate) rate: f64,
    /// Items turned away.
    pub(crate) throttled: f64,
    /// The part of the items that were turned away.
    pub(crate) refused: f64,
    /// Processors that the program used.
    pub(crate) cpu: f64,
    /// Processors that the emulator used.
    pub(crate) emulator_cpu: f64,
}

impl Series {
    /// What happened from `from` to `to`, as far as there are samples.
    pub(crate) fn stretch(&self, from: f64, to: f64) -> Stretch {
        let first = self.0.iter().find(|sample| sample.at >= from);
        let last = self.0.iter().rev().find(|sample| sample.at <= to);
        let (Some(first), Some(last)) = (first, last) else { return Stretch::default() };
        let secs = last.at - first.at;
        if secs <= 0.0 {
            return Stretch::default();
        }
        let accepted = count(last.accepted - first.accepted);
        let throttled = count(last.throttled - first.throttled);
        Stretch {
            rate: accepted / secs,
            throttled,
            refused: if throttled > 0.0 { throttled / (accepted + throttled) } else { 0.0 },
            cpu: (last.cpu - first.cpu) / secs,
            emulator_cpu: (last.emulator_cpu - first.emulator_cpu) / secs,
        }
    }

    /// How long after `from` the mean of the next `over` seconds first was at least `rate`.
    pub(crate) fn reached(&self, from: f64, over: f64, rate: f64) -> Option<f64> {
        let last = self.0.last()?.at;
        let starts = self.0.iter().filter(|sample| sample.at >= from && sample.at + over <= last);
        starts.map(|sample| sample.at).find(|at| self.stretch(*at, at + over).rate >= rate).map(|at| at - from)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_per_second_and_items_turned_away_as_a_part() {
        let sample = |at: u32| {
            let accepted = u64::from(if at < 10 { at } else { 10 + (at - 10) * 10 });
            Sample { at: f64::from(at), accepted, throttled: u64::from(at) / 10, ..Sample::default() }
        };
        let series = Series((0..=30).map(sample).collect());
        let check = |from: f64, to: f64, rate: f64| {
            let stretch = series.stretch(from, to);
            assert!((stretch.rate - rate).abs() < 0.01, "{stretch:?}");
        };
        check(0.0, 9.0, 1.0);
        check(10.0, 30.0, 10.0);
        check(40.0, 50.0, 0.0);
        assert!((series.stretch(10.0, 30.0).refused - 2.0 / 202.0).abs() < 1e-9);
        assert_eq!(series.reached(0.0, 5.0, 10.0), Some(10.0));
        assert_eq!(series.reached(0.0, 5.0, 11.0), None);
    }
}
