//! One connection: handshake, requests one after the other, and its end.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::socket::{ResetSwitch, Socket};
use crate::{Handler, Limits, PeerCertificate, Reply, ServerTls};

/// Headers of one request at most.
const MOST_HEADERS: usize = 64;
/// Bytes that are kept of a connection while a request is read: all its headers have to fit in.
const BUFFER_BYTES: usize = 64 * 1024;

/// What all connections of one listener share.
pub(crate) struct Connections<H> {
    pub(crate) handler: Arc<H>,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) limits: Limits,
    pub(crate) stop: CancellationToken,
}

/// Ends a connection without a reply; hyper drops the stream when the service fails.
#[derive(Debug, thiserror::Error)]
#[error("the connection is ended without a reply")]
struct Silence;

pub(crate) async fn serve_connection<H: Handler>(shared: Arc<Connections<H>>, stream: TcpStream, peer: SocketAddr) {
    // Small replies must not wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let reset = ResetSwitch::default();
    let socket = Socket::new(stream, reset.clone());
    let Some(tls) = &shared.tls else {
        return serve_http(&shared, socket, (peer, None), reset).await;
    };
    let handshake = tls.acceptor().accept(socket);
    match tokio::time::timeout(shared.limits.handshake_timeout, handshake).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let shown = shown.map(|certificate| PeerCertificate(fingerprint(certificate)));
            serve_http(&shared, stream, (peer, shown), reset).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "A TLS handshake failed"),
        Err(_elapsed) => tracing::debug!("A TLS handshake took too long"),
    }
}

/// Who is at the other end.
type Caller = (SocketAddr, Option<PeerCertificate>);

fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, certificate).as_ref());
    fingerprint
}

async fn serve_http<H, S>(shared: &Arc<Connections<H>>, stream: S, peer: Caller, reset: ResetSwitch)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| answer(Arc::clone(shared), request, peer, reset.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_timeout)
        .max_headers(MOST_HEADERS)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shared.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "A connection ended early");
    }
}

async fn answer<H: Handler>(
    shared: Arc<Connections<H>>,
    request: http::Request<Incoming>,
    (peer, shown): Caller,
    reset: ResetSwitch,
) -> Result<Response<Full<Bytes>>, Silence> {
    let (head, body) = request.into_parts();
    let collected = Limited::new(body, shared.limits.body_bytes).collect();
    let body = match tokio::time::timeout(shared.limits.body_timeout, collected).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Ok(bare(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(_broken)) => return Err(Silence),
        Err(_elapsed) => return Ok(bare(StatusCode::REQUEST_TIMEOUT)),
    };
    let mut request = http::Request::from_parts(head, body);
    if let Some(shown) = shown {
        request.extensions_mut().insert(shown);
    }
    // A task of its own: a caller that goes away must not undo half of what it asked for.
    let running = tokio::spawn(async move { shared.handler.handle(request, peer).await });
    match running.await {
        Ok(Reply::Send(response)) => Ok(response.map(Full::new)),
        Ok(Reply::Close) => Err(Silence),
        Ok(Reply::Reset) => {
            reset.arm();
            Err(Silence)
        }
        Err(error) => {
            tracing::error!(%error, "A handler failed");
            Ok(bare(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}

fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}
