//! Settings that do not fit together are told all at once, before anything is connected to.

use sterna_connectors::registry;
use sterna_core::code::Code;

use super::world::values;

fn check(text: &str, expected: &[(Code, &str)]) {
    let kind = registry::TARGETS.iter().find(|kind| kind.kind() == "entra-external-id").unwrap();
    let findings = match values(text, kind.settings()) {
        Ok(values) => kind.check(&values),
        Err(findings) => findings,
    };
    assert_eq!(findings.len(), expected.len(), "{findings:?}");
    for (code, text) in expected {
        let found = findings.iter().any(|finding| finding.code == *code && finding.message.contains(text));
        assert!(found, "{code} {text}: {findings:?}");
    }
}

const GOOD: &str = "tenant = 'contoso.onmicrosoft.com'\nclient_id = 'a'\nclient_secret = { env = 'S' }\n";

#[test]
fn the_least_that_is_needed_is_enough() {
    check(GOOD, &[]);
    check(&GOOD.replace("client_secret", "private_key").replace("}\n", "}\ncertificate = 'app.pem'\n"), &[]);
}

#[test]
fn an_application_proves_who_it_is_in_exactly_one_way() {
    check("tenant = 't.example'\nclient_id = 'a'", &[(Code::E1006, "client_secret")]);
    check(&format!("{GOOD}certificate = 'x.pem'"), &[(Code::E1005, "one of them")]);
    check(
        &format!("{GOOD}applications = [{{ client_id = 'b', certificate = 'x.pem' }}]"),
        &[(Code::E1006, "private_key")],
    );
    check(
        &format!("{GOOD}applications = [{{ client_id = 'A', client_secret = {{ env = 'S' }} }}]"),
        &[(Code::E1005, "listed twice")],
    );
}

#[test]
fn bounds_names_and_types_are_checked() {
    check(&format!("{GOOD}batch_size = 21"), &[(Code::E1005, "from 1 to 20")]);
    check(&format!("{GOOD}write_share = 1.5"), &[(Code::E1005, "write_share")]);
    check(&format!("{GOOD}cloud = 'mars'"), &[(Code::E1005, "cloud")]);
    check(&format!("{GOOD}extensions = {{ loyalty = 'Text' }}"), &[(Code::E1005, "extensions.loyalty")]);
    check(&format!("{GOOD}flag_attribute = 'sternaLegacyId'"), &[(Code::E1005, "different names")]);
    check(&format!("{GOOD}legacy_id_attribute = 'legacy id'"), &[(Code::E1005, "attribute's name")]);
    check(&format!("{GOOD}extension_app_id = 'b2c'"), &[(Code::E1005, "GUID")]);
    check(&GOOD.replace("contoso.onmicrosoft.com", "contoso/../x"), &[(Code::E1005, "`tenant`")]);
}
