//! Which attribute of a WSO2 user store, or which identity claim, is which account attribute: data, and how it is applied.
//!
//! Store attributes are the `AttributeID`s that the product's shipped claim dialect maps (wso2-scim.md 7.5 names a few;
//! docs/wso2-source.md says of each where it is known from). An operator's own mapping wins.

use crate::text::{Column, Columns};

/// Where a row of [`CLAIMS`] is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownFrom {
    /// The project's protocol papers.
    Papers,
    /// The claim dialect that the product ships (`claim-config.xml`).
    Dialect,
    /// Knowledge of the product that no document here confirms.
    Knowledge,
}

/// Store attribute, account attribute, and where that is known from. Of two for one account attribute the first counts.
pub(super) static CLAIMS: &[(&str, &str, KnownFrom)] = &[
    ("mail", "email", KnownFrom::Papers),
    ("emailVerified", "email_verified", KnownFrom::Papers),
    ("emailAddresses", "emails", KnownFrom::Papers),
    ("workEmail", "emails", KnownFrom::Dialect),
    ("homeEmail", "emails", KnownFrom::Dialect),
    ("otherEmail", "emails", KnownFrom::Dialect),
    ("mobile", "phone", KnownFrom::Dialect),
    ("phoneVerified", "phone_verified", KnownFrom::Papers),
    ("mobileNumbers", "phones", KnownFrom::Papers),
    ("telephoneNumber", "phones", KnownFrom::Dialect),
    ("displayName", "display_name", KnownFrom::Knowledge),
    ("formattedName", "display_name", KnownFrom::Dialect),
    ("cn", "display_name", KnownFrom::Dialect),
    ("givenName", "given_name", KnownFrom::Papers),
    ("sn", "family_name", KnownFrom::Dialect),
    ("middleName", "middle_name", KnownFrom::Dialect),
    ("nickName", "nick_name", KnownFrom::Dialect),
    ("title", "title", KnownFrom::Dialect),
    ("preferredLanguage", "preferred_language", KnownFrom::Dialect),
    ("streetAddress", "address.street", KnownFrom::Dialect),
    ("localityAddress", "address.locality", KnownFrom::Dialect),
    ("localityName", "address.locality", KnownFrom::Knowledge),
    ("region", "address.region", KnownFrom::Dialect),
    ("stateOrProvinceName", "address.region", KnownFrom::Dialect),
    ("postalcode", "address.postal_code", KnownFrom::Dialect),
    ("postalCode", "address.postal_code", KnownFrom::Knowledge),
    ("country", "address.country", KnownFrom::Dialect),
    ("createdDate", "created", KnownFrom::Dialect),
    ("lastModifiedDate", "updated", KnownFrom::Dialect),
    ("lastLogonTime", "last_sign_in", KnownFrom::Papers),
    ("lastPasswordUpdateTime", "password_changed", KnownFrom::Papers),
];

/// What the names of identity claims begin with (`DATA_KEY`).
const DIALECT: &str = "http://wso2.org/claims/";

/// A claim's own short name: `accountLocked` of `http://wso2.org/claims/identity/accountLocked`.
pub(super) fn short(claim: &str) -> &str {
    match claim.strip_prefix(DIALECT) {
        Some(rest) => rest.strip_prefix("identity/").unwrap_or(rest),
        None => claim,
    }
}

/// The mapping in force: the operator's own first, then what is left of the product's.
pub(super) fn mapping(columns: &Columns) -> Vec<(Column, String)> {
    let own = &columns.table;
    let is_list = |column: &Column| matches!(column, Column::Named("emails" | "phones" | "groups" | "roles"));
    let shipped = CLAIMS.iter().filter_map(|(from, name, _)| Some((Column::parse(name).ok()?, (*from).to_owned())));
    let free = shipped
        .filter(|(column, from)| !own.iter().any(|(own, taken)| taken == from || (own == column && !is_list(column))));
    own.iter().cloned().chain(free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(known: KnownFrom) -> &'static str {
        match known {
            KnownFrom::Papers => "protocol papers",
            KnownFrom::Dialect => "shipped claim dialect",
            KnownFrom::Knowledge => "knowledge",
        }
    }

    #[test]
    fn every_row_names_an_account_attribute_and_no_store_attribute_twice() {
        for (at, (from, name, _)) in CLAIMS.iter().enumerate() {
            assert!(Column::parse(name).is_ok(), "{name}");
            assert!(CLAIMS.iter().skip(at + 1).all(|(other, ..)| other != from), "{from}");
        }
    }

    #[test]
    fn claims_have_short_names() {
        assert_eq!(short("http://wso2.org/claims/identity/accountLocked"), "accountLocked");
        assert_eq!(short("http://wso2.org/claims/lastLogonTime"), "lastLogonTime");
        assert_eq!(short("plan"), "plan");
    }

    #[test]
    fn the_documentation_says_of_each_row_where_it_is_known_from() {
        let page = include_str!("../../../../../docs/wso2-source.md");
        for (from, name, known) in CLAIMS {
            let row = format!("| `{from}` | `{name}` | {} |", words(*known));
            assert!(page.contains(&row), "docs/wso2-source.md lacks: {row}");
        }
    }
}
