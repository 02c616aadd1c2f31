//! What file sources say of themselves in the support matrix is what their files can give.

use sterna_connectors::registry::SOURCES;
use sterna_core::{
    account::{Account, Credential, Identity},
    support::{Feature, Gives},
};

use super::File;

fn given(account: &Account, wanted: Gives) -> bool {
    match wanted {
        Gives::Identities => account.identities.iter().any(|identity| matches!(identity, Identity::Federated { .. })),
        Gives::Groups => !account.profile.groups.is_empty(),
        Gives::Roles => !account.profile.roles.is_empty(),
        Gives::Passwords => matches!(account.credential, Credential::Plaintext(_)),
        Gives::Hashes => matches!(account.credential, Credential::Hash { .. }),
        Gives::Factors => !account.factors.is_empty(),
    }
}

/// The file has whatever its form can say; nothing more comes of it than the kind states, and nothing less.
fn check(file: &File) {
    let support = SOURCES.iter().find(|kind| kind.kind() == file.kind).unwrap().support().unwrap();
    let outcome = file.read();
    let accounts = outcome.accounts();
    for wanted in Gives::ALL {
        let is_given = accounts.iter().any(|account| given(account, *wanted));
        assert_eq!(support.gives.contains(wanted), is_given, "{}: {}", file.kind, wanted.title());
    }
}

#[test]
fn files_give_what_the_support_matrix_says() {
    let line = r#"{"id":"1","identities":[{"kind":"local","name":"email","value":"a@x.org"},{"kind":"federated","issuer":"g","subject":"1"}],"groups":["a"],"roles":["b"],"factors":[{"kind":"totp","value":"X"}],"password":{"plaintext":"p"}}"#;
    let hashed = r#"{"id":"2","identities":[{"kind":"local","name":"email","value":"b@x.org"}],"password":{"hash":"{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a","format":"ldap-ssha"}}"#;
    check(&File::new("json-lines", format!("{line}\n{hashed}\n")));

    let users = r#"{"userType":"emailAddress","Users":[{"signInName":"a@x.org","displayName":"A","password":"Pass!w0rd","issuer":"Facebook.com","issuerUserId":"1"}]}"#;
    check(&File::new("b2c-users-file", users));

    let ldif = "dn: uid=a,ou=people,dc=x\nobjectClass: inetOrgPerson\nuid: a\nentryUUID: 1\nmail: a@x.org\nuserPassword: plain\n\n\
                dn: uid=b,ou=people,dc=x\nobjectClass: inetOrgPerson\nuid: b\nentryUUID: 2\nemployeeType: editor\nemployeeNumber: 4711\n\
                userPassword: {SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a\n\n\
                dn: cn=staff,ou=groups,dc=x\nobjectClass: groupOfNames\ncn: staff\nmember: uid=a,ou=people,dc=x\n";
    check(
        &File::new("ldif", ldif)
            .with("clear_text_passwords = 'keep'\n[columns]\nroles = 'employeeType'\n'federated.g' = 'employeeNumber'"),
    );

    let csv = "id,mail,plain,hash,google,groups,roles\n1,a@x.org,p,,4711,a,b\n2,b@x.org,,{SSHA}JFZFs0oHzxbMwkSJmYVeI8MnTDy/276a,,,\n";
    let columns = "[columns]\nkey = 'id'\nemail = 'mail'\npassword = 'plain'\npassword_hash = 'hash'\n\
                   'federated.g' = 'google'\ngroups = 'groups'\nroles = 'roles'";
    check(&File::new("csv", csv).with(columns));
}
