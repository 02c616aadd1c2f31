//! Counting calls that were turned away, for metrics and for the audit log, which gets a summary and not a line each.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use sterna_core::hook::Refusal;

/// Refusals since the last summary, by hook and reason.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<(Arc<str>, &'static str), u64>>);

impl Refusals {
    /// Counts one.
    pub(crate) fn add(&self, hook: &Arc<str>, why: Refusal) {
        let labels = [("hook", hook.to_string()), ("reason", why.name().to_owned())];
        metrics::counter!("sterna_refused_total", &labels).increment(1);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((Arc::clone(hook), why.name())).or_default() += 1;
    }

    /// Counts something that was turned away for our own reasons: limits, too many at once.
    pub(crate) fn add_word(&self, hook: &Arc<str>, word: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((Arc::clone(hook), word)).or_default() += 1;
    }

    /// Takes the summary; `None` when nothing was turned away.
    pub(crate) fn take(&self) -> Option<String> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let words: Vec<String> =
            counts.iter().map(|((hook, why), count)| format!("{count} {why} at hook {hook}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}
