//! The bare way: whole requests from memory, over so many connections at once, nothing read but the status and the end.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// Sends every request once; seconds from the first to the last answer.
pub(super) fn run(port: u16, requests: &[Vec<u8>], concurrency: u32) -> Result<f64> {
    let (next, began) = (AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..concurrency).map(|_| scope.spawn(|| lane(port, requests, &next))).collect();
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a lane panicked"))))
    })?;
    Ok(began.elapsed().as_secs_f64())
}

fn lane(port: u16, requests: &[Vec<u8>], next: &AtomicUsize) -> Result<()> {
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let answer = exchange(port, request)?;
        let status = answer.get(9..12).unwrap_or_default();
        ensure!(status == b"200", "the server answered {}", String::from_utf8_lossy(status));
    }
    Ok(())
}

/// Sends one request on a connection of its own, as this server closes each, and reads to the end.
pub(super) fn exchange(port: u16, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("reaching the server")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request).context("sending")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("reading an answer")?;
    Ok(answer)
}
