//! Quirks: how real services differ from the RFCs, each to be turned on by its name.

use std::collections::BTreeSet;

/// A way to differ.
#[derive(Debug, PartialEq, Eq)]
pub struct Quirk {
    /// What a scenario calls it.
    pub name: &'static str,
    /// Which product has it, or `scim` where several were seen to.
    pub product: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

macro_rules! quirks {
    ($($constant:ident $name:literal $doc:literal)*) => {
        $(#[doc = $doc] pub(crate) const $constant: Quirk = Quirk { name: $name, product: "scim", doc: $doc };)*
        /// The quirks that any SCIM service may have (`counterparts.md`, "How SCIM servers misbehave").
        pub static QUIRKS: &[Quirk] = &[$($constant),*];
    };
}

quirks! {
    PAGING_IGNORED "paging_ignored" "Every list shows its first page, whatever startIndex, cursor and count say."
    COUNT_CLAMPED "count_clamped" "A page has at most 10 resources, whatever was asked for and announced."
    CURSOR_ONLY "cursor_only" "startIndex is ignored; further pages can only be had by cursor, and that is announced."
    FILTER_IGNORED "filter_ignored" "Every list shows everybody, whatever the filter says."
    FILTER_FORBIDDEN "filter_forbidden" "Any filter is answered 400 invalidFilter, although filters are announced."
    CASE_SENSITIVE_USER_NAMES "case_sensitive_user_names" "Filters and the check for doubles compare userName with its case."
    ERROR_AFTER_STORE "error_after_store" "A create is answered 500 although the resource has been stored."
    PATCH_204 "patch_204" "A PATCH is answered 204 without a body."
    RELATIVE_LOCATION "relative_location" "meta.location and the Location header have no host."
    TEXT_BOOLEANS "text_booleans" "\"True\" and \"false\" are taken as Booleans; without it they are 400 invalidValue."
    UNKNOWN_ATTRIBUTES "unknown_attributes" "Attributes that no schema has are left aside; without it they are 400 invalidSyntax."
    DUPLICATE_500 "duplicate_500" "A resource whose unique value is taken is answered 500."
    DUPLICATE_WITHOUT_TYPE "duplicate_without_type" "A resource whose unique value is taken is answered 409 without a scimType."
    CONNECTION_CLOSED "connection_closed" "Every connection is closed after one answer."
    BULK_501 "bulk_501" "Bulk is announced, and answered 501."
    STATUS_AS_NUMBER "status_as_number" "The status of errors and of bulk operations is a number."
    BULK_WITHOUT_RESPONSE "bulk_without_response" "Operations of a bulk answer never have a response, not even when they failed."
    NO_SCHEMAS "no_schemas" "Schemas and resource types have no address."
    TOTAL_IS_PAGE "total_is_page" "`totalResults` is the number of resources on the page."
    LOWER_CASE_LIST "lower_case_list" "The list is called resources, not Resources."
    PUT_KEEPS "put_keeps" "A PUT leaves attributes that are not in its body as they are."
    PATCH_501 "patch_501" "PATCH is announced, and answered 501 for users."
    NUMERIC_IDS "numeric_ids" "Ids of new resources are numbers, in JSON too."
    ODD_IDS "odd_ids" "Ids of new resources have characters that are percent-encoded in addresses, a percent sign among them."
    REFUSES_BEHIND "refuses_behind" "A page behind the last result is answered 400."
    BULK_POSTS_ONLY "bulk_posts_only" "Bulk requests know POST only; operations with another method are answered 404."
    LAST_REFERENCE_ONLY "last_reference_only" "Of the bulkId references of an operation the last one alone becomes an id; values with the others are left out."
    FORGETS_EXTERNAL_ID "forgets_external_id" "externalId is accepted and not stored."
}

/// The quirks that are on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Quirks(BTreeSet<&'static str>);

impl Quirks {
    /// The quirks of these names; an unknown name is refused with the known ones.
    pub(crate) fn new(known: &[&'static Quirk], names: &[String]) -> Result<Self, String> {
        let find = |name: &String| {
            let found = known.iter().find(|quirk| quirk.name == name).map(|quirk| quirk.name);
            found.ok_or_else(|| {
                let names: Vec<&str> = known.iter().map(|quirk| quirk.name).collect();
                format!("there is no quirk {name:?}; there are {}", names.join(", "))
            })
        };
        names.iter().map(find).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn has(&self, quirk: &Quirk) -> bool {
        self.0.contains(quirk.name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}
