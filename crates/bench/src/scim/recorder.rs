//! Stands between Sterna and the server once, passes everything on, and keeps the Bulk requests byte for byte.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};

use super::generator;

/// Largest request that is passed on; far above what the server announces that it takes.
const LARGEST: usize = 16 << 20;
/// How long a connection may say nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// A recorder at work.
pub(super) struct Recorder {
    port: u16,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    is_over: Arc<AtomicBool>,
    listener: JoinHandle<()>,
}

impl Recorder {
    /// Listens on `port` and passes on to `behind`.
    pub(super) fn start(port: u16, behind: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).context("listening")?;
        let (requests, is_over) = (Arc::new(Mutex::default()), Arc::new(AtomicBool::new(false)));
        let (kept, over) = (Arc::clone(&requests), Arc::clone(&is_over));
        let listener = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let kept = Arc::clone(&kept);
                // a connection that breaks is the caller's to notice: the counts that follow would not fit
                thread::spawn(move || drop(pass_on(stream, behind, &kept)));
            }
        });
        Ok(Self { port, requests, is_over, listener })
    }

    /// Ends it, and gives the Bulk requests in the order in which they came.
    pub(super) fn stop(self) -> Result<Vec<Vec<u8>>> {
        self.is_over.store(true, Ordering::SeqCst);
        // wakes the listener
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        self.listener.join().map_err(|_| anyhow::anyhow!("the recorder panicked"))?;
        Ok(std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// One request of a connection, which the server's answer closes.
fn pass_on(stream: TcpStream, behind: u16, kept: &Mutex<Vec<Vec<u8>>>) -> Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let request = read(&mut reader)?;
    let answer = generator::exchange(behind, &request)?;
    if request.starts_with(b"POST ") && first_line(&request).contains("/Bulk ") {
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }
    let mut stream = stream;
    stream.write_all(&answer).context("answering")
}

fn first_line(request: &[u8]) -> String {
    String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned()
}

/// A whole request: head and as many bytes as it says.
fn read(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let (mut request, mut length) = (Vec::new(), 0_usize);
    loop {
        let from = request.len();
        let read = reader.by_ref().take(64 << 10).read_until(b'\n', &mut request).context("reading a request")?;
        anyhow::ensure!(read > 0, "the request ended early");
        let line = String::from_utf8_lossy(&request[from..]).trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().context("a length that is no number")?;
        }
    }
    anyhow::ensure!(length <= LARGEST, "a request of {length} bytes");
    let head = request.len();
    request.resize(head + length, 0);
    reader.read_exact(&mut request[head..]).context("reading a body")?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_long_as_it_says_and_no_further() {
        let text = b"POST /v2/Bulk HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n";
        let mut reader = BufReader::new(&text[..]);
        let request = read(&mut reader).unwrap();
        assert!(request.ends_with(b"\r\n\r\nhello") && first_line(&request).contains("/Bulk "));
        assert!(read(&mut BufReader::new(&b"POST / HTTP/1.1\r\n"[..])).is_err());
    }
}
