//! What these products do otherwise than the RFCs, each to be turned off, or on, by its name.

use crate::scim::quirk::Quirk;

macro_rules! quirks {
    ($($list:ident: $($constant:ident $name:literal $doc:literal)*;)*) => {
        $($(#[doc = $doc] pub(crate) const $constant: Quirk = Quirk { name: $name, product: "wso2", doc: $doc };)*)*
        $(const $list: &[&Quirk] = &[$(&$constant),*];)*
        /// The quirks of WSO2 Identity Server and Asgardeo, beside those of any SCIM service.
        pub static QUIRKS: &[Quirk] = &[$($($constant),*),*];
    };
}

quirks! {
    USUAL:
    TRIMMED_TEXTS "trimmed_texts" "Texts lose the blanks at both ends, the password too."
    ANY_TEXT_IS_FALSE "any_text_is_false" "Booleans may be texts; every text but \"true\" is false."
    CONFLICT_WITHOUT_TYPE "conflict_without_type" "A user or group that exists is answered 409 without a scimType."
    DUPLICATE_CLAIM_400 "duplicate_claim_400" "A unique e-mail address that is taken is answered 400 invalidValue, not 409."
    UNMAPPED_ERROR_202 "unmapped_error_202" "A create that fails in the user store (a text of more than 1,024 characters) is answered 202 without a body, and nothing is stored."
    PASSWORD_ERROR_CODES "password_error_codes" "Rules for passwords refuse with their number before the text."
    MIXED_EMAILS "mixed_emails" "The primary e-mail address is shown as a text among objects."
    STORE_PREFIX "store_prefix" "Names are shown with the user store: in Asgardeo always, in Identity Server those of other stores than PRIMARY."
    PAGE_CAP "page_cap" "A page has at most 100 resources, whatever is announced."
    OR_FAILS "or_fails" "A filter with or is answered 500, one with not, pr, gt or lt 400."
    UNQUOTED_FILTERS "unquoted_filters" "Quotes do not protect the value of a filter: and, or, not, brackets, operators and runs of blanks inside it count."
    WRONG_TYPE_406 "wrong_type_406" "A missing or wrong content type is answered 406."
    BULK_REORDERS "bulk_reorders" "A bulk request is carried out and answered by kinds: users, groups, roles."
    BULK_DROPS_UNKNOWN "bulk_drops_unknown" "Operations with an unknown path are left out of the bulk answer."
    BULK_STATUS_OBJECT "bulk_status_object" "The status of an operation is an object with a number."
    BULK_RESPONSE_TEXT "bulk_response_text" "The response of an operation is a text that holds JSON, also when it succeeded."
    BULK_ABORTS "bulk_aborts" "An operation that cannot be prepared turns the whole answer into 400 or 500; earlier ones stay done."
    BULK_ENVELOPE_500 "bulk_envelope_500" "A bulk request without schemas or Operations is answered 500."
    ANNOUNCES_MORE "announces_more" "Asgardeo announces 1,000 operations in a bulk request and takes 100."
    PAYLOAD_NOT_KEPT "payload_not_kept" "A larger payload than maxPayloadSize is taken."
    TYPES_AS_TEXT "types_as_text" "In answers about resource types schemas is a text, not a list.";

    RARE:
    MANDATED_DOMAIN "mandated_domain" "Names of the store PRIMARY are shown with it."
    LIST_WITHOUT_SCHEMAS "list_without_schemas" "Resources in lists have no schemas."
    TOTAL_OF_STORE "total_of_store" "totalResults counts the default user store only."
    EVERY_CREATE_202 "every_create_202" "An approval workflow holds every create: 202 without a body, and nothing is stored."
    GROUP_PATCH_204 "group_patch_204" "A PATCH of a group is answered 204."
    BULK_DETAIL_NULL "bulk_detail_null" "The detail of a failed operation is null."
    BULK_REFERENCES_FAIL "bulk_references_fail" "bulkId references are not resolved."
    BULK_MALFORMED_200 "bulk_malformed_200" "A bulk request that is no JSON is answered 200 without operations."
    LINK_MADE_201 "link_made_201" "A link is made with 201, as the guide says, and not with 200."
    IGNORES_SKIPPED_RULES "ignores_skipped_rules" "The fourth argument of updateUserPassword is not known: rules hold.";
}

/// The quirks that are on without a word.
pub(crate) fn usual() -> &'static [&'static Quirk] {
    USUAL
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Quirk> {
    USUAL.iter().chain(RARE).copied()
}
