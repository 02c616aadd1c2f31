//! Threads that read calls: a private-key operation and a look-up in the ledger each, on as many threads as there are
//! processors. Connections are answered beside them, so that a flood delays nobody unseen: how long a call will wait is
//! known when it comes, and what cannot be read in time is turned away unread.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

/// What a reading is taken to last before any is known.
const BEFORE: Duration = Duration::from_micros(500);
/// Of this many readings the mean is kept.
const MEMORY: u64 = 16;
/// Calls that wait at most, however quick readings are.
const MOST: usize = 4_096;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and the calls that wait for them. They end when it is dropped.
pub(crate) struct Readers {
    queue: Arc<Queue>,
    threads: u32,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    /// What one reading lasts, in nanoseconds.
    mean: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Threads that have nothing to do.
    idle: u32,
    ended: bool,
}

impl Readers {
    /// Starts as many as there are processors.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn for_processors() -> std::io::Result<Self> {
        Self::start(thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1)))
    }

    fn start(threads: u32) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        queue.mean.store(nanos(BEFORE), Ordering::Relaxed);
        let readers = Self { queue, threads: threads.max(1) };
        for _ in 0..readers.threads {
            let queue = Arc::clone(&readers.queue);
            thread::Builder::new().name("reader".into()).spawn(move || work(&queue))?;
        }
        Ok(readers)
    }

    /// Reads by `read` on one of the threads, if that begins before `latest` and ends before `until`; `None` when it does
    /// not.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        (latest, until): (Instant, Instant),
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = oneshot::channel();
        let queue = Arc::clone(&self.queue);
        let job = move || {
            let began = Instant::now();
            // other programs may have had the processors meanwhile: reading now would only make others late too
            if began > latest || tell.is_closed() {
                return;
            }
            let read = read();
            queue.note(began.elapsed());
            drop(tell.send(read));
        };
        self.add(latest, Box::new(job)).then_some(())?;
        tokio::time::timeout_at(until.into(), told).await.ok()?.ok()
    }

    /// Whether there is room, by how many wait before it.
    fn add(&self, latest: Instant, job: Job) -> bool {
        let mut waiting = self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mean = Duration::from_nanos(self.queue.mean.load(Ordering::Relaxed));
        let before = u32::try_from(waiting.jobs.len()).unwrap_or(u32::MAX);
        let wait = mean.saturating_mul(before) / self.threads;
        if waiting.jobs.len() >= MOST || Instant::now() + wait > latest {
            return false;
        }
        waiting.jobs.push_back(job);
        let wake = waiting.idle > 0;
        drop(waiting);
        if wake {
            self.queue.arrived.notify_one();
        }
        true
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.queue.arrived.notify_all();
    }
}

impl Queue {
    fn note(&self, took: Duration) {
        let mean = self.mean.load(Ordering::Relaxed);
        // one during which another program had the processor says little of the next
        let took = nanos(took).min(mean.saturating_mul(2));
        // two at once may each forget the other's: it is an estimate
        self.mean.store(mean - mean / MEMORY + took / MEMORY, Ordering::Relaxed);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn work(queue: &Queue) {
    let mut waiting = queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(job) = waiting.jobs.pop_front() {
            drop(waiting);
            // its caller learns by the end of its channel; the thread goes on with the next
            drop(catch_unwind(AssertUnwindSafe(job)));
            waiting = queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        } else if waiting.ended {
            return;
        } else {
            waiting.idle += 1;
            waiting = queue.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_read_in_time_is_turned_away_at_once_and_the_rest_is_read() {
        let readers = Arc::new(Readers::start(1).unwrap());
        let began = Instant::now();
        let slow = || thread::sleep(Duration::from_millis(20));
        for _ in 0..40 {
            let until = Instant::now() + Duration::from_secs(5);
            assert!(readers.read((until, until), slow).await.is_some());
        }
        let latest = Instant::now() + Duration::from_millis(100);
        let until = latest + Duration::from_secs(5);
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let readers = Arc::clone(&readers);
                tokio::spawn(async move { readers.read((latest, until), slow).await.is_some() })
            })
            .collect();
        let mut read = 0;
        for task in tasks {
            read += usize::from(task.await.unwrap());
        }
        assert!((1..=8).contains(&read), "{read}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_reading_that_panics_costs_no_thread() {
        let readers = Readers::start(1).unwrap();
        let until = Instant::now() + Duration::from_secs(5);
        assert_eq!(readers.read((until, until), || panic!("a mistake in a dialect")).await, None::<u8>);
        assert_eq!(readers.read((until, until), || 7).await, Some(7));
    }
}
