//! What Entra sends, made here: JWEs, signed tokens, bodies. Written from RFC 7515, 7516 and 7518, not from the hook.

#![allow(dead_code, reason = "the fuzz crate uses a part")]

use std::{io::Write, sync::LazyLock};

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256},
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    hmac,
    iv::FixedLength,
    rand::SystemRandom,
    rsa::{
        KeyPair, KeyPairComponents, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey,
        Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey, PublicKeyComponents,
    },
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// Test vectors with a throwaway key pair.
pub(crate) static VECTORS: LazyLock<Value> = LazyLock::new(|| read(include_str!("../../../data/jit-jwe-vectors.json")));
/// A request, answers, and the claims of tokens.
pub(crate) static SAMPLES: LazyLock<Value> = LazyLock::new(|| read(include_str!("../../../data/jit-samples.json")));

/// The tenant of the samples.
pub(crate) const TENANT: &str = "11111111-2222-4333-8444-555555555555";
/// The extension app of the samples.
pub(crate) const APP: &str = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb";
/// A minute after the samples' tokens and contexts were issued, in milliseconds.
pub(crate) const NOW_MS: i64 = 1_790_000_060_000;
/// What the samples' signing key is called here.
pub(crate) const KID: &str = "signing-1";

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("the file is JSON")
}

/// A key pair, with a certificate where it decrypts.
pub(crate) struct Pair {
    /// DER.
    pub(crate) certificate: Vec<u8>,
    /// DER.
    pub(crate) pkcs8: Vec<u8>,
}

impl Pair {
    /// The one of the vectors.
    pub(crate) fn of_vectors() -> Self {
        let number = |name: &str| decode(VECTORS["private_jwk"][name].as_str().expect("a member"));
        let pair = KeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents { n: number("n"), e: number("e") },
            d: number("d"),
            p: number("p"),
            q: number("q"),
            dP: number("dp"),
            dQ: number("dq"),
            qInv: number("qi"),
        })
        .expect("a key pair");
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("PKCS#8").as_ref().to_vec();
        let certificate = VECTORS["certificate_der_base64"].as_str().expect("a member");
        Self { certificate: STANDARD.decode(certificate).expect("base64"), pkcs8 }
    }

    /// The certificate as a file.
    pub(crate) fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The private key as a file.
    pub(crate) fn private_pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    /// A thumbprint: `x5t` with SHA-1, `x5t#S256` with SHA-256.
    pub(crate) fn thumbprint(&self, algorithm: &'static digest::Algorithm) -> String {
        encode(digest::digest(algorithm, &self.certificate))
    }

    /// `x5t`.
    pub(crate) fn x5t(&self) -> String {
        self.thumbprint(&SHA1_FOR_LEGACY_USE_ONLY)
    }

    /// `x5t#S256`.
    pub(crate) fn x5t_s256(&self) -> String {
        self.thumbprint(&SHA256)
    }

    fn public(&self) -> PublicEncryptingKey {
        PrivateDecryptingKey::from_pkcs8(&self.pkcs8).expect("a private key").public_key()
    }

    /// The public key as a file.
    pub(crate) fn public_pem(&self) -> String {
        pem("PUBLIC KEY", AsDer::<PublicKeyX509Der<'_>>::as_der(&self.public()).expect("DER").as_ref())
    }

    fn signing(&self) -> KeyPair {
        KeyPair::from_pkcs8(&self.pkcs8).expect("a key pair")
    }

    /// A key set with the public key, under [`KID`]. The key has 2048 bits.
    pub(crate) fn key_set(&self) -> Value {
        let pair = self.signing();
        let (head, exponent) = pair.public_key().as_ref().split_at(9 + 256 + 2);
        let (n, e) = (encode(&head[9..9 + 256]), encode(exponent));
        json!({ "keys": [{ "kty": "RSA", "use": "sig", "kid": KID, "n": n, "e": e }] })
    }

    /// A token (RFC 7515) with the algorithm RS256, whatever its header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let pair = self.signing();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("signed");
        format!("{signed}.{}", encode(signature))
    }

    /// A compact JWE (RFC 7516) as its header says, or as Entra does it where the header says nothing that can be done.
    pub(crate) fn seal(&self, header: &Value, plain: &[u8]) -> String {
        self.seal_under(&header.to_string(), header, plain)
    }

    /// The same with a header written differently from what is done.
    pub(crate) fn seal_under(&self, text: &str, done: &Value, plain: &[u8]) -> String {
        let plain = if done["zip"] == "DEF" { deflated(plain) } else { plain.to_vec() };
        let aad = encode(text);
        let (key, iv, sealed, tag) = match done["enc"].as_str() {
            Some("A128GCM") => gcm(&[7; 16], &aad, plain),
            Some("A256GCM") => gcm(&[7; 32], &aad, plain),
            Some("A256CBC-HS512") => cbc(&[7; 64], &aad, plain),
            _ => cbc(&[7; 32], &aad, plain),
        };
        let wrapped = self.wrap(done["alg"].as_str().unwrap_or_default(), &key);
        [aad, encode(wrapped), encode(iv), encode(sealed), encode(tag)].join(".")
    }

    fn wrap(&self, alg: &str, key: &[u8]) -> Vec<u8> {
        let mut room = vec![0; 512];
        if alg == "RSA1_5" {
            let public = Pkcs1PublicEncryptingKey::new(self.public()).expect("a public key");
            return public.encrypt(key, &mut room).expect("encrypted").to_vec();
        }
        let oaep = if alg == "RSA-OAEP-256" { &OAEP_SHA256_MGF1SHA256 } else { &OAEP_SHA1_MGF1SHA1 };
        let public = OaepPublicEncryptingKey::new(self.public()).expect("a public key");
        public.encrypt(oaep, key, &mut room, None).expect("encrypted").to_vec()
    }
}

type Sealed = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>);

fn gcm(key: &[u8], aad: &str, mut text: Vec<u8>) -> Sealed {
    let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let sealing = LessSafeKey::new(UnboundKey::new(algorithm, key).expect("a key"));
    let iv = [9; 12];
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = sealing.seal_in_place_separate_tag(nonce, Aad::from(aad.as_bytes()), &mut text).expect("sealed");
    (key.to_vec(), iv.to_vec(), text, tag.as_ref().to_vec())
}

fn cbc(key: &[u8], aad: &str, mut text: Vec<u8>) -> Sealed {
    let half = key.len() / 2;
    let (cipher, hash) = if half == 16 { (&AES_128, hmac::HMAC_SHA256) } else { (&AES_256, hmac::HMAC_SHA512) };
    let iv = [9; 16];
    let sealing = UnboundCipherKey::new(cipher, &key[half..]).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
    let context = EncryptionContext::Iv128(FixedLength::from(iv));
    let _ = sealing.expect("a key").less_safe_encrypt(&mut text, context).expect("sealed");
    let bits = (aad.len() as u64) * 8;
    let signed = [aad.as_bytes(), &iv, &text, &bits.to_be_bytes()].concat();
    let tag = hmac::sign(&hmac::Key::new(hash, &key[..half]), &signed).as_ref()[..half].to_vec();
    (key.to_vec(), iv.to_vec(), text, tag)
}

/// Raw DEFLATE (RFC 1951).
fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).expect("deflated");
    encoder.finish().expect("deflated")
}

/// base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The reverse, of what is base64url.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    decoded(text).expect("base64url")
}

/// The reverse.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// RFC 7468.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", lines.collect::<String>())
}

/// The header that was observed, for a key that is named by `x5t`.
pub(crate) fn observed(x5t: &str) -> Value {
    json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "x5t": x5t, "zip": "DEF" })
}

/// Claims as a JWT that nobody signed.
pub(crate) fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", encode(json!({ "alg": "none", "typ": "JWT" }).to_string()), encode(claims.to_string()))
}

/// The body of the samples with this password context.
pub(crate) fn body(context: &str) -> Value {
    let mut body = SAMPLES["request"].clone();
    body["data"]["encryptedPasswordContext"] = context.into();
    body
}
