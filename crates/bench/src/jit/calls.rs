//! Genuine calls of Entra's event `OnPasswordSubmit`, made before the clock runs: one bearer for all of them, as the caller
//! reuses its token, and for each its own nonce, content key, address and account.

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context, Result};
use aws_lc_rs::{
    cipher::{AES_128, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
    rsa::{
        KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey,
    },
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::{Value, json};
use sterna_wire::RsaIdentity;

use super::project::{CLIENT_ID, TENANT_ID, right_password, target_id};
use crate::sign_ins::now;

/// Whether the passwords of calls are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The old one.
    Right,
    /// Another one.
    Wrong,
}

/// Makes calls for one service.
pub(super) struct Caller {
    bearer: String,
    public: OaepPublicEncryptingKey,
    private: OaepPrivateDecryptingKey,
    header: String,
    accounts: u32,
    made: u32,
}

impl Caller {
    /// Makes all keys, and writes the service's part of them into its folder: certificate, private key, key set.
    pub(super) fn new(folder: &Path, accounts: u32) -> Result<Self> {
        let identity = RsaIdentity::generate("bench")?;
        fs::write(folder.join("jit.crt"), &identity.certificate_pem)?;
        fs::write(folder.join("jit.key"), &identity.private_key_pem)?;
        let certificate = sterna_wire::certificates_from_pem(identity.certificate_pem.as_bytes()).into_iter().next();
        let certificate = certificate.context("a certificate")?;
        let public = sterna_wire::public_key_of(&certificate).context("its public key")?;
        let public = PublicEncryptingKey::from_der(&public).ok().context("an RSA key")?;
        let x5t = BASE64URL.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate));
        let header = json!({"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "x5t": x5t, "zip": "DEF"});
        Ok(Self {
            bearer: bearer(folder)?,
            public: OaepPublicEncryptingKey::new(public).ok().context("a key for OAEP")?,
            private: private(&identity.private_key_pem)?,
            header: BASE64URL.encode(header.to_string()),
            accounts,
            made: 0,
        })
    }

    /// The next calls, each for the next account and from another address.
    pub(super) fn calls(&mut self, count: usize, typed: Typed) -> Result<Vec<Vec<u8>>> {
        (0..count).map(|_| self.call(typed)).collect()
    }

    /// A wrapped key, and the private key that it is for: what a bare decryption needs.
    pub(super) fn wrapped(&self) -> Result<(&OaepPrivateDecryptingKey, Vec<u8>)> {
        let mut room = vec![0; self.public.ciphertext_size()];
        let wrapped = self.public.encrypt(&OAEP_SHA1_MGF1SHA1, &[7; 32], &mut room, None);
        Ok((&self.private, wrapped.ok().context("wrapping a key")?.to_vec()))
    }

    fn call(&mut self, typed: Typed) -> Result<Vec<u8>> {
        let number = self.made % self.accounts;
        let [_, a, b, c] = self.made.to_be_bytes();
        self.made += 1;
        let password = match typed {
            Typed::Right => right_password(number),
            Typed::Wrong => format!("not the one {}", self.made),
        };
        let body = body(number, self.made, &format!("10.{a}.{b}.{c}"), &self.context(&password)?).to_string();
        let head = format!(
            "POST /hooks/entra HTTP/1.1\r\nHost: hooks.example.com\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json; charset=utf-8\r\nAccept: application/json\r\n\
             x-ms-client-request-id: 8fb3e7cc-1e53-4a7c-9d3a-{:012x}\r\nContent-Length: {}\r\n\r\n",
            self.bearer,
            self.made,
            body.len()
        );
        Ok([head.into_bytes(), body.into_bytes()].concat())
    }

    /// A password context: claims without a signature, deflated, in a JWE (RFC 7516, RFC 7518 5.2).
    fn context(&self, password: &str) -> Result<String> {
        let at = now().0 / 1_000;
        let nonce = BASE64URL.encode(random::<24>()?);
        let claims = json!({
            "aud": CLIENT_ID, "iss": format!("https://hooks.example.com/{TENANT_ID}"), "iat": at, "nbf": at, "exp": at + 600,
            "user-password": password, "username": "person@example.com", "nonce": nonce,
        });
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let token = format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims));
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(token.as_bytes())?;
        let mut content = encoder.finish()?;
        let key: [u8; 32] = random()?;
        let (signing, encrypting) = key.split_at(16);
        let cipher = UnboundCipherKey::new(&AES_128, encrypting).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
        let used = cipher.and_then(|cipher| cipher.encrypt(&mut content)).ok().context("encrypting")?;
        let DecryptionContext::Iv128(iv) = used else { anyhow::bail!("AES-CBC without its vector") };
        let iv: &[u8] = iv.as_ref();
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, signing));
        let bits = u64::try_from(self.header.len())? * 8;
        for part in [self.header.as_bytes(), iv, &content, &bits.to_be_bytes()] {
            mac.update(part);
        }
        let mut room = vec![0; self.public.ciphertext_size()];
        let wrapped = self.public.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut room, None).ok().context("wrapping a key")?;
        let parts = [&*wrapped, iv, &content, &mac.sign().as_ref()[..16]].map(|part| BASE64URL.encode(part));
        Ok(format!("{}.{}", self.header, parts.join(".")))
    }
}

/// The bearer of all calls (RS256), and the key set that it is verified with.
fn bearer(folder: &Path) -> Result<String> {
    let key = KeyPair::generate(KeySize::Rsa2048).ok().context("making a key")?;
    let public = key.public_key();
    let number = |bytes: &[u8]| BASE64URL.encode(bytes);
    let jwk = json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "bench",
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    });
    fs::write(folder.join("keys.json"), json!({ "keys": [jwk] }).to_string())?;
    let at = now().0 / 1_000;
    let claims = json!({
        "aud": CLIENT_ID, "iss": format!("https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0"),
        "iat": at, "nbf": at, "exp": at + 3_900, "tid": TENANT_ID, "azp": "99045fe1-7639-4a75-9d4a-577b6ca3810f",
        "azpacr": "2", "oid": TENANT_ID, "sub": TENANT_ID, "uti": "bench", "ver": "2.0",
    });
    let part = |value: &Value| BASE64URL.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"typ": "JWT", "alg": "RS256", "kid": "bench"})), part(&claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok().context("signing")?;
    Ok(format!("{signed}.{}", number(&signature)))
}

fn private(pem: &str) -> Result<OaepPrivateDecryptingKey> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64)?;
    let key = PrivateDecryptingKey::from_pkcs8(&der).ok().context("a private key")?;
    OaepPrivateDecryptingKey::new(key).ok().context("a key for OAEP")
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok().context("randomness")?;
    Ok(bytes)
}

fn body(account: u32, call: u32, address: &str, context: &str) -> Value {
    json!({
        "type": "microsoft.graph.authenticationEvent.passwordSubmit",
        "source": format!("/tenants/{TENANT_ID}/applications/{CLIENT_ID}"),
        "data": {
            "@odata.type": "microsoft.graph.onPasswordSubmitCalloutData",
            "tenantId": TENANT_ID,
            "authenticationEventListenerId": "10001000-aaaa-bbbb-cccc-200020002000",
            "customAuthenticationExtensionId": "30003000-aaaa-bbbb-cccc-400040004000",
            "encryptedPasswordContext": context,
            "userSignUpInfo": null,
            "otpContext": null,
            "authenticationContext": {
                "correlationId": format!("5f1d7e2a-0000-4000-9000-{call:012x}"),
                "client": { "ip": address, "locale": "en-us", "market": "en-us" },
                "protocol": "OAUTH2.0",
                "clientServicePrincipal": {
                    "id": "50005000-aaaa-bbbb-cccc-600060006000", "appId": CLIENT_ID,
                    "appDisplayName": "Shop", "displayName": "Shop",
                },
                "resourceServicePrincipal": null,
                "user": {
                    "companyName": null, "createdDateTime": "2026-05-06T07:08:09Z", "displayName": "Ana Pérez",
                    "givenName": "Ana", "id": target_id(account), "mail": format!("person{account}@example.com"),
                    "preferredLanguage": "es-ES", "surname": "Pérez",
                    "userPrincipalName": format!("{}@contoso.onmicrosoft.com", target_id(account)), "userType": "Member",
                },
            },
        },
    })
}
