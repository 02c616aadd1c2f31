//! Gathers writes of several calls into one: where a service counts requests and not accounts, a small call wastes one.
//!
//! The engine paces accounts, evenly, so a slow quota gives small batches: Asgardeo's 500 accounts a minute come as a few twice
//! a second, and 5 bulk requests a minute (wso2-scim.md 3.1) would carry a few each. Here they wait for a place together.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};
use tokio::{sync::oneshot, time::Instant};

/// What waits to be sent together.
pub(super) struct Gathering<I, O> {
    waiting: Mutex<Waiting<I, O>>,
    /// Whose turn it is to send.
    turn: tokio::sync::Mutex<()>,
    /// How many go together at most.
    most: usize,
    /// How long between two of them.
    every: Duration,
}

struct Waiting<I, O> {
    entries: Vec<(I, oneshot::Sender<O>)>,
    /// When the next may leave.
    next: Instant,
}

impl<I, O> Gathering<I, O> {
    /// At most `most` together, one lot in every `every`.
    pub(super) fn new(most: usize, every: Duration) -> Self {
        let waiting = Waiting { entries: Vec::new(), next: Instant::now() };
        Self { waiting: Mutex::new(waiting), turn: tokio::sync::Mutex::new(()), most: most.max(1), every }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Waiting<I, O>) -> T) -> T {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has items sent with those of others, by whoever's turn it is; what came of each, in order. `None`: nobody can say.
    pub(super) async fn send<'f>(
        &self,
        items: Vec<I>,
        send: impl Fn(Vec<I>) -> BoxFuture<'f, Vec<O>>,
    ) -> Vec<Option<O>> {
        if items.is_empty() {
            return Vec::new();
        }
        let (senders, receivers): (Vec<_>, Vec<_>) = items.iter().map(|_| oneshot::channel()).unzip();
        self.with(|waiting| waiting.entries.extend(items.into_iter().zip(senders)));
        let mut came = std::pin::pin!(join_all(receivers));
        loop {
            tokio::select! {
                biased;
                came = &mut came => return came.into_iter().map(Result::ok).collect(),
                turn = self.turn.lock() => {
                    self.send_lot(&send).await;
                    drop(turn);
                }
            }
        }
    }

    async fn send_lot<'f>(&self, send: &impl Fn(Vec<I>) -> BoxFuture<'f, Vec<O>>) {
        let next = self.with(|waiting| waiting.next);
        tokio::time::sleep_until(next).await;
        let lot = self.with(|waiting| {
            // whoever asked and is gone has said since that it may never have been sent
            waiting.entries.retain(|(_, sender)| !sender.is_closed());
            let count = waiting.entries.len().min(self.most);
            waiting.entries.drain(..count).collect::<Vec<_>>()
        });
        if lot.is_empty() {
            return;
        }
        self.with(|waiting| waiting.next = Instant::now() + self.every);
        let (items, senders): (Vec<I>, Vec<_>) = lot.into_iter().unzip();
        for (sender, came) in senders.into_iter().zip(send(items).await) {
            // whoever asked may be gone
            let _ = sender.send(came);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_comes_while_a_lot_waits_goes_with_it_and_everybody_gets_their_own() {
        let gathering = Arc::new(Gathering::new(5, Duration::from_millis(100)));
        let lots = Arc::new(Mutex::new(Vec::new()));
        let call = |items: Vec<u32>| {
            let (gathering, lots) = (Arc::clone(&gathering), Arc::clone(&lots));
            tokio::spawn(async move {
                let send = move |items: Vec<u32>| {
                    lots.lock().unwrap().push(items.len());
                    let came = items.into_iter().map(|item| item * 10).collect();
                    std::future::ready(came).boxed()
                };
                gathering.send(items, send).await
            })
        };
        assert_eq!(call(vec![1]).await.unwrap(), [Some(10)], "the first leaves at once");
        let calls: Vec<_> = (0..6).map(|n| call(vec![n, n + 100])).collect();
        for (n, one) in (0..).zip(calls) {
            assert_eq!(one.await.unwrap(), [Some(n * 10), Some(n * 10 + 1_000)]);
        }
        assert_eq!(*lots.lock().unwrap(), [1, 5, 5, 2]);
    }

    #[tokio::test]
    async fn an_empty_call_is_over_at_once() {
        let gathering = Gathering::<u32, u32>::new(5, Duration::from_mins(1));
        assert_eq!(gathering.send(Vec::new(), |items| std::future::ready(items).boxed()).await, []);
    }
}
