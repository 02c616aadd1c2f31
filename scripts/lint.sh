#!/usr/bin/env bash
# Format, lints, links in documentation comments, licences and banned crates. (Generated pages are compared by tests.)
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO="${CARGO:-cargo}"
say() { printf 'lint: %s\n' "$*"; }

for component in rustfmt clippy; do
    if ! "$CARGO" "${component/rustfmt/fmt}" --version >/dev/null 2>&1; then
        say "adding $component to the toolchain"
        rustup component add "$component"
    fi
done

say "format"
"$CARGO" fmt --all --check
say "clippy"
"$CARGO" clippy --locked --quiet --workspace --all-targets -- -D warnings
say "documentation"
RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" "$CARGO" doc --locked --quiet --workspace --no-deps
if "$CARGO" deny --version >/dev/null 2>&1; then
    say "licences and bans"
    "$CARGO" deny --log-level error check bans licenses sources
else
    say "cargo-deny is not installed: licences are not checked here (banned crates are, by a test)"
fi
