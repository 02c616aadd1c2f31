//! The question that a target asks at a sign-in, "is this the old password?", in whatever wire dialect it asks it.
//!
//! Start at [`HookDialect`], which each product has in its folder of the connectors, and [`decide()`], the one pure function
//! from facts to a [`Decision`]. Nothing here does I/O: a dialect turns a request into what to do next, and a decision
//! into a response; transport, limits and look-ups are `sterna-serve`'s.

mod decide;
mod http;
mod read_back;

use std::{fmt, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;
use std::collections::BTreeMap;

use crate::{
    account::Account,
    code::Finding,
    ids::{AccountKey, TargetId},
    settings::{SecretRef, Setting, Values},
    support::HookSupport,
    time::Timestamp,
};

pub use decide::{Bar, Decision, Facts, Freshness, Step, Strength, Wait, decide};
pub use http::{Headers, HookAnswer};
pub use read_back::PasswordRules;

/// One request to a hook, as the transport read it.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// What follows the hook's own address (`/hooks/NAME`): empty, or begins with a slash. Still percent-encoded.
    pub path: &'a str,
    /// What follows the question mark.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a Headers,
    /// Who is at the other end of the connection.
    pub peer: Peer,
    /// The whole body.
    pub body: &'a [u8],
    /// The present.
    pub now: Timestamp,
}

/// Who is at the other end of the connection: never the person who signs in, but the service that asks for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer {
    /// Its address; behind a trusted proxy what the proxy says.
    pub address: Option<IpAddr>,
    /// SHA-256 of the certificate (DER) that it proved to have the key of, where it showed one.
    pub certificate: Option<[u8; 32]>,
}

/// What the transport is to do next.
pub enum Next {
    /// Answer at once: nothing is asked (a health check, an address that is not there).
    Answer(HookAnswer),
    /// Answer at once: the caller did not prove who it is, or what it sent is not accepted. Counted and logged.
    Refuse(Refusal, HookAnswer),
    /// The caller's signing key is not among the known ones: fetch the key set, then ask again, once.
    FetchKeys,
    /// Check this password, then [`HookDialect::answer`].
    Check(Box<Submission>),
    /// Check this password in the background; answer at once by [`HookDialect::begun`].
    Begin(Box<Submission>),
    /// Say how far the check is that was begun under this name, by [`HookDialect::polled`].
    Poll(String),
    /// Give out, once, the decision of the check that was begun under this name, by [`HookDialect::collected`].
    Collect {
        /// The name.
        context: String,
        /// The sign-in name that the check must have been begun with.
        login: Option<String>,
    },
    /// Tell who this is without a password, by [`HookDialect::looked_up`].
    LookUp(Box<Query>),
    /// The old system has just accepted this password, says an authenticated caller: write it to the target.
    Harvest(Box<Submission>),
}

/// A password to be checked, and for whom.
pub struct Submission {
    /// Which account, by what this dialect guarantees.
    pub who: Who,
    /// The password that was typed: its exact text, not trimmed, not normalised.
    pub password: SecretString,
    /// The address of the person, as the caller reports it.
    pub address: Option<IpAddr>,
    /// The tenant that asks, where the hook serves several.
    pub tenant: Option<String>,
    /// What the caller says belongs together: its retries have the same.
    pub correlation: Option<String>,
    /// How a repeated message is known again.
    pub once: Option<Once>,
    /// The sign-in name as the caller sent it; for comparing with later calls, never for finding the account.
    pub login: Option<String>,
    /// Whether the caller may have damaged characters of the password on the way: then a mismatch is not counted.
    pub may_be_damaged: bool,
    /// What [`HookDialect::answer`] needs again, in the dialect's own words; no secret.
    pub echo: String,
}

/// Somebody to be looked up without a password.
pub struct Query {
    /// Who.
    pub who: Who,
    /// The address of the person, as the caller reports it.
    pub address: Option<IpAddr>,
    /// What [`HookDialect::looked_up`] needs again.
    pub echo: String,
}

/// By what a dialect names the account.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// The target's own id.
    TargetId(TargetId),
    /// A local sign-in name: e-mail address, user name or phone number.
    SignInName(String),
    /// The source's own id of the record.
    SourceKey(String),
}

impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TargetId(_) => "TargetId(..)",
            Self::SignInName(_) => "SignInName(..)",
            Self::SourceKey(_) => "SourceKey(..)",
        })
    }
}

impl Who {
    /// Whether there is nothing to go by.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::TargetId(id) => id.0.is_empty(),
            Self::SignInName(text) | Self::SourceKey(text) => text.is_empty(),
        }
    }
}

/// How a repeated message is known again: never by the bearer, which is reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Once {
    /// SHA-256 over the nonce and the message.
    pub digest: [u8; 32],
    /// After this instant the message is refused anyway, so it need not be remembered.
    pub until: Timestamp,
}

/// Why a request was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// No proof of who calls, or a wrong one.
    Unauthenticated,
    /// The caller is who it says, but is none that may ask here (another application, another tenant).
    NotAllowed,
    /// The message is not of the dialect's form.
    Malformed,
    /// The message cannot be decrypted, or is encrypted in a way that is not accepted.
    Undecryptable,
    /// The message is no longer valid, or not yet.
    Expired,
    /// The message was answered before.
    Replayed,
    /// The message is larger than it may be.
    TooLarge,
}

impl Refusal {
    /// A word for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::NotAllowed => "not_allowed",
            Self::Malformed => "malformed",
            Self::Undecryptable => "undecryptable",
            Self::Expired => "expired",
            Self::Replayed => "replayed",
            Self::TooLarge => "too_large",
        }
    }
}

/// A person as dialects that hand over a profile see them.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// The account as it was read from the source.
    pub account: &'a Account,
    /// The target's id, where it has one.
    pub target: Option<&'a TargetId>,
    /// Our own key: the same at every call.
    pub key: AccountKey,
}

/// What a decision is answered with.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    /// The decision.
    pub decision: Decision,
    /// What [`Submission::echo`] held.
    pub echo: &'a str,
    /// The person; given where the decision accepts.
    pub person: Option<Person<'a>>,
}

/// What a look-up without a password found.
#[derive(Clone, Copy)]
pub enum Found<'a> {
    /// Somebody whose password may still be moved.
    There(Person<'a>),
    /// Nobody who is to be moved.
    NotThere,
    /// It cannot be said now.
    TryLater,
}

/// How far a check is that was begun before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Under way, or not known here.
    Pending,
    /// Its decision can be collected.
    Complete,
}

/// What comes of collecting a decision.
#[derive(Clone, Copy)]
pub enum Collected<'a> {
    /// Here it is; it is gone now.
    Decided(Reply<'a>),
    /// It was begun with another sign-in name.
    OtherLogin,
    /// There is none under this name, or it was collected already.
    Unknown,
}

/// What a dialect bounds its calls with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookLimits {
    /// Bytes of one body.
    pub body_bytes: usize,
    /// From the arrival of a call to its answer, where the settings do not say otherwise.
    pub deadline: Duration,
    /// From the beginning of a check in the background to its decision.
    pub background: Duration,
}

impl Default for HookLimits {
    fn default() -> Self {
        Self { body_bytes: 64 * 1024, deadline: Duration::from_millis(800), background: Duration::from_secs(8) }
    }
}

/// One product's way of asking, made from settings and keys. Every method is pure, so each protocol is a table of tests.
///
/// Methods have defaults where a dialect does not have that sort of call at all: the transport never calls them then.
pub trait HookDialect: Send + Sync {
    /// What its calls are bounded with.
    fn limits(&self) -> HookLimits {
        HookLimits::default()
    }

    /// Whether a yes is followed by our writing the password to the target, before it is answered.
    fn writes_credential(&self) -> bool {
        false
    }

    /// Whether this decision hands the typed password over to the target, so that the credential is *answered*; else the
    /// target only knows that it was right, and the person chooses a new one.
    fn hands_over(&self, decision: Decision) -> bool {
        decision == Decision::Accept
    }

    /// What to do with a request.
    fn next(&self, call: &Call<'_>) -> Next;

    /// The response to a decision.
    fn answer(&self, reply: &Reply<'_>) -> HookAnswer;

    /// The response when more is asked than can be read in time; nothing of the call was looked at.
    fn overloaded(&self) -> HookAnswer {
        HookAnswer::empty(503)
    }

    /// The response to a repeated message that is refused.
    fn refused(&self, _why: Refusal) -> HookAnswer {
        HookAnswer::empty(401)
    }

    /// The response to a check that goes on in the background under the name `context`.
    fn begun(&self, _context: &str) -> HookAnswer {
        HookAnswer::empty(404)
    }

    /// The response to the question how far a check is; a browser may ask, whose page is of the origin that the call names.
    fn polled(&self, _progress: Progress, _call: &Call<'_>) -> HookAnswer {
        HookAnswer::empty(404)
    }

    /// The response to collecting a decision.
    fn collected(&self, _collected: &Collected<'_>) -> HookAnswer {
        HookAnswer::empty(404)
    }

    /// The response to a look-up.
    fn looked_up(&self, _found: &Found<'_>, _echo: &str) -> HookAnswer {
        HookAnswer::empty(404)
    }

    /// The response to a harvested password: whether the target has it now.
    fn harvested(&self, _outcome: Harvested) -> HookAnswer {
        HookAnswer::empty(404)
    }
}

/// What came of a password that the old system had accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harvested {
    /// The target has it.
    Stored,
    /// The target had one of the person's own already: left as it is.
    AlreadyMoved,
    /// There is nobody to write it for.
    NotThere,
    /// The target does not take it: too weak by its policy. The person moves at their first sign-in there, or by a reset.
    TooWeak,
    /// Not now.
    TryLater,
}

/// The keys and secrets of a hook, read from where its settings say. Read again when they change; the dialect is then made
/// anew.
#[derive(Default)]
pub struct Material {
    /// Secrets, by the names in [`Needs::secrets`].
    pub secrets: BTreeMap<String, SecretString>,
    /// Files, by the names in [`Needs::files`].
    pub files: BTreeMap<String, Vec<u8>>,
    /// The key set (RFC 7517) at [`Needs::key_set`], as last fetched.
    pub key_set: Option<Vec<u8>>,
}

/// What a hook needs besides its settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Secrets, by a name of the dialect's choice.
    pub secrets: BTreeMap<String, SecretRef>,
    /// Files, by a name of the dialect's choice; relative ones are taken from the project folder.
    pub files: BTreeMap<String, PathBuf>,
    /// Where the caller's signing keys are published.
    pub key_set: Option<KeySetAddress>,
}

/// Where signing keys are published.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySetAddress {
    /// The address of the key set.
    pub url: String,
    /// More authorities to trust, a PEM file.
    pub ca_file: Option<PathBuf>,
}

/// A kind of hook: help, checks, `sterna init` and the documentation walk the registry of them.
pub trait HookKind: Send + Sync {
    /// Its name in `connector = "…"`.
    fn kind(&self) -> &'static str;

    /// Who asks by it, in a sentence.
    fn title(&self) -> &'static str;

    /// Its settings, besides those that every hook has.
    fn settings(&self) -> &'static [Setting];

    /// The lines that show how it is written in `sterna.toml`, with comments.
    fn sample(&self) -> &'static str;

    /// What it can do, for the support matrix; `None` claims nothing.
    fn support(&self) -> Option<HookSupport> {
        None
    }

    /// What it needs besides its settings.
    ///
    /// # Errors
    /// Findings about values that do not fit together.
    fn needs(&self, values: &Values) -> Result<Needs, Vec<Finding>>;

    /// Makes the dialect from checked values and what it needs.
    ///
    /// # Errors
    /// Findings about keys that cannot be read.
    fn open(&self, values: &Values, material: &Material) -> Result<Arc<dyn HookDialect>, Vec<Finding>>;
}
