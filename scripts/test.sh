#!/usr/bin/env bash
# Every test: examples in documentation first, so that the runner's own summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO="${CARGO:-cargo}"

if "$CARGO" nextest --version >/dev/null 2>&1; then
    "$CARGO" test --locked --quiet --workspace --doc
    exec "$CARGO" nextest run --locked --workspace
fi
exec "$CARGO" test --locked --workspace
