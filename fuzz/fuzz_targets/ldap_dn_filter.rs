//! The property `ldap_dn_filter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sterna_fuzz::run("ldap_dn_filter", data));
