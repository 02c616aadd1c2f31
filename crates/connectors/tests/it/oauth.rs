//! The check `oauth-password`: what answers mean.

use sterna_connectors::oauth::answer::{Form, Reading, verdict};
use sterna_core::legacy::{Outage, Verdict};

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
