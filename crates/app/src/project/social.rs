//! `[social]`: which issuers are carried over under which name, and which are left out.

use std::collections::{BTreeMap, BTreeSet};

use sterna_core::{code::Code, settings::Values};
use toml::de::DeValue;

use super::load::{Item, Reading, member};

/// The issuers that are carried over, and those that are left out; both by their names in lower case.
pub(super) fn read(
    reading: &mut Reading<'_>,
    values: &Values,
    item: Option<&Item<'_>>,
) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let excluded: BTreeSet<String> = values.texts("exclude").iter().map(|issuer| issuer.to_lowercase()).collect();
    let mut issuers = BTreeMap::new();
    for (from, to) in values.text_table("issuers") {
        let canonical = from.to_lowercase();
        let mistake = if excluded.contains(&canonical) {
            Some(format!("the issuer \"{from}\" is both mapped and excluded"))
        } else if issuers.insert(canonical, to).is_some() {
            Some(format!("the issuer \"{from}\" is listed twice; case does not matter"))
        } else {
            None
        };
        if let Some(message) = mistake {
            let span = item.and_then(|item| key_span(item, &from)).unwrap_or(0..0);
            reading.mistake(Code::E1005, message, span);
        }
    }
    (issuers, excluded)
}

fn key_span(social: &Item<'_>, issuer: &str) -> Option<std::ops::Range<usize>> {
    let DeValue::Table(social) = social.get_ref() else { return None };
    let DeValue::Table(issuers) = member(social, "issuers")?.get_ref() else { return None };
    issuers.iter().find(|(key, _)| key.get_ref() == issuer).map(|(key, _)| key.span())
}
