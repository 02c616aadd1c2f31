//! Which settings fit together, and where endpoints are.

use serde_json::json;

use super::*;
use Product::{Asgardeo, Scim, Wso2Is};

fn config(product: Product, given: &[(&str, serde_json::Value)]) -> Result<TargetConfig, Vec<Finding>> {
    let fold = |values: Values, (name, value): &(&str, serde_json::Value)| values.with(name, value.clone());
    TargetConfig::new(product, &given.iter().fold(Values::default(), fold))
}

#[test]
fn addresses_are_derived_from_root_and_tenant() {
    let check = |product: Product,
                 given: &[(&str, serde_json::Value)],
                 base: &str,
                 associations: Option<&str>,
                 tokens: Option<&str>| {
        let access = [
            ("client_id", json!("a")),
            ("client_secret", json!({"env": "S"})),
            ("token_url", json!("https://l/token")),
        ];
        let own = if tokens.is_some() { &access[..2] } else { &access[..] };
        let config = config(product, &[given, own].concat()).unwrap();
        assert_eq!((config.base.as_str(), config.associations.as_deref()), (base, associations), "{given:?}");
        assert_eq!(config.access.urls(), tokens.or(Some("https://l/token")), "{given:?}");
    };
    let is = || ("url", json!("https://h:9443/"));
    check(Scim, &[("url", json!("https://h/scim/v2/"))], "https://h/scim/v2", None, None);
    check(
        Wso2Is,
        &[is()],
        "https://h:9443/scim2",
        Some("https://h:9443/t/carbon.super/api/users/v1"),
        Some("https://h:9443/oauth2/token"),
    );
    check(
        Wso2Is,
        &[is(), ("tenant", json!("example.com"))],
        "https://h:9443/t/example.com/scim2",
        Some("https://h:9443/t/example.com/api/users/v1"),
        Some("https://h:9443/t/example.com/oauth2/token"),
    );
    check(
        Wso2Is,
        &[is(), ("child_organization", json!(true))],
        "https://h:9443/o/scim2",
        Some("https://h:9443/o/api/users/v1"),
        Some("https://h:9443/oauth2/token"),
    );
    check(
        Wso2Is,
        &[is(), ("federated", json!("none"))],
        "https://h:9443/scim2",
        None,
        Some("https://h:9443/oauth2/token"),
    );
    check(
        Asgardeo,
        &[("organization", json!("acme"))],
        "https://api.asgardeo.io/t/acme/scim2",
        Some("https://api.asgardeo.io/t/acme/api/users/v1"),
        Some("https://api.asgardeo.io/t/acme/oauth2/token"),
    );
    check(
        Asgardeo,
        &[
            ("organization", json!("acme")),
            ("url", json!("https://api.eu.asgardeo.io")),
            ("child_organization", json!(true)),
        ],
        "https://api.eu.asgardeo.io/t/acme/o/scim2",
        Some("https://api.eu.asgardeo.io/t/acme/o/api/users/v1"),
        Some("https://api.eu.asgardeo.io/t/acme/oauth2/token"),
    );
}

#[test]
fn what_does_not_fit_is_told() {
    let check = |product: Product, given: &[(&str, serde_json::Value)], code: Code, text: &str| {
        let findings = config(product, given).unwrap_err();
        assert!(findings.iter().any(|one| one.code == code && one.message.contains(text)), "{findings:?}");
    };
    let url = || ("url", json!("https://h/v2"));
    check(Scim, &[("url", json!("https://h/v2?x=1"))], Code::E1005, "without ? and #");
    check(Scim, &[("url", json!("postgres://h/v2"))], Code::E1005, "starts with postgres:");
    check(Scim, &[("url", json!("https://ana:hunter2@h/v2"))], Code::E1007, "holds a name or a password");
    check(Scim, &[("url", json!("http://scim.example.com/v2"))], Code::E2304, "without TLS");
    check(Scim, &[url(), ("client_id", json!("a"))], Code::E1006, "client_secret");
    check(Scim, &[url(), ("client_id", json!("a")), ("client_secret", json!({"env": "S"}))], Code::E1006, "token_url");
    check(Scim, &[url(), ("password_pattern", json!("("))], Code::E1005, "password_pattern");
    check(Wso2Is, &[url(), ("tenant", json!("a/b"))], Code::E1005, "no name of a tenant");
    check(Asgardeo, &[("organization", json!("a b"))], Code::E1005, "no name of a tenant");
}

#[test]
fn scopes_are_those_of_the_work_and_of_the_place() {
    let scope = |given: &[(&str, serde_json::Value)]| {
        let own = [("organization", json!("acme")), ("client_id", json!("a")), ("client_secret", json!({"env": "S"}))];
        match config(Asgardeo, &[given, &own].concat()).unwrap().access {
            AccessConfig::Client { scope, .. } => scope.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(scope(&[]).split(' ').all(|one| one.starts_with("internal_") && !one.starts_with("internal_org_")));
    assert!(scope(&[("child_organization", json!(true))]).split(' ').all(|one| one.starts_with("internal_org_")));
    assert_eq!(scope(&[("scope", json!("x"))]), "x");
}

#[test]
fn settings_go_before_what_the_product_says() {
    let given = [
        ("url", json!("https://h")),
        ("value_length", json!(255)),
        ("user_names", json!("email")),
        ("writes_per_second", json!(2.5)),
    ];
    let config = config(Wso2Is, &given).unwrap();
    assert_eq!((config.value_length, config.user_names), (Some(255), UserNames::Email));
    assert!((config.quota.rate() - 2.5).abs() < 1e-9);
    let shape = crate::scim::shape::Shape::new(&config, crate::scim::schema::Schemas::default());
    assert_eq!(shape.dialect.longest, Some(255));
    // a server that describes nothing gets the shipped default of the flag
    assert_eq!(shape.flag.as_deref(), Some("urn:scim:schemas:extension:custom:User:is_migrated"));
}
