//! How many calls of one sort may leave in any window of time: kept here, because services count calls where the pacer counts
//! accounts (Asgardeo: 5 bulk requests and 200 calls a minute for each address, wso2-scim.md 3.1).

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Calls that left, oldest first.
pub(super) struct Calls {
    most: usize,
    window: Duration,
    left: Mutex<VecDeque<Instant>>,
}

impl Calls {
    /// At most `most` calls in any `window`.
    pub(super) fn new(most: u32, window: Duration) -> Self {
        Self { most: usize::try_from(most).unwrap_or(usize::MAX).max(1), window, left: Mutex::default() }
    }

    /// Takes a place for one call.
    ///
    /// # Errors
    /// When it is to be asked again: nothing may leave until then.
    fn take(&self, now: Instant) -> Result<(), Instant> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while left.front().is_some_and(|at| now.duration_since(*at) >= self.window) {
            left.pop_front();
        }
        match left.front() {
            Some(oldest) if left.len() >= self.most => Err(*oldest + self.window),
            _ => {
                left.push_back(now);
                Ok(())
            }
        }
    }

    /// Waits for a place until `deadline`.
    ///
    /// # Errors
    /// How long it would take from the deadline on.
    pub(super) async fn wait(&self, deadline: Instant) -> Result<(), Duration> {
        loop {
            match self.take(Instant::now()) {
                Ok(()) => return Ok(()),
                Err(at) if at > deadline => return Err(at - deadline),
                Err(at) => tokio::time::sleep_until(at).await,
            }
        }
    }

    /// Takes note that the service counts otherwise: nothing leaves for a whole window.
    pub(super) fn used_up(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.clear();
        left.extend(std::iter::repeat_n(Instant::now(), self.most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_has_more_calls_than_allowed() {
        let (calls, start) = (Calls::new(2, Duration::from_mins(1)), Instant::now());
        let at = |secs| start + Duration::from_secs(secs);
        assert_eq!(calls.take(at(0)), Ok(()));
        assert_eq!(calls.take(at(30)), Ok(()));
        assert_eq!(calls.take(at(59)), Err(at(60)));
        assert_eq!(calls.take(at(60)), Ok(()));
        assert_eq!(calls.take(at(61)), Err(at(90)));
    }

    #[tokio::test]
    async fn a_wait_ends_at_its_deadline() {
        let (calls, most) = (Calls::new(1, Duration::from_millis(50)), Duration::from_millis(200));
        let began = Instant::now();
        assert_eq!(calls.wait(began + most).await, Ok(()));
        assert_eq!(calls.wait(began + most).await, Ok(()), "after the window");
        assert!(began.elapsed() >= Duration::from_millis(50));
        assert!(calls.wait(Instant::now()).await.is_err());
        calls.used_up();
        assert!(calls.wait(Instant::now()).await.is_err());
    }
}
