//! The settings of the hook as data.

use sterna_core::settings::{Kind, Need, Setting};

use crate::hooks::callers::hook_settings;

macro_rules! setting {
    ($name:literal, $kind:expr, $need:expr, $doc:literal) => {
        Setting { name: $name, kind: $kind, need: $need, doc: $doc }
    };
}

/// The settings.
pub(super) const SETTINGS: &[Setting] = hook_settings![
    setting!(
        "login_claim",
        Kind::Text,
        Need::Optional,
        "The claim that has the sign-in name. Without it `signInName`, then `email`."
    ),
    setting!("password_claim", Kind::Text, Need::Default("\"password\""), "The claim that has the password."),
    setting!(
        "object_id_claim",
        Kind::Text,
        Need::Default("\"objectId\""),
        "The claim that has the directory's id of the person; where it is sent it wins over the name, and one that is empty or no text is refused."
    ),
    setting!(
        "require_object_id",
        Kind::Flag,
        Need::Default("false"),
        "Whether calls without that claim are refused; else they go by the name."
    ),
    setting!(
        "answer",
        Kind::Choice(&["seamless", "jit-v2"]),
        Need::Default("\"seamless\""),
        "The claims of the answer: those of the published sample seamless-account-migration, or of jit-migration-v2."
    ),
    setting!(
        "writes",
        Kind::Choice(&["policy", "service"]),
        Need::Default("\"policy\""),
        "Who writes a right password into the directory and takes the flag away: the policy, or Sterna before it answers."
    ),
    setting!(
        "must_change_claim",
        Kind::Text,
        Need::Optional,
        "The Boolean claim that says that the person has to choose a new password. Without it such a sign-in is refused with `change_text`."
    ),
    setting!(
        "while_unavailable",
        Kind::Choice(&["text", "error"]),
        Need::Default("\"text\""),
        "What is answered while nothing can be said: 409 with `later_text`, or 503."
    ),
    setting!(
        "wrong_text",
        Kind::Text,
        Need::Default("\"Your password is incorrect.\""),
        "What is shown for a wrong password and for an unknown person alike."
    ),
    setting!(
        "locked_text",
        Kind::Text,
        Need::Default("\"Your account is temporarily locked. Try again later.\""),
        "What is shown to a person who is locked out in the old system."
    ),
    setting!(
        "disabled_text",
        Kind::Text,
        Need::Default("\"Your account is disabled.\""),
        "What is shown to a person whom the old system does not let in any more."
    ),
    setting!(
        "change_text",
        Kind::Text,
        Need::Default("\"Your password has to be changed. Select 'Forgot your password?'.\""),
        "What is shown when the password was right but has to be changed, and `must_change_claim` is not set."
    ),
    setting!(
        "later_text",
        Kind::Text,
        Need::Default("\"We cannot sign you in right now. Try again later.\""),
        "What is shown while nothing can be said."
    ),
];
