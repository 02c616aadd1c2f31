//! What a handler is given and what it may answer.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;

/// A request with its whole body, at most [`Limits::body_bytes`](crate::Limits::body_bytes) of it.
pub type Request = http::Request<Bytes>;

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// The response is sent and the connection kept.
    Send(http::Response<Bytes>),
    /// The connection is closed and not a byte is sent: to the caller the reply is lost.
    Close,
    /// The connection is reset (TCP RST) and not a byte is sent.
    Reset,
}

/// Answers requests. A call runs to its end even when the caller has gone away, as it does in a real service.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request of `peer`.
    fn handle(&self, request: Request, peer: SocketAddr) -> impl Future<Output = Reply> + Send;
}
