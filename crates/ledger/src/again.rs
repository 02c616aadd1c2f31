//! A later reading of a source: records are matched by key with what was read before.
//!
//! [`prepare`] looks up and seals beside the writer; [`write`] is all that happens under the write lock.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use sterna_core::{
    account::Account,
    code::Code,
    codec,
    ids::Ordinal,
    port::Record,
    state::{CredentialState, ProfileState},
};

use crate::{
    error::LedgerError,
    index,
    reading::{
        RECORD, SealedAccount, SealedReject, SourceRow, Stored, duplicate, insert_accounts, insert_rejects, key_digest,
        open_record, seal_account, seal_reject,
    },
    seal::{Digest, DigestKind, Seal},
    steps::{Standing, standing},
};

/// What is to be written for one record.
pub(crate) enum Change {
    /// It is new.
    New(SealedAccount),
    /// It was there, and nothing is sent for it yet: its new content counts.
    Changed(SealedAccount),
    /// It was there and is the same.
    Same(i64),
    /// It changed after it was sent: all but its password stays as it was sent.
    Late(i64, Option<NewPassword>),
    /// It cannot be read, or is a duplicate.
    Rejected(SealedReject),
}

/// The password of a record that changed after it was sent. Whoever got the old one must not be let in by it at a first
/// sign-in, least of all where it was changed because somebody got it.
pub(crate) struct NewPassword {
    content: Digest,
    sealed: Vec<u8>,
}

/// What is known of a record that was read before.
pub(crate) struct Known {
    ordinal: i64,
    pass: i64,
    profile: ProfileState,
    credential: CredentialState,
    content: Digest,
}

/// Matches the records of a page with what is known. `next` is the first free ordinal.
pub(crate) fn prepare(
    store: &Connection,
    seal: &Seal,
    source: &SourceRow,
    records: Vec<Record>,
    next: &mut i64,
) -> Result<Vec<Change>, LedgerError> {
    let mut here = HashSet::new();
    let mut changes = Vec::with_capacity(records.len());
    for record in records {
        let (account, state, code) = match record {
            Record::Account(account) => (account, ProfileState::Seen, None),
            Record::Excluded(account, code) => (account, ProfileState::Excluded, Some(code)),
            Record::Rejected(reject) => {
                changes.push(Change::Rejected(seal_reject(seal, source, &reject)));
                continue;
            }
        };
        let digest = key_digest(seal, source.uid, &account);
        let known = known(store, &digest)?;
        let is_second = !here.insert(digest) || known.as_ref().is_some_and(|known| known.pass == source.pass);
        changes.push(if is_second {
            Change::Rejected(duplicate(seal, source, &account)?)
        } else {
            change(store, seal, source, &account, known.as_ref(), (state, code), next)?
        });
    }
    Ok(changes)
}

fn change(
    store: &Connection,
    seal: &Seal,
    source: &SourceRow,
    account: &Account,
    known: Option<&Known>,
    (state, code): (ProfileState, Option<Code>),
    next: &mut i64,
) -> Result<Change, LedgerError> {
    let Some(known) = known else {
        let sealed = seal_account(seal, source, account, *next, state, code)?;
        *next += 1;
        return Ok(Change::New(sealed));
    };
    let fresh = seal_account(seal, source, account, known.ordinal, state, code)?;
    if fresh.content == known.content && known.profile != ProfileState::Gone {
        return Ok(Change::Same(known.ordinal));
    }
    if known.profile.is_plannable() {
        return Ok(Change::Changed(fresh));
    }
    Ok(Change::Late(known.ordinal, new_password(store, seal, account, known)?))
}

/// The record as it was sent with the password that it has now; `None` where that is the same, or counts no more.
fn new_password(
    store: &Connection,
    seal: &Seal,
    now: &Account,
    known: &Known,
) -> Result<Option<NewPassword>, LedgerError> {
    if !counts_still(known.profile, known.credential) {
        return Ok(None);
    }
    let sealed: Vec<u8> = store
        .prepare_cached("SELECT sealed FROM record WHERE ordinal = ?1")
        .and_then(|mut select| select.query_row([known.ordinal], |row| row.get(0)))
        .map_err(LedgerError::store("reading a record"))?;
    let mut account = open_record(seal, Ordinal(known.ordinal), &sealed)?;
    let is_open = known.credential == CredentialState::Dormant;
    // a request that is under way is sent again as it was: with a password of the same sort
    let is_other_sort = std::mem::discriminant(&account.credential) != std::mem::discriminant(&now.credential);
    if account.credential == now.credential || is_open && is_other_sort {
        return Ok(None);
    }
    account.credential = now.credential.clone();
    let encoded = codec::encode(&account)?;
    Ok(Some(NewPassword {
        content: seal.digest(DigestKind::Content, &[&encoded]),
        sealed: seal.seal(RECORD, known.ordinal, &encoded)?,
    }))
}

/// Whether the record's password may still be accepted: at a first sign-in, now or once a request under way has its answer.
fn counts_still(profile: ProfileState, credential: CredentialState) -> bool {
    match credential {
        CredentialState::AwaitingSignIn | CredentialState::Answered => true,
        CredentialState::Dormant => profile.is_open(),
        CredentialState::NotNeeded
        | CredentialState::Carried
        | CredentialState::Set
        | CredentialState::Moved
        | CredentialState::Superseded
        | CredentialState::ResetDue => false,
    }
}

/// Writes one change.
pub(crate) fn write(
    store: &Connection,
    seal: &Seal,
    source: &SourceRow,
    change: &Change,
) -> Result<Stored, LedgerError> {
    let none = Stored::default();
    match change {
        Change::New(account) => {
            insert_accounts(store, source, std::slice::from_ref(account))?;
            index::add(store, account.ordinal, &account.digests)?;
            Ok(Stored { new: 1, ..none })
        }
        Change::Changed(account) => {
            mark(store, source, account.ordinal)?;
            renew(store, account)?;
            Ok(Stored { changed: 1, ..none })
        }
        Change::Same(ordinal) => {
            mark(store, source, *ordinal)?;
            Ok(Stored { same: 1, ..none })
        }
        Change::Late(ordinal, password) => {
            mark(store, source, *ordinal)?;
            if let Some(password) = password {
                replace(store, *ordinal, password)?;
            }
            Ok(Stored { late: 1, ..none })
        }
        Change::Rejected(reject) => {
            let rejected = insert_rejects(store, seal, source, std::slice::from_ref(reject))?;
            Ok(Stored { rejected, ..none })
        }
    }
}

/// The account was read in this pass.
fn mark(store: &Connection, source: &SourceRow, ordinal: i64) -> Result<(), LedgerError> {
    store
        .prepare_cached("UPDATE account SET pass = ?2 WHERE ordinal = ?1")
        .and_then(|mut update| update.execute(params![ordinal, source.pass]))
        .map_err(LedgerError::store("storing accounts"))?;
    Ok(())
}

/// The record has another password now. One that the source no longer has is erased and not replaced by a demand for a reset:
/// a source whose hash column was left out by mistake gives it back with the next extract.
fn replace(store: &Connection, ordinal: i64, password: &NewPassword) -> Result<(), LedgerError> {
    // sign-ins go on while a source is read
    let there = standing(store, Ordinal(ordinal))?;
    if !counts_still(there.profile, there.credential) {
        return Ok(());
    }
    store
        .prepare_cached("UPDATE record SET content = ?2, sealed = ?3 WHERE ordinal = ?1")
        .and_then(|mut update| update.execute(params![ordinal, password.content, password.sealed]))
        .map_err(LedgerError::store("storing accounts"))?;
    Ok(())
}

/// The account's record is another one now, and is planned anew.
fn renew(store: &Connection, fresh: &SealedAccount) -> Result<(), LedgerError> {
    let doing = LedgerError::store("storing accounts");
    let old: Vec<u8> = store
        .query_row("SELECT digests FROM record WHERE ordinal = ?1", [fresh.ordinal], |row| row.get(0))
        .map_err(&doing)?;
    store
        .execute(
            "UPDATE record SET content = ?2, digests = ?3, sealed = ?4 WHERE ordinal = ?1",
            params![fresh.ordinal, fresh.content, fresh.digests, fresh.sealed],
        )
        .map_err(&doing)?;
    let sql = "UPDATE account SET profile = ?2, code = ?3, action = NULL WHERE ordinal = ?1";
    store.execute(sql, params![fresh.ordinal, fresh.state.number(), fresh.code.map(Code::as_str)]).map_err(&doing)?;
    store.execute("DELETE FROM plan WHERE ordinal = ?1", [fresh.ordinal]).map_err(&doing)?;
    index::replace(store, fresh.ordinal, &old, &fresh.digests)
}

/// Looks a record up by its key.
pub(crate) fn known(store: &Connection, digest: &Digest) -> Result<Option<Known>, LedgerError> {
    let sql = "SELECT a.ordinal, a.pass, a.profile, a.credential, r.content FROM lookup l JOIN account a ON a.ordinal = l.ordinal
               JOIN record r ON r.ordinal = l.ordinal WHERE l.digest = ?1 AND l.kind = ?2";
    let found = store
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement
                .query_row(params![digest, DigestKind::Record as u8], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
                })
                .optional()
        })
        .map_err(LedgerError::store("looking a record up"))?;
    let Some((ordinal, pass, profile, credential, content)) = found else { return Ok(None) };
    let Standing { profile, credential } = Standing::from_numbers(profile, credential)?;
    Ok(Some(Known { ordinal, pass, profile, credential, content }))
}
