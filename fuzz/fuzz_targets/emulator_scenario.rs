//! The property `emulator_scenario`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("emulator_scenario", data));
