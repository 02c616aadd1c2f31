//! How callers prove who they are, by one dialect for all: they share the code, and the contract over all kinds is in
//! `conformance.rs`.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use sterna_core::{code::Code, hook::Peer};

use super::{Ask, TOKEN, kind, post, try_open};

const BODY: &str = r#"{"identifier":"ana","password":"old"}"#;
const LET_IN: &str = "check name <ana> <old>";
const REFUSED: &str = "refuse unauthenticated 401";

fn check(settings: &str, cases: &[(Ask, bool)]) {
    let dialect = try_open(kind("kratos-password-migration"), settings).unwrap_or_else(|found| panic!("{found:?}"));
    for (at, (ask, is_let_in)) in cases.iter().enumerate() {
        let expected = if *is_let_in { LET_IN } else { REFUSED };
        assert_eq!(ask.told(&*dialect), expected, "case {at} of {settings}");
    }
}

fn with(name: &str, values: &[&str]) -> Ask {
    post(BODY).header("authorization", &[]).header(name, values)
}

fn basic(pair: &[u8]) -> Ask {
    with("authorization", &[&format!("Basic {}", STANDARD.encode(pair))])
}

#[test]
fn basic_is_compared_as_a_whole_in_utf8_and_in_latin1() {
    let right = STANDARD.encode("us\u{e9}r:pa:ss-of-many");
    check(
        "basic_user = 'us\u{e9}r'\nbasic_password = { env = 'pa:ss-of-many' }",
        &[
            (basic("us\u{e9}r:pa:ss-of-many".as_bytes()), true),
            (basic(b"us\xe9r:pa:ss-of-many"), true),
            (with("Authorization", &[&format!("bAsIc   {right}")]), true),
            (basic(b"us\xe9r:pa:ss-of-man"), false),
            (basic(b"us\xe9r:pa:ss-of-many "), false),
            (basic(b"user:pa:ss-of-many"), false),
            (basic(b":pa:ss-of-many"), false),
            (basic(b""), false),
            (with("authorization", &[&format!("Bearer {right}")]), false),
            (with("authorization", &["Basic"]), false),
            (with("authorization", &["Basic !!!!"]), false),
            (with("authorization", &[&format!("Basic {right}"), &format!("Basic {right}")]), false),
            (with("x-api-key", &[&right]), false),
        ],
    );
}

#[test]
fn a_bearer_token_counts_once_and_as_a_whole() {
    let token = format!("Bearer {TOKEN}");
    check(
        super::BEARER,
        &[
            (with("authorization", &[&token]), true),
            (with("authorization", &[&token.replace("Bearer", "bearer")]), true),
            (with("authorization", &[&token[..token.len() - 1]]), false),
            (with("authorization", &[&format!("{token}x")]), false),
            (with("authorization", &[&token.to_uppercase()]), false),
            (with("authorization", &[TOKEN]), false),
            (with("authorization", &["Bearer "]), false),
            (with("authorization", &[&token, &token]), false),
            (with("authorization", &[&token, "Bearer other"]), false),
            (with("authorization", &[]), false),
            (basic(TOKEN.as_bytes()), false),
        ],
    );
}

#[test]
fn an_api_key_counts_in_its_own_header_alone() {
    let key = "a-key-of-many-characters";
    let own = "api_key = { env = 'a-key-of-many-characters' }";
    check(
        own,
        &[
            (with("X-API-Key", &[key]), true),
            (with("x-api-key", &["a-key"]), false),
            (with("x-api-key", &[key, key]), false),
            (with("x-functions-key", &[key]), false),
            (with("authorization", &[&format!("Bearer {key}")]), false),
        ],
    );
    let elsewhere = format!("{own}\napi_key_header = 'x-functions-key'");
    check(&elsewhere, &[(with("X-Functions-Key", &[key]), true), (with("x-api-key", &[key]), false)]);
}

#[test]
fn a_certificate_counts_by_its_fingerprint_and_an_address_never() {
    let shown = |byte: u8| Peer { address: None, certificate: Some([byte; 32]) };
    let fingerprint = ["AB"; 32].join(":");
    let asked = |peer| Ask { peer, ..with("x-none", &[]) };
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    check(
        &format!("client_certificates = ['{}', '{fingerprint}']", "01".repeat(32)),
        &[
            (asked(shown(0xAB)), true),
            (asked(shown(1)), true),
            (asked(shown(0xAC)), false),
            (asked(Peer { address: Some(loopback), certificate: None }), false),
        ],
    );
}

#[test]
fn any_one_of_several_proofs_is_enough() {
    let settings = format!("{}basic_user = 'u'\nbasic_password = {{ env = 'password1234' }}", super::BEARER);
    let bearer = with("authorization", &[&format!("Bearer {TOKEN}")]);
    check(&settings, &[(bearer, true), (basic(b"u:password1234"), true), (basic(b"u:password1235"), false)]);
}

#[test]
fn settings_that_let_strangers_in_are_none() {
    let cases = [
        "",
        "basic_user = 'u'",
        "basic_password = { env = 'p' }",
        "basic_user = 'u'\nbasic_password = { env = 'password123' }",
        "bearer_token = { env = 'short' }",
        "api_key = { env = 'short' }",
        "client_certificates = []",
        "client_certificates = ['abcd']",
    ];
    for settings in cases {
        let findings = try_open(kind("kratos-password-migration"), settings).err();
        let codes: Vec<_> = findings.iter().flatten().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::E1005], "{settings}");
    }
}
