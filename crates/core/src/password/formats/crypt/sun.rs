//! Sun's MD5: in each round a coin decides whether a passage of Hamlet goes into the digest.

use super::{
    super::{algorithm::Hash, encoding::Bytes},
    md5::in_order,
};

/// Act III, scene 1, as Project Gutenberg had it; the NUL that ends it in C is hashed too.
const HAMLET: &[u8] = b"\
    To be, or not to be,--that is the question:--\n\
    Whether 'tis nobler in the mind to suffer\n\
    The slings and arrows of outrageous fortune\n\
    Or to take arms against a sea of troubles,\n\
    And by opposing end them?--To die,--to sleep,--\n\
    No more; and by a sleep to say we end\n\
    The heartache, and the thousand natural shocks\n\
    That flesh is heir to,--'tis a consummation\n\
    Devoutly to be wish'd. To die,--to sleep;--\n\
    To sleep! perchance to dream:--ay, there's the rub;\n\
    For in that sleep of death what dreams may come,\n\
    When we have shuffled off this mortal coil,\n\
    Must give us pause: there's the respect\n\
    That makes calamity of so long life;\n\
    For who would bear the whips and scorns of time,\n\
    The oppressor's wrong, the proud man's contumely,\n\
    The pangs of despis'd love, the law's delay,\n\
    The insolence of office, and the spurns\n\
    That patient merit of the unworthy takes,\n\
    When he himself might his quietus make\n\
    With a bare bodkin? who would these fardels bear,\n\
    To grunt and sweat under a weary life,\n\
    But that the dread of something after death,--\n\
    The undiscover'd country, from whose bourn\n\
    No traveller returns,--puzzles the will,\n\
    And makes us rather bear those ills we have\n\
    Than fly to others that we know not of?\n\
    Thus conscience does make cowards of us all;\n\
    And thus the native hue of resolution\n\
    Is sicklied o'er with the pale cast of thought;\n\
    And enterprises of great pith and moment,\n\
    With this regard, their currents turn awry,\n\
    And lose the name of action.--Soft you now!\n\
    The fair Ophelia!--Nymph, in thy orisons\n\
    Be all my sins remember'd.\n\0";

/// A bit of the digest; bits are numbered from the least of the first byte, and come round again.
fn bit(digest: &[u8], at: usize) -> usize {
    usize::from(digest[at / 8 % 16] >> (at % 8) & 1)
}

/// Seven bits chosen by the digest's own bytes, beginning with byte `from`.
fn chosen(digest: &[u8], from: usize) -> usize {
    (0..7)
        .map(|step| {
            let (a, b) = (digest[(from + step) % 16], digest[(from + step + 3) % 16]);
            let byte = digest[usize::from(a >> (b % 5)) % 16];
            let value = byte >> (b >> (a % 8) & 1);
            bit(digest, usize::from(value)) << step
        })
        .sum()
}

/// One toss: two bits of the digest, at places that the digest chooses.
fn coin(digest: &[u8], round: u64) -> bool {
    let round = usize::try_from(round % 128).unwrap_or_default();
    let x = chosen(digest, bit(digest, round));
    let y = chosen(digest, 8 + bit(digest, round + 64));
    bit(digest, x) != bit(digest, y)
}

/// The digest after so many rounds, in the order of writing.
pub(super) fn crypt(rounds: u64, setting: &[u8], password: &[u8]) -> Bytes {
    let mut last = Hash::Md5.digest(&[password, setting]);
    for round in 0..rounds {
        let passage = if coin(&last, round) { HAMLET } else { &[] };
        last = Hash::Md5.digest(&[&last, passage, round.to_string().as_bytes()]);
    }
    in_order(&last)
}
