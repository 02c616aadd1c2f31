//! Compact JWE (RFC 7516, RFC 7518 4.3 and 5): what only the endpoint can read.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, Algorithm, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use crate::entra::scenario::{ContentEncryption, KeyEncryption, KeyName};

/// Whom contexts are encrypted to: a certificate.
pub(super) struct Recipient {
    key: OaepPublicEncryptingKey,
    x5t: String,
    x5t_s256: String,
    key_id: String,
}

impl Recipient {
    /// The first certificate of a PEM text; `key_id` is its GUID among the key credentials.
    pub(super) fn from_pem(pem: &str, key_id: String) -> Result<Self, String> {
        let unusable = || "the certificate of just_in_time is not an RSA certificate (X.509 v3, PEM)".to_owned();
        let all = sterna_wire::certificates_from_pem(pem.as_bytes());
        let certificate = all.first().ok_or_else(unusable)?;
        let public = sterna_wire::public_key_of(certificate).ok_or_else(unusable)?;
        let key = PublicEncryptingKey::from_der(&public).map_err(|_rejected| unusable())?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_unspecified| unusable())?;
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, certificate));
        Ok(Self {
            key,
            x5t: thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            x5t_s256: thumbprint(&digest::SHA256),
            key_id,
        })
    }
}

/// How a JWE is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) alg: KeyEncryption,
    pub(super) enc: ContentEncryption,
    pub(super) zip: bool,
    pub(super) key_named_by: KeyName,
    /// Whether the content is declared to be a JWT (`cty`).
    pub(super) is_jwt: bool,
}

impl Form {
    fn header(self, recipient: &Recipient) -> String {
        let alg = match self.alg {
            KeyEncryption::RsaOaep => "RSA-OAEP",
            KeyEncryption::RsaOaep256 => "RSA-OAEP-256",
        };
        let (name, value) = match self.key_named_by {
            KeyName::X5t => ("x5t", &recipient.x5t),
            KeyName::X5tS256 => ("x5t#S256", &recipient.x5t_s256),
            KeyName::Kid => ("kid", &recipient.key_id),
        };
        let mut header = json!({ "alg": alg, "enc": self.enc.name(), name: value });
        if self.zip {
            header["zip"] = Value::from("DEF");
        }
        if self.is_jwt {
            header["cty"] = Value::from("JWT");
        }
        header.to_string()
    }
}

impl ContentEncryption {
    fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// Bytes of the content key.
    fn key_len(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A256CbcHs512 => 64,
        }
    }
}

/// Encrypts `plaintext` to the recipient, with a new content key.
pub(super) fn seal(recipient: &Recipient, form: Form, plaintext: &[u8]) -> Result<String, Unspecified> {
    let mut content_key = vec![0; form.enc.key_len()];
    SystemRandom::new().fill(&mut content_key)?;
    let header = URL_SAFE_NO_PAD.encode(form.header(recipient));
    let content = if form.zip { deflated(plaintext)? } else { plaintext.to_vec() };
    let Sealed { iv, text, tag } = match form.enc {
        ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => gcm(&content_key, &header, content)?,
        ContentEncryption::A128CbcHs256 => cbc(&content_key, &AES_128, hmac::HMAC_SHA256, &header, content)?,
        ContentEncryption::A256CbcHs512 => cbc(&content_key, &AES_256, hmac::HMAC_SHA512, &header, content)?,
    };
    let oaep = match form.alg {
        KeyEncryption::RsaOaep => &OAEP_SHA1_MGF1SHA1,
        KeyEncryption::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
    };
    let mut wrapped = vec![0; recipient.key.ciphertext_size()];
    let wrapped = recipient.key.encrypt(oaep, &content_key, &mut wrapped, None)?;
    let parts = [&*wrapped, &iv, &text, &tag].map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}

struct Sealed {
    iv: Vec<u8>,
    text: Vec<u8>,
    tag: Vec<u8>,
}

fn deflated(plaintext: &[u8]) -> Result<Vec<u8>, Unspecified> {
    use std::io::Write as _;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    encoder.write_all(plaintext).map_err(|_never| Unspecified)?;
    encoder.finish().map_err(|_never| Unspecified)
}

fn gcm(key: &[u8], header: &str, mut content: Vec<u8>) -> Result<Sealed, Unspecified> {
    let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
    let mut iv = [0; 12];
    SystemRandom::new().fill(&mut iv)?;
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut content)?;
    Ok(Sealed { iv: iv.to_vec(), text: content, tag: tag.as_ref().to_vec() })
}

/// AES-CBC with HMAC (RFC 7518 5.2): the first half of the key authenticates, the second encrypts; the tag is the first
/// half of the HMAC.
fn cbc(
    key: &[u8],
    cipher: &'static Algorithm,
    hash: hmac::Algorithm,
    header: &str,
    mut content: Vec<u8>,
) -> Result<Sealed, Unspecified> {
    let (mac_key, cipher_key) = key.split_at(key.len() / 2);
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher, cipher_key)?)?;
    let DecryptionContext::Iv128(iv) = cipher.encrypt(&mut content)? else { return Err(Unspecified) };
    let iv: &[u8] = iv.as_ref();
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hash, mac_key));
    mac.update(header.as_bytes());
    mac.update(iv);
    mac.update(&content);
    mac.update(&(header.len() as u64 * 8).to_be_bytes());
    let tag = mac.sign();
    let tag = tag.as_ref()[..mac_key.len()].to_vec();
    Ok(Sealed { iv: iv.to_vec(), text: content, tag })
}
