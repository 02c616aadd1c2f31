//! A second chance for what belongs to accounts: groups, memberships, sign-ins at other providers.
//!
//! The engine repeats what it asked for; these are asked for by us, and what a service puts off or loses would be missing.

use std::time::Duration;

use sterna_core::port::Answer;
use tokio::time::{Instant, sleep};

/// How often something is tried again.
const TRIES: u32 = 8;

/// How long the first pause is, where the service does not say; the next are twice as long each, up to [`LONGEST`].
const PAUSE: Duration = Duration::from_millis(500);

/// The longest of these pauses.
const LONGEST: Duration = Duration::from_secs(8);

/// Tries that are left.
pub(super) struct Tries {
    done: u32,
    deadline: Instant,
    settling: Duration,
}

impl Tries {
    /// Until `deadline`; what got lost may still come to be for `settling`.
    pub(super) fn new(deadline: Instant, settling: Duration) -> Self {
        Self { done: 0, deadline, settling }
    }

    /// Waits as long as these answers ask for; the places of those that may be tried again, `None` when it is enough.
    pub(super) async fn next(&mut self, answers: &[Answer]) -> Option<Vec<usize>> {
        let (open, pause) = self.due(answers, Instant::now())?;
        sleep(pause).await;
        Some(open)
    }

    /// What may be tried again, and after how long.
    fn due(&mut self, answers: &[Answer], now: Instant) -> Option<(Vec<usize>, Duration)> {
        let mut pause = LONGEST.min(PAUSE * 2_u32.pow(self.done));
        let mut open = Vec::new();
        for (at, answer) in answers.iter().enumerate() {
            match answer {
                Answer::Throttled { wait, .. } => pause = pause.max(wait.unwrap_or_default()),
                Answer::Silence { .. } => pause = pause.max(self.settling),
                _ => continue,
            }
            open.push(at);
        }
        self.done += 1;
        (!open.is_empty() && self.done <= TRIES && now + pause < self.deadline).then_some((open, pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::answer::{silence, throttled};

    #[test]
    fn what_was_put_off_or_lost_is_tried_again_and_nothing_else() {
        let now = Instant::now();
        let mut tries = Tries::new(now + Duration::from_mins(1), Duration::from_secs(5));
        let answers = [Answer::Lacks, throttled(Some(Duration::from_secs(2)), ""), Answer::Changed, silence("")];
        // as long as what was lost may still come to be, and as long as the service asks for
        assert_eq!(tries.due(&answers, now), Some((vec![1, 3], Duration::from_secs(5))));
        assert_eq!(tries.due(&answers[..3], now), Some((vec![1], Duration::from_secs(2))));
        assert_eq!(tries.due(&answers[..1], now), None);
    }

    #[test]
    fn it_ends_after_some_tries_and_in_time() {
        let now = Instant::now();
        let put_off = [throttled(None, "")];
        let mut tries = Tries::new(now + Duration::from_mins(10), Duration::ZERO);
        for done in 0..TRIES {
            assert_eq!(tries.due(&put_off, now), Some((vec![0], LONGEST.min(PAUSE * 2_u32.pow(done)))));
        }
        assert_eq!(tries.due(&put_off, now), None);
        assert_eq!(Tries::new(now + PAUSE, Duration::ZERO).due(&put_off, now), None);
    }
}
