//! Binding, accepting and ending: every number that bounds a listener is here.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{Connections, serve_connection};
use crate::{Handler, ServerTls, WireError};

/// The bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections open at one time; further ones wait in the operating system's queue.
    pub connections: usize,
    /// Connections open at one time from one address; further ones are closed at once.
    pub connections_each: usize,
    /// Bytes of one request body; a longer one is answered 413.
    pub body_bytes: usize,
    /// Time for the TLS handshake.
    pub handshake_timeout: Duration,
    /// Time for a request's headers, counted from the end of the request before: also the idle time of a connection.
    pub header_timeout: Duration,
    /// Time for a request's body.
    pub body_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            connections_each: 1_024,
            body_bytes: 4 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_mins(2),
            body_timeout: Duration::from_secs(30),
        }
    }
}

/// A bound address that nobody answers on yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<ServerTls>,
    limits: Limits,
}

impl Listener {
    /// Binds `address`; port 0 picks a free one. Plain HTTP without `tls`.
    pub async fn bind(address: SocketAddr, tls: Option<ServerTls>, limits: Limits) -> Result<Self, WireError> {
        let failed = |source| WireError::Bind { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let bound = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address: bound, tls, limits })
    }

    /// The address that was bound, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers connections in the background until [`Server::shutdown`], or until the [`Server`] is dropped.
    pub fn serve<H: Handler>(self, handler: Arc<H>) -> Server {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let address = self.address;
        tasks.spawn(accept(self, handler, stop.clone(), tasks.clone()));
        Server { address, stop, tasks }
    }
}

/// A listener that answers. Dropping it stops it without waiting.
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// The address that is answered on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets running requests end for at most `grace`, then drops what is left.
    pub async fn shutdown(self, grace: Duration) {
        self.stop(grace).await;
    }

    /// The same, where the server is shared.
    pub async fn stop(&self, grace: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::debug!(left = self.tasks.len(), "Requests were still running when the listener stopped");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How many connections each address has.
type Shares = Mutex<HashMap<IpAddr, usize>>;

/// One connection of an address; given back when dropped.
struct Share(Arc<Shares>, IpAddr);

impl Share {
    fn take(shares: &Arc<Shares>, peer: IpAddr, most: usize) -> Option<Self> {
        let mut all = shares.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(peer).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self(Arc::clone(shares), peer))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.1);
            }
        }
    }
}

async fn accept<H: Handler>(listener: Listener, handler: Arc<H>, stop: CancellationToken, tasks: TaskTracker) {
    let Listener { socket, tls, limits, .. } = listener;
    let permits = Arc::new(Semaphore::new(limits.connections));
    let shares = Arc::new(Shares::default());
    let shared = Arc::new(Connections { handler, tls, limits, stop: stop.clone() });
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => return,
            permit = Arc::clone(&permits).acquire_owned() => match permit {
                Ok(permit) => permit,
                Err(_closed) => return,
            },
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(share) = Share::take(&shares, peer.ip(), limits.connections_each) else { continue };
                let shared = Arc::clone(&shared);
                tasks.spawn(async move {
                    serve_connection(shared, stream, peer).await;
                    drop((permit, share));
                });
            }
            Err(error) => {
                // Out of descriptors, mostly: waiting a little beats spinning.
                tracing::warn!(%error, "Cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
