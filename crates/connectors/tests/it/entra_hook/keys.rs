//! The keys that contexts are encrypted to: which one a message means, and which files are taken.

use std::sync::{Arc, LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use sterna_core::hook::HookDialect;

use crate::servers;

use super::{
    Given, PASSWORD, Pair, Request, UNDECRYPTABLE, VECTORS, WORLD, generated, hook_with, maker, opened, typed,
};

const OLD_ID: &str = "33333333-4444-4555-8666-777777777777";
const NEW_ID: &str = "88888888-4444-4555-8666-777777777777";

static NEW: LazyLock<Pair> = LazyLock::new(generated);

/// While keys are rotated: the old one and the new one.
fn both() -> Arc<dyn HookDialect> {
    let old = Given { id: Some(OLD_ID), ..Given::of(&WORLD.pair) };
    hook_with("", &[old, Given { id: Some(NEW_ID), ..Given::of(&NEW) }])
}

/// A context for this key that names its key so.
fn naming(pair: &Pair, name: &Value) -> Request {
    let header = super::changed(&json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256" }), name);
    Request::of(&pair.seal(&header, maker::unsigned(&VECTORS["claims"]).as_bytes()))
}

/// Ways to name a key.
fn names(pair: &Pair, id: &str) -> [Value; 9] {
    let hex = hex::encode_upper(maker::decode(&pair.x5t()));
    [
        json!({}),
        json!({ "x5t": pair.x5t() }),
        json!({ "x5t#S256": pair.x5t_s256() }),
        json!({ "x5t": pair.x5t(), "x5t#S256": "other", "kid": "other" }),
        json!({ "kid": id }),
        json!({ "kid": id.to_ascii_uppercase() }),
        json!({ "kid": pair.x5t() }),
        json!({ "kid": pair.x5t_s256() }),
        json!({ "kid": hex }),
    ]
}

#[test]
fn while_keys_are_rotated_each_message_is_opened_by_its_own_however_it_names_it() {
    let hook = both();
    for (pair, id) in [(&WORLD.pair, OLD_ID), (&*NEW, NEW_ID)] {
        for name in names(pair, id) {
            assert_eq!(typed(&naming(pair, &name).accepted(&*hook)), PASSWORD, "{name}");
        }
    }
}

#[test]
fn a_message_that_names_another_key_than_its_own_is_refused() {
    let hook = both();
    for name in names(&NEW, NEW_ID).iter().skip(1) {
        assert_eq!(naming(&WORLD.pair, name).refused(&*hook), UNDECRYPTABLE, "{name}");
    }
    for name in
        [json!({ "x5t": "other" }), json!({ "x5t#S256": "other" }), json!({ "kid": "other" }), json!({ "kid": "" })]
    {
        assert_eq!(naming(&WORLD.pair, &name).refused(&*hook), UNDECRYPTABLE, "{name}");
    }
}

#[test]
fn a_key_without_an_id_in_the_settings_is_tried_for_ids_that_nobody_has() {
    let hook = hook_with("", &[Given::of(&WORLD.pair), Given { id: Some(NEW_ID), ..Given::of(&NEW) }]);
    assert_eq!(typed(&naming(&WORLD.pair, &json!({ "kid": OLD_ID })).accepted(&*hook)), PASSWORD);
    assert_eq!(naming(&NEW, &json!({ "kid": OLD_ID })).refused(&*hook), UNDECRYPTABLE);
}

#[test]
fn after_the_rotation_the_old_key_opens_nothing() {
    let hook = hook_with("", &[Given { id: Some(NEW_ID), ..Given::of(&NEW) }]);
    for name in names(&WORLD.pair, OLD_ID) {
        assert_eq!(naming(&WORLD.pair, &name).refused(&*hook), UNDECRYPTABLE, "{name}");
    }
}

#[test]
fn private_keys_are_pkcs8_or_pkcs1() {
    let pkcs1 = maker::pem("RSA PRIVATE KEY", &WORLD.pair.pkcs8[26..]);
    let with_certificate = format!("{}{}", WORLD.pair.certificate_pem(), WORLD.pair.private_pem());
    let with_text = format!("Bag Attributes\r\n{}", WORLD.pair.private_pem().replace('\n', "\r\n"));
    for private in [WORLD.pair.private_pem(), pkcs1, with_certificate, with_text] {
        let hook = hook_with("", &[Given { private, ..Given::of(&WORLD.pair) }]);
        assert_eq!(typed(&naming(&WORLD.pair, &json!({})).accepted(&*hook)), PASSWORD);
    }
}

#[test]
fn a_bigger_key_is_taken() {
    let size = aws_lc_rs::rsa::KeySize::Rsa4096;
    let key = aws_lc_rs::rsa::PrivateDecryptingKey::generate(size).unwrap();
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let der = der.as_ref().to_vec();
    let signing = rcgen::KeyPair::try_from(der.as_slice()).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&signing).unwrap().der().to_vec();
    let pair = Pair { certificate, pkcs8: der };
    let hook = hook_with("", &[Given::of(&pair)]);
    assert_eq!(typed(&naming(&pair, &json!({ "x5t": pair.x5t() })).accepted(&*hook)), PASSWORD);
}

#[test]
fn files_that_are_no_key_are_told_with_the_number_of_their_table() {
    let elliptic = rcgen::KeyPair::generate().unwrap();
    let encrypted = maker::pem("ENCRYPTED PRIVATE KEY", &WORLD.pair.pkcs8);
    let broken = maker::pem("PRIVATE KEY", &WORLD.pair.pkcs8[..100]);
    let public = WORLD.pair.public_pem();
    for private in [String::new(), "x".into(), public, encrypted, broken, elliptic.serialize_pem()] {
        let keys = [Given::of(&WORLD.pair), Given { private, ..Given::of(&WORLD.pair) }];
        let findings = opened("", &keys, None).err().unwrap();
        let expected = "`keys`, number 2: the private key is no RSA key in PEM (PKCS#8 or PKCS#1) of 2048 bits or more";
        assert_eq!(findings[0].message, expected);
    }
    for certificate in [String::new(), WORLD.pair.private_pem()] {
        let findings = opened("", &[Given { certificate, ..Given::of(&WORLD.pair) }], None).err().unwrap();
        assert_eq!(findings[0].message, "`keys`, number 1: the certificate file holds no PEM certificate");
    }
}

#[test]
fn a_certificate_of_another_key_is_told() {
    let mixed = Given { certificate: NEW.certificate_pem(), ..Given::of(&WORLD.pair) };
    let findings = opened("", &[mixed], None).err().unwrap();
    assert_eq!(findings[0].message, "`keys`, number 1: the certificate is for another key than the private one");
}

#[test]
fn settings_that_cannot_be_are_told() {
    let needs = |name: &str, value: Value| {
        let values = super::values("", &[Given::of(&WORLD.pair)]).with(name, value);
        super::kind().needs(&values).map(|_| ()).map_err(|findings| findings[0].message.clone())
    };
    assert_eq!(needs("tenant_id", json!(maker::TENANT)), Ok(()));
    assert_eq!(needs("tenant_id", json!("contoso")), Err("`tenant_id` is no GUID".into()));
    assert_eq!(needs("client_id", json!("contoso")), Err("`client_id` is no GUID".into()));
    let key = json!({ "certificate": "c", "private_key": { "file": "k" } });
    assert_eq!(needs("keys", json!([])), Err("`keys` needs one to 4 tables".into()));
    assert_eq!(needs("keys", json!(vec![key.clone(); 4])), Ok(()));
    assert_eq!(needs("keys", json!(vec![key; 5])), Err("`keys` needs one to 4 tables".into()));
}

#[test]
fn signing_keys_are_those_of_the_external_tenant_unless_the_settings_say_otherwise() {
    let values = super::values("", &[Given::of(&WORLD.pair)]);
    let tenant = maker::TENANT;
    let url = |values| super::kind().needs(values).unwrap().key_set.unwrap().url;
    assert_eq!(url(&values), format!("https://{tenant}.ciamlogin.com/{tenant}/discovery/v2.0/keys"));
    let own = super::values("key_set_url = \"https://127.0.0.1:8443/keys\"", &[Given::of(&WORLD.pair)]);
    assert_eq!(url(&own), "https://127.0.0.1:8443/keys");
}

/// The page for users.
const PAGE: &str = include_str!("../../../../../docs/hooks/entra-on-password-submit.md");

#[test]
fn what_the_commands_of_the_page_make_is_taken() {
    let Some(shell) = servers::program(&["openssl"]).and_then(|_| servers::program(&["sh"])) else { return };
    let folder = tempfile::tempdir().unwrap();
    let commands: Vec<&str> = PAGE.lines().filter(|line| line.contains("openssl ")).collect();
    assert_eq!(commands.len(), 3);
    let run = |command: &str| {
        let output = std::process::Command::new(&shell).args(["-c", command]).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(commands[0]);
    let der = STANDARD.decode(run(commands[1])).unwrap();
    assert!(run(commands[2]).starts_with("notBefore="));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let given = Given { certificate: read("jit.crt"), private: read("jit.key"), id: None };
    let pkcs8 = rustls_pki_types::PrivatePkcs8KeyDer::from_pem_slice(given.private.as_bytes()).unwrap();
    let pair = Pair { certificate: der, pkcs8: pkcs8.secret_pkcs8_der().to_vec() };
    let hook = hook_with("", &[given]);
    assert_eq!(typed(&naming(&pair, &json!({ "x5t": pair.x5t() })).accepted(&*hook)), PASSWORD);
}

#[test]
fn the_sample_is_right_and_the_page_has_every_setting() {
    let text = super::kind().sample().to_owned();
    let document = sterna_core::settings::Document { file: "sterna.toml".into(), text };
    let table = document.parse().unwrap();
    let mut findings = Vec::new();
    let settings = super::kind().settings();
    let values = super::check(&document, table.get_ref(), table.span(), settings, "[hooks.x]", &mut findings);
    assert_eq!(findings, []);
    assert!(super::kind().needs(&values).is_ok());
    for setting in settings {
        assert!(PAGE.contains(&format!("`{}`", setting.name)), "{}", setting.name);
    }
}
