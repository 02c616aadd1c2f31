//! A call as it came, owned, so that a thread can read it: what its dialect makes of it, and the account that it is about.

use std::net::SocketAddr;

use ipnet::IpNet;
use sterna_core::{
    hook::{Call, Headers, HookDialect, Next, Peer, Who},
    time::Timestamp,
};
use sterna_ledger::{Ledger, LedgerError, sign_in::Meant};
use sterna_wire::{PeerCertificate, Request};

use crate::address;

/// A call.
pub(crate) struct Asked {
    request: Request,
    /// What follows the hook's own address.
    path: String,
    headers: Headers,
    peer: Peer,
    now: Timestamp,
}

/// Whom a call means, as the ledger knows.
pub(crate) type Whom = Result<Meant, LedgerError>;

/// What was read of it.
pub(crate) struct Read {
    pub(crate) next: Next,
    /// Whom it means, where it is about somebody.
    pub(crate) meant: Option<Whom>,
}

impl Asked {
    /// Takes a request of `peer`, whose own word on its address counts where proxies are trusted.
    pub(crate) fn new(request: Request, path: String, peer: SocketAddr, proxies: &[IpNet], now: Timestamp) -> Self {
        let headers = Headers::new(request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let forwarded = request.headers().get_all("x-forwarded-for");
        let forwarded: Vec<&str> = forwarded.iter().map(|line| line.to_str().unwrap_or("?")).collect();
        let peer = Peer {
            address: address::caller(peer.ip(), &forwarded.join(","), proxies),
            certificate: request.extensions().get::<PeerCertificate>().map(|shown| shown.0),
        };
        Self { request, path, headers, peer, now }
    }

    /// The same as dialects see it.
    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            method: self.request.method().as_str(),
            path: &self.path,
            query: self.request.uri().query(),
            headers: &self.headers,
            peer: self.peer,
            body: self.request.body(),
            now: self.now,
        }
    }

    /// Reads it: costs a private-key operation with some dialects, and may wait for a disk.
    pub(crate) fn read(&self, dialect: &dyn HookDialect, ledger: &Ledger) -> Read {
        let next = dialect.next(&self.call());
        let meant = about(&next).map(|who| ledger.meant_here(who));
        Read { next, meant }
    }
}

fn about(next: &Next) -> Option<&Who> {
    match next {
        Next::Check(submission) | Next::Begin(submission) | Next::Harvest(submission) => Some(&submission.who),
        Next::LookUp(query) => Some(&query.who),
        Next::Answer(_) | Next::Refuse(..) | Next::FetchKeys | Next::Poll(_) | Next::Collect { .. } => None,
    }
}
