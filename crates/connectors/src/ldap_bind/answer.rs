//! What a directory's answer to a bind means. Pure: result code, diagnostic message and password-policy control in, verdict
//! out.

use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag};
use sterna_core::legacy::{Outage, Verdict};

/// The control by which a directory says why (draft-behera-ldap-password-policy-10, section 6).
pub(crate) const POLICY_OID: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// What the password-policy control says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// `passwordExpired`; also a successful bind that used up a grace login.
    Expired,
    /// `accountLocked`.
    Locked,
    /// `changeAfterReset`.
    ChangeAfterReset,
    /// Something else, or nothing.
    Other,
}

/// Reads the value of a password-policy response control. What is no such value says nothing.
pub fn policy(value: &[u8]) -> Policy {
    // lengths are checked here, so that the parser is never asked for more than there is
    if value.len() > 256 || value.len() < 2 || value.get(1).is_none_or(|length| usize::from(*length) != value.len() - 2)
    {
        return Policy::Other;
    }
    let Ok((_, StructureTag { payload: PL::C(parts), .. })) = parse_tag(value) else { return Policy::Other };
    let mut found = Policy::Other;
    for part in parts {
        match (part.class, part.id, part.payload) {
            // error [1] ENUMERATED
            (TagClass::Context, 1, PL::P(bytes)) => match bytes.as_slice() {
                [0] => return Policy::Expired,
                [1] => return Policy::Locked,
                [2] => return Policy::ChangeAfterReset,
                _ => {}
            },
            // warning [0] CHOICE: graceAuthNsRemaining [1]
            (TagClass::Context, 0, PL::C(inner)) if inner.iter().any(|tag| tag.id == 1) => found = Policy::Expired,
            _ => {}
        }
    }
    found
}

/// The verdict of a bind with a person's password.
pub fn verdict(code: u32, message: &str, policy: Policy) -> Verdict {
    match (code, policy) {
        (0, Policy::Expired | Policy::ChangeAfterReset) => Verdict::MatchButExpired,
        (0, Policy::Locked | Policy::Other) => Verdict::Match { upgrade: false },
        (49, Policy::Locked) => Verdict::Locked,
        // the policy looks at the age of a password after the password itself
        (49, Policy::Expired) => Verdict::MatchButExpired,
        (49, _) => sub_code(message).map_or(Verdict::Mismatch, active_directory),
        (32 | 34, _) => Verdict::Unknown,
        // unwillingToPerform: how most directories turn a disabled account away
        (53, Policy::Locked) => Verdict::Locked,
        (53, _) if is_servers_own(message) => Verdict::Unavailable(Outage::Rejected),
        (53, _) => Verdict::Disabled,
        // busy, unavailable, adminLimitExceeded
        (51 | 52 | 11, _) => Verdict::Unavailable(Outage::Overloaded),
        // strongerAuthRequired, confidentialityRequired, inappropriateAuthentication, insufficientAccessRights
        (8 | 13 | 48 | 50, _) => Verdict::Unavailable(Outage::Rejected),
        _ => Verdict::Unavailable(Outage::NotUnderstood),
    }
}

/// Whether unwillingToPerform is about this way of binding, and so about everybody: `unauthenticated bind … disallowed`,
/// `simple bind … not supported`.
fn is_servers_own(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["simple", "unauthenticated", "anonymous", "not supported", "disallowed", "confidentiality", "tls"]
        .iter()
        .any(|word| message.contains(word))
}

/// The number after `data` in Active Directory's diagnostic message: `80090308: LdapErr: DSID-0C090439, comment:
/// AcceptSecurityContext error, data 52e, v4563`.
fn sub_code(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("AcceptSecurityContext error, data ")?;
    let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    u32::from_str_radix(digits, 16).ok()
}

/// What Active Directory's sub-codes mean. All but 525, 52e and 775 come only after the password was found right.
fn active_directory(code: u32) -> Verdict {
    match code {
        0x525 => Verdict::Unknown,
        0x52e => Verdict::Mismatch,
        // not at this hour, not from this workstation: right now nobody may sign in with it
        0x530 | 0x531 => Verdict::Locked,
        0x532 | 0x773 => Verdict::MatchButExpired,
        0x533 | 0x701 => Verdict::Disabled,
        0x775 => Verdict::Locked,
        _ => Verdict::Unavailable(Outage::NotUnderstood),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(code: &str) -> String {
        format!("80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {code}, v4563")
    }

    #[test]
    fn sub_codes_of_active_directory_are_told_apart() {
        for (code, expected) in [
            ("525", Verdict::Unknown),
            ("52e", Verdict::Mismatch),
            ("52E", Verdict::Mismatch),
            ("530", Verdict::Locked),
            ("531", Verdict::Locked),
            ("532", Verdict::MatchButExpired),
            ("533", Verdict::Disabled),
            ("701", Verdict::Disabled),
            ("773", Verdict::MatchButExpired),
            ("775", Verdict::Locked),
            ("999", Verdict::Unavailable(Outage::NotUnderstood)),
        ] {
            assert_eq!(verdict(49, &data(code), Policy::Other), expected, "{code}");
        }
    }

    #[test]
    fn codes_and_the_policy_control_give_verdicts_and_only_49_alone_is_a_mismatch() {
        use Policy::{ChangeAfterReset, Expired, Locked, Other};
        for (code, policy, expected) in [
            (0, Other, Verdict::Match { upgrade: false }),
            (0, ChangeAfterReset, Verdict::MatchButExpired),
            (0, Expired, Verdict::MatchButExpired),
            (49, Other, Verdict::Mismatch),
            (49, Locked, Verdict::Locked),
            (49, Expired, Verdict::MatchButExpired),
            (32, Other, Verdict::Unknown),
            (53, Other, Verdict::Disabled),
            (53, Locked, Verdict::Locked),
            (13, Other, Verdict::Unavailable(Outage::Rejected)),
            (51, Other, Verdict::Unavailable(Outage::Overloaded)),
        ] {
            assert_eq!(verdict(code, "", policy), expected, "{code} {policy:?}");
        }
        let disallowed = "unauthenticated bind (DN with no password) disallowed";
        assert_eq!(verdict(53, disallowed, Other), Verdict::Unavailable(Outage::Rejected));
        let mismatches = (0..200).filter(|code| verdict(*code, "", Other) == Verdict::Mismatch);
        assert_eq!(mismatches.collect::<Vec<_>>(), [49]);
    }

    #[test]
    fn the_policy_control_is_read_and_rubbish_says_nothing() {
        for (value, expected) in [
            (&[0x30, 3, 0x81, 1, 0][..], Policy::Expired),
            (&[0x30, 3, 0x81, 1, 1], Policy::Locked),
            (&[0x30, 3, 0x81, 1, 2], Policy::ChangeAfterReset),
            (&[0x30, 5, 0xa0, 3, 0x81, 1, 2], Policy::Expired),
            (&[0x30, 5, 0xa0, 3, 0x80, 1, 2], Policy::Other),
            (&[0x30, 0], Policy::Other),
            (&[0x30, 9, 0x81, 1, 1], Policy::Other),
            (&[0x30, 3, 0x81, 9, 1], Policy::Other),
            (&[], Policy::Other),
            (&[0xff; 40], Policy::Other),
        ] {
            assert_eq!(policy(value), expected, "{value:?}");
        }
    }
}
