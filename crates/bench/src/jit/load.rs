//! A cheap caller: raw HTTP/1.1 over connections that are kept, all of them on one thread.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
    task::JoinSet,
};

/// Longest wait for one answer; what takes longer counts as not answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// How calls are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// So many a second, whether those before are answered or not; as far as there are connections for them.
    Open(f64),
    /// Each connection sends the next call when it has its answer.
    Closed,
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The password is right.
    Yes,
    /// It is not.
    Wrong,
    /// Try later: read, and shed then.
    Later,
    /// Turned away unread (503).
    Shed,
    /// Something else, or nothing.
    None,
}

/// What one run came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    shots: Vec<(Answer, f64)>,
    /// Seconds from the first call to the last answer.
    pub(super) secs: f64,
}

impl Tally {
    /// How many were answered so.
    pub(super) fn of(&self, answer: Answer) -> f64 {
        count(self.shots.iter().filter(|(given, _)| *given == answer).count())
    }

    /// All calls.
    pub(super) fn all(&self) -> f64 {
        count(self.shots.len())
    }

    /// The answer time, in milliseconds, that so many of a hundred do not exceed; 100 is the longest.
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        let mut times: Vec<f64> = self.shots.iter().map(|(_, ms)| *ms).collect();
        times.sort_by(f64::total_cmp);
        let last = times.len().saturating_sub(1);
        times.get((times.len() * percent / 100).min(last)).copied().unwrap_or(f64::NAN)
    }
}

/// Sends calls over so many connections until all are sent or the time is over.
///
/// With an open pace a call that found no free connection counts from the instant at which it was due; in a flood, where
/// all of them are late, each counts from when it was sent.
pub(super) fn run(
    address: SocketAddr,
    calls: Vec<Vec<u8>>,
    connections: usize,
    pace: Pace,
    most: Duration,
) -> Result<Tally> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("starting")?;
    runtime.block_on(async {
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            streams.push(connect(address).await?);
        }
        let (calls, next, began) = (Arc::new(calls), Arc::new(AtomicUsize::new(0)), Instant::now());
        let mut tasks = JoinSet::new();
        for stream in streams {
            let lane = Lane { address, calls: Arc::clone(&calls), next: Arc::clone(&next), began, pace, most };
            tasks.spawn(lane.run(stream));
        }
        let shots = tasks.join_all().await.into_iter().flatten().collect();
        Ok(Tally { shots, secs: began.elapsed().as_secs_f64() })
    })
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await.context("connecting to the service")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One connection at work.
struct Lane {
    address: SocketAddr,
    calls: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    began: Instant,
    pace: Pace,
    most: Duration,
}

impl Lane {
    async fn run(self, mut stream: TcpStream) -> Vec<(Answer, f64)> {
        let (mut shots, mut room) = (Vec::new(), vec![0; 4_096]);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(call) = self.calls.get(number) else { return shots };
            let from = self.begin(number).await;
            if self.began.elapsed() > self.most {
                return shots;
            }
            let answered = tokio::time::timeout(PATIENCE, exchange(&mut stream, call, &mut room)).await;
            let answer = answered.unwrap_or_else(|_elapsed| Err(anyhow::anyhow!("no answer")));
            shots.push((*answer.as_ref().unwrap_or(&Answer::None), from.elapsed().as_secs_f64() * 1_000.0));
            if answer.is_err() {
                let Ok(fresh) = connect(self.address).await else { return shots };
                stream = fresh;
            }
        }
    }

    /// Waits until a call is due; from when it counts.
    async fn begin(&self, number: usize) -> Instant {
        let Pace::Open(rate) = self.pace else { return Instant::now() };
        let due = self.began + Duration::from_secs_f64(count(number) / rate);
        let now = Instant::now();
        if now < due {
            tokio::time::sleep_until(due.into()).await;
            // that the timer wakes late is not the service's doing
            return Instant::now();
        }
        // with connections to spare, a late call is one that waited for the service
        if rate > FLOOD { now } else { due }
    }
}

/// From so many calls a second on nothing is on time.
const FLOOD: f64 = 1_000.0;

async fn exchange(stream: &mut TcpStream, call: &[u8], room: &mut [u8]) -> Result<Answer> {
    stream.write_all(call).await?;
    let mut filled = 0;
    loop {
        let free = room.get_mut(filled..).filter(|free| !free.is_empty()).context("a longer answer than any is")?;
        let read = stream.read(free).await?;
        if read == 0 {
            bail!("the connection ended");
        }
        filled += read;
        let have = &room[..filled];
        let Some(end) = have.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let (head, body) = have.split_at(end + 4);
        let head = std::str::from_utf8(head)?;
        if body.len() >= length(head)? {
            return Ok(answer(head, body));
        }
    }
}

fn length(head: &str) -> Result<usize> {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value.trim())
    });
    Ok(line.context("an answer without its length")?.parse()?)
}

fn answer(head: &str, body: &[u8]) -> Answer {
    let says = |word: &str| body.windows(word.len()).any(|part| part == word.as_bytes());
    match head.get(9..12) {
        Some("503") => Answer::Shed,
        Some("200") if says("passwordSubmit.MigratePassword") => Answer::Yes,
        Some("200") if says("passwordSubmit.Retry") => Answer::Wrong,
        Some("200") if says("passwordSubmit.Block") => Answer::Later,
        _ => Answer::None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_and_percentiles_count_from_below() {
        let ok = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
        assert_eq!(answer(ok, b"..passwordSubmit.MigratePassword.."), Answer::Yes);
        assert_eq!(answer(ok, b"..passwordSubmit.Retry.."), Answer::Wrong);
        assert_eq!(answer(ok, b"{}"), Answer::None);
        assert_eq!(answer("HTTP/1.1 503 Service Unavailable\r\n\r\n", b""), Answer::Shed);
        assert_eq!(length(ok).unwrap(), 9);
        let shots = (1..=200).map(|ms| (Answer::Yes, f64::from(ms))).collect();
        let tally = Tally { shots, secs: 1.0 };
        for (percent, ms) in [(50, 101.0), (99, 199.0), (100, 200.0)] {
            assert!((tally.percentile(percent) - ms).abs() < 0.01, "{percent}");
        }
    }
}
