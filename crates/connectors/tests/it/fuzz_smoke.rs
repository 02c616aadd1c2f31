//! The properties of `make fuzz` on every toolchain: each parser of outside data against seeds and what mutations make
//! of them, as many as a few seconds allow. The same inputs come every time.

pub(crate) mod targets;

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use targets::TARGETS;

/// Mutated inputs for each target; the environment's `FUZZ_CASES` wins.
const CASES: u64 = 300;

/// Most bytes of a mutated input.
const LONGEST: usize = 4 << 10;

fn fuzz() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"))
}

/// Numbers that only look random (the generator SplitMix-64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        const LOUD: &[u8] = b"\0\n\r\"'\\/*,;:{}[]()#@.-0129aZ \x7f\x80\xBF\xED\xEF\xFE\xFF";
        if self.next().is_multiple_of(4) { self.next().to_le_bytes()[0] } else { LOUD[self.below(LOUD.len())] }
    }

    /// One small change: a byte put in, taken out, replaced, or a piece cut off, doubled or taken from another seed.
    fn mutate(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(12)).min(input.len());
        match self.below(6) {
            0 => input.insert(at, self.byte()),
            1 => drop(input.drain(at..end)),
            2 if at < input.len() => input[at] = self.byte(),
            3 => input.truncate(at),
            4 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            _ => {
                let from = self.below(other.len() + 1);
                let piece = other[from..(from + self.below(30)).min(other.len())].to_vec();
                input.splice(at..end, piece);
            }
        }
        input.truncate(LONGEST);
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(fuzz().join("seeds").join(target))
        .unwrap_or_else(|error| panic!("fuzz/seeds/{target}: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn check(target: &str, property: fn(&[u8]), input: &[u8]) {
    let held = catch_unwind(AssertUnwindSafe(|| property(input)));
    assert!(held.is_ok(), "{target} does not hold for b\"{}\"", input.escape_ascii());
}

#[test]
fn every_parser_of_outside_data_holds_what_it_promises_for_seeds_and_what_mutations_make_of_them() {
    let cases = std::env::var("FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for (target, property) in TARGETS {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for seed in &seeds {
            check(target, *property, seed);
        }
        let mut numbers = Numbers(target.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31) ^ u64::from(byte)));
        for _ in 0..cases {
            let mut input = seeds[numbers.below(seeds.len())].clone();
            let other = &seeds[numbers.below(seeds.len())];
            for _ in 0..=numbers.below(6) {
                numbers.mutate(&mut input, other);
            }
            check(target, *property, &input);
        }
    }
}

#[test]
fn every_property_is_a_fuzz_target() {
    let files = fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().to_str().unwrap().trim_end_matches(".rs").to_owned()).collect();
    let mut wanted: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    wanted.insert("mended".to_owned());
    assert_eq!(files, wanted);
    let manifest: toml::Table = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap().parse().unwrap();
    let built = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap().to_owned());
    assert_eq!(built.collect::<BTreeSet<_>>(), wanted);
}
