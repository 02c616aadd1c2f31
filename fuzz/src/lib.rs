//! Fuzz targets: every parser of outside data against what libFuzzer makes up. Run them with `make fuzz`.
//!
//! The properties are those of the connectors' test `fuzz_smoke`, which runs on every toolchain; they stand there. A
//! finding becomes a seed in `seeds/`, and so a test.

#[path = "../../crates/connectors/tests/it/fuzz_smoke/targets/mod.rs"]
mod targets;

/// Checks the property of a target.
pub fn run(name: &str, data: &[u8]) {
    let property = targets::TARGETS.iter().find(|(known, _)| *known == name).map(|(_, property)| property);
    property.expect("a target of the table")(data);
}
