#!/usr/bin/env bash
# Every fuzz target for a while, on a nightly toolchain; fails on the first finding. FUZZ_SECS says how long each runs
# (30), FUZZ_TARGETS which ones (all). Where there is no nightly, tests check the same properties with FUZZ_CASES inputs.
#
# Findings are in fuzz/artifacts/TARGET/. What comes of one is a seed in fuzz/seeds/TARGET/, which `make test` then
# tries on every toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO="${CARGO:-cargo}"
FUZZ_SECS="${FUZZ_SECS:-30}"
say() { printf 'fuzz: %s\n' "$*"; }

if ! "$CARGO" +nightly --version >/dev/null 2>&1; then
    CASES="${FUZZ_CASES:-20000}"
    say "there is no nightly toolchain (rustup toolchain install nightly --profile minimal)"
    say "the same properties are checked with $CASES inputs each instead"
    PROPTEST_CASES="$CASES" FUZZ_CASES="$CASES" "$CARGO" test --locked --workspace --test it -- properties fuzz_smoke
    exit
fi
if ! "$CARGO" fuzz --version >/dev/null 2>&1; then
    say "installing cargo-fuzz"
    "$CARGO" install --locked --quiet cargo-fuzz
fi
# libFuzzer ends a process at once: what it leaves in its temporary folder goes with the next run
export TMPDIR="$PWD/fuzz/found/tmp"
rm -rf "$TMPDIR"
mkdir -p "$TMPDIR"

say "building"
# Our code is safe Rust: no address sanitizer, so that it builds and runs twice as fast.
"$CARGO" +nightly fuzz build --sanitizer none --target-dir fuzz/target
triple="$("$CARGO" +nightly --version --verbose | sed -n 's/^host: //p')"
for target in ${FUZZ_TARGETS:-$("$CARGO" +nightly fuzz list)}; do
    say "$target, $FUZZ_SECS s"
    mkdir -p "fuzz/found/$target" "fuzz/artifacts/$target"
    log="fuzz/found/$target.log"
    if ! "fuzz/target/$triple/release/$target" "fuzz/found/$target" "fuzz/seeds/$target" \
        -artifact_prefix="fuzz/artifacts/$target/" -max_total_time="$FUZZ_SECS" -timeout=10 -rss_limit_mb=1024 \
        -max_len=8192 -print_final_stats=1 >"$log" 2>&1; then
        tail -n 40 "$log"
        say "$target: a finding, see above and fuzz/artifacts/$target/"
        exit 1
    fi
    sed -n 's/^stat::number_of_executed_units: */fuzz:   inputs /p' "$log"
done
say "no findings"
