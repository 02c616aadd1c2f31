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
//! Users sign in on a page, `{root}/{tenant}/sign-in` (`sign_in_url` of the ready line), or by the control side. In an
//! external tenant a sign-in may ask an endpoint about a password that has not moved yet, see
//! [`scenario::JustInTime`]; its tokens are signed with the RSA key of `jwks_url`. Sign-ins see writes at once.
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
//! | `POST {state_url}/users/{id}/reset-password` | the user resets a forgotten password: `{"password":"…"}`; the flag stays unless `reset_clears_flag`. 400 when the password is too weak |
//! | `POST {state_url}/sign-in` | somebody signs in: `{"username":"…","password":"…","client_ip":"…","client_app_id":"…"}`, the last two optional. Answers as below |
//! | `POST {state_url}/sign-in/new-password` | the new password that an `update_password` waits for: `{"flow":"…","password":"…"}`. 404 for a flow that is over or older than 10 minutes |
//! | `GET {state_url}/sign-ins` | the sign-in log: `{"total":…,"sign_ins":[…]}`, the newest 10,000, the newest last |
//! | `GET {state_url}/just-in-time` | what whoever builds the endpoint needs to know: `target_url`, `resource_id`, `app_id`, `key_id`, `listener_id`, `extension_id`, `client_app_id`, `flag` (the full name), `issuer`, `caller_app_id`, `caller_principal_id`, `setup_error`; while it is off `target_url` is `null` and the rest is what it would be |
//! | `POST {state_url}/just-in-time` | replaces the settings: a [`scenario::JustInTime`] as JSON, without files; answers as the line above |
//! | `DELETE {state_url}/just-in-time` | turns it off |
//! | `PATCH {state_url}/users/{id}` | somebody else changes a user: properties as Graph names them, `identities`, `_password`; no rules |
//! | `DELETE {state_url}/users/{id}` | somebody else deletes a user |
//!
//! In the state a user has every property that is set, `identities` always, `_password` in clear text (`null` without
//! one; the member is absent in a rehearsal) and `_roles` when an administrator.
//!
//! A sign-in is answered
//! `{"outcome":"…","called_extension":…,"correlation_id":"…","user_id":"…","code":…,"name":"…","title":"…","message":"…","flow":"…"}`;
//! the first three are always there. `signed_in`, `wrong_password` (50126, or 50034 for an unknown name), `retry` and
//! `blocked` (with the endpoint's `title` and `message`), `update_password` (with the `flow` that goes on with the new
//! password, and a `message` when one was too weak), or `error`: 50057 for a disabled account, otherwise one of the codes
//! of failed calls, 1003000 to 1003027. An entry of the log has `time`, `correlation_id`, `user_id`, `client_app_id`, `ip`,
//! `outcome`, `code`, `name`, and `extension` when there was a call: `listener_id`, `extension_id`, `http_status`,
//! `duration_ms`, `attempts`, `code`, `name`.
//!
//! The counters: `requests` counts what reached Graph, each item of a batch for itself and the batch not at all (lost
//! requests and token requests are not counted); `writes` the changing requests that the quota let through, whatever
//! they were answered; `creates` the users really created; `conflicts` the answers that say "exists already";
//! `throttled` the answers 429, storms included.

mod apps;
mod batch;
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

pub use options::{Kind, Options};
pub use scenario::Scenario;
pub use start::{launch, pointers, start};
