#!/usr/bin/env bash
# Every fuzz target of fuzz/ for FUZZ_SECS seconds, with cargo-fuzz on a nightly toolchain; what it finds stays in
# fuzz/artifacts. Where there is no nightly, the property tests of the same parsers run on many inputs instead.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO="${CARGO:-cargo}"
SECS="${FUZZ_SECS:-60}"
CASES="${FUZZ_CASES:-20000}"
say() { printf 'fuzz: %s\n' "$*"; }

if "$CARGO" +nightly fuzz --version >/dev/null 2>&1; then
    for path in fuzz/fuzz_targets/*.rs; do
        target="$(basename "$path" .rs)"
        say "$target for $SECS s"
        "$CARGO" +nightly fuzz run "$target" -- -max_total_time="$SECS" -print_final_stats=0 -verbosity=0
    done
    say "all targets done"
else
    say "no nightly toolchain with cargo-fuzz: property tests with $CASES inputs each instead"
    PROPTEST_CASES="$CASES" "$CARGO" test --locked --workspace --test it -- properties
fi
