//! The tables of `sterna.toml` that belong to no connector, as data: the checker, `docs/configuration.md` and the
//! command line's help are made from here.

use sterna_connectors::checks::COMMON;
use sterna_core::settings::{Kind, Need, Setting};

/// A table of `sterna.toml`, for its documentation.
#[cfg(test)]
pub(crate) struct Table {
    /// Its heading, as written in the file.
    pub(crate) heading: &'static str,
    /// What it is for.
    pub(crate) doc: &'static str,
    /// Its settings; empty where its keys are free.
    pub(crate) settings: &'static [Setting],
}

/// The password strategies, by their names in the file.
pub(crate) const STRATEGIES: &[&str] = &["just-in-time", "carry-hash", "set", "reset"];

/// Every table, in the order of the documentation.
#[cfg(test)]
pub(crate) const TABLES: &[Table] = &[
    Table { heading: "[migration]", doc: "What the project is called.", settings: MIGRATION },
    Table {
        heading: "[sources.NAME]",
        doc: "A place accounts are read from; there may be several. NAME is yours: letters, digits, `-` and `_`. The \
              connector's own settings stand in the same table.",
        settings: SOURCE,
    },
    Table {
        heading: "[target]",
        doc: "The place accounts are written to. The connector's own settings stand in the same table. Without this \
              table a project can only extract.",
        settings: TARGET,
    },
    Table { heading: "[passwords]", doc: "What happens to passwords.", settings: PASSWORDS },
    Table {
        heading: "[social]",
        doc: "What happens to accounts of other identity providers. Accounts with an issuer that is named in neither \
              setting are held, and plan names the issuer.",
        settings: SOCIAL,
    },
    Table {
        heading: "[mapping]",
        doc: "Only what differs from the connector's own default mapping: an attribute of the target = a rule.",
        settings: &[],
    },
    Table {
        heading: "[cohorts.NAME]",
        doc: "A named part of the accounts, for `sterna apply --cohort NAME`. An account belongs to the first cohort \
              of the file that it fits.",
        settings: COHORT,
    },
    Table { heading: "[matching]", doc: "What happens when somebody is there already.", settings: MATCHING },
    Table {
        heading: "[checks.NAME]",
        doc: "A way to ask whether a typed password is the old one. Those that are for an account are asked in the order \
              of the file, until one is sure. The connector's own settings stand in the same table.",
        settings: CHECK,
    },
    Table {
        heading: "[serve]",
        doc: "The service that the target asks at a sign-in (`sterna serve`).",
        settings: super::serve::SERVE,
    },
    Table {
        heading: "[hooks.NAME]",
        doc: "A way in which a target asks whether a typed password is the old one. NAME is yours: letters, digits, `-` and \
              `_`; the hook answers under `/hooks/NAME`. The connector's own settings stand in the same table.",
        settings: super::serve::HOOK,
    },
    Table { heading: "[apply]", doc: "When a run stops by itself.", settings: APPLY },
    Table { heading: "[ledger]", doc: "The project's own database, in the folder `.sterna`.", settings: LEDGER },
];

/// `[migration]`.
pub(crate) const MIGRATION: &[Setting] = &[Setting {
    name: "name",
    kind: Kind::Text,
    need: Need::Required,
    doc: "The project's name, for reports and prompts.",
}];

/// What every source has besides its connector's settings.
pub(crate) const SOURCE: &[Setting] = &[
    Setting {
        name: "connector",
        kind: Kind::Text,
        need: Need::Required,
        doc: "The kind of source; docs/configuration.md lists them.",
    },
    Setting {
        name: "formerly",
        kind: Kind::Text,
        need: Need::Optional,
        doc: "The name that this source had before it was renamed here, so that its accounts stay the same.",
    },
];

/// What the target has besides its connector's settings.
pub(crate) const TARGET: &[Setting] = &[Setting {
    name: "connector",
    kind: Kind::Text,
    need: Need::Required,
    doc: "The kind of target; docs/configuration.md lists them.",
}];

/// `[passwords]`.
pub(crate) const PASSWORDS: &[Setting] = &[Setting {
    name: "strategy",
    kind: Kind::Choice(STRATEGIES),
    need: Need::Default("\"just-in-time\""),
    doc: "What to do where the source holds no plaintext: move the password at the first sign-in, carry its hash \
          along, set only what is held in plaintext, or demand a reset. A held plaintext that meets the target's \
          policy is set at once, whatever stands here.",
}];

/// `[social]`.
pub(crate) const SOCIAL: &[Setting] = &[
    Setting {
        name: "issuers",
        kind: Kind::TextTable,
        need: Need::Optional,
        doc: "The table [social.issuers]: an issuer as the source names it = the same issuer as the target names it. \
              Compared without case.",
    },
    Setting { name: "exclude", kind: Kind::Texts, need: Need::Optional, doc: "Issuers whose accounts are left out." },
];

/// `[cohorts.NAME]`.
pub(crate) const COHORT: &[Setting] = &[
    Setting {
        name: "where",
        kind: Kind::Tables(WHERE),
        need: Need::Optional,
        doc: "Tests of attributes, all of which must hold.",
    },
    Setting {
        name: "percent",
        kind: Kind::Integer(1, 100),
        need: Need::Optional,
        doc: "Only this part of the accounts that pass the tests; always the same ones.",
    },
    Setting {
        name: "strategy",
        kind: Kind::Choice(STRATEGIES),
        need: Need::Optional,
        doc: "The password strategy of this cohort, where it differs from [passwords].",
    },
];

/// What every legacy check has besides its connector's settings.
pub(crate) const CHECK: &[Setting] = &[
    Setting {
        name: "connector",
        kind: Kind::Text,
        need: Need::Required,
        doc: "The kind of check; docs/configuration.md lists them.",
    },
    Setting {
        name: "sources",
        kind: Kind::Texts,
        need: Need::Optional,
        doc: "The sources whose accounts it is for. Left out: all of them.",
    },
    Setting {
        name: "where",
        kind: Kind::Tables(WHERE),
        need: Need::Optional,
        doc: "Tests of attributes, all of which must hold, as in [cohorts.NAME].",
    },
    Setting {
        name: "continue_on",
        kind: Kind::Texts,
        need: Need::Default("[\"unknown\", \"unavailable\"]"),
        doc: "The answers after which the next check is asked as well: unknown (no such account there), unavailable (no \
              answer), mismatch (another password; only where the next one may know a newer one).",
    },
    COMMON[0],
    COMMON[1],
    COMMON[2],
    COMMON[3],
    COMMON[4],
    COMMON[5],
    COMMON[6],
];

/// One test of a cohort.
pub(crate) const WHERE: &[Setting] = &[
    Setting {
        name: "attribute",
        kind: Kind::Text,
        need: Need::Required,
        doc: "The attribute of the account, as in mapping rules: `email`, `groups`, `attributes.plan`.",
    },
    Setting { name: "equals", kind: Kind::Text, need: Need::Optional, doc: "It is this text, without regard to case." },
    Setting { name: "one_of", kind: Kind::Texts, need: Need::Optional, doc: "It is one of these texts." },
    Setting { name: "starts_with", kind: Kind::Text, need: Need::Optional, doc: "It begins so." },
    Setting { name: "ends_with", kind: Kind::Text, need: Need::Optional, doc: "It ends so." },
    Setting { name: "present", kind: Kind::Flag, need: Need::Optional, doc: "It is there at all, or is not." },
];

/// `[matching]`.
pub(crate) const MATCHING: &[Setting] = &[
    Setting {
        name: "same_identity",
        kind: Kind::Choice(&["adopt", "hold"]),
        need: Need::Default("\"adopt\""),
        doc: "The target has an account with the same social identity (issuer and subject): adopt it, or hold the \
              source's for a decision. Undo never deletes what was adopted.",
    },
    Setting {
        name: "same_sign_in_name",
        kind: Kind::Choice(&["clash", "adopt"]),
        need: Need::Default("\"clash\""),
        doc: "The target has an account that shares only a sign-in name: a clash that somebody has to decide, or adopt \
              it. Adopt only where you know that a name at the target belongs to the same person.",
    },
];

/// `[apply]`.
pub(crate) const APPLY: &[Setting] = &[
    Setting {
        name: "abort_percent",
        kind: Kind::Number(0.1, 100.0),
        need: Need::Default("5.0"),
        doc: "Stop when more than this part of the last requests failed, in per cent.",
    },
    Setting {
        name: "abort_window",
        kind: Kind::Integer(10, 1_000_000),
        need: Need::Default("1000"),
        doc: "How many of the last requests count for that.",
    },
    Setting {
        name: "canary",
        kind: Kind::Integer(1, 1_000_000),
        need: Need::Default("10"),
        doc: "How many accounts `sterna apply --canary` sends when it is given without a number.",
    },
];

/// `[ledger]`.
pub(crate) const LEDGER: &[Setting] = &[Setting {
    name: "key",
    kind: Kind::Secret,
    need: Need::Default("{ file = \"sterna.key\" }"),
    doc: "The key that opens the ledger. A file that is not there yet is made together with the ledger, readable by \
          its owner alone.",
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_explained_in_a_sentence() {
        for table in TABLES {
            for setting in table.settings.iter().chain(WHERE) {
                assert!(setting.doc.ends_with('.'), "{} {}", table.heading, setting.name);
            }
        }
    }
}
