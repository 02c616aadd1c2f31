//! Any SCIM 2.0 service as a strict stand-in (RFC 7643, RFC 7644, RFC 9865), and the form on which products are put that
//! speak SCIM in a way of their own.
//!
//! Written from the RFCs and the protocol reference only, never from the client. One port serves SCIM (`/scim/v2`), the
//! token endpoint (`/oauth2/token`) and the control side. Start at [`start`]; what the service holds and what goes wrong is
//! a [`scenario::Scenario`], whose types document the file format. How real services differ is a list of [`QUIRKS`] that a
//! scenario turns on by name.
//!
//! # What is there
//!
//! Users with the enterprise extension, and groups, which may hold groups: create, read, replace, PATCH, delete, lists with
//! filters, sorting, paging by index and by cursor, `/.search`, entity tags, `/Bulk` with references, discovery. `/Me` is
//! 501. HTTP Basic, bearer tokens, and client credentials at the token endpoint.
//!
//! # The control side
//!
//! `state_url` is `{root}/_emulator/{key}` with a random key.
//!
//! | request | effect |
//! |---|---|
//! | `GET {state_url}` | `{"users":[…],"groups":[…],"counters":{…},"quirks":[…]}`: everything as the last write left it, at once |
//! | `GET {state_url}/counters` | the counters alone |
//! | `POST {state_url}/quota` | replaces the limits: an array of [`scenario::Rule`] as JSON |
//! | `GET {state_url}/faults` | what each fault rule has `seen` and `struck`, in order |
//! | `POST {state_url}/faults` | replaces the rules: `{"seed":1,"faults":[…]}`, each a [`scenario::Fault`] as JSON |
//! | `GET {state_url}/quirks` | every quirk that there is, and whether it is on |
//! | `POST {state_url}/quirks` | an array of names: these are on from now, the others off |
//! | `POST {state_url}/tokens/expire` | lets every token of the token endpoint expire now; the ready line's stays good |
//! | `POST {state_url}/cursors/expire` | lets every cursor be too old |
//! | `PATCH {state_url}/users/{id}` | somebody else changes a user: attributes as SCIM names them, `null` to remove one, `_password`; no rules. `groups` likewise |
//! | `DELETE {state_url}/users/{id}` | somebody else deletes a user. `groups` likewise |
//!
//! In the state a user has `_password` in clear text (`null` without one; the member is absent in a rehearsal), a group its
//! `members`. The counters: `requests` counts what reached the service, each operation of a bulk request for itself and the
//! bulk request not at all (that is in `bulks`); `writes` the changing requests and operations that the quota let through,
//! whatever they were answered; `creates` the resources really created; `conflicts` the answers that say "exists already";
//! `throttled` the answers 429, storms included; `tokens` the tokens issued.

pub(crate) mod access;
pub(crate) mod answer;
pub(crate) mod bulk;
pub(crate) mod call;
mod control;
mod counters;
mod discovery;
mod dispatch;
mod fault;
pub(crate) mod filter;
mod front;
pub(crate) mod list;
pub(crate) mod product;
pub(crate) mod profile;
pub(crate) mod quirk;
pub(crate) mod refusal;
pub(crate) mod resource;
pub mod scenario;
pub(crate) mod schema;
pub(crate) mod seed;
pub(crate) mod service;
pub(crate) mod start;
pub(crate) mod store;
mod strict;
pub(crate) mod throttle;

pub use quirk::{QUIRKS, Quirk};
pub use scenario::Scenario;
pub(crate) use start::start_product;
pub use start::{Options, launch, pointers, start};
