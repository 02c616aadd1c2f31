//! Entries of LDIF as accounts: layouts, groups, passwords, and broken entries in the middle.

use sterna_connectors::{
    directory::Rules,
    ldif::{Ldif, read_entries},
    text::read_all,
};
use sterna_core::{
    account::{Account, Credential, Identity},
    port::Record,
    secrecy::ExposeSecret,
};

use super::account;

fn one(text: &str) -> Account {
    let (mut records, error) = read_entries(text.as_bytes());
    assert!(error.is_none() && records.len() == 1, "{records:?}");
    account(records.remove(0))
}

#[test]
fn an_open_directory_entry_becomes_an_account() {
    let ana = one("version: 1\n\n\
        dn: uid=ana,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ana\ncn:: QW5hIFDDqXJleg==\nsn:: UMOpcmV6\n\
        givenName: Ana\nmail: ana@example.org\nmail: ana.perez@example.org\nmobile: +34600000000\nl: Madrid\n\
        userPassword:: e1NTSEF9SkZaRnMwb0h6eGJNd2tTSm1ZVmVJOE1uVER5LzI3NmE=\nuserPassword: {MD5}X03MO1qnZdYdgyfeuILPmQ==\n\
        memberOf: cn=staff,ou=groups,dc=example,dc=org\ncreateTimestamp: 20190401100000Z\nemployeeNumber: 7\n\
        pwdHistory: 2019#1.3.6#38#{SSHA}old\nentryUUID: 1b7d2d3c-0000-4000-8000-000000004711\n");
    assert_eq!(ana.key.as_str(), "1b7d2d3c-0000-4000-8000-000000004711");
    assert_eq!(ana.identities, [Identity::user_name("ana")]);
    let profile = &ana.profile;
    assert_eq!(profile.display_name.as_deref(), Some("Ana Pérez"));
    assert_eq!(
        (profile.email(), profile.emails.len(), profile.phone()),
        (Some("ana@example.org"), 2, Some("+34600000000"))
    );
    assert_eq!(profile.groups, ["staff"]);
    assert_eq!(profile.times.created.unwrap().to_string(), "2019-04-01T10:00:00Z");
    assert_eq!(profile.address.as_ref().unwrap().locality.as_deref(), Some("Madrid"));
    let names: Vec<&str> = profile.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["dn", "employeeNumber", "uid"], "a hash of an old password is no attribute");
    let Credential::Hash { format, also, .. } = &ana.credential else { panic!("{ana:?}") };
    assert_eq!((format.as_str(), also[0].format.as_str()), ("ldap-ssha", "ldap-md5"));
}

#[test]
fn an_active_directory_entry_becomes_an_account() {
    let bo = one(
        "dn: CN=Bo Berg,OU=Staff,DC=corp,DC=example\nobjectClass: top\nobjectClass: person\nobjectClass: user\n\
        cn: Bo Berg\nsAMAccountName: bo\nuserPrincipalName: bo@corp.example\nobjectGUID:: PC19GwAAAECAAAAAAABHEQ==\n\
        userAccountControl: 514\npwdLastSet: 0\nlastLogonTimestamp: 131985864000000000\naccountExpires: 9223372036854775807\n\
        proxyAddresses: smtp:old@corp.example\nproxyAddresses: SMTP:Bo.Berg@corp.example\nproxyAddresses: X500:/o=x\n",
    );
    assert_eq!(bo.key.as_str(), "1b7d2d3c-0000-4000-8000-000000004711");
    assert_eq!(bo.identities, [Identity::email("bo@corp.example")]);
    assert_eq!((bo.profile.active, bo.profile.must_change_password), (Some(false), true));
    assert_eq!(bo.profile.times.last_sign_in.unwrap().to_string(), "2019-04-01T10:00:00Z");
    assert_eq!(bo.profile.email(), Some("Bo.Berg@corp.example"));
    assert_eq!(bo.profile.emails.len(), 2);
    assert_eq!(bo.credential, Credential::HeldByLegacy);
}

#[test]
fn states_of_other_directories_are_understood() {
    for (line, active, change) in [
        ("pwdAccountLockedTime: 000001010000Z", Some(false), false),
        ("pwdAccountLockedTime: 20260101000000Z", None, false),
        ("nsAccountLock: TRUE", Some(false), false),
        ("ds-pwp-account-disabled: true", Some(false), false),
        ("loginDisabled: TRUE", Some(false), false),
        ("pwdReset: TRUE", None, true),
        ("userAccountControl: 512", Some(true), false),
    ] {
        let account = one(&format!("dn: uid=a,dc=x\nobjectClass: account\nuid: a\n{line}\n"));
        assert_eq!((account.profile.active, account.profile.must_change_password), (active, change), "{line}");
    }
}

#[test]
fn groups_stand_anywhere_and_name_members_in_three_ways() {
    let text = "dn: cn=first,dc=x\nobjectClass: groupOfNames\ncn: first\nmember: UID = ana , DC=x\n\n\
        dn: uid=ana,dc=x\nobjectClass: posixAccount\nuid: ana\ncn: Ana\n\n\
        dn: cn=posix,dc=x\nobjectClass: posixGroup\ncn: posix\nmemberUid: ana\n\n\
        dn: cn=unique,dc=x\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: uid=ana,dc=x\nuniqueMember: uid=bo,dc=x\n\n\
        dn: uid=bo,dc=x\nobjectClass: account\nuid: bo\n";
    let (records, _) = read_entries(text.as_bytes());
    let groups: Vec<_> = records.into_iter().map(|record| account(record).profile.groups).collect();
    assert_eq!(groups, [vec!["first", "posix", "unique"], vec!["unique"]]);
}

#[test]
fn a_group_may_be_longer_than_any_record() {
    let members = |from: usize| {
        let one = |at: usize| format!("member: uid=someone-with-a-long\n -name-{at},dc=x\n");
        (from..from + 400).map(one).collect::<String>()
    };
    let (person, last) = ("objectClass: account\nuid: someone", "dn: uid=someone-with-a-long-name-799,dc=x");
    let text = format!(
        "dn: cn=crew,dc=x\nobjectClass: groupOfNames\n{}{}cn: The Crew\n\n\
         dn: cn=gone,dc=x\nchangetype: modify\nadd: member\n{}\n{last}\n{person}\n\n\
         dn: uid=other,dc=x\n{person}\ndescription: {}\n\n",
        members(0),
        members(400),
        members(500),
        "x".repeat(3_000)
    );
    let mut form = Ldif::new(Rules::usual(), 10_000, 2_048);
    let (records, error) = read_all(&mut form, text.as_bytes(), 512);
    assert!(error.is_none(), "{error:?}");
    let codes = |record: &Record| match record {
        Record::Account(account) => account.profile.groups.join(","),
        Record::Rejected(rejected) => format!("{} {}", rejected.code, rejected.position),
        Record::Excluded(..) => "excluded".to_owned(),
    };
    let told: Vec<String> = records.iter().map(codes).collect();
    // the change and the person are too long and rejected; the group is no record
    assert_eq!(told, ["E3104 entry at line 1605", "The Crew", "E3104 entry at line 2413"]);
}

#[test]
fn a_broken_entry_costs_itself_only() {
    let good = |uid: &str| format!("dn: uid={uid},dc=x\nobjectClass: account\nuid: {uid}\n\n");
    for (broken, code) in [
        ("dn: uid=x,dc=x\nobjectClass: account\nuid:: !!\n\n", "E3107"),
        ("uid: x\nobjectClass: account\n\n", "E3110"),
        ("dn: uid=x,dc=x\nobjectClass: account\nno colon here\n\n", "E3110"),
        ("dn: uid=x,dc=x\nchangetype: delete\n\n", "E3110"),
        ("dn: uid=x,dc=x\nobjectClass: account\njpegPhoto:< file:///etc/passwd\n\n", "E3110"),
    ] {
        let (records, error) = read_entries(format!("{}{broken}{}", good("a"), good("b")).as_bytes());
        assert!(error.is_none());
        let [Record::Account(_), Record::Rejected(rejected), Record::Account(_)] = records.as_slice() else {
            panic!("{broken}: {records:?}")
        };
        assert_eq!((rejected.code.as_str(), rejected.position.as_str()), (code, "entry at line 5"), "{broken}");
    }
}

#[test]
fn clear_text_and_other_systems_are_told_apart() {
    let with =
        |value: &str| one(&format!("dn: uid=a,dc=x\nobjectClass: account\nuid: a\nuserPassword: {value}\n")).credential;
    let Credential::Plaintext(text) = with("Pass!w0rd") else { panic!("clear text") };
    assert_eq!(text.expose_secret(), "Pass!w0rd");
    assert_eq!(with("{SASL}a@EXAMPLE"), Credential::HeldByLegacy);
    assert_eq!(with("{CRYPT}!"), Credential::Nothing);
    assert_eq!(with("{X-OWN}abc"), Credential::hash("unknown", "{X-OWN}abc"));
}
