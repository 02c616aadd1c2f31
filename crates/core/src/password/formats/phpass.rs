//! phpass and Drupal 7: a digest repeated 2^n times (password-hashes.md 7).

use super::{
    Family, Format, Refusal,
    algorithm::Hash,
    bounds::{Bounds, at_most},
    clue::Clue,
    digests::sized,
    encoding::{h64, h64_value, is_h64, secret},
    format::{Parsed, Rules},
    recipe::Recipe,
};

/// Drupal's text is cut to 55 characters, 43 of them digest.
const DRUPAL_DIGEST: usize = 43;
/// Drupal refuses longer passwords.
const DRUPAL: Rules = Rules { longest: 512, ..Rules::ANY };

pub(super) static FORMATS: &[Format] = &[
    Format::text("phpass-P", Family::Phpass, "$P$c salt8 digest22", Clue::Starts("$P$"), |given| {
        portable(given.text, "$P$")
    }),
    Format::text("phpass-H", Family::Phpass, "$H$c salt8 digest22", Clue::Starts("$H$"), |given| {
        portable(given.text, "$H$")
    }),
    Format::text("drupal7", Family::Phpass, "$S$c salt8 digest43", Clue::Starts("$S$"), |given| {
        drupal(given.text, Recipe::Password)
    })
    .with_rules(DRUPAL),
    Format::text("drupal7-md5-upgraded", Family::Phpass, "U$S$c salt8 digest43", Clue::Starts("U$S$"), |given| {
        // The column of an upgraded site holds both.
        match given.text.strip_prefix('U') {
            Some(inner) => drupal(inner, Recipe::Password.hash(Hash::Md5).hex()),
            None => drupal(given.text, Recipe::Password),
        }
    })
    .with_rules(DRUPAL),
];

/// Splits into iterations, salt and digest.
fn parts<'a>(text: &'a str, prefix: &str) -> Result<(u64, &'a str, &'a str), Refusal> {
    let rest = text.strip_prefix(prefix).ok_or(Refusal::Malformed("the prefix"))?;
    let (head, digest) = rest.split_at_checked(9).ok_or(Refusal::Malformed("the length"))?;
    let (count, salt) = head.split_at_checked(1).ok_or(Refusal::Malformed("the length"))?;
    let log = h64_value(count.as_bytes()[0]).ok_or(Refusal::Malformed("the count"))?;
    if log < 7 {
        return Err(Refusal::Malformed("the count"));
    }
    at_most(log, Bounds::ONLINE.phpass_log, "the count")?;
    Ok((1 << log, salt, digest))
}

fn iterate(hash: Hash, rounds: u64, salt: &str, input: Recipe) -> Recipe {
    let seed = Recipe::Join(vec![Recipe::fixed(salt), input.clone()]).hash(hash);
    Recipe::Iterate { hash, rounds, seed: Box::new(seed), tail: Box::new(input) }
}

fn portable(text: &str, prefix: &str) -> Result<Parsed, Refusal> {
    let (rounds, salt, digest) = parts(text, prefix)?;
    let expected = sized(h64(digest, "the digest")?, Hash::Md5)?;
    Ok(Parsed { recipe: iterate(Hash::Md5, rounds, salt, Recipe::Password), expected })
}

fn drupal(text: &str, input: Recipe) -> Result<Parsed, Refusal> {
    let (rounds, salt, digest) = parts(text, "$S$")?;
    if digest.len() != DRUPAL_DIGEST || !is_h64(digest) {
        return Err(Refusal::Malformed("the digest"));
    }
    // The cut goes through a byte, so the characters are compared: one for each six bits.
    let recipe = Recipe::H64(Box::new(iterate(Hash::Sha512, rounds, salt, input)), DRUPAL_DIGEST);
    Ok(Parsed { recipe, expected: secret(digest) })
}
