//! A line to a server that can be slow, break off in the middle, or be dead.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// What the line does with each piece that comes, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Passes it on.
    Pass,
    /// Passes it on after so many milliseconds.
    Delay(u64),
    /// Passes so many bytes to the server, and ends the connection where more come.
    CutRequest(usize),
    /// Passes so many bytes from the server, and ends the connection where more come.
    CutAnswer(usize),
    /// Ends connections at once, new ones and those that are kept.
    Refuse,
}

/// What connections share.
struct Line {
    mode: Mutex<Mode>,
    answered: AtomicUsize,
}

impl Line {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line to a server; it ends with its value.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) port: u16,
    line: Arc<Line>,
    work: JoinHandle<()>,
}

impl Proxy {
    /// A line to `server` that passes everything on.
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Line { mode: Mutex::new(Mode::Pass), answered: AtomicUsize::new(0) });
        let shared = Arc::clone(&line);
        let work = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = Arc::clone(&shared);
                tokio::spawn(async move {
                    if line.mode() == Mode::Refuse {
                        return;
                    }
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    // when one direction ends, so does the other
                    tokio::select! {
                        () = pass(from_client, to_server, &line, true) => {}
                        () = pass(from_server, to_client, &line, false) => {}
                    }
                });
            }
        });
        Self { port, line, work }
    }

    /// What it does from now on, also with connections that are open.
    pub(crate) fn set(&self, mode: Mode) {
        *self.line.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    /// Bytes of the server's that were passed on so far.
    pub(crate) fn answered(&self) -> usize {
        self.line.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.work.abort();
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, line: &Line, request: bool) {
    let mut piece = vec![0; 16 << 10];
    // bytes that a cut has let through on this connection
    let mut passed = 0;
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let kept = match (line.mode(), request) {
            (Mode::Pass, _) | (Mode::CutRequest(_), false) | (Mode::CutAnswer(_), true) => length,
            (Mode::Delay(millis), _) => {
                sleep(Duration::from_millis(millis)).await;
                length
            }
            (Mode::CutRequest(most), true) | (Mode::CutAnswer(most), false) => {
                let kept = length.min(most.saturating_sub(passed));
                passed += kept;
                kept
            }
            (Mode::Refuse, _) => return,
        };
        if !request {
            line.answered.fetch_add(kept, Ordering::Relaxed);
        }
        if to.write_all(&piece[..kept]).await.is_err() || kept < length {
            return;
        }
    }
}
