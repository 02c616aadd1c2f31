//! Whether several look-ups go into one request, joined by `or`: only where that was measured to be cheaper. Pure.
//!
//! RFC 7644 3.4.2.2 has `or`, and services differ: one answers a single `eq` from an index in 2 ms and walks over everybody
//! for each term of an `or` (scim2-server: 1.3 s for 30 terms at 10,000 users), WSO2 has none at all (wso2-scim.md 2.8).

use std::time::Duration;

/// How many single look-ups are timed before a joined one is tried. The first may build an index, so the fastest counts.
const SINGLES: usize = 4;

/// How many terms the trial carries.
pub(super) const TRIAL: usize = 5;

/// The most terms of one filter: a service may give no more than its smallest page.
pub(super) const TERMS: usize = 10;

/// The longest filter, in characters: some services cut URLs, Keycloak takes 2,048 (wso2-scim.md 4.2).
const FILTER: usize = 1_500;

/// What is known of joined look-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    /// Not yet: single ones are timed first.
    Timing {
        /// How many were.
        singles: usize,
        /// The fastest of them.
        fastest: Duration,
    },
    /// They cost more, or fail.
    Never,
    /// They cost less.
    Cheap,
}

impl Joining {
    /// What is known at the start.
    pub(super) fn new() -> Self {
        Self::Timing { singles: 0, fastest: Duration::MAX }
    }

    /// Takes note of a single look-up.
    pub(super) fn single(&mut self, took: Duration) {
        if let Self::Timing { singles, fastest } = self {
            *singles += 1;
            *fastest = took.min(*fastest);
        }
    }

    /// Whether a joined look-up is to be tried now.
    pub(super) fn is_to_be_tried(self) -> bool {
        matches!(self, Self::Timing { singles, .. } if singles >= SINGLES)
    }

    /// Takes note of the trial: how long it took, where it was answered as it should be.
    pub(super) fn tried(&mut self, terms: usize, took: Option<Duration>) {
        let Self::Timing { fastest, .. } = *self else { return };
        let terms = u32::try_from(terms.max(1)).unwrap_or(u32::MAX);
        let cheaper = took.is_some_and(|took| took / terms < fastest);
        *self = if cheaper { Self::Cheap } else { Self::Never };
    }
}

/// Joins filters: as many in one as may be, in their order.
pub(super) fn join(filters: &[String]) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    for filter in filters {
        match joined.last_mut() {
            Some((terms, text)) if *terms < TERMS && text.len() + filter.len() + 4 <= FILTER => {
                text.push_str(" or ");
                text.push_str(filter);
                *terms += 1;
            }
            _ => joined.push((1, filter.clone())),
        }
    }
    joined
}

/// A value in a filter: a JSON string (RFC 7644 3.4.2.2).
pub(super) fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(singles: &[u64]) -> Joining {
        let mut joining = Joining::new();
        for millis in singles {
            joining.single(Duration::from_millis(*millis));
        }
        joining
    }

    fn check(singles: &[u64], trial: Option<u64>, expected: Joining) {
        let mut joining = after(singles);
        assert!(joining.is_to_be_tried());
        joining.tried(TRIAL, trial.map(Duration::from_millis));
        assert_eq!(joining, expected, "{singles:?} {trial:?}");
    }

    #[test]
    fn joined_look_ups_are_used_where_a_term_costs_less_than_a_look_up() {
        check(&[470, 3, 3, 4], Some(500), Joining::Never);
        check(&[30, 30, 31, 29], Some(40), Joining::Cheap);
        check(&[30, 30, 31, 29], None, Joining::Never);
        check(&[10, 10, 10, 10], Some(50), Joining::Never);
    }

    #[test]
    fn nothing_is_tried_before_single_ones_were_timed_nor_twice() {
        assert!(!after(&[3, 3, 3]).is_to_be_tried());
        let mut never = Joining::Never;
        never.single(Duration::ZERO);
        never.tried(5, Some(Duration::ZERO));
        assert_eq!(never, Joining::Never);
    }

    #[test]
    fn filters_are_joined_within_bounds() {
        let filter = |n: usize| format!("externalId eq {}", quoted(&format!("key-{n}")));
        let filters: Vec<String> = (0..70).map(filter).collect();
        let joined = join(&filters);
        assert!(joined.iter().all(|(terms, text)| *terms <= TERMS && text.len() <= FILTER));
        assert_eq!(joined.iter().map(|(terms, _)| terms).sum::<usize>(), 70);
        assert_eq!(join(&["a eq 1".into(), "b eq 2".into()]), [(2, "a eq 1 or b eq 2".to_owned())]);
        let long = "x".repeat(2_000);
        assert_eq!(join(&[long.clone(), long.clone()]).len(), 2);
    }

    #[test]
    fn values_in_filters_are_json() {
        assert_eq!(quoted(r#"o"brien\@example.com"#), r#""o\"brien\\@example.com""#);
    }
}
