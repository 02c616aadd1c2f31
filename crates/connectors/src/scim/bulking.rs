//! How much the next bulk request carries: what the service announces, and what it turned out to take.

use std::sync::{Mutex, PoisonError};

use super::bulk::Limits;

/// Where so few operations go without an answer that makes sense, single requests are sent instead.
const FEW: usize = 5;

/// What is known of a service's Bulk.
pub(super) struct Bulking(Mutex<Known>);

struct Known {
    announced: Option<Limits>,
    operations: usize,
    bytes: usize,
    bad: u32,
}

impl Bulking {
    /// As announced.
    pub(super) fn new(announced: Option<Limits>) -> Self {
        let Limits { operations, bytes } = announced.unwrap_or(Limits { operations: 0, bytes: 0 });
        Self(Mutex::new(Known { announced, operations, bytes, bad: 0 }))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The limits of the next request; `None` where single ones are to be sent.
    pub(super) fn limits(&self) -> Option<Limits> {
        self.with(|known| {
            known.announced?;
            (known.operations > 1).then_some(Limits { operations: known.operations, bytes: known.bytes })
        })
    }

    /// A request with so many operations and bytes was too large (413).
    pub(super) fn too_large(&self, operations: usize, bytes: usize) {
        self.with(|known| {
            known.operations = known.operations.min(operations / 2);
            known.bytes = known.bytes.min(bytes.saturating_sub(bytes / 4));
        });
    }

    /// A request was answered as it should be: after a bad one, the next may be larger again.
    pub(super) fn answered(&self) {
        self.with(|known| known.bad = 0);
    }

    /// A request with so many operations had no answer, or one that makes no sense. Once is the line's fault; some services
    /// take longer than anybody waits, so the next are smaller; where even a few are too many, Bulk is not used any more.
    /// What was under way beside the one that made them smaller says nothing new.
    pub(super) fn lost(&self, operations: usize) {
        self.with(|known| {
            if operations > known.operations {
                return;
            }
            known.bad += 1;
            if known.bad == 1 {
                return;
            }
            let fewer = operations / 4;
            known.operations = fewer.max(2);
            if fewer < FEW && known.bad > 2 && known.announced.take().is_some() {
                tracing::warn!("Bulk requests go without an answer; single ones are sent from here on");
            }
        });
    }

    /// The service has no Bulk after all, or not for us.
    pub(super) fn unusable(&self, status: u16) {
        self.with(|known| {
            if known.announced.take().is_some() {
                tracing::warn!(status, "The service takes no Bulk request; single ones are sent from here on");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNOUNCED: Limits = Limits { operations: 100, bytes: 1_000 };

    #[test]
    fn what_is_too_large_is_halved_until_single_requests_are_left() {
        let bulking = Bulking::new(Some(ANNOUNCED));
        bulking.too_large(100, 1_000);
        assert_eq!(bulking.limits(), Some(Limits { operations: 50, bytes: 750 }));
        bulking.too_large(2, 10);
        assert_eq!(bulking.limits(), None);
    }

    #[test]
    fn requests_without_answers_end_the_use_of_bulk_unless_one_is_answered_between() {
        let bulking = Bulking::new(Some(ANNOUNCED));
        for _ in 0..10 {
            bulking.lost(100);
            bulking.answered();
        }
        assert_eq!(bulking.limits(), Some(ANNOUNCED), "a lost answer now and then is the line's fault");
        bulking.lost(100);
        bulking.lost(100);
        for _ in 0..10 {
            bulking.lost(100);
        }
        let operations = || bulking.limits().map(|limits| limits.operations);
        assert_eq!(operations(), Some(25), "those beside it were as large");
        bulking.lost(25);
        assert_eq!(operations(), Some(6));
        bulking.lost(6);
        assert_eq!(operations(), None);
        let bulking = Bulking::new(Some(ANNOUNCED));
        bulking.lost(3);
        bulking.lost(3);
        assert!(bulking.limits().is_some());
        bulking.lost(2);
        assert!(bulking.limits().is_none(), "few are no reason to give up at once");
    }

    #[test]
    fn a_service_without_bulk_gets_none() {
        assert_eq!(Bulking::new(None).limits(), None);
        let bulking = Bulking::new(Some(ANNOUNCED));
        bulking.unusable(501);
        assert_eq!(bulking.limits(), None);
    }
}
