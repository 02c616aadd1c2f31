//! The settings of the hook `wso2-silent`.

use sterna_core::{
    code::{Code, Finding},
    settings::{Kind, Need, Setting, Values},
};
use url::Url;

use crate::hooks::callers::hook_settings;

/// What a person reads when the old system has locked or disabled the account.
const REFUSED: &str = "This account cannot be used. Please contact support.";

/// What a person reads when nothing can be said now. Never that of a wrong password.
const TRY_LATER: &str = "Something went wrong. Please try again later.";

/// Every setting, in the order of the documentation.
pub(super) const SETTINGS: &[Setting] = hook_settings![
    Setting {
        name: "allowed_origins",
        kind: Kind::Texts,
        need: Need::Optional,
        doc: "Origins (https://login.example.com) of the wait pages that may ask how far a check is. Without any, only pages of this service's own origin can.",
    },
    Setting {
        name: "latin1_bodies",
        kind: Kind::Flag,
        need: Need::Default("false"),
        doc: "The script uses callChoreo, as in Asgardeo, which cannot send every character: a password that may be damaged and fails is not counted as a wrong one.",
    },
    Setting {
        name: "one_call",
        kind: Kind::Flag,
        need: Need::Default("false"),
        doc: "Answer /check too, the whole check in one call, for scripts without a wait page.",
    },
    Setting {
        name: "weak_passwords",
        kind: Kind::Choice(&["accept", "fail"]),
        need: Need::Default("\"accept\""),
        doc: "What is said of a right password that the target's policy would not take, or that is due to be changed: accept (the script writes it past the policy) or fail (the person has to reset it).",
    },
    Setting {
        name: "refused_message",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "What a person reads whose account is locked or disabled in the old system.",
    },
    Setting {
        name: "try_later_message",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "What a person reads when nothing can be said now.",
    },
];

/// What is said of a right password that is weak or due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weak {
    /// Yes: the script writes it.
    Accept,
    /// No.
    Fail,
}

/// How the caller encodes its bodies (wso2-scim.md 1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8: what arrives is what was typed.
    Faithful,
    /// ISO-8859-1 without saying so, with `?` for what that cannot hold.
    MayDamage,
}

/// The settings, read.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) origins: Vec<String>,
    pub(super) encoding: Encoding,
    pub(super) one_call: bool,
    pub(super) weak: Weak,
    pub(super) refused: String,
    pub(super) try_later: String,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// One finding for each origin that is none.
    pub(super) fn new(values: &Values) -> Result<Self, Vec<Finding>> {
        let origins = values.texts("allowed_origins");
        let findings: Vec<_> = origins.iter().filter(|text| !is_origin(text)).map(|text| no_origin(text)).collect();
        if !findings.is_empty() {
            return Err(findings);
        }
        let flag = |name: &str| values.flag(name).unwrap_or(false);
        let text = |name: &str, default: &str| values.text(name).unwrap_or(default).to_owned();
        Ok(Self {
            origins,
            encoding: if flag("latin1_bodies") { Encoding::MayDamage } else { Encoding::Faithful },
            one_call: flag("one_call"),
            weak: if values.text("weak_passwords") == Some("fail") { Weak::Fail } else { Weak::Accept },
            refused: text("refused_message", REFUSED),
            try_later: text("try_later_message", TRY_LATER),
        })
    }
}

/// Whether a browser would send exactly this text as `Origin` (RFC 6454 6.2): it is compared byte by byte.
fn is_origin(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.origin().ascii_serialization() == text)
}

fn no_origin(text: &str) -> Finding {
    let message = format!("`allowed_origins` has \"{}\", which is no origin", text.escape_debug());
    let finding = Finding::error(Code::E1005, message);
    match Url::parse(text) {
        Ok(url) if url.origin().is_tuple() => finding.hint(format!("write \"{}\"", url.origin().ascii_serialization())),
        _ => finding.hint("an origin is scheme, host and port, without a path: https://login.example.com"),
    }
}
