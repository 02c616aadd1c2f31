//! Checking stored hashes while somebody waits: on few threads, within a memory budget, and not at all where the answer
//! would come too late.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use sterna_core::{
    legacy::{Outage, Verdict},
    password::formats::{self, Bounds, Refusal, Stored},
    secrecy::{ExposeSecret, SecretString},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout_at,
};
use zeroize::Zeroize;

/// Memory that all checks under way may take together, in MiB.
const MEMORY_MIB: u32 = 512;
/// How many attempts may wait for a thread.
const WAITING: usize = 1_024;

/// A hash with the name of its format.
pub type Named = (String, SecretString);

/// Few threads that check hashes.
pub struct HashPool {
    threads: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl HashPool {
    /// A pool of so many threads, within `memory_mib`, for which so many attempts may wait.
    pub fn new(threads: usize, memory_mib: u32, waiting: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            threads: semaphore(threads.max(1)),
            memory: semaphore(usize::try_from(memory_mib).unwrap_or(usize::MAX)),
            places: semaphore(threads.max(1) + waiting),
        }
    }

    /// The process's one pool: a thread for each core.
    pub fn shared() -> Arc<Self> {
        static POOL: LazyLock<Arc<HashPool>> = LazyLock::new(|| {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
            Arc::new(HashPool::new(cores, MEMORY_MIB, WAITING))
        });
        Arc::clone(&POOL)
    }

    /// Checks `password` against hashes of one account, any of which counts. `keys` are the peppers and keys that their
    /// formats need beside them.
    ///
    /// A hash that is not computed makes a mismatch of the others unsure: then there is no answer.
    pub async fn verify(
        &self,
        stored: Vec<Named>,
        keys: Arc<BTreeMap<String, SecretString>>,
        password: SecretString,
        deadline: Instant,
    ) -> Verdict {
        let (mut read, mut unread) = (Vec::new(), 0);
        for (format, value) in &stored {
            match parse(format, value, &keys) {
                Ok(stored) => read.push(stored),
                Err(_) => unread += 1,
            }
        }
        drop(stored);
        if read.is_empty() {
            return Verdict::Unavailable(Outage::HashNotComputed);
        }
        let seconds: f64 = read.iter().map(Stored::seconds).sum();
        let memory = read.iter().map(Stored::memory).max().unwrap_or_default();
        if Instant::now() + Duration::from_secs_f64(seconds) > deadline {
            return Verdict::Unavailable(Outage::TooCostly);
        }
        let Some(permits) = self.enter(memory, seconds, deadline).await else {
            return Verdict::Unavailable(Outage::Overloaded);
        };
        let check = tokio::task::spawn_blocking(move || {
            // kept until the work is done, also when nobody waits for it any more
            let _permits = permits;
            together(read.iter().map(|stored| stored.verify(password.expose_secret().as_bytes())), unread)
        });
        match timeout_at(deadline.into(), check).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Verdict::Unavailable(Outage::HashNotComputed),
            Err(_) => Verdict::Unavailable(Outage::TimedOut),
        }
    }

    /// Waits for a thread and memory; `None` when there is no place, or the work would not be done by the deadline.
    async fn enter(&self, memory: u64, seconds: f64, deadline: Instant) -> Option<[OwnedSemaphorePermit; 3]> {
        let fits = || Instant::now() + Duration::from_secs_f64(seconds) <= deadline;
        let mib = u32::try_from(memory.div_ceil(1 << 20)).unwrap_or(u32::MAX).clamp(1, MEMORY_MIB);
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let thread = timeout_at(deadline.into(), Arc::clone(&self.threads).acquire_owned()).await.ok()?.ok()?;
        let memory = timeout_at(deadline.into(), Arc::clone(&self.memory).acquire_many_owned(mib)).await.ok()?.ok()?;
        fits().then_some([place, thread, memory])
    }
}

/// Reads a hash with what its format needs beside it.
fn parse(format: &str, value: &SecretString, keys: &BTreeMap<String, SecretString>) -> Result<Stored, Refusal> {
    let format = formats::find(format).ok_or(Refusal::Unsupported("the format"))?;
    let needed = keys.iter().filter(|(name, _)| format.needs.contains(&name.as_str()));
    let mut beside: BTreeMap<String, String> =
        needed.map(|(name, key)| (name.clone(), key.expose_secret().to_owned())).collect();
    let stored = Stored::parse_with(format, value.expose_secret(), &beside, &Bounds::ONLINE);
    beside.values_mut().for_each(Zeroize::zeroize);
    stored
}

/// The verdict of several hashes, of which `unread` more could not even be read.
fn together(verdicts: impl Iterator<Item = formats::Verdict>, unread: usize) -> Verdict {
    let mut unsure = unread > 0;
    for verdict in verdicts {
        match verdict {
            formats::Verdict::Match { upgrade } => return Verdict::Match { upgrade: upgrade.is_some() },
            // a password that the old system itself refuses is not the one that it stored
            formats::Verdict::Mismatch | formats::Verdict::Refused(Refusal::Password(_)) => {}
            formats::Verdict::Refused(_) | formats::Verdict::Unsupported => unsure = true,
        }
    }
    if unsure { Verdict::Unavailable(Outage::HashNotComputed) } else { Verdict::Mismatch }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "5f4dcc3b5aa765d61d8327deb882cf99";
    /// Made with cost 10: about 60 ms of a core.
    const BCRYPT: &str = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

    async fn verify(pool: &HashPool, stored: &[(&str, &str)], password: &str, millis: u64) -> Verdict {
        let stored = stored.iter().map(|(format, value)| ((*format).to_owned(), (*value).into())).collect();
        let deadline = Instant::now() + Duration::from_millis(millis);
        pool.verify(stored, Arc::default(), password.into(), deadline).await
    }

    type Hashes = &'static [(&'static str, &'static str)];

    #[tokio::test]
    async fn any_of_several_hashes_counts_and_one_that_is_not_computed_makes_no_mismatch() {
        const UNSURE: Verdict = Verdict::Unavailable(Outage::HashNotComputed);
        let pool = HashPool::new(2, 64, 16);
        let cases: &[(Hashes, &str, Verdict)] = &[
            (&[("hex-md5", MD5)], "password", Verdict::Match { upgrade: true }),
            (&[("hex-md5", MD5)], "other", Verdict::Mismatch),
            (&[("ldap-sha", "{SHA}AAAA"), ("hex-md5", MD5)], "password", Verdict::Match { upgrade: true }),
            (&[("ldap-sha", "{SHA}AAAA"), ("hex-md5", MD5)], "other", UNSURE),
            (&[("no-such-format", MD5)], "password", UNSURE),
            (&[("bcrypt-2b", "$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy")], "password", UNSURE),
            (&[], "password", UNSURE),
        ];
        for (stored, password, expected) in cases {
            assert_eq!(verify(&pool, stored, password, 5_000).await, *expected, "{stored:?}");
        }
    }

    #[tokio::test]
    async fn what_would_come_too_late_is_not_begun_and_too_many_are_shed() {
        let pool = Arc::new(HashPool::new(1, 64, 2));
        let hash = [("bcrypt-2b", BCRYPT)];
        assert_eq!(verify(&pool, &hash, "x", 1).await, Verdict::Unavailable(Outage::TooCostly));
        let asks: Vec<_> = (0..8)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { verify(&pool, &hash, "x", 20_000).await })
            })
            .collect();
        let mut verdicts = Vec::new();
        for ask in asks {
            verdicts.push(ask.await.unwrap());
        }
        let count = |verdict| verdicts.iter().filter(|one| **one == verdict).count();
        assert_eq!(count(Verdict::Mismatch), 3, "{verdicts:?}");
        assert_eq!(count(Verdict::Unavailable(Outage::Overloaded)), 5, "{verdicts:?}");
    }
}
