//! Keeps sending at the configured share of a quota: a pure controller over instants that are passed in.
//!
//! It sends evenly, never in a burst, so that no window of the target's (entra.md 5: 3,000 writes in *any* 150 s) can
//! overflow whatever ran before. It learns the real quota from the target's own words: from the part of the window
//! that is used (`x-ms-throttle-limit-percentage`), and from refusals.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

/// How much may be written: `lanes` × `per_lane` and at most `overall`, of which `share` is ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    /// Number of lanes (application registrations) that have their own quota.
    pub lanes: usize,
    /// Writes per second of one lane.
    pub per_lane: f64,
    /// Writes per second of all lanes together.
    pub overall: f64,
    /// The part of it that we may use, 0 to 1; the rest is left to live sign-up.
    pub share: f64,
    /// Length of the window over which the target counts.
    pub window: Duration,
}

impl Quota {
    /// Writes per second that we may send over one lane.
    pub fn lane_rate(&self) -> f64 {
        let lanes = f64::from(u32::try_from(self.lanes.max(1)).unwrap_or(u32::MAX));
        self.per_lane.min(self.overall / lanes) * self.share
    }

    /// Writes per second that we may send in all.
    pub fn rate(&self) -> f64 {
        let lanes = f64::from(u32::try_from(self.lanes.max(1)).unwrap_or(u32::MAX));
        self.lane_rate() * lanes
    }
}

/// Instant of the pacer: milliseconds of a monotonic clock.
pub type Millis = u64;

/// The part of a window that may leave at once when nothing was sent before.
pub const BURST: f64 = 0.1;
/// A batch is at most what may leave within this time, so that slow quotas do not wait for a full batch.
const BATCH_SECS: f64 = 0.5;
/// Estimates closer than this to what is believed change nothing.
const NOISE: f64 = 0.03;
/// Growth while the target shows no pressure: this much every [`GROWTH_MS`].
const GROWTH: f64 = 1.25;
const GROWTH_MS: Millis = 2_000;
/// Cut after a refusal when the target gives no number.
const CUT: f64 = 0.7;
const CUT_MS: Millis = 5_000;
/// The pressure above which targets show it at all (entra.md 5).
const SHOWN_FROM: f64 = 0.8;

/// Paces one lane.
#[derive(Debug)]
pub struct Pacer {
    share: f64,
    /// What the lane's quota is believed to be, writes per second.
    quota: f64,
    /// What it was configured or documented to be.
    documented: f64,
    window: Millis,
    credit: f64,
    credited_at: Millis,
    blocked_until: Millis,
    history: History,
    shows_pressure: bool,
    grown_at: Millis,
    cut_at: Option<Millis>,
}

/// Why nothing may leave yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The configured share is used up until this instant.
    Share(Millis),
    /// The target asked to wait until this instant.
    Asked(Millis),
}

impl Wait {
    /// When to ask again.
    pub fn until(self) -> Millis {
        match self {
            Self::Share(at) | Self::Asked(at) => at,
        }
    }
}

impl Pacer {
    /// Paces one lane of `quota`, from `now`.
    pub fn new(quota: &Quota, now: Millis) -> Self {
        let lane = if quota.share > 0.0 { quota.lane_rate() / quota.share } else { 0.0 };
        let window = u64::try_from(quota.window.as_millis()).unwrap_or(u64::MAX).max(1_000);
        let mut pacer = Self {
            share: quota.share,
            quota: lane.max(0.01),
            documented: lane.max(0.01),
            window,
            credit: 0.0,
            credited_at: now,
            blocked_until: 0,
            history: History::new(window),
            shows_pressure: false,
            grown_at: now,
            cut_at: None,
        };
        pacer.credit = pacer.burst();
        pacer
    }

    /// Counts writes that an earlier run sent `ago` before `now`.
    pub fn remember(&mut self, now: Millis, ago: Millis, writes: u32) {
        if ago < self.window {
            self.history.push(now.saturating_sub(ago), writes);
            self.credit = (self.burst() - self.used(now)).max(0.0);
        }
    }

    /// Writes per second that are sent at present.
    pub fn rate(&self) -> f64 {
        self.quota * self.share
    }

    /// Whether a batch may leave now, and how large: at most `want` writes.
    ///
    /// # Errors
    /// [`Wait`]: nothing may leave yet, and why.
    pub fn take(&mut self, now: Millis, want: u32) -> Result<u32, Wait> {
        if now < self.blocked_until {
            return Err(Wait::Asked(self.blocked_until));
        }
        self.refill(now);
        // never more than the credit can grow to, or in a short window nothing would ever leave
        let batch = want.min(whole((self.rate() * BATCH_SECS).min(self.burst()).max(1.0)));
        if batch == 0 {
            return Err(Wait::Share(now + 1_000));
        }
        let room = (self.rate() * secs(self.window)).max(1.0) - self.used(now);
        let first_ever = self.history.total() == 0;
        if room < f64::from(batch) && !first_ever {
            return Err(Wait::Share(self.history.freed_at(now, f64::from(batch) - room)));
        }
        if self.credit < f64::from(batch) {
            let missing = (f64::from(batch) - self.credit) / self.rate() * 1_000.0;
            return Err(Wait::Share(now + u64::from(whole(missing.ceil().max(1.0)))));
        }
        self.credit -= f64::from(batch);
        self.history.push(now, batch);
        Ok(batch)
    }

    /// Takes note that `writes` of those taken were turned away or never sent: they used nothing up.
    pub fn give_back(&mut self, now: Millis, writes: u32) {
        self.history.take_back(now, writes);
        self.credit = (self.credit + f64::from(writes)).min(self.burst());
    }

    /// Learns from an answer that was no refusal: `pressure` is the part of the window that the target says is used,
    /// `None` when it shows none.
    pub fn answered(&mut self, now: Millis, pressure: Option<f64>) {
        match pressure {
            Some(used) if used > 0.0 => {
                self.shows_pressure = true;
                self.grown_at = now;
                self.believe(now, used);
            }
            _ => self.grow(now),
        }
    }

    /// Learns from a refusal: nothing leaves for `wait`, and the quota is less than was believed.
    pub fn refused(&mut self, now: Millis, wait: Duration, pressure: Option<f64>) {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(100);
        self.blocked_until = self.blocked_until.max(now.saturating_add(wait));
        self.credit = self.credit.min(0.0);
        self.grown_at = now;
        if let Some(used) = pressure {
            self.shows_pressure = true;
            self.believe(now, used);
        } else if self.cut_at.is_none_or(|cut| now >= cut + CUT_MS.max(wait)) {
            self.cut_at = Some(now);
            self.quota = (self.quota * CUT).max(0.01);
        }
    }

    /// The quota is what was sent within the window, over the part of it that this used. Others' writes make the
    /// estimate smaller, which is right: then all together stay at the share.
    fn believe(&mut self, now: Millis, used: f64) {
        let sent = self.used(now);
        if sent < 1.0 {
            return;
        }
        let estimate = (sent / secs(self.window) / used).max(0.01);
        if (estimate - self.quota).abs() > self.quota * NOISE {
            self.quota = estimate;
            self.credit = self.credit.min(self.burst());
        }
    }

    /// Goes up while the target shows no pressure, where that says something.
    ///
    /// Where it has shown pressure before and we use so much that it would show it again, its silence proves that the
    /// quota is larger than believed, even beyond the documented one. Otherwise a cut is made good by and by, up to the
    /// documented quota.
    fn grow(&mut self, now: Millis) {
        if now < self.grown_at + GROWTH_MS {
            return;
        }
        let would_show = self.used(now) >= self.quota * secs(self.window) * SHOWN_FROM;
        let tells = self.shows_pressure && self.share >= SHOWN_FROM;
        let next = if tells && would_show {
            self.quota * GROWTH
        } else if !tells && self.quota < self.documented {
            (self.quota * GROWTH).min(self.documented)
        } else {
            return;
        };
        self.grown_at = now;
        self.quota = next;
    }

    fn refill(&mut self, now: Millis) {
        let passed = now.saturating_sub(self.credited_at);
        self.credited_at = now.max(self.credited_at);
        self.credit = (self.credit + self.rate() * secs(passed)).min(self.burst());
    }

    fn burst(&self) -> f64 {
        (self.rate() * secs(self.window) * BURST).max(1.0)
    }

    fn used(&mut self, now: Millis) -> f64 {
        self.history.forget(now);
        count(self.history.total())
    }
}

/// What has left within the window, in slices so that memory does not grow with the rate.
#[derive(Debug)]
struct History {
    window: Millis,
    slice: Millis,
    slices: VecDeque<(Millis, u64)>,
    total: u64,
}

/// How many slices a window has.
const SLICES: u64 = 300;

impl History {
    fn new(window: Millis) -> Self {
        Self { window, slice: (window / SLICES).max(1), slices: VecDeque::new(), total: 0 }
    }

    fn total(&self) -> u64 {
        self.total
    }

    fn push(&mut self, at: Millis, writes: u32) {
        let start = at - at % self.slice;
        self.total += u64::from(writes);
        let place = self.slices.iter().rposition(|(slice, _)| *slice <= start);
        match place {
            Some(found) if self.slices[found].0 == start => self.slices[found].1 += u64::from(writes),
            Some(found) => self.slices.insert(found + 1, (start, u64::from(writes))),
            None => self.slices.push_front((start, u64::from(writes))),
        }
    }

    fn take_back(&mut self, now: Millis, writes: u32) {
        self.forget(now);
        let mut left = u64::from(writes);
        for slice in self.slices.iter_mut().rev() {
            let taken = slice.1.min(left);
            slice.1 -= taken;
            self.total -= taken;
            left -= taken;
        }
    }

    /// A slice counts until its last writes are certainly out of the target's window.
    fn forget(&mut self, now: Millis) {
        while let Some((start, writes)) = self.slices.front().copied() {
            if start + self.slice + self.window > now {
                break;
            }
            self.total -= writes;
            self.slices.pop_front();
        }
    }

    /// When so many slices are out that `writes` have room.
    fn freed_at(&self, now: Millis, writes: f64) -> Millis {
        let mut freed = 0.0;
        for (start, count_of_slice) in &self.slices {
            freed += count(*count_of_slice);
            if freed >= writes {
                return (start + self.slice + self.window).max(now + 1);
            }
        }
        now + self.slice
    }
}

fn secs(ms: Millis) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts of one window are far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
fn whole(number: f64) -> u32 {
    number.clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_window_and_the_rate_something_leaves() {
        for (window, per_lane) in [(1, 0.1), (1, 1_000.0), (2, 20.0), (4, 20.0), (150, 0.1), (3_600, 0.1)] {
            let (share, window) = (0.9, Duration::from_secs(window));
            let quota = Quota { lanes: 1, per_lane, overall: per_lane, share, window };
            let mut pacer = Pacer::new(&quota, 0);
            let (mut now, mut sent) = (0, 0);
            while now < 100_000 {
                match pacer.take(now, 4) {
                    Ok(writes) => sent += writes,
                    Err(wait) => now = wait.until().max(now + 1),
                }
            }
            let share_of_it = per_lane * share * 100.0;
            assert!(f64::from(sent) >= (share_of_it * 0.5).max(1.0), "{sent} of {share_of_it} in {window:?}");
            assert!(f64::from(sent) <= share_of_it * 1.2 + 4.0 + per_lane * window.as_secs_f64() * BURST, "{sent}");
        }
    }

    /// A server that counts exactly over a sliding window, as the reference describes it.
    struct Server {
        limit: f64,
        window: Millis,
        counted: VecDeque<Millis>,
    }

    impl Server {
        fn send(&mut self, now: Millis, writes: u32) -> (u32, Option<f64>) {
            while self.counted.front().is_some_and(|at| at + self.window <= now) {
                self.counted.pop_front();
            }
            let limit = self.limit * secs(self.window);
            let mut refused = 0;
            for _ in 0..writes {
                if count(self.counted.len() as u64) < limit { self.counted.push_back(now) } else { refused += 1 }
            }
            let used = count(self.counted.len() as u64) / limit;
            (refused, (used >= SHOWN_FROM).then_some(used.min(1.8)))
        }
    }

    struct World {
        pacer: Pacer,
        server: Server,
        now: Millis,
        sent: u64,
        refused: u64,
    }

    impl World {
        fn new(per_second: f64, share: f64) -> Self {
            let window = Duration::from_secs(150);
            let quota = Quota { lanes: 1, per_lane: per_second, overall: per_second, share, window };
            let server = Server { limit: per_second, window: 150_000, counted: VecDeque::new() };
            Self { pacer: Pacer::new(&quota, 0), server, now: 0, sent: 0, refused: 0 }
        }

        /// Sends as fast as the pacer lets it for so many seconds; the mean of accepted writes per second.
        fn run(&mut self, seconds: u64) -> f64 {
            let (end, before) = (self.now + seconds * 1_000, self.sent);
            while self.now < end {
                match self.pacer.take(self.now, 20) {
                    Ok(writes) => self.send(writes),
                    Err(wait) => self.now = wait.until().clamp(self.now + 1, end),
                }
            }
            count(self.sent - before) / count(seconds)
        }

        fn send(&mut self, writes: u32) {
            let (refused, pressure) = self.server.send(self.now, writes);
            self.sent += u64::from(writes - refused);
            self.refused += u64::from(refused);
            if refused > 0 {
                self.pacer.give_back(self.now, refused);
                self.pacer.refused(self.now, Duration::from_secs(5), pressure);
            } else {
                self.pacer.answered(self.now, pressure);
            }
        }
    }

    #[test]
    fn every_quota_from_5_to_5000_is_used_to_95_percent_of_the_share_without_refusals() {
        for per_second in [5.0, 20.0, 60.0, 1_000.0, 5_000.0] {
            let mut world = World::new(per_second, 0.95);
            world.run(160);
            let rate = world.run(300);
            assert!(rate >= 0.95 * 0.95 * per_second, "{rate} of {per_second}");
            assert!(count(world.refused) < 0.005 * count(world.sent), "{} refused at {per_second}", world.refused);
        }
    }

    #[test]
    fn a_small_migration_leaves_at_once_and_a_resumed_run_counts_what_the_last_one_sent() {
        let mut world = World::new(20.0, 0.9);
        assert!(world.run(1) >= 250.0, "a tenth of the window leaves at once");
        let quota = Quota { lanes: 1, per_lane: 20.0, overall: 20.0, share: 0.9, window: Duration::from_secs(150) };
        let mut resumed = Pacer::new(&quota, 1_000);
        resumed.remember(1_000, 500, 270);
        assert!(resumed.take(1_000, 20).is_err());
    }

    #[test]
    fn halved_mid_run_it_is_back_at_the_new_share_within_one_window_with_few_refusals() {
        for per_second in [20.0, 1_000.0] {
            let mut world = World::new(per_second, 0.95);
            world.run(300);
            world.server.limit = per_second / 2.0;
            world.refused = 0;
            world.run(150);
            let refused = world.refused;
            let rate = world.run(150);
            assert!(rate >= 0.95 * 0.95 * per_second / 2.0, "{rate} of {}", per_second / 2.0);
            assert!(refused <= 60, "{refused} refused at {per_second}");
        }
    }

    #[test]
    fn doubled_mid_run_it_is_back_at_the_new_share_within_one_window() {
        for per_second in [20.0, 1_000.0] {
            let mut world = World::new(per_second, 0.95);
            world.run(300);
            world.server.limit = per_second * 2.0;
            world.run(150);
            let rate = world.run(300);
            assert!(rate >= 0.95 * 0.95 * per_second * 2.0, "{rate} of {}", per_second * 2.0);
            assert!(count(world.refused) < 0.005 * count(world.sent), "{} refused", world.refused);
        }
    }

    #[test]
    fn the_documented_quota_is_never_exceeded_where_the_target_shows_no_pressure() {
        let mut world = World::new(20.0, 0.5);
        world.server.limit = 1_000.0;
        assert!(world.run(300) <= 11.0);
    }

    #[test]
    fn nothing_leaves_before_the_instant_the_target_asked_for() {
        let mut world = World::new(20.0, 0.9);
        world.pacer.refused(0, Duration::from_secs(7), None);
        assert_eq!(world.pacer.take(6_999, 1), Err(Wait::Asked(7_000)));
    }
}
