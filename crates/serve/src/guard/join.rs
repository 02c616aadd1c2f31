//! A caller's retry joins the call that is under way: one question to the old system, one count, the same answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// What makes two calls the same: a keyed digest over account, password and correlation id.
type Key = [u8; 32];

/// The calls under way.
pub struct Joins<T> {
    calls: Arc<Mutex<HashMap<Key, watch::Receiver<Option<T>>>>>,
}

/// Whether a call is the first of its sort.
pub enum Joined<T> {
    /// It is: it has to be carried out, and its outcome told by [`First::tell`].
    First(First<T>),
    /// Another one is under way: this is where its outcome comes.
    After(watch::Receiver<Option<T>>),
}

/// The call that others wait for. Dropped without telling, they learn that nothing came of it.
pub struct First<T> {
    key: Key,
    calls: Arc<Mutex<HashMap<Key, watch::Receiver<Option<T>>>>>,
    tell: watch::Sender<Option<T>>,
}

impl<T> Default for Joins<T> {
    fn default() -> Self {
        Self { calls: Arc::default() }
    }
}

impl<T: Clone> Joins<T> {
    /// Begins a call or joins the one under way.
    pub fn begin(&self, key: Key) -> Joined<T> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = calls.get(&key) {
            return Joined::After(under_way.clone());
        }
        let (tell, outcome) = watch::channel(None);
        calls.insert(key, outcome);
        Joined::First(First { key, calls: Arc::clone(&self.calls), tell })
    }
}

impl<T> First<T> {
    /// Tells the outcome to all that wait.
    pub fn tell(self, outcome: T) {
        self.tell.send_replace(Some(outcome));
    }
}

impl<T> Drop for First<T> {
    fn drop(&mut self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Waits for the outcome of the call that was joined; `None` when nothing came of it.
pub async fn outcome<T: Clone>(mut under_way: watch::Receiver<Option<T>>) -> Option<T> {
    let told = under_way.wait_for(Option::is_some).await.ok()?;
    told.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_call_gets_the_outcome_of_the_first_and_the_next_begins_anew() {
        let joins: Joins<u8> = Joins::default();
        let Joined::First(first) = joins.begin([1; 32]) else { panic!("the first") };
        let Joined::After(waits) = joins.begin([1; 32]) else { panic!("the second") };
        assert!(matches!(joins.begin([2; 32]), Joined::First(_)));
        first.tell(7);
        assert_eq!(outcome(waits).await, Some(7));
        assert!(matches!(joins.begin([1; 32]), Joined::First(_)));
    }

    #[tokio::test]
    async fn a_call_that_is_lost_leaves_nobody_waiting() {
        let joins: Joins<u8> = Joins::default();
        let Joined::First(first) = joins.begin([1; 32]) else { panic!("the first") };
        let Joined::After(waits) = joins.begin([1; 32]) else { panic!("the second") };
        drop(first);
        assert_eq!(outcome(waits).await, None);
    }
}
