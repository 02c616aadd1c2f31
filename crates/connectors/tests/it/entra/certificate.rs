//! Getting in with a certificate instead of a secret, and with several applications.

use std::collections::BTreeMap;

use sterna_core::{account::Identity, port::Answer};
use sterna_emulators::entra::Kind;

use super::world::{World, context, create, person};

/// A certificate and its key, both PEM.
fn pair() -> (String, String) {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["sterna.example".into()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

async fn check(algorithm: &str) {
    let (certificate, private_key) = pair();
    let scenario = format!("[[app]]\ncertificate_pem = '''\n{certificate}'''\n");
    let mut world = World::start(Kind::EntraExternalId, &scenario).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.pem"), certificate).unwrap();
    world.context = context(BTreeMap::from([("KEY".to_owned(), private_key)]));
    world.context.project = folder.path().to_owned();
    let ready = world.emulator.ready();
    let text = format!(
        "tenant = '{}'\nclient_id = '{}'\ngraph_url = '{}'\nlogin_url = '{}'\ncertificate = 'app.pem'\n\
         private_key = {{ env = 'KEY' }}\nassertion_algorithm = '{algorithm}'\n",
        ready.tenant.as_deref().unwrap(),
        ready.client_id.as_deref().unwrap(),
        ready.graph_url.as_deref().unwrap(),
        ready.login_url.as_deref().unwrap(),
    );
    let target = world.connect(&text).await.expect("it gets in with the certificate");
    assert_eq!(target.descriptor().local_issuer, "contoso.onmicrosoft.com");
}

#[tokio::test]
async fn a_certificate_gets_in_with_ps256() {
    check("PS256").await;
}

#[tokio::test]
async fn a_certificate_gets_in_with_rs256() {
    check("RS256").await;
}

#[tokio::test]
async fn two_applications_are_two_lanes_with_a_quota_each() {
    let (one, two) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
    let scenario = format!(
        "[quota]\napp_tenant_writes = 8\n[[app]]\nclient_id = '{one}'\nclient_secret = 's1'\n\
         [[app]]\nclient_id = '{two}'\nclient_secret = 's2'\n"
    );
    let mut world = World::external_id(&scenario).await;
    world.context =
        context(BTreeMap::from([("SECRET".to_owned(), "s1".to_owned()), ("SECOND".to_owned(), "s2".to_owned())]));
    let text = format!(
        "{}applications = [{{ client_id = '{two}', client_secret = {{ env = 'SECOND' }} }}]\n",
        world.connection()
    );
    let target = world.connect(&text).await.unwrap();
    target.prepare(&[]).await.unwrap();
    assert_eq!((target.descriptor().quota.lanes, target.descriptor().concurrency), (2, 8));
    let batch = |from: usize| {
        let people =
            (from..from + 8).map(|n| person(&format!("P{n}"), &[Identity::email(format!("p{n}@example.com"))]));
        people.map(|person| create(target.as_ref(), &person)).collect::<Vec<_>>()
    };
    let held = |answers: &[Answer]| answers.iter().filter(|answer| matches!(answer, Answer::Holds(_))).count();
    let first = target.apply(0, &batch(0)).await.answers;
    assert!(held(&first) < 8, "preparing used some of the first one's quota: {first:?}");
    let second = target.apply(1, &batch(10)).await.answers;
    assert!(held(&second) > held(&first), "{second:?}");
}
