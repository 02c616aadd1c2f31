//! The settings that every legacy check has.

use std::time::Duration;

use sterna_core::{
    code::{Code, Finding},
    legacy::BreakerRules,
    password::held::Stated,
    settings::{Kind, Need, Setting, Values},
};

use super::Limits;

/// Limits and breaker; the program takes them from the check's own table.
pub const COMMON: &[Setting] = &[
    Setting {
        name: "timeout_ms",
        kind: Kind::Integer(10, 60_000),
        need: Need::Default("1500"),
        doc: "The longest that one answer may take, waiting included. A hook's own deadline may be shorter.",
    },
    Setting {
        name: "max_concurrent",
        kind: Kind::Integer(1, 1_000),
        need: Need::Default("16"),
        doc: "How many attempts, and so connections, are under way at once.",
    },
    Setting {
        name: "max_waiting",
        kind: Kind::Integer(0, 100_000),
        need: Need::Default("256"),
        doc: "How many attempts may wait for that; one more is answered \"unavailable\" at once.",
    },
    Setting {
        name: "breaker_failures",
        kind: Kind::Integer(1, 1_000),
        need: Need::Default("5"),
        doc: "After so many failures in a row it is left alone: attempts are answered \"unavailable\" at once.",
    },
    Setting {
        name: "breaker_rest_secs",
        kind: Kind::Integer(1, 3_600),
        need: Need::Default("5"),
        doc: "For how long, before one attempt tries it again; doubles with each that fails, up to a minute or this.",
    },
    Setting {
        name: "per_second",
        kind: Kind::Number(0.1, 100_000.0),
        need: Need::Optional,
        doc: "Attempts a second at most, so that the old system does not take our one address for an attacker; more wait, \
              or are answered \"unavailable\" where they would come too late. Without it as many as there are.",
    },
    Setting {
        name: "locked_in_a_row",
        kind: Kind::Integer(0, 1_000),
        need: Need::Default("5"),
        doc: "So many different accounts locked in a row are a sign that the old system has locked *us* out (AADSTS50053 \
              says both): it is left alone then, and nobody is told that their account is locked. Accounts that \
              failed through Sterna within the last hour do not count, others for ten minutes. 0 turns it off.",
    },
];

/// The limits that the values give.
pub fn limits(values: &Values) -> Limits {
    let count = |name, fallback| values.count(name).unwrap_or(fallback);
    let size = |name, fallback| usize::try_from(count(name, fallback)).unwrap_or(usize::MAX);
    let rest = Duration::from_secs(count("breaker_rest_secs", 5));
    Limits {
        timeout: Duration::from_millis(count("timeout_ms", 1_500)),
        concurrent: size("max_concurrent", 16),
        waiting: size("max_waiting", 256),
        per_second: values.number("per_second"),
        locked_in_a_row: size("locked_in_a_row", 5),
        breaker: BreakerRules {
            failures: u32::try_from(count("breaker_failures", 5)).unwrap_or(u32::MAX),
            rest,
            longest: rest.max(Duration::from_mins(1)),
        },
    }
}

/// The formats of password hashes that a setting names; `None` when it is left out or leaves them to each hash's text.
///
/// # Errors
/// E1005 with the nearest name.
pub fn stated(setting: Option<&str>) -> Result<Option<Stated>, Box<Finding>> {
    let Some(text) = setting else { return Ok(None) };
    Stated::parse(text).map_err(|(name, near)| {
        let finding = Finding::error(Code::E1005, format!("there is no format of password hashes named `{name}`"));
        Box::new(match near {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding.hint("docs/password-hashes.md lists them; `sterna password identify` proposes some"),
        })
    })
}
