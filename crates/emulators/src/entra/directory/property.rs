//! The properties of a user: type, limits, and who may write them (`entra.md` 4.4 and 4.8; Graph v1.0 metadata).

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A text of at most so many characters.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    Boolean,
    /// An e-mail address, ASCII.
    Email,
    /// E-mail addresses; without accents in B2C.
    Emails,
    /// At most so many texts of 64 characters.
    Texts(usize),
    /// `mailNickname`: 64 ASCII characters without `@ ( ) \ [ ] " ; : < > ,` and space.
    Nickname,
    /// `userPrincipalName`.
    PrincipalName,
    /// Two letters.
    Country,
    /// `en` or `en-US`.
    Language,
    Identities,
    PasswordProfile,
    PasswordPolicies,
    /// Kept by the directory itself; nobody writes it.
    ReadOnly,
    /// As `ReadOnly`, and always a list.
    ReadOnlyList,
}

/// One property of the user resource.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// Whether `eq` in `$filter` works on it.
    pub(crate) filterable: bool,
}

impl Property {
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.shape, Shape::Emails | Shape::Texts(_) | Shape::Identities | Shape::ReadOnlyList)
    }
}

/// What a read returns when it names no `$select` (`entra.md` 4.8).
pub(crate) const DEFAULT_SELECT: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// The property of this name; names are compared exactly, as `OData` does.
pub(crate) fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES.binary_search_by(|property| property.name.cmp(name)).ok().map(|at| &PROPERTIES[at])
}

const fn open(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, filterable: true }
}

const fn plain(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, filterable: false }
}

const AGE_GROUPS: &[&str] = &["Minor", "NotAdult", "Adult"];
const CONSENT: &[&str] = &["Granted", "Denied", "NotRequired"];
const USER_TYPES: &[&str] = &["Member", "Guest"];

/// Sorted by name, so that [`find`] can search it.
pub(crate) static PROPERTIES: &[Property] = &[
    plain("aboutMe", Shape::ReadOnly),
    open("accountEnabled", Shape::Boolean),
    open("ageGroup", Shape::Word(AGE_GROUPS)),
    plain("assignedLicenses", Shape::ReadOnlyList),
    plain("assignedPlans", Shape::ReadOnlyList),
    plain("birthday", Shape::ReadOnly),
    plain("businessPhones", Shape::Texts(1)),
    open("city", Shape::Text(128)),
    open("companyName", Shape::Text(64)),
    open("consentProvidedForMinor", Shape::Word(CONSENT)),
    open("country", Shape::Text(128)),
    open("createdDateTime", Shape::ReadOnly),
    open("creationType", Shape::ReadOnly),
    plain("deletedDateTime", Shape::ReadOnly),
    open("department", Shape::Text(64)),
    open("displayName", Shape::Text(256)),
    open("employeeId", Shape::Text(16)),
    open("employeeType", Shape::Text(64)),
    open("externalUserState", Shape::ReadOnly),
    plain("externalUserStateChangeDateTime", Shape::ReadOnly),
    plain("faxNumber", Shape::Text(64)),
    open("givenName", Shape::Text(64)),
    open("id", Shape::ReadOnly),
    open("identities", Shape::Identities),
    plain("imAddresses", Shape::ReadOnlyList),
    open("jobTitle", Shape::Text(128)),
    plain("lastPasswordChangeDateTime", Shape::ReadOnly),
    plain("legalAgeGroupClassification", Shape::ReadOnly),
    open("mail", Shape::Email),
    open("mailNickname", Shape::Nickname),
    open("mobilePhone", Shape::Text(64)),
    plain("mySite", Shape::ReadOnly),
    open("officeLocation", Shape::Text(128)),
    plain("onPremisesDistinguishedName", Shape::ReadOnly),
    plain("onPremisesDomainName", Shape::ReadOnly),
    plain("onPremisesExtensionAttributes", Shape::ReadOnly),
    open("onPremisesImmutableId", Shape::Text(256)),
    plain("onPremisesLastSyncDateTime", Shape::ReadOnly),
    plain("onPremisesSamAccountName", Shape::ReadOnly),
    plain("onPremisesSecurityIdentifier", Shape::ReadOnly),
    open("onPremisesSyncEnabled", Shape::ReadOnly),
    plain("onPremisesUserPrincipalName", Shape::ReadOnly),
    open("otherMails", Shape::Emails),
    plain("passwordPolicies", Shape::PasswordPolicies),
    plain("passwordProfile", Shape::PasswordProfile),
    open("postalCode", Shape::Text(40)),
    open("preferredDataLocation", Shape::Text(64)),
    open("preferredLanguage", Shape::Language),
    open("proxyAddresses", Shape::ReadOnlyList),
    plain("securityIdentifier", Shape::ReadOnly),
    plain("showInAddressList", Shape::Boolean),
    plain("signInActivity", Shape::ReadOnly),
    plain("signInSessionsValidFromDateTime", Shape::ReadOnly),
    open("state", Shape::Text(128)),
    plain("streetAddress", Shape::Text(1024)),
    open("surname", Shape::Text(64)),
    open("usageLocation", Shape::Country),
    open("userPrincipalName", Shape::PrincipalName),
    open("userType", Shape::Word(USER_TYPES)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_property_is_found() {
        for property in PROPERTIES {
            assert_eq!(find(property.name).map(|found| found.name), Some(property.name));
        }
        assert!(DEFAULT_SELECT.iter().all(|name| find(name).is_some()));
    }
}
