//! Files of made-up accounts in Sterna's account form: the same ones for the same number, about 590 bytes each.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};

const GIVEN: &[&str] =
    &["Ana", "Jürgen", "Mei", "Olu", "Zoë", "Łukasz", "Priya", "Søren", "Amélie", "Youssef", "Nguyễn"];
const FAMILY: &[&str] = &["Pérez", "Müller", "Okafor", "Kowalski", "Iyer", "Østergaard", "Haddad", "Trần", "O'Neill"];
const COUNTRIES: &[(&str, &str, &str)] =
    &[("ES", "Sevilla", "es-ES"), ("DE", "Köln", "de-DE"), ("PL", "Kraków", "pl-PL"), ("IE", "Cork", "en-IE")];
const TIERS: &[&str] = &["basic", "silver", "gold"];

/// Writes `count` accounts, one on a line.
pub(crate) fn write(path: &Path, count: u64) -> Result<()> {
    let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    for number in 0..count {
        line(&mut out, number)?;
    }
    out.flush().context("writing accounts")
}

fn pick<T: Copy>(from: &[T], number: u64) -> T {
    // the remainder is below the length, which is far below u32::MAX
    let at = usize::try_from(number % from.len() as u64).unwrap_or_default();
    from[at]
}

/// One account: two of three sign in by e-mail address, every third also by a social identity.
fn line(out: &mut impl Write, number: u64) -> std::io::Result<()> {
    let (given, family) = (pick(GIVEN, number), pick(FAMILY, number / 7));
    let (country, city, language) = pick(COUNTRIES, number / 3);
    let tier = pick(TIERS, number);
    write!(
        out,
        r#"{{"id":"{number:08x}-5eed-4a1b-8c2d-{number:012x}","display_name":"{given} {family}","given_name":"{given}","family_name":"{family}","preferred_language":"{language}","emails":[{{"value":"person{number}@example.com","verified":true,"primary":true}}],"phones":[{{"value":"+3495{:07}","verified":false}}],"identities":[{{"kind":"local","name":"email","value":"person{number}@example.com"}}"#,
        number % 10_000_000
    )?;
    if number.is_multiple_of(3) {
        write!(out, r#",{{"kind":"federated","issuer":"facebook.com","subject":"10{number:014}"}}"#)?;
    }
    writeln!(
        out,
        r#"],"password":"held-by-legacy","active":true,"times":{{"created":"2021-03-04T05:06:07Z","last_sign_in":"2026-05-06T07:08:09Z"}},"address":{{"locality":"{city}","country":"{country}"}},"attributes":{{"customerNumber":"C-{number:09}","tier":"{tier}","points":{}}}}}"#,
        number % 5_000
    )
}

#[cfg(test)]
mod tests {
    use sterna_connectors::json_lines::read_account;

    use super::*;

    #[test]
    fn the_accounts_are_of_the_account_form_and_of_the_size_that_was_measured_before() {
        let mut bytes = Vec::new();
        (0..1_000).for_each(|number| line(&mut bytes, number).unwrap());
        let text = String::from_utf8(bytes).unwrap();
        let identities: usize = text.lines().map(|line| read_account(line).unwrap().identities.len()).sum();
        assert_eq!(identities, 1_334);
        assert!((560..=660).contains(&(text.len() / 1_000)), "{}", text.len() / 1_000);
    }
}
