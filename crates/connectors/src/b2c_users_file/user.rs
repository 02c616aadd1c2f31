//! Makes accounts of a users file's elements. Two forms: rows of `UsersData.json` (entra.md 7.3), and directory users
//! as Azure AD Graph (7.1) and the successor `users.json` write them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sterna_core::{
    account::{Account, Address, Contact, Credential, Identity, LocalName, Profile},
    code::Code,
    ids::SourceKey,
    port::{Record, key_from_identities},
};

use super::members::Members;
use crate::text::{Mistake, Node};

/// The attribute that names the issuers whose subject is kept as base64, because it decodes to no text.
const NOT_TEXT: &str = "userIdentities.notText";

/// Members that only a directory user has.
const DIRECTORY: &[&str] = &[
    "identities",
    "signInNames",
    "userIdentities",
    "objectId",
    "creationType",
    "passwordProfile",
    "userPrincipalName",
];

/// What a row's `signInName` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// An e-mail address.
    EmailAddress,
    /// A user name.
    UserName,
}

impl UserType {
    /// Reads `emailAddress` or `userName`, without case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::EmailAddress, Self::UserName].into_iter().find(|known| known.name().eq_ignore_ascii_case(text))
    }

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::EmailAddress => "emailAddress",
            Self::UserName => "userName",
        }
    }
}

/// Whether the element is a row that the document's `userType` is needed for.
pub(super) fn wants_user_type(node: &Node) -> bool {
    let Node::Object(members) = node else { return false };
    !members.iter().any(|(name, _)| DIRECTORY.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// Reads one element.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read_user(node: Node, user_type: Option<UserType>) -> Result<Record, Mistake> {
    let row = wants_user_type(&node);
    let members = Members::of(node, "the user")?;
    if row { users_data_row(members, user_type) } else { directory_user(members) }
}

fn users_data_row(mut members: Members, user_type: Option<UserType>) -> Result<Record, Mistake> {
    let mut identities = Vec::new();
    if let Some(name) = members.id("signInName")? {
        let email = user_type.map_or(name.contains('@'), |user_type| user_type == UserType::EmailAddress);
        identities.push(if email { Identity::email(name) } else { Identity::user_name(name) });
    }
    if let Some(subject) = members.id("issuerUserId")? {
        let issuer = members.text("issuer")?;
        let issuer = issuer.ok_or_else(|| lacks("there is an `issuerUserId` but no `issuer`"))?;
        identities.push(Identity::federated(issuer, subject)); // clear text in this form, never base64
    }
    let key = key_from_identities(&identities);
    let key = key.ok_or_else(|| lacks("there is neither a `signInName` nor an `issuerUserId`"))?;
    let mut profile = Profile {
        display_name: members.text("displayName")?,
        given_name: members.text("firstName")?,
        family_name: members.text("lastName")?,
        ..Profile::default()
    };
    if let Some(email) = members.text("email")? {
        profile.add_email(&email, None);
    }
    let password = members.text("password")?;
    profile.attributes.extend(members.rest());
    Ok(account(key, profile, identities, password))
}

fn directory_user(mut members: Members) -> Result<Record, Mistake> {
    let mut profile = directory_profile(&mut members)?;
    let identities = identities(&mut members, &mut profile)?;
    let mut password = members.text("password")?;
    if let Some(node) = members.take("passwordProfile") {
        let mut inner = Members::of(node, "`passwordProfile`")?;
        password = password.or(inner.text("password")?);
        let (login, sign_in) = ("forceChangePasswordNextLogin", "forceChangePasswordNextSignIn");
        profile.must_change_password = inner.flag(login)?.or(inner.flag(sign_in)?).unwrap_or_default();
    }
    let id = members.id("objectId")?.or(members.id("id")?);
    let guest = members.text("userType")?;
    profile.attributes.extend(guest.iter().map(|sort| ("userType".to_owned(), Value::from(sort.as_str()))));
    let work = identities.is_empty() && members.has("userPrincipalName") && id.is_some();
    profile.attributes.extend(members.rest());
    let key = match id {
        Some(id) => SourceKey::new(id).ok_or_else(|| lacks("the object id is too long"))?,
        None => key_from_identities(&identities)
            .ok_or_else(|| lacks("there is neither an object id nor any sign-in name or social identity"))?,
    };
    let record = account(key, profile, identities, password);
    Ok(match record {
        Record::Account(account) if guest.is_some_and(|sort| sort.eq_ignore_ascii_case("guest")) => {
            Record::Excluded(account, Code::E3201)
        }
        Record::Account(account) if work => Record::Excluded(account, Code::E3202),
        other => other,
    })
}

fn directory_profile(members: &mut Members) -> Result<Profile, Mistake> {
    let mut profile = Profile {
        display_name: members.text("displayName")?,
        given_name: members.text("givenName")?,
        family_name: members.text("surname")?,
        title: members.text("jobTitle")?,
        preferred_language: members.text("preferredLanguage")?,
        active: members.flag("accountEnabled")?,
        ..Profile::default()
    };
    for email in members.text("mail")?.into_iter().chain(members.texts("otherMails")?) {
        profile.add_email(&email, None);
    }
    for name in ["mobilePhone", "mobile", "telephoneNumber"] {
        let primary = profile.phones.is_empty();
        profile.phones.extend(members.text(name)?.map(|value| Contact { value, verified: None, primary }));
    }
    let address = Address {
        street: members.text("streetAddress")?,
        locality: members.text("city")?,
        region: members.text("state")?,
        postal_code: members.id("postalCode")?,
        country: members.text("country")?,
    };
    profile.address = Some(address).filter(|address| *address != Address::default());
    profile.times.created = members.instant("createdDateTime");
    profile.times.password_changed = members.instant("lastPasswordChangeDateTime");
    Ok(profile)
}

fn identities(members: &mut Members, profile: &mut Profile) -> Result<Vec<Identity>, Mistake> {
    let mut identities = Vec::new();
    for node in members.list("signInNames")? {
        let mut name = Members::of(node, "a sign-in name")?;
        let sort = name.text("type")?.ok_or_else(|| lacks("a sign-in name has no `type`"))?;
        let value = name.id("value")?.ok_or_else(|| lacks("a sign-in name has no `value`"))?;
        let name = local_name(&sort).ok_or_else(|| unknown_sort(&sort))?;
        identities.push(Identity::Local { name, value });
    }
    for node in members.list("userIdentities")? {
        let mut identity = Members::of(node, "a user identity")?;
        let issuer = identity.text("issuer")?.ok_or_else(|| lacks("a user identity has no `issuer`"))?;
        let id = identity.id("issuerUserId")?.ok_or_else(|| lacks("a user identity has no `issuerUserId`"))?;
        identities.push(base64_identity(issuer, id, profile)?);
    }
    for node in members.list("identities")? {
        let mut identity = Members::of(node, "an identity")?;
        let sort = identity.text("signInType")?.ok_or_else(|| lacks("an identity has no `signInType`"))?;
        let value = identity.id("issuerAssignedId")?.ok_or_else(|| lacks("an identity has no `issuerAssignedId`"))?;
        let issuer = identity.text("issuer")?; // of a local identity it is the old tenant, which means nothing elsewhere
        if let Some(name) = local_name(&sort) {
            identities.push(Identity::Local { name, value });
        } else if sort.eq_ignore_ascii_case("federated") {
            let issuer = issuer.ok_or_else(|| lacks("a federated identity has no `issuer`"))?;
            identities.push(Identity::Federated { issuer, subject: value });
        } else if sort.eq_ignore_ascii_case("userPrincipalName") {
            // The directory's own name of the object: nobody of a B2C tenant signs in with it.
            profile.attributes.insert("userPrincipalName".to_owned(), value.into());
        } else {
            return Err(unknown_sort(&sort));
        }
    }
    Ok(identities)
}

/// Local types may have anything behind these words: `emailAddress1` (entra.md 4.2).
fn local_name(sort: &str) -> Option<LocalName> {
    let names =
        [("emailaddress", LocalName::Email), ("username", LocalName::UserName), ("phonenumber", LocalName::Phone)];
    let sort = sort.to_lowercase();
    names.into_iter().find(|(begin, _)| sort.starts_with(begin)).map(|(_, name)| name)
}

/// The subject is base64 of UTF-8. What decodes to no text stays as it is, and the account says so (entra.md 7.4).
fn base64_identity(issuer: String, id: String, profile: &mut Profile) -> Result<Identity, Mistake> {
    let decoded = STANDARD
        .decode(&id)
        .map_err(|error| Mistake::new(Code::E3107, format!("the `issuerUserId` of {issuer} is not base64: {error}")))?;
    match String::from_utf8(decoded) {
        Ok(subject) if !subject.is_empty() && !subject.contains('\0') => Ok(Identity::Federated { issuer, subject }),
        _ => {
            let flagged = profile.attributes.entry(NOT_TEXT.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(issuers) = flagged {
                issuers.push(Value::from(issuer.as_str()));
            }
            Ok(Identity::Federated { issuer, subject: id })
        }
    }
}

/// A password counts for local accounts only: for social ones the service demanded a dummy and ignored it (7.1).
fn account(key: SourceKey, profile: Profile, identities: Vec<Identity>, password: Option<String>) -> Record {
    let mut account = Account { profile, identities, ..Account::new(key) };
    if account.is_local() {
        account.credential =
            password.map_or(Credential::HeldByLegacy, |password| Credential::Plaintext(password.into()));
    }
    Record::Account(Box::new(account))
}

fn lacks(what: &str) -> Mistake {
    Mistake::new(Code::E3102, what)
}

fn unknown_sort(sort: &str) -> Mistake {
    let known = "known are emailAddress…, userName…, phoneNumber…, federated and userPrincipalName";
    Mistake::new(Code::E3108, format!("a sign-in name has the type `{sort}`; {known}"))
}
