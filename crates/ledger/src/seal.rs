//! Sealing of personal data and keyed digests of it (design.md 6.4).
//!
//! AES-256-GCM with a fresh nonce; associated data = ledger id, table, column, row and version, so that no value opens
//! in another place. Look-ups go through HMAC-SHA-256 cut to 16 bytes, with the normaliser's version. Both keys come
//! from one random data key, which is stored only wrapped under the project's key.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use sterna_core::ids::Pseudonym;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{error::LedgerError, key::ProjectKey};

/// Version of the sealed form, part of the associated data.
const VERSION: u8 = 1;
/// Version of the normalisers whose output is digested ([`sterna_core::account::Identity::canonical`]).
const NORMALISER: u8 = 1;

/// A keyed digest: 16 bytes.
pub type Digest = [u8; 16];

/// What a digest is of; equal texts of different kinds have different digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DigestKind {
    /// A source's record key, with the source's id.
    Record = 0,
    /// A canonical identity.
    Identity = 1,
    /// An account key, as a target holds it.
    AccountKey = 2,
    /// A target's id.
    TargetId = 3,
    /// A record's whole content.
    Content = 4,
    /// A rejected record's bytes.
    Reject = 5,
    /// What log lines call a person by.
    Pseudonym = 6,
    /// An address that a person signs in from, or a range of them.
    Address = 7,
    /// The name of an attempt that takes several calls.
    Context = 8,
}

/// A column of a table that holds sealed values.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

/// Seals, opens and digests with the ledger's data key.
pub struct Seal {
    ledger: Uuid,
    key: LessSafeKey,
    digest: hmac::Key,
    random: SystemRandom,
}

/// The data key itself, wiped when dropped.
pub(crate) struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new random one.
    pub(crate) fn generate() -> Result<Self, LedgerError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *bytes).map_err(|_| LedgerError::Entropy)?;
        Ok(Self(bytes))
    }

    /// Wraps it under the project's key.
    pub(crate) fn wrap(&self, under: &ProjectKey, ledger: Uuid) -> Result<Vec<u8>, LedgerError> {
        let random = SystemRandom::new();
        seal_with(&gcm(under.bytes())?, &random, wrap_context(ledger), &*self.0)
    }

    /// Unwraps it.
    pub(crate) fn unwrap(wrapped: &[u8], under: &ProjectKey, ledger: Uuid) -> Result<Self, LedgerError> {
        let plain = open_with(&gcm(under.bytes())?, wrap_context(ledger), wrapped).ok_or(LedgerError::WrongKey)?;
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| LedgerError::WrongKey)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl Seal {
    /// Derives the sealing and the digest key.
    pub(crate) fn new(data_key: &DataKey, ledger: Uuid) -> Result<Self, LedgerError> {
        let derived = Salt::new(HKDF_SHA256, ledger.as_bytes()).extract(&*data_key.0);
        let mut sealing = Zeroizing::new([0; 32]);
        let mut digesting = Zeroizing::new([0; 32]);
        for (info, out) in [(&b"seal"[..], &mut sealing), (&b"digest"[..], &mut digesting)] {
            let info = [info];
            let okm = derived.expand(&info, Bytes32).map_err(|_| LedgerError::Entropy)?;
            okm.fill(&mut **out).map_err(|_| LedgerError::Entropy)?;
        }
        let digest = hmac::Key::new(hmac::HMAC_SHA256, &*digesting);
        Ok(Self { ledger, key: gcm(&sealing)?, digest, random: SystemRandom::new() })
    }

    /// Seals `plain` for one row of one column.
    pub fn seal(&self, place: Place, row: i64, plain: &[u8]) -> Result<Vec<u8>, LedgerError> {
        seal_with(&self.key, &self.random, self.context(place, row), plain)
    }

    /// Opens what [`Seal::seal`] made for the same row and column.
    pub fn open(&self, place: Place, row: i64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, LedgerError> {
        open_with(&self.key, self.context(place, row), sealed).ok_or(LedgerError::Damaged { table: place.table })
    }

    /// The keyed digest of the parts in order.
    pub fn digest(&self, kind: DigestKind, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.digest);
        context.update(&[kind as u8, NORMALISER]);
        for part in parts {
            context.update(part);
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&context.sign().as_ref()[..16]);
        digest
    }

    /// What log lines and tables call the account by.
    pub fn pseudonym(&self, ordinal: i64) -> Pseudonym {
        let digest = self.digest(DigestKind::Pseudonym, &[&ordinal.to_be_bytes()]);
        Pseudonym([digest[0], digest[1], digest[2], digest[3], digest[4]])
    }

    fn context(&self, place: Place, row: i64) -> Aad<Vec<u8>> {
        let mut context = Vec::with_capacity(64);
        context.extend_from_slice(self.ledger.as_bytes());
        for name in [place.table, place.column] {
            context.extend_from_slice(name.as_bytes());
            context.push(0);
        }
        context.extend_from_slice(&row.to_be_bytes());
        context.push(VERSION);
        Aad::from(context)
    }
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

fn gcm(bytes: &[u8; 32]) -> Result<LessSafeKey, LedgerError> {
    UnboundKey::new(&AES_256_GCM, bytes).map(LessSafeKey::new).map_err(|_| LedgerError::WrongKey)
}

fn wrap_context(ledger: Uuid) -> Aad<Vec<u8>> {
    let mut context = b"sterna data key".to_vec();
    context.extend_from_slice(ledger.as_bytes());
    Aad::from(context)
}

fn seal_with(
    key: &LessSafeKey,
    random: &SystemRandom,
    context: Aad<Vec<u8>>,
    plain: &[u8],
) -> Result<Vec<u8>, LedgerError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce).map_err(|_| LedgerError::Entropy)?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + 16);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), context, &mut sealed[NONCE_LEN..])
        .map_err(|_| LedgerError::Entropy)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

fn open_with(key: &LessSafeKey, context: Aad<Vec<u8>>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    let length = key.open_in_place(Nonce::assume_unique_for_key(*nonce), context, &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place { table: "record", column: "sealed" };
    const THERE: Place = Place { table: "plan", column: "sealed" };

    fn seal() -> Seal {
        Seal::new(&DataKey::generate().unwrap(), Uuid::from_u128(1)).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_place_only() {
        let seal = seal();
        let sealed = seal.seal(HERE, 7, b"ana@example.com").unwrap();
        assert_eq!(seal.open(HERE, 7, &sealed).unwrap().as_slice(), b"ana@example.com");
        assert!(seal.open(HERE, 8, &sealed).is_err());
        assert!(seal.open(THERE, 7, &sealed).is_err());
        let mut changed = sealed;
        *changed.last_mut().unwrap() ^= 1;
        assert!(seal.open(HERE, 7, &changed).is_err());
        assert!(seal.open(HERE, 7, b"short").is_err());
    }

    #[test]
    fn equal_texts_are_sealed_differently_and_digested_alike_within_one_ledger() {
        let (seal, other) = (seal(), seal());
        assert_ne!(seal.seal(HERE, 1, b"x").unwrap(), seal.seal(HERE, 1, b"x").unwrap());
        let digest = seal.digest(DigestKind::Identity, &[b"x"]);
        assert_eq!(digest, seal.digest(DigestKind::Identity, &[b"x"]));
        assert_ne!(digest, seal.digest(DigestKind::Record, &[b"x"]));
        assert_ne!(digest, other.digest(DigestKind::Identity, &[b"x"]));
    }

    #[test]
    fn a_data_key_unwraps_with_its_own_project_key_and_ledger_only() {
        let (key, other) = (ProjectKey::generate().unwrap(), ProjectKey::generate().unwrap());
        let ledger = Uuid::from_u128(1);
        let wrapped = DataKey::generate().unwrap().wrap(&key, ledger).unwrap();
        assert!(DataKey::unwrap(&wrapped, &key, ledger).is_ok());
        assert!(matches!(DataKey::unwrap(&wrapped, &other, ledger), Err(LedgerError::WrongKey)));
        assert!(DataKey::unwrap(&wrapped, &key, Uuid::from_u128(2)).is_err());
    }
}
