//! TLS by files, client certificates by fingerprint, and a certificate that is exchanged while it serves.

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::{Certificate, Client, Identity};
use rustix::process::Signal;
use sterna_wire::RsaIdentity;

use super::{PASSWORD, Service, TOKEN, call, ready, secret, verdict};
use crate::support::Folder;

/// Writes a certificate for this machine and its key where `[serve]` looks for them.
fn certify(folder: &Folder) -> RsaIdentity {
    let identity = RsaIdentity::generate("127.0.0.1").unwrap();
    secret(folder, "tls.crt", &identity.certificate_pem);
    secret(folder, "tls.key", &identity.private_key_pem);
    identity
}

/// A client that trusts nothing but this certificate, whatever name it has.
fn trusting(server: &RsaIdentity, own: Option<&RsaIdentity>) -> Client {
    let root = Certificate::from_pem(server.certificate_pem.as_bytes()).unwrap();
    let builder = Client::builder().no_proxy().tls_certs_only([root]);
    let builder = match own {
        Some(own) => {
            let pem = format!("{}{}", own.certificate_pem, own.private_key_pem);
            builder.identity(Identity::from_pem(pem.as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

#[tokio::test]
async fn a_client_certificate_proves_the_caller_and_the_servers_own_is_exchanged_while_it_serves() {
    let folder = ready("tls_certificate = \"tls.crt\"\ntls_key = \"tls.key\"\n");
    let first = certify(&folder);
    let caller = RsaIdentity::generate("the caller").unwrap();
    let der = sterna_wire::certificates_from_pem(caller.certificate_pem.as_bytes()).remove(0);
    let bytes = digest(&SHA256, &der);
    let fingerprint: Vec<String> = bytes.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let text = folder.read("sterna.toml").replace(
        "bearer_token = { file = \"token\" }",
        &format!("client_certificates = [\"{}\"]", fingerprint.join(":")),
    );
    folder.write("sterna.toml", &text);
    let service = Service::start(&folder, "");
    let url = service.url();
    assert!(url.starts_with("https://"), "{url}");
    assert_eq!(verdict(call(&trusting(&first, Some(&caller)), &url, TOKEN, PASSWORD)).await, "VERIFIED");
    assert_eq!(verdict(call(&trusting(&first, None), &url, TOKEN, PASSWORD)).await, "401", "a token is no proof here");
    let stranger = RsaIdentity::generate("a stranger").unwrap();
    assert_eq!(verdict(call(&trusting(&first, Some(&stranger)), &url, TOKEN, PASSWORD)).await, "401");
    let second = certify(&folder);
    service.signal(Signal::HUP);
    let began = std::time::Instant::now();
    while call(&trusting(&second, Some(&caller)), &url, TOKEN, PASSWORD).send().await.is_err() {
        assert!(began.elapsed().as_secs() < 10, "the new certificate is shown");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(call(&trusting(&first, Some(&caller)), &url, TOKEN, PASSWORD).send().await.is_err(), "not the old one");
}
