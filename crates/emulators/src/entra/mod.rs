//! Microsoft Entra External ID and Azure AD B2C behind Microsoft Graph v1.0, as strict stand-ins.
//!
//! Written from the protocol reference only, never from the client. One port serves Graph (`/v1.0/…`), the token
//! endpoint (`/{tenant}/oauth2/v2.0/token`, discovery and keys) and the control side. Start at [`start`]; what the
//! tenant holds and what goes wrong is a [`scenario::Scenario`], whose types document the file format.
//!
//! # What is there
//!
//! `/users` (create, read, list, `$count`, change, delete, `delta`, `memberOf`), `/directory/deletedItems` (list, read,
//! restore, delete for good), `/applications` with `extensionProperties`, `/servicePrincipals` with
//! `appRoleAssignments`, `/directoryObjects/getAvailableExtensionProperties`, `/domains`, `/organization` (with
//! `directorySizeQuota`), `/identity/identityProviders`, `/directoryRoles`, and `$batch`. Everything else is refused.
//! A tenant starts with the application `b2c-extensions-app` and without extension properties.
//!
//! # Time
//!
//! A write shows in reads after the read delay: until then a new user is 404 by id (to reads and to further writes), in
//! no list and in no filter. Uniqueness is checked against the last write, or against what reads show when
//! `lagging_uniqueness` is on.
//!
//! # The control side
//!
//! `state_url` is `{root}/_emulator/{key}` with a random key.
//!
//! | request | effect |
//! |---|---|
//! | `GET {state_url}` | `{"users":[…],"deleted":[…],"counters":{…}}`: everything as the last write left it, at once |
//! | `GET {state_url}/counters` | the counters alone |
//! | `POST {state_url}/quota` | changes the limits from now on: a [`scenario::QuotaChange`] as JSON, for example `{"writes_per_second":60}` |
//! | `GET {state_url}/faults` | what each fault rule has `seen` and `struck`, in order |
//! | `POST {state_url}/faults` | replaces the rules: `{"seed":1,"faults":[…]}`, each a [`scenario::Fault`] as JSON |
//! | `POST {state_url}/tokens/expire` | lets every token expire now |
//! | `POST {state_url}/delta/expire` | lets every delta link answer 410 |
//! | `POST {state_url}/users/{id}/sign-in` | the user signs in: sets `signInActivity`; `{"at":"…","flag":"toBeMigrated","password":"…"}`, all optional: clears the flag and sets the password as the migration at sign-in does |
//! | `PATCH {state_url}/users/{id}` | somebody else changes a user: properties as Graph names them, `identities`, `_password`; no rules |
//! | `DELETE {state_url}/users/{id}` | somebody else deletes a user |
//!
//! In the state a user has every property that is set, `identities` always, `_password` in clear text (`null` without
//! one; the member is absent in a rehearsal) and `_roles` when an administrator.
//!
//! The counters: `requests` counts what reached Graph, each item of a batch for itself and the batch not at all (lost
//! requests and token requests are not counted); `writes` the changing requests that the quota let through, whatever
//! they were answered; `creates` the users really created; `conflicts` the answers that say "exists already";
//! `throttled` the answers 429, storms included.

mod apps;
mod batch;
mod clock;
mod control;
mod counters;
mod directory;
mod fault;
mod front;
mod graph;
mod login;
pub mod options;
pub mod outside;
mod refusal;
pub mod scenario;
mod service;
mod sign_in;
mod start;
mod tenant;
mod throttle;

pub use start::start;
