//! The check `oauth-password`: what answers mean.

use sterna_connectors::oauth::answer::{Form, Reading, verdict};
use sterna_core::{
    account::Account,
    ids::SourceKey,
    legacy::{Attempt, Outage, Verdict},
    registry::CheckKind,
    settings::Values,
};

use crate::servers;

const NOT_UNDERSTOOD: Verdict = Verdict::Unavailable(Outage::NotUnderstood);

fn reading(form: Form) -> Reading {
    Reading { form, second_factor_counts: false, errors: vec![("Account disabled".into(), Verdict::Disabled)] }
}

fn azure(code: u32) -> Verdict {
    let body = format!(r#"{{"error":"invalid_grant","error_description":"AADSTS{code}: x","error_codes":[{code}]}}"#);
    verdict(&reading(Form::AzureDirectory), 400, body.as_bytes())
}

#[test]
fn numbers_of_azure_mean_what_the_table_says() {
    for (codes, expected) in [
        (&[50_126, 50_056, 50_064][..], Verdict::Mismatch),
        (&[50_034], Verdict::Unknown),
        (&[50_055, 50_135], Verdict::MatchButExpired),
        (&[50_053], Verdict::Locked),
        (&[50_057], Verdict::Disabled),
        (&[50_072, 50_074, 50_076, 50_079, 50_158], Verdict::Unavailable(Outage::SecondFactor)),
        (&[50_196], Verdict::Unavailable(Outage::Overloaded)),
        (&[1, 50_000, 90_033], NOT_UNDERSTOOD),
    ] {
        for code in codes {
            assert_eq!(azure(*code), expected, "{code}");
        }
    }
}

#[test]
fn answers_of_any_provider_mean_what_the_standard_says() {
    for (status, body, expected) in [
        (200, r#"{"access_token":"t"}"#, Verdict::Match { upgrade: false }),
        (200, r#"{"id_token":"t"}"#, Verdict::Match { upgrade: false }),
        (200, r#"{"access_token":""}"#, NOT_UNDERSTOOD),
        (200, "{}", NOT_UNDERSTOOD),
        (200, "<html>", NOT_UNDERSTOOD),
        (302, "", NOT_UNDERSTOOD),
        (503, r#"{"error":"invalid_grant"}"#, NOT_UNDERSTOOD),
        (429, "", Verdict::Unavailable(Outage::Overloaded)),
        (400, r#"{"error":"invalid_grant"}"#, Verdict::Mismatch),
        (400, r#"{"error":"invalid_grant","error_description":"Account disabled"}"#, Verdict::Disabled),
        (401, r#"{"error":"invalid_client"}"#, Verdict::Unavailable(Outage::Rejected)),
        (400, r#"{"error":"invalid_scope"}"#, Verdict::Unavailable(Outage::Rejected)),
    ] {
        assert_eq!(verdict(&reading(Form::Oidc), status, body.as_bytes()), expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_real_provider_tells_right_from_wrong_and_is_unreachable_when_stopped() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../counterparts/oidc");
    if !folder.join("node_modules").exists() {
        assert!(std::env::var_os("REQUIRE_COUNTERPARTS").is_none_or(|v| v != "1"), "run `make setup`");
        return;
    }
    let port = servers::free_port();
    let mut node = std::process::Command::new("node");
    node.arg("server.mjs").current_dir(folder).env("PORT", port.to_string()).env("CLIENT_ID", "c");
    node.env("CLIENT_SECRET", "s+&%").env("USERS", r#"{"é+&b":"p &%+\"w"}"#);
    let mut server = servers::Server::start(&mut node, port, tempfile::tempdir().unwrap());
    let values = Values::default()
        .with("token_url", format!("http://127.0.0.1:{port}/token").into())
        .with("client_id", "c".into())
        .with("login", "attributes.name".into())
        .with("client_secret", serde_json::json!({"env": "X"}));
    let known = std::collections::BTreeMap::from([("X".to_owned(), "s+&%".to_owned())]);
    let context = crate::entra::world::context(known);
    let check = sterna_connectors::oauth::Kind.open(&values, &context).unwrap();
    let mut account = Account::new(SourceKey::new("1").unwrap());
    account.profile.attributes.insert("name".into(), "é+&b".into());
    let ask = async |password: &str, millis| {
        let password = password.into();
        let deadline = std::time::Instant::now() + std::time::Duration::from_millis(millis);
        check.check(&Attempt { account: &account, source: "s", password: &password, deadline }).await
    };
    assert_eq!(ask("p &%+\"w", 5_000).await, Verdict::Match { upgrade: false });
    assert_eq!(ask("other", 5_000).await, Verdict::Mismatch);
    server.signal("STOP");
    assert_eq!(ask("other", 200).await, Verdict::Unavailable(Outage::TimedOut));
    server.signal("CONT");
    server.kill();
    assert_eq!(ask("other", 5_000).await, Verdict::Unavailable(Outage::Unreachable));
}
