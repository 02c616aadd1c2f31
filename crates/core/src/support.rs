//! What each kind in the registry can do, as data: the support matrix (docs/support.md) is made of it, and of nothing else.
//!
//! A kind states its part in its own folder, beside the code that does it. Whoever states nothing claims nothing: the page
//! says so.

use crate::plan::Strategy;

/// Something that a kind can do or cannot, as a column of the matrix.
pub trait Feature: Copy + PartialEq + 'static {
    /// All of them, in the order of the columns.
    const ALL: &'static [Self];

    /// The heading of the column.
    fn title(self) -> &'static str;
}

macro_rules! features {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $title:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$item])* $variant,)+ }

        impl Feature for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

features! {
    /// What a source can give of a person besides names, addresses and attributes.
    Gives {
        /// Sign-ins at other providers: issuer and subject.
        Identities = "social identities",
        /// Names of groups.
        Groups = "groups",
        /// Names of roles.
        Roles = "roles",
        /// Passwords in clear.
        Passwords = "passwords",
        /// Hashes of passwords.
        Hashes = "password hashes",
        /// Second factors.
        Factors = "second factors",
    }
}

features! {
    /// What a target can be made to do.
    Does {
        /// Accounts are made there.
        Create = "creates",
        /// Attributes of accounts are changed (repair).
        Update = "updates",
        /// Identities are added to accounts that are there already.
        Link = "links",
        /// Accounts that were made are removed again (undo).
        Remove = "removes",
        /// Accounts are read back, so that `verify` can compare.
        ReadBack = "reads back",
        /// Sign-ins at other providers are written.
        Identities = "social identities",
        /// Groups and memberships are written.
        Groups = "groups",
        /// Roles are written.
        Roles = "roles",
        /// Passwords in clear that the source gave are set.
        Passwords = "sets passwords",
        /// Hashes that the source gave are imported.
        Hashes = "imports hashes",
        /// It keeps, for each account, whether its password is still to move.
        Flag = "JIT flag",
    }
}

features! {
    /// What a legacy check can tell besides right and wrong.
    Tells {
        /// The password is right and has expired or must be changed.
        Expired = "must change",
        /// There is no such account.
        Unknown = "unknown account",
        /// The account is locked for now.
        Locked = "locked",
        /// The account is disabled.
        Disabled = "disabled",
        /// The hash should be replaced by a stronger one.
        Upgrade = "weak hash",
    }
}

features! {
    /// What a hook does besides answering whether a password is the old one.
    Asks {
        /// A yes hands the person's profile over, and the caller makes the account.
        Profile = "hands over the profile",
        /// People are looked up before a password is typed.
        LookUp = "looks people up",
        /// The check goes on in the background while the caller asks how far it is.
        Background = "checks in the background",
        /// Sterna writes the password to the target, by settings or always; else the caller keeps it.
        Writes = "can write the password",
        /// The caller brings passwords that the old system has just accepted.
        Harvests = "takes accepted passwords",
    }
}

/// What a kind of source can do.
#[derive(Clone, Copy, Debug)]
pub struct SourceSupport {
    /// What it can give.
    pub gives: &'static [Gives],
    /// Programs that nobody here wrote which our tests read from; empty: only files and emulators of our own.
    pub tested_with: &'static [&'static str],
}

/// What a kind of target can do.
#[derive(Clone, Copy, Debug)]
pub struct TargetSupport {
    /// What it can be made to do.
    pub does: &'static [Does],
    /// The password strategies that lead somewhere with it; with any other everybody has to reset.
    pub strategies: &'static [Strategy],
    /// Where the number of writes that may be sent comes from, in a few words.
    pub quota: &'static str,
    /// Services that nobody here wrote which our tests write to; empty: only emulators of our own.
    pub tested_with: &'static [&'static str],
}

/// What a kind of legacy check can do.
#[derive(Clone, Copy, Debug)]
pub struct CheckSupport {
    /// What it can tell.
    pub tells: &'static [Tells],
    /// Programs that nobody here wrote which our tests ask.
    pub tested_with: &'static [&'static str],
}

/// What a kind of hook can do.
#[derive(Clone, Copy, Debug)]
pub struct HookSupport {
    /// What it does.
    pub does: &'static [Asks],
    /// Programs that nobody here wrote by which our tests ask, or which make what it is asked with.
    pub tested_with: &'static [&'static str],
}
