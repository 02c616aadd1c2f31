//! The one way in which an account moves: checked by the state machines, written with its step.

use rusqlite::{Connection, params};
use sterna_core::{
    ids::Ordinal,
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState, may_stand_together},
    time::Timestamp,
};

use crate::error::LedgerError;

/// An account's two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where its profile stands.
    pub profile: ProfileState,
    /// Where its password stands.
    pub credential: CredentialState,
}

impl Standing {
    pub(crate) fn from_numbers(profile: u8, credential: u8) -> Result<Self, LedgerError> {
        let profile = ProfileState::from_number(profile).ok_or(LedgerError::Stored { what: "state" })?;
        let credential = CredentialState::from_number(credential).ok_or(LedgerError::Stored { what: "state" })?;
        Ok(Self { profile, credential })
    }
}

/// Reads where an account stands.
pub(crate) fn standing(store: &Connection, ordinal: Ordinal) -> Result<Standing, LedgerError> {
    let doing = LedgerError::store("reading an account's states");
    let mut select =
        store.prepare_cached("SELECT profile, credential FROM account WHERE ordinal = ?1").map_err(&doing)?;
    let (profile, credential) = select.query_row([ordinal.0], |row| Ok((row.get(0)?, row.get(1)?))).map_err(&doing)?;
    Standing::from_numbers(profile, credential)
}

/// Moves an account by the given events and appends the steps. The pair of states is checked.
pub(crate) fn step(
    store: &Connection,
    ordinal: Ordinal,
    at: Timestamp,
    profile: Option<ProfileEvent>,
    credential: Option<CredentialEvent>,
) -> Result<Standing, LedgerError> {
    let before = standing(store, ordinal)?;
    let after = before.after(profile, credential)?;
    let doing = LedgerError::store("moving an account");
    store
        .prepare_cached("UPDATE account SET profile = ?2, credential = ?3 WHERE ordinal = ?1")
        .and_then(|mut update| update.execute(params![ordinal.0, after.profile.number(), after.credential.number()]))
        .map_err(&doing)?;
    append(store, ordinal, at, profile, credential)?;
    Ok(after)
}

impl Standing {
    /// Where an account stands after the given events; steps and pairs that do not exist are refused.
    pub(crate) fn after(
        self,
        profile: Option<ProfileEvent>,
        credential: Option<CredentialEvent>,
    ) -> Result<Self, LedgerError> {
        let before = self;
        let after = Self {
            profile: profile.map_or(Ok(before.profile), |event| before.profile.after(event))?,
            credential: credential.map_or(Ok(before.credential), |event| before.credential.after(event))?,
        };
        if !may_stand_together(after.profile, after.credential) {
            return Err(LedgerError::Pair { profile: after.profile.name(), credential: after.credential.name() });
        }
        Ok(after)
    }
}

/// Appends the steps of the given events.
pub(crate) fn append(
    store: &Connection,
    ordinal: Ordinal,
    at: Timestamp,
    profile: Option<ProfileEvent>,
    credential: Option<CredentialEvent>,
) -> Result<(), LedgerError> {
    let doing = LedgerError::store("moving an account");
    let mut append =
        store.prepare_cached("INSERT INTO step (ordinal, at, event) VALUES (?1, ?2, ?3)").map_err(&doing)?;
    for number in profile.map(profile_number).into_iter().chain(credential.map(credential_number)) {
        append.execute(params![ordinal.0, at.0, number]).map_err(&doing)?;
    }
    Ok(())
}

/// The number under which [`ProfileEvent::Intend`] steps are kept; the pacer counts them.
pub(crate) const INTEND: u8 = profile_number(ProfileEvent::Intend);

/// The number of a step that only says that a removal is about to be sent; the state moves with its answer.
pub(crate) const UNDO_INTENDED: u8 = 20;

/// Steps beside which something is sent or answered.
pub(crate) const SENT: [u8; 5] = [
    INTEND,
    profile_number(ProfileEvent::Holds),
    profile_number(ProfileEvent::Link),
    profile_number(ProfileEvent::Undo),
    UNDO_INTENDED,
];

/// Numbers of steps; stored, so they are never used again for another event.
const fn profile_number(event: ProfileEvent) -> u8 {
    match event {
        ProfileEvent::ReadAgain => 1,
        ProfileEvent::Exclude => 2,
        ProfileEvent::Hold => 3,
        ProfileEvent::Merge => 4,
        ProfileEvent::Vanish => 5,
        ProfileEvent::Plan => 6,
        ProfileEvent::Leave => 7,
        ProfileEvent::Intend => 8,
        ProfileEvent::Return => 9,
        ProfileEvent::Silence => 10,
        ProfileEvent::Holds => 11,
        ProfileEvent::Adopt => 12,
        ProfileEvent::Link => 13,
        ProfileEvent::Clash => 14,
        ProfileEvent::Refuse => 15,
        ProfileEvent::Equal => 16,
        ProfileEvent::Differ => 17,
        ProfileEvent::Miss => 18,
        ProfileEvent::Undo => 19,
    }
}

fn credential_number(event: CredentialEvent) -> u8 {
    match event {
        CredentialEvent::Created(state) => 100 + state.number(),
        CredentialEvent::Answer => 120,
        CredentialEvent::FlagCleared => 121,
        CredentialEvent::ChangedElsewhere => 122,
        CredentialEvent::DemandReset => 123,
        CredentialEvent::Removed => 124,
        CredentialEvent::Recreated => 125,
    }
}
