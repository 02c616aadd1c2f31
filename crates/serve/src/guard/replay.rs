//! Each message once: a repeat within seconds gets the same answer again, a later one is refused.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sterna_core::{
    hook::{HookAnswer, Once},
    time::Timestamp,
};

/// How long a repeat gets the same answer: the caller's own retry comes within its time limit.
const SAME_ANSWER: Duration = Duration::from_secs(10);

/// What is known of a message.
#[derive(Debug)]
pub enum Seen {
    /// It is new; it is known from now on.
    New,
    /// It is being answered right now.
    UnderWay,
    /// It was answered so a moment ago.
    Answered(HookAnswer),
    /// It was answered long ago: whoever sends it again is not the caller.
    TooLate,
    /// Too many messages are remembered to tell.
    Full,
}

struct Entry {
    began: Instant,
    answer: Option<HookAnswer>,
}

/// The messages of the last minutes.
pub struct Replays {
    known: Mutex<Known>,
    most: usize,
}

#[derive(Default)]
struct Known {
    messages: HashMap<[u8; 32], Entry>,
    /// By when they may be forgotten: a message that says it is valid for long keeps no other.
    order: BTreeSet<(Timestamp, [u8; 32])>,
}

impl Replays {
    /// Remembers at most `most` messages.
    pub fn new(most: usize) -> Self {
        Self { known: Mutex::default(), most }
    }

    /// Tells whether a message was seen before, and remembers it.
    pub fn see(&self, once: &Once, now: Instant, wall: Timestamp) -> Seen {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget(wall);
        if let Some(entry) = known.messages.get(&once.digest) {
            return match &entry.answer {
                None if now.duration_since(entry.began) <= SAME_ANSWER => Seen::UnderWay,
                Some(answer) if now.duration_since(entry.began) <= SAME_ANSWER => Seen::Answered(answer.clone()),
                _ => Seen::TooLate,
            };
        }
        // forgetting one that still holds would let it be sent again
        if known.messages.len() >= self.most {
            return Seen::Full;
        }
        known.messages.insert(once.digest, Entry { began: now, answer: None });
        known.order.insert((once.until, once.digest));
        Seen::New
    }

    /// Remembers what a message was answered.
    pub fn answered(&self, once: &Once, answer: &HookAnswer) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known.messages.get_mut(&once.digest) {
            entry.answer = Some(answer.clone());
        }
    }
}

impl Known {
    fn forget(&mut self, wall: Timestamp) {
        while let Some((until, digest)) = self.order.first().copied().filter(|(until, _)| *until <= wall) {
            self.order.remove(&(until, digest));
            self.messages.remove(&digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn once(number: u8) -> Once {
        Once { digest: [number; 32], until: Timestamp(600_000) }
    }

    #[test]
    fn a_repeat_gets_the_same_answer_for_ten_seconds_and_is_refused_then() {
        let (replays, start, wall) = (Replays::new(10), Instant::now(), Timestamp(0));
        assert!(matches!(replays.see(&once(1), start, wall), Seen::New));
        assert!(matches!(replays.see(&once(1), start, wall), Seen::UnderWay));
        replays.answered(&once(1), &HookAnswer::empty(204));
        assert!(matches!(replays.see(&once(1), start + 9 * SECOND, wall), Seen::Answered(a) if a.status == 204));
        assert!(matches!(replays.see(&once(1), start + 11 * SECOND, wall), Seen::TooLate));
        assert!(matches!(replays.see(&once(2), start + 11 * SECOND, wall), Seen::New));
    }

    #[test]
    fn what_is_no_longer_valid_is_forgotten_and_what_is_valid_never() {
        let (replays, start) = (Replays::new(2), Instant::now());
        assert!(matches!(replays.see(&once(1), start, Timestamp(0)), Seen::New));
        assert!(matches!(replays.see(&once(2), start, Timestamp(0)), Seen::New));
        assert!(matches!(replays.see(&once(3), start, Timestamp(0)), Seen::Full));
        assert!(matches!(replays.see(&once(3), start, Timestamp(600_000)), Seen::New));
    }

    #[test]
    fn one_that_says_it_is_valid_for_ever_keeps_no_other() {
        let (replays, start) = (Replays::new(2), Instant::now());
        let forever = Once { until: Timestamp(i64::MAX), ..once(1) };
        assert!(matches!(replays.see(&forever, start, Timestamp(0)), Seen::New));
        assert!(matches!(replays.see(&once(2), start, Timestamp(0)), Seen::New));
        assert!(matches!(replays.see(&once(3), start, Timestamp(600_000)), Seen::New));
    }
}
