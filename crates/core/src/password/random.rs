//! Random passwords that nobody knows: made when a request is sent, never kept.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::policy::PasswordPolicy;
use crate::time::{Entropy, NoEntropy};

/// Length in characters: 40 of 64 letters are 240 bits (entra.md 4.5 asks for 32 or more, all four classes, ASCII).
pub const LENGTH: usize = 40;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How often it is drawn before a policy counts as one that no random password meets.
const TRIES: usize = 2_000;

/// Why there is no random password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPassword {
    /// The random generator failed.
    #[error("the operating system's random generator failed")]
    Entropy,
    /// No random letters meet the policy.
    #[error("random letters do not meet the target's password policy; set a simpler pattern")]
    Policy,
}

impl From<NoEntropy> for NoPassword {
    fn from(NoEntropy: NoEntropy) -> Self {
        Self::Entropy
    }
}

/// Makes a random password that `policy` accepts.
///
/// # Errors
/// [`NoPassword`] when the random generator fails, or the policy wants what no random letters have.
pub fn password(policy: &PasswordPolicy, entropy: &dyn Entropy) -> Result<SecretString, NoPassword> {
    let length = LENGTH.min(policy.max).max(policy.min);
    for _ in 0..TRIES {
        let mut bytes = Zeroizing::new(vec![0_u8; length]);
        entropy.fill(&mut bytes)?;
        // 256 is a multiple of 64: taking the low six bits is uniform
        let text: Zeroizing<String> =
            Zeroizing::new(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect());
        // with 40 characters all four classes occur in 56 of 100; the rest is drawn again, which keeps it uniform
        if policy.check(&text).is_ok() && has_all_classes(&text) {
            return Ok(SecretString::from(text.as_str()));
        }
    }
    Err(NoPassword::Policy)
}

fn has_all_classes(text: &str) -> bool {
    let tests: [fn(u8) -> bool; 4] =
        [|c| c.is_ascii_lowercase(), |c| c.is_ascii_uppercase(), |c| c.is_ascii_digit(), |c| c == b'-' || c == b'_'];
    tests.iter().all(|test| text.bytes().any(*test))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use secrecy::ExposeSecret;

    use super::*;

    struct Counter(Mutex<u64>);

    impl Entropy for Counter {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            let mut state = self.0.lock().unwrap();
            for byte in bytes {
                *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = state.to_be_bytes()[2];
            }
            Ok(())
        }
    }

    struct Broken;

    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
            Err(NoEntropy)
        }
    }

    #[test]
    fn random_passwords_meet_the_policy_and_differ() {
        let (policy, entropy) = (PasswordPolicy::entra(), Counter(Mutex::new(1)));
        let made: std::collections::BTreeSet<String> =
            (0..500).map(|_| password(&policy, &entropy).unwrap().expose_secret().to_owned()).collect();
        assert_eq!(made.len(), 500);
        assert!(made.iter().all(|text| text.len() == LENGTH && policy.check(text).is_ok() && has_all_classes(text)));
    }

    #[test]
    fn every_named_policy_gets_random_passwords() {
        let entropy = Counter(Mutex::new(7));
        for name in PasswordPolicy::NAMES {
            let policy = PasswordPolicy::named(name).unwrap();
            let made = password(&policy, &entropy).unwrap();
            assert_eq!(policy.check(made.expose_secret()), Ok(()), "{name}");
        }
    }

    #[test]
    fn without_entropy_or_a_policy_that_can_be_met_there_is_no_password() {
        assert_eq!(password(&PasswordPolicy::entra(), &Broken).err(), Some(NoPassword::Entropy));
        let only_digits = PasswordPolicy::generic().with_pattern(r"^\d+$").unwrap();
        assert_eq!(password(&only_digits, &Counter(Mutex::new(1))).err(), Some(NoPassword::Policy));
    }
}
