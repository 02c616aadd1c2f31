//! Why a walk ended early, in the words of a source.

use sterna_core::{
    code::{Code, Finding},
    port::SourceError,
};

use super::walk::Short;
use crate::{
    http::{access::MEND, token::NoToken},
    scim::ReadError,
};

/// The error that a reading ends with; `doing` says what was tried.
pub(super) fn ended(error: &ReadError, doing: &str) -> SourceError {
    let (code, hint) = match error {
        ReadError::Token(NoToken::Unreachable { .. }) => (Code::E3009, MEND.unreachable),
        ReadError::Token(NoToken::Proof { .. }) => (Code::E3010, MEND.proof),
        ReadError::Token(NoToken::Refused { error, codes, .. }) => (Code::E3010, (MEND.refused)(error, codes)),
        ReadError::Unreachable(_) => {
            (Code::E3009, "check `url`, the proxy and the firewall; behind a private CA set `ca_file`")
        }
        ReadError::Status { status: 401 | 403, .. } => (
            Code::E3010,
            "check the token or the password, and that it may list users (WSO2: the scope internal_user_mgt_list)",
        ),
        ReadError::Status { status: 429, .. } => (
            Code::E3009,
            "the service asks for longer pauses than are waited for: run extract again later, it goes on here",
        ),
        ReadError::Status { scim_type, .. } if matches!(scim_type.as_str(), "invalidCursor" | "expiredCursor") => {
            (Code::E3006, "run extract again; it begins anew")
        }
        ReadError::Status { status: 404 | 405, .. } => (Code::E3011, "check `url`: /Users is added to it"),
        ReadError::Status { status: 500.., .. } => {
            (Code::E3009, "look into the service's own log; run extract again, it goes on here")
        }
        ReadError::Status { .. } => (
            Code::E3011,
            "check `filter`, `attributes` and `page_size`, and try them with the service's own client; where the service refuses \
             the page behind the last one, set totals = \"ignored\"",
        ),
        ReadError::Shape | ReadError::Unfiltered => (Code::E3007, "check that `url` is the base of a SCIM 2.0 service"),
        ReadError::Circle => (
            Code::E3008,
            "the service does not page: set `page_size` above the number of people, or read groups of people by `filter`; where it \
             gives everybody at once and says no total, set totals = \"ignored\"",
        ),
    };
    SourceError::new(code, format!("{doing} failed: {error}")).hint(hint)
}

/// The error of a list that gives fewer people than the service says that there are.
pub(super) fn too_few(short: Short) -> SourceError {
    let Short { seen, total } = short;
    let error = SourceError::new(
        Code::E3012,
        format!(
            "the service says that it has {total} people, and gave {seen} each time that it was asked for all of them"
        ),
    );
    error.hint(
        "see whether the account that it is read with may see everybody, and try another `page_size`; where the service \
         counts wrong or gives somebody twice, set totals = \"ignored\"",
    )
}

/// The same as a finding of a check.
pub(super) fn finding(error: SourceError) -> Finding {
    let finding = Finding::error(error.code, error.message);
    match error.hint {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}
