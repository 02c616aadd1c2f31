#!/usr/bin/env bash
# Installs what the tests need besides Rust, from ordinary packages: Debian, PyPI and npm.
#
# Says what it does, does nothing that is done already, and is run by `make test`. What cannot be installed is named, and
# the tests that need it say that they are skipped; with REQUIRE_COUNTERPARTS=1 it is an error instead.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO="${CARGO:-cargo}"
REQUIRE="${REQUIRE_COUNTERPARTS:-0}"

say() { printf 'setup: %s\n' "$*"; }

lacks() {
    say "$*"
    if [ "$REQUIRE" = 1 ]; then
        exit 1
    fi
}

# A command and the Debian package that has it.
DEBIAN_PACKAGES="cc:gcc node:nodejs npm:npm"

install_debian() {
    local wanted=() pair
    for pair in $DEBIAN_PACKAGES; do
        command -v "${pair%%:*}" >/dev/null || wanted+=("${pair#*:}")
    done
    [ "${#wanted[@]}" -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            lacks "not installed, and there is no sudo: ${wanted[*]}"
            return 0
        fi
        as_root=(sudo)
    fi
    if ! command -v apt-get >/dev/null; then
        lacks "not installed, and this is no Debian: ${wanted[*]}"
        return 0
    fi
    say "installing from Debian: ${wanted[*]}"
    "${as_root[@]}" apt-get update -qq || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" ||
        lacks "Debian did not give: ${wanted[*]}"
}

# Whether the folder $1 was made from the lock file $2 as it is now.
is_made_from() {
    [ -f "$1/.made-from" ] && [ "$(cat "$1/.made-from")" = "$(sha256sum <"$2")" ]
}

install_npm() {
    local lock folder
    for lock in counterparts/*/package-lock.json; do
        [ -f "$lock" ] || continue
        folder="$(dirname "$lock")"
        is_made_from "$folder/node_modules" "$lock" && continue
        if ! command -v npm >/dev/null; then
            lacks "npm is not there: tests with $folder are skipped"
            continue
        fi
        say "installing from npm: $folder"
        if (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
            sha256sum <"$lock" >"$folder/node_modules/.made-from"
        else
            lacks "npm could not install $folder: its tests are skipped"
        fi
    done
}

install_python() {
    local pins=counterparts/requirements.txt venv=counterparts/venv
    [ -f "$pins" ] || return 0
    is_made_from "$venv" "$pins" && return 0
    say "installing from PyPI: $pins into $venv"
    if python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$pins"; then
        sha256sum <"$pins" >"$venv/.made-from"
    else
        lacks "PyPI packages could not be installed (Debian has python3-venv): their tests are skipped"
    fi
}

# The test runner; without it `cargo test` does, one binary after the other.
install_runner() {
    "$CARGO" nextest --version >/dev/null 2>&1 && return 0
    say "installing the test runner: cargo-nextest"
    "$CARGO" install --quiet --locked cargo-nextest || say "cargo-nextest could not be installed: cargo's own runner is used"
}

install_debian
install_npm
install_python
install_runner
say "everything that could be installed is there"
