//! Byte and HTTP plumbing: a bounded HTTP/1.1 listener, TLS, and a throwaway certificate authority for tests.
//!
//! Start at [`Listener`] in `listener.rs`: it binds an address, and [`Listener::serve`] answers connections with a
//! [`Handler`] until [`Server::shutdown`]. `reply.rs` says what a handler may do beside answering (close without a
//! word, reset), `authority.rs` makes the test certificates, `tls.rs` turns them into a server configuration.
//! Not here: anything that knows a product, a user or a password.

mod authority;
mod connection;
mod error;
mod listener;
mod reply;
mod rsa;
mod socket;
mod tls;
mod x509;

pub use authority::TestAuthority;
pub use error::WireError;
pub use listener::{Limits, Listener, Server};
pub use reply::{Handler, Reply, Request};
pub use rsa::RsaIdentity;
pub use tls::{PeerCertificate, ServerTls, provider};
pub use x509::{certificates_from_pem, public_key_of};
