//! What SCIM services and WSO2's tables give: a record is bounded, whole, and holds no secret where none belongs.

use serde_json::Value;
use sterna_connectors::{scim_source::outside as scim, wso2::source::outside as wso2};
use sterna_core::{
    account::Credential,
    codec,
    password::formats::{Bounds, Refusal, Stored, find},
    port::{REJECT_BYTES, Record},
    secrecy::ExposeSecret,
};

/// Most bytes of one input that are looked at.
const INPUT: usize = 16 << 10;

fn bounded(record: &Record) {
    match record {
        Record::Account(account) | Record::Excluded(account, _) => {
            let back =
                codec::decode(&codec::encode(account).expect("an account can be sealed")).expect("and read again");
            assert_eq!((&back.identities, &back.profile), (&account.identities, &account.profile));
            let kept = |name: &&String| ["password", "x509Certificates", "secretkey"].contains(&name.as_str());
            assert_eq!(account.profile.attributes.keys().find(kept), None);
        }
        Record::Rejected(rejected) => assert!(rejected.raw.len() <= REJECT_BYTES),
    }
}

/// A page of users: each is one record.
pub(super) fn users(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(mark) = scim::mark(text)
    {
        assert_eq!(scim::mark(&mark).as_ref(), Some(&mark));
    }
    let Some(records) = scim::users_page(data) else { return };
    records.iter().for_each(bounded);
    let page: Value = serde_json::from_slice(data).expect("what was read is JSON");
    let users = page["Resources"].as_array().or(page["resources"].as_array());
    assert_eq!(records.len(), users.map_or(0, Vec::len), "one record for each user");
}

/// What tables hold of a person; and a password column by a digest's settings: a hash that is stated can be read.
pub(super) fn person(data: &[u8]) {
    let data = &data[..data.len().min(INPUT)];
    if let Some(record) = wso2::person(data) {
        bounded(&record);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default();
    let (digest, properties, password, salt) = (line(), line(), line(), line());
    let Some(credential) = wso2::credential(digest, properties, password, Some(salt)) else { return };
    let Credential::Hash { format, value, .. } = credential else { return };
    let Some(known) = find(&format).filter(|known| known.name != "wso2-bcrypt") else { return };
    match Stored::parse(known, value.expose_secret(), &Bounds::OFFLINE) {
        // what is stated may ask for more work than is done, or have a salt that no column holds
        Ok(_) | Err(Refusal::TooCostly(_) | Refusal::TooLong(_)) => {}
        Err(refusal) => panic!("{format}: {refusal}"),
    }
}
