//! Entries of directories, and names that are put into distinguished names and filters.

use ldap3::{dn_escape, ldap_escape, parse_filter};
use sterna_connectors::{
    directory::{Memberships, Rules, first_value, normalised},
    ldif::{Ldif, entry, written},
};

use super::files::however_cut;

/// A file of entries; and one entry, written and read again, is the same.
pub(super) fn ldif(data: &[u8]) {
    however_cut(data, |limit| Ldif::new(Rules::usual(), 1_000, limit));
    let Ok(Some(read)) = entry(data) else { return };
    let again = entry(&written(&read)).expect("what was written is read").expect("and is an entry");
    assert_eq!(format!("{read:?}"), format!("{again:?}"));
    let rules = Rules::usual();
    if let Ok(account) = rules.account(&read, &Memberships::default()) {
        assert!(!account.profile.attributes.keys().any(|name| name.eq_ignore_ascii_case("userPassword")));
    }
}

/// A name stays one value of one part of a distinguished name, and one value of a filter, whatever is in it.
pub(super) fn dn_filter(data: &[u8]) {
    let Ok(name) = std::str::from_utf8(data) else { return };
    let once = normalised(name);
    assert_eq!(once, normalised(name));
    if !name.is_empty() {
        let dn = format!("uid={},ou=people,dc=example", dn_escape(name));
        assert_eq!(first_value(&dn).as_deref(), Some(name), "{dn}");
        assert!(normalised(&dn).ends_with("\u{2}ou=people\u{2}dc=example\u{2}"), "{dn}");
    }
    let filter = format!("(uid={})", ldap_escape(name));
    let parsed = parse_filter(&filter).unwrap_or_else(|()| panic!("{filter} is a filter"));
    let expected = parse_filter("(uid=x)").expect("a filter");
    // an equality match with the name as its value: no substrings, no second condition
    assert_eq!(format!("{parsed:?}"), format!("{expected:?}").replace("[120]", &format!("{:?}", name.as_bytes())));
}
